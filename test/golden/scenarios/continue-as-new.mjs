// Continue-as-new: what the next run inherits and what it is given.

export default {
  'continue-as-new': (ctx) =>
    ctx.execute('count', { args: [0, 2], memo: { kept: true }, searchAttributes: { OracleInt: [5] } }),

  'continue-as-new-with-other-options': (ctx) =>
    ctx.execute('changeOnContinue', {
      memo: { old: 1, shared: 'old' },
      searchAttributes: { OracleInt: [1] },
      workflowExecutionTimeout: '1 hour',
      args: [
        {
          workflowType: 'afterChange',
          memo: { new: 2, shared: 'new' },
          searchAttributes: { OracleInt: [2], OracleKeyword: ['fresh'] },
          workflowRunTimeout: '20s',
          workflowTaskTimeout: '5s',
        },
        'a',
        { b: 2 },
      ],
    }),

  'continue-as-new-on-another-queue': async (ctx) => {
    const { taskQueue } = await ctx.worker();
    return ctx.execute('changeOnContinue', { args: [{ workflowType: 'afterChange', taskQueue }, 'elsewhere'] });
  },

  'continue-as-new-keeps-the-retry-policy': (ctx) =>
    ctx.execute('count', {
      args: [0, 1],
      retry: { initialInterval: '3s', maximumAttempts: 4 },
      workflowRunTimeout: '30s',
    }),

  'continue-as-new-not-followed': async (ctx) => {
    const handle = await ctx.start('count', { args: [0, 1], followRuns: false });
    return { outcome: await ctx.outcome(handle.result()), runs: await ctx.chain(handle) };
  },
};
