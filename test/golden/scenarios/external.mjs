// Signals and cancellations from one workflow to another.

export default {
  'external-signal': async (ctx) => {
    const target = await ctx.start('blocked', { label: 'target' });
    await ctx.idle(target);
    const sender = await ctx.execute('signalOther', {
      args: [{ workflowId: target.workflowId, signal: 'release', args: ['hi'] }],
    });
    const outcome = { sender: sender.outcome, target: await ctx.outcome(target.result()) };
    return { outcome, runs: [...sender.runs, ctx.run(target)] };
  },

  'external-signal-to-nobody': (ctx) =>
    ctx.execute('signalOther', { args: [{ workflowId: ctx.id('nobody'), signal: 'release' }] }),

  'external-cancel': async (ctx) => {
    const target = await ctx.start('blocked', { label: 'target' });
    await ctx.idle(target);
    const sender = await ctx.execute('cancelOther', { args: [{ workflowId: target.workflowId }] });
    const outcome = { sender: sender.outcome, target: await ctx.outcome(target.result()) };
    return { outcome, runs: [...sender.runs, ctx.run(target)] };
  },

  'external-signal-to-a-closed-workflow': async (ctx) => {
    const target = await ctx.execute('hello', { label: 'target', args: ['x'] });
    const sender = await ctx.execute('signalOther', { args: [{ workflowId: ctx.id('target'), signal: 'release' }] });
    return { outcome: sender.outcome, runs: [...sender.runs, ...target.runs] };
  },

  'external-cancel-of-nobody': (ctx) => ctx.execute('cancelOther', { args: [{ workflowId: ctx.id('nobody') }] }),
};
