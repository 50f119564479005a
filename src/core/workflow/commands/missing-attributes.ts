// A command without attributes, or with those of another type: the task fails, whatever its type, with the cause of that type.

import type { Command, KnownCommandType } from '../../../wire/command.ts';
import { WorkflowTaskFailedCause as Cause, CommandType } from '../../../wire/enums.ts';
import { bad, type CommandProblem } from './problem.ts';

const CAUSES: Record<KnownCommandType, Cause> = {
  [CommandType.SCHEDULE_ACTIVITY_TASK]: Cause.BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
  [CommandType.REQUEST_CANCEL_ACTIVITY_TASK]: Cause.BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES,
  [CommandType.START_TIMER]: Cause.BAD_START_TIMER_ATTRIBUTES,
  [CommandType.COMPLETE_WORKFLOW_EXECUTION]: Cause.BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES,
  [CommandType.FAIL_WORKFLOW_EXECUTION]: Cause.BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES,
  [CommandType.CANCEL_TIMER]: Cause.BAD_CANCEL_TIMER_ATTRIBUTES,
  [CommandType.CANCEL_WORKFLOW_EXECUTION]: Cause.BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES,
  [CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION]:
    Cause.BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES,
  [CommandType.RECORD_MARKER]: Cause.BAD_RECORD_MARKER_ATTRIBUTES,
  [CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION]: Cause.BAD_CONTINUE_AS_NEW_ATTRIBUTES,
  [CommandType.START_CHILD_WORKFLOW_EXECUTION]: Cause.BAD_START_CHILD_EXECUTION_ATTRIBUTES,
  [CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION]: Cause.BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES,
  [CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES]: Cause.BAD_SEARCH_ATTRIBUTES,
  [CommandType.PROTOCOL_MESSAGE]: Cause.BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE,
  [CommandType.MODIFY_WORKFLOW_PROPERTIES]: Cause.BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES,
  [CommandType.SCHEDULE_NEXUS_OPERATION]: Cause.BAD_SCHEDULE_NEXUS_OPERATION_ATTRIBUTES,
  [CommandType.REQUEST_CANCEL_NEXUS_OPERATION]: Cause.BAD_REQUEST_CANCEL_NEXUS_OPERATION_ATTRIBUTES,
};

/** SCHEDULE_ACTIVITY_TASK as the API names its messages: ScheduleActivityTask. */
function nameOf(type: number): string {
  const [name = ''] = Object.entries(CommandType).find(([, number]) => number === type) ?? [];
  return name.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function missingAttributes({ commandType, attributes }: Command): CommandProblem | undefined {
  if (attributes) return undefined;
  const name = nameOf(commandType);
  return bad(CAUSES[commandType], `${name}CommandAttributes is not set on ${name}Command.`);
}
