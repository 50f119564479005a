// Package entry `tenuto/server`: a node inside your own process, with or without sockets. The same engine, the same doors.

import { completeConfig, type NamespaceOptions } from './config/config.ts';
import type { InProcessTransport } from './frontend/websocket/in-process.ts';
import { type RunningNode, startNode } from './node.ts';
import { createLogger, type LogLevel } from './observe/logger.ts';
import type { TimeSkipping } from './ports/time-skipping.ts';

export { ConfigError, type NamespaceOptions } from './config/config.ts';
export type { InProcessTransport } from './frontend/websocket/in-process.ts';
export { NodeStartError, type NodeStartErrorKind } from './node-errors.ts';
export type { LogLevel } from './observe/logger.ts';
export type { TimeSkipping } from './ports/time-skipping.ts';

export interface ServerOptions {
  /** Where data is kept, durably (every commit is fsynced). Made when absent. Without it everything is in memory. */
  dataDir?: string | undefined;
  /** Names, or names with retention (ms, default 72 h, at least 1 h) and bearer tokens. Default: `default`, open to all. */
  namespaces?: readonly (string | NamespaceOptions)[] | undefined;
  /** Port of WebSocket and HTTP; 0: any free one, see `address`. Absent: no socket, only `connect()`. */
  port?: number | undefined;
  /** Port of the Temporal-compatible gRPC door; 0: any free one, see `grpcAddress`. Absent: none. */
  grpcPort?: number | undefined;
  /** Address to listen on. Default 127.0.0.1. */
  ip?: string | undefined;
  /** PEM files: every door speaks TLS; with `clientCaFile` clients show a certificate of one of its authorities. */
  tls?: { certFile: string; keyFile: string; clientCaFile?: string | undefined } | undefined;
  /**
   * For tests: the time in which nothing goes on is skipped while it is not locked, see `timeSkipping`; Temporal's clients lock and unlock it by its
   * test service. Default: time passes as it does.
   */
  timeSkipping?: boolean | undefined;
  /** Host names, beside localhost and IP addresses, that clients and web pages may call it by; `*`: any. */
  allowedHosts?: readonly string[] | undefined;
  /** Shards of a new data directory, fixed for its life. Default 256. */
  shardCount?: number | undefined;
  /** How long `close` lets open requests finish, ms. Default 2,000. */
  shutdownGraceMs?: number | undefined;
  /** What is logged, as JSON lines on standard error. Default `warn`. */
  logLevel?: LogLevel | undefined;
  /** Called when the node has stopped serving for good, because its disk refused a write. */
  onFatal?: ((error: Error) => void) | undefined;
}

/**
 * A node embedded in this process.
 *
 * ```ts
 * const server = await Server.create({ port: 0 });
 * const connection = await Connection.connect({ address: server.address });
 * // or, without a socket:
 * const inProcess = Connection.fromTransport(() => server.connect());
 * ```
 */
export class Server {
  readonly #node: RunningNode;

  private constructor(node: RunningNode) {
    this.#node = node;
  }

  /**
   * Starts a node; it serves when this resolves.
   *
   * @throws ConfigError for options that cannot be meant.
   * @throws NodeStartError when it cannot start: port taken, data directory in use, unreadable, damaged or of a newer version.
   */
  static async create(options: ServerOptions = {}): Promise<Server> {
    const { port, grpcPort, ip, namespaces } = options;
    const config = completeConfig({
      dataDirectory: options.dataDir,
      shardCount: options.shardCount,
      listen: port === undefined ? undefined : { port, ip },
      grpc: grpcPort === undefined ? undefined : { port: grpcPort, ip },
      tls: options.tls,
      timeSkipping: options.timeSkipping,
      allowedHosts: options.allowedHosts,
      namespaces: namespaces?.map((namespace) => (typeof namespace === 'string' ? { name: namespace } : namespace)),
      shutdownGraceMs: options.shutdownGraceMs ?? 2_000,
    });
    const { onFatal } = options;
    const log = createLogger(options.logLevel ?? 'warn');
    return new Server(await startNode(config, { log, ...(onFatal && { onFatal }) }));
  }

  /** `host:port` for clients; undefined without a socket. */
  get address(): string | undefined {
    return this.#node.address;
  }

  /** `host:port` for Temporal's clients; undefined without that door. */
  get grpcAddress(): string | undefined {
    return this.#node.grpcAddress;
  }

  /** Undefined unless the server was made with `timeSkipping`. */
  get timeSkipping(): TimeSkipping | undefined {
    return this.#node.timeSkipping;
  }

  /** One connection without a socket, for `Connection.fromTransport(() => server.connect())`. */
  connect(): InProcessTransport {
    return this.#node.connect();
  }

  /** Says goodbye to clients, lets open requests finish, makes everything durable. Calling it again waits for the same end. */
  close(): Promise<void> {
    return this.#node.close();
  }
}
