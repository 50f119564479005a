// The strictest oracle of the engine: every recorded history of the reference server, worked on task by task as a worker would, must
// lead to exactly the recorded command events, flags and task failures; and it must replay cold.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Command } from '../../../src/wire/command.ts';
import { CommandType, EventType, WorkflowTaskFailedCause } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { MessageType, type ProtocolMessage } from '../../../src/wire/protocol-message.ts';
import { plain } from '../../../test/golden/native/plain.ts';
import { IN_SCOPE, ON_PURPOSE } from '../../../test/golden/native/scope.ts';
import { bundleWorkflowCode } from './bundle.ts';
import { isCommandEvent } from './drafts.ts';
import { HostDriver } from './host-driver.test-support.ts';
import { decodeLocalActivityMarker } from './markers.ts';
import { Realm } from './realm.ts';
import { type RecordedRun, recordedRuns } from './recorded.test-support.ts';

const golden = new URL('../../../test/golden/', import.meta.url);
let realm: Realm;

beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('scenarios/workflows/index.js', golden));
  realm = new Realm(await bundleWorkflowCode({ workflowsPath }));
});

/** Attributes that the server adds to a command's event, or changes. */
const SERVERS_OWN = new Set([
  ...['workflowTaskCompletedEventId', 'identity', 'startedEventId', 'newExecutionRunId', 'retryState', 'namespaceId'],
  ...['backoffStartInterval', 'initiator', 'retryPolicy', 'scheduleToCloseTimeout', 'scheduleToStartTimeout'],
  ...[
    'startToCloseTimeout',
    'heartbeatTimeout',
    'workflowRunTimeout',
    'workflowTaskTimeout',
    'workflowExecutionTimeout',
  ],
  ...['priority', 'parentClosePolicy', 'workflowIdReusePolicy', 'taskQueue', 'memo', 'searchAttributes'],
]);
/** Timeouts the server clamps to those around them. */
const CLAMPED = new Set(['heartbeatTimeout', 'scheduleToStartTimeout', 'startToCloseTimeout']);
/** Attributes of commands that their events lack. */
const COMMANDS_OWN = new Set(['requestEagerExecution', 'retryPolicy']);

const COMMAND_NAMES = new Map(Object.entries(CommandType).map(([name, number]) => [number as number, name]));

function plainCommand(command: Command): Record<string, unknown> {
  const pascal = (COMMAND_NAMES.get(command.commandType) ?? '')
    .toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return asInEvent(command, plain(`temporal.api.command.v1.${pascal}CommandAttributes`, command.attributes));
}

/** Commands and events name another workflow differently. */
function asInEvent({ commandType }: Command, attributes: Record<string, unknown>): Record<string, unknown> {
  switch (commandType) {
    case CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: {
      const { execution: workflowExecution, ...rest } = attributes;
      return { ...rest, workflowExecution };
    }
    case CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: {
      const { workflowId, runId, ...rest } = attributes;
      return { ...rest, workflowExecution: runId === undefined ? { workflowId } : { workflowId, runId } };
    }
    default:
      return attributes;
  }
}

function attributesOf(event: object): Record<string, unknown> {
  const [, attributes] = Object.entries(event).find(([key]) => key.endsWith('EventAttributes')) ?? [];
  return (attributes ?? {}) as Record<string, unknown>;
}

const NOT_COMPARED = ['stackTrace', 'identity'];
/** On the payloads of search attributes, by the server. */
const STAMPED = ['type'];

/** What the recorder makes placeholders of, or leaves out. */
function comparable(value: unknown, key = ''): unknown {
  if (key === 'complete_time' || key === 'original_schedule_time') return '<time>';
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => comparable(item));
  const dropped = key === 'metadata' ? STAMPED : NOT_COMPARED;
  const entries = Object.entries(value).filter(([name]) => !dropped.includes(name));
  return Object.fromEntries(entries.map(([name, member]) => [name, comparable(member, name)]));
}

