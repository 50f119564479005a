// Links over sockets: plain TCP, or mutual TLS 1.3 when certificates are given. Thin: what bytes mean is session.ts's. The adapter of
// transport.ts that nodes use.

import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { Cancelable } from '../../src/ports/clock.ts';
import type { LinkSecurity } from './security.ts';
import {
  type Address,
  addressText,
  type LinkNetwork,
  type Listening,
  type Transport,
  type TransportHandler,
} from './transport.ts';

const TLS_HANDSHAKE_MS = 5_000;
/** How long a peer that does not close its side keeps ours, ms. */
const LINGER_MS = 5_000;
/** Sockets in their TLS handshake at once. */
const MAX_UNPROVEN = 256;

class SocketTransport implements Transport {
  readonly #socket: Socket;
  readonly remote: string;
  readonly certificateNames: readonly string[];
  #reason: string | undefined;

  constructor(socket: Socket, certificateNames: readonly string[]) {
    this.#socket = socket;
    this.certificateNames = certificateNames;
    this.remote = remoteOf(socket);
    socket.setNoDelay(true);
    socket.on('error', (error) => {
      this.#reason = error.message;
    });
  }

  get buffered(): number {
    return this.#socket.writableLength;
  }

  attach(handler: TransportHandler): void {
    const socket = this.#socket;
    if (socket.destroyed) {
      // It ended between its arrival and now: its events are over.
      setImmediate(() => handler.closed(this.#reason ?? 'the connection ended'));
      return;
    }
    socket.on('data', (bytes: Uint8Array) => handler.data(bytes));
    socket.on('drain', () => handler.drained());
    socket.on('close', () => handler.closed(this.#reason ?? 'the connection ended'));
  }

  write(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.end();
    // A peer that never closes its side must not keep ours.
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

const remoteOf = (socket: Socket): string =>
  socket.remoteAddress === undefined
    ? 'an address that is gone'
    : addressText({ host: socket.remoteAddress, port: socket.remotePort ?? 0 });

/** Host names and common name of the certificate TLS has verified. Names that had to be quoted are left out: no node is called so. */
function namesOf(socket: TLSSocket): string[] {
  const { subject, subjectaltname } = socket.getPeerCertificate();
  const alternatives = (subjectaltname ?? '')
    .split(', ')
    .filter((name) => name.startsWith('DNS:') && !name.includes('"'));
  // The common name may be a list, whatever the typings say, when the subject has several.
  const common: unknown = subject?.CN;
  return [...new Set([...alternatives.map((name) => name.slice(4)), ...(typeof common === 'string' ? [common] : [])])];
}

/**
 * Plain TCP, or TLS where the security says so. `handshakeMs`: what those who connect may take for TLS.
 *
 * @throws what node:tls throws for PEM texts it cannot read, at the first use.
 */
export function tcpNetwork(security: LinkSecurity, handshakeMs = TLS_HANDSHAKE_MS): LinkNetwork {
  const tls = security.mode === 'mtls' ? security : undefined;
  const credentials = tls && { ca: tls.ca, cert: tls.certificate, key: tls.privateKey, minVersion: 'TLSv1.3' as const };

  return {
    listen(at, accept, refused): Promise<Listening> {
      let server: Server;
      /** Sockets in their TLS handshake. */
      const unproven = new Set<Socket>();
      if (credentials === undefined) {
        server = createServer((socket) => accept(new SocketTransport(socket, [])));
      } else {
        const options = {
          ...credentials,
          requestCert: true,
          rejectUnauthorized: true,
          handshakeTimeout: handshakeMs,
        };
        server = createTlsServer(options, (socket) => {
          for (const raw of unproven) if (remoteOf(raw) === remoteOf(socket)) unproven.delete(raw);
          accept(new SocketTransport(socket, namesOf(socket)));
        });
        server.on('connection', (socket: Socket) => {
          if (unproven.size >= MAX_UNPROVEN) {
            socket.destroy();
            return;
          }
          unproven.add(socket);
          socket.once('close', () => unproven.delete(socket));
        });
        server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
          const remote = remoteOf(socket);
          const message = `the peer at ${remote} failed its TLS handshake: ${error.message}.`;
          refused(remote, { kind: 'certificate', message });
          // After a timeout Node leaves it open.
          socket.destroy();
        });
      }
      return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: at.host, port: at.port }, () => {
          server.off('error', reject);
          // Accepting may fail later (no descriptors left): the next connection is accepted again.
          server.on('error', (error) => {
            refused('an unknown address', {
              kind: 'busy',
              message: `a connection could not be accepted: ${error.message}.`,
            });
          });
          const bound = server.address();
          const port = typeof bound === 'object' && bound !== null ? bound.port : at.port;
          const close = (): Promise<void> => {
            server.close();
            for (const socket of unproven) socket.destroy();
            return Promise.resolve();
          };
          resolve({ address: { host: at.host, port }, close });
        });
      });
    },

    dial(to: Address, done): Cancelable {
      const { host, port } = to;
      const socket =
        credentials === undefined
          ? connectTcp({ host, port })
          : // Which node it is says the link's own handshake, by name: addresses are not in certificates.
            connectTls({ ...credentials, host, port, checkServerIdentity: () => undefined });
      let open = true;
      const settle = (outcome: { transport: Transport } | { error: string }): void => {
        if (!open) return;
        open = false;
        done(outcome);
      };
      socket.on('error', (error) => settle({ error: error.message }));
      socket.once('close', () => settle({ error: 'the connection ended' }));
      const ready = credentials === undefined ? 'connect' : 'secureConnect';
      socket.once(ready, () =>
        settle({ transport: new SocketTransport(socket, 'authorized' in socket ? namesOf(socket) : []) }),
      );
      return {
        cancel: () => {
          if (!open) return;
          open = false;
          socket.destroy();
        },
      };
    },
  };
}
