// What a node makes of its lease in Redis: it does not start beside another process of its name or directory, and steps back when one turns up while it
// runs. Redis never makes anything safe (I3), but here it tells of what would be unsafe: a directory that votes twice, at two processes. So of two with one
// directory the one that has not the lease takes part no more; of two with one name it gives its leaderships away. Called by cluster-node.ts.

import type { Clock, Scheduler } from '../../src/ports/clock.ts';
import type { Coordinator, NodeSession } from '../../src/ports/coordinator.ts';
import type { Log } from '../../src/ports/log.ts';
import { SessionKeeper, type SessionState } from '../ownership/session.ts';
import { haveToItself } from './lease.ts';

export interface SessionGuardOptions {
  clusterId: string;
  session: NodeSession;
  /** Nodes that share a database have no lock that keeps two runs of one apart. */
  scope: 'directory' | 'shared database';
  coordinator: Coordinator;
  clock: Clock;
  scheduler: Scheduler;
  log: Log;
  /** `why` says something else than before: this node leads nothing from now on, or again what the ring wants. */
  changed(): void;
  /** Another process has this directory: this one must take part no more. */
  onTwin(error: Error): void;
}

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

  /** @throws ClusterStartError when another process that runs has the name or the directory. */
  async start(): Promise<void> {
    const { session, scope, clusterId, clock, scheduler } = this.#options;
    await this.#keeper.start();
    try {
      await haveToItself({
        ...{ session: this.#keeper, clusterId, name: session.node, self: session.directoryId, clock, scheduler },
        isOnlyGuard: scope === 'shared database',
        isClosed: () => this.#phase !== 'new',
      });
    } catch (error) {
      this.#phase = 'stopped';
      throw error;
    }
    if (this.#phase === 'new') this.#phase = 'started';
  }

  async stop(): Promise<void> {
    this.#phase = 'stopped';
    await this.#keeper.stop();
  }

  #rival(by: NodeSession): void {
    const { session, changed, onTwin, log } = this.#options;
    if (this.#phase !== 'started') return;
    if (by.directoryId === session.directoryId) {
      const what =
        by.node === session.node
          ? `a second process runs as node ${session.node}, on this data directory or a copy of it`
          : `the data directory of this node is in use by node ${by.node} too`;
      onTwin(
        new Error(
          `${what}, and holds the lease: this one takes part no more, as a directory must not vote twice. Stop the one that is not wanted, and give it an empty directory`,
        ),
      );
      return;
    }
    this.#namesake = by;
    log.error(
      { node: session.node, otherDirectoryId: by.directoryId },
      `another node called ${JSON.stringify(session.node)} holds the lease of that name: this one gives its leaderships away. Stop one of the two, and start it with another cluster.name`,
    );
    changed();
  }

  #alone(): void {
    if (this.#namesake === undefined) return;
    this.#namesake = undefined;
    this.#options.changed();
  }
}
