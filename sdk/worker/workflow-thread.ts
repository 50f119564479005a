// The main thread's side of one workflow thread: messages of a tick go out as one batch, and what the thread works on is watched,
// because a thread in an endless loop can only be noticed from outside.

import type { ThreadEvents, ThreadFactory, ThreadPort } from './ports.ts';
import type { FromWorkflowThread, ToWorkflowThread } from './thread-protocol.ts';

export interface ThreadOwner {
  threadMessages(thread: WorkflowThread, messages: FromWorkflowThread[]): void;
  threadExited(thread: WorkflowThread, error: Error): void;
}

export class WorkflowThread implements ThreadEvents {
  /** Its place in the pool; runs are assigned to places, not threads. */
  readonly index: number;
  /** Runs it said it keeps warm. */
  readonly warm = new Set<string>();
  /** The run whose code ran at the last look, synchronously. */
  busyRunId: string | undefined;
  /** Monotonic ms since when. */
  busySince = 0;
  /** CPU ms that it can have used since, at most. */
  workedMs = 0;
  values: 'small' | 'large' = 'small';
  ready = false;
  private readonly owner: ThreadOwner;
  private readonly port: ThreadPort;
  private outbox: ToWorkflowThread[] = [];
  private ended = false;

  constructor(index: number, factory: ThreadFactory, owner: ThreadOwner) {
    this.index = index;
    this.owner = owner;
    this.port = factory(this);
  }

  post(message: ToWorkflowThread): void {
    this.outbox.push(message);
    if (this.outbox.length === 1) queueMicrotask(this.flush);
  }

  /** Looks what the thread works on. */
  look(): void {
    const busy = this.port.busy(performance.now());
    this.busyRunId = busy?.runId;
    this.busySince = busy?.since ?? 0;
    this.workedMs = busy?.workedMs ?? 0;
    this.values = busy?.values ?? 'small';
  }

  terminate(): void {
    this.ended = true;
    this.outbox = [];
    this.port.terminate();
  }

  onMessages(messages: FromWorkflowThread[]): void {
    if (this.ended) return;
    for (const message of messages) {
      if (message.type === 'ready') {
        this.ready = true;
      } else if (message.type === 'evicted') {
        this.warm.delete(message.runId);
      }
    }
    this.owner.threadMessages(this, messages);
  }

  onExit(error: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.owner.threadExited(this, error);
  }

  private readonly flush = (): void => {
    const messages = this.outbox;
    if (messages.length === 0) return;
    this.outbox = [];
    this.port.post(messages);
  };
}

/** Which of `count` threads a run belongs to: the same one for ever, so that warm executions need no table (FNV-1a). */
export function threadIndexOf(runId: string, count: number): number {
  if (count === 1) return 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < runId.length; i++) hash = Math.imul(hash ^ runId.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % count;
}
