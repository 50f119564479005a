// A slice of the bench with real processes: that every result is checked and every figure is there, not how fast anything is. And that a system
// that answers wrongly, or not at all, fails the run.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { Target } from '../bench/lib/model.ts';
import { type Measurement, readReport } from '../bench/lib/report.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAIN = join(ROOT, 'dist/bench/main.js');
/** When a run has hung: most take seconds where nothing else goes on, those of several nodes half a minute. */
const RUN_MS = 180_000;

const folder = mkdtempSync(join(tmpdir(), 'tenuto-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const bench = (...args: string[]): Promise<Ended> => run(MAIN, args);

function run(main: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { timeout: RUN_MS, env: { ...process.env, ...env } };
    execFile(process.execPath, [main, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}

it('shows its scenarios and its options', async () => {
  expect((await bench('--list')).stdout).toMatch(/throughput.*workflows of one activity/);
  expect((await bench('--help')).stdout).toMatch(/^usage: npm run bench -- \[scenario …\] \[options\]/);
});

it('ends with 2 and says why, when it is asked for what there is not', async () => {
  expect(await bench('fast')).toEqual({
    code: 2,
    stdout: '',
    stderr: 'there is no scenario fast; --list shows them\n',
  });
  expect(await bench('none', '--json', join(folder, 'no', 'a.json'))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is no folder'),
  });
});

it('leaves no folder behind when it is broken off while a process of its own still writes', async () => {
  const temporary = join(folder, 'broken off');
  mkdirSync(temporary);
  const modules = ['at-end', 'folders'].map((name) => pathToFileURL(join(ROOT, `dist/bench/lib/${name}.js`)).href);
  // Bounded in time and number, should nobody end it.
  const writer = `
    import { mkdirSync } from 'node:fs';
    import { join } from 'node:path';
    const until = Date.now() + 3_000;
    for (let n = 0; Date.now() < until; n += 1) {
      mkdirSync(join(process.argv[1], String(n % 500)), { recursive: true });
      if (n === 0) console.log('writes');
    }`;
  const lines = [
    `import { spawn } from 'node:child_process';`,
    `import { killAtEnd } from '${modules[0]}';`,
    `import { newFolder } from '${modules[1]}';`,
    `const args = ['--input-type=module', '--eval', ${JSON.stringify(writer)}, newFolder()];`,
    `const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });`,
    'killAtEnd(child);',
    `child.stdout.once('data', () => process.exit(0));`,
  ];
  const main = join(folder, 'broken-off.mjs');
  writeFileSync(main, lines.join('\n'));
  expect(await run(main, [], { TMPDIR: temporary })).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(readdirSync(temporary)).toEqual([]);
});

describe('a slice', () => {
  const short = ['--quick', '--duration', '200ms'];
  const small = ['--set', 'concurrency=4', '--set', 'targets=5', '--set', 'perSecondOne=100'];

  it('measures loads of several kinds', { timeout: 2 * RUN_MS }, async () => {
    const file = join(folder, 'report.json');
    const page = join(folder, 'report.html');
    const scenarios = ['throughput', 'signals', 'queries', 'updates'];
    const ended = await bench(...scenarios, ...short, ...small, '--clients', '2', '--json', file, '--html', page);
    expect(ended).toMatchObject({ code: 0 });
    const report = readReport(file);
    expect(report.measurements.map(({ scenario, case: which }) => [scenario, which])).toEqual([
      ['throughput', ''],
      ['signals', 'to 5'],
      ['signals', 'to one'],
      ['queries', ''],
      ['updates', ''],
    ]);
    for (const measurement of report.measurements) isWhole(measurement);
    expect(report.floors.fsyncP50Ms).toBeGreaterThan(0);
    expect(report.measurements[0]?.multiples.map(({ floor }) => floor)).toContain('2 fsyncs + 8 loopback frames');
    expect(ended.stdout).toContain('throughput');
    expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>[\s\S]*<h2>queries<\/h2>/);
  });

  it('measures activities without a workflow, resets, batch jobs and searches', { timeout: 2 * RUN_MS }, async () => {
    const file = join(folder, 'operations.json');
    const scenarios = ['standalone', 'resets', 'searching', 'batch'];
    const sizes = ['--set', 'concurrency=4', '--set', 'targets=5', '--set', 'upserts=2', '--set', 'executions=40'];
    const ended = await bench(...scenarios, ...short, ...sizes, '--clients', '2', '--json', file);
    expect(ended).toMatchObject({ code: 0 });
    const { measurements } = readReport(file);
    expect(measurements.map(({ scenario, case: which, operation }) => [scenario, which, operation])).toEqual([
      ['standalone', '', 'activity'],
      ['resets', '', 'reset'],
      ['searching', '', 'workflow'],
      ['batch', 'signalled', 'execution signalled'],
      ['batch', 'terminated', 'execution terminated'],
    ]);
    for (const measurement of measurements.slice(0, 3)) isWhole(measurement);
    const figures = new Map(measurements.flatMap((one) => one.figures.map(({ name, value }) => [name, value])));
    expect(figures.get('executions')).toBe(40);
    for (const what of ['lists', 'counts']) expect(figures.get(`${what} meanwhile`)).toBeGreaterThan(0);
  });

  it('measures workflows of every kind', { timeout: 2 * RUN_MS }, async () => {
    const file = join(folder, 'kinds.json');
    const scenarios = ['latency', 'none', 'sequence', 'parallel', 'local', 'children'];
    const sizes = ['concurrency=4', 'concurrency100=2', 'activities=5', 'children=3'];
    const ended = await bench(
      ...[...scenarios, ...short, '--clients', '2', '--json', file],
      ...sizes.flatMap((each) => ['--set', each]),
    );
    expect(ended).toMatchObject({ code: 0 });
    const { measurements } = readReport(file);
    expect(measurements.map(({ scenario, case: which }) => [scenario, which])).toEqual([
      ['latency', '1 activity'],
      ['latency', '1 local activity'],
      ['none', ''],
      ['sequence', '10 activities'],
      ['sequence', '100 activities'],
      ['parallel', '5 activities'],
      ['local', '1 step'],
      ['local', '10 steps'],
      ['children', '3 children'],
    ]);
    for (const measurement of measurements) isWhole(measurement);
  });

  it('measures chains of runs, payloads, schedules, and a load for long', { timeout: 2 * RUN_MS }, async () => {
    const file = join(folder, 'long.json');
    const sizes = [
      ...['concurrency=4', 'concurrency1=2', 'concurrency64=2', 'concurrency1024=1', 'times=1'],
      ...['schedules=20', 'withinSeconds=1', 'madePerSecond=20'],
    ];
    const ended = await bench(
      ...['payloads', 'soak', 'continued', 'schedules', ...short, '--clients', '2', '--json', file],
      ...sizes.flatMap((each) => ['--set', each]),
    );
    expect(ended).toMatchObject({ code: 0 });
    const { measurements } = readReport(file);
    expect(measurements.map(({ scenario, case: which }) => [scenario, which])).toEqual([
      ['payloads', '1 KiB'],
      ['payloads', '64 KiB'],
      ['payloads', '1 MiB'],
      ['soak', ''],
      ['continued', '1 times'],
      ['schedules', ''],
    ]);
    for (const measurement of measurements.slice(0, 4)) isWhole(measurement);
    expect(measurements.at(-1)?.figures).toContainEqual({ name: 'runs, of as many schedules', value: 20, unit: '' });
  });

  it('measures what waits, what is left behind, and one hot workflow', { timeout: 2 * RUN_MS }, async () => {
    const file = join(folder, 'waiting.json');
    const sizes = [
      ...['times=1', 'idleSeconds=0', 'sleepers=20', 'workflows=20', 'settleSeconds=0', 'concurrency=4'],
      ...['tasks=150', 'signalsPerSecond=50', 'executions=120'],
    ];
    const ended = await bench(
      ...['start', 'sleeping', 'footprint', 'backlog', 'hot', 'visibility', ...short, '--json', file],
      ...sizes.flatMap((each) => ['--set', each]),
    );
    expect(ended).toMatchObject({ code: 0 });
    const { measurements } = readReport(file);
    expect(measurements.map(({ scenario, case: which }) => [scenario, which])).toEqual([
      ['start', ''],
      ['sleeping', ''],
      ['footprint', ''],
      ['backlog', 'started'],
      ['backlog', 'restarted with them'],
      ['backlog', 'taken'],
      ['hot', ''],
      ['visibility', 'count over 120'],
      ['visibility', 'list over 120'],
    ]);
    const figuresOf = (n: number) =>
      new Map(measurements[n]?.figures.map(({ name, value }): [string, number] => [name, value]));
    expect(figuresOf(0).get('ready, median')).toBeGreaterThan(0);
    expect(figuresOf(1).get('CPU each, last tenth')).toBeGreaterThanOrEqual(0);
    const left = figuresOf(2);
    expect(left.get('rows of it, compacted')).toBeGreaterThan(0);
    expect(left.get('on the disk, logs and all')).toBeGreaterThan(left.get('rows of it, compacted') ?? 0);
    expect(figuresOf(5).get('tasks taken')).toBe(150);
  });

  it('measures an open loop, and what makes its own load', { timeout: 2 * RUN_MS }, async () => {
    const file = join(folder, 'open.json');
    const sizes = ['armed=20', 'sleepMs=100', 'duePerSecond=50', 'burst=30', 'times=1', 'longest=1000'];
    const readers = ['subscribers=7', 'connections=3', 'processes=2', 'changes=3'];
    const ended = await bench(
      'timers',
      'replay',
      'state',
      ...short,
      ...[...sizes, ...readers].flatMap((each) => ['--set', each]),
      '--json',
      file,
    );
    expect(ended).toMatchObject({ code: 0 });
    const [timers, together, replay, state] = readReport(file).measurements;
    expect(timers).toMatchObject({ shape: { kind: 'open', perSecond: 50 }, operation: 'timer due' });
    expect(together).toMatchObject({
      case: '30 together',
      shape: { kind: 'open', perSecond: 10_000 },
      counts: { done: 30 },
    });
    expect(replay?.figures.map(({ name }) => name)).toEqual(['query to answer, median', 'events replayed']);
    expect(state).toMatchObject({ case: '7 over 3', operation: 'change seen by a reader', counts: { done: 21 } });
    expect(state?.latency?.p99Ms).toBeGreaterThan(0);
  });
});

describe('the bench of more than one node, or system', () => {
  const short = ['--duration', '200ms'];
  const few = ['--quick', ...short, '--clients', '1', '--set', 'concurrency=4'];

  it('finds a knee, goes beyond it, balances the books, and compares with a run before', {
    timeout: 2 * RUN_MS,
  }, async () => {
    const before = join(folder, 'before.json');
    const sizes = ['orders=5', 'seconds=0.4', 'callers=20', 'times=2'].flatMap((each) => ['--set', each]);
    const first = await bench('none', 'orders', 'overload', ...few, ...sizes, '--json', before);
    expect(first).toMatchObject({ code: 0 });
    const { measurements } = readReport(before);
    expect(measurements.map(({ scenario, case: which }) => [scenario, which])).toEqual([
      ['none', ''],
      ['orders', ''],
      ['overload', 'the knee'],
      ['overload', '2 × the knee'],
      ['overload', '20 callers'],
    ]);
    expect(measurements[1]?.counts.done).toBe(5);
    expect(measurements[2]?.steps.length).toBeGreaterThan(0);
    for (const one of measurements.slice(3))
      expect(one.figures.find(({ name }) => name === 'share of the knee')?.value).toBeGreaterThan(0);
    const after = join(folder, 'after.json');
    const second = await bench('none', ...few, '--baseline', before, '--json', after);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringMatching(/\/s × before/) });
    expect(readReport(after).measurements).toHaveLength(1);
  });

  it('measures a cluster whose node is killed, and one that grows', { timeout: 2 * RUN_MS }, async () => {
    const [killed, grown] = [join(folder, 'killed.json'), join(folder, 'grown.json')];
    // A rate, so that the machine has time for the nodes.
    const slow = ['--quick', '--rate', '20', '--clients', '1'];
    const faults = ['--duration', '3s', '--set', 'killAtS=1', '--set', 'backAfterS=1'];
    expect(await bench('failover', ...slow, ...faults, '--json', killed)).toMatchObject({ code: 0 });
    const [failover] = readReport(killed).measurements;
    expect(failover?.counts.all).toBeGreaterThan(30);
    expect(failover?.figures.map(({ name }) => name)).toContain('seconds with less than half');
    expect(await bench('growth', ...slow, '--duration', '1s', '--json', grown)).toMatchObject({ code: 0 });
    const { measurements } = readReport(grown);
    expect(measurements.map(({ case: which }) => which)).toEqual([
      ...['1 node', '1 → 3 nodes', '3 nodes', '3 → 5 nodes', '5 nodes'],
    ]);
    for (const { counts } of measurements) expect(counts.all).toBeGreaterThan(10);
    const leads = measurements.at(-1)?.figures.filter(({ name }) => name.startsWith('shards that n')) ?? [];
    expect(leads).toHaveLength(5);
  });

  it('measures several cores behind one port', { timeout: 2 * RUN_MS }, async () => {
    const file = join(folder, 'cores.json');
    const ended = await bench('cores', '--quick', ...short, '--clients', '1', '--set', 'warmUp=0', '--json', file);
    expect(ended).toMatchObject({ code: 0 });
    const { measurements } = readReport(file);
    expect(measurements.map(({ case: which }) => which)).toEqual(['one node', 'one node', '--cores 2', '--cores 2']);
    for (const { figures } of measurements.slice(2)) expect(figures.length).toBeGreaterThan(0);
  });

  it('measures a peer in turn: the official SDK at our own door', { timeout: 2 * RUN_MS }, async () => {
    const file = join(folder, 'peer.json');
    const ended = await bench('none', ...few, '--peer', 'temporal', '--json', file);
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('gRPC door of Tenuto') });
    expect(readReport(file).measurements.map(({ system, round }) => [system.name, round])).toEqual([
      ['tenuto', 1],
      ['temporal', 1],
      ['tenuto', 2],
      ['temporal', 2],
    ]);
  });
});

