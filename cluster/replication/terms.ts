// Who hands out terms. It decides who tries to lead and makes nothing safe: it may be away, forget, or repeat itself (DESIGN §7).

import type { ShardId, Term } from '../../src/ports/ids.ts';

export interface TermSource {
  /** A term above this one, if it can be had soon; a candidate does not wait longer than `termWaitMs`. */
  next(shard: ShardId, above: Term): Promise<Term | undefined>;
  /** A term this high is known: hand out greater ones. */
  heard(shard: ShardId, term: Term): void;
}

/** Without a coordinator every candidate takes the next term it knows. */
export const NO_TERM_SOURCE: TermSource = {
  next: async () => undefined,
  heard: () => undefined,
};
