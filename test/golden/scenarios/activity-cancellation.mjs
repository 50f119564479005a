// Cancelling an activity from its workflow: three cancellation types, activity running or not yet started.

/** The activity runs and heartbeats when it is cancelled. */
const running =
  (cancellationType, activityArgs = [{}]) =>
  async (ctx) => {
    const options = {
      cancellationType,
      startToCloseTimeout: '10s',
      heartbeatTimeout: '1s',
      retry: { maximumAttempts: 1 },
    };
    const handle = await ctx.start('cancelActivity', {
      args: [{ name: 'untilCancelled', args: activityArgs, options }],
    });
    await ctx.mailbox.take(handle.workflowId);
    await ctx.idle(handle);
    return cancelAndRecord(ctx, handle);
  };

/** Nobody polls the activity's task queue. */
const unstarted = (cancellationType) => async (ctx) => {
  const options = { cancellationType, taskQueue: ctx.id('nobody'), startToCloseTimeout: '10s' };
  const handle = await ctx.start('cancelActivity', { args: [{ name: 'echo', options }] });
  await ctx.awaitEvent(handle, 'activityTaskScheduled');
  await ctx.idle(handle);
  return cancelAndRecord(ctx, handle);
};

async function cancelAndRecord(ctx, handle) {
  await handle.signal('cancelIt');
  return { outcome: await ctx.outcome(handle.result()), runs: [ctx.run(handle)] };
}

export default {
  'activity-cancel-running-try-cancel': running('TRY_CANCEL'),
  'activity-cancel-running-wait': running('WAIT_CANCELLATION_COMPLETED'),
  'activity-cancel-running-abandon': running('ABANDON'),
  'activity-cancel-unstarted-try-cancel': unstarted('TRY_CANCEL'),
  'activity-cancel-unstarted-wait': unstarted('WAIT_CANCELLATION_COMPLETED'),
  'activity-cancel-unstarted-abandon': unstarted('ABANDON'),

  'activity-cancel-during-backoff': async (ctx) => {
    const options = {
      startToCloseTimeout: '5s',
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      retry: { initialInterval: '1 hour' },
    };
    const handle = await ctx.start('cancelActivity', { args: [{ name: 'failTimes', args: [1], options }] });
    await ctx.pendingActivity(handle, (info) => info.attempt === 2);
    return cancelAndRecord(ctx, handle);
  },

  'activity-cancel-within-one-task': (ctx) =>
    ctx.execute('cancelActivityAtOnce', { args: [{ name: 'echo', options: { startToCloseTimeout: '5s' } }] }),
};
