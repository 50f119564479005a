// Schedules that fire each second, from their making until they are paused at the end: every second has one run. Nobody works on those.

import { ScheduleOverlapPolicy } from '../../../src/wire/enums.ts';
import { type Caller, IDENTITY, NAMESPACE } from './caller.ts';
import type { Lane } from './lane.ts';
import { NOBODYS_QUEUE } from './names.ts';

const SCHEDULES = 4;
const SECOND_MS = 1_000;

export function schedules(caller: Caller): Lane<{ scheduleId: string; fired: number }> {
  const namespace = NAMESPACE;
  const runsOf = (scheduleId: string): string => `${scheduleId}-run`;
  return {
    name: 'schedules',
    holds: 'each due second has one run',
    most: SCHEDULES,
    counts: ({ fired }) => fired,

    async perform(n) {
      const scheduleId = caller.id(`each-second-${n}`);
      const workflow = { workflowId: runsOf(scheduleId), workflowType: 'operated', taskQueue: NOBODYS_QUEUE };
      const schedule = {
        spec: { interval: [{ interval: SECOND_MS }] },
        action: { startWorkflow: workflow },
        policies: { overlapPolicy: ScheduleOverlapPolicy.ALLOW_ALL },
      };
      const request = { namespace, scheduleId, schedule, identity: IDENTITY, requestId: scheduleId };
      await caller.insist('createSchedule', request);
      return { scheduleId, fired: 0 };
    },

    async wrong(done) {
      const { scheduleId } = done;
      const describe = () =>
        caller.sure('describeSchedule', () => caller.connection.request('describeSchedule', { namespace, scheduleId }));
      // One that was made at the very end has its first due second still before it.
      await caller.until(describe, ({ info }) => info.actionCount > 0);
      const patch = { pause: 'the end' };
      await caller.insist('patchSchedule', {
        ...{ namespace, scheduleId, patch, identity: IDENTITY, requestId: `${scheduleId}/end` },
      });
      const prefix = `${runsOf(scheduleId)}-`;
      const look = async () => {
        const { info } = await describe();
        const runs = await caller.find(`WorkflowId STARTS_WITH '${prefix}'`);
        const seconds = runs.map((id) => Date.parse(id.slice(prefix.length)) / SECOND_MS).sort((a, b) => a - b);
        return { info, seconds };
      };
      const { info, seconds } = await caller.until(
        look,
        (seen) => seen.seconds.length === seen.info.actionCount && seen.info.bufferSize === 0,
        SECOND_MS,
      );
      if (seconds.length !== info.actionCount || info.bufferSize !== 0)
        return `counts ${info.actionCount} actions and ${info.bufferSize} that wait; ${seconds.length} runs are there`;
      done.fired = seconds.length;
      return gap(seconds, info);
    },
  };
}

/** Why these are not all seconds since the making, each once. */
export function gap(
  seconds: readonly number[],
  { createTime, missedCatchupWindow }: { createTime: number; missedCatchupWindow: number },
): string | undefined {
  if (missedCatchupWindow > 0) return `${missedCatchupWindow} times were missed`;
  const first = Math.floor(createTime / SECOND_MS) + 1;
  const odd = seconds.findIndex((second, i) => second !== first + i);
  if (odd >= 0) return `run ${odd} is of second ${(seconds[odd] ?? 0) - first} after its making`;
  return seconds.length === 0 ? 'has never fired' : undefined;
}
