// Updates: accepted, rejected, failed, repeated, before the first task, with start.

async function startIdle(ctx, options) {
  const handle = await ctx.start('collector', options);
  await ctx.idle(handle);
  return handle;
}

async function finish(ctx, handle, outcome) {
  await ctx.idle(handle);
  await handle.signal('finish');
  const workflow = await ctx.outcome(handle.result());
  return { outcome: { ...outcome, workflow }, runs: [await ctx.currentRun(handle.workflowId)] };
}

const updateOnce = (name, args) => async (ctx) => {
  const handle = await startIdle(ctx);
  return finish(ctx, handle, {
    update: await ctx.outcome(handle.executeUpdate(name, { args, updateId: 'the-update' })),
  });
};

export default {
  'update-completed': updateOnce('addUpdate', ['a']),
  'update-rejected-by-its-validator': updateOnce('addUpdate', [-1]),
  'update-whose-handler-fails': updateOnce('failUpdate', ['it fails']),
  'update-without-a-handler': updateOnce('nobodyKnowsMe', []),
  'update-that-runs-an-activity': updateOnce('slowUpdate', [300, 'slow']),

  'update-started-then-polled': async (ctx) => {
    const handle = await startIdle(ctx);
    const update = await handle.startUpdate('slowUpdate', {
      args: [300, 'polled'],
      updateId: 'the-update',
      waitForStage: 'ACCEPTED',
    });
    const outcome = { started: await ctx.outcome(update.result()) };
    outcome.polledLater = await ctx.outcome(handle.getUpdateHandle('the-update').result());
    return finish(ctx, handle, outcome);
  },

  'update-repeated-with-the-same-id': async (ctx) => {
    const handle = await startIdle(ctx);
    const update = () => ctx.outcome(handle.executeUpdate('addUpdate', { args: ['once'], updateId: 'the-update' }));
    return finish(ctx, handle, { first: await update(), second: await update() });
  },

  'update-before-the-first-task': async (ctx) => {
    const taskQueue = ctx.id('queue');
    const handle = await ctx.start('collector', { taskQueue });
    const update = ctx.outcome(handle.executeUpdate('addUpdate', { args: ['early'], updateId: 'the-update' }));
    await ctx.sleep(500);
    await ctx.worker({ taskQueue });
    return finish(ctx, handle, { update: await update });
  },

  'update-with-start-of-a-new-workflow': async (ctx) => {
    const { WithStartWorkflowOperation } = ctx.sdk.client;
    const start = new WithStartWorkflowOperation('collector', {
      workflowId: ctx.id(),
      taskQueue: ctx.taskQueue,
      workflowIdConflictPolicy: 'FAIL',
    });
    const update = await ctx.outcome(
      ctx.client.workflow.executeUpdateWithStart('addUpdate', {
        args: ['with start'],
        updateId: 'the-update',
        startWorkflowOperation: start,
      }),
    );
    const handle = await start.workflowHandle();
    return finish(ctx, handle, { update });
  },

  'update-with-start-of-a-running-workflow': async (ctx) => {
    const handle = await startIdle(ctx);
    const withStart = (workflowIdConflictPolicy, updateId) => {
      const startWorkflowOperation = new ctx.sdk.client.WithStartWorkflowOperation('collector', {
        workflowId: handle.workflowId,
        taskQueue: ctx.taskQueue,
        workflowIdConflictPolicy,
      });
      startWorkflowOperation.workflowHandle().catch(() => {});
      return ctx.outcome(
        ctx.client.workflow.executeUpdateWithStart('addUpdate', { args: [updateId], updateId, startWorkflowOperation }),
      );
    };
    const outcome = { useExisting: await withStart('USE_EXISTING', 'joined') };
    await ctx.idle(handle);
    outcome.fail = await withStart('FAIL', 'refused');
    return finish(ctx, handle, outcome);
  },

  'update-rejected-then-accepted': async (ctx) => {
    const handle = await startIdle(ctx, { args: [1] });
    const update = (item, updateId) => ctx.outcome(handle.executeUpdate('addUpdate', { args: [item], updateId }));
    const outcome = { rejected: await update(-1, 'bad'), accepted: await update(1, 'good') };
    return { outcome: { ...outcome, workflow: await ctx.outcome(handle.result()) }, runs: [ctx.run(handle)] };
  },
};
