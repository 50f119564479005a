// Node to node, as replication needs it: bytes that may be lost, repeated or come in another order, but not changed, and whose sender is known
// for sure (the link is authenticated). Implemented by cluster/link; called by cluster/replication.

export interface ReplicationTransport {
  /**
   * Sends a frame to the node that has this data directory, if it can at once: there is nobody to wait for it, and what is lost is said again.
   * The bytes must not change afterwards.
   */
  send(directoryId: string, frame: Uint8Array): void;
  /** Who gets the frames. The bytes are the receiver's for the call: what is kept is copied. Called once. */
  onFrame(receive: (directoryId: string, frame: Uint8Array) => void): void;
}
