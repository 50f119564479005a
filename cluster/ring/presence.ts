// Who has been there since when, and how often it went away: what the planner knows of a member beyond the plan. Pure; times are ms of the
// observing node's monotonic clock. A member that flaps must stay twice as long each time before it is trusted again.

import { byDirectory, memberFault, type RingMember } from './member.ts';
import type { PlanSettings } from './plan.ts';

export interface Track {
  /** As it was last announced. */
  readonly member: RingMember;
  readonly state: 'present' | 'absent';
  readonly sinceMs: number;
  /** Disappearances not yet forgiven when it last disappeared. */
  readonly flaps: number;
  readonly lastFlapMs: number;
  /** Another node has seen it go last, and this one has not. */
  readonly hearsay: boolean;
}

/** What a node sees of the others now. */
export interface Seen {
  /** This node included. */
  readonly present: readonly RingMember[];
  /**
   * Directories whose nodes are gone and said last that they give up everything, though perhaps to others only: this node may have started since, and the
   * plan may have had no time to say so.
   */
  readonly left: ReadonlySet<string>;
}

export type Tracks = ReadonlyMap<string, Track>;

/** An announcement that is not taken as it is; to be said in the log when it first appears. */
export type Oddity =
  /** Two nodes announce one directory, which has been copied or stolen. The one known first counts. */
  | { readonly type: 'directory twice'; readonly directoryId: string; readonly names: readonly string[] }
  /** It cannot be placed, and does not count. */
  | { readonly type: 'unfit'; readonly directoryId: string; readonly fault: string };

/** Enough doublings to reach any bound there is. */
const MAX_FLAPS = 30;

/** Disappearances that still count at `nowMs`. */
export function flapsAt({ flaps, lastFlapMs }: Track, nowMs: number, { forgiveMs }: PlanSettings): number {
  return Math.max(0, flaps - Math.floor((nowMs - lastFlapMs) / forgiveMs));
}

/** How long a member must have been present to be trusted, ms. */
export function neededMs(track: Track, nowMs: number, settings: PlanSettings): number {
  const flaps = flapsAt(track, nowMs, settings);
  return Math.min(settings.maxStableMs, settings.stableMs * 2 ** Math.max(0, flaps - 1));
}

export function trusted(track: Track, nowMs: number, settings: PlanSettings): boolean {
  return track.state === 'present' && nowMs - track.sinceMs >= neededMs(track, nowMs, settings);
}

/** What one directory's announcement is; of two, the name already known wins, then the smaller one. */
function distinct(present: readonly RingMember[], tracks: Tracks): { members: Map<string, RingMember>; odd: Oddity[] } {
  const members = new Map<string, RingMember>();
  const names = new Map<string, Set<string>>();
  const odd: Oddity[] = [];
  for (const member of [...present].sort((a, b) => byDirectory(a, b) || (a.name < b.name ? -1 : 1))) {
    const { directoryId, name } = member;
    const fault = memberFault(member);
    if (fault !== undefined) {
      odd.push({ type: 'unfit', directoryId, fault });
      continue;
    }
    names.set(directoryId, (names.get(directoryId) ?? new Set()).add(name));
    if (!members.has(directoryId) || tracks.get(directoryId)?.member.name === name) members.set(directoryId, member);
  }
  for (const [directoryId, all] of names) {
    if (all.size > 1) odd.push({ type: 'directory twice', directoryId, names: [...all] });
  }
  return { members, odd };
}

/**
 * Takes in who is there now. Members that are away and not in `kept` (the plan) are remembered while their flaps count: at most `bound` in
 * all, the longest gone are dropped first.
 */
export function see(
  tracks: Tracks,
  { present, left }: Seen,
  kept: ReadonlySet<string>,
  nowMs: number,
  settings: PlanSettings,
  bound: number,
): { tracks: Tracks; odd: readonly Oddity[] } {
  const { members, odd } = distinct(present, tracks);
  const next = new Map<string, Track>();
  for (const [directoryId, track] of tracks) {
    if (members.has(directoryId)) continue;
    if (track.state === 'absent') next.set(directoryId, track);
    else next.set(directoryId, disappeared(track, nowMs, settings));
  }
  for (const [directoryId, member] of members) {
    const track = tracks.get(directoryId);
    if (track === undefined)
      next.set(directoryId, { member, state: 'present', sinceMs: nowMs, flaps: 0, lastFlapMs: nowMs, hearsay: false });
    else if (track.state === 'present') next.set(directoryId, { ...track, member });
    else next.set(directoryId, { ...track, member, state: 'present', sinceMs: nowMs });
  }
  for (const [directoryId, track] of next) {
    const { member } = track;
    if (track.state === 'absent' && left.has(directoryId))
      next.set(directoryId, { ...track, member: { ...member, drain: 'everything' } });
    const forgotten = track.state === 'absent' && !kept.has(directoryId) && flapsAt(track, nowMs, settings) === 0;
    if (forgotten) next.delete(directoryId);
  }
  // The map is in the order in which members were last taken in, absent ones first.
  for (const directoryId of next.keys()) {
    if (next.size <= bound) break;
    if (!kept.has(directoryId)) next.delete(directoryId);
  }
  return { tracks: next, odd };
}

function disappeared(track: Track, nowMs: number, settings: PlanSettings): Track {
  const flaps = Math.min(MAX_FLAPS, flapsAt(track, nowMs, settings) + 1);
  return { ...track, state: 'absent', sinceMs: nowMs, flaps, lastFlapMs: nowMs, hearsay: false };
}

/** Another node has seen a member go that this one sees present. It counts as much, or their two views would undo each other for ever. */
export function doubted(track: Track, nowMs: number, settings: PlanSettings): Track {
  return { ...disappeared(track, nowMs, settings), state: 'present', hearsay: true };
}
