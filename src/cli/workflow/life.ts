// `tenuto workflow delete|pause|unpause`: what is done to the life of one workflow, or of all of a query.

import type { Command } from 'commander';
import { type Session, withClient } from '../connect.ts';
import { type ManyFlags, oneOf, startJob, withTargets } from './many.ts';

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

  withTargets(
    define('pause', 'let nothing of a workflow, or of all of a query, begin until it is unpaused; it keeps what comes'),
  )
    .addHelpText(
      'after',
      `\nExamples:\n  tenuto workflow pause -w order-17 --reason 'the bank is down'\n  tenuto workflow list -q "ExecutionStatus = 'Paused'" -o json`,
    )
    .action(
      withClient<ManyFlags>(async (session, flags) => {
        const one = oneOf(flags);
        const { connection, output } = session;
        const { identity } = connection;
        if (one === undefined) return startJob(session, flags, { pauseWorkflowOperation: { identity } });
        await connection.request('pauseWorkflowExecution', asked(session, one, flags));
        output.say(`paused ${one.workflowId}`);
      }),
    );

  withTargets(define('unpause', 'let a paused workflow, or all of a query, go on'))
    .addHelpText(
      'after',
      `\nExamples:\n  tenuto workflow unpause -w order-17 --reason 'the bank is back'\n  tenuto workflow unpause -q "ExecutionStatus = 'Paused'" --yes`,
    )
    .action(
      withClient<ManyFlags>(async (session, flags) => {
        const one = oneOf(flags);
        const { connection, output } = session;
        const { identity } = connection;
        if (one === undefined) return startJob(session, flags, { unpauseWorkflowOperation: { identity } });
        await connection.request('unpauseWorkflowExecution', asked(session, one, flags));
        output.say(`unpaused ${one.workflowId}`);
      }),
    );
}

/** Of a pause or its end. One request id for all attempts: it happens once. */
const asked = (
  { connection, namespace }: Session,
  one: { workflowId: string; runId?: string | undefined },
  flags: ManyFlags,
) => ({
  ...{ namespace, ...one, reason: flags.reason },
  ...{ identity: connection.identity, requestId: crypto.randomUUID() },
});

async function deleteWorkflow(session: Session, flags: ManyFlags): Promise<void> {
  const one = oneOf(flags);
  const { connection, namespace, output } = session;
  if (one === undefined) return startJob(session, flags, { deletionOperation: { identity: connection.identity } });
  await connection.request('deleteWorkflowExecution', { namespace, ...one, identity: connection.identity });
  output.say(`deleted ${one.workflowId}`);
}
