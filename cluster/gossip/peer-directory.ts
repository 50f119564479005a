// A place outside the cluster where nodes find each other, in addition to configured seeds: the Redis registry implements it. Gossip
// needs it only to find somebody; it may be away, slow or wrong at any time.

export interface AnnouncedNode {
  readonly name: string;
  readonly directoryId: string;
  /** `ip:port` that gossip goes to. */
  readonly gossipAddress: string;
  /** `host:port` of the door for clients; empty: none. */
  readonly clientAddress: string;
}

export interface PeerDirectory {
  /**
   * Makes the node findable. Repeated at least every `ANNOUNCE_INTERVAL_MS`; an announcement not repeated for three times that should vanish.
   * May reject: it is tried again.
   */
  announce(node: AnnouncedNode): Promise<void>;
  /** Nodes announced lately, this one perhaps among them. At most 64 are used. May reject: it is tried again. */
  peers(): Promise<readonly AnnouncedNode[]>;
}

export const ANNOUNCE_INTERVAL_MS = 30_000;
