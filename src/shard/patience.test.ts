// An idle log waits for what it pushed ahead where that saves an append, and for nothing else (docs/decisions/0028).
import { describe, expect, it } from 'vitest';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { Patience } from './patience.ts';
import { type TestWorker, World } from './testing.ts';

const APPEND_MS = 4;

/** A node whose appends take `APPEND_MS`. */
async function slowLog(): Promise<World> {
  const disk = new MemoryDisk();
  const w = await new World(() => openMemoryStore({ disk, shardCount: 1 })).open();
  disk.faults.complete = (done) => w.time.after(APPEND_MS, done);
  return w;
}

/** Runs every workflow of one activity to its end, and takes so long for each task. */
function worker(w: World, takesMs: { ms: number }, ahead = true): TestWorker {
  const pilot = w.autopilot(1, { ahead });
  const { onTask } = pilot;
  pilot.onTask = (task) => w.time.after(takesMs.ms, () => onTask?.(task));
  return pilot;
}

const commits = (w: World): number => w.engine.getStats().commits;

/** One workflow alone, from its start to rest: how long until its start was answered and until its result, ms, and how many appends. */
async function alone(w: World, workflowId: string): Promise<{ started: number; closed: number; appends: number }> {
  const [at, before] = [w.time.at, commits(w)];
  const started = w.post(workflowId, w.startMessage());
  const result = w.begin((done) => w.engine.awaitResult({ namespace: 'default', workflowId }, undefined, true, done));
  let startedAt = 0;
  while (!result.done) {
    await w.time.advance(0.5);
    if (started.done && startedAt === 0) startedAt = w.time.at;
    if (w.time.at - at > 1_000) throw new Error(`${workflowId} is not closed`);
  }
  const closed = w.time.at - at;
  await w.time.advance(100);
  return { started: startedAt - at, closed, appends: commits(w) - before };
}

async function several(w: World, count: number, name: string): Promise<void> {
  for (let n = 0; n < count; n += 1) await alone(w, `${name}-${n}`);
}

describe('a workflow of one activity alone', () => {
  it('takes two appends instead of four where its worker answers sooner than an append is done', async () => {
    const w = await slowLog();
    worker(w, { ms: 1 });
    const first = await alone(w, 'first');
    expect(first.appends).toBe(4);
    await several(w, 20, 'warm');
    const last = await alone(w, 'last');
    expect(last.appends).toBe(2);
    // Two appends, and three tasks of a millisecond.
    expect(last.closed).toBeLessThan(2 * APPEND_MS + 3 + 1);
    expect(last.closed).toBeLessThan(first.closed - APPEND_MS);
  });

  it('is not kept waiting where its worker takes longer', async () => {
    const w = await slowLog();
    worker(w, { ms: APPEND_MS + 2 });
    await several(w, 20, 'warm');
    expect((await alone(w, 'last')).started).toBeLessThan(APPEND_MS + 1);
  });

  it('waits an append’s time at most once its worker is silent, and soon not at all', async () => {
    const w = await slowLog();
    const takes = { ms: 1 };
    worker(w, takes);
    await several(w, 20, 'warm');
    takes.ms = 50;
    const first = await alone(w, 'first');
    expect(first.started).toBeGreaterThan(APPEND_MS + 1);
    expect(first.started).toBeLessThan(2 * APPEND_MS + 1);
    await several(w, 20, 'slow');
    expect((await alone(w, 'last')).started).toBeLessThan(APPEND_MS + 1);
  });

  it('is not kept waiting where the worker takes nothing ahead', async () => {
    const w = await slowLog();
    worker(w, { ms: 1 }, false);
    await several(w, 20, 'warm');
    expect(await alone(w, 'last')).toMatchObject({ appends: 4 });
  });
});

it('whatever else waits for the commit ends the wait', async () => {
  const w = await slowLog();
  const takes = { ms: 1 };
  worker(w, takes);
  await several(w, 20, 'warm');
  takes.ms = 50;
  const before = commits(w);
  const held = w.post('held', w.startMessage());
  await w.time.advance(1);
  expect([held.done, commits(w) - before]).toEqual([false, 0]);
  // Nobody takes its task: it is answered after one append, and with it the one that waited.
  const other = w.post('other', w.startMessage({ taskQueue: 'nobody' }));
  await w.time.advance(APPEND_MS + 0.5);
  expect([held.error, held.done, other.done]).toEqual([undefined, true, true]);
});

it('what waits is durable before the engine is closed', async () => {
  const w = await slowLog();
  const takes = { ms: 1 };
  worker(w, takes);
  await several(w, 20, 'warm');
  takes.ms = 50;
  const held = w.post('held', w.startMessage());
  await w.time.advance(0);
  const closed = w.engine.close();
  await w.time.advance(3 * APPEND_MS);
  await closed;
  expect([held.done, held.error]).toEqual([true, undefined]);
});

describe('patience', () => {
  const patience = (appendMs: number, answered: boolean, samples = 60): Patience => {
    const one = new Patience();
    for (let n = 0; n < samples; n += 1) {
      one.appended(appendMs);
      one.pushed(answered);
    }
    return one;
  };

  it.each([
    ['an append’s time where workers are quick', patience(2, true).waitMs, 2],
    ['nothing before anything is known', new Patience().waitMs, undefined],
    ['nothing where a timer is coarser than the log', patience(0.1, true).waitMs, undefined],
    ['nothing where workers are slower than appends', patience(2, false).waitMs, undefined],
    ['10 ms at most', patience(500, true).waitMs, 10],
  ])('is %s', (_, waitMs, expected) => {
    if (expected === undefined) expect(waitMs).toBeUndefined();
    else expect(waitMs).toBeCloseTo(expected, 5);
  });

  it('forgets what was', () => {
    const one = patience(2, true);
    for (let n = 0; n < 12; n += 1) one.pushed(false);
    expect(one.waitMs).toBeUndefined();
    for (let n = 0; n < 12; n += 1) one.pushed(true);
    expect(one.waitMs).toBeDefined();
  });
});
