// Terms from the coordinator: it says who tries, and makes nothing safe. While it is away a candidate takes the next term it knows, which the
// replicas' votes settle as well (DESIGN §7).

import type { Coordinator } from '../../src/ports/coordinator.ts';
import { type ShardId, type Term, term } from '../../src/ports/ids.ts';
import type { TermSource } from '../replication/terms.ts';

export function coordinatedTerms(coordinator: Coordinator): TermSource {
  /** The highest heard of, per shard: the counter is lifted above it. Bounded by the number of shards. */
  const heard = new Map<ShardId, Term>();
  return {
    next: async (shard, above) => {
      if (coordinator.state !== 'ready') return undefined;
      const atLeast = term(Math.max(above, heard.get(shard) ?? 0));
      const outcome = await coordinator.nextTerm(shard, atLeast);
      if (outcome.type !== 'ok') return undefined;
      return outcome.value > atLeast ? outcome.value : undefined;
    },
    heard: (shard, known) => {
      if (known > (heard.get(shard) ?? 0)) heard.set(shard, known);
    },
  };
}
