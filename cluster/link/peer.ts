// A peer: what the users of a channel see of it, and what links.ts keeps about it.

import type { Cancelable } from '../../src/ports/clock.ts';
import type { Channel } from './frames.ts';
import type { RemoteNode } from './identity.ts';
import type { Session } from './session.ts';
import type { Address, Transport } from './transport.ts';

/** A node as the users of a channel see it. The object stays the same over reconnects, until the peer is forgotten. */
export interface Peer {
  readonly name: string;
  readonly state: 'connected' | 'connecting' | 'waiting' | 'closed';
  /** Of the present connection. */
  readonly remote: RemoteNode | undefined;
  /** How long nothing has come over the present connection, ms: a second or so where all is well. Undefined: there is none. */
  readonly quietMs: number | undefined;
  /**
   * Queues a message. False: not connected (`up` will say when), or the channel's queue is full (`drained` will say when it is not).
   * True promises nothing yet: what was queued when a connection ends (`down`) may or may not have arrived. Messages of one channel and
   * connection arrive in order and once. The bytes must not change afterwards.
   *
   * @throws RangeError for a message larger than `messageBytes`.
   */
  send(channel: Channel, message: Uint8Array): boolean;
  /** Bytes queued on a channel. */
  queued(channel: Channel): number;
  /** The peer may send what its window holds, and no more until `resume`. Forgotten with the connection. */
  pause(channel: Channel): void;
  resume(channel: Channel): void;
}

/** Who handles a channel's messages. `up` and `down` come in turn; messages only between them. */
export interface ChannelUser {
  up(peer: Peer, remote: RemoteNode): void;
  /** The bytes are the receiver's, but may be part of a buffer of 64 KiB: copy what is kept for long. */
  message(peer: Peer, message: Uint8Array): void;
  drained?(peer: Peer): void;
  down(peer: Peer, why: string): void;
}

export interface Connection {
  session: Session;
  transport: Transport;
}

/** Of links.ts alone. */
export class KnownPeer implements Peer {
  readonly name: string;
  address: Address | undefined;
  /** The connection that passed its handshake. */
  live: Connection | undefined;
  upAt = 0;
  dial: { cancelable: Cancelable; sinceMs: number } | undefined;
  /** Dialled, and in its handshake. */
  shaking: Connection | undefined;
  attempts = 0;
  retry: Cancelable | undefined;
  closed = false;
  readonly #flushSoon: (peer: KnownPeer) => void;

  constructor(name: string, flushSoon: (peer: KnownPeer) => void) {
    this.name = name;
    this.#flushSoon = flushSoon;
  }

  get state(): Peer['state'] {
    if (this.closed) return 'closed';
    if (this.live !== undefined) return 'connected';
    return this.dial !== undefined || this.shaking !== undefined ? 'connecting' : 'waiting';
  }

  get remote(): RemoteNode | undefined {
    return this.live?.session.remote;
  }

  get quietMs(): number | undefined {
    return this.live?.session.quietMs;
  }

  send(channel: Channel, message: Uint8Array): boolean {
    if (this.live?.session.send(channel, message) !== true) return false;
    this.#flushSoon(this);
    return true;
  }

  queued(channel: Channel): number {
    return this.live?.session.queued(channel) ?? 0;
  }

  pause(channel: Channel): void {
    this.live?.session.pause(channel);
  }

  resume(channel: Channel): void {
    this.live?.session.resume(channel);
    this.#flushSoon(this);
  }
}
