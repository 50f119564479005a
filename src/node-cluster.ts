// The cluster side of the composition root: which cluster this node belongs to, and its ClusterNode with real sockets, files and Redis. Used by
// node.ts, loaded only where a cluster is configured.

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LinkSecurity } from '../cluster/link/security.ts';
import { tcpNetwork } from '../cluster/link/tcp.ts';
import { ClusterNode } from '../cluster/node/cluster-node.ts';
import { findOrFound } from '../cluster/node/founding.ts';
import { type PeerMemory, peerFile } from '../cluster/node/peer-memory.ts';
import { type NodeState, type StateStore, stateFile } from '../cluster/node/state.ts';
import { RedisCoordinator } from '../cluster/ownership/redis/coordinator.ts';
import type { ClusterConfig } from './config/cluster.ts';
import type { NodeConfig } from './config/config.ts';
import { NodeStartError } from './node-errors.ts';
import type { Draining } from './ports/cluster.ts';
import type { ClusterRecord, Coordinator, HostPort } from './ports/coordinator.ts';
import type { Log } from './ports/log.ts';
import type { ReplicaStore } from './ports/replica-store.ts';
import type { Store } from './ports/store.ts';
import { eventLoopBusy, systemClock, systemRandom, systemScheduler } from './runtime/index.ts';
import { shardOf } from './shard/keys.ts';
import { rowLayout } from './shard/row-layout.ts';
import { pageTokenOf } from './shard/search.ts';

/** What a node knows before its store is open. */
export interface Prepared {
  readonly coordinator: Coordinator;
  readonly states: StateStore;
  readonly state: NodeState;
  readonly peers?: PeerMemory;
}

export interface PrepareOptions {
  readonly log: Log;
  /** Aborted: nobody is waited for any longer. */
  readonly giveUp?: AbortSignal | undefined;
  /** Instead of Redis. */
  readonly coordinator?: Coordinator | undefined;
}

/** Of cores under one process nothing comes and goes by itself, so the ring follows them at once. */
const PLANS_OF_CORES = { stableMs: 200, intervalMs: 1_000, leadMs: 300 };

/** How long a seed has to take a connection, ms. */
const ANSWER_MS = 1_000;

/**
 * Finds out which cluster this directory belongs to. One that was in it before needs nobody for that; a new one waits for Redis, which has the
 * cluster's record or takes it from the first.
 *
 * @throws NodeStartError for a directory of another cluster, and when it was given up
 */
export async function prepareCluster(
  config: NodeConfig,
  cluster: ClusterConfig,
  { log, giveUp, coordinator: given }: PrepareOptions,
): Promise<Prepared> {
  const { dataDirectory } = config;
  if (dataDirectory === undefined) {
    throw new NodeStartError(
      'config',
      `node ${cluster.name} of cluster ${cluster.id} has no data directory: its shards would be lost with its process`,
      'Set dataDirectory, or TENUTO_DATA_DIR.',
    );
  }
  const coordinator = given ?? redisCoordinator(cluster, log);
  const states = stateFile(dataDirectory);
  const peers = peerFile(dataDirectory);
  try {
    const known = await states.read();
    if (known === undefined)
      return { coordinator, states, peers, state: await join(config, cluster, coordinator, log, giveUp) };
    if (known.record.clusterId !== cluster.id) {
      throw new NodeStartError(
        'config',
        `the data directory ${dataDirectory} belongs to cluster ${known.record.clusterId}, not to ${cluster.id}`,
        'Give this node a directory of its own, or correct cluster.id.',
      );
    }
    tellRecord(coordinator, known.record, log);
    return { coordinator, states, peers, state: known };
  } catch (error) {
    await coordinator.close();
    throw error;
  }
}

/** The same for a node that keeps nothing: its database says which cluster this is, so that it starts without Redis, too. */
export function prepareShared(cluster: ClusterConfig, database: Database, log: Log): Prepared {
  const coordinator = redisCoordinator(cluster, log);
  // As old as can be: one that a node with directories made under this id gives way, and is told so.
  const record = { clusterId: cluster.id, incarnation: database.clusterId, shardCount: database.shardCount };
  const state: NodeState = {
    ...{ record: { ...record, createdAtMs: 1 }, plan: '', firstPlan: '', born: true, draining: 'no' },
  };
  tellRecord(coordinator, state.record, log);
  return { coordinator, states: { read: async () => undefined, write: async () => {} }, state };
}

