// The home of a task queue's partition: the node where the shards announce what they have waiting, and where credit and backlog of
// different nodes meet (DESIGN §6). It is the leader of the shard the partition hashes to, so homes are spread and move as leaderships do. A
// home holds no durable state: when it dies, another takes its place and the shards announce again.

import { type ShardId, shardId } from '../../src/ports/ids.ts';
import { hashText } from './hash.ts';
import type { RingMember } from './member.ts';
import type { Ring } from './ring.ts';

export interface QueuePartition {
  readonly namespace: string;
  readonly taskQueue: string;
  /** 0 unless the queue is so hot that it was spread. */
  readonly partition: number;
}

/** The shard whose leader is the home: the present one where it is known, since the planned one may be away for long. */
export function homeShard(shardCount: number, { namespace, taskQueue, partition }: QueuePartition): ShardId {
  // A namespace has no slash, so no two queues share the text. Partitions of a queue lie on places of their own.
  return shardId(hashText(`${namespace}/${taskQueue}`, partition) % shardCount);
}

/** Undefined only for a ring without members. */
export const homeOf = (ring: Ring, queue: QueuePartition): RingMember | undefined =>
  ring.leaderOf(homeShard(ring.shardCount, queue));
