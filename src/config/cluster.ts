// The `cluster` part of a node's configuration: filled in and checked. Without it a node stands alone. Called by config.ts; what is
// written in the file has the shape in cluster-file.ts. No message here repeats a credential or a key.

import type { HostPort, RedisSettings } from '../ports/coordinator.ts';
import { ConfigError } from './errors.ts';
import { type RedisOptions, redisSettings } from './redis.ts';
import { address, addresses, isLoopback, reachable, tokens, whole } from './values.ts';

/** UDP and TCP. */
export const DEFAULT_GOSSIP_PORT = 7946;
/** Node to node. */
export const DEFAULT_LINK_PORT = 7281;
export const DEFAULT_REPLICAS = 3;
const MAX_REPLICAS = 7;
/** As many as gossip and links take. */
const MAX_SEEDS = 64;
const MAX_KEYS = 8;
/** AES-256, and proofs of the same strength. */
const KEY_BYTES = 32;
const MAX_ADMIN_TOKENS = 100;

/** What a node does: takes clients' and workers' connections, holds shards, is a home of task queues. */
export const NODE_ROLES = ['frontend', 'shards', 'matching'] as const;
export type NodeRole = (typeof NODE_ROLES)[number];

export interface ListenConfig {
  readonly ip: string;
  /** 0: any free one. */
  readonly port: number;
  /** How others reach it, where that is not the address it listens on. */
  readonly advertise: HostPort | undefined;
}

export interface ClusterConfig {
  /** All nodes of one cluster have the same; others are refused. */
  readonly id: string;
  /** Of this node: no two may have the same at a time. */
  readonly name: string;
  /** Replicas of a shard lie in different zones where there are any. '': none named. */
  readonly zone: string;
  /** Share of the load in proportion to others: 0.01 to 100. */
  readonly weight: number;
  readonly roles: readonly NodeRole[];
  /** Gossip addresses to join through, beside those Redis lists. */
  readonly seeds: readonly HostPort[];
  /** Undefined: the coordinator is given to it (a core, src/cores). */
  readonly redis: RedisSettings | undefined;
  /** Voters per shard. */
  readonly replicas: number;
  /** The first ring waits for so many nodes. */
  readonly firstMembers: number;
  readonly gossip: ListenConfig;
  readonly link: ListenConfig;
  /** The first encrypts, all decrypt: that is how keys are rotated. None: plain, on loopback only. */
  readonly keys: readonly Uint8Array[];
  /** Bearer tokens of operators: who bears one may drain nodes and the like. None: everyone may on loopback, nobody elsewhere. */
  readonly adminTokens: readonly string[];
}

export interface ClusterOptions {
  id?: string | undefined;
  name?: string | undefined;
  zone?: string | undefined;
  weight?: number | undefined;
  roles?: readonly string[] | undefined;
  /** `host` or `host:port`. */
  seeds?: readonly string[] | undefined;
  redis?: RedisOptions | undefined;
  replicas?: number | undefined;
  firstMembers?: number | undefined;
  gossip?: ListenOptions | undefined;
  link?: ListenOptions | undefined;
  /** Base64 of 32 random bytes each. */
  keys?: readonly string[] | undefined;
  adminTokens?: readonly string[] | undefined;
}

export interface ListenOptions {
  ip?: string | undefined;
  port?: number | undefined;
  advertise?: string | undefined;
}

export const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
export const NAME_RULE = "must be up to 64 letters, digits, '_', '.' and '-', beginning with a letter or digit";

/** @throws ConfigError naming the path */
export function completeCluster(options: ClusterOptions, coordinator: 'redis' | 'given' = 'redis'): ClusterConfig {
  const gossip = listen('cluster.gossip', options.gossip, DEFAULT_GOSSIP_PORT);
  const link = listen('cluster.link', options.link, DEFAULT_LINK_PORT);
  const keys = keyring(options.keys ?? []);
  for (const [where, { ip }] of [
    ['gossip', gossip],
    ['link', link],
  ] as const) {
    if (keys.length === 0 && !isLoopback(ip)) {
      throw new ConfigError(
        `cluster.keys: at least one is needed when cluster.${where}.ip is ${ip}: whoever reaches it could join. Make one with: openssl rand -base64 32`,
      );
    }
  }
  return {
    id: named('cluster.id', options.id, 'all nodes of the cluster have the same'),
    name: named('cluster.name', options.name, 'each node has its own'),
    zone: options.zone === undefined ? '' : named('cluster.zone', options.zone, ''),
    weight: weight(options.weight ?? 1),
    roles: roles(options.roles ?? NODE_ROLES),
    seeds: addresses('cluster.seeds', options.seeds ?? [], DEFAULT_GOSSIP_PORT, MAX_SEEDS),
    redis: coordinator === 'given' ? undefined : redisSettings(options.redis),
    replicas: whole('cluster.replicas', options.replicas ?? DEFAULT_REPLICAS, 1, MAX_REPLICAS),
    firstMembers: whole('cluster.firstMembers', options.firstMembers ?? 1, 1, 1_000),
    gossip,
    link,
    keys,
    adminTokens: tokens('cluster.adminTokens', options.adminTokens ?? [], MAX_ADMIN_TOKENS),
  };
}

function named(where: string, value: string | undefined, why: string): string {
  if (value === undefined || value === '') throw new ConfigError(`${where}: is needed${why === '' ? '' : `; ${why}`}`);
  if (!NAME.test(value)) throw new ConfigError(`${where}: ${JSON.stringify(value)} ${NAME_RULE}`);
  return value;
}

function weight(value: number): number {
  if (!(value >= 0.01 && value <= 100)) throw new ConfigError(`cluster.weight: ${value} must be from 0.01 to 100`);
  return value;
}

function roles(given: readonly string[]): NodeRole[] {
  if (given.length === 0) throw new ConfigError('cluster.roles: at least one is needed');
  const wanted = new Set(given);
  const known = NODE_ROLES.filter((role) => wanted.delete(role));
  const [unknown] = wanted;
  if (unknown !== undefined) {
    throw new ConfigError(`cluster.roles: ${JSON.stringify(unknown)} is no role: ${NODE_ROLES.join(', ')}`);
  }
  return known;
}

function listen(where: string, options: ListenOptions = {}, defaultPort: number): ListenConfig {
  const { ip = '127.0.0.1', port = defaultPort, advertise } = options;
  whole(`${where}.port`, port, 0, 65_535);
  reachable(where, ip, advertise);
  return { ip, port, advertise: advertise === undefined ? undefined : address(`${where}.advertise`, advertise, port) };
}

function keyring(given: readonly string[]): Uint8Array[] {
  if (given.length > MAX_KEYS) throw new ConfigError(`cluster.keys: ${given.length} are too many: at most ${MAX_KEYS}`);
  const seen = new Set<string>();
  return given.map((text, index) => {
    const where = `cluster.keys[${index}]`;
    const key = Buffer.from(text, 'base64');
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || key.length !== KEY_BYTES) {
      throw new ConfigError(`${where}: must be base64 of ${KEY_BYTES} bytes. Make one with: openssl rand -base64 32`);
    }
    if (seen.has(key.toString('hex'))) throw new ConfigError(`${where}: is there twice`);
    seen.add(key.toString('hex'));
    return key;
  });
}
