// The shard engine over the memory store and the real core: a workflow's way through it, and what holds when the process is killed.
import { describe, expect, it } from 'vitest';
import { decodeToken, encodeToken } from '../core/workflow/index.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { EventType } from '../wire/enums.ts';
import type { DescribeWorkflowExecutionResponse } from '../wire/execution-info.ts';
import { StatusCode } from '../wire/status.ts';
import type { ListWorkflowExecutionsResponse } from '../wire/visibility.ts';
import { command, eventsOf, NAMESPACE, QUEUE, typesOf, World } from './testing.ts';

const ONE_ACTIVITY = [
  EventType.WORKFLOW_EXECUTION_STARTED,
  EventType.WORKFLOW_TASK_SCHEDULED,
  EventType.WORKFLOW_TASK_STARTED,
  EventType.WORKFLOW_TASK_COMPLETED,
  EventType.ACTIVITY_TASK_SCHEDULED,
  EventType.ACTIVITY_TASK_STARTED,
  EventType.ACTIVITY_TASK_COMPLETED,
  EventType.WORKFLOW_TASK_SCHEDULED,
  EventType.WORKFLOW_TASK_STARTED,
  EventType.WORKFLOW_TASK_COMPLETED,
  EventType.WORKFLOW_EXECUTION_COMPLETED,
];

const world = (disk = new MemoryDisk(), bounds = {}): World =>
  new World(() => openMemoryStore({ disk, shardCount: 16 }), { bounds });

const address = (workflowId: string) => ({ namespace: NAMESPACE, workflowId });

describe('a workflow of one activity', () => {
  it('is started, matched before commit, and runs to its end', async () => {
    const w = await world().open();
    w.autopilot(1);
    const runId = await w.start('a');
    await w.time.settle();
    expect(typesOf(await w.history('a'))).toEqual(ONE_ACTIVITY);
    const result = await w.call((done) => w.engine.awaitResult(address('a'), undefined, true, done));
    expect(result.value).toMatchObject({ runId, status: 2 });
    expect(w.engine.getStats()).toMatchObject({ waitingTasks: 0, pendingTurns: 0 });
    await w.engine.close();
  });

  it('starts task and activity in the commit that scheduled them', async () => {
    const w = await world().open();
    w.autopilot(1);
    await w.start('a');
    // start, first completion, activity, second completion: no commit for a start of its own.
    expect(w.engine.getStats().turns).toBe(4);
  });

  it('waits as backlog without a worker, and is taken once one comes', async () => {
    const w = await world().open();
    await w.start('a');
    expect(w.engine.backlog({ namespace: NAMESPACE, name: QUEUE, kind: 'workflow' })).toEqual({
      count: 1,
      oldest: w.time.at,
      priority: 3,
    });
    w.autopilot(1);
    await w.time.settle();
    expect(typesOf(await w.history('a'))).toEqual(ONE_ACTIVITY);
    expect(w.engine.getStats().waitingTasks).toBe(0);
  });
});

describe('eager execution', () => {
  const askFor = (activityId: string) => {
    const activity = command.activity(activityId);
    return { ...activity, attributes: { ...activity.attributes, requestEagerExecution: true } } as typeof activity;
  };

  it('gives activities to the worker that asked for them, in the commit that scheduled them and after it (I1)', async () => {
    const w = await world().open();
    const others = [1, 2, 3].map((n) => w.worker({ session: `other-${n}`, activity: 5 }));
    const own = w.worker({ session: 'own', workflow: 1, activity: 2 });
    await w.start('a');
    await w.send('a', w.completion(own.take('workflow'), [askFor('1'), askFor('2'), askFor('3')]));
    expect(own.received.map(({ kind }) => kind)).toEqual(['activity', 'activity']);
    expect(others.flatMap(({ received }) => received)).toHaveLength(1);
    expect(w.engine.getStats().turns).toBe(2);
  });

  it('gives the first task to the worker that the start names, if it has room', async () => {
    const w = await world().open();
    w.worker({ session: 'other', workflow: 5 });
    const own = w.worker({ session: 'own', workflow: 1 });
    const begun = await w.call((done) => w.engine.submit(address('a'), w.startMessage({ eagerFor: 'own' }), done));
    expect(begun.value).toMatchObject({ response: { started: true, eagerlyStarted: true } });
    expect(own.received).toHaveLength(1);
    const late = await w.call((done) => w.engine.submit(address('b'), w.startMessage({ eagerFor: 'own' }), done));
    expect(late.value).toMatchObject({ type: 'started', response: { started: true } });
    expect(late.value).not.toHaveProperty('response.eagerlyStarted');
    const accepted = async (id: string) => {
      const [event] = await w.history(id);
      return event?.eventType === EventType.WORKFLOW_EXECUTION_STARTED && event.attributes.eagerExecutionAccepted;
    };
    expect([await accepted('a'), await accepted('b')]).toEqual([true, undefined]);
  });
});

