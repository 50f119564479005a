// What a node talks to others with: gossip, and links with what the log says of them. Called by cluster-node.ts.

import { VERSION } from '../../src/version.ts';
import { VERSIONS } from '../../src/wire/versions.ts';
import { formatAddress } from '../gossip/core/address.ts';
import { Gossip, Keyring } from '../gossip/index.ts';
import { Links } from '../link/links.ts';
import type { DirectoryAges } from './directory-ages.ts';
import { LinkLog } from './link-log.ts';
import type { ClusterNodeOptions } from './options.ts';
import { coordinatorDirectory } from './peer-directory.ts';
import { rememberingDirectory } from './peer-memory.ts';

/** Where the links are reached; '' until they listen. */
export function linkAddressOf({ config }: ClusterNodeOptions, links: Links): string {
  const { advertise } = config.link;
  const at = links.address;
  if (at === undefined) return '';
  return advertise === undefined
    ? formatAddress(at.host, at.port)
    : formatAddress(advertise.host, advertise.port || at.port);
}

/** Another cluster of the same id is another cluster. */
const identityOf = ({ config, state }: ClusterNodeOptions): string => `${config.id}/${state.record.incarnation}`;

export interface NodeLinks {
  readonly links: Links;
  /** What went wrong last with the link to this node; undefined: nothing. */
  whyNot(node: string): string | undefined;
}

/**
 * @param ages of the nodes' directories: this one's goes along; undefined: they have none
 * @param up a node has just been connected
 */
export function makeLinks(
  node: ClusterNodeOptions,
  bootId: string,
  ages: DirectoryAges | undefined,
  up: (peer: string) => void,
): NodeLinks {
  const { config, self: directoryId, security, network, clock, scheduler, random } = node;
  const log = new LinkLog(node.log, clock);
  const links = new Links({
    identity: {
      ...{ clusterId: identityOf(node), nodeName: config.name, directoryId, bootId, version: VERSION },
      protocol: (node.spoken ?? VERSIONS.spoken).link,
      get age() {
        return ages?.ageAtStart;
      },
    },
    ...{ security, network, clock, scheduler, random },
    randomBytes: (length) => node.randomBytes(length),
    onEvent: (event) => {
      log.tell(event);
      if (event.type === 'up') up(event.peer);
    },
  });
  return { links, whyNot: (peer) => log.whyNot(peer) };
}

/** @param linkAddress where the links are reached, once they listen */
export function makeGossip(node: ClusterNodeOptions, linkAddress: () => string): Gossip {
  const { config, self: directoryId, clock, scheduler, random, log, coordinator, gossipConfig, gossipTransport } = node;
  const { name, roles, zone, weight, gossip, seeds, keys } = config;
  const registry = coordinatorDirectory(coordinator, linkAddress);
  return new Gossip({
    ...{ clusterId: identityOf(node), clock, scheduler, random, log },
    protocol: (node.spoken ?? VERSIONS.spoken).gossip,
    node: { name, directoryId, roles, zone, weight },
    listen: { ip: gossip.ip, port: gossip.port },
    advertise: gossip.advertise && formatAddress(gossip.advertise.host, gossip.advertise.port),
    seeds: seeds.map(({ host, port }) => formatAddress(host, port)),
    directory: node.peers === undefined ? registry : rememberingDirectory(registry, node.peers),
    ...(keys.length > 0 && { keyring: new Keyring(keys) }),
    ...(gossipConfig && { config: gossipConfig }),
    ...(gossipTransport && { transport: gossipTransport }),
  });
}
