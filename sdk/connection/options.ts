// How to connect: options, their defaults, and the environment they fall back to.

import { CAPABILITIES } from '../../src/wire/frame.ts';
import { ValueError } from '../common/errors.ts';
import { type Duration, durationOption } from '../common/time.ts';
import { DEFAULT_ADDRESS, toWebSocketUrls } from './address.ts';
import { openBrowserTransport, type WebSocketFactory, type WebSocketLike } from './browser-transport.ts';
import { defaultIdentity, environmentVariable } from './host.ts';
import { hostScheduler, type Scheduler } from './scheduler.ts';
import type { TransportFactory } from './transport.ts';
import { openWsTransport, type TLSConfig } from './ws-transport.ts';

/** Of one call. */
export interface RequestOptions {
  /** Time limit, ms; 0 or Infinity: none. Default: the connection's `requestTimeout`. */
  timeoutMs?: number | undefined;
  /** Gives the request up; what was applied stays applied. */
  signal?: AbortSignal | undefined;
}

export interface ConnectionOptions {
  /**
   * `host:port`, or `ws(s)://host:port/path`; of a cluster one node or several, as a list or with commas between. Any that answers will do, the
   * others are learned from it. Default: `TENUTO_ADDRESS`, or 127.0.0.1:7280.
   */
  address?: string | readonly string[] | undefined;
  /**
   * `cluster`: learns the nodes of the cluster, connects to them at the addresses they advertise, and sends calls straight to the owner of their
   * shard. `off`: uses only the given addresses; for a load balancer, or where the nodes' own addresses are not reachable (also with `cluster`
   * everything works then, by way of the given ones). Default: `cluster`; over a transport of your own `off`.
   */
  discovery?: 'cluster' | 'off' | undefined;
  /** `true` or a configuration: encrypt (`wss`). Default: as the address says; plain without a scheme. */
  tls?: TLSConfig | boolean | null | undefined;
  /** Bearer token for the namespaces this connection may use. Default: `TENUTO_TOKEN`. */
  token?: string | undefined;
  /** Another name for {@link token}. */
  apiKey?: string | undefined;
  /** Who this is, in histories and descriptions. Default: `pid@hostname`. */
  identity?: string | undefined;
  /** How long `connect` waits for the server, and one attempt to connect takes at most. Default 10 s. */
  connectTimeout?: Duration | undefined;
  /** Default time limit of a request; a call's own option or `withDeadline` may shorten or lengthen it. Default 30 s. */
  requestTimeout?: Duration | undefined;
  /** Requests open at once, past which further ones fail with RESOURCE_EXHAUSTED. Default 65,536. */
  maxInFlightRequests?: number | undefined;
  /** Bytes of open requests, past which further ones fail with RESOURCE_EXHAUSTED. Default 64 MiB. */
  maxInFlightBytes?: number | undefined;
  /** Optional behaviours to ask the server for, e.g. `ahead` (see the protocol). Default: all this library knows. */
  capabilities?: readonly string[] | undefined;
  /** Makes the socket, e.g. in a browser. Default: package `ws` in Node, else the global WebSocket. */
  webSocketFactory?: WebSocketFactory | undefined;
  /** Time, for tests and simulations. */
  scheduler?: Scheduler | undefined;
}

/** Where to begin, and how far to go from there. */
export interface Reach {
  readonly urls: readonly string[];
  readonly discovery: 'cluster' | 'off';
}

export interface CompiledConnectionOptions {
  /** For messages to people. */
  readonly target: string;
  /** At least one. */
  readonly urls: readonly string[];
  readonly discovery: 'cluster' | 'off';
  readonly token: string | undefined;
  readonly identity: string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxInFlightRequests: number;
  readonly maxInFlightBytes: number;
  readonly capabilities: readonly string[];
  readonly scheduler: Scheduler;
}

/** Checks everything that does not depend on the way to the server. @throws ValueError naming the option. */
export function compileOptions(options: ConnectionOptions, { urls, discovery }: Reach): CompiledConnectionOptions {
  const chosen = options.discovery ?? discovery;
  if (chosen !== 'cluster' && chosen !== 'off') {
    throw new ValueError(`discovery must be 'cluster' or 'off', got '${String(chosen)}'`);
  }
  return {
    target: urls.join(', ') || 'in-process',
    urls,
    discovery: chosen,
    token: options.token ?? options.apiKey ?? environmentVariable('TENUTO_TOKEN'),
    identity: options.identity ?? defaultIdentity(),
    connectTimeoutMs: durationOption('connectTimeout', options.connectTimeout) ?? 10_000,
    requestTimeoutMs: durationOption('requestTimeout', options.requestTimeout) ?? 30_000,
    maxInFlightRequests: positive('maxInFlightRequests', options.maxInFlightRequests ?? 65_536),
    maxInFlightBytes: positive('maxInFlightBytes', options.maxInFlightBytes ?? 64 * 1024 * 1024),
    capabilities: options.capabilities ?? CAPABILITIES.filter((name) => name !== 'cluster' || chosen === 'cluster'),
    scheduler: options.scheduler ?? hostScheduler,
  };
}

function positive(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw new ValueError(`${name} must be a positive integer, got ${value}`);
  return value;
}

/** The servers' WebSocket URLs. @throws ValueError for an address or TLS setting that cannot be meant. */
export function resolveUrls(options: ConnectionOptions): string[] {
  const address = options.address ?? environmentVariable('TENUTO_ADDRESS') ?? DEFAULT_ADDRESS;
  return toWebSocketUrls(address, options.tls ? 'tls' : 'plain');
}

/** How to open a socket on this host. */
export function socketFactory(options: ConnectionOptions): TransportFactory {
  const tls = typeof options.tls === 'object' && options.tls !== null ? options.tls : undefined;
  const { webSocketFactory } = options;
  if (webSocketFactory !== undefined) return (timeoutMs, url) => openBrowserTransport(url, webSocketFactory, timeoutMs);
  const host = globalThis as {
    process?: { versions?: { node?: string } };
    WebSocket?: new (url: string, protocol: string) => WebSocketLike;
  };
  const GlobalWebSocket = host.WebSocket;
  if (host.process?.versions?.node === undefined && GlobalWebSocket !== undefined) {
    return (timeoutMs, url) =>
      openBrowserTransport(url, (to, protocol) => new GlobalWebSocket(to, protocol), timeoutMs);
  }
  return (timeoutMs, url) => openWsTransport(url, tls, timeoutMs);
}
