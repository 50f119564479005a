// What workers are told and what their answers are told, against what is committed at that very instant (I1): a task that is pushed, or said to be durable,
// was started durably; an answer that was taken is there, once, with what it said (I5, I6). So what a crash could take back is found without one, though
// retries would cover it.

import type { Message, TaskRef } from '../../../src/core/workflow/message.ts';
import type { Reply } from '../../../src/core/workflow/outcome.ts';
import { decodeToken } from '../../../src/core/workflow/token.ts';
import type { Delivery } from '../../../src/ports/matching.ts';
import { EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { same } from '../flush-watch.ts';
import { Violation } from '../kernel.ts';
import { taskRow } from '../nexus-watch.ts';
import type { TrueRun, Truth } from '../truth.ts';

type Task = Exclude<Delivery, { kind: 'query' }>;
type Started = Pick<TaskRef, 'scheduledEventId' | 'attempt' | 'startId'>;
type Row = { startId?: TaskRef['startId']; attempt: number; scheduledEventId?: number } | undefined;

export class TaskWatch {
  readonly #truth: Truth;
  /** By token: the message that was taken for it. */
  readonly #taken = new Map<string, string>();

  readonly #fail: (violation: Violation) => void;

  /** @param fail ends the seed: whoever calls from within a node may have its errors caught there */
  constructor(truth: Truth, fail: (violation: Violation) => void) {
    this.#truth = truth;
    this.#fail = fail;
  }

  /** A worker gets it. */
  pushed(task: Task): void {
    const { ref } = task.started;
    if (task.kind === 'workflow' && task.ahead) return;
    this.#check(() => this.#mustBeStarted(task.kind, ref.runId, ref, `a pushed ${task.kind} task`));
  }

  /** A worker hears that its task is durable. */
  durable(bytes: Uint8Array): void {
    const token = decodeToken(bytes);
    const kind = token?.kind;
    if (token !== undefined && (kind === 'workflow' || kind === 'activity'))
      this.#check(() => this.#mustBeStarted(kind, token.runId, token, 'a task said to be durable'));
  }

  /** A worker hears that its answer was taken. */
  taken(token: string, task: Task, message: Message, reply: Reply | undefined): void {
    this.#check(() => this.#mustBeThere(token, task, message, reply));
  }

  #check(look: () => void): void {
    try {
      look();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#fail(error);
    }
  }

  #mustBeThere(token: string, { started: { ref } }: Task, message: Message, reply: Reply | undefined): void {
    const where = `event ${ref.scheduledEventId} (attempt ${ref.attempt}) of run ${ref.runId}`;
    const before = this.#taken.get(token);
    if (before !== undefined)
      throw new Violation('I6', `${where}: ${before} was taken, and now ${message.type} for the same start`);
    this.#taken.set(token, message.type);
    const run = this.#durableRun(ref.runId, `an answer to ${where}`);
    switch (message.type) {
      case 'completeWorkflowTask': {
        // It left no trace, as one does that carried nothing but updates.
        if (reply?.type === 'accepted' && reply.resetHistoryEventId !== undefined) return;
        if (run.closings.get(ref.scheduledEventId)?.eventType !== EventType.WORKFLOW_TASK_COMPLETED)
          throw new Violation('I1', `the completion of the workflow task at ${where} is not committed`);
        return;
      }
      case 'completeActivityTask': {
        const closing = this.#closing(run, ref.scheduledEventId);
        if (closing?.eventType !== EventType.ACTIVITY_TASK_COMPLETED)
          throw new Violation('I1', `the completion of the activity at ${where} is not committed`);
        if (!same(closing.attributes.result, message.result))
          throw new Violation('I6', `the activity at ${where} has the result of another attempt`);
        return;
      }
      case 'failActivityTask': {
        if (run.closed !== undefined || this.#closing(run, ref.scheduledEventId) !== undefined) return;
        const row = taskRow(this.#truth, run, ref.scheduledEventId) as Row;
        if (row === undefined || (row.attempt <= ref.attempt && same(row.startId, ref.startId)))
          throw new Violation('I1', `the failure of the activity at ${where} is not committed`);
      }
    }
  }

  /** The start that is named is committed, or something after it is. */
  #mustBeStarted(kind: Task['kind'], runId: string, task: Started, what: string): void {
    const run = this.#durableRun(runId, what);
    const { scheduledEventId, attempt, startId } = task;
    if (run.closed !== undefined || this.#closing(run, scheduledEventId) !== undefined) return;
    const row =
      kind === 'activity'
        ? (taskRow(this.#truth, run, scheduledEventId) as Row)
        : (this.#truth.row(run.workflowId, runId, 'r', '') as { task?: Row } | undefined)?.task;
    // Of a workflow task: its transient attempt failed, or it is in no row at all.
    if (row === undefined && kind === 'workflow') return;
    if (row !== undefined && (row.attempt > attempt || (row.scheduledEventId ?? 0) > scheduledEventId)) return;
    // A node that did not know yet may hand out what others have started anew since.
    if (row?.startId === undefined || isBefore(row.startId, startId)) {
      const committed = row === undefined ? 'no task' : `start ${row.startId?.term}.${row.startId?.seq}`;
      throw new Violation(
        'I1',
        `${what}, event ${scheduledEventId} of run ${runId}, is of start ${startId.term}.${startId.seq}; committed is ${committed}`,
      );
    }
  }

  #closing(run: TrueRun, scheduledEventId: number): HistoryEvent | undefined {
    const isIts = ({ eventType, attributes }: HistoryEvent): boolean =>
      eventType !== EventType.ACTIVITY_TASK_STARTED &&
      'scheduledEventId' in attributes &&
      attributes.scheduledEventId === scheduledEventId;
    return run.closings.get(scheduledEventId) ?? this.#truth.buffered(run.workflowId, run.runId).find(isIts);
  }

  #durableRun(runId: string, what: string): TrueRun {
    const run = this.#truth.run(runId);
    if (run === undefined) throw new Violation('I1', `${what} is of run ${runId}, which is not committed`);
    return run;
  }
}

const isBefore = (one: TaskRef['startId'], other: TaskRef['startId']): boolean =>
  one.term < other.term || (one.term === other.term && one.seq < other.seq);
