// Replication's frames over the links: who has a data directory is known while its node is connected. The adapter of
// ports/replication-transport.ts.

import type { ReplicationTransport } from '../../src/ports/replication-transport.ts';
import type { ChannelUser, Peer } from '../link/peer.ts';

export class ReplicationLink implements ReplicationTransport, ChannelUser {
  readonly #peers = new Map<string, Peer>();
  #receive: ((directoryId: string, frame: Uint8Array) => void) | undefined;

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

  up(peer: Peer, remote: { readonly directoryId: string }): void {
    this.#peers.set(remote.directoryId, peer);
  }

  down(peer: Peer): void {
    for (const [directoryId, known] of this.#peers) if (known === peer) this.#peers.delete(directoryId);
  }

  message(peer: Peer, frame: Uint8Array): void {
    const from = peer.remote?.directoryId;
    if (from !== undefined) this.#receive?.(from, frame);
  }
}
