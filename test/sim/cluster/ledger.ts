// A workflow of the cluster's simulation that takes updates: it refuses those that are bad and applies some by an activity. Pure, like the others
// (workflows.ts): from the history and the updates that a task brings come its commands and messages.

import { jsonPayloads } from '../../../src/core/workflow/fields.ts';
import { message, places } from '../../../src/core/workflow/testing.ts';
import type { Command } from '../../../src/wire/command.ts';
import { EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { MessageType, type ProtocolMessage } from '../../../src/wire/protocol-message.ts';
import { activity, complete } from './workflows.ts';

export const UPDATE = 'note';

export const isBad = (updateId: string): boolean => updateId.startsWith('bad');
const isSlow = (updateId: string): boolean => updateId.endsWith('1');
const stepOf = (updateId: string): string => `apply-${updateId}`;

const TASK_ENDS: ReadonlySet<EventType> = new Set([
  EventType.WORKFLOW_TASK_COMPLETED,
  EventType.WORKFLOW_TASK_FAILED,
  EventType.WORKFLOW_TASK_TIMED_OUT,
]);

/** The last of its workflow tasks that are over ran out of time. One that failed would be a fault of its worker. */
export function losesTasks(run: { readonly events: readonly HistoryEvent[] } | undefined): boolean {
  const over = run?.events.findLast(({ eventType }) => TASK_ENDS.has(eventType));
  return over?.eventType === EventType.WORKFLOW_TASK_TIMED_OUT;
}

export interface TaskAnswer {
  readonly commands: Command[];
  readonly messages: ProtocolMessage[];
}

/** @param total good updates until it ends */
export function ledgerAnswer(
  events: readonly HistoryEvent[],
  asked: readonly ProtocolMessage[],
  total: number,
): TaskAnswer {
  const open = new Set<string>();
  const steps = new Map<number, string>();
  const applied = new Set<string>();
  let completed = 0;
  for (const event of events) {
    switch (event.eventType) {
      case EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
        open.add(event.attributes.protocolInstanceId ?? '');
        break;
      case EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED:
        open.delete(event.attributes.meta?.updateId ?? '');
        completed += 1;
        break;
      case EventType.ACTIVITY_TASK_SCHEDULED:
        steps.set(event.eventId, event.attributes.activityId);
        break;
      case EventType.ACTIVITY_TASK_COMPLETED:
        applied.add(steps.get(event.attributes.scheduledEventId) ?? '');
        break;
      default:
        break;
    }
  }
  const commands: Command[] = [];
  const messages: ProtocolMessage[] = [];
  const say = (said: ProtocolMessage): void => {
    messages.push(said);
    commands.push(...places(said));
  };
  const respond = (id: string): void => {
    say(message.respond(id, { success: jsonPayloads(id) }));
    completed += 1;
  };
  for (const id of open) if (applied.has(stepOf(id))) respond(id);
  for (const { protocolInstanceId: id, body } of asked) {
    if (isBad(id)) {
      messages.push(message.reject(id));
      continue;
    }
    // Workers send the request back: the server may have lost its own with its process.
    say(message.accept(id, body.type === MessageType.REQUEST ? body.value : undefined));
    if (isSlow(id)) commands.push(activity(stepOf(id)));
    else respond(id);
  }
  if (completed >= total) commands.push(complete(completed));
  return { commands, messages };
}
