// Bounds and times of node-to-node links (I9). Every buffer a peer can fill, and every wait for one, is bounded by a number of this list.

export interface LinkLimits {
  /** Bytes of one message; at most `HARD_MESSAGE_BYTES`. Larger: more memory a single message may hold at the receiver. */
  messageBytes: number;
  /**
   * Bytes queued to one peer on one channel. A message that finds the queue empty is taken whatever its size. Larger: more memory for
   * each peer that has stopped reading (three channels × this).
   */
  queuedBytes: number;
  /** Bytes a peer may send on one channel before it is told that they were taken. Larger: more throughput over long round trips. */
  windowBytes: number;
  /** Bytes given to the socket ahead of what it has sent: what an urgent frame may wait behind. */
  socketBytes: number;
  /** A handshake takes at most this long, ms. */
  handshakeMs: number;
  /** Connections of strangers that are in their handshake at once. */
  handshakes: number;
  /** A ping after this much silence towards the peer, ms. */
  pingMs: number;
  /** Nothing heard for this long: the link is dead, ms. */
  silenceMs: number;
  /** The same, once a second connection claims to be the same peer, ms. */
  probeMs: number;
  /** First and longest pause between two attempts to connect, ms; each is drawn from half of it up to all of it. */
  backoffMs: number;
  backoffMaxMs: number;
  /** A link that lived this long starts its back-off anew, ms. */
  stableMs: number;
  /** Wall clocks may differ by this much, ms. */
  skewMs: number;
  /** A drain waits at most this long for what is queued, ms. */
  drainMs: number;
  /** How often deadlines are looked at, ms. */
  tickMs: number;
  /** Peers that are dialled. */
  peers: number;
  /** Refusals reported per second; the others are only counted. */
  reportsPerSecond: number;
}

export const HARD_MESSAGE_BYTES = 64 * 1024 * 1024;

export const DEFAULT_LINK_LIMITS: LinkLimits = {
  messageBytes: HARD_MESSAGE_BYTES,
  queuedBytes: 16 * 1024 * 1024,
  windowBytes: 8 * 1024 * 1024,
  socketBytes: 256 * 1024,
  handshakeMs: 5_000,
  handshakes: 256,
  pingMs: 1_000,
  silenceMs: 4_000,
  probeMs: 1_000,
  backoffMs: 50,
  backoffMaxMs: 3_000,
  stableMs: 5_000,
  skewMs: 1_000,
  drainMs: 5_000,
  tickMs: 100,
  peers: 4_096,
  reportsPerSecond: 20,
};

/** Throws a RangeError that names the bound. */
export function checkedLimits(limits: Partial<LinkLimits> | undefined): LinkLimits {
  const all = { ...DEFAULT_LINK_LIMITS, ...limits };
  for (const [name, value] of Object.entries(all)) {
    if (!Number.isSafeInteger(value) || value <= 0) {
      throw new RangeError(`The link limit ${name} must be a whole number above 0, not ${value}.`);
    }
  }
  if (all.messageBytes > HARD_MESSAGE_BYTES) {
    throw new RangeError(`The link limit messageBytes may be at most ${HARD_MESSAGE_BYTES}, not ${all.messageBytes}.`);
  }
  return all;
}
