// A transport over package `ws`, for Node. The socket never keeps the process alive by itself: the connection does, while requests
// are open or a worker listens.

import type { IncomingMessage } from 'node:http';
import type { ClientOptions } from 'ws';
import { SUBPROTOCOL } from '../../src/wire/frame.ts';
import { ConnectionRefusedByServer, closeReason, type Transport } from './transport.ts';

/** Of the answer of a server that takes no connection: ours say why in one line. */
const MAX_REASON = 1_000;
const REASON_MS = 1_000;

/** TLS of an outgoing connection. All in PEM. */
export interface TLSConfig {
  /** Name to check the server's certificate against, instead of the address' host. */
  serverNameOverride?: string | undefined;
  /** Authorities to trust instead of the system's. */
  serverRootCACertificate?: string | Uint8Array | undefined;
  /** Certificate and key to present, where the server asks for one. */
  clientCertPair?: { crt: string | Uint8Array; key: string | Uint8Array } | undefined;
}

/**
 * Which core of a server a connection is for, said where TLS does not hide it: before the path is read, the connection is handed to that core. The
 * server goes on with `http/1.1` all the same.
 */
function protocolsFor(url: string): string[] | undefined {
  const core = /^wss:.*\/cores\/(\d+)$/.exec(url)?.[1];
  return core === undefined ? undefined : ['http/1.1', `tenuto-core/${core}`];
}

function wsOptions(url: string, timeoutMs: number, tls: TLSConfig | undefined): ClientOptions {
  const ALPNProtocols = protocolsFor(url);
  const pem = (text: string | Uint8Array): string | Buffer => (typeof text === 'string' ? text : Buffer.from(text));
  return {
    perMessageDeflate: false,
    ...(ALPNProtocols && { ALPNProtocols }),
    handshakeTimeout: timeoutMs,
    // The server bounds what it sends by pages; this only stops a broken peer.
    maxPayload: 64 * 1024 * 1024,
    ...(tls?.serverNameOverride !== undefined && { servername: tls.serverNameOverride }),
    ...(tls?.serverRootCACertificate !== undefined && { ca: pem(tls.serverRootCACertificate) }),
    ...(tls?.clientCertPair !== undefined && { cert: pem(tls.clientCertPair.crt), key: pem(tls.clientCertPair.key) }),
  };
}

/** Resolves once it is open; rejects when it cannot be opened in `timeoutMs`. */
export async function openWsTransport(url: string, tls: TLSConfig | undefined, timeoutMs: number): Promise<Transport> {
  const { WebSocket } = await import('ws');
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, SUBPROTOCOL, wsOptions(url, timeoutMs, tls));
    const transport: Transport = {
      onmessage: undefined,
      onclose: undefined,
      onalive: undefined,
      send(bytes) {
        if (socket.readyState === WebSocket.OPEN) socket.send(bytes, { binary: true });
      },
      close(code, reason = '') {
        socket.close(code, closeReason(reason));
        // A peer that does not answer the close frame must not keep the socket.
        const timer = setTimeout(() => socket.terminate(), 1000);
        timer.unref();
        socket.once('close', () => clearTimeout(timer));
      },
      get bufferedAmount() {
        return socket.bufferedAmount;
      },
      ping() {
        if (socket.readyState === WebSocket.OPEN) socket.ping();
      },
    };
    let failure: Error | undefined;
    socket.on('upgrade', (response) => response.socket.unref());
    socket.on('open', () => resolve(transport));
    socket.on('message', (data, isBinary) => {
      if (isBinary && data instanceof Uint8Array) transport.onmessage?.(data);
      else socket.close(1003, 'expected binary messages');
    });
    socket.on('ping', () => transport.onalive?.());
    socket.on('pong', () => transport.onalive?.());
    socket.on('error', (err) => {
      failure ??= err;
    });
    socket.on('unexpected-response', (_request, response) => {
      void readText(response).then((text) => {
        failure = new ConnectionRefusedByServer(response.statusCode ?? 0, text);
        socket.terminate();
      });
    });
    socket.on('close', (code, reason) => {
      const text = failure?.message ?? `closed with code ${code}${reason.length > 0 ? `: ${reason.toString()}` : ''}`;
      // Only the first of resolve and reject counts.
      reject(failure ?? new Error(`${url} ${text}`));
      transport.onclose?.(text);
    });
  });
}

/** What there is of it by the end, the bound, or the time. Never rejects. */
function readText(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = (): void => {
      clearTimeout(timer);
      response.destroy();
      resolve(text.slice(0, MAX_REASON).trim());
    };
    const timer = setTimeout(done, REASON_MS);
    timer.unref();
    response.setEncoding('utf8');
    response.on('data', (more: string) => {
      text += more;
      if (text.length >= MAX_REASON) done();
    });
    response.once('end', done).once('error', done).once('close', done);
  });
}
