// The home of a task queue's partition: the node where the shards announce what they have waiting, and where credit and backlog of
// different nodes meet (DESIGN §6). It is the desired leader of the place the partition hashes to, so homes are spread and move as
// leaderships do. A home holds no durable state: when it dies, the next ring names another and the shards announce again.

import { shardId } from '../../src/ports/ids.ts';
import { hashText } from './hash.ts';
import type { RingMember } from './member.ts';
import type { Ring } from './ring.ts';

export interface QueuePartition {
  readonly namespace: string;
  readonly taskQueue: string;
  /** 0 unless the queue is so hot that it was spread. */
  readonly partition: number;
}

/** Undefined only for a ring without members. */
export function homeOf(ring: Ring, { namespace, taskQueue, partition }: QueuePartition): RingMember | undefined {
  // A namespace has no slash, so no two queues share the text. Partitions of a queue lie on places of their own.
  const hash = hashText(`${namespace}/${taskQueue}`, partition);
  return ring.leaderOf(shardId(hash % ring.shardCount));
}
