// Connections of the test's own clients: one that goes to whichever node answers, as an application's would, and one that stays with its node.

import { Connection } from 'tenuto/client';
import { openWsTransport } from '../../../sdk/connection/ws-transport.ts';

/** A node that does not answer by then is passed over, ms. */
const OPEN_MS = 1_000;

/** @param addresses of the nodes there are now; asked at each reconnect */
export function connectAround(addresses: () => readonly string[]): Connection {
  let turn = Math.floor(Math.random() * 100);
  return Connection.fromTransport(() => {
    const all = addresses();
    turn += 1;
    return openWsTransport(`ws://${all[turn % all.length]}/`, undefined, OPEN_MS);
  });
}

export function connectTo(address: string): Connection {
  return Connection.lazy({ address });
}
