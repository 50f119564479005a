// Reproduces a recorded history with the core alone: reads from the recording what the world did (who started, signalled, answered,
// and when deadlines passed), sends those messages to the actor, and lets the caller compare the events that come of it.
import {
  type ActorState,
  DEFAULT_LIMITS,
  type Decision,
  decide,
  emptyState,
  evolve,
  type Message,
  nextDeadline,
  type Taker,
  type TaskRef,
} from '../../../src/core/workflow/index.ts';
import type { Command } from '../../../src/wire/command.ts';
import {
  CommandType,
  EventType,
  ParentClosePolicy,
  ResetReapplyExcludeType,
  TimeoutType,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowTaskFailedCause,
} from '../../../src/wire/enums.ts';
import type { HistoryEvent, HistoryEventOf } from '../../../src/wire/event.ts';
import { MessageType, type ProtocolMessage } from '../../../src/wire/protocol-message.ts';
import { messageFor, messageOfOther, startOfChild } from './others.ts';

export interface Recording {
  workflowId: string;
  runId: string;
  events: HistoryEvent[];
}

const CLIENT = 'oracle-client';
const WORKER = 'oracle-worker';
const STICKY = '<sticky>';
const NAMESPACES = new Map([['default', { id: '<namespaceId>' }]]);

/** The run that begins with this event, when it is a reset's. */
const resetOf = (event: HistoryEvent): string | undefined =>
  event.eventType === EventType.WORKFLOW_TASK_FAILED &&
  event.attributes.cause === WorkflowTaskFailedCause.RESET_WORKFLOW
    ? event.attributes.newRunId
    : undefined;

/** One chain of runs of one workflow id. */
export class Replay {
  state: ActorState;
  readonly produced = new Map<string, HistoryEvent[]>();
  readonly #chain: Recording[];
  #now = 1_000_000;
  #seq = 0;
  /** Runs whose recording has been begun. */
  #begun = 0;
  #task: TaskRef | undefined;

  constructor(chain: Recording[]) {
    this.#chain = chain;
    this.state = emptyState('default', chain[0]?.workflowId ?? '');
  }

  run(): void {
    for (const recording of this.#chain) {
      this.#begun += 1;
      this.#replayRun(recording);
    }
  }

  #send(message: Message, spareRunId = this.#chain[this.#begun]?.runId ?? 'run#none'): Decision {
    const context = { now: this.#now, spareRunId, limits: DEFAULT_LIMITS, namespaces: NAMESPACES };
    const decision = decide(this.state, message, context);
    if (!decision.ok) return decision;
    this.state = evolve(this.state, decision);
    for (const { runId, events } of decision.events) {
      this.produced.set(runId, [...(this.produced.get(runId) ?? []), ...events]);
    }
    return decision;
  }

