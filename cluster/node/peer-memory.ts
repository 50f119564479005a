// Whom the coordinator listed last, kept with the data directory: a node that starts while the coordinator is away finds the others all the same,
// also when all of them were stopped. A hint like every seed: an address where nobody is any more costs a call now and then.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnnouncedNode, PeerDirectory } from '../gossip/index.ts';
import { writeWhole } from './whole-file.ts';

export interface PeerMemory {
  /** What was written last; nothing where that cannot be read. Never rejects. */
  read(): Promise<readonly AnnouncedNode[]>;
  /** May reject. */
  write(peers: readonly AnnouncedNode[]): Promise<void>;
}

const PEERS_FILE = 'peers.json';

export function peerFile(directory: string): PeerMemory {
  const file = join(directory, PEERS_FILE);
  return {
    read: async () => {
      try {
        return parsePeers(await readFile(file, 'utf8'));
      } catch {
        return [];
      }
    },
    write: (peers) => writeWhole(file, `${JSON.stringify(peers, null, 2)}\n`),
  };
}

/** @throws SyntaxError for what is no JSON; what has another shape is left out */
function parsePeers(text: string): AnnouncedNode[] {
  const value: unknown = JSON.parse(text);
  return Array.isArray(value) ? value.filter(isPeer) : [];
}

function isPeer(value: unknown): value is AnnouncedNode {
  if (typeof value !== 'object' || value === null) return false;
  const { name, directoryId, gossipAddress, clientAddress } = value as Record<string, unknown>; // checked one by one
  return [name, directoryId, gossipAddress, clientAddress].every((part) => typeof part === 'string');
}

/** Answers what it answered last, in this life or the one before, while `directory` does not. */
export function rememberingDirectory(directory: PeerDirectory, memory: PeerMemory): PeerDirectory {
  let written = '';
  return {
    announce: (node) => directory.announce(node),
    peers: async () => {
      let peers: readonly AnnouncedNode[];
      try {
        peers = await directory.peers();
      } catch (error) {
        const known = await memory.read();
        if (known.length === 0) throw error;
        return known;
      }
      // One that was emptied knows nobody yet, or this node alone.
      if (peers.length > 1) {
        const now = JSON.stringify(peers.map(({ gossipAddress }) => gossipAddress).sort());
        if (now !== written) {
          // A disk that refuses it says so to the store, too.
          await memory.write(peers).then(
            () => void (written = now),
            () => undefined,
          );
        }
      }
      return peers;
    },
  };
}
