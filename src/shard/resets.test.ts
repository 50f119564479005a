// Resets on a shard: the history is read, also of runs that are not in memory and while the workflow goes on; a crash loses neither run.
import { describe, expect, it } from 'vitest';
import type { Message } from '../core/workflow/message.ts';
import { openMemoryStore } from '../store/index.ts';
import { MemoryDisk } from '../store/memory/backend.ts';
import { EventType as E, WorkflowExecutionStatus } from '../wire/enums.ts';
import type { DescribeWorkflowExecutionResponse } from '../wire/execution-info.ts';
import { StatusCode } from '../wire/status.ts';
import type { ListWorkflowExecutionsResponse } from '../wire/visibility.ts';
import { command, NAMESPACE, typesOf, World } from './testing.ts';

const TO = { namespace: NAMESPACE, workflowId: 'a' };

let resets = 0;
function resetMessage(w: World, workflowTaskFinishEventId: number, over: object = {}): Message {
  resets += 1;
  return {
    type: 'reset',
    target: {},
    runId: w.random.uuid(),
    requestId: `reset-${resets}`,
    reason: 'again',
    identity: 'client',
    workflowTaskFinishEventId,
    exclude: [],
    ...over,
  };
}

const open = (disk: MemoryDisk): Promise<World> => new World(() => openMemoryStore({ disk, shardCount: 4 })).open();

async function reset(w: World, finish: number, over: object = {}): Promise<string> {
  const { error, value } = await w.send('a', resetMessage(w, finish, over));
  if (value?.type !== 'reset') throw new Error(error?.message ?? 'no answer');
  return value.runId;
}

const listed = async (w: World, query: string): Promise<string[]> => {
  const request = { namespace: NAMESPACE, query, pageSize: 10, nextPageToken: undefined };
  const { value } = await w.call<ListWorkflowExecutionsResponse>((done) => w.engine.list(request, done));
  return (value?.executions ?? []).map(({ runId }) => runId);
};

