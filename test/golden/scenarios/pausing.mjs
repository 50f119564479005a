// Pausing workflows and activities, resetting activities.

const flaky = (args, options) => ({
  name: 'failTimes',
  args,
  options: { startToCloseTimeout: '5s', retry: { initialInterval: '1 hour', maximumAttempts: 5 }, ...options },
});

async function inBackoff(ctx) {
  const handle = await ctx.start('runActivity', { args: [flaky([1])] });
  await ctx.pendingActivity(handle, (info) => info.attempt === 2);
  return { handle, target: { execution: ctx.run(handle), identity: 'oracle-client', id: '1' } };
}

export default {
  'activity-paused-and-unpaused': async (ctx) => {
    const { handle, target } = await inBackoff(ctx);
    const outcome = {};
    await ctx.call('pauseActivity', { ...target, reason: 'a pause', requestId: `pause~${ctx.nonce}` });
    outcome.paused = await ctx.pendingActivity(handle, (info) => info.paused);
    await ctx.call('unpauseActivity', target);
    outcome.result = await ctx.outcome(handle.result());
    return { outcome, runs: [ctx.run(handle)] };
  },

  'activity-reset': async (ctx) => {
    const retry = { initialInterval: '1 hour', maximumAttempts: 5 };
    const options = { startToCloseTimeout: '10s', heartbeatTimeout: '9s', retry };
    const handle = await ctx.start('runActivity', { args: [{ name: 'completeLater', options }] });
    const { taskToken } = await ctx.mailbox.take(handle.workflowId);
    await ctx.client.activity.heartbeat(taskToken, 'lost by the reset');
    await ctx.client.activity.fail(taskToken, new Error('the first attempt'));
    await ctx.pendingActivity(handle, (info) => info.attempt === 2);
    await ctx.call('resetActivity', {
      execution: ctx.run(handle),
      identity: 'oracle-client',
      id: '1',
      resetHeartbeat: true,
    });
    const again = await ctx.mailbox.take(handle.workflowId);
    await ctx.client.activity.complete(again.taskToken, 'done');
    const { attempt, heartbeatDetails } = again;
    return {
      outcome: { again: { attempt, heartbeatDetails }, ...(await ctx.outcome(handle.result())) },
      runs: [ctx.run(handle)],
    };
  },

  'activity-options-updated': async (ctx) => {
    const { handle, target } = await inBackoff(ctx);
    const { activityOptions } = await ctx.call('updateActivityOptions', {
      ...target,
      activityOptions: {
        retryPolicy: { initialInterval: { nanos: 100_000_000 } },
        startToCloseTimeout: { seconds: 7 },
      },
      updateMask: { paths: ['retry_policy.initial_interval', 'start_to_close_timeout'] },
    });
    return { outcome: { activityOptions, ...(await ctx.outcome(handle.result())) }, runs: [ctx.run(handle)] };
  },

  // Off by default in a dev server: see README.md, "How it was recorded".
  'workflow-paused-and-unpaused': async (ctx) => {
    const handle = await ctx.start('collector', { args: [2] });
    await ctx.idle(handle);
    const request = (reason) => ({
      ...ctx.run(handle),
      identity: 'oracle-client',
      reason,
      requestId: `${reason}~${ctx.nonce}`,
    });
    const outcome = { pause: await ctx.outcome(() => ctx.call('pauseWorkflowExecution', request('a pause'))) };
    outcome.described = await ctx.describe(ctx.run(handle));
    await handle.signal('add', 'while paused');
    outcome.update = await ctx.outcome(() =>
      handle.executeUpdate('addUpdate', { args: ['refused'], updateId: 'the-update' }),
    );
    await ctx.sleep(500);
    outcome.unpause = await ctx.outcome(() => ctx.call('unpauseWorkflowExecution', request('go on')));
    await ctx.idle(handle);
    await handle.signal('add', 'afterwards');
    outcome.result = await ctx.outcome(handle.result());
    return { outcome, runs: [ctx.run(handle)] };
  },
};
