// What all connections of a node share, and the list of them: one timer looks at deadlines, silence and slow readers of all, so that
// no request and no connection needs a timer of its own.

import type { Cancelable, Scheduler } from '../../ports/clock.ts';
import type { PushTopic } from '../../wire/api.ts';
import type { Hello } from '../../wire/frame.ts';
import type { StatusCode } from '../../wire/status.ts';
import type { Admission } from '../admission.ts';
import type { MethodDefinition, Services } from '../door.ts';
import type { DoorLimits } from '../limits.ts';
import type { Namespaces } from '../namespaces.ts';
import type { ClusterWatch } from './cluster-watch.ts';
import type { Connection } from './connection.ts';

export interface DoorMetrics {
  messageIn(bytes: number): void;
  /** `durationMs` 0 for calls that never began. */
  callEnded(method: string, code: StatusCode, durationMs: number): void;
  pushed(topic: PushTopic): void;
}

export interface DoorContext {
  readonly services: Services;
  readonly namespaces: Namespaces;
  readonly scheduler: Scheduler;
  readonly admission: Admission;
  readonly limits: DoorLimits;
  readonly methods: ReadonlyMap<string, MethodDefinition>;
  readonly metrics: DoorMetrics;
  /** Absent on a node that stands alone. */
  readonly clusterWatch: ClusterWatch | undefined;
  draining(): boolean;
  onHello(hello: Hello, peer: string): void;
  /** A method threw something that is no refusal: a bug of ours. */
  onFault(error: unknown, method: string): void;
}

/** How often deadlines are looked at, ms: requests end at most this much late. */
const LOOK_EVERY_MS = 50;

export class Connections {
  readonly #context: Pick<DoorContext, 'scheduler' | 'services'>;
  readonly #open = new Set<Connection>();
  #timer: Cancelable | undefined;

  constructor(context: Pick<DoorContext, 'scheduler' | 'services'>) {
    this.#context = context;
  }

  get size(): number {
    return this.#open.size;
  }

  get openCalls(): number {
    let calls = 0;
    for (const connection of this.#open) calls += connection.openCalls;
    return calls;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#open.values();
  }

  add(connection: Connection): void {
    this.#open.add(connection);
    this.#timer ??= this.#context.scheduler.after(LOOK_EVERY_MS, this.#look);
  }

  remove(connection: Connection): void {
    this.#open.delete(connection);
  }

  readonly #look = (): void => {
    const now = this.#context.services.clock.monotonic();
    for (const connection of this.#open) connection.look(now);
    this.#timer = this.#open.size === 0 ? undefined : this.#context.scheduler.after(LOOK_EVERY_MS, this.#look);
  };
}
