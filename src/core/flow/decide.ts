// decide of a flow-control key: what a message comes to. Pure, like that of workflows; `state = load(rows)` (I4). Keeps: never more permits than the
// limits that hold, each asked-for permit is granted, refused or taken back exactly once, in order of priority and arrival (docs/decisions/0052).

import type { FlowControl, FlowLimits } from '../../wire/flow-control.ts';
import type { Message } from '../workflow/message.ts';
import type { Decision, Outcome, Reply, TurnContext } from '../workflow/outcome.ts';
import { notForWorkflows } from '../workflow/reserved-id.ts';
import { type Addressed, FlowDraft, type Waiter } from './draft.ts';
import { HELD_UP_MS, MAX_WAITING, RESERVATION_MS, SENT_PER_TURN } from './limits.ts';
import type { Claimant, FlowAcquireMessage, FlowReleaseMessage, FlowReserveMessage, FlowVerdict } from './message.ts';
import type { FlowActor, WaiterRow } from './rows.ts';
import { endSettling, hasRoom, idleUntil, settle, take } from './settle.ts';
import { described, nameOf } from './view.ts';

const ACCEPTED: Reply = { type: 'accepted' };

export function decideFlow(address: Addressed, actor: FlowActor, message: Message, context: TurnContext): Decision {
  switch (message.type) {
    case 'flowAcquire':
      return changing(address, actor, context, (draft) => acquire(address, draft, message));
    case 'flowRelease':
      return actor.head === undefined
        ? nothing(ACCEPTED)
        : changing(address, actor, context, (draft) => release(draft, message));
    case 'flowReserve':
      return reserve(address, actor, message, context);
    case 'setFlowLimits':
      return changing(address, actor, context, (draft) => {
        const { concurrency, throttle } = message.limits;
        draft.head.set = concurrency === undefined && throttle === undefined ? undefined : message.limits;
      });
    case 'describeFlow':
      return nothing({ type: 'flowDescribed', response: described(address, actor, context.now, message.permit) });
    case 'timer':
      return fire(address, actor, context);
    default:
      return notForWorkflows(address, 'flow control', message);
  }
}

function changing(
  address: Addressed,
  actor: FlowActor,
  context: TurnContext,
  change: (draft: FlowDraft) => void,
): Outcome {
  const draft = new FlowDraft(address, actor, context);
  // As of now: what is over makes room before anybody asks.
  settle(draft);
  change(draft);
  settle(draft);
  return draft.outcome(ACCEPTED);
}

function fire(address: Addressed, actor: FlowActor, context: TurnContext): Decision {
  if (actor.head === undefined) return nothing(ACCEPTED);
  const draft = new FlowDraft(address, actor, context);
  const until = idleUntil(actor);
  if (until !== undefined && until <= context.now) return draft.forgotten(ACCEPTED);
  // Its own looking at the clock keeps no key from being forgotten.
  draft.head.touchedAt = actor.head.touchedAt;
  settle(draft);
  return draft.outcome(ACCEPTED);
}

// ---------------------------------------------------------------- asking

/** The latest word counts. */
function say(draft: FlowDraft, flow: FlowControl): void {
  draft.head.asked = askedLimits(flow);
}

export function askedLimits({ concurrency, throttle, singleton }: FlowControl): FlowLimits {
  const limits: FlowLimits = {};
  if (singleton !== undefined) limits.concurrency = { limit: 1 };
  else if (concurrency !== undefined) limits.concurrency = { limit: concurrency.limit };
  if (throttle !== undefined) limits.throttle = { limit: throttle.limit, periodMs: throttle.periodMs };
  return limits;
}

