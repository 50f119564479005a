// Dispatch of a completed task's commands, one file per command; nothing is ignored.

import type { Command } from '../../../wire/command.ts';
import { CommandType } from '../../../wire/enums.ts';
import { cancelTimer } from './cancel-timer.ts';
import { cancelWorkflow } from './cancel-workflow.ts';
import { completeWorkflow } from './complete-workflow.ts';
import { continueAsNew } from './continue-as-new.ts';
import { failWorkflow } from './fail-workflow.ts';
import { missingAttributes } from './missing-attributes.ts';
import { modifyProperties } from './modify-properties.ts';
import type { CommandContext, CommandProblem } from './problem.ts';
import { protocolMessage } from './protocol-message.ts';
import { recordMarker } from './record-marker.ts';
import { requestCancelActivityTask } from './request-cancel-activity-task.ts';
import { requestCancelExternalWorkflow } from './request-cancel-external-workflow.ts';
import { requestCancelNexusOperation } from './request-cancel-nexus-operation.ts';
import { scheduleActivityTask } from './schedule-activity-task.ts';
import { scheduleNexusOperation } from './schedule-nexus-operation.ts';
import { signalExternalWorkflow } from './signal-external-workflow.ts';
import { startChildWorkflow } from './start-child-workflow.ts';
import { startTimer } from './start-timer.ts';
import { upsertSearchAttributes } from './upsert-search-attributes.ts';

export function applyCommand(context: CommandContext, command: Command): CommandProblem | undefined {
  const missing = missingAttributes(command);
  if (missing !== undefined) return missing;
  switch (command.commandType) {
    case CommandType.SCHEDULE_ACTIVITY_TASK:
      return scheduleActivityTask(context, command.attributes, command);
    case CommandType.REQUEST_CANCEL_ACTIVITY_TASK:
      return requestCancelActivityTask(context, command.attributes, command);
    case CommandType.START_TIMER:
      return startTimer(context, command.attributes, command);
    case CommandType.CANCEL_TIMER:
      return cancelTimer(context, command.attributes, command);
    case CommandType.RECORD_MARKER:
      return recordMarker(context, command.attributes, command);
    case CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      return upsertSearchAttributes(context, command.attributes, command);
    case CommandType.MODIFY_WORKFLOW_PROPERTIES:
      return modifyProperties(context, command.attributes, command);
    case CommandType.COMPLETE_WORKFLOW_EXECUTION:
      return completeWorkflow(context, command.attributes, command);
    case CommandType.FAIL_WORKFLOW_EXECUTION:
      return failWorkflow(context, command.attributes, command);
    case CommandType.CANCEL_WORKFLOW_EXECUTION:
      return cancelWorkflow(context, command.attributes, command);
    case CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
      return continueAsNew(context, command.attributes, command);
    case CommandType.START_CHILD_WORKFLOW_EXECUTION:
      return startChildWorkflow(context, command.attributes, command);
    case CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION:
      return signalExternalWorkflow(context, command.attributes, command);
    case CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION:
      return requestCancelExternalWorkflow(context, command.attributes, command);
    case CommandType.PROTOCOL_MESSAGE:
      return protocolMessage(context, command.attributes);
    case CommandType.SCHEDULE_NEXUS_OPERATION:
      return scheduleNexusOperation(context, command.attributes, command);
    case CommandType.REQUEST_CANCEL_NEXUS_OPERATION:
      return requestCancelNexusOperation(context, command.attributes, command);
  }
}

const KNOWN = new Set<number>(Object.values(CommandType).filter((type) => type !== CommandType.UNSPECIFIED));

export function isClosing(type: CommandType): boolean {
  return (
    type === CommandType.COMPLETE_WORKFLOW_EXECUTION ||
    type === CommandType.FAIL_WORKFLOW_EXECUTION ||
    type === CommandType.CANCEL_WORKFLOW_EXECUTION ||
    type === CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION
  );
}

const NAMES = new Map<number, string>(Object.entries(CommandType).map(([name, type]) => [type, name]));

/** What makes the list as a whole unacceptable: the answer is refused and the task stays started. */
export function sequenceProblem(commands: readonly Command[]): string | undefined {
  for (let i = 0; i < commands.length; i += 1) {
    const type = commands[i]?.commandType;
    if (type === undefined || !KNOWN.has(type))
      return `Unknown command type: ${type} (command ${i + 1} of ${commands.length}).`;
    if (i < commands.length - 1 && isClosing(type)) {
      return `invalid command sequence: ${NAMES.get(type)} is command ${i + 1} of ${commands.length} and must be the last one.`;
    }
  }
  return undefined;
}
