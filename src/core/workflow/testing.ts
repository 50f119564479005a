// The helper language of the core's tests: one actor, a clock that is moved by hand, and short verbs for what the world does. Used by tests only.

import type { Command, ScheduleNexusOperationCommandAttributes } from '../../wire/command.ts';
import type { SearchAttributes, UpdateOutcome, UpdateRequest } from '../../wire/common.ts';
import { CommandType, EventType, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { Failure } from '../../wire/failure.ts';
import { STATE_MARKER } from '../../wire/markers.ts';
import type { NexusEndpoint } from '../../wire/nexus.ts';
import { MessageType, type ProtocolMessage } from '../../wire/protocol-message.ts';
import type { Status } from '../../wire/status.ts';
import { familyOf } from '../deployment/versioned-queue.ts';
import { Breakers } from '../nexus/breakers.ts';
import { bookOf } from '../nexus/endpoints.ts';
import { decide } from './decide.ts';
import { evolve } from './evolve.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import type {
  CompleteWorkflowTaskMessage,
  Message,
  ResetHistory,
  ResetMessage,
  StartMessage,
  Taker,
  TaskRef,
} from './message.ts';
import type {
  Decision,
  Effect,
  Outcome,
  StartedActivityTask,
  StartedWorkflowTask,
  TaskOffer,
  TurnContext,
} from './outcome.ts';
import {
  type ActorState,
  adopt,
  emptyState,
  load,
  nextDeadline,
  type StoredRow,
  volatileDeadline,
  waitingOffers,
} from './state.ts';
import { PAYMENTS } from './testing-endpoints.ts';

export const WORKFLOW_ID = 'order-1';

export const QUEUE = 'orders';
export const WORKER = 'worker@host';
export const SESSION = 'session-1';
export const STICKY_QUEUE = 'sticky-1';

const encoder = new TextEncoder();

export const payloads = (...values: unknown[]) => ({
  payloads: values.map((value) => ({
    metadata: { encoding: encoder.encode('json/plain') },
    data: encoder.encode(JSON.stringify(value)),
  })),
});

export const applicationFailure = (message: string, over: Failure['applicationFailureInfo'] = {}): Failure => ({
  message,
  source: 'test',
  applicationFailureInfo: { type: 'Boom', ...over },
});

type ActivityOver = Partial<Extract<Command, { commandType: typeof CommandType.SCHEDULE_ACTIVITY_TASK }>['attributes']>;
type ChildOver = Partial<
  Extract<Command, { commandType: typeof CommandType.START_CHILD_WORKFLOW_EXECUTION }>['attributes']
>;
type SignalOver = Partial<
  Extract<Command, { commandType: typeof CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION }>['attributes']
>;
type CancelOver = Partial<
  Extract<Command, { commandType: typeof CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION }>['attributes']
>;

/** Commands, briefly. */
export const command = {
  activity: (activityId: string, over: ActivityOver = {}): Command => ({
    commandType: CommandType.SCHEDULE_ACTIVITY_TASK,
    attributes: {
      activityId,
      activityType: { name: 'charge' },
      taskQueue: { name: QUEUE },
      startToCloseTimeout: 30_000,
      ...over,
    },
  }),
  cancelActivity: (scheduledEventId: number): Command => ({
    commandType: CommandType.REQUEST_CANCEL_ACTIVITY_TASK,
    attributes: { scheduledEventId },
  }),
  timer: (timerId: string, startToFireTimeout: number): Command => ({
    commandType: CommandType.START_TIMER,
    attributes: { timerId, startToFireTimeout },
  }),
  cancelTimer: (timerId: string): Command => ({ commandType: CommandType.CANCEL_TIMER, attributes: { timerId } }),
  upsert: (searchAttributes: SearchAttributes): Command => ({
    commandType: CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    attributes: { searchAttributes },
  }),
  marker: (markerName: string): Command => ({ commandType: CommandType.RECORD_MARKER, attributes: { markerName } }),
  publish: (values: Record<string, unknown>): Command => ({
    commandType: CommandType.RECORD_MARKER,
    attributes: {
      markerName: STATE_MARKER,
      details: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, payloads(value)])),
    },
  }),
  complete: (result?: unknown): Command => ({
    commandType: CommandType.COMPLETE_WORKFLOW_EXECUTION,
    attributes: result === undefined ? {} : { result: payloads(result) },
  }),
  fail: (failure: Failure): Command => ({
    commandType: CommandType.FAIL_WORKFLOW_EXECUTION,
    attributes: { failure },
  }),
  cancel: (): Command => ({ commandType: CommandType.CANCEL_WORKFLOW_EXECUTION, attributes: {} }),
  continueAsNew: (
    over: Extract<Command, { commandType: typeof CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION }>['attributes'] = {},
  ): Command => ({ commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION, attributes: over }),
  child: (workflowId: string, over: ChildOver = {}): Command => ({
    commandType: CommandType.START_CHILD_WORKFLOW_EXECUTION,
    attributes: { workflowId, workflowType: { name: 'parcel' }, taskQueue: { name: QUEUE }, ...over },
  }),
  signalOther: (workflowId: string, signalName: string, over: SignalOver = {}): Command => ({
    commandType: CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
    attributes: { execution: { workflowId }, signalName, ...over },
  }),
  nexus: (over: Partial<ScheduleNexusOperationCommandAttributes> = {}): Command => ({
    commandType: CommandType.SCHEDULE_NEXUS_OPERATION,
    attributes: { endpoint: 'payments', service: 'shop', operation: 'pay', ...over },
  }),
  cancelNexus: (scheduledEventId: number): Command => ({
    commandType: CommandType.REQUEST_CANCEL_NEXUS_OPERATION,
    attributes: { scheduledEventId },
  }),
  cancelOther: (workflowId: string, over: CancelOver = {}): Command => ({
    commandType: CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
    attributes: { workflowId, ...over },
  }),
};

