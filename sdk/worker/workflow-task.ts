// One workflow task as the worker holds it, from its arrival until its answer is settled.

import type { WorkflowTask } from '../../src/wire/workflow-task.ts';
import type { AnswerOwner, SubstituteAnswer } from './answers.ts';
import type { NodeSession } from './node-session.ts';
import { workflowTaskTimeout } from './task-history.ts';
import type { LocalActivityTask, SinkCall } from './thread-protocol.ts';

export interface TaskOwner {
  taskAnswered(held: HeldTask, refusal: unknown): void;
  taskUnsendable(held: HeldTask, error: unknown): SubstituteAnswer;
}

export class HeldTask implements AnswerOwner {
  readonly key: string;
  readonly task: WorkflowTask;
  readonly from: NodeSession;
  /** Monotonic ms. */
  readonly receivedAt = performance.now();
  /** queued: behind another of its run; running: with its thread; answering: until the server took or refused the answer. */
  state: 'queued' | 'running' | 'answering' = 'queued';
  /** Later tasks of the same run, in order. */
  behind: HeldTask[] = [];
  /** Its entry is on disk: local activities and sinks may go (I1). */
  durable: boolean;
  /** Held back until then. */
  localActivities: LocalActivityTask[] = [];
  /** Monotonic ms. */
  readonly acceptedAt = performance.now();
  sinkCalls: SinkCall[] = [];
  /** Fires when the task should be answered early for its local activities' sake. */
  heartbeat: NodeJS.Timeout | undefined;
  /** Times its thread ended while no run could be blamed for it. */
  unexplainedLosses = 0;
  private readonly owner: TaskOwner;

  constructor(key: string, task: WorkflowTask, from: NodeSession, owner: TaskOwner) {
    this.key = key;
    this.task = task;
    this.from = from;
    this.durable = task.ahead !== true;
    this.owner = owner;
  }

  answered(refusal: unknown): void {
    this.owner.taskAnswered(this, refusal);
  }

  substitute(error: unknown): SubstituteAnswer {
    return this.owner.taskUnsendable(this, error);
  }
}

/** Its timeout has passed: the server takes no answer any more. */
export function isOverdue(held: HeldTask): boolean {
  return performance.now() - held.receivedAt > workflowTaskTimeout(held.task);
}

/** ms from now until 80 % of the task's timeout are over. */
export function localHeartbeatDelay(held: HeldTask): number {
  const elapsed = performance.now() - held.receivedAt;
  return Math.max(0, workflowTaskTimeout(held.task) * 0.8 - elapsed);
}

/** What is known of a workflow outside its thread. */
export function taskInfo(task: WorkflowTask): { [name: string]: unknown } {
  const { namespace, workflowId, runId, workflowType, attempt } = task;
  return { namespace, workflowId, runId, workflowType, attempt };
}