function redisCoordinator({ id, redis }: ClusterConfig, log: Log): Coordinator {
  if (redis === undefined) throw new RangeError(`cluster ${id} has neither Redis nor another coordinator`);
  return new RedisCoordinator({
    ...{ clusterId: id, redis, log },
    ...{ clock: systemClock, scheduler: systemScheduler, random: systemRandom },
  });
}

/** Where Redis has forgotten the cluster, it is told again; nobody waits for that. */
function tellRecord(coordinator: Coordinator, record: ClusterRecord, log: Log): void {
  void coordinator.restoreCluster(record).then((outcome) => {
    if (outcome.type !== 'ok' || outcome.value.incarnation === record.incarnation) return;
    log.error(
      { cluster: record.clusterId, here: record.incarnation, there: outcome.value.incarnation },
      'Redis holds another cluster of this id: this node takes part in its own. Give one of the two another cluster.id',
    );
  });
}

async function join(
  config: NodeConfig,
  cluster: ClusterConfig,
  coordinator: Coordinator,
  log: Log,
  giveUp: AbortSignal | undefined,
): Promise<NodeState> {
  const record: ClusterRecord = {
    clusterId: cluster.id,
    incarnation: systemRandom.uuid(),
    shardCount: config.shardCount,
    createdAtMs: systemClock.now(),
  };
  const standing = await findOrFound({
    ...{ coordinator, record, log, self: cluster.name, seeds: cluster.seeds, clock: systemClock },
    answers: takesConnections,
    pause: (ms) => sleep(ms),
    mustGoOn: (why) => {
      if (giveUp?.aborted !== true) return;
      throw new NodeStartError('fault', `ended while it waited for Redis: ${why}`, 'Start Redis, then this node.');
    },
  });
  if (standing.shardCount !== config.shardCount) {
    log.info(
      { shards: standing.shardCount },
      'the cluster has another number of shards than configured here: it counts',
    );
  }
  return { record: standing, plan: '', firstPlan: '', born: false, draining: 'no' };
}

/** Whether somebody listens there. */
function takesConnections({ host, port }: HostPort): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ANSWER_MS });
    const end = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}

/** What a database says of itself. */
export interface Database {
  readonly clusterId: string;
  readonly shardCount: number;
}

export interface ClusterParts extends Prepared {
  readonly cluster: ClusterConfig;
  /** Of scope `node`: replicated. Of scope `cluster`: shared by all nodes. */
  readonly store: ReplicaStore | Store;
  readonly log: Log;
  onFatal(error: unknown): void;
  onDraining(how: Draining): void;
}

export async function buildClusterNode(parts: ClusterParts): Promise<ClusterNode> {
  const { cluster, store, log, onFatal, onDraining, coordinator, states, state, peers } = parts;
  const security: LinkSecurity =
    cluster.keys.length === 0 ? { mode: 'none' } : { mode: 'clusterKey', keys: cluster.keys };
  // Kept before anything is said in the cluster's name: a restart finds the same one.
  await states.write(state);
  return new ClusterNode({
    ...{ config: cluster, state, states, peers, coordinator, security, log, onFatal, onDraining },
    ...('replicaPosition' in store
      ? { durability: { type: 'replicated', store, layout: rowLayout }, self: store.directoryId }
      : { durability: { type: 'shared', store }, self: `node:${cluster.name}` }),
    network: tcpNetwork(security),
    ...(cluster.redis === undefined && { plans: PLANS_OF_CORES }),
    ...{ clock: systemClock, scheduler: systemScheduler, random: systemRandom, busy: eventLoopBusy() },
    randomBytes: (length) => randomBytes(length),
    shardOf: (namespace, workflowId) => shardOf(namespace, workflowId, store.shardCount),
    pageTokenOf,
  });
}
