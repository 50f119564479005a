// A ring plan says which members count, and from which instant: all nodes switch to it then, so that they place alike at every moment
// (but for the differences of their clocks, which cost a redirect and never safety, I3). Plans are numbered; planner.ts proposes them,
// the coordinator's compare-and-set orders them, schedule.ts switches.

import type { RingMember } from './member.ts';

export interface RingPlan {
  /** 0: no plan has been made yet. Each next one has a greater version. */
  readonly version: number;
  /** Epoch ms. */
  readonly validFromMs: number;
  /** Directory id of the node that proposed it. */
  readonly proposer: string;
  readonly members: readonly RingMember[];
}

export const NO_PLAN: RingPlan = { version: 0, validFromMs: 0, proposer: '', members: [] };

/**
 * Which of two plans stands. A coordinator that has lost its last seconds may hand out a version twice: then the later instant wins, then
 * the proposer's id, on every node alike.
 */
export function supersedes(a: RingPlan, b: RingPlan): boolean {
  if (a.version !== b.version) return a.version > b.version;
  if (a.validFromMs !== b.validFromMs) return a.validFromMs > b.validFromMs;
  return a.proposer > b.proposer;
}

export interface PlanSettings {
  /** ms a newcomer must be there without a break before it is given shards. Shorter joins faster, and moves more for nodes that do not stay. */
  readonly stableMs: number;
  /** A member that comes and goes must be there twice as long each time, up to this, ms. */
  readonly maxStableMs: number;
  /** ms of presence after which one disappearance is forgiven. */
  readonly forgiveMs: number;
  /** ms a member may be away before others are preferred as leaders. Its replicas stay: nothing is copied for a restart. */
  readonly demoteMs: number;
  /**
   * ms a member may be away before its replicas are made elsewhere (DESIGN §1: 10 minutes). Not while there is no elsewhere: see `replicas`.
   */
  readonly goneMs: number;
  /** ms between two plans, so that what happens together is planned together. */
  readonly intervalMs: number;
  /** ms from proposal to switch: all nodes should have heard of it by then. */
  readonly leadMs: number;
  /** ms by which each further node waits longer before it proposes in the place of those before it. */
  readonly turnMs: number;
  /** Share of all replicas that plans may move in a minute. A single change that is greater waits until the whole minute is free. */
  readonly movedPerMinute: number;
  /**
   * Voters wanted per shard. A member that is away is not given up while fewer than these are there: nobody could take its place, and a shard
   * without it would not be saved by its return. Nor does one give up everything on command while fewer would be left.
   */
  readonly replicas: number;
  /** The first plan of a new cluster waits for so many members. */
  readonly firstMembers: number;
}

export const DEFAULT_PLAN_SETTINGS: PlanSettings = {
  stableMs: 5_000,
  maxStableMs: 3_600_000,
  forgiveMs: 600_000,
  demoteMs: 10_000,
  goneMs: 600_000,
  intervalMs: 5_000,
  leadMs: 2_000,
  turnMs: 2_000,
  movedPerMinute: 1,
  replicas: 1,
  firstMembers: 1,
};
