// The timers and activities of one execution, its patches and its end: what the code asks for (intents) becomes commands; events become
// what the code is told (jobs). One small state machine per thing, kept in maps by seq.

import type { ContinueAsNewWorkflowExecutionCommandAttributes } from '../../../src/wire/command.ts';
import type { Payload, Payloads } from '../../../src/wire/common.ts';
import { CommandType, EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { WorkflowExecutionStartedEventAttributes } from '../../../src/wire/event-attributes.ts';
import { STATE_MARKER } from '../../../src/wire/markers.ts';
import { SeldomMap } from '../../common/seldom-map.ts';
import { assertNever } from '../../common/type-helpers.ts';
import type { Asked, Intent, Job, WireActivityCancellation } from '../../workflow/activation.ts';
import { type Draft, Drafts } from './drafts.ts';
import { type ActivityIdentity, activityCancelled, activityFailed, activityTimedOut } from './failures.ts';
import { LocalActivities } from './local-activities.ts';
import { encodePatches, encodePatchMarker, PATCHES_SEARCH_ATTRIBUTE } from './markers.ts';
import { NexusOperations } from './nexus-operations.ts';
import { OtherWorkflows } from './other-workflows.ts';
import { Updates } from './updates.ts';

interface Timer {
  draft: Draft;
}
interface Activity extends ActivityIdentity {
  /** Until it is in the history: a warm execution does not keep what it has asked for. */
  draft: Draft | undefined;
  cancellationType: WireActivityCancellation;
  cancelRequested: boolean;
}
export class Machines {
  readonly drafts = new Drafts();
  readonly localActivities = new LocalActivities(this.drafts);
  readonly updates = new Updates(this.drafts);
  /** Most workflows speak to no other: made when one does. */
  #others: OtherWorkflows | undefined;
  #nexus: NexusOperations | undefined;
  readonly #runId: string;
  readonly #started: WorkflowExecutionStartedEventAttributes;
  /** Told to the code in a further activation of the same task. */
  #jobs: Job[] = [];
  readonly #timers = new SeldomMap<string, { seq: number } & Timer>();
  readonly #activities = new SeldomMap<number, Activity>();
  /** Numbers of the code by the id of the event that began the activity. */
  readonly #activityByEvent = new SeldomMap<number, number>();
  readonly #patches: string[] = [];
  /** The last marker of published state, and what is in it. */
  #published: { draft: Draft; details: Record<string, Payloads> } | undefined;

  constructor(started: WorkflowExecutionStartedEventAttributes, runId: string) {
    this.#started = started;
    this.#runId = runId;
  }

  takeJobs(): Job[] {
    const others = [...(this.#others?.takeJobs() ?? []), ...(this.#nexus?.takeJobs() ?? [])];
    const jobs = [...this.#jobs, ...this.localActivities.takeJobs(), ...others];
    this.#jobs = [];
    return jobs;
  }

  apply(intent: Intent): void {
    switch (intent.kind) {
      case 'startTimer': {
        const timerId = String(intent.seq);
        const draft = this.drafts.add(
          { commandType: CommandType.START_TIMER, attributes: { timerId, startToFireTimeout: intent.ms } },
          intent,
        );
        this.#timers.set(timerId, { seq: intent.seq, draft });
        return;
      }
      case 'cancelTimer':
        this.#cancelTimer(String(intent.seq), intent);
        return;
      case 'scheduleActivity':
        this.#scheduleActivity(intent);
        return;
      case 'cancelActivity':
        this.#cancelActivity(intent.seq, intent);
        return;
      case 'scheduleLocalActivity':
        this.localActivities.schedule(intent);
        return;
      case 'cancelLocalActivity':
        this.localActivities.cancel(intent.seq);
        return;
      case 'startChild':
      case 'cancelChild':
      case 'signalExternal':
      case 'cancelSignalExternal':
      case 'cancelExternal':
        this.#others ??= new OtherWorkflows(this.drafts, this.#runId);
        this.#others.apply(intent);
        return;
      case 'startNexus':
      case 'cancelNexus':
        this.#nexus ??= new NexusOperations(this.drafts);
        this.#nexus.apply(intent);
        return;
      case 'patch':
        this.#patch(intent.id, intent.deprecated, intent);
        return;
      case 'upsertSearchAttributes':
        this.drafts.add(
          {
            commandType: CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
            attributes: { searchAttributes: { indexedFields: intent.indexedFields } },
          },
          intent,
        );
        return;
      case 'upsertMemo':
        this.drafts.add(
          {
            commandType: CommandType.MODIFY_WORKFLOW_PROPERTIES,
            attributes: { upsertedMemo: { fields: intent.fields } },
          },
          intent,
        );
        return;
      case 'publish':
        this.#publish(intent.key, intent.value, intent);
        return;
      case 'acceptUpdate':
        this.updates.accept(intent.id);
        return;
      case 'rejectUpdate':
        this.updates.reject(intent.id, intent.failure);
        return;
      case 'completeUpdate':
        this.updates.complete(intent.id, intent.outcome);
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
        this.drafts.add(
          {
            commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
            attributes: this.#continuation(intent.attributes),
          },
          intent,
        );
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
        return { kind: 'signal', eventId: event.eventId, name: signalName, input, header };
      }
      case EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED:
        return { kind: 'cancel', reason: event.attributes.cause };
      default:
        return this.#others?.jobOf(event) ?? this.#nexus?.jobOf(event);
    }
  }

  #cancelTimer(timerId: string, asked: Asked): void {
    const timer = this.#timers.get(timerId);
    if (timer === undefined) return;
    this.#timers.delete(timerId);
    if (timer.draft.sent) this.drafts.add({ commandType: CommandType.CANCEL_TIMER, attributes: { timerId } }, asked);
    else timer.draft.dropped = true;
  }

  #scheduleActivity(intent: Extract<Intent, { kind: 'scheduleActivity' }>): void {
    const { seq, attributes, cancellationType } = intent;
    const draft = this.drafts.add({ commandType: CommandType.SCHEDULE_ACTIVITY_TASK, attributes }, intent, {
      onEvent: (eventId) => {
        activity.scheduledEventId = eventId;
        activity.draft = undefined;
        this.#activityByEvent.set(eventId, seq);
      },
    });
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

  #cancelActivity(seq: number, asked: Asked): void {
    const activity = this.#activities.get(seq);
    if (activity === undefined || activity.cancelRequested) return;
    activity.cancelRequested = true;
    const { draft, cancellationType, scheduledEventId } = activity;
    const unsent = draft?.sent === false;
    if (unsent) draft.dropped = true;
    else if (cancellationType !== 'ABANDON' && scheduledEventId !== undefined) {
      const attributes = { scheduledEventId };
      this.drafts.add({ commandType: CommandType.REQUEST_CANCEL_ACTIVITY_TASK, attributes }, asked);
    }
    if (!unsent && cancellationType === 'WAIT_CANCELLATION_COMPLETED') return;
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

  /** One marker for all that a workflow task publishes, where the first of it was. */
  #publish(key: string, value: Payload, asked: Asked): void {
    const details = { [key]: { payloads: [value] } };
    const open = this.#published;
    if (open !== undefined && !open.draft.sent) {
      Object.assign(open.details, details);
      return;
    }
    const attributes = { markerName: STATE_MARKER, details };
    const draft = this.drafts.add({ commandType: CommandType.RECORD_MARKER, attributes }, asked);
    this.#published = { draft, details };
  }

  /** The marker, and the search attribute that lists all patches of the run. */
  #patch(id: string, deprecated: boolean, asked: Asked): void {
    this.drafts.add({ commandType: CommandType.RECORD_MARKER, attributes: encodePatchMarker(id, deprecated) }, asked);
    if (this.#patches.includes(id)) return;
    this.#patches.push(id);
    const payload = encodePatches(this.#patches);
    if (payload === undefined) return;
    this.drafts.add(
      {
        commandType: CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        attributes: { searchAttributes: { indexedFields: { [PATCHES_SEARCH_ATTRIBUTE]: payload } } },
      },
      asked,
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
