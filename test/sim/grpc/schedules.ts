// Schedules through the Temporal-compatible door: made, triggered, held and let go, looked at and deleted, each request repeated under its id until it is answered.

import type { Message } from '../../../src/frontend/grpc/rpc.ts';
import { StatusCode } from '../../../src/wire/status.ts';
import { NAMESPACE, TASK_QUEUE } from '../names.ts';
import type { Move, PlannedSchedule } from '../operations/plan.ts';
import { payloads } from './payloads.ts';
import type { Stub } from './stub.ts';

/** What clients know of one schedule; outlives them. */
export interface ScheduleJournal {
  readonly id: string;
  readonly moves: readonly Move[];
  done: number;
  /** By move: the time that was chosen for it. */
  readonly chosen: Map<number, number>;
  over: boolean;
}

const { NOT_FOUND } = StatusCode;

export async function runSchedule(stub: Stub, journal: ScheduleJournal): Promise<void> {
  for (;;) {
    const move = journal.moves[journal.done];
    if (move === undefined) break;
    await make(stub, journal, move);
    journal.done += 1;
  }
  journal.over = true;
}

async function make(stub: Stub, journal: ScheduleJournal, move: Move): Promise<void> {
  const requestId = `${journal.id}/${journal.done}`;
  const by = { namespace: NAMESPACE, scheduleId: journal.id, identity: stub.process.name, requestId };
  const patch = (what: Message) => stub.unless([NOT_FOUND], 'PatchSchedule', { ...by, patch: what });
  const now = (): number => chosen(journal, () => Math.ceil(stub.process.now()));
  switch (move.do) {
    case 'wait':
      await stub.wait(move.ms);
      return;
    case 'create schedule': {
      const schedule = scheduleOf(journal.id, move.schedule, now(), move.paused);
      const initialPatch = move.trigger ? { triggerImmediately: {} } : undefined;
      await stub.sure('CreateSchedule', { ...by, schedule, initialPatch });
      // One that begins paused would never come to its end.
      if (move.paused)
        await stub.sure('PatchSchedule', { ...by, requestId: `${requestId}/on`, patch: { unpause: 'go' } });
      return;
    }
    case 'update schedule': {
      const schedule = scheduleOf(journal.id, move.schedule, now(), false);
      await stub.unless([NOT_FOUND], 'UpdateSchedule', { ...by, schedule });
      return;
    }
    case 'pause schedule':
      await patch({ pause: 'a while' });
      return;
    case 'unpause schedule':
      await patch({ unpause: 'on' });
      return;
    case 'trigger schedule':
      await patch({ triggerImmediately: { overlapPolicy: move.overlapPolicy } });
      return;
    case 'backfill schedule': {
      const endTime = now();
      const startTime = endTime - Math.ceil(move.backMs);
      await patch({ backfillRequest: [{ startTime, endTime, overlapPolicy: move.overlapPolicy }] });
      return;
    }
    case 'describe schedule':
      await stub.unless([NOT_FOUND], 'DescribeSchedule', by);
      return;
    case 'delete schedule':
      await stub.unless([NOT_FOUND], 'DeleteSchedule', by);
      return;
    default:
      throw new Error(`no move of a schedule: ${move.do}`);
  }
}

/** Once for this move, whoever makes it. */
function chosen(journal: ScheduleJournal, choice: () => number): number {
  const before = journal.chosen.get(journal.done);
  if (before !== undefined) return before;
  const value = choice();
  journal.chosen.set(journal.done, value);
  return value;
}

function scheduleOf(id: string, planned: PlannedSchedule, now: number, paused: boolean): Message {
  const { everyMs, phaseMs, jitterMs, overlapPolicy, catchupWindow, pauseOnFailure, lastsMs, limit } = planned;
  const startWorkflow = {
    ...{ workflowId: `${id}-errand`, workflowType: { name: 'errand' }, taskQueue: { name: TASK_QUEUE } },
    input: payloads(planned.runMs, planned.runEnds),
  };
  return {
    spec: {
      interval: [{ interval: everyMs, phase: phaseMs }],
      ...{ jitter: jitterMs, endTime: Math.ceil(now + lastsMs) },
    },
    action: { startWorkflow },
    policies: { overlapPolicy, catchupWindow: catchupWindow || undefined, pauseOnFailure },
    state: { paused, ...(limit !== undefined && { limitedActions: true, remainingActions: limit }) },
  };
}