  #accept(message: Message, spareRunId?: string): void {
    const decision = this.#send(message, spareRunId);
    if (!decision.ok) throw new Error(`${message.type}: ${decision.status.message}`);
  }

  #taker(over: Partial<Taker> = {}): Taker {
    this.#seq += 1;
    return {
      startId: { term: 1, seq: this.#seq },
      requestId: '<requestId>',
      identity: WORKER,
      session: 'session',
      stickyQueue: STICKY,
      stickyScheduleToStartTimeout: 10_000,
      ...over,
    };
  }

  /** Time passes until something is due. */
  #passTime(): void {
    const due = nextDeadline(this.state);
    if (due === undefined) throw new Error('nothing will ever be due');
    this.#now = Math.max(this.#now, due);
    this.#accept({ type: 'timer' });
  }

  #replayRun({ runId, events }: Recording): void {
    for (let guard = 0; guard < 4 * events.length + 20; guard += 1) {
      const done = this.produced.get(runId)?.length ?? 0;
      const event = events[done];
      if (event === undefined) return;
      this.#cause(runId, events, event);
    }
    throw new Error(`${runId}: no progress at event ${this.produced.get(runId)?.length ?? 0}`);
  }

  /** Does what made this event come next. */
  #cause(runId: string, events: HistoryEvent[], event: HistoryEvent): void {
    switch (event.eventType) {
      case EventType.WORKFLOW_EXECUTION_STARTED:
        this.#start(runId, events, event);
        return;
      case EventType.WORKFLOW_TASK_SCHEDULED:
        // A task for updates alone has no events before it is completed, like a later attempt.
        if ((event.attributes.attempt ?? 1) > 1 || updatesOf(events, event.eventId + 1).length > 0) {
          this.#sendUpdates(events, event.eventId + 1);
          this.#takeTask(runId, events, event.eventId + 1);
          this.#endTask(runId, events, event.eventId + 1);
        } else this.#passTime();
        return;
      case EventType.WORKFLOW_TASK_STARTED:
        this.#takeTask(runId, events, event.eventId);
        return;
      case EventType.WORKFLOW_TASK_COMPLETED:
      case EventType.WORKFLOW_TASK_FAILED:
        if (
          event.eventType === EventType.WORKFLOW_TASK_FAILED &&
          event.attributes.cause === WorkflowTaskFailedCause.FORCE_CLOSE_COMMAND
        ) {
          this.#terminate(events[event.eventId]);
          return;
        }
        this.#endTask(runId, events, event.eventId - 1);
        return;
      case EventType.WORKFLOW_EXECUTION_TERMINATED:
        this.#terminate(event);
        return;
      case EventType.ACTIVITY_TASK_STARTED:
        this.#activity(runId, events, event);
        return;
      case EventType.WORKFLOW_EXECUTION_SIGNALED:
      case EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED:
        this.#external(event);
        return;
      case EventType.WORKFLOW_TASK_TIMED_OUT:
      case EventType.WORKFLOW_EXECUTION_TIMED_OUT:
      case EventType.ACTIVITY_TASK_TIMED_OUT:
      case EventType.TIMER_FIRED:
        this.#passTime();
        return;
      default: {
        const message = messageFor(runId, events, event);
        if (message === undefined) {
          throw new Error(`event ${event.eventId} of type ${event.eventType} does not come by itself`);
        }
        this.#accept(message);
      }
    }
  }

  #start(
    runId: string,
    events: HistoryEvent[],
    event: HistoryEventOf<typeof EventType.WORKFLOW_EXECUTION_STARTED>,
  ): void {
    if (this.#reset(runId, events)) return;
    const a = event.attributes;
    const child = startOfChild(event);
    if (child !== undefined) {
      this.#accept(child, runId);
      return;
    }
    const second = events[1];
    const signal = second?.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ? second.attributes : undefined;
    this.#accept({
      type: 'start',
      runId,
      requestId: `start ${runId}`,
      identity: a.identity ?? '',
      workflowType: a.workflowType.name,
      taskQueue: a.taskQueue.name,
      input: a.input,
      header: a.header,
      memo: a.memo,
      searchAttributes: a.searchAttributes,
      workflowExecutionTimeout: a.workflowExecutionTimeout,
      workflowRunTimeout: a.workflowRunTimeout,
      workflowTaskTimeout: a.workflowTaskTimeout,
      workflowStartDelay: a.firstWorkflowTaskBackoff,
      retryPolicy: a.retryPolicy,
      priority: a.priority,
      userMetadata: event.userMetadata,
      reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      conflictPolicy: WorkflowIdConflictPolicy.TERMINATE_EXISTING,
      eagerFor: a.eagerExecutionAccepted === true ? 'session' : undefined,
      signal:
        signal === undefined
          ? undefined
          : {
              signalName: signal.signalName,
              input: signal.input,
              header: signal.header,
              identity: signal.identity ?? '',
              requestId: '',
            },
    });
  }

  /** True when the run begins as the reset of one before it, which is done. */
  #reset(runId: string, events: HistoryEvent[]): boolean {
    const failed = events.find((event) => resetOf(event) === runId);
    if (failed?.eventType !== EventType.WORKFLOW_TASK_FAILED) return false;
    const { baseRunId = '', failure } = failed.attributes;
    const base = this.produced.get(baseRunId) ?? [];
    const reapplied = events[failed.eventId]?.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED;
    this.#accept({
      type: 'reset',
      target: { runId: baseRunId },
      runId,
      requestId: `reset ${runId}`,
      reason: failure?.message ?? '',
      identity: CLIENT,
      workflowTaskFinishEventId: failed.eventId,
      exclude: reapplied ? [] : [ResetReapplyExcludeType.SIGNAL],
      history: { base, later: [] },
    });
    return true;
  }

  #terminate(event: HistoryEvent | undefined): void {
    if (event?.eventType !== EventType.WORKFLOW_EXECUTION_TERMINATED) throw new Error('nothing terminates it');
    const { reason, details, identity } = event.attributes;
    // A start that ends the run before it is the next recording's.
    const next = this.#chain[this.#begun];
    if (identity === '<server>' && next !== undefined) {
      const started = next.events[0];
      if (started?.eventType === EventType.WORKFLOW_EXECUTION_STARTED) this.#start(next.runId, next.events, started);
      return;
    }
    const { firstExecutionRunId = '', parentWorkflowExecution: parent } = this.state.run?.start.attributes ?? {};
    if (reason === 'by parent close policy') {
      const { workflowId = '', runId = '' } = parent ?? {};
      const policy = ParentClosePolicy.TERMINATE;
      this.#accept({ type: 'parentClosed', policy, parent: { workflowId, runId }, firstRunId: firstExecutionRunId });
      return;
    }
    this.#accept({ type: 'terminate', target: {}, reason, details, identity: identity ?? CLIENT, requestId: '' });
  }

  #external(event: HistoryEvent): void {
    const message = messageOfOther(this.state.run?.runId ?? '', event);
    if (message !== undefined) this.#accept(message);
    else if (event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED) {
      const { signalName, input, header, identity = CLIENT } = event.attributes;
      const requestId = `signal ${event.eventId}`;
      this.#accept({ type: 'signal', target: {}, signalName, input, header, identity, requestId });
    } else if (event.eventType === EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED) {
      const { cause, identity = CLIENT } = event.attributes;
      this.#accept({
        type: 'requestCancel',
        target: {},
        reason: cause,
        identity,
        requestId: `cancel ${event.eventId}`,
      });
    }
  }

  /** The updates that the task with this Started event accepts; sent again when it carries them already. */
  #sendUpdates(events: HistoryEvent[], startedEventId: number): void {
    for (const { attributes } of updatesOf(events, startedEventId)) {
      if (!('acceptedRequest' in attributes)) continue;
      const { meta, input } = attributes.acceptedRequest ?? {};
      this.#accept({
        type: 'update',
        callId: `call ${meta?.updateId}`,
        until: 'completed',
        target: {},
        updateId: meta?.updateId ?? '',
        updateName: input?.name ?? '',
        args: input?.args,
        header: input?.header,
        identity: meta?.identity ?? '',
      });
    }
  }

  #takeTask(runId: string, events: HistoryEvent[], startedEventId: number): void {
    this.#sendUpdates(events, startedEventId);
    const task = this.state.run?.row.task ?? this.state.run?.speculative;
    if (task === undefined) throw new Error(`no workflow task waits before event ${startedEventId}`);
    const started = events[startedEventId - 1];
    const { identity = WORKER, workerVersion } =
      started?.eventType === EventType.WORKFLOW_TASK_STARTED ? started.attributes : {};
    const { scheduledEventId, attempt } = task;
    const taker = this.#taker({ identity, workerVersion });
    const decision = this.#send({
      type: 'startWorkflowTask',
      runId,
      scheduledEventId,
      attempt,
      taker,
      sticky: task.stickyQueue !== undefined,
    });
    if (!decision.ok || decision.reply.type !== 'workflowTaskStarted') throw new Error('the task did not start');
    this.#task = decision.reply.ref;
    const closing = events[startedEventId];
    if (closing === undefined) return;
    // What happened while it ran: everything foreign between its closing and the next Scheduled, when more than one event waited.
    const meanwhile = [];
    for (const event of events.slice(startedEventId + 1)) {
      const foreign =
        event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ||
        event.eventType === EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED;
      if (foreign) meanwhile.push(event);
      else if (!('workflowTaskCompletedEventId' in event.attributes)) break;
    }
    const refused =
      closing.eventType === EventType.WORKFLOW_TASK_FAILED &&
      closing.attributes.cause === WorkflowTaskFailedCause.UNHANDLED_COMMAND;
    if (meanwhile.length > 1 || refused) for (const event of meanwhile) this.#external(event);
  }

  /** Completes or fails the started task as the recording says. */
  #endTask(runId: string, events: HistoryEvent[], startedEventId: number): void {
    const task = this.#task;
    const closing = events[startedEventId];
    if (task === undefined || closing === undefined) throw new Error('no task is started');
    const complete = {
      type: 'completeWorkflowTask',
      task,
      identity: WORKER,
      forceCreateNewWorkflowTask: false,
    } as const;
    if (closing.eventType === EventType.WORKFLOW_TASK_TIMED_OUT) {
      this.#passTime();
      return;
    }
    if (closing.eventType === EventType.WORKFLOW_TASK_FAILED) {
      const { cause = 0, failure, identity = WORKER } = closing.attributes;
      if (cause === WorkflowTaskFailedCause.UNHANDLED_COMMAND) {
        const commands: Command[] = [{ commandType: CommandType.COMPLETE_WORKFLOW_EXECUTION, attributes: {} }];
        this.#accept({ ...complete, commands, sticky: true });
      } else {
        this.#accept({ type: 'failWorkflowTask', task, identity, cause, failure });
      }
      return;
    }
    if (closing.eventType !== EventType.WORKFLOW_TASK_COMPLETED)
      throw new Error(`event ${closing.eventId} ends no task`);
    const updates = new Set(updatesOf(events, startedEventId));
    const own = events.filter(
      (event) =>
        updates.has(event) ||
        ('workflowTaskCompletedEventId' in event.attributes &&
          event.attributes.workflowTaskCompletedEventId === closing.eventId),
    );
    for (const event of own) {
      if (event.eventType === EventType.ACTIVITY_TASK_CANCEL_REQUESTED) {
        this.#startIfRan(runId, events, event.attributes.scheduledEventId);
      }
    }
    const after = events[closing.eventId + own.length];
    const { workerVersion, sdkMetadata, meteringMetadata } = closing.attributes;
    this.#accept({
      ...complete,
      commands: own.map(commandOf),
      messages: own.flatMap(messageOf),
      sticky: usesSticky(events, closing.eventId),
      workerVersion,
      sdkMetadata,
      meteringMetadata,
      forceCreateNewWorkflowTask: after?.eventType === EventType.WORKFLOW_TASK_SCHEDULED,
    });
  }

  /** An activity whose cancellation is asked for was running if it has a Started event later. */
  #startIfRan(runId: string, events: HistoryEvent[], scheduledEventId: number): void {
    const ran = events.some(
      (event) =>
        event.eventType === EventType.ACTIVITY_TASK_STARTED && event.attributes.scheduledEventId === scheduledEventId,
    );
    if (ran) this.#startActivity(runId, scheduledEventId, undefined);
  }

  #startActivity(
    runId: string,
    scheduledEventId: number,
    started: HistoryEventOf<typeof EventType.ACTIVITY_TASK_STARTED> | undefined,
  ): TaskRef {
    const activity = this.state.run?.activities.get(scheduledEventId);
    if (activity === undefined) throw new Error(`activity ${scheduledEventId} is not pending`);
    const { attempt } = activity;
    if (activity.startId !== undefined) return { runId, scheduledEventId, attempt, startId: activity.startId };
    if (activity.inBackoff) this.#passTime();
    const taker = this.#taker({ workerVersion: started?.attributes.workerVersion });
    this.#accept({ type: 'startActivityTask', runId, scheduledEventId, attempt, taker });
    return { runId, scheduledEventId, attempt, startId: taker.startId };
  }

  #pauseAndGoOn(): void {
    const steer = { target: {}, activities: { all: true as const } };
    this.#accept({ type: 'pauseActivity', ...steer, identity: 'client', reason: '', requestId: '' });
    const again = { resetAttempts: false, resetHeartbeats: false, jitter: 0, jitterSeed: 0 };
    this.#accept({ type: 'unpauseActivity', ...steer, ...again });
  }

  /** All attempts up to the recorded one, and its end. */
  #activity(
    runId: string,
    events: HistoryEvent[],
    started: HistoryEventOf<typeof EventType.ACTIVITY_TASK_STARTED>,
  ): void {
    const { scheduledEventId, attempt = 1, lastFailure } = started.attributes;
    for (let earlier = 1; earlier < attempt; earlier += 1) {
      const task = this.#startActivity(runId, scheduledEventId, started);
      if (lastFailure?.timeoutFailureInfo !== undefined) this.#passTime();
      else {
        const failure = lastFailure ?? { message: 'unrecorded', applicationFailureInfo: {} };
        this.#accept({ type: 'failActivityTask', activity: { task }, identity: WORKER, failure });
        // Whoever lets an activity go on by hand takes its failure away.
        if (lastFailure === undefined) this.#pauseAndGoOn();
      }
    }
    const task = this.#startActivity(runId, scheduledEventId, started);
    const end = events.find(
      ({ eventId, attributes }) =>
        eventId > started.eventId && 'startedEventId' in attributes && attributes.startedEventId === started.eventId,
    );
    const activity = { task };
    switch (end?.eventType) {
      case EventType.ACTIVITY_TASK_COMPLETED: {
        const { identity = WORKER, result } = end.attributes;
        this.#accept({ type: 'completeActivityTask', activity, identity, result });
        return;
      }
      case EventType.ACTIVITY_TASK_FAILED: {
        const { identity = WORKER, failure = {} } = end.attributes;
        this.#accept({ type: 'failActivityTask', activity, identity, failure });
        return;
      }
      case EventType.ACTIVITY_TASK_CANCELED: {
        const { identity = WORKER, details } = end.attributes;
        this.#accept({ type: 'cancelActivityTask', activity, identity, details });
        return;
      }
      case EventType.ACTIVITY_TASK_TIMED_OUT: {
        const info = end.attributes.failure?.timeoutFailureInfo;
        if (info?.timeoutType === TimeoutType.HEARTBEAT || info?.lastHeartbeatDetails !== undefined) {
          const details = info.lastHeartbeatDetails;
          this.#accept({ type: 'heartbeatActivityTask', activity, identity: WORKER, details });
        }
        this.#passTime();
        return;
      }
      default:
        throw new Error(`activity ${scheduledEventId} starts and never ends`);
    }
  }
}

