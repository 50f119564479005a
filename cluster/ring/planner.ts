// Decides when the ring changes: a pure state machine from who is seen, with times, to the next plan. It is slow on purpose: a
// newcomer must stay before it counts, a member that is away keeps its replicas for minutes, one that flaps is trusted later each time,
// and plans move a bounded share of the data a minute. Every node runs it; they take turns to propose, and the coordinator lets one win.

import { MAX_MEMBERS } from './limits.ts';
import { byDirectory, type Drain, type RingMember, sameMember } from './member.ts';
import { NO_PLAN, type PlanSettings, type RingPlan, supersedes } from './plan.ts';
import { doubted, flapsAt, type Oddity, type Seen, see, type Track, type Tracks, trusted } from './presence.ts';

const MINUTE_MS = 60_000;

/** Both clocks of the observing node, ms: `wallMs` for the instant of a switch, `monotonicMs` for how long things last. */
export interface Instant {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export interface PlannerState {
  readonly settings: PlanSettings;
  /** This node's directory: decides when it is its turn. */
  readonly self: string;
  readonly tracks: Tracks;
  /** The newest plan known, in force or not yet. */
  readonly plan: RingPlan;
  /** When that plan was heard of (ms, monotonic), and when it is in force (epoch ms). */
  readonly planSinceMs: number;
  /** Since when a change has been wanted, ms, monotonic. */
  readonly wantedSinceMs: number | undefined;
  /** Share of the data plans may still move, and when that was counted. */
  readonly budget: number;
  readonly budgetAtMs: number;
  readonly odd: readonly Oddity[];
}

export type Proposal =
  | { readonly type: 'plan'; readonly plan: RingPlan }
  /** Nothing to change, or not now: says why, for `tenuto cluster health`. */
  | { readonly type: 'none'; readonly why: NoProposal };

export type NoProposal =
  | 'settled'
  /** The newest plan is not in force yet, or too young. */
  | 'a plan is under way'
  /** Fewer than a majority of the plan's members are seen: it is more likely that this node is cut off. */
  | 'no majority in sight'
  | 'fewer nodes than cluster.firstMembers have been there for some seconds'
  | 'another node proposes first'
  /** What is left to do would move more data than a minute may. */
  | 'enough moves for now';

export function newPlanner(self: string, settings: PlanSettings, at: Instant): PlannerState {
  return {
    settings,
    self,
    tracks: new Map(),
    plan: NO_PLAN,
    planSinceMs: at.monotonicMs,
    wantedSinceMs: undefined,
    budget: settings.movedPerMinute,
    budgetAtMs: at.monotonicMs,
    odd: [],
  };
}

/** Takes in who is there now, and who is not. To be called on every change and every second. */
export function observe(state: PlannerState, seen: Seen, at: Instant): PlannerState {
  const kept = new Set(state.plan.members.map(({ directoryId }) => directoryId));
  const { tracks, odd } = see(state.tracks, seen, kept, at.monotonicMs, state.settings, MAX_MEMBERS);
  return wanting({ ...state, tracks: withoutReplaced(tracks, at.monotonicMs, state.settings), odd }, at);
}

/**
 * A name that has come to stay with another directory: the one it had will not come back, as when a disk was replaced. Waited for, it would count
 * among the voters of its shards meanwhile, and the next loss would be one too many.
 */
function withoutReplaced(tracks: Tracks, nowMs: number, settings: PlanSettings): Tracks {
  const stays = new Set<string>();
  for (const track of tracks.values())
    if (track.state === 'present' && trusted(track, nowMs, settings)) stays.add(track.member.name);
  const replaced = [...tracks].filter(([, { state, member, sinceMs }]) => {
    return state === 'absent' && sinceMs !== Number.NEGATIVE_INFINITY && stays.has(member.name);
  });
  if (replaced.length === 0) return tracks;
  const next = new Map(tracks);
  for (const [directoryId, track] of replaced) next.set(directoryId, { ...track, sinceMs: Number.NEGATIVE_INFINITY });
  return next;
}

/** Takes in a plan that was agreed on, own or another's. Older ones change nothing. */
export function adopt(state: PlannerState, plan: RingPlan, at: Instant): PlannerState {
  if (!supersedes(plan, state.plan)) return state;
  const nowMs = at.monotonicMs;
  // The first plan places shards that nobody has yet, and a node that has just started does not know what came before.
  const moved = state.plan.version === 0 ? 0 : movedShare(state.plan.members, plan.members);
  const tracks = new Map(state.tracks);
  for (const { directoryId, after } of changesBetween(state.plan.members, plan.members)) {
    const track = tracks.get(directoryId);
    const wanted = track?.member.drain === 'no' && track.state === 'present' && plan.proposer !== state.self;
    if (wanted && after?.drain !== 'no') tracks.set(directoryId, doubted(track, nowMs, state.settings));
  }
  for (const member of plan.members) {
    // Not seen yet: away since now, as far as this node can say.
    if (tracks.has(member.directoryId)) continue;
    tracks.set(member.directoryId, {
      member,
      state: 'absent',
      sinceMs: nowMs,
      flaps: 0,
      lastFlapMs: nowMs,
      hearsay: false,
    });
  }
  const budget = Math.max(0, budgetAt(state, nowMs) - moved);
  return wanting({ ...state, plan, tracks, planSinceMs: nowMs, budget, budgetAtMs: nowMs }, at);
}

/**
 * Takes out an absent directory on command (`tenuto cluster replace`), without waiting. One that is there has to be drained instead: nothing
 * changes then, nor for one that is unknown.
 */
export function forget(state: PlannerState, directoryId: string, at: Instant): PlannerState {
  const track = state.tracks.get(directoryId);
  if (track?.state !== 'absent') return state;
  const tracks = new Map(state.tracks).set(directoryId, { ...track, sinceMs: Number.NEGATIVE_INFINITY });
  return wanting({ ...state, tracks }, at);
}

/** The next plan, if this node should propose one now. Proposing changes nothing: the plan counts once it is adopted. */
export function propose(state: PlannerState, at: Instant): Proposal {
  const { plan, settings } = state;
  const none = (why: NoProposal): Proposal => ({ type: 'none', why });
  const tooFew = 'fewer nodes than cluster.firstMembers have been there for some seconds';
  if (state.wantedSinceMs === undefined) return none(plan.version === 0 ? tooFew : 'settled');
  if (plan.version > 0) {
    const age = at.monotonicMs - state.planSinceMs;
    if (at.wallMs < plan.validFromMs && age < settings.leadMs + settings.intervalMs) return none('a plan is under way');
    if (age < settings.intervalMs) return none('a plan is under way');
    if (!majorityPresent(state)) return none('no majority in sight');
  }
  const wanted = wantedMembers(state, at.monotonicMs);
  if (plan.version === 0 && wanted.length < settings.firstMembers) return none(tooFew);
  const members = plan.version === 0 ? wanted : affordable(state, wanted, at.monotonicMs);
  if (sameMembers(members, plan.members)) return none('enough moves for now');
  if (at.monotonicMs - state.wantedSinceMs < turnOf(state) * settings.turnMs)
    return none('another node proposes first');
  const validFromMs = at.wallMs + settings.leadMs;
  return { type: 'plan', plan: { version: plan.version + 1, validFromMs, proposer: state.self, members } };
}

/**
 * The plan by which this node, which gives up everything and is about to go, takes itself out. The others would do so once it is gone; this one is sure to
 * know that it drains. Undefined: it is no member, or others cannot hold what it holds.
 */
export function farewell(state: PlannerState, at: Instant): RingPlan | undefined {
  const { plan, self, settings, tracks } = state;
  const planned = plan.members.find(({ directoryId }) => directoryId === self);
  const track = tracks.get(self);
  if (planned === undefined || track === undefined) return undefined;
  if (!isOver(planned, { ...track, state: 'absent' }, maySpare(state))) return undefined;
  const members = plan.members.filter((member) => member !== planned);
  if (members.length === 0) return undefined;
  return { version: plan.version + 1, validFromMs: at.wallMs + settings.leadMs, proposer: self, members };
}

/** Notes since when a change is wanted. */
function wanting(state: PlannerState, at: Instant): PlannerState {
  const wanted = wantedMembers(state, at.monotonicMs);
  const settled = wanted.length === 0 || sameMembers(wanted, state.plan.members);
  const wantedSinceMs = settled ? undefined : (state.wantedSinceMs ?? at.monotonicMs);
  return wantedSinceMs === state.wantedSinceMs ? state : { ...state, wantedSinceMs };
}

/** What the plan should be if data moved for free. */
function wantedMembers(state: PlannerState, nowMs: number): RingMember[] {
  const planned = new Map(state.plan.members.map((member) => [member.directoryId, member]));
  const wanted: RingMember[] = [];
  const spare = maySpare(state);
  const mayGo = mayGiveUpEverything(state);
  for (const [directoryId, track] of state.tracks) {
    const before = planned.get(directoryId);
    const mayDrain = before === undefined || track.state === 'absent' || mayGo.has(directoryId);
    const keeps = track.member.drain === 'everything' && !mayDrain;
    const seen: Track = keeps ? { ...track, member: { ...track.member, drain: 'leadership' } } : track;
    const drain = wantedDrain(seen, before, nowMs, state.settings, spare);
    if (drain === 'out') continue;
    const { name, zone, weight, seed } = track.member;
    // Tokens are for life: another seed would move all the member holds.
    wanted.push({ name, directoryId, zone, weight, drain, seed: before?.seed ?? seed });
  }
  return wanted.sort(byDirectory).slice(0, MAX_MEMBERS);
}

/** Enough stay to hold what one that is away holds. */
const maySpare = (state: PlannerState): boolean => holdersPresent(state) >= state.settings.replicas;

/** Members of the plan that are there and stay. */
function holdersPresent({ plan, tracks }: PlannerState): number {
  const stays = ({ directoryId }: RingMember): boolean => {
    const track = tracks.get(directoryId);
    return track?.state === 'present' && track.member.drain !== 'everything';
  };
  return plan.members.filter(stays).length;
}

/**
 * Who drains everything, and has begun or may begin: so many others stay that every shard keeps its voters. The others give up leading, and keep
 * what they hold until somebody is there to take it: cut down to the voters that are left, a shard would not survive what it was made to survive.
 */
function mayGiveUpEverything(state: PlannerState): ReadonlySet<string> {
  const { plan, tracks, settings } = state;
  const draining = plan.members.filter(({ directoryId }) => {
    const track = tracks.get(directoryId);
    return track?.state === 'present' && track.member.drain === 'everything';
  });
  const begun = draining.filter(({ drain }) => drain === 'everything');
  const waiting = draining.filter(({ drain }) => drain !== 'everything').sort(byDirectory);
  const room = Math.max(0, holdersPresent(state) + waiting.length - settings.replicas);
  return new Set([...begun, ...waiting.slice(0, room)].map(({ directoryId }) => directoryId));
}

function wantedDrain(
  track: Track,
  planned: RingMember | undefined,
  nowMs: number,
  settings: PlanSettings,
  /** Others could hold what it holds. */
  spare: boolean,
): Drain | 'out' {
  const announced = track.member.drain;
  const shaky = flapsAt(track, nowMs, settings) >= 2;
  if (track.state === 'present') {
    if (planned === undefined) return trusted(track, nowMs, settings) && announced !== 'everything' ? announced : 'out';
    if (announced !== 'no' || trusted(track, nowMs, settings)) return announced;
    // Hearsay keeps it from being restored, and demotes nobody: nodes that doubt it from different instants would undo each other for ever.
    return shaky && !track.hearsay ? 'leadership' : planned.drain;
  }
  if (planned === undefined || isOver(planned, track, spare)) return 'out';
  const awayMs = nowMs - track.sinceMs;
  if (awayMs >= settings.goneMs && spare) return 'out';
  return shaky || awayMs >= settings.demoteMs ? 'leadership' : planned.drain;
}

/** The wanted members as far as the minute's budget goes: operators' drains first, then what has waited longest. */
function affordable(state: PlannerState, wanted: readonly RingMember[], nowMs: number): RingMember[] {
  const { plan, settings, tracks } = state;
  const result = new Map(plan.members.map((member) => [member.directoryId, member]));
  const since = ({ directoryId, after }: Change): number =>
    after?.drain === 'everything' ? Number.NEGATIVE_INFINITY : (tracks.get(directoryId)?.sinceMs ?? 0);
  const changes = changesBetween(plan.members, wanted).sort(
    (a, b) => since(a) - since(b) || (a.directoryId < b.directoryId ? -1 : 1),
  );
  let budget = budgetAt(state, nowMs);
  let whole = budget >= settings.movedPerMinute;
  for (const { directoryId, after, cost } of changes) {
    if (cost > budget && cost > 0 && !whole) continue;
    if (cost > 0) {
      budget -= cost;
      whole = false;
    }
    if (after === undefined) result.delete(directoryId);
    else result.set(directoryId, after);
  }
  return [...result.values()].sort(byDirectory);
}

interface Change {
  readonly directoryId: string;
  readonly after: RingMember | undefined;
  /** About the share of all data that it moves. */
  readonly cost: number;
}

function changesBetween(before: readonly RingMember[], after: readonly RingMember[]): Change[] {
  const was = new Map(before.map((member) => [member.directoryId, member]));
  const is = new Map(after.map((member) => [member.directoryId, member]));
  const total = Math.max(holding(before), holding(after), Number.MIN_VALUE);
  const changes: Change[] = [];
  for (const directoryId of new Set([...was.keys(), ...is.keys()])) {
    const [old, next] = [was.get(directoryId), is.get(directoryId)];
    if (old !== undefined && next !== undefined && sameMember(old, next)) continue;
    const [held, holds] = [holding(old === undefined ? [] : [old]), holding(next === undefined ? [] : [next])];
    const rezoned = old !== undefined && next !== undefined && old.zone !== next.zone;
    changes.push({
      directoryId,
      after: next,
      cost: (rezoned ? Math.max(held, holds) : Math.abs(held - holds)) / total,
    });
  }
  return changes;
}

/** Weight of those that hold replicas. */
function holding(members: readonly RingMember[]): number {
  return members.reduce((sum, { weight, drain }) => sum + (drain === 'everything' ? 0 : weight), 0);
}

function movedShare(before: readonly RingMember[], after: readonly RingMember[]): number {
  return changesBetween(before, after).reduce((sum, { cost }) => sum + cost, 0);
}

function budgetAt({ settings, budget, budgetAtMs }: PlannerState, nowMs: number): number {
  const { movedPerMinute } = settings;
  return Math.min(movedPerMinute, budget + (movedPerMinute * (nowMs - budgetAtMs)) / MINUTE_MS);
}

function majorityPresent(state: PlannerState): boolean {
  const { plan, tracks } = state;
  const spare = maySpare(state);
  const counted = plan.members.filter((member) => !isOver(member, tracks.get(member.directoryId), spare));
  const present = counted.filter(({ directoryId }) => tracks.get(directoryId)?.state === 'present');
  return present.length * 2 > counted.length;
}

/**
 * Gone for good: it had given everything away by plan, or an operator says so, or it was about to and others can hold what it holds: the operator who
 * drained it may have stopped it before there was a plan. Counted, the rest might never again be a majority.
 */
function isOver({ drain }: RingMember, track: Track | undefined, spare: boolean): boolean {
  if (track?.state !== 'absent') return false;
  const leaves = drain === 'everything' || (spare && track.member.drain === 'everything');
  return leaves || track.sinceMs === Number.NEGATIVE_INFINITY;
}

/** How many nodes come before this one: those present, by directory id, members of the plan first. */
function turnOf({ plan, tracks, self }: PlannerState): number {
  const planned = new Set(plan.members.map(({ directoryId }) => directoryId));
  const present = [...tracks].filter(([, { state }]) => state === 'present').map(([directoryId]) => directoryId);
  const turn = (directoryId: string): string => `${planned.has(directoryId) ? 0 : 1}${directoryId}`;
  return present.filter((directoryId) => turn(directoryId) < turn(self)).length;
}

function sameMembers(a: readonly RingMember[], b: readonly RingMember[]): boolean {
  return changesBetween(a, b).length === 0;
}
