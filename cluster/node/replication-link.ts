// Replication's frames over the links: who has a data directory is known while its node is connected. The adapter of
// ports/replication-transport.ts.

import type { ReplicationTransport } from '../../src/ports/replication-transport.ts';
import type { RemoteNode } from '../link/identity.ts';
import type { ChannelUser, Peer } from '../link/peer.ts';

export class ReplicationLink implements ReplicationTransport, ChannelUser {
  readonly #trusts: (remote: RemoteNode) => boolean;
  readonly #connected: (directoryId: string) => void;
  readonly #peers = new Map<string, Peer>();
  #receive: ((directoryId: string, frame: Uint8Array) => void) | undefined;

  /** @param trusts false: its directory is not the voter that it was, and nothing it says is passed on */
  constructor(trusts: (remote: RemoteNode) => boolean, connected: (directoryId: string) => void) {
    this.#trusts = trusts;
    this.#connected = connected;
  }

  send(directoryId: string, frame: Uint8Array): void {
    // A full queue loses it, as a broken link does: it is said again.
    this.#peers.get(directoryId)?.send('replication', frame);
  }

  onFrame(receive: (directoryId: string, frame: Uint8Array) => void): void {
    this.#receive = receive;
  }

  /** The node that has this directory, if it is connected. */
  peerOf(directoryId: string): Peer | undefined {
    return this.#peers.get(directoryId);
  }

  // ---------------------------------------------------------------- ChannelUser

  up(peer: Peer, remote: RemoteNode): void {
    if (!this.#trusts(remote)) return;
    this.#peers.set(remote.directoryId, peer);
    this.#connected(remote.directoryId);
  }

  down(peer: Peer): void {
    for (const [directoryId, known] of this.#peers) if (known === peer) this.#peers.delete(directoryId);
  }

  message(peer: Peer, frame: Uint8Array): void {
    const from = peer.remote?.directoryId;
    if (from !== undefined && this.#peers.get(from) === peer) this.#receive?.(from, frame);
  }
}
