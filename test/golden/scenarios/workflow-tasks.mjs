// Workflow tasks that go wrong, seen from a worker of the SDK and from a hand-written one on the raw API.

const NORMAL = 1; // TaskQueueKind

export default {
  'workflow-task-fails-and-recovers': (ctx) => ctx.execute('breakFirstTask'),

  'workflow-task-fails-later-and-recovers': async (ctx) => {
    const handle = await ctx.start('breakLaterTask');
    await ctx.idle(handle);
    await handle.signal('proceed');
    return { outcome: await ctx.outcome(handle.result()), runs: [ctx.run(handle)] };
  },

  'workflow-task-nondeterminism': async (ctx) => {
    const { taskQueue } = await ctx.worker({ maxCachedWorkflows: 0 });
    const handle = await ctx.start('changeOnReplay', { taskQueue });
    await ctx.awaitEvent(handle, 'workflowTaskFailed');
    await handle.terminate('it will not get better');
    return { outcome: await ctx.outcome(handle.result()), runs: [ctx.run(handle)] };
  },

  'workflow-task-times-out': async (ctx) => {
    const taskQueue = ctx.id('queue');
    const handle = await ctx.start('hello', { taskQueue, args: ['at last'], workflowTaskTimeout: '1s' });
    await poll(ctx, taskQueue);
    await ctx.awaitEvent(handle, 'workflowTaskTimedOut');
    await ctx.worker({ taskQueue });
    return { outcome: await ctx.outcome(handle.result()), runs: [ctx.run(handle)] };
  },

  'events-buffered-while-a-task-runs': async (ctx) => {
    const taskQueue = ctx.id('queue');
    const handle = await ctx.start('blocked', { taskQueue });
    const task = await poll(ctx, taskQueue);
    for (const item of [1, 2]) await handle.signal('other', item);
    await handle.cancel();
    const seenMeanwhile = (await ctx.events(ctx.run(handle))).length;
    await ctx.service.respondWorkflowTaskCompleted({
      namespace: ctx.namespace,
      taskToken: task.taskToken,
      identity: 'oracle-worker',
    });
    await ctx.awaitEvent(handle, 'workflowExecutionSignaled', 2);
    const late = await ctx.outcome(async () => {
      await ctx.service.respondWorkflowTaskCompleted({
        namespace: ctx.namespace,
        taskToken: task.taskToken,
        identity: 'oracle-worker',
      });
    });
    return { outcome: { seenMeanwhile, late }, runs: [ctx.run(handle)] };
  },

  'workflow-task-failed-by-the-worker': async (ctx) => {
    const taskQueue = ctx.id('queue');
    const handle = await ctx.start('hello', { taskQueue, args: ['again'] });
    const { taskToken } = await poll(ctx, taskQueue);
    await ctx.service.respondWorkflowTaskFailed({
      namespace: ctx.namespace,
      taskToken,
      cause: ctx.enumValue('WorkflowTaskFailedCause', 'WORKFLOW_WORKER_UNHANDLED_FAILURE'),
      failure: { message: 'by hand', source: 'Oracle', applicationFailureInfo: { type: 'ByHand' } },
      identity: 'oracle-worker',
    });
    await ctx.awaitEvent(handle, 'workflowTaskFailed');
    await ctx.worker({ taskQueue });
    return { outcome: await ctx.outcome(handle.result()), runs: [ctx.run(handle)] };
  },

  'polled-task-as-it-is': async (ctx) => {
    const taskQueue = ctx.id('queue');
    const handle = await ctx.start('hello', { taskQueue, args: ['x'] });
    await handle.signal('add', 1);
    return { outcome: ctx.plain('PollWorkflowTaskQueueResponse', await poll(ctx, taskQueue)), runs: [ctx.run(handle)] };
  },

  'polled-activity-task-as-it-is': async (ctx) => {
    const taskQueue = ctx.id('queue');
    const retry = { initialInterval: '2s', maximumAttempts: 3 };
    const options = {
      taskQueue,
      startToCloseTimeout: '20s',
      scheduleToCloseTimeout: '1 minute',
      heartbeatTimeout: '5s',
      retry,
    };
    const handle = await ctx.start('runActivity', { args: [{ name: 'byHand', args: ['x', { y: 1 }], options }] });
    const task = await ctx.client.withDeadline(Date.now() + 20_000, () =>
      ctx.service.pollActivityTaskQueue({
        namespace: ctx.namespace,
        taskQueue: { name: taskQueue, kind: ctx.enumValue('TaskQueueKind', 'NORMAL') },
        identity: 'oracle-worker',
      }),
    );
    const call = (method, request) =>
      ctx.outcome(() => ctx.call(method, { taskToken: task.taskToken, identity: 'oracle-worker', ...request }));
    const outcome = { task: ctx.plain('PollActivityTaskQueueResponse', task) };
    outcome.heartbeat = await call('recordActivityTaskHeartbeat', { details: ctx.payloads('half way') });
    outcome.completed = await call('respondActivityTaskCompleted', { result: ctx.payloads('by hand') });
    outcome.again = await call('respondActivityTaskCompleted', { result: ctx.payloads('twice') });
    return { outcome: { ...outcome, ...(await ctx.outcome(handle.result())) }, runs: [ctx.run(handle)] };
  },
};

/** One workflow task, taken by hand. */
function poll(ctx, name) {
  const request = { namespace: ctx.namespace, taskQueue: { name, kind: NORMAL }, identity: 'oracle-worker' };
  return ctx.client.withDeadline(Date.now() + 20_000, () => ctx.service.pollWorkflowTaskQueue(request));
}
