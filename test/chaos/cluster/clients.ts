// Connections of the test's own clients: one that knows the cluster, as an application's, and one that stays with its node.

import { Connection } from 'tenuto/client';

/** @param addresses of some nodes; the others are learned from them. @param library of which build */
export function connectToAll(addresses: readonly string[], library = { Connection }): Connection {
  return library.Connection.lazy({ address: addresses });
}

/** Asks this node and no other. */
export function connectTo(address: string): Connection {
  return Connection.lazy({ address, discovery: 'off' });
}
