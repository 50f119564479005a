// Whatever the time and the room of a key ask for now: reservations that lapse, a quiet period that is over, permits for those who wait. Each turn of
// a key ends with it. Nobody gets a permit but here, so the limits hold at every instant, whatever the message was.

import type { FlowDraft } from './draft.ts';
import { limitsOf, type Waiter } from './draft.ts';
import { HELD_UP_MS, IDLE_MS, LISTEN_MS } from './limits.ts';
import { type FlowActor, settledAt, type WaiterRow } from './rows.ts';

export function settle(draft: FlowDraft): void {
  lapse(draft);
  endQuiet(draft);
  while (!draft.isFull && hasRoom(draft)) {
    const next = draft.next();
    if (next === undefined) return;
    draft.removeWaiter(next.seq);
    give(draft, next.row);
  }
}

/** Another one of the key may begin now. */
export function hasRoom(draft: FlowDraft): boolean {
  const { concurrency, throttle } = draft.limits;
  if (concurrency !== undefined && draft.head.holders >= concurrency.limit) return false;
  return throttle?.limit !== 0 && draft.throttledUntil === undefined;
}

function give(draft: FlowDraft, { permit, claimant }: WaiterRow): void {
  take(draft);
  draft.setHolder(permit, { claimant, at: draft.now });
  draft.send({ type: 'flowGranted', permit, claimant });
}

/** Counts a start. */
export function take(draft: FlowDraft): void {
  draft.logStart();
  draft.head.counts.granted += 1;
}

function lapse(draft: FlowDraft): void {
  for (const [permit, { reserved }] of draft.actor.reserved) {
    if (reserved !== undefined && reserved.until <= draft.now && draft.holder(permit)?.reserved !== undefined) {
      draft.setHolder(permit, undefined);
    }
  }
}

/** Of a key that was away nobody knows whether it was quiet: it listens first, once. */
function endQuiet(draft: FlowDraft): void {
  const { now } = draft;
  const found = draft.settling();
  if (found === undefined || settledAt(found.row.settling) > now) return;
  const { seq, row } = found;
  const { settling } = row;
  if (settling.listensUntil === undefined && now - settling.dueAt > HELD_UP_MS) {
    draft.setWaiter(seq, { ...row, settling: { ...settling, listensUntil: now + LISTEN_MS } });
  } else endSettling(draft, found);
}

/** It joins the queue as if it came now. */
export function endSettling(draft: FlowDraft, { seq, row: { settling: _over, ...row } }: Waiter): void {
  draft.removeWaiter(seq);
  draft.addWaiter(row);
}

/** Epoch ms at which a `timer` message is due; undefined: nothing is to be expected of it (I7). */
export function nextFlowDeadline(actor: FlowActor): number | undefined {
  const { head, starts } = actor;
  if (head === undefined) return undefined;
  const { concurrency, throttle } = limitsOf(head);
  let due = Number.POSITIVE_INFINITY;
  for (const { reserved } of actor.reserved.values()) due = Math.min(due, reserved?.until ?? due);
  const settling = actor.settling === undefined ? undefined : actor.waiters.get(actor.settling)?.settling;
  if (settling !== undefined) due = Math.min(due, settledAt(settling));
  const queued = head.waiters - Number(settling !== undefined);
  const free = concurrency === undefined || head.holders < concurrency.limit;
  if (queued > 0 && free && throttle?.limit !== 0) {
    const before = throttle === undefined ? undefined : starts.at(head.logged - throttle.limit);
    // At once where only the bound of a turn's messages has kept them.
    due = Math.min(due, before === undefined || throttle === undefined ? head.createTime : before + throttle.periodMs);
  }
  return Math.min(due, idleUntil(actor) ?? due) === Number.POSITIVE_INFINITY
    ? undefined
    : Math.min(due, idleUntil(actor) ?? due);
}

/** When a key that nobody has or wants a permit of is forgotten. */
export function idleUntil({ head }: FlowActor): number | undefined {
  if (head === undefined || head.set !== undefined || head.holders + head.waiters > 0) return undefined;
  return head.touchedAt + Math.max(IDLE_MS, limitsOf(head).throttle?.periodMs ?? 0);
}
