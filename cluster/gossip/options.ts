// What a node configures of gossip, and what of it may change while it runs. Read by gossip.ts and identity.ts.

import type { Clock, Random, Scheduler } from '../../src/ports/clock.ts';
import type { Draining } from '../../src/ports/cluster.ts';
import type { Log } from '../../src/ports/log.ts';
import type { VersionRange } from '../../src/wire/versions.ts';
import { isIpLiteral, parseAddress } from './core/address.ts';
import { type GossipConfig, GossipConfigError } from './core/config.ts';
import type { Keyring } from './keyring.ts';
import type { PeerDirectory } from './peer-directory.ts';
import type { Transport } from './transport.ts';

export const DEFAULT_GOSSIP_PORT = 7946;
/** Seeds given; more are of no use. */
const MAX_SEEDS = 64;
const MAX_CLUSTER_ID_LENGTH = 200;

export interface GossipNode {
  /** Unique in the cluster: up to 64 letters, digits, `_`, `.`, `-`. */
  readonly name: string;
  /** Id of the data directory, made when it was created: the voter. */
  readonly directoryId: string;
  /** `host:port` of the door for clients and workers. */
  readonly clientAddress?: string | undefined;
  /** `host:port` of the node-to-node link. */
  readonly linkAddress?: string | undefined;
  /** At most 8. Default none. */
  readonly roles?: readonly string[] | undefined;
  /** Failure domain. Default none. */
  readonly zone?: string | undefined;
  /** See NodeMeta. Default 1. */
  readonly weight?: number | undefined;
  /** Default: this package's. */
  readonly version?: string | undefined;
}

export interface GossipOptions {
  /** Nodes of another cluster id are refused. Up to 200 characters. */
  readonly clusterId: string;
  readonly node: GossipNode;
  /** Default 127.0.0.1:7946; port 0: any free one. */
  readonly listen?: { readonly ip?: string | undefined; readonly port?: number | undefined } | undefined;
  /** `host` or `host:port` under which others reach us. Default: where we listen; needed when that is 0.0.0.0 or ::. A name is resolved once. */
  readonly advertise?: string | undefined;
  /** `host:port` of nodes that may be up; this one's own is skipped. */
  readonly seeds?: readonly string[] | undefined;
  /** Where nodes find each other beside the seeds. */
  readonly directory?: PeerDirectory | undefined;
  /** Seals all traffic. Without it: plain, for loopback and closed networks. Keys may be added and removed while it runs. */
  readonly keyring?: Keyring | undefined;
  /** See config.ts. Default LAN. */
  readonly config?: GossipConfig | undefined;
  /** For tests of a skew. Default: this build's. */
  readonly protocol?: VersionRange | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: Log;
  /** Instead of sockets: for simulators. */
  readonly transport?: Transport | undefined;
}

/** What of a node may change while it runs. */
export interface MetaChanges {
  readonly draining?: Draining;
  readonly roles?: readonly string[];
  readonly zone?: string;
  readonly clientAddress?: string;
  readonly linkAddress?: string;
}

/** @throws GossipConfigError */
export function checkOptions({ clusterId, seeds = [], listen = {} }: GossipOptions): void {
  if (clusterId.length === 0 || clusterId.length > MAX_CLUSTER_ID_LENGTH) {
    throw new GossipConfigError(`cluster id: must have 1 to ${MAX_CLUSTER_ID_LENGTH} characters`);
  }
  if (seeds.length > MAX_SEEDS) throw new GossipConfigError(`seeds: at most ${MAX_SEEDS}, not ${seeds.length}`);
  const bad = seeds.find((seed) => parseAddress(seed) === undefined);
  if (bad !== undefined) throw new GossipConfigError(`seeds: ${JSON.stringify(bad)} must be host:port`);
  const { ip = '127.0.0.1', port = DEFAULT_GOSSIP_PORT } = listen;
  if (!isIpLiteral(ip)) throw new GossipConfigError(`gossip.listen.ip: ${JSON.stringify(ip)} must be an IP address`);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new GossipConfigError(`gossip.listen.port: ${port} is no port`);
  }
}
