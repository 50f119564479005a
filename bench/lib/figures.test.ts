// Figures of processes, and of series.
import { spawn } from 'node:child_process';
import { platform } from 'node:os';
import { describe, expect, it } from 'vitest';
import { insideOfMetrics } from './inside.ts';
import { usageOf } from './proc.ts';
import { isFlat, lineOf } from './slope.ts';

describe.runIf(platform() === 'linux')('what the kernel says of a process', () => {
  it('is of the process itself', () => {
    const usage = usageOf(process.pid);
    expect(usage?.cpuS).toBeGreaterThan(0);
    expect(usage?.rssMiB).toBeGreaterThan(usage?.rssAnonMiB ?? Number.POSITIVE_INFINITY);
  });

  it('has its descendants in it', async () => {
    const child = spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1000)']);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const own = usageOf(child.pid ?? -1)?.rssAnonMiB ?? Number.NaN;
    expect(usageOf(process.pid)?.rssAnonMiB).toBeGreaterThan(own);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(usageOf(child.pid ?? -1)).toBeUndefined();
  });
});

it("reads a node's metrics", () => {
  const metrics = `# HELP nodejs_gc_duration_seconds Garbage collection duration by kind.
nodejs_gc_duration_seconds_sum{kind="minor"} 0.25
nodejs_gc_duration_seconds_count{kind="minor"} 9
nodejs_gc_duration_seconds_sum{kind="major"} 0.5
nodejs_eventloop_lag_p99_seconds 0.025
tenuto_store_fsyncs_total 412
tenuto_engine_refused_total 3
`;
  expect(insideOfMetrics(metrics)).toEqual({ gcMs: 750, eventLoopDelayP99Ms: 15, fsyncs: 412, refused: 3 });
  const cores = `tenuto_store_fsyncs_total{core="1"} 400
tenuto_store_fsyncs_total{core="2"} 12
nodejs_eventloop_lag_p99_seconds{core="1"} 0.04
nodejs_eventloop_lag_p99_seconds{core="2"} 0.02
`;
  expect(insideOfMetrics(cores)).toEqual({ eventLoopDelayP99Ms: 30, fsyncs: 412 });
  expect(insideOfMetrics('# TYPE nodejs_gc_duration_seconds histogram\n')).toEqual({ gcMs: 0 });
  expect(insideOfMetrics('')).toEqual({});
});

describe('the line through a series', () => {
  it('has its slope and its mean', () => {
    expect(
      lineOf([
        [0, 10],
        [1, 12],
        [2, 14],
      ]),
    ).toEqual({ slope: 2, mean: 12 });
    expect(lineOf([])).toEqual({ slope: 0, mean: 0 });
    expect(lineOf([[3, 7]])).toEqual({ slope: 0, mean: 7 });
  });

  const series = (of: (x: number) => number): [number, number][] => Array.from({ length: 50 }, (_, x) => [x, of(x)]);
  it.each([
    ['saws around a level', series((x) => 200 + 30 * (x % 3)), true],
    ['falls', series((x) => 200 - x), true],
    ['rises by a third', series((x) => 200 + 2 * x), false],
  ])('is flat or not: it %s', (_, points, flat) => {
    expect(isFlat(points)).toBe(flat);
  });
});
