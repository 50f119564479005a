// Why a node could not start: one line that says what was wrong, one that says what to do.

import { StoreError } from './ports/store.ts';

export type NodeStartErrorKind =
  | 'portTaken'
  | 'address'
  | 'locked'
  | 'version'
  | 'corrupt'
  | 'data'
  | 'config'
  | 'fault';

/** Exit code of every failed start, as the CLI documents it. */
const FAILED = 1;
/** Of what the caller asked for wrongly. */
const USAGE = 2;

export class NodeStartError extends Error {
  override readonly name = 'NodeStartError';
  readonly kind: NodeStartErrorKind;
  /** What to do next. */
  readonly hint: string;
  readonly exitCode: number;
  constructor(kind: NodeStartErrorKind, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.hint = hint;
    this.exitCode = kind === 'config' ? USAGE : FAILED;
  }
}

function kindOf(kind: StoreError['kind']): NodeStartErrorKind {
  switch (kind) {
    case 'locked':
    case 'version':
    case 'corrupt':
      return kind;
    case 'held':
      return 'config';
    case 'failed':
    case 'closed':
      return 'data';
    case 'misuse':
      return 'fault';
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const CLUSTER_KINDS = ['portTaken', 'address', 'config'] as const;

/** What speaks to people already: the cluster's parts have errors with a hint of their own, which are not loaded by a node that stands alone. */
function ofCluster(error: unknown): NodeStartError | undefined {
  if (!(error instanceof Error) || !('hint' in error) || typeof error.hint !== 'string') return undefined;
  const kind = CLUSTER_KINDS.find((one) => 'kind' in error && error.kind === one) ?? 'fault';
  return new NodeStartError(kind, error.message, error.hint, error);
}

/** Any error of a start as one that speaks to people. */
export function startErrorOf(
  error: unknown,
  listen: { ip: string; port: number } | undefined,
  portFlag = '--port',
): NodeStartError {
  if (error instanceof NodeStartError) return error;
  if (error instanceof StoreError) {
    return new NodeStartError(kindOf(error.kind), error.message, error.hint ?? 'Check the data directory.', error);
  }
  const own = ofCluster(error);
  if (own !== undefined) return own;
  const message = error instanceof Error ? error.message : String(error);
  const where = listen === undefined ? '' : `${listen.ip}:${listen.port}`;
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new NodeStartError(
        'portTaken',
        `${where} is taken by another process`,
        `Stop that one, or choose another port with ${portFlag}.`,
        error,
      );
    case 'EACCES':
      return new NodeStartError(
        'address',
        `listening on ${where} is not permitted`,
        `Ports below 1024 need privileges: choose another one with ${portFlag}.`,
        error,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new NodeStartError(
        'address',
        `${where} is no address of this machine`,
        'Choose one of this machine with --ip, or 0.0.0.0 for all.',
        error,
      );
    default:
      return new NodeStartError('fault', message, 'Run with --log-level debug for more.', error);
  }
}