/** Answers to updates, briefly. */
export const message = {
  accept: (updateId: string, acceptedRequest?: UpdateRequest): ProtocolMessage => ({
    id: `${updateId}/accept`,
    protocolInstanceId: updateId,
    body: {
      type: MessageType.ACCEPTANCE,
      value: { acceptedRequestMessageId: `${updateId}/request`, acceptedRequestSequencingEventId: 0, acceptedRequest },
    },
  }),
  respond: (updateId: string, outcome: UpdateOutcome = { success: payloads('ok') }): ProtocolMessage => ({
    id: `${updateId}/complete`,
    protocolInstanceId: updateId,
    body: { type: MessageType.RESPONSE, value: { outcome } },
  }),
  reject: (updateId: string, why = 'no'): ProtocolMessage => ({
    id: `${updateId}/reject`,
    protocolInstanceId: updateId,
    body: { type: MessageType.REJECTION, value: { failure: applicationFailure(why) } },
  }),
};

/** The commands that give messages their place. */
export const places = (...messages: ProtocolMessage[]): Command[] =>
  messages.map(({ id }) => ({ commandType: CommandType.PROTOCOL_MESSAGE, attributes: { messageId: id } }));

const EVENT_NAMES = new Map<number, string>(Object.entries(EventType).map(([name, type]) => [type, name]));

export const eventName = (event: HistoryEvent): string => EVENT_NAMES.get(event.eventType) ?? String(event.eventType);

/** One actor in its world. */
export class World {
  readonly namespace: string;
  readonly workflowId: string;
  state: ActorState;
  now = 1_000_000;
  limits: Limits;
  readonly namespaces = new Map([['default', { id: 'id-of-default' }]]);
  /** Nexus endpoints, by name. */
  readonly endpoints = new Map<string, NexusEndpoint>([['payments', PAYMENTS]]);
  /** What storage holds: applied row changes. */
  readonly rows = new Map<string, StoredRow>();
  readonly histories = new Map<string, HistoryEvent[]>();
  effects: Effect[] = [];
  /** Of Nexus destinations. */
  readonly breakers = new Breakers();
  /** By which tasks of runs that are not pinned are offered. */
  routes: TurnContext['routes'];
  #seq = 0;
  #runs = 0;

  constructor(limits: Partial<Limits> = {}, workflowId = WORKFLOW_ID, namespace = 'default') {
    this.namespace = namespace;
    this.workflowId = workflowId;
    this.state = emptyState(namespace, workflowId);
    this.limits = { ...DEFAULT_LIMITS, ...limits };
  }

  decide(message: Message): Decision {
    return decide(this.state, message, this.context());
  }

  context(): TurnContext {
    const { now, limits, namespaces, endpoints, breakers, routes } = this;
    return { now, spareRunId: this.spareRunId(), limits, namespaces, endpoints: bookOf(endpoints), breakers, routes };
  }

  spareRunId(): string {
    return `next-${this.#runs}`;
  }

  /** Sends a message; an accepted one is applied to state, rows and histories. */
  send(message: Message): Decision {
    const decision = this.decide(message);
    if (decision.ok) this.apply(decision);
    return decision;
  }

  accept(message: Message): Outcome {
    const decision = this.send(message);
    if (!decision.ok) throw new Error(`${message.type} was refused: ${decision.status.message}`);
    return decision;
  }