function acquire(address: Addressed, draft: FlowDraft, message: FlowAcquireMessage): void {
  const { permit, claimant, flow, priority } = message;
  say(draft, flow);
  const held = draft.holder(permit);
  if (held !== undefined) {
    draft.setHolder(permit, { claimant, at: held.at });
    draft.send({ type: 'flowGranted', permit, claimant });
    // Whoever came to take its place while it was reserved found nobody to end.
    const next = draft.next();
    if (next?.row.takeover !== undefined) endHolders(address, draft, next.row.takeover, next.row.claimant);
    return;
  }
  if (draft.waiterOf(permit) !== undefined) return;
  const refusal = message.accepted === true ? undefined : refusalOf(address, draft, flow);
  if (refusal !== undefined) {
    draft.send({ type: 'flowRefused', permit, claimant, message: refusal });
    return;
  }
  const row: WaiterRow = { permit, claimant, at: draft.now, priority };
  const { debounce, singleton } = flow;
  if (singleton === 'terminateExisting' || singleton === 'cancelExisting') {
    row.takeover = singleton === 'terminateExisting' ? 'terminate' : 'cancel';
  }
  if (debounce !== undefined || row.takeover !== undefined) {
    const later = laterThan(draft, message);
    if (later !== undefined) {
      endSuperseded(address, draft, message, later);
      return;
    }
    draft.head.latest = { askedAt: message.askedAt ?? draft.now, claimant };
  }
  if (debounce !== undefined) {
    const before = followedBy(draft, message);
    if (before !== undefined) supersede(address, draft, before, claimant);
    const firstAt = before?.row.settling.firstAt ?? draft.now;
    const latest = debounce.maxWaitMs === undefined ? Number.POSITIVE_INFINITY : firstAt + debounce.maxWaitMs;
    row.settling = { firstAt, dueAt: Math.min(draft.now + debounce.quietMs, latest) };
  }
  if (row.takeover !== undefined) takeOver(address, draft, row.takeover, claimant);
  draft.addWaiter(row);
}

/** Who asked after this one and overtook it, while that was held up on its way: it is the last start that counts, not the last message. */
function laterThan({ now, head: { latest } }: FlowDraft, { askedAt = now }: FlowAcquireMessage): Claimant | undefined {
  return latest !== undefined && latest.askedAt > askedAt && now - askedAt > HELD_UP_MS ? latest.claimant : undefined;
}

/** Whose quiet period was not over when this one came, or asked if it was held up. Where it was, that one begins: a key has one that waits for quiet. */
function followedBy(draft: FlowDraft, { askedAt = draft.now }: FlowAcquireMessage): ReturnType<FlowDraft['settling']> {
  const before = draft.settling();
  const cameAt = draft.now - askedAt > HELD_UP_MS ? askedAt : draft.now;
  if (before === undefined || before.row.settling.dueAt > cameAt) return before;
  endSettling(draft, before);
  return undefined;
}

/** Why it does not get a permit, now or later; undefined: it does. */
function refusalOf(address: Addressed, draft: FlowDraft, flow: FlowControl): string | undefined {
  const waits = draft.next() !== undefined;
  if (flow.singleton === 'reject' || flow.singleton === 'useExisting') {
    const other = otherOne(draft);
    if (other !== undefined) return takenText(address, other);
  }
  if (flow.whenFull === 'reject' && (waits || !hasRoom(draft))) return fullText(address, draft);
  if (draft.head.waiters >= MAX_WAITING) {
    return `${MAX_WAITING} starts and activities wait for a permit of ${nameOf(address)} already, which is as many as may: try again later.`;
  }
  return undefined;
}

/** Who has the permit of a singleton, or waits for it. */
function otherOne(draft: FlowDraft): Claimant | undefined {
  for (const [, { claimant }] of draft.holders()) return claimant;
  return (draft.next() ?? draft.settling())?.row.claimant;
}

const takenText = (address: Addressed, { workflowId, runId }: Claimant): string =>
  `${nameOf(address)} is a singleton, and workflow ${workflowId}, run ${runId}, has it: wait until that has closed, or start with singleton: 'useExisting' or 'terminateExisting'.`;

function fullText(address: Addressed, draft: FlowDraft): string {
  const { concurrency, throttle } = draft.limits;
  const { holders, waiters } = draft.head;
  if (concurrency !== undefined && holders >= concurrency.limit) {
    return `${nameOf(address)} is full: ${holders} of ${concurrency.limit} run. Start with whenFull: 'queue' to wait, or try again later.`;
  }
  const until = draft.throttledUntil;
  if (throttle !== undefined && until !== undefined) {
    return `${nameOf(address)} had ${throttle.limit} starts within ${throttle.periodMs} ms: the next one may begin in ${until - draft.now} ms. Start with whenFull: 'queue' to wait.`;
  }
  return throttle?.limit === 0
    ? `${nameOf(address)} lets nothing through: its limit is set to 0. Set it anew, or start with whenFull: 'queue' to wait.`
    : `${nameOf(address)} has ${waiters} waiting, which come first. Start with whenFull: 'queue' to wait, or try again later.`;
}

