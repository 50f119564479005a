// What a node is given beside its configuration, and what whoever started it can do with it.

import type { HandedSockets } from './frontend/handed-sockets.ts';
import type { InProcessTransport } from './frontend/websocket/in-process.ts';
import type { ClusterControl } from './ports/cluster.ts';
import type { Coordinator } from './ports/coordinator.ts';
import type { Log } from './ports/log.ts';
import type { Store } from './ports/store.ts';

export interface NodeOptions {
  log: Log;
  /** The node has stopped serving for good (a write error); it goes on answering /readyz with the reason. */
  onFatal?(error: Error): void;
  /** Aborted: a start that waits for others (a new node for Redis) is given up. */
  giveUp?: AbortSignal;
  /** Instead of the one the configuration names: for tests with a bad disk. Closed with the node. */
  store?: Store;
  /** One of several cores behind the same ports. */
  core?: CoreOptions;
}

/** What a node that is one of several cores gets from the process that listens for all (src/cores). */
export interface CoreOptions {
  /** Path by which connections are for this very core. */
  readonly path: string;
  readonly sockets: HandedSockets;
  readonly grpcSockets: HandedSockets | undefined;
  /** Instead of Redis; undefined: the configured one. */
  readonly coordinator: Coordinator | undefined;
  /** Why the others do not serve; undefined: they do. */
  othersNotReady(): string | undefined;
  /** The metrics of all, of which these are its own. */
  allMetrics(own: string): Promise<string>;
}

export interface RunningNode {
  /** `host:port` of WebSocket and HTTP; undefined without a socket. */
  readonly address: string | undefined;
  /** `host:port` of the gRPC door; undefined without one. */
  readonly grpcAddress: string | undefined;
  readonly nodeId: string;
  readonly store: Store;
  /** What it knows and does of its cluster; undefined when it stands alone. */
  readonly cluster: ClusterControl | undefined;
  /** Why it does not serve; undefined when it does. */
  notReady(): string | undefined;
  /** In Prometheus' text format. */
  renderMetrics(): Promise<{ contentType: string; body: string }>;
  /** A connection within the process. */
  connect(): InProcessTransport;
  /** Says goodbye to clients, lets open requests finish, makes everything durable. Idempotent. */
  close(): Promise<void>;
}