  refuse(message: Message): Status {
    const decision = this.send(message);
    if (decision.ok) throw new Error(`${message.type} was accepted`);
    return decision.status;
  }

  apply(outcome: Outcome): void {
    this.#runs += 1;
    for (const { table, runId, id, value } of outcome.rows) {
      const key = JSON.stringify([table, runId, id]);
      if (value === undefined) this.rows.delete(key);
      else this.rows.set(key, { table, runId, id, value });
    }
    for (const { runId, events } of outcome.events) {
      const history = this.histories.get(runId) ?? [];
      history.push(...events);
      this.histories.set(runId, history);
    }
    this.state = evolve(this.state, outcome);
    this.effects = outcome.effects;
    for (const effect of outcome.effects)
      if (effect.type === 'destinationNoted') this.breakers.note(effect.destination, effect.note, this.now);
  }

  /** The actor is dropped and rebuilt from its rows; what is volatile by design is lost. */
  reload(): void {
    this.state = this.rebuilt();
  }

  /** An earlier run is read back, as the shard does before a message that names it. */
  adopt(runId: string): void {
    adopt(
      this.state,
      runId,
      [...this.rows.values()].filter((row) => row.table === 'chain' || row.runId === runId),
    );
  }

  rebuilt(): ActorState {
    const { chain } = this.state;
    const wanted = [...this.rows.values()].filter(
      ({ table, runId }) => table === 'chain' || runId === chain?.currentRunId,
    );
    return load(this.namespace, this.workflowId, wanted);
  }

  // ---------------------------------------------------------------- what clients do

  start(over: Partial<StartMessage> = {}): Outcome {
    return this.accept(this.startMessage(over));
  }

  startMessage(over: Partial<StartMessage> = {}): StartMessage {
    return {
      type: 'start',
      runId: `run-${this.#runs}`,
      requestId: `start-${this.#runs}`,
      identity: 'client',
      workflowType: 'order',
      taskQueue: QUEUE,
      reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      conflictPolicy: WorkflowIdConflictPolicy.FAIL,
      ...over,
    };
  }

  signalMessage(signalName: string, over: Partial<Extract<Message, { type: 'signal' }>> = {}): Message {
    return { type: 'signal', target: {}, signalName, identity: 'client', requestId: `signal-${signalName}`, ...over };
  }

  signal(signalName: string): Outcome {
    return this.accept(this.signalMessage(signalName));
  }

  cancel(requestId = 'cancel'): Outcome {
    return this.accept({ type: 'requestCancel', target: {}, identity: 'client', requestId });
  }

  terminate(): Outcome {
    return this.accept({ type: 'terminate', target: {}, reason: 'enough', identity: 'client', requestId: 'terminate' });
  }