/** `command`'s attributes against those of the event it led to. */
function expectSame(command: Record<string, unknown>, event: Record<string, unknown>): void {
  const names = new Set([...Object.keys(command), ...Object.keys(event)]);
  for (const name of names) {
    if (COMMANDS_OWN.has(name)) continue;
    if (SERVERS_OWN.has(name) && command[name] === undefined) continue;
    if (name === 'taskQueue' || (CLAMPED.has(name) && event[name] !== undefined)) continue;
    expect({ [name]: comparable(command[name]) }).toEqual({ [name]: comparable(event[name]) });
  }
}

function commandEvents(run: RecordedRun, startedIndex: number): number[] {
  const indices: number[] = [];
  for (let i = startedIndex + 2; i < run.events.length; i++) {
    const event = run.events[i];
    if (event === undefined || event.eventType === EventType.WORKFLOW_TASK_SCHEDULED) break;
    if (isCommandEvent(event)) indices.push(i);
  }
  return indices;
}

/** The updates that a task accepted, as it carried them. */
function requests(run: RecordedRun, indices: readonly number[]): ProtocolMessage[] {
  return indices.flatMap((index) => {
    const event = run.events[index];
    if (event?.eventType !== EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED) return [];
    const { protocolInstanceId = '', acceptedRequestMessageId = '', acceptedRequest = {} } = event.attributes;
    const eventId = event.attributes.acceptedRequestSequencingEventId;
    const body = { type: MessageType.REQUEST, value: acceptedRequest };
    return [{ id: acceptedRequestMessageId, protocolInstanceId, eventId, body }];
  });
}

/** What becomes of an answer to an update, but for what the server adds. */
function eventOfMessage({ protocolInstanceId, body }: ProtocolMessage): unknown {
  if (body.type === MessageType.ACCEPTANCE) return comparable({ protocolInstanceId, ...body.value });
  const acceptedEventId = expect.any(Number) as unknown;
  return { ...(comparable(body.value) as object), acceptedEventId };
}

/** Answers local activities with what the recording says, in its order. */
function answerLocalActivities(driver: HostDriver, run: RecordedRun, indices: readonly number[]): void {
  for (const index of indices) {
    const event = run.events[index];
    const marker =
      event?.eventType === EventType.MARKER_RECORDED ? decodeLocalActivityMarker(event.attributes) : undefined;
    if (marker === undefined) continue;
    const { seq, attempt, originalScheduledTime, completedTime, backoffMs, failure, result } = marker;
    const common = { attempt, originalScheduledTime, completedTime };
    if (backoffMs !== undefined)
      driver.resolveLocally(run.runId, seq, { kind: 'backoff', backoffMs, failure, ...common });
    else if (failure !== undefined) driver.resolveLocally(run.runId, seq, { kind: 'failed', failure, ...common });
    else driver.resolveLocally(run.runId, seq, { kind: 'completed', result, ...common });
  }
}

const isSticky = (event: HistoryEvent | undefined): boolean =>
  event?.eventType === EventType.WORKFLOW_TASK_SCHEDULED && event.attributes.taskQueue?.kind === 2;

/** As JSON, whatever else it has. */
interface PlainFailure {
  readonly message: string;
}

/** Whether a scenario's failed workflow tasks say more than the recorded ones: these come first. */
const saysMore = (name: string): boolean =>
  ON_PURPOSE[name]?.paths.includes('**.workflowTaskFailedEventAttributes.failure.message') ?? false;

