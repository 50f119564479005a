// How to connect: options, their defaults, and the environment they fall back to.

import { CAPABILITIES } from '../../src/wire/frame.ts';
import { ValueError } from '../common/errors.ts';
import { type Duration, durationOption } from '../common/time.ts';
import { DEFAULT_ADDRESS, toWebSocketUrls } from './address.ts';
import { openBrowserTransport, type WebSocketFactory, type WebSocketLike } from './browser-transport.ts';
import { type Metadata, metadataOf } from './call-context.ts';
import { defaultIdentity, environmentVariable } from './host.ts';
import { hostScheduler, type Scheduler } from './scheduler.ts';
import { Token } from './token.ts';
import type { TransportFactory } from './transport.ts';
import { openWsTransport, type TLSConfig } from './ws-transport.ts';

/** Bytes above which a worker warns of what it sends; it is sent all the same. 0: no warning. */
export interface PayloadLimitsConfig {
  /** Of one field with payloads: an input, a result. Default: 512 KiB. */
  payloadsWarnSize?: number | undefined;
  /** Default: 2 KiB. */
  memoWarnSize?: number | undefined;
}

export type PayloadLimits = Readonly<Record<keyof PayloadLimitsConfig, number>>;

/** Of one call. */
export interface RequestOptions {
  /** Time limit, ms; 0 or Infinity: none. Default: the connection's `requestTimeout`. */
  timeoutMs?: number | undefined;
  /** Gives the request up; what was applied stays applied. */
  signal?: AbortSignal | undefined;
}

/** Changes how connections are made. Names are those of `@temporalio/client` and `@temporalio/worker`. */
export interface ConnectionPlugin {
  readonly name: string;
  configureConnection?(options: ConnectionOptions): ConnectionOptions;
  configureNativeConnection?(options: ConnectionOptions): ConnectionOptions;
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
  /** Another name for {@link token}; a function is asked with every request and every handshake. */
  apiKey?: string | (() => string) | undefined;
  /** Sent with every request: see `withMetadata`. `authorization` goes not together with {@link token} or {@link apiKey}. */
  metadata?: Metadata | undefined;
  /** Change these options, from first to last. A client or worker made with the connection takes those of its own kind from them, too. */
  plugins?: readonly ConnectionPlugin[] | undefined;
  /** Who this is, in histories and descriptions. Default: `pid@hostname`. */
  identity?: string | undefined;
  /** How long `connect` waits for the server, and one attempt to connect takes at most. Default 10 s. */
  connectTimeout?: Duration | undefined;
  /** Default time limit of a request; a call's own option or `withDeadline` may shorten or lengthen it. Default 30 s. */
  requestTimeout?: Duration | undefined;
  /** Requests open at once, those that wait for a full node among them, past which further ones fail with RESOURCE_EXHAUSTED. Default 131,072, of about 1 KiB. */
  maxInFlightRequests?: number | undefined;
  /** Bytes of open requests, past which further ones fail with RESOURCE_EXHAUSTED. Default 64 MiB. */
  maxInFlightBytes?: number | undefined;
  /** Optional behaviours to ask the server for, e.g. `ahead` (see the protocol). Default: all this library knows. */
  capabilities?: readonly string[] | undefined;
  /** When workers of this connection warn of large payloads. */
  payloadLimits?: PayloadLimitsConfig | undefined;
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
  readonly token: Token;
  readonly plugins: readonly ConnectionPlugin[];
  readonly identity: string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxInFlightRequests: number;
  readonly maxInFlightBytes: number;
  readonly capabilities: readonly string[];
  readonly payloadLimits: PayloadLimits;
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
    token: tokenOf(options),
    plugins: options.plugins ?? [],
    identity: options.identity ?? defaultIdentity(),
    connectTimeoutMs: durationOption('connectTimeout', options.connectTimeout) ?? 10_000,
    requestTimeoutMs: durationOption('requestTimeout', options.requestTimeout) ?? 30_000,
    maxInFlightRequests: positive('maxInFlightRequests', options.maxInFlightRequests ?? 131_072),
    maxInFlightBytes: positive('maxInFlightBytes', options.maxInFlightBytes ?? 64 * 1024 * 1024),
    capabilities: options.capabilities ?? CAPABILITIES.filter((name) => name !== 'cluster' || chosen === 'cluster'),
    payloadLimits: {
      payloadsWarnSize: size('payloadsWarnSize', options.payloadLimits?.payloadsWarnSize ?? 512 * 1024),
      memoWarnSize: size('memoWarnSize', options.payloadLimits?.memoWarnSize ?? 2 * 1024),
    },
    scheduler: options.scheduler ?? hostScheduler,
  };
}

/** With what its plugins make of it. */
export function configured(options: ConnectionOptions): ConnectionOptions {
  let made = options;
  for (const plugin of options.plugins ?? []) {
    made = plugin.configureConnection?.(made) ?? plugin.configureNativeConnection?.(made) ?? made;
  }
  return made;
}

/** Options of gRPC, by what to do instead. They are taken from code that was written for it, and must not be lost without a word. */
const OF_GRPC: Readonly<Record<string, string>> = {
  credentials: 'set `tls`',
  callCredentials: 'set `apiKey`, a function if it changes, or `metadata`',
  channelArgs: 'this connection is a WebSocket: `connectTimeout` and `requestTimeout` are its options',
  interceptors: 'a connection repeats by itself; use interceptors of the client',
  proxy: 'set `webSocketFactory`, which makes the socket',
};

function tokenOf(options: ConnectionOptions): Token {
  for (const [name, instead] of Object.entries(OF_GRPC)) {
    const given: unknown = Reflect.get(options, name);
    if (given === undefined || given === null || (Array.isArray(given) && given.length === 0)) continue;
    throw new ValueError(`${name} is an option of gRPC, which this connection does not speak: ${instead}`);
  }
  const metadata = metadataOf(options.metadata);
  const said = options.token ?? options.apiKey;
  if (said === '') throw new ValueError('apiKey must not be empty');
  if (said !== undefined && metadata?.authorization !== undefined) {
    throw new ValueError('metadata has an authorization, which goes not together with apiKey or token');
  }
  return new Token(said ?? environmentVariable('TENUTO_TOKEN'), metadata);
}

function size(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0) {
    throw new ValueError(`payloadLimits.${name} must be a number of bytes, got ${value}`);
  }
  return value;
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
