// `tenuto workflow …`: one function a verb. What each prints in a table is for people, in JSON for programs.

import type { Command } from 'commander';
import { WorkflowFailedError } from '../../../sdk/client/index.ts';
import { withClient } from '../connect.ts';
import { describeForPeople } from '../errors.ts';
import { CommandError, ExitCode } from '../exit-codes.ts';
import { type HeaderFlags, withHeaders } from '../headers.ts';
import { type InputFlags, inputs, withInput } from '../input.ts';
import type { Output } from '../output.ts';
import { describeWorkflow, resetPointsOf } from './describe.ts';
import { defineFindCommands } from './find.ts';
import { defineFixHistoryCommand } from './fix-history.ts';
import { defineLifeCommands } from './life.ts';
import { type ManyFlags, oneOf, signalOperation, startJob, withTargets } from './many.ts';
import { type StartFlags, startOptions, type TargetFlags, withStart, withTarget } from './options.ts';
import { defineQueryCommands } from './query.ts';
import { defineResetCommand } from './reset.ts';
import { printEvent, readEvents, type ShowFlags, showHistory } from './show.ts';
import { defineStateCommand } from './state.ts';
import { defineTraceCommand } from './trace.ts';
import { defineUpdateCommands } from './update.ts';
import { defineUpdateOptionsCommand } from './update-options.ts';
import { withNote } from './waiting.ts';
import { defineWithStartCommands } from './with-start.ts';

type Wrap = (command: Command) => Command;

export function defineWorkflowCommands(workflow: Command, withConnection: Wrap): void {
  const define = (name: string, description: string) => withConnection(workflow.command(name).description(description));

  withStart(define('start', 'start a workflow and return at once')).action(
    withClient<StartFlags>(async ({ client, output, namespace }, flags) => {
      const options = startOptions(flags);
      const handle = await client.workflow.start(flags.type, options);
      output.record({
        workflowId: handle.workflowId,
        runId: handle.firstExecutionRunId,
        type: flags.type,
        taskQueue: flags.taskQueue,
        namespace,
      });
    }),
  );

  withStart(define('execute', 'start a workflow and wait for its result'))
    .option('--detailed', 'print the events of its first run as they happen, with their attributes; not in JSON')
    .action(
      withClient<StartFlags & { detailed?: true }>(async (session, flags) => {
        const { client, output } = session;
        const options = startOptions(flags);
        const handle = await client.workflow.start(flags.type, options);
        output.say(`running ${handle.workflowId} (run ${handle.firstExecutionRunId})`);
        if (flags.detailed === true && output.format === 'table') {
          const run = { workflowId: handle.workflowId, runId: handle.firstExecutionRunId, follow: true as const };
          for await (const event of readEvents(session, run)) await printEvent(session, event, { detailed: true });
        }
        await printResult(output, handle.workflowId, withNote(session, handle, handle.result()));
      }),
    );

  withTarget(define('result', 'wait for a workflow to end and print its result')).action(
    withClient<TargetFlags>(async (session, { workflowId, runId }) => {
      const result = session.client.workflow.getHandle(workflowId, runId).result();
      await printResult(session.output, workflowId, withNote(session, { workflowId, runId }, result));
    }),
  );

  withHeaders(withInput(withTargets(define('signal', 'send a signal to a running workflow, or to all of a query'))))
    .requiredOption('--name, --type <name>', 'signal name (required)')
    .action(
      withClient<ManyFlags & InputFlags & HeaderFlags & { type: string }>(async (session, flags) => {
        const one = oneOf(flags);
        if (one === undefined) return startJob(session, flags, await signalOperation(session, flags));
        const { client, output } = session;
        await client.workflow.getHandle(one.workflowId, one.runId).signal(flags.type, ...inputs(flags));
        output.say(`signalled ${one.workflowId}: ${flags.type}`);
      }),
    );

  defineQueryCommands(define);
  defineStateCommand(define);
  defineUpdateCommands(workflow, withConnection);
  defineWithStartCommands(workflow, withConnection);
  defineTraceCommand(workflow, withConnection);
  defineUpdateOptionsCommand(define);
  defineResetCommand(workflow, withConnection);

  withTargets(define('cancel', 'ask a workflow, or all of a query, to stop; it may clean up first')).action(
    withClient<ManyFlags>(async (session, flags) => {
      const one = oneOf(flags);
      const { identity } = session.connection;
      if (one === undefined) return startJob(session, flags, { cancellationOperation: { identity } });
      await session.client.workflow.getHandle(one.workflowId, one.runId).cancel(flags.reason);
      session.output.say(`cancellation of ${one.workflowId} requested`);
    }),
  );

  withTargets(define('terminate', 'end a workflow, or all of a query, at once, without clean-up'))
    .addHelpText(
      'after',
      `\nExamples:\n  tenuto workflow terminate -w order-17 --reason duplicate\n  tenuto workflow terminate -q "WorkflowType = 'order'" --reason 'shop closed' --rps 200 --yes`,
    )
    .action(
      withClient<ManyFlags>(async (session, flags) => {
        const one = oneOf(flags);
        const { identity } = session.connection;
        if (one === undefined) return startJob(session, flags, { terminationOperation: { identity } });
        await session.client.workflow.getHandle(one.workflowId, one.runId).terminate(flags.reason);
        session.output.say(`terminated ${one.workflowId}`);
      }),
    );

  defineLifeCommands(workflow, withConnection);

  withTarget(define('describe', 'status, options and pending work of a workflow'))
    .option('--reset-points', 'only where it can be reset to, by build')
    .option('--raw', 'all that the server says, as it says it: times in ms since 1970')
    .action(
      withClient<TargetFlags & { resetPoints?: true; raw?: true }>(async (session, flags) => {
        const { output } = session;
        const described = await session.client.workflow.getHandle(flags.workflowId, flags.runId).describe();
        if (flags.resetPoints === true) await output.list(resetPointsOf(described));
        else if (flags.raw === true) output.record({ ...described.raw });
        else await describeWorkflow(session, described);
      }),
    );

  withTarget(define('show', 'event history of a workflow'))
    .option('-f, --follow', 'stay and print events as they happen, until the workflow ends')
    .option('--detailed', 'print the attributes of each event too')
    .option('--reverse', 'newest event first')
    .action(withClient<ShowFlags>(showHistory));

  defineFindCommands(define);
  defineFixHistoryCommand(workflow);
}

async function printResult(output: Output, workflowId: string, result: Promise<unknown>): Promise<void> {
  try {
    const value = await result;
    if (output.format === 'table') {
      output.line(`${output.colors.green('completed')} ${workflowId}`);
      output.line(value === undefined ? '(no result)' : JSON.stringify(value, null, 2));
    } else output.record({ workflowId, status: 'COMPLETED', result: value });
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { runId, status, cause } = error;
    if (output.format === 'json' || output.format === 'jsonl')
      output.record({ workflowId, runId, status, failure: cause });
    throw new CommandError(describeForPeople(error).join('\n'), { exitCode: ExitCode.FAILED });
  }
}
