// The shape of `cluster` in a configuration file, and the variables that win over it. What the values mean is checked by cluster.ts.

import { resolve } from 'node:path';
import { z } from 'zod';
import type { ClusterOptions } from './cluster.ts';
import { ConfigError } from './errors.ts';
import { list, number } from './variables.ts';

const texts = z.array(z.string());
const listen = z.strictObject({
  ip: z.string().optional(),
  port: z.number().int().optional(),
  advertise: z.string().optional(),
});

export const clusterSchema = z.strictObject({
  id: z.string().optional(),
  name: z.string().optional(),
  zone: z.string().optional(),
  weight: z.number().optional(),
  roles: texts.optional(),
  seeds: texts.optional(),
  redis: z
    .strictObject({
      url: z.string().optional(),
      sentinels: texts.optional(),
      name: z.string().optional(),
      nodes: texts.optional(),
      db: z.number().int().optional(),
      username: z.string().optional(),
      password: z.string().optional(),
      sentinelUsername: z.string().optional(),
      sentinelPassword: z.string().optional(),
      tls: z
        .strictObject({
          caFile: z.string().min(1).optional(),
          certFile: z.string().min(1).optional(),
          keyFile: z.string().min(1).optional(),
        })
        .optional(),
    })
    .optional(),
  replicas: z.number().int().optional(),
  firstMembers: z.number().int().optional(),
  gossip: listen.optional(),
  link: listen.optional(),
  keys: texts.optional(),
  adminTokens: texts.optional(),
});

export type ClusterFile = z.infer<typeof clusterSchema>;

/** Variables that win over the file. Their order is that in which they are applied. */
const VARIABLES: Readonly<Record<string, (value: string, cluster: ClusterFile, name: string) => void>> = {
  TENUTO_CLUSTER_ID: (value, cluster) => {
    cluster.id = value;
  },
  TENUTO_NODE_NAME: (value, cluster) => {
    cluster.name = value;
  },
  TENUTO_ZONE: (value, cluster) => {
    cluster.zone = value;
  },
  TENUTO_WEIGHT: (value, cluster, name) => {
    cluster.weight = number(name, value);
  },
  TENUTO_ROLES: (value, cluster) => {
    cluster.roles = list(value);
  },
  TENUTO_REPLICAS: (value, cluster, name) => {
    cluster.replicas = number(name, value);
  },
  TENUTO_FIRST_MEMBERS: (value, cluster, name) => {
    cluster.firstMembers = number(name, value);
  },
  TENUTO_SEEDS: (value, cluster) => {
    cluster.seeds = list(value);
  },
  TENUTO_CLUSTER_KEYS: (value, cluster) => {
    cluster.keys = list(value);
  },
  TENUTO_ADMIN_TOKENS: (value, cluster) => {
    cluster.adminTokens = list(value);
  },
  // Each of these three replaces whatever the file says of Redis, but for the authorities it trusts.
  TENUTO_REDIS_URL: (value, cluster) => {
    cluster.redis = { url: value, ...(cluster.redis?.tls && { tls: cluster.redis.tls }) };
  },
  TENUTO_REDIS_SENTINELS: (value, cluster) => {
    cluster.redis = { sentinels: list(value), ...(cluster.redis?.tls && { tls: cluster.redis.tls }) };
  },
  TENUTO_REDIS_NODES: (value, cluster) => {
    cluster.redis = { nodes: list(value), ...(cluster.redis?.tls && { tls: cluster.redis.tls }) };
  },
  TENUTO_REDIS_NAME: (value, cluster) => {
    cluster.redis = { ...cluster.redis, name: value };
  },
  TENUTO_REDIS_DB: (value, cluster, name) => {
    cluster.redis = { ...cluster.redis, db: number(name, value) };
  },
  TENUTO_REDIS_USERNAME: (value, cluster) => {
    cluster.redis = { ...cluster.redis, username: value };
  },
  TENUTO_REDIS_PASSWORD: (value, cluster) => {
    cluster.redis = { ...cluster.redis, password: value };
  },
  TENUTO_REDIS_SENTINEL_USERNAME: (value, cluster) => {
    cluster.redis = { ...cluster.redis, sentinelUsername: value };
  },
  TENUTO_REDIS_SENTINEL_PASSWORD: (value, cluster) => {
    cluster.redis = { ...cluster.redis, sentinelPassword: value };
  },
  TENUTO_REDIS_TLS_CA: (value, cluster) => {
    cluster.redis = { ...cluster.redis, tls: { ...cluster.redis?.tls, caFile: resolve(value) } };
  },
  TENUTO_REDIS_TLS_CERT: (value, cluster) => {
    cluster.redis = { ...cluster.redis, tls: { ...cluster.redis?.tls, certFile: resolve(value) } };
  },
  TENUTO_REDIS_TLS_KEY: (value, cluster) => {
    cluster.redis = { ...cluster.redis, tls: { ...cluster.redis?.tls, keyFile: resolve(value) } };
  },
  TENUTO_GOSSIP_IP: (value, cluster) => {
    cluster.gossip = { ...cluster.gossip, ip: value };
  },
  TENUTO_GOSSIP_PORT: (value, cluster, name) => {
    cluster.gossip = { ...cluster.gossip, port: number(name, value) };
  },
  TENUTO_GOSSIP_ADVERTISE: (value, cluster) => {
    cluster.gossip = { ...cluster.gossip, advertise: value };
  },
  TENUTO_LINK_IP: (value, cluster) => {
    cluster.link = { ...cluster.link, ip: value };
  },
  TENUTO_LINK_PORT: (value, cluster, name) => {
    cluster.link = { ...cluster.link, port: number(name, value) };
  },
  TENUTO_LINK_ADVERTISE: (value, cluster) => {
    cluster.link = { ...cluster.link, advertise: value };
  },
};

/**
 * The file's cluster part under the environment. Undefined, so that the node stands alone, when the file has none and no variable speaks of a
 * cluster.
 *
 * @throws ConfigError for variables without a cluster: the node they were meant for would serve alone what it should share
 */
export function clusterOptions(
  file: ClusterFile | undefined,
  environment: NodeJS.ProcessEnv,
  { beside, spelled }: { beside: (path: string) => string; spelled: (variable: string) => string },
): ClusterOptions | undefined {
  if (file === undefined && !environment.TENUTO_CLUSTER_ID) {
    const stray = Object.keys(VARIABLES).filter((name) => name !== 'TENUTO_CLUSTER_ID' && environment[name]);
    if (stray.length === 0) return undefined;
    throw new ConfigError(
      `${stray.map(spelled).join(', ')}: of a cluster, but no cluster is named. Set TENUTO_CLUSTER_ID (--cluster-id, cluster.id), or leave ${stray.length === 1 ? 'it' : 'them'} out for a node that stands alone`,
    );
  }
  const cluster: ClusterFile = { ...file };
  for (const [name, apply] of Object.entries(VARIABLES)) {
    const value = environment[name];
    if (value !== undefined && value !== '') apply(value, cluster, name);
  }
  const { redis } = cluster;
  if (redis?.tls === undefined) return cluster;
  const { caFile, certFile, keyFile } = redis.tls;
  const found = (path: string | undefined): string | undefined => (path === undefined ? undefined : beside(path));
  const tls = { caFile: found(caFile), certFile: found(certFile), keyFile: found(keyFile) };
  return { ...cluster, redis: { ...redis, tls } };
}