describe('the bench of what is beside the load', () => {
  it('saves a module, and passes on what is large', { timeout: 2 * RUN_MS }, async () => {
    const file = join(folder, 'beside.json');
    const sizes = ['modules=5', 'saves=2', 'between=10', 'mib=3', 'results=2'];
    const ended = await bench(
      ...['reload', 'offload', '--quick', '--json', file],
      ...sizes.flatMap((each) => ['--set', each]),
    );
    expect(ended).toMatchObject({ code: 0 });
    const { measurements } = readReport(file);
    expect(measurements.map(({ scenario, case: which, counts }) => [scenario, which, counts.done])).toEqual([
      ['reload', '5 modules', 2],
      ['offload', '3 MiB', 2],
    ]);
    const history = measurements[1]?.figures.find(({ name }) => name === 'history as JSON');
    expect(history?.value).toBeLessThan(20);
  });
});

describe('a profile', () => {
  const profile = (...args: string[]): Promise<Ended> => run(join(ROOT, 'dist/bench/profile/main.js'), args);

  it('is of the node and the worker of one scenario, as a page, in short and raw', { timeout: RUN_MS }, async () => {
    const out = join(folder, 'profile');
    const short = ['--quick', '--duration', '200ms', '--set', 'concurrency=4'];
    const ended = await profile('throughput', ...short, '--out', out);
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stdout).toMatch(/\nnode \(process \d+\), main thread: busy for \d+ ms\n/);
    const page = readFileSync(join(out, 'profile.html'), 'utf8');
    expect(page).toMatch(/<h2>node \(process \d+\), main thread<\/h2>/);
    expect(page).toMatch(/<h2>worker \(process \d+\), thread \d+<\/h2>/);
    for (const role of ['node', 'worker']) {
      const files = readdirSync(join(out, role));
      expect(files.some((file) => file.endsWith('.cpuprofile'))).toBe(true);
      expect(files.some((file) => file.endsWith('.heapprofile'))).toBe(true);
    }
  });

  it('is of one scenario, and explains itself', async () => {
    expect(await profile('--quick')).toMatchObject({ code: 2, stderr: expect.stringContaining('name one scenario') });
    expect((await profile('--help')).stdout).toMatch(/^usage: npm run profile -- SCENARIO/);
  });
});

