// Nexus operations by what is durable: each is begun by one workflow at most, starts and ends once in its caller's history, ends as what backs it has
// ended and no sooner (I5, I6), and is cancelled when it was asked to. Fed by Truth with each event as it becomes durable.

import { callbackTokenOf } from '../../src/core/nexus/callback-token.ts';
import { completionOf } from '../../src/core/nexus/completion.ts';
import type { OperationRow } from '../../src/core/workflow/operation-rows.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { same } from './flush-watch.ts';
import { Violation } from './kernel.ts';
import type { TrueRun, Truth } from './truth.ts';

interface Operation {
  readonly where: string;
  /** The first run of the workflow that backs it. */
  backedBy: string | undefined;
  /** How that ended. */
  backing: HistoryEvent | undefined;
  started: boolean;
  ended: HistoryEvent | undefined;
  cancel: 'no' | 'asked' | 'taken';
}

const isClosing = ({ eventType }: HistoryEvent): boolean =>
  eventType === EventType.NEXUS_OPERATION_COMPLETED ||
  eventType === EventType.NEXUS_OPERATION_FAILED ||
  eventType === EventType.NEXUS_OPERATION_CANCELED ||
  eventType === EventType.NEXUS_OPERATION_TIMED_OUT;

export class NexusWatch {
  /** By caller's run and the event that schedules it. */
  readonly #operations = new Map<string, Operation>();
  /** By the run that backs it. */
  readonly #backing = new Map<string, Operation>();
  readonly seen = new Set<string>();

  event(run: TrueRun, event: HistoryEvent): void {
    if (event.eventType === EventType.NEXUS_OPERATION_SCHEDULED) {
      const where = `operation ${event.eventId} of ${run.workflowId}`;
      const begun = { backedBy: undefined, backing: undefined, started: false, ended: undefined } as const;
      this.#operations.set(`${run.runId} ${event.eventId}`, { where, ...begun, cancel: 'no' });
      return;
    }
    if (event.eventType === EventType.WORKFLOW_EXECUTION_STARTED) this.#begun(run, event);
    const backed = this.#backing.get(run.runId);
    if (backed !== undefined && completionOf(event) !== undefined) backed.backing = event;
    const { scheduledEventId = 0 } = event.attributes as { scheduledEventId?: number };
    const operation = this.#operations.get(`${run.runId} ${scheduledEventId}`);
    if (operation !== undefined) this.#happened(operation, event);
  }

  #begun(run: TrueRun, event: Extract<HistoryEvent, { eventType: 1 }>): void {
    const { completionCallbacks = [], firstExecutionRunId = run.runId } = event.attributes;
    for (const callback of completionCallbacks) {
      const token = callbackTokenOf(callback);
      const operation = token && this.#operations.get(`${token.runId} ${token.scheduledEventId}`);
      if (operation === undefined) continue;
      if (operation.backedBy !== undefined && operation.backedBy !== firstExecutionRunId)
        throw new Violation('I5', `${operation.where} is begun a second time, by ${run.workflowId}`);
      operation.backedBy = firstExecutionRunId;
      this.#backing.set(run.runId, operation);
    }
  }

  #happened(operation: Operation, event: HistoryEvent): void {
    const { where } = operation;
    if (operation.ended !== undefined && event.eventType !== EventType.NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED)
      throw new Violation('I6', `${where} has ended, and then comes event ${event.eventId}`);
    switch (event.eventType) {
      case EventType.NEXUS_OPERATION_STARTED:
        if (operation.started) throw new Violation('I6', `${where} starts a second time`);
        operation.started = true;
        return;
      case EventType.NEXUS_OPERATION_CANCEL_REQUESTED:
        operation.cancel = 'asked';
        return;
      case EventType.NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED:
        if (operation.cancel !== 'asked')
          throw new Violation('I6', `${where} is cancelled, and nobody asked, or twice`);
        operation.cancel = 'taken';
        this.seen.add('a Nexus operation was cancelled');
        return;
      default:
        if (isClosing(event)) this.#ended(operation, event);
    }
  }

  #ended(operation: Operation, event: HistoryEvent): void {
    operation.ended = event;
    if (!operation.started) return;
    const completion = operation.backing && completionOf(operation.backing);
    if (completion === undefined)
      throw new Violation('I1', `${operation.where} ends before the workflow that backs it`);
    const isCompleted = event.eventType === EventType.NEXUS_OPERATION_COMPLETED;
    const agrees = completion.state === 'succeeded' && isCompleted && same(completion.result, event.attributes.result);
    if (!agrees && (isCompleted || completion.state === 'succeeded'))
      throw new Violation('I5', `${operation.where} ends otherwise than the workflow that backs it`);
    this.seen.add('a Nexus operation ended with its workflow');
  }

  /** When everything is over. */
  checkEnds(): void {
    for (const { where, ended, cancel, started } of this.#operations.values()) {
      if (ended === undefined) throw new Violation('end', `${where} has not ended`);
      // Its workflow may be cancelled, and its end told, before the handler's answer arrives.
      const isHeard = cancel !== 'asked' || ended.eventType === EventType.NEXUS_OPERATION_CANCELED;
      if (started && !isHeard) throw new Violation('end', `${where} was asked to cancel, which nobody took`);
    }
  }
}

/** The row of a task that is a worker's, by the event that names it: an activity, or what is asked of a Nexus operation's handler. */
export function taskRow(truth: Truth, { workflowId, runId, events }: TrueRun, eventId: number): unknown {
  const asked = events[eventId - 1];
  const isCancel = asked?.eventType === EventType.NEXUS_OPERATION_CANCEL_REQUESTED;
  if (!isCancel && asked?.eventType !== EventType.NEXUS_OPERATION_SCHEDULED)
    return truth.row(workflowId, runId, 'a', String(eventId));
  const id = isCancel ? asked.attributes.scheduledEventId : eventId;
  const row = truth.row(workflowId, runId, 'o', String(id)) as OperationRow | undefined; // of that table, by its letter
  // Where the operation, or this task of it, is over, something after its start is durable.
  return (isCancel ? row?.cancel : row?.start) ?? { attempt: Number.POSITIVE_INFINITY };
}
