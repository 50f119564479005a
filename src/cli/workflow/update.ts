// `tenuto workflow update …`: send an update, wait for its result, see how far it has come.

import type { Command } from 'commander';
import { Option } from 'commander';
import { WorkflowUpdateFailedError } from '../../../sdk/client/index.ts';
import { decodeMessage } from '../../../sdk/common/codec.ts';
import type { LoadedDataConverter } from '../../../sdk/common/data-converter.ts';
import { fromPayloadsAtIndex } from '../../../sdk/common/index.ts';
import type { UpdateOutcome } from '../../wire/common.ts';
import { UpdateWorkflowExecutionLifecycleStage } from '../../wire/enums.ts';
import { withClient } from '../connect.ts';
import { describeForPeople } from '../errors.ts';
import { CommandError, ExitCode } from '../exit-codes.ts';
import { type HeaderFlags, withHeaders } from '../headers.ts';
import { type InputFlags, inputs, withInput } from '../input.ts';
import type { Output } from '../output.ts';
import { type TargetFlags, withTarget } from './options.ts';
import { withNote } from './waiting.ts';

type Wrap = (command: Command) => Command;

interface SendFlags extends TargetFlags, InputFlags, HeaderFlags {
  name: string;
  updateId?: string;
  firstExecutionRunId?: string;
}

type UpdateFlags = TargetFlags & { updateId: string };

function withSend(command: Command): Command {
  return withHeaders(withInput(withTarget(command)))
    .requiredOption('--name, --type <name>', 'update name (required)')
    .option('--update-id <id>', 'names the update: sent again, it is the same update (default: a fresh UUID)')
    .option('--first-execution-run-id <id>', 'only a workflow whose chain of runs began with this run');
}

const withUpdate = (command: Command): Command =>
  withTarget(command).requiredOption('--update-id <id>', 'update id (required)');

export function defineUpdateCommands(workflow: Command, withConnection: Wrap): void {
  const update = workflow
    .command('update')
    .description('send updates to a running workflow, and see what they come to');
  const define = (name: string, description: string) => withConnection(update.command(name).description(description));

  withSend(define('execute', 'send an update and wait for its result')).action(
    withClient<SendFlags & { type: string }>(async (session, flags) => {
      const { client, output } = session;
      const handle = client.workflow.getHandle(flags.workflowId, flags.runId, target(flags));
      const result = handle.executeUpdate<unknown, unknown[] & [unknown]>(flags.type, sendOptions(flags));
      await printUpdateResult(output, flags, withNote(session, flags, result));
    }),
  );

  withSend(define('start', 'send an update and return once it is accepted'))
    .addOption(new Option('--wait-for-stage <stage>', 'how far to wait').choices(['accepted']).default('accepted'))
    .action(
      withClient<SendFlags & { type: string }>(async (session, flags) => {
        const { client, output } = session;
        const handle = client.workflow.getHandle(flags.workflowId, flags.runId, target(flags));
        const options = { ...sendOptions(flags), waitForStage: 'ACCEPTED' } as const;
        const started = handle.startUpdate<unknown, unknown[] & [unknown]>(flags.type, options);
        const { updateId, workflowRunId } = await withNote(session, flags, started);
        output.record({ workflowId: flags.workflowId, runId: workflowRunId, name: flags.type, updateId });
      }),
    );

  withUpdate(define('result', 'wait for an update to complete and print its result')).action(
    withClient<UpdateFlags>(async ({ client, output }, flags) => {
      const handle = client.workflow.getHandle(flags.workflowId, flags.runId).getUpdateHandle(flags.updateId);
      await printUpdateResult(output, flags, handle.result());
    }),
  );

  withUpdate(define('describe', 'how far an update has come, without waiting')).action(
    withClient<UpdateFlags>(async ({ client, connection, namespace, output }, { workflowId, runId, updateId }) => {
      const request = { namespace, workflowId, runId, updateId };
      const answer = await connection.request('pollWorkflowExecutionUpdate', request);
      const { outcome } = answer;
      output.record({
        workflowId,
        runId: answer.runId,
        updateId,
        stage: STAGES.get(answer.stage) ?? String(answer.stage),
        ...(outcome === undefined ? {} : await outcomeOf(outcome, client.options.loadedDataConverter)),
      });
    }),
  );
}

const STAGES = new Map<number, string>(
  Object.entries(UpdateWorkflowExecutionLifecycleStage).map(([name, stage]) => [stage, name]),
);

async function outcomeOf(
  outcome: UpdateOutcome,
  { payloadCodecs, payloadConverter, failureConverter }: LoadedDataConverter,
): Promise<{ result: unknown } | { failure: string }> {
  const { success, failure } = await decodeMessage(payloadCodecs, outcome);
  if (failure === undefined) return { result: fromPayloadsAtIndex(payloadConverter, 0, success?.payloads) };
  const error = failureConverter.failureToError(failure, payloadConverter);
  return { failure: `${error.name}: ${error.message}` };
}

const target = ({ firstExecutionRunId }: SendFlags) =>
  firstExecutionRunId === undefined ? {} : { firstExecutionRunId };

function sendOptions(flags: SendFlags) {
  // What the workflow's handler takes is between the caller and it.
  const args = inputs(flags) as unknown[] & [unknown];
  return flags.updateId === undefined ? { args } : { args, updateId: flags.updateId };
}

export async function printUpdateResult(
  output: Output,
  { workflowId, updateId }: TargetFlags & { updateId?: string | undefined },
  result: Promise<unknown>,
): Promise<void> {
  try {
    const value = await result;
    if (output.format === 'table') output.line(value === undefined ? '(no result)' : JSON.stringify(value, null, 2));
    else output.record({ workflowId, updateId, status: 'COMPLETED', result: value });
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    if (output.format === 'json' || output.format === 'jsonl')
      output.record({ workflowId, updateId, status: 'FAILED', failure: error.cause });
    throw new CommandError(describeForPeople(error).join('\n'), { exitCode: ExitCode.FAILED });
  }
}
