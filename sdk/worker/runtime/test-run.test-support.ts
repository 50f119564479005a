// A run with a server played by the test: what the workflow asks for becomes events at once, the test adds the rest.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from '../../../src/wire/command.ts';
import type { Payloads } from '../../../src/wire/common.ts';
import { CommandType, EventType } from '../../../src/wire/enums.ts';
import type { EventAttributes, HistoryEvent, KnownEventType } from '../../../src/wire/event.ts';
import type { Failure } from '../../../src/wire/failure.ts';
import { MessageType, type ProtocolMessage } from '../../../src/wire/protocol-message.ts';
import type { RespondWorkflowTaskFailedRequest, WorkflowQuery } from '../../../src/wire/workflow-task.ts';
import { defaultPayloadConverter, fromPayloads, toPayloadsMessage } from '../../common/payload-converter.ts';
import type { LocalActivityResult } from '../thread-protocol.ts';
import { bundleWorkflowCode, type WorkflowBundleOptions } from './bundle.ts';
import { HostDriver, type MessageOf } from './host-driver.test-support.ts';
import { Realm } from './realm.ts';

/** Writes modules to a directory of their own and bundles `workflows.ts` among them; interceptor modules are named within it. */
export async function bundleOf(
  modules: string | Record<string, string>,
  options: Partial<WorkflowBundleOptions> = {},
): Promise<{ code: string; sourceMap: string }> {
  const files = typeof modules === 'string' ? { 'workflows.ts': modules } : modules;
  const directory = mkdtempSync(join(tmpdir(), 'tenuto-bundle-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    const inside = (path: string | URL) => join(directory, String(path));
    return await bundleWorkflowCode({
      workflowsPath: join(directory, 'workflows.ts'),
      ...options,
      workflowInterceptorModules: options.workflowInterceptorModules?.map(inside),
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export async function realmOf(
  modules: string | Record<string, string>,
  options: Partial<WorkflowBundleOptions> = {},
): Promise<Realm> {
  return new Realm(await bundleOf(modules, options));
}

export const payloads = (...values: unknown[]): Payloads | undefined =>
  toPayloadsMessage(defaultPayloadConverter, values);
export const values = (message: Payloads | undefined): unknown[] => fromPayloads(defaultPayloadConverter, message);

const EVENT_OF: Partial<Record<CommandType, KnownEventType>> = {
  [CommandType.SCHEDULE_ACTIVITY_TASK]: EventType.ACTIVITY_TASK_SCHEDULED,
  [CommandType.REQUEST_CANCEL_ACTIVITY_TASK]: EventType.ACTIVITY_TASK_CANCEL_REQUESTED,
  [CommandType.START_TIMER]: EventType.TIMER_STARTED,
  [CommandType.CANCEL_TIMER]: EventType.TIMER_CANCELED,
  [CommandType.RECORD_MARKER]: EventType.MARKER_RECORDED,
  [CommandType.COMPLETE_WORKFLOW_EXECUTION]: EventType.WORKFLOW_EXECUTION_COMPLETED,
  [CommandType.FAIL_WORKFLOW_EXECUTION]: EventType.WORKFLOW_EXECUTION_FAILED,
  [CommandType.CANCEL_WORKFLOW_EXECUTION]: EventType.WORKFLOW_EXECUTION_CANCELED,
  [CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION]: EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
  [CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES]: EventType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
  [CommandType.MODIFY_WORKFLOW_PROPERTIES]: EventType.WORKFLOW_PROPERTIES_MODIFIED,
  [CommandType.START_CHILD_WORKFLOW_EXECUTION]: EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED,
  [CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION]: EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
  [CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION]:
    EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
};

/** Epoch ms of the first event; each further one is a second later. */
export const FIRST_EVENT_TIME = 1_700_000_000_000;
let runs = 0;

export class TestRun {
  readonly driver: HostDriver;
  readonly runId: string;
  readonly workflowId = 'workflow';
  events: HistoryEvent[] = [];
  /** Events the host has seen as part of its warm execution. */
  #warmTo = 0;
  #cold: boolean;

  constructor(
    driver: HostDriver | Realm,
    type: string,
    args: unknown[] = [],
    options: { runId?: string; cold?: true } = {},
  ) {
    this.driver = driver instanceof HostDriver ? driver : new HostDriver(driver);
    this.runId = options.runId ?? `run-${++runs}`;
    this.#cold = options.cold ?? false;
    this.add(EventType.WORKFLOW_EXECUTION_STARTED, {
      workflowType: { name: type },
      taskQueue: { name: 'queue' },
      input: payloads(...args),
      originalExecutionRunId: this.runId,
      firstExecutionRunId: this.runId,
      attempt: 1,
    });
  }

  add<T extends KnownEventType>(eventType: T, attributes: EventAttributes[T]): number {
    const eventId = this.events.length + 1;
    const event = { eventId, eventTime: FIRST_EVENT_TIME + this.events.length * 1000, eventType, attributes };
    // Type and attributes belong together by the signature.
    this.events.push(event as unknown as HistoryEvent);
    return eventId;
  }

  /** Begins a workflow task and sends it. */
  begin(more: { queries?: Record<string, WorkflowQuery>; messages?: ProtocolMessage[] } = {}): Uint8Array {
    const scheduledEventId = this.add(EventType.WORKFLOW_TASK_SCHEDULED, { taskQueue: { name: 'queue' } });
    this.add(EventType.WORKFLOW_TASK_STARTED, { scheduledEventId });
    return this.driver.task(this, this.events.slice(this.#cold ? 0 : this.#warmTo), more);
  }

  /** What the task just answered asked for, now in the history. */
  finish(): MessageOf<'completed'> {
    const completed = this.driver.take('completed');
    this.#warmTo = this.events.length;
    const scheduledEventId = this.events.length - 1;
    const { commands, messages = [], sdkMetadata } = completed.request;
    this.add(EventType.WORKFLOW_TASK_COMPLETED, {
      scheduledEventId,
      startedEventId: scheduledEventId + 1,
      sdkMetadata,
    });
    for (const command of commands) {
      if (command.commandType === CommandType.PROTOCOL_MESSAGE) {
        const message = messages.find(({ id }) => id === command.attributes.messageId);
        if (message === undefined) throw new Error(`No message ${command.attributes.messageId}`);
        this.#said(message);
      } else this.#happen(command);
    }
    return completed;
  }

  /** An update as a task carries it. */
  update(id: string, name: string, ...args: unknown[]): ProtocolMessage {
    const value = { meta: { updateId: id, identity: 'client' }, input: { name, args: payloads(...args) } };
    const eventId = this.events.length + 1;
    return { id: `${id}/request`, protocolInstanceId: id, eventId, body: { type: MessageType.REQUEST, value } };
  }

  /** A whole workflow task with these updates. @returns what the workflow says of them. */
  updateTask(...messages: ProtocolMessage[]): ProtocolMessage[] {
    this.begin({ messages });
    return this.finish().request.messages ?? [];
  }

  /** The same with updates that are all rejected: the server forgets that there was a task. @returns their failures. */
  forgottenTask(...messages: ProtocolMessage[]): Failure[] {
    const warmTo = this.#warmTo;
    this.begin({ messages });
    const { request } = this.driver.take('completed');
    this.events.length -= 2;
    this.#warmTo = warmTo;
    if (request.commands.length > 0) throw new Error('A task with commands is not forgotten');
    return (request.messages ?? []).map(({ body }) => {
      if (body.type !== MessageType.REJECTION) throw new Error(`A ${body.type} is no rejection`);
      return body.value.failure ?? {};
    });
  }

  /** A whole workflow task. @returns its commands. */
  task(): Command[] {
    this.begin();
    return this.finish().request.commands;
  }

  /** A workflow task that fails; the next comes with the whole history. */
  failingTask(): RespondWorkflowTaskFailedRequest['failure'] & { cause: unknown } {
    this.begin();
    const { request } = this.driver.take('failed');
    const startedEventId = this.events.length;
    this.add(EventType.WORKFLOW_TASK_FAILED, {
      scheduledEventId: startedEventId - 1,
      startedEventId,
      cause: request.cause,
      failure: request.failure,
    });
    this.#warmTo = 0;
    return { ...request.failure, cause: request.cause as never };
  }

  /** The next task finds no warm execution. */
  forget(): void {
    this.driver.host.handle({ type: 'evict', runId: this.runId, reason: 'test' });
    this.#warmTo = 0;
  }

  signal(signalName: string, ...args: unknown[]): void {
    this.add(EventType.WORKFLOW_EXECUTION_SIGNALED, { signalName, input: payloads(...args) });
  }

  cancel(): void {
    this.add(EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED, {});
  }

  fire(timerId: string): void {
    const started = this.events.find(
      (e) => e.eventType === EventType.TIMER_STARTED && e.attributes.timerId === timerId,
    );
    this.add(EventType.TIMER_FIRED, { timerId, startedEventId: started?.eventId ?? 0 });
  }

  completeActivity(activityId: string, result: unknown): void {
    const scheduledEventId = this.#activity(activityId);
    const startedEventId = this.add(EventType.ACTIVITY_TASK_STARTED, { scheduledEventId });
    this.add(EventType.ACTIVITY_TASK_COMPLETED, { scheduledEventId, startedEventId, result: payloads(result) });
  }

  failActivity(activityId: string, failure: Failure): void {
    const scheduledEventId = this.#activity(activityId);
    const startedEventId = this.add(EventType.ACTIVITY_TASK_STARTED, { scheduledEventId });
    this.add(EventType.ACTIVITY_TASK_FAILED, { scheduledEventId, startedEventId, failure });
  }

  cancelActivity(activityId: string): void {
    this.add(EventType.ACTIVITY_TASK_CANCELED, { scheduledEventId: this.#activity(activityId), startedEventId: 0 });
  }

  resolveLocally(seq: number, result: LocalActivityResult): void {
    this.driver.resolveLocally(this.runId, seq, result);
  }

  /** Asks the warm execution. */
  query(name: string, ...args: unknown[]): MessageOf<'queryAnswered'>['result'] {
    this.driver.query(this, [], { queryType: name, queryArgs: payloads(...args) });
    return this.driver.take('queryAnswered').result;
  }

  /** Replays everything so far in an execution of its own, and asks that. */
  replay(name = '__temporal_workflow_metadata', realm?: Realm): MessageOf<'queryAnswered'>['result'] {
    const driver = realm === undefined ? this.driver : new HostDriver(realm);
    driver.query({ workflowId: this.workflowId, runId: this.runId }, this.events, name);
    return driver.take('queryAnswered').result;
  }

  /** The value the workflow has returned. */
  get result(): unknown {
    const last = this.events.at(-1);
    if (last?.eventType !== EventType.WORKFLOW_EXECUTION_COMPLETED) throw new Error('The workflow has not completed');
    return values(last.attributes.result)[0];
  }

  #activity(activityId: string): number {
    const scheduled = this.events.findLast(
      (e) => e.eventType === EventType.ACTIVITY_TASK_SCHEDULED && e.attributes.activityId === activityId,
    );
    if (scheduled === undefined) throw new Error(`No activity ${activityId}`);
    return scheduled.eventId;
  }

  #said({ protocolInstanceId, body }: ProtocolMessage): void {
    if (body.type === MessageType.ACCEPTANCE) {
      this.add(EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED, { protocolInstanceId, ...body.value });
    } else if (body.type === MessageType.RESPONSE) {
      const acceptedEventId = this.events.findLastIndex(
        (e) =>
          e.eventType === EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED &&
          e.attributes.protocolInstanceId === protocolInstanceId,
      );
      const attributes = { meta: body.value.meta, acceptedEventId: acceptedEventId + 1, outcome: body.value.outcome };
      this.add(EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED, attributes);
    }
  }

  #happen(command: Command): void {
    const eventType = EVENT_OF[command.commandType];
    if (eventType === undefined) throw new Error(`No event for command ${command.commandType}`);
    const attributes = { workflowTaskCompletedEventId: this.#warmTo + 1, ...command.attributes };
    // Events name another workflow by its execution.
    if (command.commandType === CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION) {
      Object.assign(attributes, { workflowExecution: command.attributes.execution });
    } else if (command.commandType === CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION) {
      const { workflowId, runId } = command.attributes;
      Object.assign(attributes, { workflowExecution: { workflowId, runId } });
    }
    this.add(eventType, attributes as never);
  }
}
