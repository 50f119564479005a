// A node's start asks whether it has its name and its data to itself. Redis' lease says so, of those that run and of those that were killed just
// now: the one is renewed, the other ends within seconds and is waited for. Called by session-guard.ts.

import type { Clock, Scheduler } from '../../src/ports/clock.ts';
import { SESSION_RENEW_MS, SESSION_TTL_MS } from '../ownership/limits.ts';
import type { SessionKeeper } from '../ownership/session.ts';
import { ClusterStartError } from './start-error.ts';

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
/** No lease outlives this without a renewal, which is seen, ms. */
export const LEASE_WAIT_MS = SESSION_TTL_MS + SESSION_RENEW_MS;

/**
 * The session has made its first claim, and says in the log for whom it waits.
 *
 * @throws ClusterStartError when another node that runs has the name or the directory
 */
export async function haveToItself(options: LeaseOptions): Promise<void> {
  const { session, clusterId, name, self, isOnlyGuard, clock, scheduler, isClosed } = options;
  const untilMs = clock.monotonic() + LEASE_WAIT_MS;
  for (;;) {
    const { state } = session;
    if (state.type !== 'taken' || isClosed()) return;
    const { by, renewed } = state;
    const sameName = by.node === name;
    // Most likely the last run of this very node. LevelDB's lock, gossip and the links' handshakes keep two runs apart.
    if (sameName && by.directoryId === self && !isOnlyGuard) return;
    if (renewed || clock.monotonic() >= untilMs) {
      throw sameName
        ? new ClusterStartError(
            'fault',
            `another node of cluster ${clusterId} is called ${name}, and runs`,
            'Give this one another cluster.name (--name).',
          )
        : new ClusterStartError(
            'fault',
            `the data directory of this node (id ${self}) is in use by node ${by.node}, which runs`,
            'A copy of a directory cannot take part: give this node an empty one.',
          );
    }
    await new Promise<void>((resolve) => scheduler.after(LEASE_POLL_MS, resolve));
  }
}
