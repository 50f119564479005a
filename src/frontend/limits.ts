// Bounds of the doors (I9). Each says what a caller meets beyond it.

export interface DoorLimits {
  /** Sockets at once; a further one is refused at the upgrade with 503. */
  connections: number;
  /** Sockets beside those that speak HTTP, or have not said yet what they speak; a further one is closed at once. */
  httpConnections: number;
  /** Calls open at once on one connection; a further one gets RESOURCE_EXHAUSTED. About 1 KiB each. */
  openCallsPerConnection: number;
  /** Calls open at once on the node; clients are refused at four fifths of it. */
  openCalls: number;
  /** Bytes of the requests of all of them together; clients are refused at four fifths of it, too. */
  openCallBytes: number;
  /** Workers registered on one connection; a further one gets RESOURCE_EXHAUSTED. */
  workersPerConnection: number;
  /** Bytes waiting to be read by a peer, past which its requests are not read and its workers get no tasks. */
  outgoingPauseBytes: number;
  /** Bytes waiting to be read by a peer, past which the connection is closed. Must exceed the largest answer, 2 MiB. */
  outgoingCloseBytes: number;
  /** Bytes waiting to be read by a peer, past which it gets no parts of answers: they wait until it reads, and are the latest by then. */
  unreadBytesBeforeParts: number;
  /** ms a peer may leave a paused connection unread. */
  slowReaderMs: number;
  /** ms from the socket's opening to its hello. */
  helloTimeoutMs: number;
  /** ms of silence after which a connection is pinged, and as long again until it is closed. */
  idleMs: number;
}

export const DEFAULT_DOOR_LIMITS: DoorLimits = {
  connections: 10_000,
  httpConnections: 2_000,
  openCallsPerConnection: 16_384,
  openCalls: 200_000,
  openCallBytes: 256 * 1024 * 1024,
  workersPerConnection: 1_000,
  outgoingPauseBytes: 1024 * 1024,
  outgoingCloseBytes: 32 * 1024 * 1024,
  unreadBytesBeforeParts: 64 * 1024,
  slowReaderMs: 30_000,
  helloTimeoutMs: 10_000,
  idleMs: 15_000,
};
