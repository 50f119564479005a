// `operation`, id = scheduledEventId: a Nexus operation that was scheduled and has not ended. Its start, and later the request to cancel it, are tasks
// for a worker of the endpoint's namespace: attempts live in the row, like an activity's, and carry where they go, so that what waits and what is
// started follows from rows alone (I4).

import type { Payload, Priority } from '../../wire/common.ts';
import type { Failure } from '../../wire/failure.ts';
import type { StartId } from './message.ts';

/** What events determine of it. */
export interface OperationFacts {
  scheduledEventId: number;
  /** Epoch ms. */
  scheduledTime: number;
  endpoint: string;
  endpointId: string;
  service: string;
  operation: string;
  input?: Payload | undefined;
  header?: Record<string, string> | undefined;
  requestId: string;
  /** ms; 0: none. */
  scheduleToCloseTimeout: number;
  scheduleToStartTimeout: number;
  startToCloseTimeout: number;
  /** Epoch ms; absent until it has started. */
  startedTime?: number | undefined;
  operationToken?: string | undefined;
  /** 0: nobody asked. */
  cancelRequestedEventId: number;
  /** Of the command that asked. */
  cancelCommandEventId?: number | undefined;
  /** The handler has taken the request to cancel, or refused it for good. */
  cancelAnswered?: true | undefined;
}

/** One thing a handler is asked to do, until it has answered. */
export interface OperationTask {
  /** Whose worker, on which queue. */
  namespace: string;
  taskQueue: string;
  attempt: number;
  /** Epoch ms this attempt was (or will be) put on its queue. */
  scheduledTime: number;
  inBackoff: boolean;
  /** Its destination is left alone until then (core/nexus/breakers.ts). */
  blocked?: true | undefined;
  startId?: StartId | undefined;
  startedTime?: number | undefined;
  /** Epoch ms: the worker that has it is not waited for any longer. */
  lostAt?: number | undefined;
  session?: string | undefined;
  lastFailure?: Failure | undefined;
  lastAttemptAt?: number | undefined;
  /** Its run's priority when this attempt was offered; absent: that of the run's Started event. */
  runPriority?: Priority | undefined;
}

export interface OperationRow {
  facts: OperationFacts;
  /** To start it; absent once it has started. */
  start?: OperationTask | undefined;
  /** To cancel it; absent before it has started, or is asked for. */
  cancel?: OperationTask | undefined;
}

/** Where Nexus tasks wait: task queues that nobody can name (RESERVED_PREFIX). */
export const nexusQueue = (taskQueue: string): string => `/_sys/nexus/${taskQueue}`;

/** On its queue, or on its way there. */
export const isWaiting = ({ startId, inBackoff }: OperationTask): boolean => startId === undefined && !inBackoff;

/** The event that names a task of an operation: that of the schedule, or of the request to cancel. */
export type OperationTaskKind = 'start' | 'cancel';

export const taskEventId = ({ facts }: OperationRow, kind: OperationTaskKind): number =>
  kind === 'start' ? facts.scheduledEventId : facts.cancelRequestedEventId;

/** Which operation, and which task of it, an event names. */
export function operationTask(
  operations: Iterable<OperationRow>,
  eventId: number,
): { row: OperationRow; kind: OperationTaskKind; task: OperationTask } | undefined {
  for (const row of operations) {
    const { start, cancel, facts } = row;
    if (start !== undefined && facts.scheduledEventId === eventId) return { row, kind: 'start', task: start };
    if (cancel !== undefined && facts.cancelRequestedEventId === eventId) return { row, kind: 'cancel', task: cancel };
  }
  return undefined;
}

export const OPERATION_TASKS = ['start', 'cancel'] as const satisfies readonly OperationTaskKind[];
