// The commands of one workflow task, in the order the code asked for them: until they are answered they can be withdrawn, afterwards
// each waits for its event in the history.

import type { Command } from '../../../src/wire/command.ts';
import { CommandType, EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { ProtocolMessage } from '../../../src/wire/protocol-message.ts';
import type { Asked } from '../../workflow/activation.ts';

export interface Draft {
  command: Command;
  /** Where in the workflow's code it was asked for. */
  site: Error | undefined;
  /** Withdrawn within the task that made it: never sent. */
  dropped: boolean;
  /** Part of an answer, or found in history. */
  sent: boolean;
  /** Told the id of its event. */
  onEvent: ((eventId: number) => void) | undefined;
  /** What a PROTOCOL_MESSAGE command gives its place. */
  message: ProtocolMessage | undefined;
}

/** Events that a command of the completed workflow task before them made. */
const EVENT_OF_COMMAND = new Map<number, number>([
  [CommandType.SCHEDULE_ACTIVITY_TASK, EventType.ACTIVITY_TASK_SCHEDULED],
  [CommandType.REQUEST_CANCEL_ACTIVITY_TASK, EventType.ACTIVITY_TASK_CANCEL_REQUESTED],
  [CommandType.START_TIMER, EventType.TIMER_STARTED],
  [CommandType.CANCEL_TIMER, EventType.TIMER_CANCELED],
  [CommandType.COMPLETE_WORKFLOW_EXECUTION, EventType.WORKFLOW_EXECUTION_COMPLETED],
  [CommandType.FAIL_WORKFLOW_EXECUTION, EventType.WORKFLOW_EXECUTION_FAILED],
  [CommandType.CANCEL_WORKFLOW_EXECUTION, EventType.WORKFLOW_EXECUTION_CANCELED],
  [CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION, EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW],
  [CommandType.RECORD_MARKER, EventType.MARKER_RECORDED],
  [CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, EventType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES],
  [CommandType.MODIFY_WORKFLOW_PROPERTIES, EventType.WORKFLOW_PROPERTIES_MODIFIED],
  [CommandType.START_CHILD_WORKFLOW_EXECUTION, EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED],
  [CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED],
  [
    CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
    EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
  ],
  [CommandType.SCHEDULE_NEXUS_OPERATION, EventType.NEXUS_OPERATION_SCHEDULED],
  [CommandType.REQUEST_CANCEL_NEXUS_OPERATION, EventType.NEXUS_OPERATION_CANCEL_REQUESTED],
]);
const COMMAND_EVENTS: ReadonlySet<number> = new Set<number>([
  ...EVENT_OF_COMMAND.values(),
  EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
  EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED,
]);
const CLOSING_COMMANDS: ReadonlySet<number> = new Set([
  CommandType.COMPLETE_WORKFLOW_EXECUTION,
  CommandType.FAIL_WORKFLOW_EXECUTION,
  CommandType.CANCEL_WORKFLOW_EXECUTION,
  CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
]);

export function isCommandEvent(event: HistoryEvent): boolean {
  return COMMAND_EVENTS.has(event.eventType);
}

export function isClosing(command: Command): boolean {
  return CLOSING_COMMANDS.has(command.commandType);
}

/** Whether an event is what a command leads to: the kind, and the ids and types both name. */
export function isEventOf(command: Command, event: HistoryEvent): boolean {
  if (command.commandType === CommandType.PROTOCOL_MESSAGE) return messageIdOf(event) === command.attributes.messageId;
  if (EVENT_OF_COMMAND.get(command.commandType) !== event.eventType) return false;
  switch (command.commandType) {
    case CommandType.SCHEDULE_ACTIVITY_TASK:
      return (
        event.eventType === EventType.ACTIVITY_TASK_SCHEDULED &&
        event.attributes.activityId === command.attributes.activityId &&
        event.attributes.activityType.name === command.attributes.activityType.name
      );
    case CommandType.START_TIMER:
      return event.eventType === EventType.TIMER_STARTED && event.attributes.timerId === command.attributes.timerId;
    case CommandType.CANCEL_TIMER:
      return event.eventType === EventType.TIMER_CANCELED && event.attributes.timerId === command.attributes.timerId;
    case CommandType.REQUEST_CANCEL_ACTIVITY_TASK:
      return (
        event.eventType === EventType.ACTIVITY_TASK_CANCEL_REQUESTED &&
        event.attributes.scheduledEventId === command.attributes.scheduledEventId
      );
    case CommandType.RECORD_MARKER:
      return (
        event.eventType === EventType.MARKER_RECORDED && event.attributes.markerName === command.attributes.markerName
      );
    case CommandType.START_CHILD_WORKFLOW_EXECUTION:
      return (
        event.eventType === EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED &&
        event.attributes.workflowId === command.attributes.workflowId &&
        event.attributes.workflowType.name === command.attributes.workflowType.name
      );
    case CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION:
      return (
        event.eventType === EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED &&
        event.attributes.signalName === command.attributes.signalName &&
        event.attributes.workflowExecution.workflowId === command.attributes.execution?.workflowId
      );
    case CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION:
      return (
        event.eventType === EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED &&
        event.attributes.workflowExecution.workflowId === command.attributes.workflowId
      );
    case CommandType.SCHEDULE_NEXUS_OPERATION:
      return (
        event.eventType === EventType.NEXUS_OPERATION_SCHEDULED &&
        event.attributes.endpoint === command.attributes.endpoint &&
        event.attributes.service === command.attributes.service &&
        event.attributes.operation === command.attributes.operation
      );
    case CommandType.REQUEST_CANCEL_NEXUS_OPERATION:
      return (
        event.eventType === EventType.NEXUS_OPERATION_CANCEL_REQUESTED &&
        event.attributes.scheduledEventId === command.attributes.scheduledEventId
      );
    default:
      return true;
  }
}

export const acceptanceId = (updateId: string): string => `${updateId}/accept`;
export const responseId = (updateId: string): string => `${updateId}/complete`;

/** Of the message that became this event. */
function messageIdOf(event: HistoryEvent): string | undefined {
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
      return acceptanceId(event.attributes.protocolInstanceId ?? '');
    case EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED:
      return responseId(event.attributes.meta?.updateId ?? '');
    default:
      return undefined;
  }
}

