// Children and external workflows as people write them: a real worker against a real node, executions warm and replayed for every task.

import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { ChildWorkflowFailure, WorkflowFailedError, type WorkflowHandle } from '../../sdk/client/index.ts';
import { EventType, WorkflowTaskFailedCause } from '../../src/wire/enums.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type ServerProcess, startServer, tenuto, until } from '../support/processes.ts';
import { inhabit, type World } from './world.ts';

const atFileEnd = undoneAtFileEnd();

const workflowsPath = fileURLToPath(new URL('./relatives.ts', import.meta.url));
let node: ServerProcess;
beforeAll(async () => {
  // Relatives are on different shards as often as not.
  node = await startServer(['start-dev', '--port', '0', '--shard-count', '4'], { atEnd: atFileEnd });
});

/** The causes of a rejection, outermost first. */
async function chainOf(promise: Promise<unknown>): Promise<string[]> {
  const chain: string[] = [];
  let cause: unknown = await promise.catch((error: unknown) => error);
  for (; cause instanceof Error; cause = cause.cause) chain.push(`${cause.name}: ${cause.message}`);
  return chain;
}

const statusOf = async (handle: WorkflowHandle): Promise<string> => (await handle.describe()).status.name;

describe.each([
  ['warm', {}],
  ['replayed for every task', { maxCachedWorkflows: 0 }],
])('executions that are %s', (how, worker) => {
  const taskQueue = `relatives ${how}`;
  let world: World;
  let ids = 0;
  beforeAll(async () => {
    world = await inhabit({ address: node.address }, atFileEnd, { worker: { workflowsPath, taskQueue, ...worker } });
  });

  const start = (type: string, args: unknown[]): Promise<WorkflowHandle> =>
    world.client.workflow.start(type, { taskQueue, workflowId: `${how} ${++ids}`, args });
  const execute = async (type: string, ...args: unknown[]): Promise<unknown> => (await start(type, args)).result();
  const childOf = (parent: WorkflowHandle): WorkflowHandle =>
    world.client.workflow.getHandle(`${parent.workflowId}/child`);

  it('know their parent and their root, over generations', async () => {
    const top = await start('lineage', [2]);
    const id = top.workflowId;
    expect(await top.result()).toEqual([
      { workflowId: id },
      { workflowId: `${id}/1`, parent: id, root: id },
      { workflowId: `${id}/1/0`, parent: `${id}/1`, root: id },
    ]);
    const youngest = await world.client.workflow.getHandle(`${id}/1/0`).describe();
    expect(youngest.parentExecution?.workflowId).toBe(`${id}/1`);
    expect(youngest.rootExecution?.workflowId).toBe(id);
    const found: string[] = [];
    for await (const { workflowId } of world.client.workflow.list({ query: `RootWorkflowId = '${id}'` })) {
      found.push(workflowId);
    }
    expect(found.sort()).toEqual([id, `${id}/1`, `${id}/1/0`]);
  });

  it('are followed through retries and continue-as-new', async () => {
    const retry = { maximumAttempts: 2, initialInterval: '10ms' };
    expect(await execute('passesOn', 'failsUntil', { retry, args: [2] })).toBe(2);
    const parent = await start('passesOn', ['counts', { args: [2] }]);
    expect(await parent.result()).toEqual({ counted: 2, parent: parent.workflowId });
  });

  it('say why a child failed, to the parent and to the caller', async () => {
    const parent = await start('passesOn', ['failsUntil', { args: [2] }]);
    expect(await chainOf(parent.result())).toEqual([
      'WorkflowFailedError: Workflow execution failed',
      'ChildWorkflowFailure: Child Workflow execution failed',
      'ApplicationFailure: not yet',
    ]);
    const failure = await parent.result().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    const { cause } = failure as WorkflowFailedError;
    expect(cause).toBeInstanceOf(ChildWorkflowFailure);
    expect(cause).toMatchObject({
      workflowType: 'failsUntil',
      namespace: 'default',
      retryState: 'RETRY_POLICY_NOT_SET',
    });
  });

  it('learn that a child timed out, was terminated, or could not start', async () => {
    expect(await execute('catches', 'waits', { workflowRunTimeout: '1s' }, [])).toEqual({
      errors: ['ChildWorkflowFailure: Child Workflow execution failed', 'TimeoutFailure: Timed out'],
    });
    const parent = await start('catches', ['waits', { workflowId: `${how} victim` }, []]);
    const victim = world.client.workflow.getHandle(`${how} victim`);
    await until(async () => ((await victim.describe().catch(() => undefined)) === undefined ? undefined : true));
    await victim.terminate('for the test');
    expect(await parent.result()).toEqual({
      errors: ['ChildWorkflowFailure: Child Workflow execution failed', 'TerminatedFailure: Terminated'],
    });
    const taken = await start('waits', []);
    expect(await execute('catches', 'waits', { workflowId: taken.workflowId }, [])).toEqual({
      errors: ['WorkflowExecutionAlreadyStartedError: Workflow execution already started'],
    });
    await taken.signal('release', 'go');
    await taken.result();
    expect(
      await execute('catches', 'one', { workflowId: taken.workflowId, workflowIdReusePolicy: 'REJECT_DUPLICATE' }, [7]),
    ).toMatchObject({ errors: [expect.stringContaining('already started')] });
    expect(await execute('catches', 'one', { workflowId: taken.workflowId }, [7])).toEqual({ result: 7 });
  });

  it('speak with a child through its handle', async () => {
    expect(await execute('converses')).toEqual(['hello', 'go']);
  });

  describe.each(['complete', 'fail', 'continue', 'terminate', 'time out'])('that %s leave their child', (ending) => {
    it.concurrent.each([
      ['TERMINATE', 'TERMINATED'],
      ['REQUEST_CANCEL', 'CANCELLED'],
      ['ABANDON', 'RUNNING'],
    ])('with %s: %s', async (policy, status) => {
      const forced = ending === 'terminate' || ending === 'time out';
      const parent = await world.client.workflow.start('leaves', {
        taskQueue,
        workflowId: `${how} ${ending} ${policy}`,
        args: [policy, forced ? 'wait' : ending],
        workflowRunTimeout: ending === 'time out' ? '1s' : undefined,
      });
      const child = childOf(parent);
      if (ending === 'terminate') {
        await until(async () =>
          (await parent.describe()).raw.pendingChildren[0]?.runId === undefined ? undefined : true,
        );
        await parent.terminate('enough');
      }
      await parent.result().catch(() => undefined);
      if (status === 'RUNNING') {
        await child.signal('release', 'go');
        expect(await child.result()).toEqual(['go']);
      } else {
        await child.result().catch(() => undefined);
        expect(await statusOf(child)).toBe(status);
      }
    });
  });

  it.each([
    ['ABANDON', 'ChildWorkflowFailure: Child Workflow execution failed', 'RUNNING'],
    ['TRY_CANCEL', 'ChildWorkflowFailure: Child Workflow execution failed', 'COMPLETED'],
    ['WAIT_CANCELLATION_REQUESTED', 'tidied', 'COMPLETED'],
    ['WAIT_CANCELLATION_COMPLETED', 'tidied', 'COMPLETED'],
  ])('that cancel a child with %s learn: %s', async (type, learnt, status) => {
    const parent = await start('regrets', [type]);
    expect(await parent.result()).toEqual(
      learnt === 'tidied' ? { result: 'tidied' } : { errors: [learnt, expect.stringMatching(/^CancelledFailure/)] },
    );
    const child = childOf(parent);
    if (status === 'COMPLETED') expect(await child.result()).toBe('tidied');
    expect(await statusOf(child)).toBe(status);
    if (status === 'RUNNING') await child.terminate();
  });

  it('reach workflows that are not theirs, and learn when there are none', async () => {
    const reach = (what: string, workflowId: string, runId?: string): Promise<unknown> =>
      execute('reaches', { what, workflowId, runId });
    const signalled = await start('waits', []);
    expect(await reach('signal', signalled.workflowId)).toEqual(['done']);
    expect(await signalled.result()).toEqual(['go']);
    const cancelled = await start('waits', []);
    expect(await reach('cancel', cancelled.workflowId, (await cancelled.describe()).runId)).toEqual(['done']);
    expect(await chainOf(cancelled.result())).toEqual([
      'WorkflowFailedError: Workflow execution cancelled',
      'CancelledFailure: Workflow canceled',
    ]);

    const unsignalled = ['ApplicationFailure: Unable to signal external workflow because it was not found'];
    const uncancelled = ['ApplicationFailure: Unable to cancel external workflow because not found'];
    expect(await reach('signal', cancelled.workflowId)).toEqual(unsignalled);
    expect(await reach('cancel', cancelled.workflowId)).toEqual(['done']);
    expect(await reach('signal', `${how} nobody`)).toEqual(unsignalled);
    expect(await reach('cancel', `${how} nobody`)).toEqual(uncancelled);
  });

  it('tell a signal and a cancellation from another workflow by their events', async () => {
    const signalled = await start('waits', []);
    const sender = await start('reaches', [{ what: 'signal', workflowId: signalled.workflowId }]);
    await signalled.result();
    const { events } = await signalled.fetchHistory();
    const signals = events.filter(({ eventType }) => eventType === EventType.WORKFLOW_EXECUTION_SIGNALED);
    expect(signals).toMatchObject([{ attributes: { externalWorkflowExecution: { workflowId: sender.workflowId } } }]);
  });

  it('start one child after the other, each reached by its id', async () => {
    expect(await execute('leads', 5)).toBe('go go go go go');
  });

  it('have a hundred children at once', async () => {
    expect(await execute('fansOut', 100)).toBe(4_950);
  });
});

