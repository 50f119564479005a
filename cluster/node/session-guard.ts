// What a node makes of its lease in Redis: it does not start beside another process of its name or directory, and steps back when one turns up while it
// runs. Redis never makes anything safe (I3), but here it tells of what would be unsafe: a directory that votes twice, at two processes. So of two with one
// directory the one that has not the lease ends itself; of two with one name it gives its leaderships away. Called by cluster-node.ts.

import type { Clock, Scheduler } from '../../src/ports/clock.ts';
import type { Coordinator, NodeSession } from '../../src/ports/coordinator.ts';
import type { Log } from '../../src/ports/log.ts';
import { SESSION_RENEW_MS, SESSION_TTL_MS } from '../ownership/limits.ts';
import { SessionKeeper, type SessionState } from '../ownership/session.ts';

export interface SessionGuardOptions {
  clusterId: string;
  session: NodeSession;
  /** Nodes that share a database have no lock that keeps two runs of one apart. */
  scope: 'directory' | 'shared database';
  coordinator: Coordinator;
  clock: Clock;
  scheduler: Scheduler;
  log: Log;
  /** Leads nothing from now on, or again what the ring wants. */
  lead(what: 'nothing' | 'again'): void;
  onFatal(error: Error): void;
}

/** How often a start that waits for a lease looks, ms. */
const LEASE_POLL_MS = 100;

export class SessionGuard {
  readonly #options: SessionGuardOptions;
  readonly #keeper: SessionKeeper;
  /** `started`: it may run; before that a rival is a reason not to start. */
  #phase: 'new' | 'started' | 'stopped' = 'new';
  #namesake: NodeSession | undefined;

  constructor(options: SessionGuardOptions) {
    this.#options = options;
    const { coordinator, session, clock, scheduler, log } = options;
    this.#keeper = new SessionKeeper({
      ...{ coordinator, session, clock, scheduler, log },
      onRival: (by) => this.#rival(by),
      onAlone: () => this.#alone(),
    });
  }

  get state(): SessionState {
    return this.#keeper.state;
  }

  /** Why this node leads nothing; undefined: its name is its own. */
  why(): string | undefined {
    const { node } = this.#options.session;
    return this.#namesake && `another node is called ${node} too: this one leads nothing until that is put right`;
  }

  /** @throws Error for people when another process has the name or the directory. */
  async start(): Promise<void> {
    const { session, scope, clusterId } = this.#options;
    await this.#keeper.start();
    if (scope === 'shared database') await this.#awaitLease();
    const { state } = this.#keeper;
    this.#phase = 'started';
    if (state.type !== 'taken') return;
    // The last run of this very node may still have its lease: LevelDB's lock and the links' handshakes keep two runs apart.
    const isOwn = state.by.node === session.node && state.by.directoryId === session.directoryId;
    if (isOwn && scope === 'directory') return;
    this.#phase = 'stopped';
    throw new Error(
      state.by.node === session.node
        ? `another node of cluster ${clusterId} is called ${session.node}: give this one another cluster.name. ` +
            'If it was this node, with another data directory and killed just now, start it again in some seconds'
        : `the data directory of this node is in use by node ${state.by.node}: a copy of a directory cannot take part, give this node an empty one`,
    );
  }

  async stop(): Promise<void> {
    this.#phase = 'stopped';
    await this.#keeper.stop();
  }

  /** The lease of a run that ended ends too, that of one that runs does not. */
  async #awaitLease(): Promise<void> {
    const { clock, scheduler } = this.#options;
    const untilMs = clock.monotonic() + SESSION_TTL_MS + SESSION_RENEW_MS;
    while (this.#keeper.state.type === 'taken' && clock.monotonic() < untilMs && this.#phase === 'new') {
      await new Promise<void>((resolve) => scheduler.after(LEASE_POLL_MS, resolve));
    }
  }

  #rival(by: NodeSession): void {
    const { session, lead, onFatal, log } = this.#options;
    if (this.#phase !== 'started') return;
    if (by.directoryId === session.directoryId) {
      const what =
        by.node === session.node
          ? `a second process runs as node ${session.node}, on this data directory or a copy of it`
          : `the data directory of this node is in use by node ${by.node} too`;
      onFatal(
        new Error(
          `${what}, and holds the lease: this process ends, as a directory must not vote twice. Stop the one that is not wanted, and give it an empty directory`,
        ),
      );
      return;
    }
    this.#namesake = by;
    log.error(
      { node: session.node, otherDirectoryId: by.directoryId },
      `another node called ${JSON.stringify(session.node)} holds the lease of that name: this one gives its leaderships away. Stop one of the two, and start it with another cluster.name`,
    );
    lead('nothing');
  }

  #alone(): void {
    if (this.#namesake === undefined) return;
    this.#namesake = undefined;
    this.#options.lead('again');
  }
}
