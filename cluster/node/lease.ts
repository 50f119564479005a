// A node's start asks whether it has its name and its data to itself: Redis' lease says so, of those that run now and those that were killed just
// now. Called by cluster-node.ts.

import type { Clock, Scheduler } from '../../src/ports/clock.ts';
import { SESSION_RENEW_MS, SESSION_TTL_MS } from '../ownership/limits.ts';
import type { SessionKeeper } from '../ownership/session.ts';

export interface LeaseOptions {
  readonly session: Pick<SessionKeeper, 'state'>;
  readonly clusterId: string;
  readonly name: string;
  /** This node's data directory. */
  readonly self: string;
  /** Nothing but the lease keeps two runs of this node apart. */
  readonly isOnlyGuard: boolean;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** The start was given up. */
  isClosed(): boolean;
}

/** How often a start that waits for a lease looks, ms. */
const LEASE_POLL_MS = 100;

/** The session has made its first claim. @throws Error for people when another node has the name or the directory */
export async function haveToItself(options: LeaseOptions): Promise<void> {
  const { session, clusterId, name, self, isOnlyGuard } = options;
  if (isOnlyGuard) await awaitLease(options);
  const { state } = session;
  if (state.type !== 'taken') return;
  const { by } = state;
  // The last run of this very node may still have its lease: LevelDB's lock and the links' handshakes keep two runs apart.
  if (by.node === name && by.directoryId === self && !isOnlyGuard) return;
  throw new Error(
    by.node === name
      ? `another node of cluster ${clusterId} is called ${name}: give this one another cluster.name. ` +
          'If it was this node, with another data directory and killed just now, start it again in some seconds'
      : `the data directory of this node is in use by node ${by.node}: a copy of a directory cannot take part, give this node an empty one`,
  );
}

/** The lease of a run that ended ends too, that of one that runs does not. */
async function awaitLease({ session, clock, scheduler, isClosed }: LeaseOptions): Promise<void> {
  const untilMs = clock.monotonic() + SESSION_TTL_MS + SESSION_RENEW_MS;
  while (session.state.type === 'taken' && clock.monotonic() < untilMs && !isClosed()) {
    await new Promise<void>((resolve) => scheduler.after(LEASE_POLL_MS, resolve));
  }
}
