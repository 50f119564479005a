// What is due becomes actions that wait for their turn: times of the spec within the catch-up window, and what backfills ask for. Each time is taken
// once: `through` moves in the entry that holds the action (I5). Bounded per turn; the timer fires again for the rest.

import { ScheduleOverlapPolicy } from '../../wire/enums.ts';
import type { ScheduleDraft } from './draft.ts';
import { isActing, seedOf, timesOf } from './draft.ts';
import {
  BACKFILLED_PER_TURN,
  IDLE_RETENTION_MS,
  MAX_BUFFERED_BY_BACKFILLS,
  MAX_DUE_PER_TURN,
  MAX_MISSED_PER_TURN,
  MAX_STARTING,
} from './limits.ts';
import type { HeadRow, ScheduleActor } from './rows.ts';

/** Times looked at to find those that jitter puts off beyond now. */
const MAX_PUT_OFF = 1_000;

export function takeDue(draft: ScheduleDraft): void {
  const { head, now } = draft;
  if (!draft.mayAct) {
    passOver(draft);
    return;
  }
  const { catchupWindow } = draft.definition.policies;
  let [taken, missed] = [0, 0];
  while (taken < MAX_DUE_PER_TURN && missed < MAX_MISSED_PER_TURN && !draft.effort.isOver) {
    const time = draft.next(head.through);
    if (time === undefined || time.due > now) return;
    head.through = time.nominal;
    if (now - time.due > catchupWindow) {
      missed += 1;
      head.counts.missed += 1;
    } else {
      taken += 1;
      draft.buffer({ ...time, overlapPolicy: ScheduleOverlapPolicy.UNSPECIFIED, manual: false });
    }
  }
}

/** What was due until now is not taken; a time that jitter puts off beyond now is still to come. */
export function passOver({ head, now, definition, address, effort }: ScheduleDraft): void {
  const { jitter = 0 } = definition.spec;
  if (jitter <= 0) {
    head.through = Math.max(head.through, now);
    return;
  }
  const times = timesOf(definition);
  const seed = seedOf(address);
  let through = Math.max(head.through, now - jitter - 1);
  for (let i = 0; i < MAX_PUT_OFF && !effort.isOver; i += 1) {
    const time = times.next(through, seed, effort);
    if (time === undefined || time.due > now) {
      head.through = through;
      return;
    }
    through = time.nominal;
  }
  head.through = Math.max(head.through, now);
}

export function takeBackfills(draft: ScheduleDraft): void {
  const { head } = draft;
  let left = BACKFILLED_PER_TURN;
  while (left > 0 && canBackfill(head, draft.buffered.size, draft.starting.size) && !draft.effort.isOver) {
    const [first, ...rest] = head.backfills;
    if (first === undefined) return;
    const overlapPolicy = first.overlapPolicy ?? ScheduleOverlapPolicy.UNSPECIFIED;
    const times = draft.between(first.startTime - 1, first.endTime, left);
    for (const time of times) draft.buffer({ ...time, overlapPolicy, manual: true });
    const last = times.at(-1);
    const more = last !== undefined && (times.length === left || draft.effort.isOver);
    head.backfills = more ? [{ ...first, startTime: last.nominal + 1 }, ...rest] : rest;
    left -= times.length;
  }
}

const canBackfill = ({ backfills }: HeadRow, buffered: number, starting: number): boolean =>
  backfills.length > 0 && buffered < MAX_BUFFERED_BY_BACKFILLS && starting < MAX_STARTING;

interface Addressed {
  namespace: string;
  workflowId: string;
}

/** Epoch ms at which a `timer` message is due; undefined: nothing is to be expected of it (I7). */
export function nextScheduleDeadline(address: Addressed, actor: ScheduleActor): number | undefined {
  const { head, definition, buffered, starting } = actor;
  if (head === undefined || definition === undefined) return knownUntil(actor);
  if (canBackfill(head, buffered.size, starting.size)) return head.createTime;
  if (isActing(head)) {
    actor.next ??= { due: timesOf(definition).next(head.through, seedOf(address)) };
    if (actor.next.due !== undefined) return actor.next.due.due;
  }
  return idleUntil(actor);
}

/** Of a schedule that was deleted: when its last rows go. */
function knownUntil({ requests }: ScheduleActor): number | undefined {
  let latest: number | undefined;
  for (const { at, until = at } of requests.values()) latest = Math.max(latest ?? 0, until);
  return latest;
}

/** When a schedule that will do nothing any more goes. */
export function idleUntil({ head, buffered, starting }: ScheduleActor): number | undefined {
  if (head === undefined || head.state.paused === true || head.running.length > 0) return undefined;
  if (buffered.size > 0 || starting.size > 0 || head.backfills.length > 0) return undefined;
  const { createTime, updateTime = 0, recent } = head;
  return Math.max(createTime, updateTime, ...recent.map(({ actualTime }) => actualTime)) + IDLE_RETENTION_MS;
}