describe('a workflow', () => {
  const taskQueue = 'relatives';
  let world: World;
  beforeAll(async () => {
    world = await inhabit({ address: node.address }, atFileEnd, { worker: { workflowsPath, taskQueue } });
  });

  it('with 1,000 children at once has the results of all', async () => {
    const result = await world.client.workflow.execute('fansOut', { taskQueue, workflowId: 'wide', args: [1_000] });
    expect(result).toBe(499_500);
  }, 60_000);

  it('that asks for 2,001 at once has its task failed, starts none, and can be ended', async () => {
    const handle = await world.client.workflow.start('fansOut', { taskQueue, workflowId: 'too wide', args: [2_001] });
    const failed = await until(async () => {
      for (const event of (await handle.fetchHistory()).events) {
        if (event.eventType === EventType.WORKFLOW_TASK_FAILED) return event.attributes;
      }
      return undefined;
    });
    expect(failed.cause).toBe(WorkflowTaskFailedCause.PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED);
    expect(failed.failure?.message).toMatch(/2,?000/);
    expect((await handle.describe()).raw.pendingChildren).toEqual([]);
    await handle.terminate('seen');
  });

  it('is described with the children it waits for', async () => {
    const parent = await world.client.workflow.start('leaves', {
      taskQueue,
      workflowId: 'to describe',
      args: ['REQUEST_CANCEL', 'wait'],
    });
    const describe = (workflowId: string, ...more: string[]) =>
      tenuto(['workflow', 'describe', '-w', workflowId, ...more], { env: { TENUTO_ADDRESS: node.address } });
    const text = await until(async () => {
      const { stdout } = await describe('to describe');
      return /to describe\/child +waits +[0-9a-f]{8}/.test(stdout) ? stdout : undefined;
    });
    expect(text).toMatch(/^Pending children: 1$/m);
    expect(text).toMatch(/^ ?workflowId +type +runId +parentClosePolicy/m);
    expect(text).toMatch(/to describe\/child +waits +[0-9a-f-]{36} +REQUEST_CANCEL/);
    expect(text).not.toMatch(/^(parent|root) /m);
    const child = await describe('to describe/child');
    expect(child.stdout).toContain(`(run ${parent.firstExecutionRunId})`);
    expect(child.stdout).toMatch(/^parent +to describe \(run /m);
    expect(child.stdout).toMatch(/^root +to describe \(run /m);
    expect(JSON.parse((await describe('to describe', '-o', 'json')).stdout)).toMatchObject({
      pendingChildren: [{ workflowId: 'to describe/child', type: 'waits', parentClosePolicy: 'REQUEST_CANCEL' }],
    });
    // Many children may be of one type: the history says which each event is about.
    const history = await tenuto(['workflow', 'show', '-w', 'to describe'], {
      env: { TENUTO_ADDRESS: node.address },
    });
    expect(history.stdout).toMatch(/StartChildWorkflowExecutionInitiated {2}waits {2}to describe\/child$/m);
    expect(history.stdout).toMatch(/ChildWorkflowExecutionStarted {2}waits {2}to describe\/child$/m);
    await parent.terminate();
  });
});
