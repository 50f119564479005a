// A task whose worker is connected to another node: its delivery is answered later, or never. Until then the start counts as being delivered.
import { describe, expect, it } from 'vitest';
import type { Claim, Delivery, LateAnswer, LateDelivery, TaskKind } from '../ports/matching.ts';
import { openMemoryStore } from '../store/index.ts';
import { after, startedPrefix } from './keys.ts';
import { command, NAMESPACE, QUEUE, type TestWorker, World } from './testing.ts';

class Late implements LateDelivery {
  inDoubt = false;
  forgotten = false;
  readonly task: Delivery;
  answer: (answer: LateAnswer) => void = () => undefined;

  constructor(task: Delivery) {
    this.task = task;
  }

  whenAnswered(heard: (answer: LateAnswer) => void): void {
    this.answer = heard;
  }

  forget(): void {
    this.forgotten = true;
  }
}

const open = (): Promise<World> => new World(() => openMemoryStore({ shardCount: 4 })).open();
const queueOf = (kind: TaskKind) => ({ namespace: NAMESPACE, name: QUEUE, kind });

/** Pulls one task for a worker that is connected elsewhere. */
async function fetch(w: World, kind: TaskKind, session = 'far'): Promise<Late> {
  const sent: Late[] = [];
  const claim: Claim = {
    taker: { identity: session, session },
    ahead: false,
    sticky: false,
    deliver: (task) => {
      const late = new Late(task);
      sent.push(late);
      return late;
    },
    durable: () => undefined,
    over: () => undefined,
    release: () => undefined,
  };
  w.engine.pull(queueOf(kind), [claim]);
  await w.time.settle();
  const [late] = sent;
  if (late === undefined) throw new Error(`no ${kind} task was sent`);
  return late;
}

/** The session registers at this node. */
async function comes(w: World, held: ReadonlySet<string> = new Set()): Promise<TestWorker> {
  const worker = w.worker({ session: 'far', queue: 'another' });
  w.engine.resume(w.matching.resuming(worker, held));
  await w.time.settle();
  return worker;
}

/** Rows that say which tasks the session has. */
async function startedRows(w: World): Promise<number> {
  await w.engine.flush();
  const from = startedPrefix('far');
  return (await w.store.range({ from: from as never, to: after(from), limit: 10 })).length;
}

/** An activity is under way to the far worker. */
async function underWay(): Promise<{ w: World; late: Late }> {
  const w = await open();
  const near = w.worker({ workflow: 1 });
  await w.start('a');
  await w.send('a', w.completion(near.take('workflow'), [command.activity('charge')]));
  return { w, late: await fetch(w, 'activity') };
}

describe('a task that is delivered over a link', () => {
  it('and refused waits again, the same attempt, and its session is owed nothing', async () => {
    const { w, late } = await underWay();
    expect(await startedRows(w)).toBe(1);
    expect(w.engine.backlog(queueOf('activity')).count).toBe(0);
    late.answer('refused');
    await w.time.settle();
    expect(w.engine.backlog(queueOf('activity')).count).toBe(1);
    expect(await startedRows(w)).toBe(0);
    const again = await fetch(w, 'activity', 'other');
    expect(again.task).toMatchObject({ kind: 'activity', started: { task: { attempt: 1 } } });
    expect(w.engine.getStats().startsUndone).toBe(1);
  });

  it('and refused after a restart of its attempt undoes nothing', async () => {
    const { w, late } = await underWay();
    // Its start-to-close timeout gives it to another.
    await w.time.advance(35_000);
    const again = await fetch(w, 'activity', 'other');
    expect(again.task).toMatchObject({ kind: 'activity', started: { task: { attempt: 2 } } });
    late.answer('refused');
    await w.time.settle();
    expect(w.engine.backlog(queueOf('activity')).count).toBe(0);
    again.answer('taken');
    expect((await w.send('a', w.result(again.task))).error).toBeUndefined();
  });

  it('and taken is done as any other', async () => {
    const { w, late } = await underWay();
    late.answer('taken');
    expect((await w.send('a', w.result(late.task))).error).toBeUndefined();
    expect(await startedRows(w)).toBe(0);
  });

  it('is not sent again to its session that registers meanwhile, but looked at again once it is answered', async () => {
    const { w, late } = await underWay();
    const worker = await comes(w);
    expect(worker.received).toEqual([]);
    late.answer('taken');
    await w.time.settle();
    // The frame was lost with the worker's old connection: it did not list the task.
    expect(worker.received).toMatchObject([{ kind: 'activity', started: { task: { attempt: 1 } } }]);
  });

  it('and refused is not sent to a session that registered meanwhile: it waits for anybody', async () => {
    const { w, late } = await underWay();
    const worker = await comes(w);
    late.answer('refused');
    await w.time.settle();
    expect(worker.received).toEqual([]);
    expect(w.engine.backlog(queueOf('activity')).count).toBe(1);
  });

  it('over one that broke is sent again to its session that registers without it; what comes of the other is not heard', async () => {
    const { w, late } = await underWay();
    late.inDoubt = true;
    const worker = await comes(w);
    expect(worker.received).toHaveLength(1);
    expect(late.forgotten).toBe(true);
    late.answer('refused');
    await w.time.settle();
    expect(w.engine.backlog(queueOf('activity')).count).toBe(0);
    expect((await w.send('a', w.result(worker.take('activity')))).error).toBeUndefined();
  });

  it('over one that broke, and that nobody can say anything of, stands until its timeouts', async () => {
    const { w, late } = await underWay();
    late.answer('unknown');
    await w.time.settle();
    expect(w.engine.backlog(queueOf('activity')).count).toBe(0);
    expect(await startedRows(w)).toBe(1);
    expect(await comes(w)).toMatchObject({ received: [{ kind: 'activity' }] });
  });

  it('is not forgotten with its actor while it is under way', async () => {
    const { w, late } = await underWay();
    w.engine.passivateAll();
    expect(w.engine.getStats().actors).toBe(1);
    late.answer('taken');
    w.engine.passivateAll();
    expect(w.engine.getStats().actors).toBe(0);
  });

  it('and is a query that was not taken is asked of another worker', async () => {
    const w = await open();
    const near = w.worker({ workflow: 1 });
    await w.start('a');
    await w.send('a', w.completion(near.take('workflow'), [command.complete()]));
    w.begin((done) =>
      w.engine.query(
        { namespace: NAMESPACE, workflowId: 'a' },
        { type: 'query', queryId: 'q', target: {}, queryType: 'state', rejectCondition: undefined },
        done,
      ),
    );
    await w.time.settle();
    expect(w.engine.waitingQueries(queueOf('workflow'))).toBe(1);
    const sent: Late[] = [];
    w.engine.pullQueries(queueOf('workflow'), () => ({
      taker: { identity: 'far', session: 'far' },
      ahead: false,
      sticky: false,
      deliver: (task) => {
        const late = new Late(task);
        sent.push(late);
        return late;
      },
      durable: () => undefined,
      over: () => undefined,
      release: () => undefined,
    }));
    await w.time.settle();
    expect(sent).toHaveLength(1);
    expect(w.engine.waitingQueries(queueOf('workflow'))).toBe(0);
    sent[0]?.answer('unknown');
    await w.time.settle();
    expect(w.engine.waitingQueries(queueOf('workflow'))).toBe(1);
  });
});
