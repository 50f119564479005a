// What the other nodes tell of a task queue: each is asked once and has a second to answer; who does not is named, and left out. Used by cluster-matching.ts.

import { type Check, finite, integer, list, object, optional } from '../../src/frontend/validate/check.ts';
import { pollerInfo, taskQueueConfig } from '../../src/frontend/validate/task-queue.ts';
import type { LocalQueue, LocalStats, PriorityBacklog, QueueDescriptions } from '../../src/ports/matching.ts';
import { encode } from '../../src/wire/codec.ts';
import type { Rpc } from '../link/rpc.ts';
import { listOf, METHODS, text } from './messages.ts';

const ANSWER_MS = 1_000;

const stats = object<LocalStats>({
  backlog: list(object<PriorityBacklog>({ priority: integer, count: integer, oldest: optional(finite) })),
  tasksAddRate: finite,
  tasksDispatchRate: finite,
  workersRate: optional(finite),
});

const localQueue: Check<LocalQueue> = object<LocalQueue>({
  pollers: list(pollerInfo),
  workflow: stats,
  activity: stats,
  configs: object<LocalQueue['configs']>({ workflow: optional(taskQueueConfig), activity: optional(taskQueueConfig) }),
});

export const encodeAsked = (namespace: string, taskQueue: string): Uint8Array => encode([namespace, taskQueue]);

export function readAsked(body: Uint8Array): { namespace: string; taskQueue: string } {
  const [namespace, taskQueue] = listOf(body);
  return { namespace: text(namespace), taskQueue: text(taskQueue) };
}

export const encodeDescribed = (queue: LocalQueue): Uint8Array => encode([queue]);
const readDescribed = (body: Uint8Array): LocalQueue => localQueue(listOf(body)[0]);

export async function askAll(
  rpc: Pick<Rpc, 'call'>,
  nodes: readonly string[],
  namespace: string,
  taskQueue: string,
): Promise<QueueDescriptions> {
  const body = encodeAsked(namespace, taskQueue);
  const answers = await Promise.all(
    nodes.map(
      (node) =>
        new Promise<LocalQueue | undefined>((resolve) => {
          rpc.call(node, METHODS.describe, body, ANSWER_MS, (error, answer) => {
            try {
              resolve(error === undefined && answer !== undefined ? readDescribed(answer) : undefined);
            } catch {
              // Of another shape than expected: a node of another version, which counts as silent.
              resolve(undefined);
            }
          });
        }),
    ),
  );
  return {
    queues: answers.filter((answer) => answer !== undefined),
    silent: nodes.filter((_, i) => answers[i] === undefined),
  };
}
