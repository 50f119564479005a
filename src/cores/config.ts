// The configuration of one core, made from that of all. Alone on its machine the cores are a cluster of their own, without replicas: one disk keeps
// each shard, as it does for a node. As part of a cluster each is a node of it, and replicas of a shard lie on different machines.

import { randomBytes } from 'node:crypto';
import { completeCluster } from '../config/cluster.ts';
import { ConfigError, type NodeConfig } from '../config/config.ts';
import { coreDirectory } from '../node-store.ts';

/** Of cores that are no part of a cluster. Nobody else sees it: gossip and links are on loopback, under a key that only they know. */
const CLUSTER_ID = 'cores';

export type CoreConfigs = (core: number) => NodeConfig;

/** @throws ConfigError for what cannot be served by several cores */
export function coreConfigs(config: NodeConfig): CoreConfigs {
  const { cluster, cores, dataDirectory, postgres } = config;
  if (dataDirectory === undefined && (postgres === undefined || cluster === undefined)) {
    throw new ConfigError(
      postgres === undefined
        ? `cores: ${cores} cores need a dataDirectory, where each keeps its shards`
        : `cores: ${cores} cores on a database are nodes of a cluster: set cluster.id and what goes with it`,
    );
  }
  const inside = cluster === undefined ? ownCluster(cores) : undefined;
  return (core) => {
    const directory = dataDirectory === undefined ? undefined : coreDirectory(dataDirectory, core);
    return { ...config, cores: 1, dataDirectory: directory, cluster: inside?.(core) ?? ofCluster(config, core) };
  };
}

function ownCluster(cores: number): (core: number) => NonNullable<NodeConfig['cluster']> {
  const keys = [randomBytes(32).toString('base64')];
  return (core) =>
    completeCluster(
      {
        ...{ id: CLUSTER_ID, name: `core-${core}`, replicas: 1, firstMembers: cores, keys },
        gossip: { port: 0 },
        link: { port: 0 },
      },
      'given',
    );
}

function ofCluster({ cluster }: NodeConfig, core: number): NodeConfig['cluster'] {
  if (cluster === undefined) return undefined;
  const { name, zone, gossip, link } = cluster;
  return {
    ...cluster,
    name: `${name}.${core}`,
    zone: zone === '' ? name : zone,
    gossip: { ...gossip, port: portOf(gossip.port, core), advertise: shifted(gossip.advertise, core) },
    link: { ...link, port: portOf(link.port, core), advertise: shifted(link.advertise, core) },
  };
}

/** One after the other, from the configured one. */
const portOf = (port: number, core: number): number => (port === 0 ? 0 : port + core - 1);

const shifted = <A extends { readonly port: number }>(address: A | undefined, core: number): A | undefined =>
  address && { ...address, port: portOf(address.port, core) };
