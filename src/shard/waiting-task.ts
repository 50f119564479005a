// A task that waits, as its row in the backlog holds it. Written by executor.ts, read by backlog.ts.

import type { Key } from '../ports/ids.ts';
import type { QueueKey } from '../ports/matching.ts';
import { decode, encode } from '../wire/codec.ts';

export interface WaitingTask {
  key: Key;
  queue: QueueKey;
  namespace: string;
  workflowId: string;
  runId: string;
  scheduledEventId: number;
  attempt: number;
  /** Of a task that has a pass: its fairness key, and its time, which its row's key does not have. */
  fair?: { key: string; time: number } | undefined;
}

export const encodeWaitingTask = (task: Omit<WaitingTask, 'key'>): Uint8Array =>
  encode([
    task.queue.name,
    task.queue.kind,
    task.namespace,
    task.workflowId,
    task.runId,
    task.scheduledEventId,
    task.attempt,
    ...(task.fair === undefined ? [] : [task.fair.key, task.fair.time]),
    // Of a queue of another namespace than the run's: after its fairness, which may be absent.
    ...(task.queue.namespace === task.namespace
      ? []
      : task.fair === undefined
        ? [undefined, undefined, task.queue.namespace]
        : [task.queue.namespace]),
  ]);

export function decodeWaitingTask(k: Key, bytes: Uint8Array): WaitingTask {
  // Written by encodeWaitingTask alone and checksummed by the store.
  const [name, kind, namespace, workflowId, runId, scheduledEventId, attempt, fairnessKey, time, other] = decode(
    bytes,
  ) as [string, QueueKey['kind'], string, string, string, number, number, (string | null)?, (number | null)?, string?];
  const fair = typeof fairnessKey !== 'string' || typeof time !== 'number' ? undefined : { key: fairnessKey, time };
  return {
    key: k,
    queue: { namespace: other ?? namespace, name, kind },
    namespace,
    workflowId,
    runId,
    scheduledEventId,
    attempt,
    fair,
  };
}