describe('the load generator fails the run', () => {
  /** A system without processes: clients are told what to answer. */
  function target(answer: string): Target {
    const module = join(folder, `client-${Math.random()}.mjs`);
    const model = pathToFileURL(join(ROOT, 'dist/bench/lib/model.js')).href;
    const lines = [
      `import { BusyError } from '${model}';`,
      'let calls = 0;',
      `const answer = ({ input: { value, count } }) => { calls += 1; ${answer} };`,
      'export const connect = async () => ({ execute: async (work) => answer(work), close: async () => {} });',
    ];
    writeFileSync(module, lines.join('\n'));
    return { module: pathToFileURL(module).href, settings: {} };
  }

  /** Loads such a system until 200 ms are over; returns how many operations ended well, and how often it was full. */
  async function load(answer: string): Promise<{ ended: number; refused: number }> {
    // The built one: it starts processes. Its types are its source's.
    const { Clients } = (await import(
      join(ROOT, 'dist/bench/lib/clients.js')
    )) as typeof import('../bench/lib/clients.ts');
    const clients = await Clients.connect(target(answer), 2);
    try {
      let ended = 0;
      const plan = { of: 'execute', kind: 'sequence', prefix: 'p', count: 3, payloadBytes: 0 } as const;
      const { stop, done } = clients.load(plan, { kind: 'closed', concurrency: 4 }, ({ endedAtMs }) => {
        ended += endedAtMs.length;
      });
      await clients.unlessFailed(sleep(200));
      stop();
      await done;
      return { ended, refused: clients.refused };
    } finally {
      await clients.close();
    }
  }
  const right = 'return new Promise((resolve) => setTimeout(() => resolve({ value, n: count }), 5));';

  it('not when all answers are right, be the system full now and then', async () => {
    const { ended, refused } = await load(`if (calls === 3) throw new BusyError('full'); ${right}`);
    expect(ended).toBeGreaterThan(4);
    expect(refused).toBe(2);
  });

  it('when one of many answers is wrong', async () => {
    await expect(load(`if (calls === 9) return { value, n: count - 1 }; ${right}`)).rejects.toThrow(
      /client \d: wrong result: p-\d-\d+ returned .*"n":2}, expected .*"n":3}/,
    );
  });

  it('when a client dies', async () => {
    await expect(load(`if (calls === 9) process.exit(3); ${right}`)).rejects.toThrow(
      /client process \d+ ended with code 3/,
    );
  });
});

function isWhole(measurement: Measurement): void {
  const { counts, latency, multiples, roles, perSecond } = measurement;
  expect(counts.all).toBeGreaterThan(0);
  // On a machine that has much else to do nothing may end in the measured time.
  expect(counts.all).toBeGreaterThanOrEqual(counts.done);
  expect(perSecond > 0).toBe(counts.done > 0);
  expect(latency?.p99Ms ?? 0).toBeGreaterThanOrEqual(latency?.p50Ms ?? 0);
  expect(multiples.map(({ what }) => what)).toEqual([
    ...(latency === undefined ? [] : ['p50', 'p99']),
    ...(perSecond > 0 ? ['per second', 'per second'] : []),
  ]);
  expect(roles.map(({ role, processes }) => [role, processes])).toEqual([
    ['node', 1],
    ['worker', 1],
    ['client', 2],
  ]);
  const [node, worker] = roles;
  expect(node?.fsyncsPerOperation ?? 0).toBeGreaterThanOrEqual(0);
  expect(node?.gcShare).toBeGreaterThanOrEqual(0);
  expect(worker?.eventLoopDelayP99Ms).toBeGreaterThanOrEqual(0);
}
