// A cluster as operators and the CLI meet it, whose answers the test sets: what was asked of it is kept.

import type {
  ClientMap,
  ClusterControl,
  ClusterMember,
  ClusterProblem,
  ClusterStatus,
  Draining,
  ShardStatus,
} from '../../src/ports/cluster.ts';
import type { Done } from '../../src/ports/engine.ts';
import { type Status, StatusCode } from '../../src/wire/status.ts';

export function member(name: string, over: Partial<ClusterMember> = {}): ClusterMember {
  return {
    name,
    directoryId: `directory-of-${name}`,
    addresses: { client: `${name}:7280`, gossip: `${name}:7946`, link: `${name}:7281` },
    zone: '',
    weight: 1,
    roles: ['frontend', 'shards', 'matching'],
    version: '0.1.0',
    state: 'alive',
    inStateMs: 60_000,
    draining: 'no',
    mustStay: false,
    load: 12,
    planned: true,
    leads: 2,
    shouldLead: 2,
    shouldHold: 4,
    ...over,
  };
}

export function shard(number: number, leader: string | undefined, ...others: string[]): ShardStatus {
  const voters = leader === undefined ? others : [leader, ...others];
  return { shard: number, leader, term: 3, voters, learners: [], desired: voters, committedLsn: 100 + number };
}

export class AdministeredCluster implements ClusterControl {
  members: readonly ClusterMember[] = [member('node-1'), member('node-2'), member('node-3')];
  statusOver: Partial<ClusterStatus> = {};
  allShards: ShardStatus[] = [];
  problems: ClusterProblem[] = [];
  transfers = 0;
  /** `drain node-1 leadership`, `replace node-3`, … */
  readonly asked: string[] = [];
  /** Called when the shards are asked for: lets a drain make progress. */
  onShards: () => void = () => {};

  status(): ClusterStatus {
    return {
      clusterId: 'orders',
      incarnation: 'incarnation-1',
      self: 'node-1',
      shardCount: this.allShards.length,
      store: 'directories',
      replicas: 3,
      planVersion: 7,
      planning: '',
      coordinator: 'ready',
      session: 'held',
      members: this.members,
      ...this.statusOver,
    };
  }

  draining(): Draining {
    return this.members.find(({ name }) => name === this.status().self)?.draining ?? 'no';
  }

  clientMap(): ClientMap {
    return { version: 1, shardCount: this.allShards.length, nodes: [], leaders: [] };
  }

  onClientMap(): () => void {
    return () => {};
  }

  shards(done: Done<readonly ShardStatus[]>): void {
    this.onShards();
    done(undefined, this.allShards);
  }

  health(done: Done<readonly ClusterProblem[]>): void {
    done(undefined, this.problems);
  }

  drain(node: string, how: Draining, done: Done<undefined>): void {
    this.asked.push(`drain ${node} ${how}`);
    done(this.#unknown(node), undefined);
  }

  rebalance(done: Done<{ readonly transfers: number }>): void {
    this.asked.push('rebalance');
    done(undefined, { transfers: this.transfers });
  }

  replace(node: string, done: Done<undefined>): void {
    this.asked.push(`replace ${node}`);
    done(this.#unknown(node), undefined);
  }

  #unknown(node: string): Status | undefined {
    if (this.members.some(({ name }) => name === node)) return undefined;
    return { code: StatusCode.NOT_FOUND, message: `The cluster has no node ${node}.` };
  }
}