  /** Back to the end of the workflow task with this event; without one, of the last that completed. */
  resetMessage(over: Partial<ResetMessage> = {}): ResetMessage {
    const base = this.history(over.target?.runId);
    const completed = base.findLast(({ eventType }) => eventType === EventType.WORKFLOW_TASK_COMPLETED);
    return {
      type: 'reset',
      target: {},
      runId: `run-${this.#runs}`,
      requestId: `reset-${this.#runs}`,
      reason: 'try again',
      identity: 'client',
      workflowTaskFinishEventId: completed?.eventId ?? 0,
      exclude: [],
      history: { base, later: this.#later(base) },
      ...over,
    };
  }

  /** As the shard finds them: from run to run that continued as new. */
  #later(base: readonly HistoryEvent[]): ResetHistory['later'] {
    const last = base.at(-1);
    if (last?.eventType !== EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW) return [];
    const { newExecutionRunId: runId = '' } = last.attributes;
    const events = this.history(runId);
    return [{ runId, events }, ...this.#later(events)];
  }

  query(queryId: string, over: Partial<Extract<Message, { type: 'query' }>> = {}): Decision {
    return this.send({ type: 'query', queryId, target: {}, queryType: 'state', ...over });
  }

  update(updateId: string, over: Partial<Extract<Message, { type: 'update' }>> = {}): Decision {
    return this.send(this.updateMessage(updateId, over));
  }

  updateMessage(
    updateId: string,
    over: Partial<Extract<Message, { type: 'update' }>> = {},
  ): Extract<Message, { type: 'update' }> {
    const callId = `call-${updateId}`;
    const ask = { callId, until: 'completed' as const, updateId, updateName: 'add', args: payloads(updateId) };
    return { type: 'update', target: {}, identity: 'client', ...ask, ...over };
  }

  // ---------------------------------------------------------------- what workers do

  taker(over: Partial<Taker> = {}): Taker {
    this.#seq += 1;
    return {
      startId: { term: 1, seq: this.#seq },
      requestId: `take-${this.#seq}`,
      identity: WORKER,
      session: SESSION,
      stickyQueue: STICKY_QUEUE,
      stickyScheduleToStartTimeout: 5_000,
      ...over,
    };
  }

  offer(kind: TaskOffer['kind'], scheduledEventId?: number): TaskOffer {
    const offers = waitingOffers(this.state).filter(
      (offer) => offer.kind === kind && (scheduledEventId === undefined || offer.scheduledEventId === scheduledEventId),
    );
    const [offer] = offers;
    if (offer === undefined) throw new Error(`no ${kind} task waits`);
    return offer;
  }

  takeWorkflowTask(over: Partial<Taker> = {}): StartedWorkflowTask {
    const { runId, scheduledEventId, attempt, sticky, taskQueue } = this.offer('workflow');
    const { reply } = this.accept({
      type: 'startWorkflowTask',
      runId,
      scheduledEventId,
      attempt,
      taker: this.taker({ version: familyOf(taskQueue).version, ...over }),
      sticky: sticky !== undefined,
    });
    if (reply.type !== 'workflowTaskStarted') throw new Error(`the reply is ${reply.type}`);
    return reply;
  }

  takeActivity(scheduledEventId?: number, over: Partial<Taker> = {}): StartedActivityTask {
    const offer = this.offer('activity', scheduledEventId);
    const { reply } = this.accept({
      type: 'startActivityTask',
      runId: offer.runId,
      scheduledEventId: offer.scheduledEventId,
      attempt: offer.attempt,
      taker: this.taker({ version: familyOf(offer.taskQueue).version, ...over }),
    });
    if (reply.type !== 'activityTaskStarted') throw new Error(`the reply is ${reply.type}`);
    return reply;
  }

  completeMessage(
    task: TaskRef,
    commands: Command[],
    over: Partial<CompleteWorkflowTaskMessage> = {},
  ): CompleteWorkflowTaskMessage {
    return {
      type: 'completeWorkflowTask',
      task,
      identity: WORKER,
      commands,
      sticky: false,
      forceCreateNewWorkflowTask: false,
      ...over,
    };
  }

  complete(task: TaskRef, ...commands: Command[]): Outcome {
    return this.accept(this.completeMessage(task, commands));
  }

  /** Takes the waiting workflow task and answers it with these commands. */
  work(...commands: Command[]): Outcome {
    return this.complete(this.takeWorkflowTask().ref, ...commands);
  }

  failTask(task: TaskRef): Outcome {
    return this.accept({
      type: 'failWorkflowTask',
      task,
      identity: WORKER,
      cause: 14,
      failure: applicationFailure('a bug'),
    });
  }

  completeActivity(task: TaskRef, result: unknown = 'done'): Outcome {
    return this.accept({
      type: 'completeActivityTask',
      activity: { task },
      identity: WORKER,
      result: payloads(result),
    });
  }

  failActivity(task: TaskRef, failure: Failure = applicationFailure('no')): Outcome {
    return this.accept({ type: 'failActivityTask', activity: { task }, identity: WORKER, failure });
  }

  // ---------------------------------------------------------------- time

  /** Time passes; whatever falls due meanwhile happens at its time. */
  pass(ms: number): void {
    const until = this.now + ms;
    for (let due = this.due(); due <= until; due = this.due()) {
      this.now = Math.max(this.now, due);
      this.accept({ type: 'timer' });
    }
    this.now = until;
  }

  /** Epoch ms of the next deadline, in rows or in memory; Infinity: none. */
  due(): number {
    const none = Number.POSITIVE_INFINITY;
    return Math.min(nextDeadline(this.state) ?? none, volatileDeadline(this.state) ?? none);
  }

  // ---------------------------------------------------------------- what came of it

  history(runId = this.state.chain?.currentRunId ?? ''): HistoryEvent[] {
    return this.histories.get(runId) ?? [];
  }

  /** Event types of a run, shortened. */
  types(runId?: string): string[] {
    return this.history(runId).map(eventName);
  }

  last(): HistoryEvent {
    const event = this.history().at(-1);
    if (event === undefined) throw new Error('there are no events');
    return event;
  }

  /** The last event of a type. */
  lastOf<T extends HistoryEvent['eventType']>(type: T): Extract<HistoryEvent, { eventType: T }> {
    const event = this.history().findLast((candidate) => candidate.eventType === type);
    if (event === undefined) throw new Error(`there is no ${EVENT_NAMES.get(type)}`);
    return event as Extract<HistoryEvent, { eventType: T }>;
  }
}
