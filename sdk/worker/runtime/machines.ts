// Timers, activities, local activities, children and requests to other workflows of one execution: what the code asks for (intents)
// becomes commands; events become what the code is told (jobs). One small state machine per thing, kept in maps by seq.

import type { ContinueAsNewWorkflowExecutionCommandAttributes } from '../../../src/wire/command.ts';
import { CommandType, EventType, RetryState } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { WorkflowExecutionStartedEventAttributes } from '../../../src/wire/event-attributes.ts';
import type { ChildWorkflowExecutionFailureInfo, Failure } from '../../../src/wire/failure.ts';
import { assertNever } from '../../common/type-helpers.ts';
import type { Intent, Job, WireActivityCancellation, WireChildCancellation } from '../../workflow/activation.ts';
import { type Draft, Drafts } from './drafts.ts';
import {
  type ActivityIdentity,
  activityCancelled,
  activityFailed,
  activityTimedOut,
  cancelFailed,
  cancelledCause,
  childFailed,
  childTerminated,
  childTimedOut,
  signalFailed,
} from './failures.ts';
import { LocalActivities } from './local-activities.ts';
import { encodePatches, encodePatchMarker, PATCHES_SEARCH_ATTRIBUTE } from './markers.ts';

interface Timer {
  draft: Draft;
}
interface Activity extends ActivityIdentity {
  draft: Draft;
  cancellationType: WireActivityCancellation;
  cancelRequested: boolean;
}
interface Child {
  draft: Draft;
  workflowId: string;
  workflowType: string;
  namespace: string | undefined;
  cancellationType: WireChildCancellation;
  initiatedEventId: number | undefined;
  runId: string | undefined;
  cancelRequested: boolean;
}

export class Machines {
  readonly drafts = new Drafts();
  readonly localActivities = new LocalActivities(this.drafts);
  readonly #started: WorkflowExecutionStartedEventAttributes;
  readonly #runId: string;
  /** Told to the code in a further activation of the same task. */
  #jobs: Job[] = [];
  readonly #timers = new Map<string, { seq: number } & Timer>();
  readonly #activities = new Map<number, Activity>();
  readonly #children = new Map<number, Child>();
  /** Numbers of the code by the id of the event that began the thing. */
  readonly #activityByEvent = new Map<number, number>();
  readonly #childByEvent = new Map<number, number>();
  readonly #signalByEvent = new Map<number, number>();
  readonly #cancelByEvent = new Map<number, number>();
  readonly #signals = new Map<number, Draft>();
  readonly #patches: string[] = [];

  constructor(started: WorkflowExecutionStartedEventAttributes, runId: string) {
    this.#started = started;
    this.#runId = runId;
  }

