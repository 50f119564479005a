// An actor dropped at any moment and read again decides identically (I4): the same script, with and without a memory, comes to the same
// histories, lists and rows; and the cache stays within its bounds.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import type { HistoryEvent } from '../wire/event.ts';
import { command, typesOf, World } from './testing.ts';

type Step = { do: 'signal' | 'start' | 'task' | 'activity' | 'tick' | 'cancel'; at: number };

const script: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    do: fc.constantFrom(
      'signal' as const,
      'start' as const,
      'task' as const,
      'activity' as const,
      'tick' as const,
      'cancel' as const,
    ),
    at: fc.nat(2),
  }),
  { minLength: 5, maxLength: 30 },
);

async function play(
  steps: readonly Step[],
  forget: 'never' | 'always',
): Promise<{ histories: unknown[]; rows: number }> {
  const disk = new MemoryDisk();
  const w = new World(() => openMemoryStore({ disk, shardCount: 2 }));
  await w.open();
  const worker = w.worker({ workflow: 1_000, activity: 1_000, stickyQueue: 'warm' });
  let n = 0;
  for (const { do: what, at } of steps) {
    const id = `w${at}`;
    if (what === 'start')
      await w.send(id, { ...w.startMessage({ workflowExecutionTimeout: 50_000 }), runId: `run-${n}` });
    else if (what === 'signal') await w.send(id, { ...w.signalMessage('s') });
    else if (what === 'cancel')
      await w.send(id, { type: 'requestCancel', target: {}, identity: 'c', requestId: `c${n}` });
    else if (what === 'tick') await w.time.advance(1_500 + 7_000 * at);
    else {
      // Of several workflows whose timers are due in the same millisecond any may come first: the script takes them by name.
      const [task] = worker.received
        .filter(({ kind }) => kind === (what === 'task' ? 'workflow' : 'activity'))
        .sort((a, b) => (a.workflowId < b.workflowId ? -1 : a.workflowId > b.workflowId ? 1 : 0));
      if (task !== undefined) {
        worker.received.splice(worker.received.indexOf(task), 1);
        const commands = [
          command.activity(`a${n}`),
          command.timer(`t${n}`, 3_000),
          command.publish({ [`k${n % 3}`]: n }),
          ...(at === 0 ? [command.complete()] : []),
        ];
        if (task.kind === 'workflow') await w.send(task.workflowId, w.completion(task, commands.slice(at % 2), true));
        else await w.send(task.workflowId, w.result(task));
      }
    }
    n += 1;
    if (forget === 'always') {
      w.engine.passivateAll();
      expect(w.engine.getStats().actors).toBe(0);
      if (n % 3 === 0) await w.engine.flush();
    }
  }
  const histories: unknown[] = [];
  for (const id of ['w0', 'w1', 'w2']) {
    const events = await w.history(id).catch(() => [] as HistoryEvent[]);
    histories.push([typesOf(events), events.map(({ eventTime }) => eventTime)]);
  }
  await w.engine.flush();
  return { histories, rows: w.engine.getStats().waitingTasks };
}

describe('passivation', () => {
  it('changes nothing that anybody can see', async () => {
    await fc.assert(
      fc.asyncProperty(script, async (steps) => {
        expect(await play(steps, 'always')).toEqual(await play(steps, 'never'));
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('keeps the cache within its bounds, closed and idle actors first', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 4 }), {
      bounds: { cachedActors: 10, actorIdleMs: 5_000 },
    }).open();
    for (let i = 0; i < 50; i += 1) await w.start(`w${i}`);
    await w.time.advance(2_000);
    expect(w.engine.getStats().actors).toBeLessThanOrEqual(10);
    await w.time.advance(10_000);
    expect(w.engine.getStats()).toMatchObject({ actors: 0, actorBytes: 0, waitingTasks: 50 });
  });

  it('does not make a waiting caller wait for nothing: it is answered although its actor has left memory', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 4 })).open();
    const worker = w.worker({ workflow: 1 });
    const runId = await w.start('a');
    const result = w.begin<{ runId: string }>((done) =>
      w.engine.awaitResult({ namespace: 'default', workflowId: 'a' }, undefined, true, done),
    );
    await w.time.settle();
    w.engine.passivateAll();
    expect(w.engine.getStats()).toMatchObject({ actors: 0, longPolls: 1 });
    await w.send('a', w.completion(worker.take('workflow'), [command.complete()]));
    expect(result.value?.runId).toBe(runId);
    expect(w.engine.getStats().longPolls).toBe(0);
  });

  it('follows the chain of runs to its end', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 4 })).open();
    const worker = w.worker({ workflow: 10 });
    const first = await w.start('a');
    const await1 = w.begin<{ runId: string; status: number }>((done) =>
      w.engine.awaitResult({ namespace: 'default', workflowId: 'a' }, first, true, done),
    );
    await w.send('a', w.completion(worker.take('workflow'), [command.continueAsNew()]));
    await w.time.advance(3_000);
    expect(await1.done).toBe(false);
    const second = worker.take('workflow');
    await w.send('a', w.completion(second, [command.complete()]));
    expect(await1.value).toMatchObject({
      runId: second.kind === 'workflow' ? second.started.ref.runId : '',
      status: 2,
    });
    const closed = await w.call<{ runId: string; status: number }>((done) =>
      w.engine.awaitResult({ namespace: 'default', workflowId: 'a' }, first, false, done),
    );
    expect(closed.value).toMatchObject({ runId: first, status: 6 });
    const old = await w.call<{ workflowExecutionInfo: { status: number } }>((done) =>
      w.engine.describe({ namespace: 'default', workflowId: 'a' }, first, done),
    );
    expect(old.value?.workflowExecutionInfo.status).toBe(6);
  });

  it('reads a workflow of many closed runs as one of few', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 1 })).open();
    const worker = w.worker({ workflow: 1_000, activity: 1_000 });
    // The rows of closed runs lie between the chain's and those of the run that is at work, more of them with each.
    for (let run = 0; run < 90; run += 1) {
      const task = await w.start('a').then(() => worker.take('workflow'));
      await w.send('a', w.completion(task, [command.complete()]));
      await w.start('a');
      await w.send('a', w.completion(worker.take('workflow'), [command.activity(`a${run}`)]));
      await w.engine.flush();
      w.engine.passivateAll();
      expect(w.engine.getStats().actors).toBe(0);
      // Nothing of what it waits for was forgotten, and no request is taken for a new one.
      await w.send('a', w.result(worker.take('activity'), run));
      const last = worker.take('workflow');
      await w.send('a', w.completion(last, [command.complete(run)]));
      expect(await w.history('a').then((events) => typesOf(events).at(-1))).toBe(2);
    }
  });
});
