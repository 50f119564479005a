// What the reference server answers to the calls of its command line tool, each of which was once answered otherwise here. The tool itself runs in
// `npm run compat -- --tools`.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TASK_QUEUE, World } from './world.ts';

const namespace = 'default';
const identity = 'me';
let world: World;

beforeAll(async () => {
  world = await World.open();
}, 60_000);
afterAll(() => world.close());

describe('the command line tool', () => {
  it('restores the options of an activity, with options and a mask that say nothing', async () => {
    const handle = await world.client.workflow.start('obedient', {
      ...{ taskQueue: TASK_QUEUE, workflowId: 'restores', args: ['restores'] },
    });
    await expect.poll(async () => (await handle.describe()).raw.pendingActivities?.length).toBe(1);
    const { workflowService } = world.client;
    const execution = { workflowId: 'restores' };
    const [activity] = (await handle.describe()).raw.pendingActivities ?? [];
    const id = activity?.activityId ?? '';
    const target = { namespace, identity, execution, id };
    const changed = await workflowService.updateActivityOptions({
      ...target,
      activityOptions: { startToCloseTimeout: { seconds: 33 as never } },
      updateMask: { paths: ['start_to_close_timeout'] },
    });
    expect(Number(changed.activityOptions?.startToCloseTimeout?.seconds)).toBe(33);
    const nothing = { activityOptions: { taskQueue: { name: '' }, retryPolicy: {} }, updateMask: { paths: [] } };
    const restored = await workflowService.updateActivityOptions({ ...target, ...nothing, restoreOriginal: true });
    expect(Number(restored.activityOptions?.startToCloseTimeout?.seconds)).not.toBe(33);
    const both = { ...target, updateMask: { paths: ['start_to_close_timeout'] }, restoreOriginal: true };
    await expect(workflowService.updateActivityOptions(both)).rejects.toMatchObject({ code: 3 });
    await handle.terminate();
  }, 30_000);

  it('is told the query of a batch job', async () => {
    const { workflowService } = world.client;
    const query = "WorkflowId = 'nobody'";
    const job = { namespace, identity, jobId: 'told', reason: 'none', visibilityQuery: query };
    await workflowService.startBatchOperation({ ...job, cancellationOperation: { identity } });
    const told = await workflowService.describeBatchOperation({ namespace, jobId: 'told' });
    expect(told).toMatchObject({ query, reason: 'none' });
  });

  it('sees how a workflow goes on that is told to follow its version, before it has one', async () => {
    const handle = await world.client.workflow.start('counter', { taskQueue: TASK_QUEUE, workflowId: 'follows' });
    await handle.query('sum');
    await world.client.workflowService.updateWorkflowExecutionOptions({
      ...{ namespace, identity, workflowExecution: { workflowId: 'follows' } },
      workflowExecutionOptions: { versioningOverride: { autoUpgrade: true } },
      updateMask: { paths: ['versioning_override'] },
    });
    const { searchAttributes } = await handle.describe();
    expect(searchAttributes.TemporalWorkflowVersioningBehavior).toEqual(['AutoUpgrade']);
    expect(searchAttributes.BuildIds?.[0]).toBe('unversioned');
    const query = "TemporalWorkflowVersioningBehavior = 'AutoUpgrade'";
    const { count } = await world.client.workflow.count(query);
    expect(count).toBe(1);
    await handle.terminate();
  });

  it('is refused in the same words by methods whose requests have nothing in common', async () => {
    const { workflowService } = world.client;
    const of = { namespace, taskQueue: TASK_QUEUE };
    await expect(workflowService.getWorkerBuildIdCompatibility({ ...of, maxSets: 3 })).rejects.toMatchObject({
      code: 7,
    });
    await expect(
      workflowService.updateWorkerBuildIdCompatibility({ ...of, addNewBuildIdInNewDefaultSet: '1' }),
    ).rejects.toMatchObject({ code: 7 });
  });

  it('lists activities that run before those that have closed, whichever began last', async () => {
    const { workflowService } = world.client;
    const start = (activityId: string, taskQueue: string) =>
      workflowService.startActivityExecution({
        ...{ namespace, identity, activityId, requestId: activityId, activityType: { name: 'greet' } },
        ...{ taskQueue: { name: taskQueue }, startToCloseTimeout: { seconds: 5 as never } },
      });
    await start('runs', 'nobody-polls');
    await start('ends', TASK_QUEUE);
    await workflowService.pollActivityExecution({ namespace, activityId: 'ends' });
    await expect
      .poll(async () => {
        const { executions } = await workflowService.listActivityExecutions({ namespace, pageSize: 10 });
        return executions?.map(({ activityId, status }) => [activityId, status]);
      })
      .toEqual([
        ['runs', 1],
        ['ends', 2],
      ]);
  });
});
