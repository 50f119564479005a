// Children of one execution, and its requests to other workflows: intents become commands, events become jobs.

import { CommandType, EventType, RetryState } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { ChildWorkflowExecutionFailureInfo, Failure } from '../../../src/wire/failure.ts';
import { SeldomMap } from '../../common/seldom-map.ts';
import { assertNever } from '../../common/type-helpers.ts';
import type { Asked, Intent, Job, WireChildCancellation } from '../../workflow/activation.ts';
import type { Draft, Drafts } from './drafts.ts';
import {
  type ChildEnd,
  cancelFailed,
  cancelledCause,
  childCancelledBeforeStart,
  childFailed,
  childTerminated,
  childTimedOut,
  signalFailed,
} from './failures.ts';

export type OtherWorkflowIntent = Extract<
  Intent,
  { kind: 'startChild' | 'cancelChild' | 'signalExternal' | 'cancelSignalExternal' | 'cancelExternal' }
>;

interface Child {
  /** Until it is in the history: a warm execution does not keep what it has asked for. */
  draft: Draft | undefined;
  workflowId: string;
  workflowType: string;
  namespace: string | undefined;
  cancellationType: WireChildCancellation;
  initiatedEventId: number | undefined;
  runId: string | undefined;
  cancelRequested: boolean;
}

export class OtherWorkflows {
  readonly #drafts: Drafts;
  readonly #runId: string;
  #jobs: Job[] = [];
  readonly #children = new SeldomMap<number, Child>();
  /** Not in the history yet. */
  readonly #signals = new SeldomMap<number, Draft>();
  /** Numbers of the code by the id of the event that began the thing, until it is over. */
  readonly #childByEvent = new SeldomMap<number, number>();
  readonly #signalByEvent = new SeldomMap<number, number>();
  readonly #cancelByEvent = new SeldomMap<number, number>();

  constructor(drafts: Drafts, runId: string) {
    this.#drafts = drafts;
    this.#runId = runId;
  }

  takeJobs(): Job[] {
    const jobs = this.#jobs;
    this.#jobs = [];
    return jobs;
  }

