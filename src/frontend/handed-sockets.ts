// Sockets that another process has accepted for this one: the process that listens for all cores of a machine hands each connection to the core that
// serves it. What it has read of one by then comes along. Used by the doors instead of listening themselves.

import type { Socket } from 'node:net';

export interface HandedSockets {
  /** `host:port` where the other process listens. */
  readonly address: string;
  /** `take` is called for each; `head` was read already, and may be empty. */
  onSocket(take: (socket: Socket, head: Buffer) => void): void;
}
