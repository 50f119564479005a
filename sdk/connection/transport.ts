// What a connection needs of a socket. WebSocket has it (ws-transport.ts, browser-transport.ts), and so has the server's in-process door.

/** An open, ordered, reliable stream of binary messages. */
export interface Transport {
  /** Bytes are the transport's from then on: the caller will not change them. Ignored once closed. */
  send(bytes: Uint8Array): void;
  /** Ends it; `onclose` is called afterwards, once. */
  close(code?: number, reason?: string): void;
  /** Set by the connection before anything is sent. */
  onmessage: ((bytes: Uint8Array) => void) | undefined;
  /** Set by the connection. `reason` is for people. */
  onclose: ((reason: string) => void) | undefined;
  /** Bytes accepted by `send` and not yet written out; absent: always 0. */
  readonly bufferedAmount?: number;
  /** Asks the peer for a sign of life below the protocol; absent: the connection asks with a request. */
  ping?(): void;
  /** Set by the connection; called for signs of life below the protocol (ping, pong). */
  onalive?: (() => void) | undefined;
}

/**
 * Opens another transport; rejects when it cannot within `timeoutMs`. `url` says where to: one of the addresses the connection was given or
 * has learned of; empty for a connection that was given none.
 */
export type TransportFactory = (timeoutMs: number, url: string) => Transport | Promise<Transport>;

/** Somebody listens there, speaks HTTP, and takes no connection: it starts, ends, has failed, or is another kind of server. */
export class ConnectionRefusedByServer extends Error {
  override readonly name = 'ConnectionRefusedByServer';
  readonly httpStatus: number;

  constructor(httpStatus: number, text: string) {
    super(text === '' ? `refused with HTTP status ${httpStatus}` : text);
    this.httpStatus = httpStatus;
  }
}

/** A close frame carries at most 123 bytes of reason, and sockets throw for more. */
export function closeReason(reason: string): string {
  return reason.replace(/[^ -~]/g, '?').slice(0, 120);
}
