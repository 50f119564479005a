// The bounds of the coordinator's arguments, alike for every adapter. A caller that breaks them is a bug, so they throw.

import {
  type LeaderHint,
  MAX_HINTS,
  MAX_PLAN_CHARS,
  MAX_SESSION_TTL_MS,
  MAX_TERM,
  MIN_SESSION_TTL_MS,
  type PublishedPlan,
} from '../../src/ports/coordinator.ts';
import type { ShardId } from '../../src/ports/ids.ts';

function within(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${what} ${value} is not an integer from ${least} to ${most}`);
  }
}

export function checkTtl(ttlMs: number): void {
  within('session ttl', ttlMs, MIN_SESSION_TTL_MS, MAX_SESSION_TTL_MS);
}

export function checkTermClaim(shard: ShardId, atLeast: number): void {
  within('shard', shard, 0, 65_535);
  within(`shard ${shard}: term`, atLeast, 0, MAX_TERM - 1);
}

export function checkHints(hints: readonly LeaderHint[]): void {
  if (hints.length > MAX_HINTS) throw new RangeError(`${hints.length} leader hints in one call: at most ${MAX_HINTS}`);
  for (const { shard, term } of hints) checkTermClaim(shard, term);
}

export function checkPlan({ version, body }: PublishedPlan): void {
  within('plan version', version, 1, MAX_TERM);
  if (body.length > MAX_PLAN_CHARS)
    throw new RangeError(`a plan of ${body.length} characters: at most ${MAX_PLAN_CHARS}`);
}
