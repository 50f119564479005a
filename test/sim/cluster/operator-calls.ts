// How operators of the cluster's simulation ask: at whatever node is up, each request repeated until it is answered, by a refusal that is an answer, too,
// where the asker says so. Any other refusal that does not pass is a bug of the door.

import type { Message } from '../../../src/core/workflow/message.ts';
import type { Reply } from '../../../src/core/workflow/outcome.ts';
import type { Done, Engine } from '../../../src/ports/engine.ts';
import type { JobAnswer, JobAsk } from '../../../src/ports/jobs.ts';
import { type Status, StatusCode } from '../../../src/wire/status.ts';
import { Violation } from '../kernel.ts';
import type { ClientWorld } from './client.ts';
import { NAMESPACE } from './node.ts';

const CALL_MS = 12_000;
const PAUSE_MS = 300;
const { UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, DATA_LOSS, NOT_FOUND } = StatusCode;
/** Refusals that say nothing about the request itself. */
const PASSING: ReadonlySet<number> = new Set([UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, DATA_LOSS]);

type Outcome<T> = { readonly value: T } | { readonly refused: Status };

export class OperatorCalls {
  readonly #world: ClientWorld;

  constructor(world: ClientWorld) {
    this.#world = world;
  }

  /** @param reached the node has got it, and is about to do it */
  submit(
    workflowId: string,
    message: Message,
    refusals: readonly number[] = [],
    reached: () => void = () => undefined,
  ): Promise<Reply | undefined> {
    const to = { namespace: NAMESPACE, workflowId };
    return this.until<Reply>(`${message.type} of ${workflowId}`, refusals, (engine, done) => {
      reached();
      engine.submit(to, message, done);
    });
  }

  job(asked: JobAsk): Promise<JobAnswer | undefined> {
    const refusals = asked.type === 'stop' ? [NOT_FOUND] : [];
    return this.until<JobAnswer>(`batch ${asked.type}`, refusals, (engine, done) => {
      engine.jobs(NAMESPACE, asked, done);
    });
  }

  /**
   * Until it is answered, whatever it takes; undefined: by a refusal that is an answer too.
   *
   * @param notYet refusals that say that it may be asked later
   */
  async until<T>(
    what: string,
    refusals: readonly number[],
    go: (engine: Engine, done: Done<T>) => void,
    notYet: readonly number[] = [],
  ): Promise<T | undefined> {
    for (;;) {
      const outcome = await this.#once<T>(what, go);
      if ('value' in outcome) return outcome.value;
      const { code, message } = outcome.refused;
      if (refusals.includes(code)) return undefined;
      if (!PASSING.has(code) && !notYet.includes(code))
        throw new Violation('door', `${what} was refused: ${code} ${message}`);
      await this.pause();
    }
  }

  pause(ms = PAUSE_MS): Promise<void> {
    return new Promise((resolve) => {
      this.#world.kernel.after(ms, 'operator pauses', resolve);
    });
  }

  #once<T>(what: string, go: (engine: Engine, done: Done<T>) => void): Promise<Outcome<T>> {
    const { kernel } = this.#world;
    return new Promise((resolve) => {
      kernel.after(CALL_MS, 'operator waits no longer', () => {
        resolve({ refused: { code: DEADLINE_EXCEEDED, message: `no answer within ${CALL_MS} ms` } });
      });
      this.#world.ask<T>(undefined, what, go, (error, value) => {
        // An answer without a value is one all the same.
        resolve(error === undefined ? { value: value as T } : { refused: error });
      });
    });
  }
}
