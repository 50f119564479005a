import { spawn } from 'node:child_process';
import { platform } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { InsideFigures, SystemProcess } from './model.ts';
import { Watch } from './watch.ts';

function self(inside: readonly InsideFigures[]): SystemProcess {
  const answers = inside.values();
  return { role: 'node', name: 'n1', pid: process.pid, inside: async () => answers.next().value ?? {} };
}

function work(ms: number): void {
  for (const untilMs = performance.now() + ms; performance.now() < untilMs; );
}

describe.runIf(platform() === 'linux')('what is watched', () => {
  it('is told per operation, as what grew since the beginning', async () => {
    const node = self([
      { fsyncs: 100, gcMs: 50, refused: 0, eventLoopDelayP99Ms: 90 },
      { fsyncs: 120, gcMs: 50, refused: 5, eventLoopDelayP99Ms: 7 },
    ]);
    const watch = new Watch(() => [node]);
    await watch.begin();
    work(60);
    const rolesOf = await watch.end();
    const [figures] = rolesOf(10);
    expect(figures).toMatchObject({ role: 'node', processes: 1, fsyncsPerOperation: 2, refusedPerOperation: 0.5 });
    expect(figures).toMatchObject({ eventLoopDelayP99Ms: 7, gcShare: 0 });
    expect(figures?.cpuUsPerOperation).toBeGreaterThan(0);
    expect(figures?.rssAnonMiB).toBeLessThanOrEqual(figures?.peakRssAnonMiB ?? 0);
  });

  it('has no figures per operation when none ended', async () => {
    const watch = new Watch(() => [self([{ fsyncs: 1 }, { fsyncs: 2 }])]);
    await watch.begin();
    const [figures] = (await watch.end())(0);
    expect(figures?.fsyncsPerOperation).toBeUndefined();
    expect(figures?.cpuUsPerOperation).toBeUndefined();
    expect(figures?.rssAnonMiB).toBeGreaterThan(0);
  });

  it('keeps processes that came and went, each in its role', async () => {
    const processes = [self([])];
    const watch = new Watch(() => processes);
    await watch.begin();
    const child = spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1000)']);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    processes.push({ role: 'worker', name: 'w1', pid: child.pid ?? -1 });
    expect(watch.tick().map(({ role }) => role)).toEqual(['node', 'worker']);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(watch.tick().find(({ role }) => role === 'worker')?.rssAnonMiB).toBe(0);
    const worker = (await watch.end())(1).find(({ role }) => role === 'worker');
    expect(worker?.cpuUsPerOperation).toBeGreaterThan(0);
    expect(worker?.peakRssAnonMiB).toBeGreaterThan(0);
  });
});
