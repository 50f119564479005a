// The node's HTTP port: health, readiness, metrics; upgrades go to the native door (websocket/listener.ts). Everything else is 404.

import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createListener, type Socket } from 'node:net';
import type { HostRules } from './host-rules.ts';

export interface HttpRoutes {
  /** Why the node does not serve; undefined when it does. */
  notReady(): string | undefined;
  metrics(): Promise<{ contentType: string; body: string }>;
  onFault(error: unknown): void;
}

export interface Tls {
  cert: Buffer;
  key: Buffer;
}

function answer(
  response: ServerResponse,
  status: number,
  body: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(body);
}

function handle(routes: HttpRoutes, rules: HostRules, request: IncomingMessage, response: ServerResponse) {
  const offence = rules.check(request.headers.host, request.headers.origin);
  if (offence !== undefined) return answer(response, 403, `${offence}\n`);
  const path = (request.url ?? '/').split('?', 1)[0];
  const known = path === '/healthz' || path === '/readyz' || path === '/metrics';
  if (!known) return answer(response, 404, 'not found\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return answer(response, 405, 'method not allowed\n');
  }
  switch (path) {
    case '/healthz':
      return answer(response, 200, 'ok\n');
    case '/readyz': {
      const reason = routes.notReady();
      return reason === undefined ? answer(response, 200, 'ready\n') : answer(response, 503, `not ready: ${reason}\n`);
    }
    default:
      routes.metrics().then(
        ({ contentType, body }) => answer(response, 200, body, contentType),
        (error: unknown) => {
          routes.onFault(error);
          answer(response, 500, 'metrics could not be collected\n');
        },
      );
  }
}

/** Not listening yet. */
export async function makeHttpServer(routes: HttpRoutes, rules: HostRules, tls: Tls | undefined): Promise<Server> {
  const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
    handle(routes, rules, request, response);
  // Small requests only: what is slow or large is not one of ours.
  const options = { headersTimeout: 10_000, requestTimeout: 15_000, maxHeaderSize: 16 * 1024, keepAliveTimeout: 5_000 };
  const server =
    tls === undefined
      ? createPlain(options, onRequest)
      : (await import('node:https')).createServer({ ...options, ...tls }, onRequest);
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });
  return server;
}

/** A connection that another process accepted, and of which it read `head`, as if the server had accepted it. */
export function takeSocket(server: Server, socket: Socket, head: Buffer): void {
  socket.setNoDelay(true);
  // A server of node:https, without loading that to ask.
  if ('setSecureContext' in server) {
    // Its TLS layer begins with what is buffered.
    if (head.length > 0) socket.unshift(head);
    server.emit('connection', socket);
    return;
  }
  server.emit('connection', socket);
  // The parser reads from the handle: what is buffered in the stream it would never see.
  if (head.length > 0) socket.emit('data', head);
  socket.resume();
}

/**
 * Takes the port and gives it back: what a start refuses for anyway it should refuse before it has made a data directory.
 *
 * @throws the listening error, as the real one would
 */
export async function tryToListen(ip: string, port: number): Promise<void> {
  const probe = createListener();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen({ host: ip, port }, resolve);
  });
  await new Promise<void>((resolve) => probe.close(() => resolve()));
}
