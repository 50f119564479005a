// The native door: accepts wires, drains at shutdown. Over sockets (listener.ts) and within the process (in-process.ts).

import { StateWatches } from '../state-watches.ts';
import { ClusterWatch } from './cluster-watch.ts';
import { Connection } from './connection.ts';
import { Connections, type DoorContext } from './context.ts';
import { CloseCode, type Wire } from './wire.ts';

/** Between two looks whether a drain is done, ms. */
const DRAIN_LOOK_MS = 10;

export class NativeDoor {
  readonly connections: Connections;
  readonly #context: DoorContext;
  #draining = false;

  constructor(context: Omit<DoorContext, 'draining' | 'clusterWatch'>) {
    const { cluster, clock } = context.services;
    const clusterWatch = cluster && new ClusterWatch({ cluster, clock, scheduler: context.scheduler });
    const services = { ...context.services, stateWatches: new StateWatches(context.services.engine) };
    this.#context = { ...context, services, clusterWatch, draining: () => this.#draining };
    this.connections = new Connections(this.#context);
  }

  accept(wire: Wire): Connection {
    const connection = new Connection(this.#context, wire);
    this.connections.add(connection);
    return connection;
  }

  /** The wire ended. */
  ended(connection: Connection): void {
    connection.closed();
    this.connections.remove(connection);
  }

  /** Says goodbye, lets open requests be answered for up to `graceMs`, then closes every connection. */
  async drain(graceMs: number, reason: string): Promise<void> {
    this.#draining = true;
    for (const connection of this.connections) connection.goAway(reason);
    const { clock } = this.#context.services;
    const until = clock.monotonic() + graceMs;
    while (clock.monotonic() < until && [...this.connections].some((connection) => !connection.quiet)) {
      await new Promise<void>((resolve) => this.#context.scheduler.after(DRAIN_LOOK_MS, resolve));
    }
    this.closeAll(reason);
  }

  closeAll(reason: string): void {
    for (const connection of this.connections) {
      connection.close(CloseCode.GOING_AWAY, reason);
      this.connections.remove(connection);
    }
  }
}
