// What gossip needs of a network: packets that may be lost, and streams of one request, one answer and one last word. Bodies are what the
// core speaks; envelopes are the transport's own affair. The real one is sockets.ts; a simulator brings its own.

import type { Notice } from './core/notices.ts';
import type { RefusalReason } from './core/refusal.ts';

export interface TransportEvents {
  /** @param from `ip:port` */
  packet(from: string, body: Uint8Array): void;
  /** A stream somebody opened: the answer, or nothing to end it. */
  request(from: string, body: Uint8Array): Uint8Array | undefined;
  lastWord(from: string, body: Uint8Array): void;
  notice(notice: Notice): void;
}

export type Answer =
  | { readonly type: 'answered'; readonly body: Uint8Array }
  /** Told, or seen, to be another cluster, version or key. */
  | { readonly type: 'refused'; readonly reason: RefusalReason }
  | { readonly type: 'silent' };

export interface Transport {
  /** Listens. Resolves with the `ip:port` it listens on. @throws GossipStartError */
  open(events: TransportEvents): Promise<string>;
  /** May be lost. */
  send(to: string, body: Uint8Array): void;
  /** `done` is called exactly once, within the stream time-out; what it returns is sent as the last word. */
  dial(to: string, body: Uint8Array, done: (answer: Answer) => Uint8Array | undefined): void;
  /** Nothing is called any more once it has resolved. */
  close(): Promise<void>;
}

export type GossipStartErrorKind = 'portTaken' | 'address' | 'config' | 'fault';

/** Gossip could not begin to listen. */
export class GossipStartError extends Error {
  override readonly name = 'GossipStartError';
  readonly kind: GossipStartErrorKind;
  /** What to do next. */
  readonly hint: string;

  constructor(kind: GossipStartErrorKind, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.hint = hint;
  }
}
