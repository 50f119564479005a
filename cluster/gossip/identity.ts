// Who this node is to the others, put together at start: its options, the address it came to listen on, and an instance drawn anew. A host
// name to advertise is resolved once: packets go to literals only, so that none waits for a resolver (whose calls share the store's thread pool).

import { lookup } from 'node:dns/promises';
import type { Draining } from '../../src/ports/cluster.ts';
import { VERSION } from '../../src/version.ts';
import { VERSIONS } from '../../src/wire/versions.ts';
import { formatAddress, isIpLiteral, parseAddress } from './core/address.ts';
import { GossipConfigError } from './core/config.ts';
import { metaProblem, type NodeMeta } from './core/meta.ts';
import type { GossipOptions } from './options.ts';
import { GossipStartError } from './transport.ts';

export interface Beginning {
  /** `ip:port` it listens on. */
  readonly bound: string;
  readonly draining: Draining;
}

/** @throws GossipConfigError for what cannot be meant. @throws GossipStartError for names nobody knows */
export async function metaOf(options: GossipOptions, { bound, draining }: Beginning): Promise<NodeMeta> {
  const { node, protocol = VERSIONS.spoken.gossip, clock, random } = options;
  const meta: NodeMeta = {
    name: node.name,
    directoryId: node.directoryId,
    instance: Math.floor(random.next() * 0x1_0000_0000),
    addresses: {
      gossip: await advertised(options.advertise, bound),
      client: node.clientAddress ?? '',
      link: node.linkAddress ?? '',
    },
    roles: node.roles ?? [],
    zone: node.zone ?? '',
    version: node.version ?? VERSION,
    protocol,
    startedAtMs: Math.max(0, Math.floor(clock.now())),
    draining,
    weight: node.weight ?? 1,
  };
  const problem = metaProblem(meta);
  if (problem !== undefined) throw new GossipConfigError(`gossip: ${problem}`);
  return meta;
}

async function advertised(advertise: string | undefined, bound: string): Promise<string> {
  const listening = parseAddress(bound);
  if (listening === undefined) throw new GossipStartError('fault', `${bound} is no address`, 'See gossip.listen.');
  if (advertise === undefined) {
    if (listening.host === '0.0.0.0' || listening.host === '::') {
      throw new GossipConfigError(
        `gossip.advertise: needed when gossip listens on ${listening.host}: the address under which other nodes reach this one`,
      );
    }
    return bound;
  }
  const given = parseAddress(advertise) ?? parseAddress(formatAddress(advertise, listening.port));
  if (given === undefined) {
    throw new GossipConfigError(`gossip.advertise: ${JSON.stringify(advertise)} must be host or host:port`);
  }
  const host = isIpLiteral(given.host) ? given.host : await resolve(given.host);
  return formatAddress(host, given.port);
}

async function resolve(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new GossipStartError(
      'address',
      `gossip.advertise: the host name ${JSON.stringify(host)} cannot be resolved`,
      'Check the name, or give an IP address.',
      error,
    );
  }
}
