// What would be fair: how many replicas each member should hold, given weights, zones and that a member holds a shard once at most.
// Zones come first: a small zone's members carry more, because each shard wants a replica there.

import { LOAD_BOUND } from './limits.ts';

/** Every shard has `level` replicas in each zone (or one per member, in a smaller zone), and one more in `extra` of the zones. */
export interface ZoneRule {
  readonly level: number;
  readonly extra: number;
}

/** As even over the zones as their sizes allow. `replicas` ≤ the number of members. */
export function zoneRule(sizes: readonly number[], replicas: number): ZoneRule {
  const held = (level: number): number => sizes.reduce((sum, size) => sum + Math.min(size, level), 0);
  let level = 0;
  while (level < replicas && held(level + 1) <= replicas) level += 1;
  return { level, extra: replicas - held(level) };
}

/** Gives out `total` in proportion to weights, nobody more than `limit`. */
export function spread(total: number, weights: readonly number[], limit: number): number[] {
  const heaviestFirst = weights.map((_, index) => index).sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
  const shares = weights.map(() => 0);
  let left = total;
  let weightLeft = weights.reduce((sum, weight) => sum + weight, 0);
  for (const index of heaviestFirst) {
    const weight = weights[index] ?? 0;
    const share = Math.min(limit, (left * weight) / weightLeft);
    shares[index] = share;
    left -= share;
    weightLeft -= weight;
  }
  return shares;
}

/** Halvings of the searched factor: more than a double can tell apart. */
const PRECISION = 80;

/** Replicas each member should hold. `zones[i]` is the zone number of member i. */
export function fairShares(
  weights: readonly number[],
  zones: readonly number[],
  shardCount: number,
  rule: ZoneRule,
): Float64Array {
  if (weights.length === 0) return new Float64Array();
  const byZone: number[][] = [];
  for (const [member, zone] of zones.entries()) (byZone[zone] ??= []).push(member);
  const bounds = byZone.map(({ length }) => ({
    least: shardCount * Math.min(length, rule.level),
    most: shardCount * Math.min(length, rule.level + 1),
  }));
  const wanted = shardCount * (bounds.reduce((sum, { least }) => sum + least / shardCount, 0) + rule.extra);
  const zoneTotal = (zone: number, factor: number): number => {
    const { least = 0, most = 0 } = bounds[zone] ?? {};
    let sum = 0;
    for (const member of byZone[zone] ?? []) sum += Math.min(shardCount, factor * (weights[member] ?? 0));
    return Math.min(most, Math.max(least, sum));
  };
  let low = 0;
  let high = shardCount / Math.min(...weights);
  for (let i = 0; i < PRECISION; i += 1) {
    const middle = (low + high) / 2;
    let sum = 0;
    for (let zone = 0; zone < byZone.length; zone += 1) sum += zoneTotal(zone, middle);
    if (sum < wanted) low = middle;
    else high = middle;
  }
  const shares = new Float64Array(weights.length);
  for (const [zone, members] of byZone.entries()) {
    const inZone = members.map((member) => weights[member] ?? 0);
    const given = spread(zoneTotal(zone, high), inZone, shardCount);
    for (const [index, member] of members.entries()) shares[member] = given[index] ?? 0;
  }
  return shares;
}

/** Below it a share is a whole number that rounding has blurred. */
const BLUR = 1e-6;

/**
 * The most a member may hold: `LOAD_BOUND` times its share. Where that leaves no room to move (shares below ten), one more than the share
 * rounded up, so that somebody always has room.
 */
export function loadBound(share: number, shardCount: number): number {
  if (share <= BLUR) return 0;
  return Math.min(shardCount, Math.max(Math.floor(LOAD_BOUND * share + BLUR), Math.ceil(share - BLUR) + 1));
}
