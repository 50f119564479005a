// What an error of the database means for the write it answers. Decides what may be repeated, what must be settled by reading, and what
// is final. Called by Database and Connection.

import { StoreError } from '../../ports/store.ts';

/**
 * `aborted`: the server answered that nothing of it happened, and that it may be tried again.
 * `lost`: the connection, and with it the answer: it may have happened.
 * `final`: trying again would bring the same.
 */
export type Verdict = 'aborted' | 'lost' | 'final';

/** SQLSTATEs by their meaning (PostgreSQL's appendix A; CockroachDB and YugabyteDB answer with the same). */
const ABORTED = new Set([
  '40001', // serialization failure: CockroachDB's and YugabyteDB's way to say "again"
  '40P01', // deadlock
  '55P03', // lock not available in time
  '57014', // cancelled: statement timeout
  '25P02', // in a transaction that an earlier error had ended
]);
/** Out of something (disk, memory, connections): may come back. */
const RESOURCES = '53';
const CONNECTION = '08';
const LOST = new Set([
  '40003', // completion unknown
  '57P01', // shut down by an administrator
  '57P02', // crash of another backend
  '57P03', // starting up or shutting down
  '57P05', // idle session ended
  '25006', // read-only: the connection leads to a replica, another one may not
  '58000', // system error of a proxy or fork on its way down
]);

export function verdictOf(error: unknown): Verdict {
  if (error instanceof StoreError) return 'final';
  const state = sqlState(error);
  if (state === undefined) return isProgramming(error) ? 'final' : 'lost';
  if (ABORTED.has(state) || state.startsWith(RESOURCES)) return 'aborted';
  return LOST.has(state) || state.startsWith(CONNECTION) ? 'lost' : 'final';
}

/** The five characters; undefined for errors of sockets and of the client. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code) ? code : undefined;
}

const isProgramming = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;

/** What people are told: the server's words and its code. The client never puts a password into either. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(reasonOf).join('; ');
  const text = error instanceof Error ? error.message || error.name : String(error);
  const state = sqlState(error);
  return state === undefined ? text : `${text} (SQLSTATE ${state})`;
}

export function failed(what: string, error: unknown): StoreError {
  return new StoreError('failed', `${what}: ${reasonOf(error)}`, { cause: error, hint: hintOf(error) });
}

function hintOf(error: unknown): string {
  switch (sqlState(error)) {
    case '28P01':
    case '28000':
      return 'Check user and password of store.postgres, and pg_hba.conf of the server.';
    case '3D000':
      return 'Create the database, or name another one; then `tenuto data migrate --store postgres://…` makes the tables.';
    case '42501':
      return 'Grant the user SELECT, INSERT, UPDATE and DELETE on the tenuto_ tables.';
    case '53100':
      return "The database's disk is full: free space there, then start the node again. What was acknowledged is safe.";
    case '53300':
      return 'The database has no connection left: lower store.postgres.poolSize, or raise max_connections.';
    default:
      return 'What was acknowledged is safe. Check that the database runs and can be reached, then start the node again.';
  }
}
