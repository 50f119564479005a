// Why a node cannot take part in its cluster, for people: what was wrong, and what to do next. Thrown by what cluster-node.ts opens.

import { formatAddress } from '../gossip/core/address.ts';

export type ClusterStartErrorKind = 'portTaken' | 'address' | 'config' | 'fault';

export class ClusterStartError extends Error {
  override readonly name = 'ClusterStartError';
  readonly kind: ClusterStartErrorKind;
  /** What to do next. */
  readonly hint: string;

  constructor(kind: ClusterStartErrorKind, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.hint = hint;
  }
}

/** The links cannot listen. What is no error of a socket speaks for itself. */
export function linkStartError(error: unknown, { host, port }: { host: string; port: number }): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const where = `${formatAddress(host, port)} (links between nodes)`;
  switch (code) {
    case 'EADDRINUSE':
      return new ClusterStartError(
        'portTaken',
        `${where} is taken by another process`,
        'Stop that one, or choose another port with --link-port (cluster.link.port).',
        error,
      );
    case 'EACCES':
      return new ClusterStartError(
        'address',
        `listening on ${where} is not permitted`,
        'Ports below 1024 need privileges: choose another one with --link-port (cluster.link.port).',
        error,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ClusterStartError(
        'address',
        `${where} is no address of this machine`,
        'Choose one of this machine as cluster.link.ip, or 0.0.0.0 for all together with cluster.link.advertise.',
        error,
      );
    default:
      return error;
  }
}
