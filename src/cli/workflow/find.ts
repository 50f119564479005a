// `tenuto workflow list|count`: workflows by what they can be found by.

import type { Command } from 'commander';
import { withClient } from '../connect.ts';
import { CommandError } from '../exit-codes.ts';
import { positiveInteger } from './options.ts';

interface ListFlags {
  query?: string;
  limit?: string;
  pageSize?: string;
  archived?: true;
}

export function defineFindCommands(define: (name: string, description: string) => Command): void {
  define('list', 'list workflows, newest first unless ORDER BY says otherwise')
    .option('-q, --query <filter>', `e.g. "WorkflowType = 'order' AND ExecutionStatus = 'Running' ORDER BY CloseTime"`)
    .option('--limit <n>', 'print at most this many')
    .option('--page-size <n>', 'ask the server for so many at a time')
    .option('--archived', 'refused: nothing is archived')
    .action(
      withClient<ListFlags>(async ({ client, output }, { query, limit, pageSize: size, archived }) => {
        if (archived === true)
          throw new CommandError('there is no archive: a closed workflow is deleted when its retention is over', {
            hint: 'Those that are kept are listed without --archived; `tenuto operator namespace update --retention` keeps them longer.',
          });
        const most = limit === undefined ? Number.POSITIVE_INFINITY : positiveInteger(limit, '--limit');
        const pageSize = size === undefined ? undefined : positiveInteger(size, '--page-size');
        await output.list(rows(client.workflow.list({ query, pageSize }), most));
      }),
    );

  define('count', 'count workflows')
    .option('-q, --query <filter>', 'as for list; GROUP BY ExecutionStatus (or any keyword) counts each value')
    .action(
      withClient<{ query?: string }>(async ({ client, output }, { query }) => {
        const { count, groups } = await client.workflow.count(query);
        if (output.format === 'table' && groups.length > 0) {
          output.table([
            ...groups.map((group) => ({ group: group.groupValues.flat().map(String).join(' '), count: group.count })),
            { group: 'total', count },
          ]);
        } else output.record(groups.length > 0 ? { count, groups } : { count });
      }),
    );
}

async function* rows(
  executions: AsyncIterable<{
    workflowId: string;
    runId: string;
    type: string;
    status: { name: string };
    startTime: Date;
    closeTime?: Date | undefined;
    taskQueue: string;
  }>,
  most: number,
) {
  let printed = 0;
  for await (const info of executions) {
    if (printed >= most) return;
    printed += 1;
    yield {
      status: info.status.name,
      workflowId: info.workflowId,
      type: info.type,
      runId: info.runId,
      startTime: info.startTime.toISOString(),
      closeTime: info.closeTime?.toISOString() ?? '',
    };
  }
}
