// Turns of the actors that hold settings: of a namespace, where a workflow of it without an id would be; of all namespaces, where a namespace without
// a name would be. What reads rows and then writes is one at a time per actor, within one leadership of its shard (I3): what was read in an earlier
// one may have changed meanwhile. What nothing was written for is answered only while nobody else leads, as an actor's answer is.
// Used by jobs, namespaces, deployments, endpoints and search attributes.

import type { Clock } from '../ports/clock.ts';
import type { Done } from '../ports/engine.ts';
import type { Key } from '../ports/ids.ts';
import type { Status } from '../wire/status.ts';
import type { Actor } from './actor.ts';
import { type Actors, notLed } from './actors.ts';
import type { Executor } from './executor.ts';
import { messageOf, perhaps, unavailable } from './status.ts';

/** A refusal on its way up. */
export class SettingRefusal extends Error {
  override readonly name = 'SettingRefusal';
  readonly status: Status;
  constructor(status: Status) {
    super(status.message);
    this.status = status;
  }
}

/** Asks a holder of settings: refused at once where it does not serve, answered by `work`, or refused by a SettingRefusal of it. Anything else is a fault. */
export function answered<T>(
  options: { refusal(): Status | undefined; onFault(error: unknown): void },
  done: Done<T>,
  work: () => Promise<T>,
): void {
  const refused = options.refusal();
  if (refused !== undefined) {
    done(refused, undefined);
    return;
  }
  work().then(
    (answer) => done(undefined, answer),
    (error: unknown) => {
      if (error instanceof SettingRefusal) done(error.status, undefined);
      else options.onFault(error);
    },
  );
}

export type RowWrites = [Key, Uint8Array | undefined][];

export interface SettingsTurnsOptions {
  actors: Actors;
  clock: Clock;
  executor(): Executor;
  onReadFailed(error: unknown): void;
}

export class SettingsTurns {
  readonly #options: SettingsTurnsOptions;
  /** Work under way, by namespace: each begins when the one before is over. */
  readonly #working = new Map<string, Promise<unknown>>();
  /** Those whose work under way has written. */
  readonly #wrote = new WeakSet<Actor>();

  constructor(options: SettingsTurnsOptions) {
    this.#options = options;
  }

  /** The time of the actor's shard. */
  now({ shard }: Actor): number {
    return shard.now(this.#options.clock.now());
  }

  /** Of what was read in this turn. Resolves when they are durable. Rejects with SettingRefusal, also when leadership was lost since then. */
  write(actor: Actor, rows: RowWrites): Promise<void> {
    const { actors, executor } = this.#options;
    this.#wrote.add(actor);
    return new Promise((written, failed) => {
      const refuse = (why: Status): void => failed(new SettingRefusal(why));
      actors.with(actor.namespace, '', {
        run: (live) => {
          if (live.shard !== actor.shard || live.term !== actor.term) refuse(notLed(live.shard));
          else executor().run(live, undefined, (error) => (error === undefined ? written() : refuse(error)), { rows });
        },
        refuse,
      });
    });
  }

  /** One after the other. Rejects with SettingRefusal alone. */
  inTurn<T>(namespace: string, work: (actor: Actor) => Promise<T>): Promise<T> {
    const before = this.#working.get(namespace) ?? Promise.resolve();
    const result = before.then(() => this.#withActor(namespace, work));
    const over = result.then(
      () => undefined,
      () => undefined,
    );
    this.#working.set(namespace, over);
    void over.then(() => {
      if (this.#working.get(namespace) === over) this.#working.delete(namespace);
    });
    return result;
  }

  #withActor<T>(namespace: string, work: (actor: Actor) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#options.actors.with(namespace, '', {
        run: (actor) => {
          this.#wrote.delete(actor);
          work(actor).then(
            (answer) => this.#confirmed(actor, () => resolve(answer), reject),
            (error: unknown) => {
              if (error instanceof SettingRefusal) return this.#confirmed(actor, () => reject(error), reject);
              this.#options.onReadFailed(error);
              const what = `The settings of namespace ${namespace} cannot be read: ${messageOf(error)}`;
              reject(new SettingRefusal(unavailable(what, 'no')));
            },
          );
        },
        refuse: (why) => reject(new SettingRefusal(why)),
      });
    });
  }

  /** It may be the answer to the repeat of a change that is durable: that nothing was applied is not known. */
  #confirmed(actor: Actor, told: () => void, reject: (error: SettingRefusal) => void): void {
    if (this.#wrote.has(actor)) told();
    else
      void this.#options
        .executor()
        .confirmed(actor.shard)
        .then((fresh) =>
          fresh && actor.term === actor.shard.term ? told() : reject(new SettingRefusal(perhaps(notLed(actor.shard)))),
        );
  }
}
