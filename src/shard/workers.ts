// The workers of namespaces whose settings are led here, in memory: a node that leads them next is told by the workers themselves within one heartbeat.
// Asked about by doors of any node.

import { QueryError } from '../core/visibility/index.ts';
import { workerFilter } from '../core/worker/query.ts';
import { WorkerRegister } from '../core/worker/registry.ts';
import { sizeOf } from '../core/workflow/size.ts';
import type { Clock } from '../ports/clock.ts';
import type { Done } from '../ports/engine.ts';
import type { WorkerAnswer, WorkerAsk } from '../ports/workers.ts';
import { type Status, StatusCode } from '../wire/status.ts';
import type { Actors } from './actors.ts';

/** Namespaces with workers that are kept (I9): past it the one heard of longest ago is forgotten until its workers speak again. */
const MAX_NAMESPACES = 2_000;
/** What workers have said, of all of them: past it the same. */
const MAX_BYTES = 128 * 1024 * 1024;

export interface WorkersOptions {
  actors: Actors;
  clock: Clock;
  /** Why nothing is served, or undefined. */
  refusal(): Status | undefined;
}

export class Workers {
  readonly #options: WorkersOptions;
  readonly #namespaces = new Map<string, WorkerRegister>();
  #bytes = 0;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  ask(namespace: string, asked: WorkerAsk, done: Done<WorkerAnswer>): void {
    const refusal = this.#options.refusal();
    if (refusal !== undefined) {
      done(refusal, undefined);
      return;
    }
    // Only where the namespace's settings are led is all that workers said.
    this.#options.actors.with(namespace, '', {
      run: () => this.#answer(namespace, asked, done),
      refuse: (why) => done(why, undefined),
    });
  }

  #answer(namespace: string, asked: WorkerAsk, done: Done<WorkerAnswer>): void {
    const now = this.#options.clock.monotonic();
    const register = this.#namespaces.get(namespace) ?? new WorkerRegister();
    switch (asked.type) {
      case 'heartbeat':
        this.#forget(namespace);
        for (const heartbeat of asked.heartbeats) register.heard(heartbeat, now, sizeOf(heartbeat));
        this.#keep(namespace, register);
        done(undefined, { workers: [] });
        return;
      case 'describe': {
        const found = register.get(asked.workerInstanceKey, now);
        if (found !== undefined) done(undefined, { workers: [found] });
        else done(notFound(asked.workerInstanceKey), undefined);
        return;
      }
      case 'list':
      case 'count': {
        try {
          const isMeant = workerFilter(asked.query);
          const before = register.bytes;
          const meant = register.living(now).filter(isMeant);
          // Those that are gone were forgotten.
          this.#bytes -= before - register.bytes;
          if (asked.type === 'count') {
            done(undefined, { workers: [], count: meant.length });
            return;
          }
          const after = meant.filter(({ workerInstanceKey }) => workerInstanceKey > asked.after);
          done(undefined, { workers: after.slice(0, asked.pageSize), more: after.length > asked.pageSize });
        } catch (error) {
          if (!(error instanceof QueryError)) throw error;
          done({ code: StatusCode.INVALID_ARGUMENT, message: error.message }, undefined);
        }
        return;
      }
      default:
        asked satisfies never;
    }
  }

  #keep(namespace: string, register: WorkerRegister): void {
    for (const oldest of this.#namespaces.keys()) {
      if (this.#namespaces.size < MAX_NAMESPACES && this.#bytes + register.bytes <= MAX_BYTES) break;
      this.#forget(oldest);
    }
    this.#namespaces.set(namespace, register);
    this.#bytes += register.bytes;
  }

  #forget(namespace: string): void {
    const register = this.#namespaces.get(namespace);
    if (register === undefined) return;
    this.#namespaces.delete(namespace);
    this.#bytes -= register.bytes;
  }
}

const notFound = (key: string): Status => ({
  code: StatusCode.NOT_FOUND,
  message: `Worker ${key.slice(0, 200)} is not known: it has ended, or said nothing for a while.`,
  detail: { kind: 'NotFound' },
});
