// What the CLI makes of the shards a cluster lists: all of them, page by page, and where each stands.

import type { Connection } from '../../../sdk/client/index.ts';
import type { ShardStatus } from '../../wire/cluster.ts';

/** Every shard, by number. Each page asks the nodes anew, so it is not one instant. */
export async function allShards(connection: Connection): Promise<ShardStatus[]> {
  const all: ShardStatus[] = [];
  let fromShard: number | undefined = 0;
  while (fromShard !== undefined) {
    const page: Awaited<ReturnType<typeof connection.request<'clusterShards'>>> = await connection.request(
      'clusterShards',
      { fromShard },
    );
    all.push(...page.shards);
    fromShard = page.nextShard;
  }
  return all;
}

export function placeOf(shard: ShardStatus, node: string): 'leads' | 'holds' | 'none' {
  if (shard.leader === node) return 'leads';
  return shard.voters.includes(node) || shard.learners.includes(node) ? 'holds' : 'none';
}

/** Nobody leads it, another leads it than the plan wants, or its voters are not those the plan wants. */
export function isMisplaced({ leader, voters, learners, desired }: ShardStatus): boolean {
  if (leader === undefined || leader !== desired[0] || learners.length > 0) return true;
  return voters.length !== desired.length || voters.some((voter) => !desired.includes(voter));
}
