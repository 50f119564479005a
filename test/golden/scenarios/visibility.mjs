// Listing and counting executions by query.

export default {
  'list-and-count-by-query': async (ctx) => {
    const group = `${ctx.name}~${ctx.nonce}`;
    for (const [index, how] of ['complete', 'complete', 'fail'].entries()) {
      await ctx.execute('endAfter', {
        label: `${index}`,
        args: [1, how],
        searchAttributes: { OracleKeyword: [group], OracleInt: [index] },
      });
    }
    const open = await ctx.start('blocked', {
      label: 'open',
      searchAttributes: { OracleKeyword: [group], OracleInt: [9] },
    });
    await ctx.idle(open);

    const mine = `OracleKeyword = '${group}'`;
    const { workflow } = ctx.client;
    await ctx.until(
      'all to be listed',
      async () => (await workflow.count(`${mine} AND ExecutionStatus != 'Running'`)).count === 3,
    );
    const outcome = {};
    for (const [name, query] of Object.entries({
      all: mine,
      running: `${mine} AND ExecutionStatus = 'Running'`,
      closed: `${mine} AND CloseTime IS NOT NULL`,
      byType: `${mine} AND WorkflowType IN ('endAfter', 'hello')`,
      range: `${mine} AND OracleInt BETWEEN 1 AND 2`,
      either: `${mine} AND (OracleInt = 0 OR OracleInt > 8)`,
      prefix: `${mine} AND WorkflowId STARTS_WITH '${ctx.name}/o'`,
      none: `${mine} AND OracleInt = 1000`,
    }))
      outcome[name] = await ids(workflow.list({ query }));
    outcome.byStatus = await ctx.call('countWorkflowExecutions', { query: `${mine} GROUP BY ExecutionStatus` });
    outcome.byStatus.groups?.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    outcome.badQuery = await ctx.outcome(() => ids(workflow.list({ query: 'Nonsense ===' })));
    outcome.badAttribute = await ctx.outcome(() => ids(workflow.list({ query: "Nobody = 'x'" })));
    return { outcome };
  },

  'list-follows-upserts-pages-and-order': async (ctx) => {
    const group = `${ctx.name}~${ctx.nonce}`;
    for (let i = 0; i < 5; i += 1) {
      await ctx.execute('upsertAttributes', {
        label: `${i}`,
        searchAttributes: { OracleKeyword: [group], OracleInt: [i] },
        memo: { i },
        args: [{ OracleInt: [i * 10] }],
      });
    }
    const query = `OracleKeyword = '${group}'`;
    await ctx.until(
      'all to be listed as closed',
      async () => (await ctx.client.workflow.count(`${query} AND CloseTime IS NOT NULL`)).count === 5,
    );
    const pages = [];
    let nextPageToken;
    do {
      const page = await ctx.service.listWorkflowExecutions({
        namespace: ctx.namespace,
        query,
        pageSize: 2,
        nextPageToken,
      });
      pages.push(ctx.plain('ListWorkflowExecutionsResponse', page).executions ?? []);
      nextPageToken = page.nextPageToken;
    } while (nextPageToken?.length > 0);
    const byInt = [];
    for await (const { workflowId } of ctx.client.workflow.list({ query: `${query} AND OracleInt >= 20` }))
      byInt.push(workflowId);
    return { outcome: { pages: pages.filter((page) => page.length > 0), byInt } };
  },
};

async function ids(list) {
  const found = [];
  for await (const { workflowId, status } of list) found.push(`${workflowId} ${status.name}`);
  return found.sort();
}
