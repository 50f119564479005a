// The client against a real server in this process, as far as it goes without a worker.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventType } from '../../src/wire/enums.ts';
import { historyFromJSON, historyToJSON } from '../common/index.ts';
import { TestWorkflowEnvironment } from './index.ts';

describe('a local environment', () => {
  let env: TestWorkflowEnvironment;
  beforeAll(async () => {
    env = await TestWorkflowEnvironment.createLocal({ server: { shardCount: 4, logLevel: 'error' } });
  });
  afterAll(() => env.teardown());

  const target = (workflowId: string) => ({ workflowId, taskQueue: 'nobody' });

  it('starts, describes, signals and terminates a workflow, and pushes its end', async () => {
    const handle = await env.client.workflow.start('order', {
      ...target('order-1'),
      args: [{ item: 'tea' }],
      memo: { note: 'n' },
    });
    const result = handle.result().catch((err: unknown) => err);
    await handle.signal('approve', 'alice');
    const description = await handle.describe();
    expect(description).toMatchObject({
      type: 'order',
      workflowId: 'order-1',
      runId: handle.firstExecutionRunId,
      status: { name: 'RUNNING' },
      memo: { note: 'n' },
    });
    await handle.terminate('enough');
    expect(await result).toMatchObject({ name: 'WorkflowFailedError', message: 'enough' });
    const history = await handle.fetchHistory();
    expect(history.events.map((event) => event.eventType)).toEqual([
      EventType.WORKFLOW_EXECUTION_STARTED,
      EventType.WORKFLOW_TASK_SCHEDULED,
      EventType.WORKFLOW_EXECUTION_SIGNALED,
      EventType.WORKFLOW_EXECUTION_TERMINATED,
    ]);
    expect(historyFromJSON(JSON.stringify(historyToJSON(history))).events).toHaveLength(4);
    await expect(handle.terminate()).rejects.toMatchObject({ name: 'WorkflowNotFoundError' });
  });

  it('refuses a second start, unless told what to do with it', async () => {
    const first = await env.client.workflow.start('order', target('order-2'));
    await expect(env.client.workflow.start('order', target('order-2'))).rejects.toMatchObject({
      name: 'WorkflowExecutionAlreadyStartedError',
    });
    const same = await env.client.workflow.start('order', {
      ...target('order-2'),
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    expect(same.firstExecutionRunId).toBe(first.firstExecutionRunId);
    const repeated = { ...target('order-3'), requestId: 'request-1' };
    const one = await env.client.workflow.start('order', repeated);
    expect((await env.client.workflow.start('order', repeated)).firstExecutionRunId).toBe(one.firstExecutionRunId);
  });

  it('lists and counts what was acknowledged', async () => {
    const ids = Array.from({ length: 7 }, (_, i) => `listed-${i}`);
    await Promise.all(ids.map((id) => env.client.workflow.start('listed', target(id))));
    const seen: string[] = [];
    for await (const info of env.client.workflow.list({ query: "WorkflowType = 'listed'", pageSize: 3 })) {
      seen.push(info.workflowId);
    }
    expect(seen.sort()).toEqual(ids);
    expect(await env.client.workflow.count("WorkflowType = 'listed'")).toMatchObject({ count: 7 });
    await expect(env.client.workflow.count('WorkflowType = ')).rejects.toMatchObject({ name: 'ServiceError' });
  });

  it('reports what does not exist', async () => {
    await expect(env.client.workflow.getHandle('nowhere').describe()).rejects.toMatchObject({
      name: 'WorkflowNotFoundError',
      workflowId: 'nowhere',
    });
    await expect(env.client.activity.complete({ workflowId: 'order-2', activityId: 'none' }, 1)).rejects.toMatchObject({
      name: 'ActivityNotFoundError',
    });
  });
});
