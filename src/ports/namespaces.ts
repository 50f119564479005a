// What doors ask about the namespaces of a node or cluster. They are registered in one place; every node keeps what it last heard.

import type { NamespaceChange, NamespaceRecord } from '../wire/namespace.ts';
import type { ConfiguredTaskQueue, UpdateTaskQueueConfigRequest } from '../wire/task-queue.ts';

export type NamespaceAsk =
  /** All there are, deleted ones too, unless nothing has changed since this revision. */
  | { type: 'list'; since?: number | undefined }
  | { type: 'register'; record: NamespaceRecord }
  /** `base`: what the asking node's configuration says of it, where it was never registered. */
  | { type: 'update'; name: string; change: NamespaceChange; base?: NamespaceRecord | undefined }
  | { type: 'deprecate'; name: string; base?: NamespaceRecord | undefined }
  | { type: 'delete'; name: string }
  /** A task queue is configured: kept and heard of with the namespaces. */
  | { type: 'configureQueue'; change: UpdateTaskQueueConfigRequest };

export interface NamespaceAnswer {
  /** Grows with every change. */
  revision: number;
  /** All, or the one that was changed; absent: nothing has changed. */
  records?: NamespaceRecord[] | undefined;
  /** All that are configured, or the one that was changed. */
  queues?: ConfiguredTaskQueue[] | undefined;
}