/** Whether the worker stayed sticky: the next task it schedules names a sticky queue. */
function usesSticky(events: HistoryEvent[], after: number): boolean {
  for (const event of events.slice(after)) {
    if (event.eventType === EventType.WORKFLOW_TASK_SCHEDULED) return event.attributes.taskQueue.name === STICKY;
  }
  return true;
}

/** What a task that was completed says of updates: events right after its completion, among those of its commands. */
function updatesOf(events: HistoryEvent[], startedEventId: number): HistoryEvent[] {
  const completed = events[startedEventId];
  if (completed?.eventType !== EventType.WORKFLOW_TASK_COMPLETED) return [];
  const found: HistoryEvent[] = [];
  for (const event of events.slice(startedEventId + 1)) {
    if (messageOf(event).length > 0) found.push(event);
    else if (!('workflowTaskCompletedEventId' in event.attributes)) break;
  }
  return found;
}

/** The message that became this event. */
function messageOf({ eventId, eventType, attributes }: HistoryEvent): ProtocolMessage[] {
  const id = `message ${eventId}`;
  switch (eventType) {
    case EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED: {
      const { protocolInstanceId = '' } = attributes;
      return [{ id, protocolInstanceId, body: { type: MessageType.ACCEPTANCE, value: attributes } }];
    }
    case EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED: {
      const protocolInstanceId = attributes.meta?.updateId ?? '';
      return [{ id, protocolInstanceId, body: { type: MessageType.RESPONSE, value: attributes } }];
    }
    default:
      return [];
  }
}

