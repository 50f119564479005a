// A transport over the WebSocket class that browsers (and Node 22) have.

import { SUBPROTOCOL } from '../../src/wire/frame.ts';
import { closeReason, type Transport } from './transport.ts';

/** What is used of a WebSocket. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

/** Makes a WebSocket: `(url, protocol) => new WebSocket(url, protocol)`. */
export type WebSocketFactory = (url: string, protocol: string) => WebSocketLike;

/** Resolves once it is open; rejects when it cannot be opened in `timeoutMs`. */
export function openBrowserTransport(url: string, create: WebSocketFactory, timeoutMs: number): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const socket = create(url, SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    const timer = setTimeout(() => {
      reject(new Error(`${url} did not answer within ${timeoutMs} ms`));
      socket.close();
    }, timeoutMs);
    const transport: Transport = {
      onmessage: undefined,
      onclose: undefined,
      send: (bytes) => socket.send(bytes),
      // Browsers let scripts name only 1000 and 3000..4999.
      close: (code = 1000, reason = '') =>
        socket.close(code === 1000 || code >= 3000 ? code : code + 3000, closeReason(reason)),
      get bufferedAmount() {
        return socket.bufferedAmount;
      },
    };
    socket.onopen = () => {
      clearTimeout(timer);
      resolve(transport);
    };
    socket.onmessage = (event: { data: unknown }) => {
      if (event.data instanceof ArrayBuffer) transport.onmessage?.(new Uint8Array(event.data));
      else transport.close(1003, 'expected binary messages');
    };
    socket.onclose = (event: { code?: number; reason?: string }) => {
      clearTimeout(timer);
      const reason = `closed with code ${event.code ?? 0}${event.reason ? `: ${event.reason}` : ''}`;
      // Only the first of resolve and reject counts.
      reject(new Error(`${url} ${reason}`));
      transport.onclose?.(reason);
    };
    // An error is always followed by a close, which says more.
    socket.onerror = () => {};
  });
}
