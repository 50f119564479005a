// What a link asks of the network: streams of bytes, dialled and accepted. Adapters: tcp.ts (sockets) and memory-network.ts (tests, simulator).

import type { Cancelable } from '../../src/ports/clock.ts';
import type { Refusal } from './identity.ts';

export interface Address {
  host: string;
  port: number;
}

export const addressText = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Called in order; `closed` is the last, exactly once, also after `close` and `destroy` of this side. */
export interface TransportHandler {
  data(bytes: Uint8Array): void;
  /** `buffered` has fallen to nothing. */
  drained(): void;
  closed(reason: string): void;
}

export interface Transport {
  /** `host:port` of the other end. */
  readonly remote: string;
  /** Names in the peer's verified certificate; empty without one. */
  readonly certificateNames: readonly string[];
  /** Bytes written and not yet sent. */
  readonly buffered: number;
  /** Once, before anything arrives. */
  attach(handler: TransportHandler): void;
  write(bytes: Uint8Array): void;
  /** Ends after what was written. */
  close(): void;
  destroy(): void;
}

export interface Listening {
  readonly address: Address;
  /** Accepts no more; connections made live on. */
  close(): Promise<void>;
}

export interface LinkNetwork {
  /** Rejects when the address cannot be had. `refused`: a connection that did not come about, for TLS or for want of means. */
  listen(
    at: Address,
    accept: (transport: Transport) => void,
    refused: (remote: string, refusal: Refusal) => void,
  ): Promise<Listening>;
  /** `done` is called once, unless cancelled. */
  dial(to: Address, done: (outcome: { transport: Transport } | { error: string }) => void): Cancelable;
}