function workThrough(name: string, run: RecordedRun): void {
  const driver = new HostDriver(realm);
  let warmTo = 0;
  for (const [index, event] of run.events.entries()) {
    if (event.eventType !== EventType.WORKFLOW_TASK_STARTED) continue;
    const outcome = run.events[index + 1];
    const scheduled = run.events.find(({ eventId }) => eventId === event.attributes.scheduledEventId);
    const from = isSticky(scheduled) ? warmTo : 0;
    const events = run.events.slice(from, index + 1);
    const answeredByHand =
      outcome?.eventType === EventType.WORKFLOW_TASK_COMPLETED && !outcome.attributes.workerVersion;
    if (answeredByHand) continue;
    if (outcome?.eventType === EventType.WORKFLOW_TASK_COMPLETED) {
      const indices = commandEvents(run, index);
      driver.task(run, events, { messages: requests(run, indices) });
      answerLocalActivities(driver, run, indices);
      const { request } = driver.take('completed');
      expect(request.commands.map(plainCommand)).toHaveLength(indices.length);
      for (const [i, at] of indices.entries()) {
        const command = request.commands[i];
        if (command?.commandType === CommandType.PROTOCOL_MESSAGE) {
          const message = request.messages?.find(({ id }) => id === command.attributes.messageId);
          expect(message && eventOfMessage(message)).toMatchObject(comparable(run.events[at]?.attributes) as object);
        } else if (command !== undefined) expectSame(plainCommand(command), attributesOf(run.plain[at] ?? {}));
        expect(
          comparable(command?.userMetadata && plain('temporal.api.sdk.v1.UserMetadata', command.userMetadata)),
        ).toEqual(run.plain[at]?.userMetadata);
      }
      const recorded = attributesOf(run.plain[index + 1] ?? {}).sdkMetadata as Record<string, unknown> | undefined;
      expect(request.sdkMetadata?.langUsedFlags).toEqual(recorded?.langUsedFlags);
      expect(request.sdkMetadata?.coreUsedFlags).toEqual(recorded?.coreUsedFlags);
      warmTo = index + 1;
    } else if (outcome?.eventType === EventType.WORKFLOW_TASK_FAILED && isWorkersOwn(outcome)) {
      driver.task(run, events);
      const { request } = driver.take('failed');
      expect(request.cause).toBe(outcome.attributes.cause);
      if (request.cause !== WorkflowTaskFailedCause.NON_DETERMINISTIC_ERROR) {
        const { message, ...said } = comparable(
          plain('temporal.api.failure.v1.Failure', request.failure ?? {}),
        ) as PlainFailure;
        const { message: recorded, ...rest } = comparable(
          attributesOf(run.plain[index + 1] ?? {}).failure,
        ) as PlainFailure;
        expect(said).toEqual(rest);
        expect(saysMore(name) ? message.slice(0, recorded.length) : message).toBe(recorded);
      }
    }
  }
}

/** The failure came from the workflow's code: not from a worker made by hand, nor from the server. */
function isWorkersOwn(event: Extract<HistoryEvent, { eventType: typeof EventType.WORKFLOW_TASK_FAILED }>): boolean {
  const { cause, failure } = event.attributes;
  return (
    (cause === WorkflowTaskFailedCause.WORKFLOW_WORKER_UNHANDLED_FAILURE && failure?.source === 'TypeScriptSDK') ||
    cause === WorkflowTaskFailedCause.NON_DETERMINISTIC_ERROR
  );
}

describe.each(IN_SCOPE.filter((name) => existsSync(new URL(`recorded/${name}.json`, golden))))('%s', (name) => {
  const runs = recordedRuns(new URL(`recorded/${name}.json`, golden));

  test('every task leads to the recorded commands', () => {
    for (const run of runs ?? []) workThrough(name, run);
  });

  test('replays cold', () => {
    for (const run of runs ?? []) {
      if (name === 'workflow-task-nondeterminism') continue;
      const driver = new HostDriver(realm);
      driver.query(run, run.events, '__temporal_workflow_metadata');
      const { result } = driver.take('queryAnswered');
      // Runs that never got to a workflow task have no state to ask.
      if (run.events.some(({ eventType }) => eventType === EventType.WORKFLOW_TASK_COMPLETED)) {
        expect(result.errorMessage).toBeUndefined();
      }
    }
  });
});