describe('nothing leaves before it is durable (I1)', () => {
  it('holds replies, pushes, rejections and reads back while the append is in flight', async () => {
    const disk = new MemoryDisk();
    const w = await world(disk).open();
    const worker = w.worker({ workflow: 1 });
    const held: (() => void)[] = [];
    disk.faults.complete = (done) => held.push(done);
    const first = w.post('a', w.startMessage());
    const second = w.post('a', w.startMessage());
    await w.time.settle();
    const described = w.begin<DescribeWorkflowExecutionResponse>((done) =>
      w.engine.describe(address('a'), undefined, done),
    );
    const listed = await w.call<ListWorkflowExecutionsResponse>((done) =>
      w.engine.list({ namespace: NAMESPACE, query: '', pageSize: 10, nextPageToken: undefined }, done),
    );
    expect([first.done, second.done, described.done, worker.received.length]).toEqual([false, false, false, 0]);
    expect(listed.value?.executions).toEqual([]);
    disk.faults = {};
    for (const done of held) done();
    await w.time.settle();
    expect(first.value?.type).toBe('started');
    expect(second.error?.code).toBe(StatusCode.ALREADY_EXISTS);
    expect(described.value?.workflowExecutionInfo.workflowId).toBe('a');
    expect(worker.received.length).toBe(1);
  });

  it('pushes a workflow task ahead to a worker that understands it, and says when it is durable', async () => {
    const disk = new MemoryDisk();
    const w = await world(disk).open();
    const worker = w.worker({ workflow: 1, ahead: true });
    const held: (() => void)[] = [];
    const started = w.post('a', w.startMessage());
    await new Promise((resolve) => setImmediate(resolve));
    disk.faults.complete = (done) => held.push(done);
    await w.time.settle();
    const task = worker.take('workflow');
    expect(task).toMatchObject({ kind: 'workflow', ahead: true });
    // Its completion is decided ahead too, and answered with the commit of both.
    const completed = w.post('a', w.completion(task, [command.complete('early')]));
    await w.time.settle();
    expect([started.done, completed.done, worker.durable.length]).toEqual([false, false, 0]);
    disk.faults = {};
    for (const done of held) done();
    await w.time.settle();
    expect([started.error, completed.error, worker.durable.length]).toEqual([undefined, undefined, 1]);
  });
});

describe('an ahead task whose entry is lost', () => {
  it('is not completed in place of its successor', async () => {
    const disk = new MemoryDisk();
    const w = await world(disk).open();
    const before = w.worker({ workflow: 1, ahead: true });
    const message = w.startMessage();
    disk.faults.complete = () => undefined;
    w.post('a', message);
    await w.time.settle();
    const lost = before.take('workflow');
    disk.faults = {};
    await w.restart();
    const after = w.worker({ workflow: 1 });
    await w.send('a', message);
    // The same run, task and attempt as far as anybody can see, but another start of it.
    const stale = await w.send('a', w.completion(lost, [command.complete('wrong')]));
    expect(stale.error?.code).toBe(StatusCode.NOT_FOUND);
    const good = await w.send('a', w.completion(after.take('workflow'), [command.complete('right')]));
    expect(good.error).toBeUndefined();
  });
});

describe('a flush under way', () => {
  it('hides nothing: what it writes is read from memory until it is durable', async () => {
    const disk = new MemoryDisk();
    const w = await world(disk).open();
    await w.start('a');
    const held: (() => void)[] = [];
    disk.faults.complete = (done) => held.push(done);
    const flushed = w.engine.flush();
    w.engine.passivateAll();
    await w.time.settle();
    expect(held.length).toBe(1);
    const described = await w.call((done) => w.engine.describe(address('a'), undefined, done));
    expect(described.error).toBeUndefined();
    expect((await w.history('a')).length).toBe(2);
    disk.faults = {};
    for (const done of held) done();
    await flushed;
    expect(w.engine.getStats().overlayRows).toBe(0);
    expect((await w.history('a')).length).toBe(2);
  });
});

