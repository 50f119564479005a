// The native door over WebSockets: package `ws` on the node's HTTP server. Pings are the socket's own; compression is off, because it
// costs more than it saves on frames this small and holds memory per connection.

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { MAX_MESSAGE_BYTES, SUBPROTOCOL } from '../../wire/frame.ts';
import type { HostRules } from '../http/host-rules.ts';
import type { NativeDoor } from './door.ts';
import { COPIED_BYTES, serverFrame } from './server-frame.ts';
import { Strangers } from './strangers.ts';
import { CloseCode, type Wire } from './wire.ts';

/** ms a peer has to answer a close frame. */
const CLOSE_GRACE_MS = 1_000;

class SocketWire implements Wire {
  readonly peer: string;
  readonly #socket: WebSocket;
  /** Under it. Whole frames go to either: without compression `ws` queues none. */
  readonly #raw: Duplex;
  readonly #onDrained: () => void;

  constructor(socket: WebSocket, raw: Duplex, peer: string, onDrained: () => void) {
    this.#socket = socket;
    this.#raw = raw;
    this.peer = peer;
    this.#onDrained = onDrained;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(message: Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (message.length <= COPIED_BYTES) this.#raw.write(serverFrame(message), this.#onDrained);
    else this.#socket.send(message, { binary: true }, this.#onDrained);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
    // Paused or deaf peers never answer the close frame.
    setTimeout(() => this.#socket.terminate(), CLOSE_GRACE_MS).unref();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  ping(): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }
}

function attach(
  door: NativeDoor,
  strangers: Strangers,
  socket: WebSocket,
  raw: Duplex,
  request: IncomingMessage,
): void {
  const { remoteAddress = 'unknown', remotePort = 0 } = request.socket;
  const wire = new SocketWire(socket, raw, `${remoteAddress}:${remotePort}`, () => connection.drained());
  const connection = door.accept(wire);
  socket.on('message', (data, isBinary) => {
    // `ws` hands binary messages over as one Buffer (its default `binaryType`).
    if (isBinary && data instanceof Uint8Array) connection.receive(data);
    else connection.close(CloseCode.UNSUPPORTED, 'frames are binary messages');
  });
  socket.on('pong', () => connection.alive());
  socket.on('ping', () => connection.alive());
  // A peer's protocol error or reset: `close` follows, nothing is to be done.
  socket.on('error', () => {});
  socket.on('close', () => door.ended(connection));
  strangers.watch(raw, connection, () => socket.terminate());
}

function refuse(socket: Duplex, status: string, text: string): void {
  socket.on('error', () => {});
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

export interface ListenerOptions {
  door: NativeDoor;
  rules: HostRules;
  maxConnections: number;
  /** Where the door is. */
  paths: readonly string[];
  /** Why no connection is taken now; undefined when it is. */
  notReady(): string | undefined;
}

async function loadSockets(): Promise<WebSocketServer> {
  await new Promise((resolve) => setImmediate(resolve));
  const ws = await import('ws');
  return new ws.WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    clientTracking: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
}

/** Answers the upgrades of `server`. */
export function listenForWebSockets(
  server: Server,
  { door, rules, maxConnections, paths, notReady }: ListenerOptions,
): void {
  // Loaded while the node opens its data, awaited by the first upgrade: readiness does not wait for it.
  const loading = loadSockets();
  const strangers = new Strangers();
  server.on('upgrade', (request, socket, head) => {
    const offence = rules.check(request.headers.host, request.headers.origin);
    if (offence !== undefined) return refuse(socket, '403 Forbidden', `${offence}\n`);
    const path = (request.url ?? '/').split('?', 1)[0];
    if (path === undefined || !paths.includes(path))
      return refuse(socket, '404 Not Found', 'the native door is at /\n');
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    if (!offered.includes(SUBPROTOCOL)) {
      return refuse(socket, '400 Bad Request', `name the WebSocket subprotocol ${SUBPROTOCOL}\n`);
    }
    const reason = notReady();
    if (reason !== undefined) return refuse(socket, '503 Service Unavailable', `not ready: ${reason}\n`);
    if (door.connections.size >= maxConnections) {
      return refuse(socket, '503 Service Unavailable', `the node has ${maxConnections} connections, its limit\n`);
    }
    socket.on('error', () => {});
    void loading.then((sockets) => {
      sockets.handleUpgrade(request, socket, head, (webSocket) => attach(door, strangers, webSocket, socket, request));
    });
  });
}