describe('a reset', () => {
  it('of a workflow that was not in memory reads its history, and a worker does it again', async () => {
    const w = await open(new MemoryDisk());
    const worker = w.autopilot(3);
    const old = await w.start('a');
    await w.time.settle();
    await w.engine.flush();
    w.engine.passivateAll();
    worker.credit.workflow = 0;
    const runId = await reset(w, 4);
    expect(typesOf(await w.history('a', runId)).slice(0, 5)).toEqual([
      E.WORKFLOW_EXECUTION_STARTED,
      E.WORKFLOW_TASK_SCHEDULED,
      E.WORKFLOW_TASK_STARTED,
      E.WORKFLOW_TASK_FAILED,
      E.WORKFLOW_TASK_SCHEDULED,
    ]);
    expect(typesOf(await w.history('a', old)).at(-1)).toBe(E.WORKFLOW_EXECUTION_COMPLETED);
    worker.credit.workflow = 100;
    w.matching.grant(worker, 'workflow', 0);
    await w.time.settle();
    expect(typesOf(await w.history('a', runId)).at(-1)).toBe(E.WORKFLOW_EXECUTION_COMPLETED);
  });

  it('is in lists at once: the old run as terminated, the new one as running', async () => {
    const w = await open(new MemoryDisk());
    const worker = w.worker({ workflow: 1 });
    const old = await w.start('a');
    await w.send('a', w.completion(worker.take('workflow'), []));
    const runId = await reset(w, 4);
    expect(await listed(w, "ExecutionStatus = 'Terminated'")).toEqual([old]);
    expect(await listed(w, "ExecutionStatus = 'Running'")).toEqual([runId]);
  });

  it('takes along what arrives while the history is read', async () => {
    const w = await open(new MemoryDisk());
    const worker = w.worker({ workflow: 1 });
    await w.start('a');
    await w.send('a', w.completion(worker.take('workflow'), []));
    const asked = w.post('a', resetMessage(w, 4));
    const signals = ['x', 'y'].map((name) => w.post('a', w.signalMessage(name)));
    await w.time.settle();
    expect(signals.map(({ error }) => error)).toEqual([undefined, undefined]);
    const runId = asked.value?.type === 'reset' ? asked.value.runId : '';
    const names = (await w.history('a', runId)).flatMap((event) =>
      event.eventType === E.WORKFLOW_EXECUTION_SIGNALED ? [event.attributes.signalName] : [],
    );
    expect(names).toEqual(['x', 'y']);
  });

  it('reaches an earlier run of the chain', async () => {
    const w = await open(new MemoryDisk());
    const worker = w.worker({ workflow: 1 });
    const first = await w.start('a');
    await w.send('a', w.completion(worker.take('workflow'), [command.continueAsNew()]));
    await w.send('a', w.signalMessage('late'));
    const runId = await reset(w, 4, { target: { runId: first } });
    expect(typesOf(await w.history('a', runId)).slice(3)).toEqual([
      E.WORKFLOW_TASK_FAILED,
      E.WORKFLOW_EXECUTION_SIGNALED,
      E.WORKFLOW_TASK_SCHEDULED,
    ]);
    const described = await w.call<DescribeWorkflowExecutionResponse>((done) => w.engine.describe(TO, runId, done));
    expect(described.value?.workflowExecutionInfo).toMatchObject({ firstRunId: first, status: 1 });
  });

  it('of a long history is split into rows of a bounded size', async () => {
    const w = await open(new MemoryDisk());
    const worker = w.worker({ workflow: 1 });
    await w.start('a');
    const markers = Array.from({ length: 600 }, (_, i) => command.marker(`m${i}`));
    await w.send('a', w.completion(worker.take('workflow'), markers));
    await w.send('a', w.signalMessage('go on'));
    worker.credit.workflow = 1;
    w.matching.grant(worker, 'workflow', 0);
    await w.time.settle();
    await w.send('a', w.completion(worker.take('workflow'), []));
    const runId = await reset(w, 608);
    expect(await w.history('a', runId)).toHaveLength(609);
  });

  it('is refused where there is nothing to reset', async () => {
    const w = await open(new MemoryDisk());
    const unknown = await w.send('a', resetMessage(w, 4));
    expect(unknown.error).toMatchObject({ code: StatusCode.NOT_FOUND });
    await w.start('a');
    const noRun = await w.send('a', resetMessage(w, 4, { target: { runId: w.random.uuid() } }));
    expect(noRun.error).toMatchObject({ code: StatusCode.NOT_FOUND });
    const noTask = await w.send('a', resetMessage(w, 3));
    expect(noTask.error).toMatchObject({ code: StatusCode.INVALID_ARGUMENT });
  });

  it('killed at any write either happened or did not, and asked for again happens once', async () => {
    for (let writes = 0; writes < 3; writes += 1) {
      const disk = new MemoryDisk();
      const w = await open(disk);
      const worker = w.worker({ workflow: 1 });
      const old = await w.start('a');
      await w.send('a', w.completion(worker.take('workflow'), [command.activity('x')]));
      let left = writes;
      disk.faults.complete = (done) => {
        left -= 1;
        if (left >= 0) done();
      };
      const message = resetMessage(w, 4);
      w.post('a', message);
      await w.time.advance(20);
      disk.faults = {};
      await w.restart();
      const { value } = await w.send('a', message);
      const runId = value?.type === 'reset' ? value.runId : '';
      const described = await w.call<DescribeWorkflowExecutionResponse>((done) =>
        w.engine.describe(TO, undefined, done),
      );
      expect(described.value?.workflowExecutionInfo).toMatchObject({ runId, status: WorkflowExecutionStatus.RUNNING });
      expect(
        typesOf(await w.history('a', old)).filter((type) => type === E.WORKFLOW_EXECUTION_TERMINATED),
      ).toHaveLength(1);
      expect(typesOf(await w.history('a', runId)).slice(3)).toEqual([
        E.WORKFLOW_TASK_FAILED,
        E.WORKFLOW_TASK_SCHEDULED,
      ]);
    }
  });
});
