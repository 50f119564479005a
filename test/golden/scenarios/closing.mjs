// How executions end other than well: cancelled, terminated, failed, retried, timed out; and cron.
// Retries come after more than a second: before that the server's minimum of a second between runs decides.

export default {
  'workflow-cancelled-with-clean-up': async (ctx) => {
    const handle = await ctx.start('cleanUpOnCancel');
    await ctx.idle(handle);
    await handle.cancel();
    return { outcome: await ctx.outcome(handle.result()), runs: [ctx.run(handle)] };
  },

  'workflow-cancel-ignored': async (ctx) => {
    const handle = await ctx.start('ignoreCancel');
    await ctx.idle(handle);
    await handle.cancel();
    await ctx.awaitEvent(handle, 'workflowExecutionCancelRequested');
    await ctx.idle(handle);
    await handle.signal('proceed');
    return { outcome: await ctx.outcome(handle.result()), runs: [ctx.run(handle)] };
  },

  'workflow-cancelled-before-its-first-task': async (ctx) => {
    const taskQueue = ctx.id('queue');
    const handle = await ctx.start('blocked', { taskQueue });
    await handle.cancel();
    await ctx.worker({ taskQueue });
    return { outcome: await ctx.outcome(handle.result()), runs: [ctx.run(handle)] };
  },

  'workflow-terminated-with-reason-and-details': async (ctx) => {
    const handle = await ctx.start('blocked');
    await ctx.idle(handle);
    await ctx.service.terminateWorkflowExecution({
      namespace: ctx.namespace,
      workflowExecution: ctx.run(handle),
      reason: 'for the record',
      details: ctx.payloads('a detail', { n: 2 }),
      identity: 'oracle-client',
    });
    return { outcome: await ctx.outcome(handle.result()), runs: [ctx.run(handle)] };
  },

  'workflow-terminated-before-its-first-task': async (ctx) => {
    const handle = await ctx.start('blocked', { taskQueue: ctx.id('nobody') });
    await handle.terminate();
    return { outcome: await ctx.outcome(handle.result()), runs: [ctx.run(handle)] };
  },

  'workflow-fails-with-details': (ctx) =>
    ctx.execute('failWith', { args: [{ message: 'bad', type: 'Bad', details: ['d', { n: 1 }], category: 'BENIGN' }] }),

  'workflow-fails-with-a-chain-of-causes': (ctx) => ctx.execute('failWithCauses'),

  'workflow-non-retryable-failure-with-retry-policy': (ctx) =>
    ctx.execute('failWith', {
      args: [{ message: 'final', type: 'Final', nonRetryable: true }],
      retry: { maximumAttempts: 5 },
    }),

  'workflow-retried-until-success': (ctx) =>
    ctx.execute('failRuns', {
      args: [2],
      retry: { initialInterval: '1100ms', backoffCoefficient: 1.5 },
      memo: { kept: 1 },
    }),

  'workflow-retries-exhausted': (ctx) =>
    ctx.execute('failRuns', { args: [9], retry: { initialInterval: '1100ms', maximumAttempts: 2 } }),

  'workflow-run-timeout': (ctx) => ctx.execute('blocked', { workflowRunTimeout: '1s' }),

  'workflow-run-timeout-with-retry': (ctx) =>
    ctx.execute('blocked', { workflowRunTimeout: '1s', retry: { initialInterval: '100ms', maximumAttempts: 2 } }),

  'workflow-execution-timeout': (ctx) => ctx.execute('blocked', { workflowExecutionTimeout: '1s' }),

  'workflow-cron': async (ctx) => {
    const handle = await ctx.start('cronRun', { cronSchedule: '@every 1s', memo: { cron: 'yes' } });
    const third = await ctx.until('the third cron run', async () => (await ctx.chain(handle))[2]);
    await ctx.awaitEvent(third, 'workflowExecutionStarted');
    await ctx.closed(ctx.run(handle));
    await ctx.client.workflow.getHandle(handle.workflowId).terminate('enough');
    return { outcome: { runs: 'three or more' }, runs: (await ctx.chain(handle)).slice(0, 2) };
  },

  'workflow-retry-of-non-retryable-type': (ctx) =>
    ctx.execute('failRuns', { args: [9], retry: { initialInterval: '1200ms', nonRetryableErrorTypes: ['FlakyRun'] } }),

  'workflow-cancel-with-reason': async (ctx) => {
    const handle = await ctx.start('cleanUpOnCancel');
    await ctx.idle(handle);
    await ctx.service.requestCancelWorkflowExecution({
      namespace: ctx.namespace,
      workflowExecution: ctx.run(handle),
      reason: 'because',
      identity: 'oracle-client',
      requestId: `cancel~${ctx.nonce}`,
    });
    return { outcome: await ctx.outcome(handle.result()), runs: [ctx.run(handle)] };
  },
};
