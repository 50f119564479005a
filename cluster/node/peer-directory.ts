// The coordinator's registry as the place where gossip finds its first peers.

import type { Coordinator } from '../../src/ports/coordinator.ts';
import type { AnnouncedNode, PeerDirectory } from '../gossip/index.ts';

/** @param link where this node's links are reached, for those who look there */
export const coordinatorDirectory = (coordinator: Coordinator, link: () => string): PeerDirectory => ({
  announce: async ({ name, directoryId, gossipAddress, clientAddress }: AnnouncedNode) => {
    const outcome = await coordinator.announce({
      ...{ name, directoryId, gossip: gossipAddress, client: clientAddress },
      link: link(),
    });
    if (outcome.type === 'unavailable') throw new Error(outcome.why);
  },
  peers: async () => {
    const outcome = await coordinator.peers();
    if (outcome.type === 'unavailable') throw new Error(outcome.why);
    return outcome.value.map(({ name, directoryId, gossip, client }) => ({
      ...{ name, directoryId, gossipAddress: gossip, clientAddress: client },
    }));
  },
});
