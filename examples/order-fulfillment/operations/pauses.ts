// What is paused stands still: of a workflow nothing begins between its pause and its unpause, and what came meanwhile is done afterwards, once and in
// order; an activity gets no further attempt.

import { setTimeout as sleep } from 'node:timers/promises';
import { EventType, PendingActivityState } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { StatusCode } from '../../../src/wire/status.ts';
import { type Caller, IDENTITY, NAMESPACE } from './caller.ts';
import type { Lane } from './lane.ts';

const ERRANDS = 5;
/** Of them come while it is paused. */
const KEPT = 3;
const PAUSED_MS = 600;
const ATTEMPTS = 3;

export function pausedWorkflows(caller: Caller): Lane<string> {
  const target = (workflowId: string, what: string) => ({
    ...{ namespace: NAMESPACE, workflowId, identity: IDENTITY, reason: 'chaos', requestId: `${workflowId}/${what}` },
  });
  const texts = Array.from({ length: ERRANDS }, (_, i) => `errand-${i}`);
  return {
    name: 'paused workflows',
    holds: 'nothing begins meanwhile, all is done after it',

    async perform(n) {
      const workflowId = caller.id(`errands-${n}`);
      const add = (text: string): Promise<void> => caller.signal(workflowId, 'add', text, text);
      await caller.start(workflowId, 'errands');
      for (const text of texts.slice(0, ERRANDS - KEPT)) await add(text);
      await caller.insist('pauseWorkflowExecution', target(workflowId, 'pause'));
      for (const text of texts.slice(ERRANDS - KEPT)) await add(text);
      await sleep(PAUSED_MS);
      await caller.insist('unpauseWorkflowExecution', target(workflowId, 'unpause'));
      await caller.signal(workflowId, 'close', 'close');
      return workflowId;
    },

    async wrong(workflowId) {
      const done = await caller.result<string[]>(workflowId);
      if (done.join() !== texts.join()) return `${workflowId} did ${done.join(' ')}`;
      const begun = begunInPause(await caller.historyOf(workflowId));
      return begun === undefined ? undefined : `${workflowId} ${begun}`;
    },
  };
}

/** Why a history is not that of a run that was paused once, and stood still. */
export function begunInPause(events: readonly HistoryEvent[]): string | undefined {
  const at = (type: EventType): number => events.findIndex(({ eventType }) => eventType === type);
  const paused = at(EventType.WORKFLOW_EXECUTION_PAUSED);
  const unpaused = at(EventType.WORKFLOW_EXECUTION_UNPAUSED);
  if (paused < 0 || unpaused < paused) return `is paused by event ${paused + 1} and unpaused by event ${unpaused + 1}`;
  const begun = events.slice(paused, unpaused).find(({ eventType }) => eventType === EventType.WORKFLOW_TASK_STARTED);
  return begun === undefined ? undefined : `begins a task in its pause, event ${begun.eventId}`;
}

interface Held {
  readonly workflowId: string;
  /** As they were seen when it stood still, and a while later; absent: it was over before it could be paused. */
  readonly attempts: readonly [number, number] | undefined;
}

export function heldActivities(caller: Caller): Lane<Held> {
  const namespace = NAMESPACE;
  const pendingOf = async (workflowId: string) => {
    const { pendingActivities } = await caller.sure(`description of ${workflowId}`, () =>
      caller.connection.request('describeWorkflowExecution', { namespace, workflowId }),
    );
    return pendingActivities.find(({ activityType }) => activityType === 'third');
  };
  return {
    name: 'paused activities',
    holds: 'no attempt meanwhile, one outcome',

    async perform(n) {
      const workflowId = caller.id(`stubborn-${n}`);
      const target = { namespace, workflowId, identity: IDENTITY, activityType: 'third' };
      await caller.start(workflowId, 'stubborn');
      await caller.until(
        () => pendingOf(workflowId),
        (pending) => pending !== undefined,
      );
      const requestId = `${workflowId}/pause`;
      await caller.insist('pauseActivity', { ...target, reason: 'chaos', requestId }, StatusCode.NOT_FOUND);
      const still = await caller.until(
        () => pendingOf(workflowId),
        (pending) => pending === undefined || pending.state === PendingActivityState.PAUSED,
      );
      await sleep(PAUSED_MS);
      const later = await pendingOf(workflowId);
      await caller.insist('unpauseActivity', target, StatusCode.NOT_FOUND);
      const attempts = still === undefined ? undefined : ([still.attempt, later?.attempt ?? 0] as const);
      return { workflowId, attempts };
    },

    async wrong({ workflowId, attempts }) {
      if (attempts !== undefined && attempts[0] !== attempts[1])
        return `the activity of ${workflowId} was at attempt ${attempts[0]} when it was paused, and then at ${attempts[1]}`;
      const result = await caller.result<number>(workflowId);
      return result >= ATTEMPTS ? undefined : `${workflowId} ended with attempt ${result}`;
    },
  };
}
