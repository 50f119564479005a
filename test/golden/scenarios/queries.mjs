// Queries leave no trace in the history, whatever they answer.

export default {
  'query-running-and-closed': async (ctx) => {
    const handle = await ctx.start('collector', { args: [2] });
    await ctx.idle(handle);
    const outcome = { empty: await handle.query('total') };
    await handle.signal('add', 'a');
    await ctx.idle(handle);
    outcome.one = await handle.query('total');
    await handle.signal('add', 'b');
    outcome.result = await handle.result();
    outcome.closed = await handle.query('total');
    return { outcome, runs: [ctx.run(handle)] };
  },

  'query-that-fails': async (ctx) => {
    const handle = await ctx.start('collector');
    await ctx.idle(handle);
    const outcome = {
      throws: await ctx.outcome(handle.query('explode')),
      unknown: await ctx.outcome(handle.query('nobodyKnowsMe')),
    };
    await handle.signal('finish');
    await handle.result();
    return { outcome, runs: [ctx.run(handle)] };
  },

  'query-rejected-by-status': async (ctx) => {
    const client = new ctx.sdk.client.Client({
      connection: ctx.client.connection,
      workflow: { queryRejectCondition: 'NOT_OPEN' },
    });
    const handle = await ctx.start('collector', { args: [1] });
    await ctx.idle(handle);
    const same = client.workflow.getHandle(handle.workflowId);
    const open = await ctx.outcome(same.query('total'));
    await handle.signal('add', 'x');
    await handle.result();
    return { outcome: { open, closed: await ctx.outcome(same.query('total')) }, runs: [ctx.run(handle)] };
  },

  'query-of-terminated-and-failed-workflows': async (ctx) => {
    const terminated = await ctx.start('collector', { label: 'terminated' });
    await ctx.idle(terminated);
    await terminated.signal('add', 'kept');
    await ctx.idle(terminated);
    await terminated.terminate('over');
    const failed = await ctx.execute('failWith', { label: 'failed', args: [{ message: 'no', nonRetryable: true }] });
    const outcome = {
      terminated: await ctx.outcome(terminated.query('total')),
      failed: await ctx.outcome(ctx.client.workflow.getHandle(ctx.id('failed')).query('total')),
    };
    return { outcome, runs: [ctx.run(terminated), ...failed.runs] };
  },
};
