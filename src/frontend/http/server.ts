// The node's HTTP port: what it is, health, readiness, metrics; the JSON API where the node has a gRPC door; upgrades go to the native door
// (websocket/listener.ts). Everything else is 404. A page of another origin reaches it only if its host is allowed (host-rules.ts).

import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createListener, type Socket } from 'node:net';
import type { HostRules } from './host-rules.ts';

export interface HttpRoutes {
  /** Why the node does not serve; undefined when it does. */
  notReady(): string | undefined;
  metrics(): Promise<{ contentType: string; body: string }>;
  onFault(error: unknown): void;
  /** The JSON API (src/frontend/grpc/json); absent where there is no gRPC door. */
  readonly api?: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
}

export interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Of the authorities whose certificates clients show; undefined: they show none. */
  readonly clientCa: Buffer | undefined;
}

/** For who opens the port in a browser, and expects a page there. */
const FRONT = `This is the port of a Tenuto node. Clients and workers connect to it by WebSocket.

/healthz  whether it lives
/readyz   whether it takes work, and why not
/metrics  for Prometheus

It has no web page. The tenuto command shows what there is: tenuto workflow list
Temporal's web UI works with it by way of its gRPC port: docs/guides/temporal-clients.md
`;

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
  const { api } = routes;
  if (!known && api !== undefined && path !== '/') {
    if (request.headers.origin === undefined) return api(request, response);
    if (allowPage(request, response, request.headers.origin)) return;
    return api(request, response);
  }
  if (!known && path !== '/') return answer(response, 404, 'not found\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return answer(response, 405, 'method not allowed\n');
  }
  switch (path) {
    case '/':
      return answer(response, 200, FRONT);
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

/** What a browser asks for before and after: the rules have let this origin pass. True when that was all that was asked. */
function allowPage(request: IncomingMessage, response: ServerResponse, origin: string): boolean {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'origin');
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false;
  response.setHeader('access-control-allow-methods', 'GET, POST, PUT, DELETE');
  response.setHeader('access-control-allow-headers', 'authorization, content-type');
  response.setHeader('access-control-max-age', '600');
  answer(response, 204, '');
  return true;
}

const secured = ({ cert, key, clientCa }: Tls) => ({
  ...{ cert, key },
  ...(clientCa && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
});

/** Not listening yet. @param maxConnections at once; a further one is closed (I9) */
export async function makeHttpServer(
  routes: HttpRoutes,
  rules: HostRules,
  tls: Tls | undefined,
  maxConnections: number,
): Promise<Server> {
  const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
    handle(routes, rules, request, response);
  // Small requests only: what is slow or large is not one of ours.
  const options = { headersTimeout: 10_000, requestTimeout: 15_000, maxHeaderSize: 16 * 1024, keepAliveTimeout: 5_000 };
  const server =
    tls === undefined
      ? createPlain(options, onRequest)
      : (await import('node:https')).createServer({ ...options, ...secured(tls) }, onRequest);

  server.maxConnections = maxConnections;
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
