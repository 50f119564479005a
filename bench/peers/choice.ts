// What `--peer` and `--address` ask for, checked, with messages that say what would be right. Pure.

import { PEER_NAMES, type PeerName } from './pins.ts';

export type PeerRequest =
  | { readonly name: 'restate' | 'dbos' }
  /** Somebody's server, or none: then it is Tenuto's own gRPC door. */
  | { readonly name: 'temporal'; readonly address: string | undefined };

export type Choice =
  | { readonly is: 'right'; readonly peers: readonly PeerRequest[] }
  | { readonly is: 'wrong'; readonly why: string };

/** Each peer once, in the order of the command line. */
export function choosePeers(names: readonly string[], address: string | undefined): Choice {
  const peers: PeerRequest[] = [];
  for (const name of new Set(names)) {
    if (!isPeerName(name)) return wrong(`there is no peer ${name}; there are: ${PEER_NAMES.join(', ')}`);
    if (name !== 'temporal') {
      peers.push({ name });
      continue;
    }
    if (address !== undefined && !isAddress(address))
      return wrong(`--address must be like 127.0.0.1:7233, got '${address}'`);
    peers.push({ name, address });
  }
  if (address !== undefined && !peers.some(({ name }) => name === 'temporal'))
    return wrong('--address says where the server of --peer temporal is; without that peer it means nothing');
  return { is: 'right', peers };
}

function isPeerName(name: string): name is PeerName {
  return PEER_NAMES.some((each) => each === name);
}

/** `host:port`, or `[::1]:port`. */
function isAddress(address: string): boolean {
  const port = Number(/^(?:[^\s:/]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/.exec(address)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}

function wrong(why: string): Choice {
  return { is: 'wrong', why };
}
