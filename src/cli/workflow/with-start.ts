// `tenuto workflow signal-with-start`, `start-update-with-start`, `execute-update-with-start`: a message to a workflow that is started if it does not run.

import type { Command } from 'commander';
import { WithStartWorkflowOperation, type WithStartWorkflowOptions } from '../../../sdk/client/index.ts';
import type { WorkflowIdConflictPolicy } from '../../../sdk/common/index.ts';
import type { UntypedWorkflow } from '../../../sdk/common/interfaces.ts';
import { withClient } from '../connect.ts';
import { collect, inputs, type StartFlags, startOptions, withStart } from './options.ts';
import { printUpdateResult } from './update.ts';

type Wrap = (command: Command) => Command;

interface SignalFlags extends StartFlags {
  signalName: string;
  signalInput?: string[];
}

interface UpdateFlags extends StartFlags {
  updateName: string;
  updateInput?: string[];
  updateId?: string;
}

/** Such a message finds the workflow that runs, unless the caller says otherwise. */
const FOUND: { workflowIdConflictPolicy: WorkflowIdConflictPolicy } = { workflowIdConflictPolicy: 'USE_EXISTING' };

export function defineWithStartCommands(workflow: Command, withConnection: Wrap): void {
  const define = (name: string, description: string) =>
    withStart(withConnection(workflow.command(name).description(description)));

  define('signal-with-start', 'send a signal to a workflow, which is started first if it does not run')
    .requiredOption('--signal-name <name>', 'signal name (required)')
    .option('--signal-input <json>', 'an argument of the signal as JSON; repeat for several', collect)
    .addHelpText(
      'after',
      '\nExample:\n  tenuto workflow signal-with-start --type cart -t shop -w cart-7 --signal-name add --signal-input \'"book"\'',
    )
    .action(
      withClient<SignalFlags>(async ({ client, output, namespace }, flags) => {
        const signalArgs = inputs({ input: flags.signalInput ?? [] });
        const options = { ...startOptions(flags), signal: flags.signalName, signalArgs };
        const handle = await client.workflow.signalWithStart(flags.type, options);
        const { workflowId, signaledRunId: runId } = handle;
        output.record({ workflowId, runId, type: flags.type, taskQueue: flags.taskQueue, namespace });
      }),
    );

  withUpdate(
    define('start-update-with-start', 'send an update to a workflow, which is started first if it does not run'),
  ).action(
    withClient<UpdateFlags>(async ({ client, output }, flags) => {
      const options = { ...updateOptions(flags), waitForStage: 'ACCEPTED' } as const;
      const handle = await client.workflow.startUpdateWithStart<UntypedWorkflow, unknown, unknown[] & [unknown]>(
        flags.updateName,
        options,
      );
      const { workflowId, workflowRunId: runId, updateId } = handle;
      output.record({ workflowId, runId, name: flags.updateName, updateId });
    }),
  );

  withUpdate(define('execute-update-with-start', 'the same, and wait for its result')).action(
    withClient<UpdateFlags>(async ({ client, output }, flags) => {
      const options = updateOptions(flags);
      const result = client.workflow.executeUpdateWithStart<UntypedWorkflow, unknown, unknown[] & [unknown]>(
        flags.updateName,
        options,
      );
      const { workflowId } = options.startWorkflowOperation.options;
      await printUpdateResult(output, { workflowId: String(workflowId), updateId: flags.updateId }, result);
    }),
  );
}

const withUpdate = (command: Command): Command =>
  command
    .requiredOption('--update-name <name>', 'update name (required)')
    .option('--update-input <json>', 'an argument of the update as JSON; repeat for several', collect)
    .option('--update-id <id>', 'names the update: sent again, it is the same update (default: a fresh UUID)');

function updateOptions(flags: UpdateFlags) {
  // What the workflow's handler takes is between the caller and it.
  const args = inputs({ input: flags.updateInput ?? [] }) as unknown[] & [unknown];
  const startWorkflowOperation = new WithStartWorkflowOperation<UntypedWorkflow>(flags.type, {
    ...FOUND,
    ...startOptions(flags),
  } as WithStartWorkflowOptions<UntypedWorkflow>);
  return { args, startWorkflowOperation, ...(flags.updateId === undefined ? {} : { updateId: flags.updateId }) };
}
