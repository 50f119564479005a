// How a node reaches its database, with the bounds and their defaults; and how the database is called in messages, which never carry a
// password. Filled in by src/config and the CLI.

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`, with libpq's parameters (`?sslmode=verify-full`, `?host=/run/postgresql`). */
  readonly url: string;
  /** Connections of this node: one writes, the others read. 2 to 100. Commits never wait behind reads, so more only helps cold reads. */
  readonly poolSize: number;
  /** ms until a connection that does not come about counts as failed. */
  readonly connectTimeoutMs: number;
  /** ms until the server cancels a statement; a second later the node gives up its connection. */
  readonly statementTimeoutMs: number;
  /** ms for which the database may be away or refuse (restart, fail-over, full disk) before the node stops serving for good. */
  readonly outageMs: number;
}

export const DEFAULT_POSTGRES_OPTIONS: Omit<PostgresOptions, 'url'> = {
  poolSize: 6,
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 30_000,
  outageMs: 60_000,
};

export const MIN_POOL_SIZE = 2;
export const MAX_POOL_SIZE = 100;

/** Whether a text is meant as an address of a database, not as a directory. */
export const isPostgresUrl = (text: string): boolean => /^postgres(ql)?:\/\//i.test(text);

/** `database "tenuto" at host:5432`: never user or password. */
export function describeDatabase(url: string): string {
  let parsed: URL;
  try {
    // libpq's way to leave the host to a parameter.
    parsed = new URL(url.replace('@/', '@localhost/'));
  } catch {
    // Not even the reason: it would quote the URL.
    return 'the database';
  }
  const socket = parsed.searchParams.get('host');
  const port = parsed.searchParams.get('port') ?? parsed.port;
  const host = socket ?? (parsed.hostname === '' ? 'localhost' : parsed.hostname);
  const name = parsed.pathname.slice(1);
  return `${name === '' ? 'the database' : `database "${decoded(name)}"`} at ${decoded(host)}:${port === '' ? '5432' : port}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
