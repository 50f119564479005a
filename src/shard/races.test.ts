// What happens when two things meet: a query or a cancel and a turn that is not durable yet, a worker that comes back and a task that went on.
import { describe, expect, it } from 'vitest';
import { openMemoryStore } from '../store/index.ts';
import { EventType, WorkflowExecutionStatus } from '../wire/enums.ts';
import type { QueryWorkflowResponse } from '../wire/execution.ts';
import type { DescribeWorkflowExecutionResponse } from '../wire/execution-info.ts';
import { StatusCode } from '../wire/status.ts';
import { command, NAMESPACE, QUEUE, typesOf, World } from './testing.ts';

const queue = { namespace: NAMESPACE, name: QUEUE, kind: 'workflow' as const };
/** A node whose commits take their time, when told to. */
async function world() {
  const disk = { slow: Promise.resolve() };
  const w = new World(() => {
    const store = openMemoryStore({ shardCount: 4 });
    const append = store.append.bind(store);
    store.append = async (entries) => {
      await disk.slow;
      return append(entries);
    };
    return store;
  });
  await w.open();
  /** Nothing becomes durable until the returned function is called. */
  const hold = (): (() => Promise<void>) => {
    let go: () => void = () => undefined;
    disk.slow = new Promise((resolve) => {
      go = resolve;
    });
    return () => {
      go();
      return w.time.settle();
    };
  };
  return Object.assign(w, { hold });
}
const query = (w: World, workflowId: string, queryId: string) =>
  w.begin<QueryWorkflowResponse>((done) =>
    w.engine.query(
      { namespace: NAMESPACE, workflowId },
      { type: 'query', queryId, target: {}, queryType: 'state', rejectCondition: undefined },
      done,
    ),
  );

describe('a request that names a run', () => {
  it('which has just continued as new, not durably yet, finds it closed', async () => {
    const w = await world();
    const worker = w.worker({ workflow: 1 });
    const runId = await w.start('a');
    const commit = w.hold();
    w.post('a', w.completion(worker.take('workflow'), [command.continueAsNew()]));
    const cancel = w.post('a', { type: 'requestCancel', target: { runId }, identity: 'client', requestId: 'cancel' });
    await w.time.settle();
    await commit();
    expect(cancel).toMatchObject({ done: true, error: undefined });
    const described = await w.call<DescribeWorkflowExecutionResponse>((done) =>
      w.engine.describe({ namespace: NAMESPACE, workflowId: 'a' }, runId, done),
    );
    expect(described.value?.workflowExecutionInfo.status).toBe(WorkflowExecutionStatus.CONTINUED_AS_NEW);
    expect(typesOf(await w.history('a', runId)).at(-1)).toBe(EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW);
  });
});

describe('a direct query', () => {
  it('that finds its worker while a turn is not durable yet is handed over once it is', async () => {
    const w = await world();
    const worker = w.worker({ workflow: 1 });
    await w.start('a');
    await w.send('a', w.completion(worker.take('workflow'), []));
    query(w, 'a', 'q');
    await w.time.settle();
    const commit = w.hold();
    w.post('a', w.signalMessage('meanwhile'));
    w.engine.pullQueries(queue, () =>
      worker.received.length > 0 ? undefined : w.matching.claimFor(worker, 'workflow'),
    );
    await w.time.settle();
    await commit();
    expect(worker.take('query')).toMatchObject({ queryId: 'q' });
  });

  it('of a run that continued as new in the meantime is told to ask again', async () => {
    const w = await world();
    const worker = w.worker({ workflow: 1 });
    await w.start('a');
    const second = query(w, 'a', 'q2');
    await w.send('a', w.completion(worker.take('workflow'), [command.continueAsNew()]));
    w.engine.pullQueries(queue, () => w.matching.claimFor(worker, 'workflow'));
    await w.time.settle();
    expect(second).toMatchObject({ done: true, error: { code: StatusCode.UNAVAILABLE } });
    expect(w.engine.getStats().openQueries).toBe(0);
  });
});

describe('a worker that registers again', () => {
  it('is not given an attempt that was started for another one meanwhile', async () => {
    const w = await world();
    const first = w.worker({ session: 'first', workflow: 1, activity: 1 });
    await w.start('a');
    await w.send('a', w.completion(first.take('workflow'), [command.activity('act')]));
    const task = first.take('activity');
    if (task.kind !== 'activity') throw new Error('no activity');
    const other = w.worker({ session: 'other', activity: 1 });
    const failure = { message: 'again', applicationFailureInfo: { nextRetryDelay: 0 } };
    const activity = { task: task.started.ref };
    w.post('a', { type: 'failActivityTask', activity, identity: 'worker', failure });
    w.engine.resume(w.matching.resuming(first));
    await w.time.settle();
    expect(other.take('activity')).toMatchObject({ workflowId: 'a' });
    expect(first.received).toEqual([]);
  });
});

describe('a worker that registers while the disk is slow', () => {
  it('is not given a second time what was started and pushed meanwhile', async () => {
    const w = await world();
    const first = w.worker({ session: 'first', workflow: 1, activity: 1 });
    await w.start('a');
    await w.send('a', w.completion(first.take('workflow'), [command.activity('act')]));
    const task = first.take('activity');
    if (task.kind !== 'activity') throw new Error('no activity');
    const range = w.store.range.bind(w.store);
    let read: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => {
      read = resolve;
    });
    w.store.range = async (query) => {
      await slow;
      return range(query);
    };
    w.engine.resume(w.matching.resuming(first));
    first.credit.activity += 1;
    const failure = { message: 'again', applicationFailureInfo: { nextRetryDelay: 0 } };
    await w.send('a', {
      type: 'failActivityTask',
      activity: { task: task.started.ref },
      identity: 'worker',
      failure,
    });
    expect(first.take('activity')).toMatchObject({ started: { task: { attempt: 2 } } });
    read();
    await w.time.settle();
    expect(first.received).toEqual([]);
  });
});

describe('a workflow whose rows are damaged', () => {
  it('does not keep the tasks behind its own from a worker with one slot', async () => {
    const w = await world();
    await w.start('bad');
    await w.time.advance(10);
    await w.start('good');
    await w.engine.flush();
    w.engine.passivateAll();
    const readMany = w.store.readMany.bind(w.store);
    w.store.readMany = async (keys) => {
      const values = await readMany(keys);
      return values.map((value, i) => (keys[i]?.includes('bad') ? Uint8Array.of(0xc1) : value));
    };
    const worker = w.worker({ workflow: 1 });
    await w.time.settle();
    expect(worker.take('workflow').workflowId).toBe('good');
    expect(w.engine.backlog(queue).count).toBe(0);
  });
});