/** The command that became this event. */
function commandOf(event: HistoryEvent): Command {
  const { userMetadata } = event;
  switch (event.eventType) {
    case EventType.ACTIVITY_TASK_SCHEDULED:
      return { commandType: CommandType.SCHEDULE_ACTIVITY_TASK, attributes: event.attributes, userMetadata };
    case EventType.ACTIVITY_TASK_CANCEL_REQUESTED:
      return { commandType: CommandType.REQUEST_CANCEL_ACTIVITY_TASK, attributes: event.attributes, userMetadata };
    case EventType.TIMER_STARTED:
      return { commandType: CommandType.START_TIMER, attributes: event.attributes, userMetadata };
    case EventType.TIMER_CANCELED:
      return { commandType: CommandType.CANCEL_TIMER, attributes: event.attributes, userMetadata };
    case EventType.MARKER_RECORDED:
      return { commandType: CommandType.RECORD_MARKER, attributes: event.attributes, userMetadata };
    case EventType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      return { commandType: CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, attributes: event.attributes, userMetadata };
    case EventType.WORKFLOW_PROPERTIES_MODIFIED:
      return { commandType: CommandType.MODIFY_WORKFLOW_PROPERTIES, attributes: event.attributes, userMetadata };
    case EventType.WORKFLOW_EXECUTION_COMPLETED:
      return { commandType: CommandType.COMPLETE_WORKFLOW_EXECUTION, attributes: event.attributes, userMetadata };
    case EventType.WORKFLOW_EXECUTION_FAILED:
      return { commandType: CommandType.FAIL_WORKFLOW_EXECUTION, attributes: event.attributes, userMetadata };
    case EventType.WORKFLOW_EXECUTION_CANCELED:
      return { commandType: CommandType.CANCEL_WORKFLOW_EXECUTION, attributes: event.attributes, userMetadata };
    case EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
      return {
        commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
        attributes: event.attributes,
        userMetadata,
      };
    case EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED:
      return { commandType: CommandType.START_CHILD_WORKFLOW_EXECUTION, attributes: event.attributes, userMetadata };
    case EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: {
      const attributes = { ...event.attributes, execution: event.attributes.workflowExecution };
      return { commandType: CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, attributes, userMetadata };
    }
    case EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: {
      const attributes = { ...event.attributes, ...event.attributes.workflowExecution };
      return { commandType: CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION, attributes, userMetadata };
    }
    case EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
    case EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED:
      return { commandType: CommandType.PROTOCOL_MESSAGE, attributes: { messageId: `message ${event.eventId}` } };
    default:
      throw new Error(`event ${event.eventId} of type ${event.eventType} comes of no command`);
  }
}
