// `tenuto workflow signal-with-start`, `start-update-with-start`, `execute-update-with-start`: a message to a workflow that is started if it does not run.

import { type Command, Option } from 'commander';
import { WithStartWorkflowOperation, type WithStartWorkflowOptions } from '../../../sdk/client/index.ts';
import type { WorkflowIdConflictPolicy } from '../../../sdk/common/index.ts';
import type { UntypedWorkflow } from '../../../sdk/common/interfaces.ts';
import { withClient } from '../connect.ts';
import { UsageError } from '../exit-codes.ts';
import { inputs, withInput } from '../input.ts';
import { type StartFlags, startOptions, withStart } from './options.ts';
import { printUpdateResult } from './update.ts';

type Wrap = (command: Command) => Command;

interface SignalFlags extends StartFlags {
  signalType: string;
  signalInput?: string[];
  signalInputFile?: string[];
  signalInputMeta?: string[];
  signalInputBase64?: true;
}

interface UpdateFlags extends StartFlags {
  updateType: string;
  updateInput?: string[];
  updateInputFile?: string[];
  updateInputMeta?: string[];
  updateInputBase64?: true;
  updateId?: string;
  updateFirstExecutionRunId?: string;
  runId?: string;
}

/** Such a message finds the workflow that runs, unless the caller says otherwise. */
const FOUND: { workflowIdConflictPolicy: WorkflowIdConflictPolicy } = { workflowIdConflictPolicy: 'USE_EXISTING' };

export function defineWithStartCommands(workflow: Command, withConnection: Wrap): void {
  const define = (name: string, description: string) =>
    withStart(withConnection(workflow.command(name).description(description)));

  withInput(
    define('signal-with-start', 'send a signal to a workflow, which is started first if it does not run'),
    'signal-',
  )
    .requiredOption('--signal-name, --signal-type <name>', 'signal name (required)')
    .addHelpText(
      'after',
      '\nExample:\n  tenuto workflow signal-with-start --type cart -t shop -w cart-7 --signal-name add --signal-input \'"book"\'',
    )
    .action(
      withClient<SignalFlags>(async ({ client, output, namespace }, flags) => {
        const { signalInput: input, signalInputFile: inputFile, signalInputMeta: inputMeta } = flags;
        const signalArgs = inputs({ input, inputFile, inputMeta, inputBase64: flags.signalInputBase64 }, 'signal-');
        // A signal finds the workflow that runs whatever is said of another start.
        const start = startOptions({ ...flags, failExisting: undefined });
        const options = { ...start, signal: flags.signalType, signalArgs };
        const handle = await client.workflow.signalWithStart(flags.type, options);
        const { workflowId, signaledRunId: runId } = handle;
        output.record({ workflowId, runId, type: flags.type, taskQueue: flags.taskQueue, namespace });
      }),
    );

  withUpdate(
    define('start-update-with-start', 'send an update to a workflow, which is started first if it does not run'),
  )
    .addOption(
      new Option('--update-wait-for-stage <stage>', 'how far to wait').choices(['accepted']).default('accepted'),
    )
    .action(
      withClient<UpdateFlags>(async ({ client, output }, flags) => {
        const options = { ...updateOptions(flags), waitForStage: 'ACCEPTED' } as const;
        const handle = await client.workflow.startUpdateWithStart<UntypedWorkflow, unknown, unknown[] & [unknown]>(
          flags.updateType,
          options,
        );
        const { workflowId, workflowRunId: runId, updateId } = handle;
        output.record({ workflowId, runId, name: flags.updateType, updateId });
      }),
    );

  withUpdate(define('execute-update-with-start', 'the same, and wait for its result')).action(
    withClient<UpdateFlags>(async ({ client, output }, flags) => {
      const options = updateOptions(flags);
      const result = client.workflow.executeUpdateWithStart<UntypedWorkflow, unknown, unknown[] & [unknown]>(
        flags.updateType,
        options,
      );
      const { workflowId } = options.startWorkflowOperation.options;
      await printUpdateResult(output, { workflowId: String(workflowId), updateId: flags.updateId }, result);
    }),
  );
}

const withUpdate = (command: Command): Command =>
  withInput(command, 'update-')
    .requiredOption('--update-name, --update-type <name>', 'update name (required)')
    .option('--update-id <id>', 'names the update: sent again, it is the same update (default: a fresh UUID)')
    .option('-r, --run-id <id>', 'refused: a workflow that may have to be started has none to name')
    .option('--update-first-execution-run-id <id>', 'refused, likewise');

function updateOptions(flags: UpdateFlags) {
  for (const [flag, given] of Object.entries({
    'run-id': flags.runId,
    'update-first-execution-run-id': flags.updateFirstExecutionRunId,
  }))
    if (given !== undefined)
      throw new UsageError(
        `--${flag} cannot be set: the workflow might not be running. To one that is, send it with tenuto workflow update`,
      );
  const { updateInput: input, updateInputFile: inputFile, updateInputMeta: inputMeta } = flags;
  const given = inputs({ input, inputFile, inputMeta, inputBase64: flags.updateInputBase64 }, 'update-');
  // What the workflow's handler takes is between the caller and it.
  const args = given as unknown[] & [unknown];
  const startWorkflowOperation = new WithStartWorkflowOperation<UntypedWorkflow>(flags.type, {
    ...FOUND,
    ...startOptions(flags),
  } as WithStartWorkflowOptions<UntypedWorkflow>);
  return { args, startWorkflowOperation, ...(flags.updateId === undefined ? {} : { updateId: flags.updateId }) };
}