// ---------------------------------------------------------------- taking another one's place

function takeOver(address: Addressed, draft: FlowDraft, how: 'terminate' | 'cancel', by: Claimant): void {
  const before = [...draft.line()].slice(0, SENT_PER_TURN);
  const settling = draft.settling();
  for (const waiter of settling === undefined ? before : [...before, settling]) supersede(address, draft, waiter, by);
  endHolders(address, draft, how, by);
}

function endHolders(address: Addressed, draft: FlowDraft, how: 'terminate' | 'cancel', by: Claimant): void {
  for (const [permit, row] of [...draft.holders()].slice(0, SENT_PER_TURN)) {
    // A reserved one is told once its start confirms it.
    if (row.reserved !== undefined || row.ending === how || row.ending === 'terminate') continue;
    draft.setHolder(permit, { ...row, ending: how });
    const reason = `workflow ${by.workflowId} takes its place as ${nameOf(address)}`;
    draft.send({ type: 'flowEnd', permit, claimant: row.claimant, how, reason });
  }
}

function supersede(address: Addressed, draft: FlowDraft, { seq, row }: Waiter, by: Claimant): void {
  draft.removeWaiter(seq);
  endSuperseded(address, draft, row, by);
}

function endSuperseded(
  address: Addressed,
  draft: FlowDraft,
  { permit, claimant }: Pick<WaiterRow, 'permit' | 'claimant'>,
  by: Claimant,
): void {
  draft.head.counts.superseded += 1;
  const reason = `superseded by workflow ${by.workflowId}, a later start of ${nameOf(address)}`;
  draft.send({ type: 'flowEnd', permit, claimant, how: 'terminate', reason });
}

// ---------------------------------------------------------------- giving back, and doors

function release(draft: FlowDraft, { permit }: FlowReleaseMessage): void {
  if (draft.holder(permit) !== undefined) draft.setHolder(permit, undefined);
  const waiter = draft.waiterOf(permit);
  if (waiter !== undefined) draft.removeWaiter(waiter.seq);
}

/** Refusals write nothing. */
function reserve(address: Addressed, actor: FlowActor, message: FlowReserveMessage, context: TurnContext): Decision {
  const { permit, requestId, claimant, flow } = message;
  const draft = new FlowDraft(address, actor, context);
  settle(draft);
  for (const [known, { reserved }] of actor.reserved) {
    if (reserved?.requestId === requestId && draft.holder(known) !== undefined) {
      return nothing(verdict({ verdict: 'reserved', permit: known }));
    }
  }
  // What becomes of a second start of the same workflow, its id's policies say.
  if (actor.workflows.has(claimant.workflowId)) return nothing(verdict({ verdict: 'reserved' }));
  say(draft, flow);
  const other = flow.singleton === 'reject' || flow.singleton === 'useExisting' ? otherOne(draft) : undefined;
  if (other !== undefined) {
    const { workflowId, runId } = other;
    return nothing(verdict({ verdict: 'taken', workflowId, runId, message: takenText(address, other) }));
  }
  const refusal = refusalOf(address, draft, flow);
  if (refusal !== undefined) return nothing(verdict({ verdict: 'full', message: refusal }));
  // It may wait: for its throttle, say. The start itself will ask.
  if (draft.next() !== undefined || !hasRoom(draft)) return nothing(verdict({ verdict: 'reserved' }));
  take(draft);
  const until = draft.now + RESERVATION_MS;
  draft.setHolder(permit, { claimant, at: draft.now, reserved: { until, requestId } });
  return draft.outcome(verdict({ verdict: 'reserved', permit }));
}

const verdict = (said: FlowVerdict): Reply => ({ type: 'flowReserved', verdict: said });

const nothing = (reply: Reply): Outcome => ({ ok: true, rows: [], events: [], effects: [], reply, visibility: [] });
