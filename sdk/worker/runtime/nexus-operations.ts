// Nexus operations of one execution: intents become commands, events become jobs.

import { CommandType, EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { Failure } from '../../../src/wire/failure.ts';
import { SeldomMap } from '../../common/seldom-map.ts';
import type { Asked, Intent, Job } from '../../workflow/activation.ts';
import type { Draft, Drafts } from './drafts.ts';
import { cancelledCause } from './failures.ts';

type StartIntent = Extract<Intent, { kind: 'startNexus' }>;
export type NexusIntent = Extract<Intent, { kind: 'startNexus' | 'cancelNexus' }>;

interface Operation {
  readonly draft: Draft;
  readonly intent: StartIntent;
  scheduledEventId: number | undefined;
  started: boolean;
  cancelRequested: boolean;
}

export class NexusOperations {
  readonly #drafts: Drafts;
  #jobs: Job[] = [];
  readonly #operations = new SeldomMap<number, Operation>();
  /** Numbers of the code by the id of the Scheduled event. */
  readonly #byEvent = new SeldomMap<number, number>();

  constructor(drafts: Drafts) {
    this.#drafts = drafts;
  }

  takeJobs(): Job[] {
    const jobs = this.#jobs;
    this.#jobs = [];
    return jobs;
  }

  apply(intent: NexusIntent): void {
    if (intent.kind === 'startNexus') this.#start(intent);
    else this.#cancel(intent.seq, intent);
  }

  /** What an event tells the code; nothing for events of other things. */
  jobOf(event: HistoryEvent): Job | undefined {
    switch (event.eventType) {
      case EventType.NEXUS_OPERATION_STARTED: {
        const { scheduledEventId, operationToken, operationId } = event.attributes;
        const seq = this.#byEvent.get(scheduledEventId);
        const operation = seq === undefined ? undefined : this.#operations.get(seq);
        if (seq === undefined || operation === undefined) return undefined;
        operation.started = true;
        return { kind: 'nexusStarted', seq, token: operationToken ?? operationId };
      }
      case EventType.NEXUS_OPERATION_COMPLETED: {
        const { scheduledEventId, result } = event.attributes;
        return this.#ended(scheduledEventId, {
          kind: 'completed',
          result: result === undefined ? undefined : { payloads: [result] },
        });
      }
      case EventType.NEXUS_OPERATION_FAILED:
      case EventType.NEXUS_OPERATION_CANCELED:
      case EventType.NEXUS_OPERATION_TIMED_OUT: {
        const { scheduledEventId, failure = {} } = event.attributes;
        return this.#ended(scheduledEventId, { kind: 'failed', failure });
      }
      case EventType.NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED:
      case EventType.NEXUS_OPERATION_CANCEL_REQUEST_FAILED: {
        const { scheduledEventId } = event.attributes;
        const seq = this.#byEvent.get(scheduledEventId);
        const operation = seq === undefined ? undefined : this.#operations.get(seq);
        if (operation?.intent.cancellationType !== 'WAIT_CANCELLATION_REQUESTED') return undefined;
        return this.#ended(scheduledEventId, { kind: 'failed', failure: cancelled(operation) });
      }
      default:
        return undefined;
    }
  }

  #start(intent: StartIntent): void {
    const { seq, attributes } = intent;
    const draft = this.#drafts.add({ commandType: CommandType.SCHEDULE_NEXUS_OPERATION, attributes }, intent, {
      onEvent: (eventId) => {
        operation.scheduledEventId = eventId;
        this.#byEvent.set(eventId, seq);
      },
    });
    const operation: Operation = { draft, intent, scheduledEventId: undefined, started: false, cancelRequested: false };
    this.#operations.set(seq, operation);
  }

  #cancel(seq: number, asked: Asked): void {
    const operation = this.#operations.get(seq);
    if (operation === undefined || operation.cancelRequested) return;
    operation.cancelRequested = true;
    const { draft, intent, scheduledEventId } = operation;
    const { cancellationType } = intent;
    if (!draft.sent) draft.dropped = true;
    else if (cancellationType !== 'ABANDON' && scheduledEventId !== undefined) {
      const attributes = { scheduledEventId };
      this.#drafts.add({ commandType: CommandType.REQUEST_CANCEL_NEXUS_OPERATION, attributes }, asked);
    }
    const waits = cancellationType !== 'ABANDON' && cancellationType !== 'TRY_CANCEL';
    if (draft.sent && waits) return;
    this.#operations.delete(seq);
    this.#jobs.push({ kind: 'nexusResolved', seq, outcome: { kind: 'failed', failure: cancelled(operation) } });
  }

  #ended(scheduledEventId: number, outcome: Extract<Job, { kind: 'nexusResolved' }>['outcome']): Job | undefined {
    const seq = this.#byEvent.get(scheduledEventId);
    this.#byEvent.delete(scheduledEventId);
    if (seq === undefined || !this.#operations.delete(seq)) return undefined;
    return { kind: 'nexusResolved', seq, outcome };
  }
}

function cancelled({ intent: { attributes }, scheduledEventId }: Operation): Failure {
  const { endpoint, service, operation } = attributes;
  return {
    message: 'nexus operation completed unsuccessfully',
    nexusOperationExecutionFailureInfo: { scheduledEventId, endpoint, service, operation },
    cause: { message: 'operation canceled', ...cancelledCause() },
  };
}
