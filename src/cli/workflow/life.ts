// `tenuto workflow delete|pause|unpause`: what is done to the life of one workflow; deletion to all of a query, too.

import type { Command } from 'commander';
import { type Session, withClient } from '../connect.ts';
import { type ManyFlags, oneOf, startJob, withTargets } from './many.ts';
import { type TargetFlags, withTarget } from './options.ts';

interface PauseFlags extends TargetFlags {
  reason?: string;
}

export function defineLifeCommands(workflow: Command, withConnection: (command: Command) => Command): void {
  const define = (name: string, description: string) => withConnection(workflow.command(name).description(description));

  withTargets(
    define('delete', 'remove a workflow, or all of a query, with its history; an open one is terminated first'),
  )
    .addHelpText(
      'after',
      `\nExamples:\n  tenuto workflow delete -w order-17\n  tenuto workflow delete -w order-17 -r 5f0c… -o json\n  tenuto workflow delete -q "CloseTime < '2031-05-01T00:00:00Z'" --reason 'not needed any more' --yes`,
    )
    .action(withClient<ManyFlags>(deleteWorkflow));

  withTarget(define('pause', 'let nothing of a workflow begin until it is unpaused; it keeps what comes meanwhile'))
    .option('--reason <text>', 'why')
    .addHelpText(
      'after',
      `\nExamples:\n  tenuto workflow pause -w order-17 --reason 'the bank is down'\n  tenuto workflow list -q "ExecutionStatus = 'Paused'" -o json`,
    )
    .action(
      withClient<PauseFlags>(async ({ client, namespace, output }, { workflowId, runId, reason }) => {
        await client.workflowService.pauseWorkflowExecution({ namespace, workflowId, runId, reason });
        output.say(`paused ${workflowId}`);
      }),
    );

  withTarget(define('unpause', 'let a paused workflow go on'))
    .option('--reason <text>', 'why')
    .addHelpText('after', `\nExample:\n  tenuto workflow unpause -w order-17 --reason 'the bank is back'`)
    .action(
      withClient<PauseFlags>(async ({ client, namespace, output }, { workflowId, runId, reason }) => {
        await client.workflowService.unpauseWorkflowExecution({ namespace, workflowId, runId, reason });
        output.say(`unpaused ${workflowId}`);
      }),
    );
}

async function deleteWorkflow(session: Session, flags: ManyFlags): Promise<void> {
  const one = oneOf(flags);
  const { client, connection, namespace, output } = session;
  if (one === undefined) return startJob(session, flags, { deletionOperation: { identity: connection.identity } });
  await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: one });
  output.say(`deleted ${one.workflowId}`);
}
