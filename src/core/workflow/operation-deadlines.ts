// When what is due of a Nexus operation (I7), and what then happens. Pure arithmetic over rows, like timeouts.ts.

import { TimeoutType } from '../../wire/enums.ts';
import {
  isWaiting,
  OPERATION_TASKS,
  type OperationRow,
  type OperationTask,
  type OperationTaskKind,
} from './operation-rows.ts';
import { offerOperation, retryOperationTask, timeOutOperation } from './operations.ts';
import type { RunDraft } from './run-draft.ts';

const NEVER = Number.POSITIVE_INFINITY;

type Due = { at: number } & ({ timeout: TimeoutType } | { task: OperationTaskKind });

const after = (time: number | undefined, timeout: number): number =>
  time === undefined || timeout <= 0 ? NEVER : time + timeout;

/** A started task is answered in time, or lost; one that waits out its back-off is offered again. */
function taskDue(task: OperationTask | undefined): number {
  if (task === undefined || isWaiting(task)) return NEVER;
  return task.startId === undefined ? task.scheduledTime : (task.lostAt ?? NEVER);
}

/** The earliest; the operation's own timeouts before its tasks'. */
export function operationDue(row: OperationRow): Due {
  const { facts } = row;
  const { scheduledTime, startedTime } = facts;
  const toStart = startedTime === undefined ? after(scheduledTime, facts.scheduleToStartTimeout) : NEVER;
  const all: Due[] = [
    { at: after(scheduledTime, facts.scheduleToCloseTimeout), timeout: TimeoutType.SCHEDULE_TO_CLOSE },
    { at: toStart, timeout: TimeoutType.SCHEDULE_TO_START },
    { at: after(startedTime, facts.startToCloseTimeout), timeout: TimeoutType.START_TO_CLOSE },
    ...OPERATION_TASKS.map((task) => ({ at: taskDue(row[task]), task })),
  ];
  return all.reduce((first, due) => (due.at < first.at ? due : first));
}

export function operationsDue(operations: Iterable<OperationRow>): number {
  let due = NEVER;
  for (const row of operations) due = Math.min(due, operationDue(row).at);
  return due;
}

export function fireOperations(run: RunDraft): void {
  const { nexusRequestTimeout } = run.turn.limits;
  for (const row of [...run.operations.values()]) {
    const due = operationDue(row);
    if (due.at > run.now) continue;
    if ('timeout' in due) timeOutOperation(run, row, due.timeout);
    else if (row[due.task]?.inBackoff === true) offerOperation(run, row, due.task);
    else {
      const message = `no worker answered within ${nexusRequestTimeout} ms`;
      const failure = { message, nexusHandlerFailureInfo: { type: 'UPSTREAM_TIMEOUT' } };
      retryOperationTask(run, row, due.task, failure);
    }
  }
}
