// How to connect: options, their defaults, and the environment they fall back to.

import { CAPABILITIES } from '../../src/wire/frame.ts';
import { ValueError } from '../common/errors.ts';
import { type Duration, durationOption } from '../common/time.ts';
import { DEFAULT_ADDRESS, toWebSocketUrl } from './address.ts';
import { openBrowserTransport, type WebSocketFactory, type WebSocketLike } from './browser-transport.ts';
import { defaultIdentity, environmentVariable } from './host.ts';
import { hostScheduler, type Scheduler } from './scheduler.ts';
import type { TransportFactory } from './transport.ts';
import { openWsTransport, type TLSConfig } from './ws-transport.ts';

export interface ConnectionOptions {
  /** `host:port`, or `ws(s)://host:port/path`. Default: `TENUTO_ADDRESS`, or 127.0.0.1:7280. */
  address?: string | undefined;
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

export interface CompiledConnectionOptions {
  /** For messages to people. */
  readonly target: string;
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
export function compileOptions(options: ConnectionOptions, target: string): CompiledConnectionOptions {
  return {
    target,
    token: options.token ?? options.apiKey ?? environmentVariable('TENUTO_TOKEN'),
    identity: options.identity ?? defaultIdentity(),
    connectTimeoutMs: durationOption('connectTimeout', options.connectTimeout) ?? 10_000,
    requestTimeoutMs: durationOption('requestTimeout', options.requestTimeout) ?? 30_000,
    maxInFlightRequests: positive('maxInFlightRequests', options.maxInFlightRequests ?? 65_536),
    maxInFlightBytes: positive('maxInFlightBytes', options.maxInFlightBytes ?? 64 * 1024 * 1024),
    capabilities: options.capabilities ?? CAPABILITIES,
    scheduler: options.scheduler ?? hostScheduler,
  };
}

function positive(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw new ValueError(`${name} must be a positive integer, got ${value}`);
  return value;
}

/** The server's WebSocket URL. @throws ValueError for an address or TLS setting that cannot be meant. */
export function resolveUrl(options: ConnectionOptions): string {
  const address = options.address ?? environmentVariable('TENUTO_ADDRESS') ?? DEFAULT_ADDRESS;
  return toWebSocketUrl(address, options.tls ? 'tls' : 'plain');
}

/** How to open a socket to `url` on this host. */
export function socketFactory(url: string, options: ConnectionOptions): TransportFactory {
  const tls = typeof options.tls === 'object' && options.tls !== null ? options.tls : undefined;
  const { webSocketFactory } = options;
  if (webSocketFactory !== undefined) return (timeoutMs) => openBrowserTransport(url, webSocketFactory, timeoutMs);
  const host = globalThis as {
    process?: { versions?: { node?: string } };
    WebSocket?: new (url: string, protocol: string) => WebSocketLike;
  };
  const GlobalWebSocket = host.WebSocket;
  if (host.process?.versions?.node === undefined && GlobalWebSocket !== undefined) {
    return (timeoutMs) => openBrowserTransport(url, (to, protocol) => new GlobalWebSocket(to, protocol), timeoutMs);
  }
  return (timeoutMs) => openWsTransport(url, tls, timeoutMs);
}