  takeJobs(): Job[] {
    const jobs = [...this.#jobs, ...this.localActivities.takeJobs()];
    this.#jobs = [];
    return jobs;
  }

  apply(intent: Intent): void {
    const { site, userMetadata } = intent;
    switch (intent.kind) {
      case 'startTimer': {
        const timerId = String(intent.seq);
        const draft = this.drafts.add(
          { commandType: CommandType.START_TIMER, attributes: { timerId, startToFireTimeout: intent.ms } },
          { site, userMetadata },
        );
        this.#timers.set(timerId, { seq: intent.seq, draft });
        return;
      }
      case 'cancelTimer':
        this.#cancelTimer(String(intent.seq), site);
        return;
      case 'scheduleActivity':
        this.#scheduleActivity(intent);
        return;
      case 'cancelActivity':
        this.#cancelActivity(intent.seq, site);
        return;
      case 'scheduleLocalActivity':
        this.localActivities.schedule(intent);
        return;
      case 'cancelLocalActivity':
        this.localActivities.cancel(intent.seq);
        return;
      case 'startChild':
        this.#startChild(intent);
        return;
      case 'cancelChild':
        this.#cancelChild(intent.seq, site);
        return;
      case 'signalExternal': {
        const { seq, attributes } = intent;
        const draft = this.drafts.add(
          { commandType: CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, attributes },
          { site, onEvent: (eventId) => this.#signalByEvent.set(eventId, seq) },
        );
        this.#signals.set(seq, draft);
        return;
      }
      case 'cancelSignalExternal': {
        const draft = this.#signals.get(intent.seq);
        if (draft === undefined || draft.sent) return;
        draft.dropped = true;
        this.#jobs.push({
          kind: 'externalSignalled',
          seq: intent.seq,
          failure: { message: 'Signal was cancelled before being sent', ...cancelledCause() },
        });
        return;
      }
      case 'cancelExternal': {
        const { seq, attributes } = intent;
        this.drafts.add(
          {
            commandType: CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
            attributes: { ...attributes, reason: cancelReason(this.#runId, attributes.reason) },
          },
          { site, onEvent: (eventId) => this.#cancelByEvent.set(eventId, seq) },
        );
        return;
      }
      case 'patch':
        this.#patch(intent.id, intent.deprecated, site);
        return;
      case 'upsertSearchAttributes':
        this.drafts.add(
          {
            commandType: CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
            attributes: { searchAttributes: { indexedFields: intent.indexedFields } },
          },
          { site },
        );
        return;
      case 'upsertMemo':
        this.drafts.add(
          {
            commandType: CommandType.MODIFY_WORKFLOW_PROPERTIES,
            attributes: { upsertedMemo: { fields: intent.fields } },
          },
          { site },
        );
        return;
      case 'complete':
        this.drafts.add({
          commandType: CommandType.COMPLETE_WORKFLOW_EXECUTION,
          attributes: { result: { payloads: [intent.result] } },
        });
        return;
      case 'fail':
        this.drafts.add({
          commandType: CommandType.FAIL_WORKFLOW_EXECUTION,
          attributes: { failure: intent.failure },
        });
        return;
      case 'cancelled':
        this.drafts.add({ commandType: CommandType.CANCEL_WORKFLOW_EXECUTION, attributes: {} });
        return;
      case 'continueAsNew':
        this.drafts.add({
          commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
          attributes: this.#continuation(intent.attributes),
        });
        return;
      default:
        assertNever('Unknown intent', intent);
    }
  }

  /** What an event tells the code; nothing for events that only the server or the engine care about. */
  jobOf(event: HistoryEvent): Job | undefined {
    switch (event.eventType) {
      case EventType.TIMER_FIRED: {
        const timer = this.#timers.get(event.attributes.timerId);
        this.#timers.delete(event.attributes.timerId);
        return timer && { kind: 'timerFired', seq: timer.seq };
      }
      case EventType.ACTIVITY_TASK_COMPLETED: {
        const { scheduledEventId, result } = event.attributes;
        return this.#activityEnded(scheduledEventId, () => ({ kind: 'completed', result }));
      }
      case EventType.ACTIVITY_TASK_FAILED: {
        const { attributes } = event;
        return this.#activityEnded(attributes.scheduledEventId, (activity) => ({
          kind: 'failed',
          failure: activityFailed(activity, attributes),
        }));
      }
      case EventType.ACTIVITY_TASK_TIMED_OUT: {
        const { attributes } = event;
        return this.#activityEnded(attributes.scheduledEventId, (activity) => ({
          kind: 'failed',
          failure: activityTimedOut(activity, attributes),
        }));
      }
      case EventType.ACTIVITY_TASK_CANCELED: {
        const { attributes } = event;
        return this.#activityEnded(attributes.scheduledEventId, (activity) => ({
          kind: 'failed',
          failure: activityCancelled(activity, attributes),
        }));
      }
      case EventType.WORKFLOW_EXECUTION_SIGNALED: {
        const { signalName, input, header } = event.attributes;
        return { kind: 'signal', name: signalName, input, header };
      }
      case EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED:
        return { kind: 'cancel', reason: event.attributes.cause };
      case EventType.CHILD_WORKFLOW_EXECUTION_STARTED: {
        const { initiatedEventId, workflowExecution } = event.attributes;
        const seq = this.#childByEvent.get(initiatedEventId);
        const child = seq === undefined ? undefined : this.#children.get(seq);
        if (seq === undefined || child === undefined) return undefined;
        child.runId = workflowExecution.runId ?? '';
        return { kind: 'childStarted', seq, runId: child.runId };
      }
      case EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED: {
        const seq = this.#childByEvent.get(event.attributes.initiatedEventId);
        return seq === undefined ? undefined : { kind: 'childStartFailed', seq, cause: event.attributes.cause };
      }
      case EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED: {
        const seq = this.#childByEvent.get(event.attributes.initiatedEventId);
        const { result } = event.attributes;
        return seq === undefined ? undefined : { kind: 'childResolved', seq, outcome: { kind: 'completed', result } };
      }
      case EventType.CHILD_WORKFLOW_EXECUTION_FAILED: {
        const { failure, retryState } = event.attributes;
        return this.#childEnded(event.attributes, failure ?? {}, retryState);
      }
      case EventType.CHILD_WORKFLOW_EXECUTION_CANCELED:
        return this.#childEnded(
          event.attributes,
          cancelledCause(event.attributes.details),
          RetryState.NON_RETRYABLE_FAILURE,
        );
      case EventType.CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
        return this.#childEnded(event.attributes, childTimedOut, event.attributes.retryState);
      case EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED:
        return this.#childEnded(event.attributes, childTerminated, RetryState.NON_RETRYABLE_FAILURE);
      case EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED: {
        const seq = this.#signalByEvent.get(event.attributes.initiatedEventId);
        return seq === undefined ? undefined : { kind: 'externalSignalled', seq, failure: undefined };
      }
      case EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: {
        const seq = this.#signalByEvent.get(event.attributes.initiatedEventId);
        const failure = signalFailed(event.attributes.cause);
        return seq === undefined ? undefined : { kind: 'externalSignalled', seq, failure };
      }
      case EventType.EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
        return this.#cancelDelivered(event.attributes.initiatedEventId, undefined);
      case EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
        return this.#cancelDelivered(event.attributes.initiatedEventId, cancelFailed(event.attributes.cause));
      default:
        return undefined;
    }
  }

  #cancelTimer(timerId: string, site: Error | undefined): void {
    const timer = this.#timers.get(timerId);
    if (timer === undefined) return;
    this.#timers.delete(timerId);
    if (timer.draft.sent) this.drafts.add({ commandType: CommandType.CANCEL_TIMER, attributes: { timerId } }, { site });
    else timer.draft.dropped = true;
  }

  #scheduleActivity(intent: Extract<Intent, { kind: 'scheduleActivity' }>): void {
    const { seq, attributes, cancellationType, site, userMetadata } = intent;
    const draft = this.drafts.add(
      { commandType: CommandType.SCHEDULE_ACTIVITY_TASK, attributes },
      {
        site,
        userMetadata,
        onEvent: (eventId) => {
          activity.scheduledEventId = eventId;
          this.#activityByEvent.set(eventId, seq);
        },
      },
    );
    const activity: Activity = {
      draft,
      cancellationType,
      cancelRequested: false,
      activityId: attributes.activityId,
      activityType: attributes.activityType.name,
      scheduledEventId: undefined,
    };
    this.#activities.set(seq, activity);
  }

  #cancelActivity(seq: number, site: Error | undefined): void {
    const activity = this.#activities.get(seq);
    if (activity === undefined || activity.cancelRequested) return;
    activity.cancelRequested = true;
    const { draft, cancellationType, scheduledEventId } = activity;
    if (!draft.sent) draft.dropped = true;
    else if (cancellationType !== 'ABANDON' && scheduledEventId !== undefined) {
      const attributes = { scheduledEventId };
      this.drafts.add({ commandType: CommandType.REQUEST_CANCEL_ACTIVITY_TASK, attributes }, { site });
    }
    if (draft.sent && cancellationType === 'WAIT_CANCELLATION_COMPLETED') return;
    this.#activities.delete(seq);
    const failure = activityCancelled(activity, undefined);
    this.#jobs.push({ kind: 'activityResolved', seq, outcome: { kind: 'failed', failure } });
  }

  #activityEnded(
    scheduledEventId: number,
    outcome: (activity: Activity) => Extract<Job, { kind: 'activityResolved' }>['outcome'],
  ): Job | undefined {
    const seq = this.#activityByEvent.get(scheduledEventId);
    const activity = seq === undefined ? undefined : this.#activities.get(seq);
    this.#activityByEvent.delete(scheduledEventId);
    if (seq === undefined || activity === undefined) return undefined;
    this.#activities.delete(seq);
    return { kind: 'activityResolved', seq, outcome: outcome(activity) };
  }

  #startChild(intent: Extract<Intent, { kind: 'startChild' }>): void {
    const { seq, attributes, cancellationType, site, userMetadata } = intent;
    const draft = this.drafts.add(
      { commandType: CommandType.START_CHILD_WORKFLOW_EXECUTION, attributes },
      {
        site,
        userMetadata,
        onEvent: (eventId) => {
          child.initiatedEventId = eventId;
          this.#childByEvent.set(eventId, seq);
        },
      },
    );
    const child: Child = {
      draft,
      workflowId: attributes.workflowId ?? '',
      workflowType: attributes.workflowType.name,
      namespace: attributes.namespace,
      cancellationType,
      initiatedEventId: undefined,
      runId: undefined,
      cancelRequested: false,
    };
    this.#children.set(seq, child);
  }

  #cancelChild(seq: number, site: Error | undefined): void {
    const child = this.#children.get(seq);
    if (child === undefined || child.cancelRequested) return;
    child.cancelRequested = true;
    if (!child.draft.sent) {
      child.draft.dropped = true;
      this.#children.delete(seq);
      this.#jobs.push({ kind: 'childStartCancelled', seq, failure: this.#childFailure(child, cancelledCause()) });
      return;
    }
    if (child.cancellationType !== 'ABANDON') {
      const { namespace, workflowId, runId } = child;
      this.drafts.add(
        {
          commandType: CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
          attributes: { namespace, workflowId, runId, childWorkflowOnly: true },
        },
        { site },
      );
    }
    if (child.cancellationType === 'ABANDON' || child.cancellationType === 'TRY_CANCEL') {
      const failure = this.#childFailure(child, cancelledCause());
      const kind = child.runId === undefined ? 'childStartCancelled' : 'childResolved';
      this.#jobs.push(
        kind === 'childResolved' ? { kind, seq, outcome: { kind: 'failed', failure } } : { kind, seq, failure },
      );
    }
  }

  #childFailure(child: Child, cause: Failure, more: ChildWorkflowExecutionFailureInfo = {}): Failure {
    const { namespace, workflowId, runId, workflowType, initiatedEventId } = child;
    return childFailed(cause, {
      namespace,
      workflowExecution: { workflowId, runId },
      workflowType: { name: workflowType },
      initiatedEventId,
      retryState: RetryState.NON_RETRYABLE_FAILURE,
      ...more,
    });
  }

  #childEnded(
    event: { initiatedEventId: number; startedEventId: number },
    cause: Failure,
    retryState: RetryState | undefined,
  ): Job | undefined {
    const seq = this.#childByEvent.get(event.initiatedEventId);
    const child = seq === undefined ? undefined : this.#children.get(seq);
    if (seq === undefined || child === undefined) return undefined;
    this.#children.delete(seq);
    const failure = this.#childFailure(child, cause, { startedEventId: event.startedEventId, retryState });
    return { kind: 'childResolved', seq, outcome: { kind: 'failed', failure } };
  }

  #cancelDelivered(initiatedEventId: number, failure: Failure | undefined): Job | undefined {
    const seq = this.#cancelByEvent.get(initiatedEventId);
    if (seq === undefined) return undefined;
    return { kind: 'externalCancelRequested', seq, failure };
  }

  /** The marker, and the search attribute that lists all patches of the run. */
  #patch(id: string, deprecated: boolean, site: Error | undefined): void {
    this.drafts.add(
      { commandType: CommandType.RECORD_MARKER, attributes: encodePatchMarker(id, deprecated) },
      { site },
    );
    if (this.#patches.includes(id)) return;
    this.#patches.push(id);
    const payload = encodePatches(this.#patches);
    if (payload === undefined) return;
    this.drafts.add(
      {
        commandType: CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        attributes: { searchAttributes: { indexedFields: { [PATCHES_SEARCH_ATTRIBUTE]: payload } } },
      },
      { site },
    );
  }

  /** What the code left open is taken from the run's start. */
  #continuation(
    attributes: ContinueAsNewWorkflowExecutionCommandAttributes,
  ): ContinueAsNewWorkflowExecutionCommandAttributes {
    const { memo, searchAttributes, retryPolicy } = this.#started;
    return {
      ...attributes,
      memo: attributes.memo ?? memo,
      searchAttributes: attributes.searchAttributes ?? searchAttributes,
      retryPolicy: attributes.retryPolicy ?? retryPolicy,
    };
  }
}

function cancelReason(runId: string, reason: string | undefined): string {
  return `Cancel requested by workflow with run id ${runId} with reason: ${reason ?? ''}`;
}