export class Drafts {
  /** Neither withdrawn and forgotten nor matched yet, oldest first. */
  #waiting: Draft[] = [];

  add(
    command: Command,
    { site, userMetadata, eventGroupMarkers }: Asked = {},
    { onEvent, message }: Partial<Pick<Draft, 'onEvent' | 'message'>> = {},
  ): Draft {
    const draft: Draft = {
      command: {
        ...command,
        ...(userMetadata !== undefined && { userMetadata }),
        ...(eventGroupMarkers !== undefined && { eventGroupMarkers }),
      },
      site,
      dropped: false,
      sent: false,
      onEvent,
      message,
    };
    this.#waiting.push(draft);
    return draft;
  }

  /** The workflow task is answered: its commands, a closing one last (the first, if there are several). */
  send(): { commands: Command[]; messages: ProtocolMessage[] } {
    const unsent = this.#waiting.filter(({ dropped, sent }) => !dropped && !sent);
    const kept = unsent.filter(({ command }) => !isClosing(command));
    const closing = unsent.find(({ command }) => isClosing(command));
    if (closing !== undefined) kept.push(closing);
    this.#waiting = [...this.#waiting.filter(({ sent }) => sent), ...kept];
    for (const draft of kept) draft.sent = true;
    const messages = kept.flatMap(({ message }) => (message === undefined ? [] : [message]));
    return { commands: kept.map(({ command }) => command), messages };
  }

  /** The next command without an event. */
  next(): Draft | undefined {
    return this.#first();
  }

  /** `draft` has met its event, or needs none. */
  settle(draft: Draft, eventId?: number): void {
    draft.sent = true;
    this.#waiting.splice(this.#waiting.indexOf(draft), 1);
    if (isClosing(draft.command)) this.#waiting = this.#waiting.filter(({ command }) => !isClosing(command));
    if (eventId !== undefined) draft.onEvent?.(eventId);
  }

  /** The first that was not withdrawn; a closing command only when nothing else is left. */
  #first(): Draft | undefined {
    let closing: Draft | undefined;
    for (const draft of this.#waiting) {
      if (draft.dropped) continue;
      if (!isClosing(draft.command)) return draft;
      closing ??= draft;
    }
    return closing;
  }
}
