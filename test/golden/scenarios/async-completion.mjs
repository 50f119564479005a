// Activities completed from outside their worker, by task token and by id.

async function begin(ctx, options) {
  const handle = await ctx.start('runActivity', {
    args: [
      { name: 'completeLater', options: { startToCloseTimeout: '10s', retry: { maximumAttempts: 1 }, ...options } },
    ],
  });
  const task = await ctx.mailbox.take(handle.workflowId);
  await ctx.idle(handle);
  return { handle, task, byId: { ...ctx.run(handle), activityId: task.activityId } };
}

const record = async (ctx, handle, extra = {}) => ({
  outcome: { ...extra, ...(await ctx.outcome(handle.result())) },
  runs: [ctx.run(handle)],
});

export default {
  'async-complete-by-token': async (ctx) => {
    const { handle, task } = await begin(ctx);
    await ctx.client.activity.complete(task.taskToken, { from: 'outside' });
    return record(ctx, handle);
  },

  'async-complete-by-id': async (ctx) => {
    const { handle, byId } = await begin(ctx);
    await ctx.client.activity.complete(byId, { from: 'outside' });
    return record(ctx, handle);
  },

  'async-fail-by-token': async (ctx) => {
    const { handle, task } = await begin(ctx);
    await ctx.client.activity.fail(
      task.taskToken,
      ctx.sdk.common.ApplicationFailure.nonRetryable('from outside', 'Outside', { d: 1 }),
    );
    return record(ctx, handle);
  },

  'async-heartbeat-then-complete': async (ctx) => {
    const { handle, task } = await begin(ctx, { heartbeatTimeout: '5s' });
    await ctx.client.activity.heartbeat(task.taskToken, { progress: 1 });
    const pending = await ctx.pendingActivity(handle, (info) => info.heartbeatDetails);
    await ctx.client.activity.complete(task.taskToken, 'done');
    return record(ctx, handle, { pending });
  },

  'async-cancel': async (ctx) => {
    const handle = await ctx.start('cancelActivity', {
      args: [
        {
          name: 'completeLater',
          options: { startToCloseTimeout: '10s', cancellationType: 'WAIT_CANCELLATION_COMPLETED' },
        },
      ],
    });
    const { taskToken } = await ctx.mailbox.take(handle.workflowId);
    await ctx.idle(handle);
    await handle.signal('cancelIt');
    await ctx.awaitEvent(handle, 'activityTaskCancelRequested');
    await ctx.idle(handle);
    const heartbeat = await ctx.outcome(() => ctx.client.activity.heartbeat(taskToken, 'still here'));
    await ctx.client.activity.reportCancellation(taskToken, { left: 'clean' });
    return record(ctx, handle, { heartbeat });
  },

  'async-complete-twice': async (ctx) => {
    const { handle, task } = await begin(ctx);
    await ctx.client.activity.complete(task.taskToken, 'first');
    await handle.result();
    const again = {};
    for (const [name, call] of Object.entries({
      complete: () => ctx.client.activity.complete(task.taskToken, 'second'),
      fail: () => ctx.client.activity.fail(task.taskToken, new Error('second')),
      heartbeat: () => ctx.client.activity.heartbeat(task.taskToken),
      unknownId: () => ctx.client.activity.complete({ ...ctx.run(handle), activityId: 'unknown' }, 'x'),
    }))
      again[name] = await ctx.outcome(call);
    return record(ctx, handle, { again });
  },

  'async-report-cancellation-unasked': async (ctx) => {
    const handle = await ctx.start('runActivity', {
      args: [{ name: 'completeLater', options: { startToCloseTimeout: '10s', retry: { maximumAttempts: 1 } } }],
    });
    const { taskToken } = await ctx.mailbox.take(handle.workflowId);
    await ctx.idle(handle);
    const refused = await ctx.outcome(() => ctx.client.activity.reportCancellation(taskToken, 'nobody asked'));
    await handle.terminate('over');
    return { outcome: { refused }, runs: [ctx.run(handle)] };
  },
};
