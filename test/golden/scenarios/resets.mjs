// Resetting an execution to an earlier workflow task, with and without its later events.

/** Runs the collector over two signals; closed unless `open`. */
async function collected(ctx, { open = false } = {}) {
  const handle = await ctx.start('collector', { memo: { m: 1 } });
  for (const item of ['a', 'b']) {
    await ctx.idle(handle);
    await handle.signal('add', item);
  }
  await ctx.awaitEvent(handle, 'workflowExecutionSignaled', 2);
  await ctx.idle(handle);
  if (!open) {
    await handle.signal('finish');
    await handle.result();
  }
  return handle;
}

async function reset(ctx, handle, { to, reapply, ...options }) {
  const completed = await ctx.awaitEvent(handle, 'workflowTaskCompleted');
  const { eventId } = to === 'first' ? completed[0] : completed.at(-1);
  const { runId } = await ctx.service.resetWorkflowExecution({
    namespace: ctx.namespace,
    workflowExecution: ctx.run(handle),
    reason: 'oracle reset',
    workflowTaskFinishEventId: eventId,
    requestId: `reset~${ctx.nonce}`,
    resetReapplyType: ctx.enumValue('ResetReapplyType', reapply),
    identity: 'oracle-client',
    ...options,
  });
  return { workflowId: handle.workflowId, runId };
}

/** Ends the new run, if it does not end by what was reapplied, and records both. */
async function record(ctx, handle, fresh, { finish }) {
  const freshHandle = ctx.client.workflow.getHandle(fresh.workflowId, fresh.runId);
  if (finish) {
    await ctx.idle(fresh);
    await freshHandle.signal('finish');
  }
  return { outcome: await ctx.outcome(freshHandle.result()), runs: [ctx.run(handle), fresh] };
}

const resetClosed =
  (to, reapply, { finish }) =>
  async (ctx) => {
    const handle = await collected(ctx);
    const fresh = await reset(ctx, handle, { to, reapply });
    return record(ctx, handle, fresh, { finish });
  };

export default {
  'reset-to-the-first-task-reapplying': resetClosed('first', 'ALL_ELIGIBLE', { finish: false }),
  'reset-to-the-first-task-without-reapplying': resetClosed('first', 'NONE', { finish: true }),
  'reset-to-the-last-task-reapplying': resetClosed('last', 'ALL_ELIGIBLE', { finish: false }),

  'reset-of-a-running-workflow': async (ctx) => {
    const handle = await collected(ctx, { open: true });
    const fresh = await reset(ctx, handle, { to: 'first', reapply: 'ALL_ELIGIBLE' });
    await ctx.closed(ctx.run(handle));
    return record(ctx, handle, fresh, { finish: true });
  },
};