  apply(intent: OtherWorkflowIntent): void {
    switch (intent.kind) {
      case 'startChild':
        this.#startChild(intent);
        return;
      case 'cancelChild':
        this.#cancelChild(intent.seq, intent);
        return;
      case 'signalExternal': {
        const { seq, attributes } = intent;
        const draft = this.#drafts.add(
          { commandType: CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, attributes },
          intent,
          {
            onEvent: (eventId) => {
              this.#signals.delete(seq);
              this.#signalByEvent.set(eventId, seq);
            },
          },
        );
        this.#signals.set(seq, draft);
        return;
      }
      case 'cancelSignalExternal': {
        const draft = this.#signals.get(intent.seq);
        if (draft === undefined || draft.sent) return;
        draft.dropped = true;
        this.#signals.delete(intent.seq);
        this.#jobs.push({
          kind: 'externalSignalled',
          seq: intent.seq,
          failure: { message: 'Signal was cancelled before being sent', ...cancelledCause() },
        });
        return;
      }
      case 'cancelExternal': {
        const { seq, attributes } = intent;
        this.#drafts.add(
          {
            commandType: CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
            attributes: { ...attributes, reason: cancelReason(this.#runId, attributes.reason) },
          },
          intent,
          { onEvent: (eventId) => this.#cancelByEvent.set(eventId, seq) },
        );
        return;
      }
      default:
        assertNever('Unknown intent', intent);
    }
  }

  /** What an event tells the code; nothing for events of other things. */
  jobOf(event: HistoryEvent): Job | undefined {
    switch (event.eventType) {
      case EventType.CHILD_WORKFLOW_EXECUTION_STARTED: {
        const { initiatedEventId, workflowExecution } = event.attributes;
        const seq = this.#childByEvent.get(initiatedEventId);
        const child = seq === undefined ? undefined : this.#children.get(seq);
        if (seq === undefined || child === undefined) return undefined;
        child.runId = workflowExecution.runId ?? '';
        return { kind: 'childStarted', seq, runId: child.runId };
      }
      case EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED: {
        const seq = this.#over(event.attributes.initiatedEventId);
        return seq === undefined ? undefined : { kind: 'childStartFailed', seq, cause: event.attributes.cause };
      }
      case EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED: {
        const seq = this.#over(event.attributes.initiatedEventId);
        const { result } = event.attributes;
        return seq === undefined ? undefined : { kind: 'childResolved', seq, outcome: { kind: 'completed', result } };
      }
      case EventType.CHILD_WORKFLOW_EXECUTION_FAILED: {
        const { failure, retryState } = event.attributes;
        return this.#childEnded('failed', event.attributes, failure ?? {}, retryState);
      }
      case EventType.CHILD_WORKFLOW_EXECUTION_CANCELED:
        return this.#childEnded(
          'cancelled',
          event.attributes,
          cancelledCause(event.attributes.details),
          RetryState.NON_RETRYABLE_FAILURE,
        );
      case EventType.CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
        return this.#childEnded('timed out', event.attributes, childTimedOut, event.attributes.retryState);
      case EventType.CHILD_WORKFLOW_EXECUTION_TERMINATED:
        return this.#childEnded('terminated', event.attributes, childTerminated, RetryState.NON_RETRYABLE_FAILURE);
      case EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED: {
        const seq = taken(this.#signalByEvent, event.attributes.initiatedEventId);
        return seq === undefined ? undefined : { kind: 'externalSignalled', seq, failure: undefined };
      }
      case EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: {
        const seq = taken(this.#signalByEvent, event.attributes.initiatedEventId);
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

  #startChild(intent: Extract<Intent, { kind: 'startChild' }>): void {
    const { seq, attributes, cancellationType } = intent;
    const draft = this.#drafts.add({ commandType: CommandType.START_CHILD_WORKFLOW_EXECUTION, attributes }, intent, {
      onEvent: (eventId) => {
        child.initiatedEventId = eventId;
        child.draft = undefined;
        this.#childByEvent.set(eventId, seq);
      },
    });
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

  #cancelChild(seq: number, asked: Asked): void {
    const child = this.#children.get(seq);
    if (child === undefined || child.cancelRequested) return;
    child.cancelRequested = true;
    if (child.draft?.sent === false) {
      child.draft.dropped = true;
      this.#children.delete(seq);
      this.#jobs.push({ kind: 'childStartCancelled', seq, failure: childCancelledBeforeStart(childInfo(child)) });
      return;
    }
    if (child.cancellationType !== 'ABANDON') {
      const { namespace, workflowId, runId } = child;
      this.#drafts.add(
        {
          commandType: CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
          attributes: { namespace, workflowId, runId, childWorkflowOnly: true },
        },
        asked,
      );
    }
    if (child.cancellationType === 'ABANDON' || child.cancellationType === 'TRY_CANCEL') {
      const failure = childFailed('cancelled', cancelledCause(), childInfo(child));
      const kind = child.runId === undefined ? 'childStartCancelled' : 'childResolved';
      this.#jobs.push(
        kind === 'childResolved' ? { kind, seq, outcome: { kind: 'failed', failure } } : { kind, seq, failure },
      );
    }
  }

  #childEnded(
    how: ChildEnd,
    event: { initiatedEventId: number; startedEventId: number },
    cause: Failure,
    retryState: RetryState | undefined,
  ): Job | undefined {
    const child = this.#children.get(this.#childByEvent.get(event.initiatedEventId) ?? Number.NaN);
    const seq = this.#over(event.initiatedEventId);
    if (seq === undefined || child === undefined) return undefined;
    const info = { ...childInfo(child), startedEventId: event.startedEventId, retryState };
    const failure = childFailed(how, cause, info);
    return { kind: 'childResolved', seq, outcome: { kind: 'failed', failure } };
  }

  #cancelDelivered(initiatedEventId: number, failure: Failure | undefined): Job | undefined {
    const seq = taken(this.#cancelByEvent, initiatedEventId);
    if (seq === undefined) return undefined;
    return { kind: 'externalCancelRequested', seq, failure };
  }

  /** A child that this event began is over. @returns its number. */
  #over(initiatedEventId: number): number | undefined {
    const seq = taken(this.#childByEvent, initiatedEventId);
    if (seq !== undefined) this.#children.delete(seq);
    return seq;
  }
}

function taken(numbers: SeldomMap<number, number>, eventId: number): number | undefined {
  const seq = numbers.get(eventId);
  numbers.delete(eventId);
  return seq;
}

const childInfo = ({
  namespace,
  workflowId,
  runId,
  workflowType,
  initiatedEventId,
}: Child): ChildWorkflowExecutionFailureInfo => ({
  namespace,
  workflowExecution: { workflowId, runId },
  workflowType: { name: workflowType },
  initiatedEventId,
  retryState: RetryState.NON_RETRYABLE_FAILURE,
});

function cancelReason(runId: string, reason: string | undefined): string {
  return `Cancel requested by workflow with run id ${runId} with reason: ${reason ?? ''}`;
}
