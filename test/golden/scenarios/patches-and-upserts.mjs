// Markers of patches, upserts of search attributes and memo.

export default {
  patched: (ctx) => ctx.execute('withPatches'),
  'patch-deprecated': (ctx) => ctx.execute('withDeprecatedPatch'),

  'search-attributes-upserted': (ctx) =>
    ctx.execute('upsertAttributes', {
      searchAttributes: { OracleInt: [1], OracleKeyword: ['start'] },
      args: [{ OracleInt: [2], OracleKeywordList: ['x', 'y'] }, { OracleKeyword: [] }],
    }),

  'memo-upserted': async (ctx) => {
    const handle = await ctx.start('upsertMemos', {
      memo: { a: 1, b: 1 },
      args: [{ b: 2, c: { deep: true } }, { a: null }],
    });
    const outcome = await ctx.outcome(handle.result());
    const { workflowExecutionInfo } = await ctx.describe(ctx.run(handle));
    return { outcome: { ...outcome, described: workflowExecutionInfo.memo }, runs: [ctx.run(handle)] };
  },
};
