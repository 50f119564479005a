// How much of a shard's log stays behind what is applied (DESIGN §5): at the leader what the slowest member still lacks, but at most so many
// bytes and so old; elsewhere a little, in case it comes to lead. Pure.

import { type Lsn, lsn } from '../../src/ports/ids.ts';
import type { LogView } from './core/log.ts';

/** Past this a follower gets a snapshot instead. */
export const KEPT_BYTES = 64 * 1024 * 1024;
export const KEPT_MS = 10 * 60_000;
/** At a follower. */
export const FOLLOWER_KEPT_BYTES = 1024 * 1024;
const SAMPLE_MS = 60_000;

export class Retention {
  /** Where the log was applied to, once a minute. */
  #samples: { atMs: number; lsn: Lsn }[] = [];

  /** Up to where the log may go. `slowest`: what every member has, at a leader. */
  trimTo(log: LogView, applied: Lsn, slowest: Lsn | undefined, nowMs: number): Lsn {
    const last = this.#samples.at(-1);
    if (last === undefined || nowMs - last.atMs >= SAMPLE_MS) this.#samples.push({ atMs: nowMs, lsn: applied });
    while ((this.#samples[1]?.atMs ?? nowMs) <= nowMs - KEPT_MS) this.#samples.shift();
    const oldest = this.#samples[0];
    const old = oldest !== undefined && oldest.atMs <= nowMs - KEPT_MS ? oldest.lsn : 0;
    const keptBytes = slowest === undefined ? FOLLOWER_KEPT_BYTES : KEPT_BYTES;
    const to = Math.max(log.base.lsn, old, Math.min(slowest ?? 0, applied));
    return lsn(Math.min(applied, Math.max(to, log.trimForBytes(keptBytes))));
  }
}
