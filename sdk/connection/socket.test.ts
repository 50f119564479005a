// Over real sockets on 127.0.0.1: both WebSocket implementations, TLS left to the server's tests.

import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { decodeAll, encode } from '../../src/wire/codec.ts';
import { FrameKind, SUBPROTOCOL, type Welcome } from '../../src/wire/frame.ts';
import type { WebSocketLike } from './browser-transport.ts';
import { Connection } from './connection.ts';
import type { ConnectionOptions } from './options.ts';

const WELCOME: Welcome = {
  protocol: 1,
  server: 'test/1',
  nodeId: 'node-1',
  capabilities: [],
  idleMs: 60_000,
  maxMessageBytes: 1_000_000,
};

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Echoes request bodies; request "terminateWorkflowExecution" cuts the socket instead, once. */
async function echoServer(port = 0): Promise<{ address: string; sockets: Set<WebSocket>; protocols: string[] }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port });
  await new Promise<void>((resolve) => server.once('listening', resolve));
  const sockets = new Set<WebSocket>();
  const protocols: string[] = [];
  let cut = false;
  server.on('connection', (socket) => {
    sockets.add(socket);
    protocols.push(socket.protocol);
    socket.on('message', (data) => {
      for (const frame of decodeAll(data as Buffer) as unknown[][]) {
        if (frame[0] === FrameKind.HELLO) socket.send(encode([FrameKind.WELCOME, WELCOME]));
        if (frame[0] !== FrameKind.REQUEST) continue;
        if (frame[2] === 'terminateWorkflowExecution' && !cut) {
          cut = true;
          socket.terminate();
          return;
        }
        socket.send(encode([FrameKind.RESPONSE, frame[1], frame[4]]));
      }
    });
  });
  cleanups.push(() => {
    for (const socket of sockets) socket.terminate();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { port: bound } = server.address() as { port: number };
  return { address: `127.0.0.1:${bound}`, sockets, protocols };
}

async function connect(options: ConnectionOptions): Promise<Connection> {
  const connection = await Connection.connect(options);
  cleanups.push(() => connection.close());
  return connection;
}

const browserLike: ConnectionOptions = {
  webSocketFactory: (url, protocol) => new WebSocket(url, protocol) as unknown as WebSocketLike,
};

describe.each([
  ['package ws', {}],
  ['the WebSocket of browsers', browserLike],
] satisfies [string, ConnectionOptions][])('over %s', (_name, options) => {
  it('requests are answered', async () => {
    const { address, protocols } = await echoServer();
    const connection = await connect({ ...options, address });
    expect(protocols).toEqual([SUBPROTOCOL]);
    const bodies = await Promise.all(
      Array.from({ length: 100 }, (_, i) => connection.request('describeNamespace', { namespace: `n${i}` })),
    );
    expect(bodies[99]).toEqual({ namespace: 'n99' });
  });

  it('a request whose socket is cut is answered over the next', async () => {
    const { address, sockets } = await echoServer();
    const connection = await connect({ ...options, address });
    const body = { namespace: 'n', workflowId: 'w', identity: 'i', requestId: 'r' };
    expect(await connection.request('terminateWorkflowExecution', body)).toEqual(body);
    expect(sockets.size).toBe(2);
  });

  it('an address where nobody listens is reported with its reason', async () => {
    const { address, sockets } = await echoServer();
    for (const cleanup of cleanups.splice(0)) await cleanup();
    expect(sockets.size).toBe(0);
    await expect(Connection.connect({ ...options, address, connectTimeout: 200 })).rejects.toThrow(
      /no connection to ws:\/\/127\.0\.0\.1:\d+\/ within 200 ms/,
    );
  });
});

it('a server that takes no connections is reported with what it says', async () => {
  const text = 'not ready: the store failed';
  const server = createServer().on('upgrade', (_request, socket) =>
    socket.end(`HTTP/1.1 503 Service Unavailable\r\nContent-Length: ${text.length + 1}\r\n\r\n${text}\n`),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  // A listening TCP server has an address of this kind.
  const { port } = server.address() as { port: number };
  await expect(Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: 300 })).rejects.toMatchObject({
    details: expect.stringMatching(/ within 300 ms: not ready: the store failed$/),
    cause: { httpStatus: 503 },
  });
});

describe('bytes', () => {
  it('survive in both directions', async () => {
    const { address } = await echoServer();
    const connection = await connect({ address });
    const token = Uint8Array.from({ length: 256 }, (_, i) => i);
    const body = { target: { token }, identity: 'i' };
    const answer = (await connection.request('recordActivityTaskHeartbeat', body)) as unknown as typeof body;
    expect(Buffer.from(answer.target.token).equals(Buffer.from(token))).toBe(true);
  });
});