describe('a worker whose connection is gone', () => {
  it('undoes the start it could not be told of: the same attempt waits again', async () => {
    const w = await world().open();
    const workflows = w.worker({ workflow: 1 });
    await w.start('a');
    const gone = w.worker({ activity: 1, session: 'session-2' });
    w.post('a', w.completion(workflows.take('workflow'), [command.activity('x')]));
    // Matched and started; the connection goes before the entry is durable.
    gone.connected = false;
    await w.time.settle();
    expect(gone.received).toEqual([]);
    expect(w.engine.getStats()).toMatchObject({ startsUndone: 1, waitingTasks: 1 });
    const next = w.worker({ activity: 1, session: 'session-3' });
    await w.time.settle();
    expect(next.take('activity')).toMatchObject({ started: { task: { attempt: 1 } } });
  });

  it('is sent again what it never received, also after a kill', async () => {
    const disk = new MemoryDisk();
    const w = await world(disk).open();
    w.worker({ workflow: 1, session: 's' });
    await w.start('a');
    await w.restart();
    const back = w.worker({ session: 's' });
    w.engine.resume(w.matching.resuming(back));
    await w.time.settle();
    const task = back.take('workflow');
    expect(eventsOf(task.kind === 'workflow' ? task.history : []).length).toBe(3);
    const done = await w.send('a', w.completion(task, [command.complete()]));
    expect(done.error).toBeUndefined();
  });

  it('is not sent again what it holds', async () => {
    const disk = new MemoryDisk();
    const w = await world(disk).open();
    const worker = w.worker({ workflow: 1, session: 's', ahead: true });
    await w.start('a');
    const held = new Set(worker.durable);
    expect(held.size).toBe(1);
    await w.restart();
    const back = w.worker({ session: 's' });
    w.engine.resume(w.matching.resuming(back, held));
    await w.time.settle();
    expect(back.received).toEqual([]);
    // And told again that it is durable: the notice may have been lost with the connection (I1).
    expect(back.durable).toEqual([...held]);
    expect(back.over).toEqual([]);
  });

  it('hears that a task it holds is over when its entry was lost with the node', async () => {
    const disk = new MemoryDisk();
    const w = await world(disk).open();
    w.worker({ workflow: 1, session: 's', ahead: true });
    await w.start('kept');
    disk.faults.complete = () => undefined;
    const worker = w.worker({ workflow: 1, session: 's', ahead: true });
    w.post('lost', w.startMessage());
    await w.time.settle();
    const task = worker.take('workflow');
    if (task.kind !== 'workflow') throw new Error('no workflow task');
    const token = encodeToken({ kind: 'workflow', ...address('lost'), ...task.started.ref });
    disk.faults = {};
    await w.restart();
    const back = w.worker({ session: 's', ahead: true });
    w.engine.resume(w.matching.resuming(back, new Set([Buffer.from(token).toString('latin1')])));
    await w.time.settle();
    expect(back.over.map((text) => decodeToken(Buffer.from(text, 'latin1'))?.workflowId)).toEqual(['lost']);
    expect(back.durable).toEqual([]);
    expect(back.received).toMatchObject([{ workflowId: 'kept' }]);
  });
});

describe('killed at any append', () => {
  it('what was acknowledged is there, exactly once, and every workflow ends', async () => {
    const total = await appendsOf(undefined);
    for (let kill = 1; kill <= total; kill += 1) await appendsOf(kill);
  }, 60_000);
});

/** Runs three workflows of two activities with a signal each, killed when write number `kill` begins; returns the writes it took. */
async function appendsOf(kill: number | undefined): Promise<number> {
  const disk = new MemoryDisk();
  const w = await world(disk).open();
  const base = disk.writes;
  let dead = false;
  disk.faults.complete = (done) => {
    if (kill !== undefined && disk.writes - base >= kill) dead = true;
    if (!dead) done();
  };
  w.autopilot(2);
  const acknowledged = new Set<string>();
  const signals = new Map<string, string>();
  const starts = ['a', 'b', 'c'].map((id) => ({ id, message: w.startMessage() }));
  const sent = starts.flatMap(({ id, message }) => {
    const signal = w.signalMessage(`hello-${id}`);
    signals.set(id, `hello-${id}`);
    return [
      { id, what: 'start', message, answer: w.post(id, message) },
      { id, what: 'signal', message: signal, answer: w.post(id, signal) },
    ];
  });
  await w.time.advance(1_000);
  const writes = disk.writes - base;
  for (const { id, what, answer } of sent)
    if (answer.done && answer.error === undefined) acknowledged.add(`${what} ${id}`);
  if (kill === undefined) {
    expect(acknowledged.size).toBe(6);
    return writes;
  }
  disk.faults = {};
  await w.restart();
  w.autopilot(2);
  // Callers repeat what was not answered, under the same request id.
  for (const { id, message } of sent) w.post(id, message);
  await w.time.advance(120_000);
  for (const { id, message } of starts) {
    const events = await w.history(id, message.runId);
    const types = typesOf(events);
    expect(events.map(({ eventId }) => eventId)).toEqual(events.map((_, i) => i + 1));
    expect(types.at(-1), `kill ${kill}: ${id} has not ended`).toBe(EventType.WORKFLOW_EXECUTION_COMPLETED);
    expect(types.filter((type) => type === EventType.ACTIVITY_TASK_COMPLETED).length).toBe(2);
    expect(types.filter((type) => type === EventType.WORKFLOW_EXECUTION_SIGNALED).length).toBe(1);
  }
  await w.engine.close();
  return writes;
}
