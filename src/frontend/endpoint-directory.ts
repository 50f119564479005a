// What this node knows of Nexus endpoints, kept fresh: it asks for changes every second, and at once when a request looks for one. Turns look an
// endpoint up here when a workflow schedules an operation, so one that was registered at another node is known within a second.

import type { EndpointBook } from '../core/nexus/endpoints.ts';
import type { Cancelable, Scheduler } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { NexusEndpoint } from '../wire/nexus.ts';
import type { Status } from '../wire/status.ts';

/** ms between two questions. */
const REFRESH_MS = 1_000;

export interface EndpointDirectoryOptions {
  engine: Pick<Engine, 'nexusEndpoints'>;
  scheduler: Scheduler;
}

export class EndpointDirectory implements EndpointBook {
  readonly #options: EndpointDirectoryOptions;
  #revision: number | undefined;
  #byId = new Map<string, NexusEndpoint>();
  #byName = new Map<string, NexusEndpoint>();
  #timer: Cancelable | undefined;
  #isAsking = false;
  #isStopped = false;

  constructor(options: EndpointDirectoryOptions) {
    this.#options = options;
  }

  byId(id: string): NexusEndpoint | undefined {
    return this.#byId.get(id);
  }

  byName(name: string): NexusEndpoint | undefined {
    return this.#byName.get(name);
  }

  /** By name. */
  all(): NexusEndpoint[] {
    return [...this.#byName.values()].sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1));
  }

  /** Asks every second from now on. */
  start(): void {
    const tick = (): void => {
      if (this.#isStopped) return;
      if (!this.#isAsking) {
        this.#isAsking = true;
        this.lookAgain(() => {
          this.#isAsking = false;
        });
      }
      this.#timer = this.#options.scheduler.after(REFRESH_MS, tick);
    };
    tick();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Asks now; an error leaves what is known. */
  lookAgain(told: (error: Status | undefined) => void): void {
    this.#options.engine.nexusEndpoints({ type: 'list', since: this.#revision }, (error, answer) => {
      if (answer !== undefined && answer.revision >= (this.#revision ?? 0)) {
        this.#revision = answer.revision;
        if (answer.endpoints !== undefined) this.#know(answer.endpoints);
      }
      told(error);
    });
  }

  #know(endpoints: readonly NexusEndpoint[]): void {
    this.#byId = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
    this.#byName = new Map(endpoints.map((endpoint) => [endpoint.spec.name, endpoint]));
  }
}
