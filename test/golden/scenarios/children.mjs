// Child workflows: how they end, how they are cancelled, what happens to them when the parent closes.

const child = (ctx, type, args, options) => ({ type, args, options: { workflowId: ctx.id('child'), ...options } });

/** The parent's run and those of its child. */
async function family(ctx, parent, childId = ctx.id('child')) {
  const [started] = await ctx.awaitEvent(parent, 'childWorkflowExecutionStarted');
  const { runId } = started.attributes.workflowExecution;
  return [...(await ctx.chain(parent)), ...(await ctx.chain({ workflowId: childId }, runId))];
}

const awaited = (type, args, options) => async (ctx) => {
  const handle = await ctx.start('parent', { args: [child(ctx, type, args, options)] });
  const outcome = await ctx.outcome(handle.result());
  return { outcome, runs: await family(ctx, handle) };
};

/** A parent that is waiting for its blocked child, both idle. */
async function waitingPair(ctx, type, options) {
  const handle = await ctx.start(type, { args: [child(ctx, 'blocked', [400], options)] });
  await ctx.awaitEvent(handle, 'childWorkflowExecutionStarted');
  const childHandle = ctx.client.workflow.getHandle(ctx.id('child'));
  await Promise.all([ctx.idle(handle), ctx.idle(childHandle)]);
  return { handle, childHandle };
}

const cancelled = (cancellationType) => async (ctx) => {
  const { handle } = await waitingPair(ctx, 'cancellingParent', { cancellationType });
  await handle.signal('go');
  const outcome = await ctx.outcome(handle.result());
  const runs = await family(ctx, handle);
  await ctx.closed(runs.at(-1));
  return { outcome, runs };
};

const left = (parentClosePolicy) => async (ctx) => {
  const { handle, childHandle } = await waitingPair(ctx, 'leavingParent', { parentClosePolicy });
  await handle.signal('go');
  const outcome = { parent: await ctx.outcome(handle.result()) };
  if (parentClosePolicy === 'ABANDON') await childHandle.signal('release', 'on its own');
  outcome.child = await ctx.outcome(childHandle.result());
  return { outcome, runs: await family(ctx, handle) };
};

export default {
  'child-completes': awaited('endAfter', [400], {
    memo: { of: 'child' },
    searchAttributes: { OracleInt: [7] },
    staticSummary: 'a child',
  }),
  'child-fails': awaited('endAfter', [400, 'fail']),
  'child-retried-until-success': awaited('failRuns', [1, 300], { retry: { initialInterval: '1100ms' } }),
  'child-retries-exhausted': awaited('failRuns', [9, 300], {
    retry: { initialInterval: '1100ms', maximumAttempts: 2 },
  }),

  'child-cancelled-and-waited-for': cancelled('WAIT_CANCELLATION_COMPLETED'),
  'child-cancelled-wait-requested': cancelled('WAIT_CANCELLATION_REQUESTED'),

  'child-terminated': async (ctx) => {
    const { handle, childHandle } = await waitingPair(ctx, 'parent');
    await childHandle.terminate('by the driver');
    return { outcome: await ctx.outcome(handle.result()), runs: await family(ctx, handle) };
  },

  'child-id-already-running': async (ctx) => {
    const other = await ctx.start('blocked', { label: 'child' });
    await ctx.idle(other);
    const parent = await ctx.execute('parent', { args: [child(ctx, 'hello', ['x'])] });
    await other.signal('release', 1);
    await other.result();
    return { outcome: parent.outcome, runs: [...parent.runs, ctx.run(other)] };
  },

  'parent-closes-child-terminated': left('TERMINATE'),
  'parent-closes-child-cancelled': left('REQUEST_CANCEL'),
  'parent-closes-child-abandoned': left('ABANDON'),

  'child-signalled-by-its-parent': async (ctx) => {
    const args = [{ ...child(ctx, 'blocked', [400]), signal: 'release', signalArgs: ['from the parent'] }];
    const handle = await ctx.start('signallingParent', { args });
    return { outcome: await ctx.outcome(handle.result()), runs: await family(ctx, handle) };
  },

  'child-on-a-queue-without-worker-terminated-with-its-parent': async (ctx) => {
    const options = { taskQueue: ctx.id('nobody') };
    const handle = await ctx.start('parent', { args: [child(ctx, 'blocked', [], options)] });
    await ctx.awaitEvent(handle, 'childWorkflowExecutionStarted');
    await ctx.idle(handle);
    await handle.terminate('enough');
    const runs = await family(ctx, handle);
    await ctx.closed(runs.at(-1));
    return { outcome: await ctx.outcome(handle.result()), runs };
  },

  'child-times-out': awaited('blocked', [], { workflowRunTimeout: '1200ms' }),

  'child-of-a-closed-id-rejected': async (ctx) => {
    const first = await ctx.execute('hello', { label: 'child', args: ['x'] });
    const parent = await ctx.execute('parent', {
      args: [child(ctx, 'hello', ['y'], { workflowIdReusePolicy: 'REJECT_DUPLICATE' })],
    });
    return { outcome: parent.outcome, runs: [...parent.runs, ...first.runs] };
  },
};
