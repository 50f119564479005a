// `tenuto task-queue …`: which workers listen, and what waits for them.

import type { Command } from 'commander';
import { withClient } from './connect.ts';

export function defineTaskQueueCommands(taskQueue: Command, withConnection: (command: Command) => Command): void {
  withConnection(taskQueue.command('describe').description('workers and backlog of a task queue'))
    .requiredOption('-t, --task-queue <name>', 'task queue (required)')
    .action(
      withClient<{ taskQueue: string }>(async ({ connection, namespace, output }, flags) => {
        const described = await connection.request(
          'describeTaskQueue',
          { namespace, taskQueue: flags.taskQueue },
          { timeoutMs: 10_000 },
        );
        const workers = described.pollers.map(({ lastAccessTime, ...poller }) => ({
          ...poller,
          lastAccess: new Date(lastAccessTime).toISOString(),
        }));
        const backlog = {
          workflowBacklog: described.workflowBacklog,
          activityBacklog: described.activityBacklog,
          oldestBacklogAgeMs: described.oldestBacklogAge,
        };
        if (output.format !== 'table') return output.record({ ...backlog, pollers: workers });
        output.record(backlog);
        output.line(output.colors.bold(`\nPollers: ${workers.length}`));
        output.table(workers);
      }),
    );
}
