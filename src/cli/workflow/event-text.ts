// One event of a history as a line for people: its type, and what tells it from others of its type. Below it, if wanted, all it says.

import { historyToJSON } from '../../../sdk/common/history-json.ts';
import { isRecord } from '../../../sdk/common/type-helpers.ts';
import { EventType, TimeoutType, WorkflowTaskFailedCause } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { Failure } from '../../wire/failure.ts';
import { STATE_MARKER } from '../../wire/markers.ts';
import { durationText } from '../duration-text.ts';
import { nameOf } from '../output.ts';
import { readable } from '../payload-text.ts';

/** Of a value within a line, in characters. */
const MAX_VALUE = 60;

const EVENT_NAMES = new Map<number, string>(Object.entries(EventType).map(([name, number]) => [number, pascal(name)]));

export const eventName = ({ eventType }: HistoryEvent): string => EVENT_NAMES.get(eventType) ?? String(eventType);

/** Names, ids and values, the failure if there is one. Empty where the type says all. */
export function eventSummary(event: HistoryEvent): string[] {
  const { attributes } = event;
  const parts: string[] = [];
  if ('activityType' in attributes && attributes.activityType) parts.push(attributes.activityType.name);
  if ('workflowType' in attributes && attributes.workflowType) parts.push(attributes.workflowType.name);
  // Which child, or which other workflow: many may be of one type.
  const other = otherWorkflow(event);
  if (other !== undefined) parts.push(other);
  if ('signalName' in attributes) parts.push(attributes.signalName);
  if ('timerId' in attributes) parts.push(`timer ${attributes.timerId}`);
  parts.push(...ownWords(event));
  if ('timeoutType' in attributes && attributes.timeoutType) parts.push(nameOf(TimeoutType, attributes.timeoutType));
  if ('failure' in attributes) parts.push(...messagesOf(attributes.failure));
  return parts;
}

/** All attributes, payloads as people read them. */
export function eventDetails(event: HistoryEvent): unknown {
  return readable(attributesOf(event));
}

/** What only events of its type have. */
function ownWords(event: HistoryEvent): string[] {
  switch (event.eventType) {
    case EventType.TIMER_STARTED:
      return [durationText(event.attributes.startToFireTimeout ?? 0)];
    case EventType.MARKER_RECORDED:
      return [event.attributes.markerName, ...ofMarker(event)];
    case EventType.WORKFLOW_TASK_FAILED:
      return [nameOf(WorkflowTaskFailedCause, event.attributes.cause ?? WorkflowTaskFailedCause.UNSPECIFIED)];
    case EventType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      return assignments(fieldsIn(eventDetails(event), 'searchAttributes', 'indexedFields'));
    case EventType.WORKFLOW_PROPERTIES_MODIFIED:
      return assignments(fieldsIn(eventDetails(event), 'upsertedMemo', 'fields'));
    case EventType.WORKFLOW_EXECUTION_UPDATE_ADMITTED:
      return updateWords(event.attributes.request);
    case EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
      return updateWords(event.attributes.acceptedRequest);
    case EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED: {
      const { meta, outcome } = event.attributes;
      return [...named(meta?.updateId), ...messagesOf(outcome?.failure)];
    }
    case EventType.NEXUS_OPERATION_SCHEDULED: {
      const { endpoint, service, operation } = event.attributes;
      return [...named(endpoint), ...named(service), ...named(operation)];
    }
    default:
      return [];
  }
}

const named = (name: string | undefined): string[] => (name ? [name] : []);

type UpdateRequest = Extract<
  HistoryEvent,
  { eventType: typeof EventType.WORKFLOW_EXECUTION_UPDATE_ADMITTED }
>['attributes']['request'];

const updateWords = (request: UpdateRequest): string[] => [
  ...named(request?.input?.name),
  ...named(request?.meta?.updateId),
];

/** What it is about: the keys and values of published state, a patch, a local activity. */
function ofMarker(event: HistoryEvent): string[] {
  const details = fieldsIn(eventDetails(event), 'details');
  const values = Object.entries(details).map(([key, list]) => [key, Array.isArray(list) ? list[0] : list] as const);
  if (fieldsIn(attributesOf(event)).markerName === STATE_MARKER) return assignments(Object.fromEntries(values));
  for (const [, value] of values) {
    if (!isRecord(value)) continue;
    const name = value.id ?? value.activity_type;
    if (typeof name === 'string') return [name];
  }
  return [];
}

function fieldsIn(value: unknown, ...path: string[]): Record<string, unknown> {
  let at = value;
  for (const name of path) at = isRecord(at) ? at[name] : undefined;
  return isRecord(at) ? at : {};
}

const assignments = (fields: Record<string, unknown>): string[] =>
  Object.entries(fields).map(([key, value]) => `${key}=${short(JSON.stringify(value) ?? '')}`);

const short = (text: string): string => (text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE - 1)}…`);

function messagesOf(failure: Failure | undefined): string[] {
  const messages: string[] = [];
  for (let at = failure; at; at = at.cause) if (at.message) messages.push(at.message);
  return messages;
}

/** Id of the child or other workflow that an event of this one is about. */
function otherWorkflow(event: HistoryEvent): string | undefined {
  switch (event.eventType) {
    case EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED:
    case EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED:
      return event.attributes.workflowId;
    default:
      return 'workflowExecution' in event.attributes ? event.attributes.workflowExecution.workflowId : undefined;
  }
}

function attributesOf(event: HistoryEvent): unknown {
  const [plain] = historyToJSON([event]).events as Record<string, unknown>[];
  const key = Object.keys(plain ?? {}).find((name) => name.endsWith('EventAttributes'));
  return key === undefined ? {} : plain?.[key];
}

function pascal(name: string): string {
  return name.toLowerCase().replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}
