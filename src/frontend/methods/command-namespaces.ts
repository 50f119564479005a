// Which namespaces the commands of a workflow task reach into, and which of those a door does not let them: the task then fails, as on the reference
// server, when the command's turn comes. Called by the answer to a workflow task.

import type { AttributeProblem } from '../../core/workflow/message.ts';
import type { Command } from '../../wire/command.ts';
import { CommandType, WorkflowTaskFailedCause } from '../../wire/enums.ts';
import type { Services } from '../door.ts';

/** Undefined, or empty: that of the workflow itself. */
export function namespaceIn(command: Command): string | undefined {
  switch (command.commandType) {
    case CommandType.START_CHILD_WORKFLOW_EXECUTION:
    case CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION:
    case CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION:
      return command.attributes?.namespace;
    default:
      return undefined;
  }
}

const CAUSES: Partial<Record<number, WorkflowTaskFailedCause>> = {
  [CommandType.START_CHILD_WORKFLOW_EXECUTION]: WorkflowTaskFailedCause.BAD_START_CHILD_EXECUTION_ATTRIBUTES,
  [CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION]: WorkflowTaskFailedCause.BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES,
  [CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION]:
    WorkflowTaskFailedCause.BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES,
};

/** The commands that leave their workflow's namespace where they may not. Undefined: none, as nearly always. */
export function crossing(
  { reference }: Services,
  own: string,
  commands: readonly Command[],
): AttributeProblem[] | undefined {
  if (reference?.crossNamespaceCommands !== 'refused') return undefined;
  const problems: AttributeProblem[] = [];
  for (const [i, command] of commands.entries()) {
    const namespace = namespaceIn(command) || own;
    if (namespace === own) continue;
    const problem = `Cross namespace commands are not allowed: from ${own} to ${namespace}. The setting grpc.crossNamespaceCommands allows them.`;
    problems.push({ command: i, problem, cause: CAUSES[command.commandType] });
  }
  return problems.length === 0 ? undefined : problems;
}
