// The search attributes a namespace has registered: one row, in the shard where a workflow without an id would be, replicated and backed up like every
// other. Changes go through that actor's turns, one after the other; what the rest of the cluster knows of them it asks for. Used by engine.ts.

import { typeName } from '../core/visibility/index.ts';
import type { AttributesChange, Done, RegisteredAttributes } from '../ports/engine.ts';
import { decode, encode } from '../wire/codec.ts';
import { type Status, StatusCode } from '../wire/status.ts';
import type { Actors } from './actors.ts';
import type { Executor } from './executor.ts';
import { settingsKey } from './keys.ts';
import type { Reader } from './reader.ts';
import { exhausted, messageOf, unavailable } from './status.ts';

/** Attributes of one namespace: the row is read whole. */
export const MAX_REGISTERED = 1_000;

export interface RegistryOptions {
  reader: Reader;
  actors: Actors;
  executor(): Executor;
  shardOf(namespace: string, workflowId: string): number;
  /** Why nothing is served, or undefined. */
  refusal(): Status | undefined;
  onReadFailed(error: unknown): void;
}

/** A namespace's settings: a list, so that later ones find room behind. */
type Settings = [attributes: RegisteredAttributes];

export class SearchAttributeRegistry {
  readonly #options: RegistryOptions;
  /** Changes under way, by namespace: each begins when the one before is over. */
  readonly #changing = new Map<string, Promise<void>>();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  get(namespace: string, done: Done<RegisteredAttributes>): void {
    const refusal = this.#options.refusal();
    if (refusal === undefined) this.#read(namespace, done);
    else done(refusal, undefined);
  }

  change(namespace: string, change: AttributesChange, done: Done<RegisteredAttributes>): void {
    const refusal = this.#options.refusal();
    if (refusal !== undefined) {
      done(refusal, undefined);
      return;
    }
    const before = this.#changing.get(namespace) ?? Promise.resolve();
    const after = before.then(
      () =>
        new Promise<void>((over) => {
          this.#change(namespace, change, (error, value) => {
            over();
            done(error, value);
          });
        }),
    );
    this.#changing.set(namespace, after);
    void after.then(() => {
      if (this.#changing.get(namespace) === after) this.#changing.delete(namespace);
    });
  }

  #change(namespace: string, { add, remove }: AttributesChange, done: Done<RegisteredAttributes>): void {
    this.#read(namespace, (error, known) => {
      if (known === undefined) {
        done(error, undefined);
        return;
      }
      // A map: names are whatever people like.
      const attributes = new Map(Object.entries(known));
      for (const name of remove) attributes.delete(name);
      for (const [name, type] of Object.entries(add)) {
        const present = attributes.get(name);
        if (present !== undefined && present !== type) {
          const what = `Search attribute ${name} of namespace ${namespace} is a ${typeName(present)}: remove it before it is registered as ${typeName(type)}.`;
          done({ code: StatusCode.ALREADY_EXISTS, message: what }, undefined);
          return;
        }
        attributes.set(name, type);
      }
      if (attributes.size > MAX_REGISTERED) {
        const what = `Namespace ${namespace} would have more than ${MAX_REGISTERED} search attributes: remove some first.`;
        done(exhausted('SEARCH_ATTRIBUTES', what), undefined);
        return;
      }
      this.#write(namespace, Object.fromEntries(attributes), done);
    });
  }

  #write(namespace: string, attributes: RegisteredAttributes, done: Done<RegisteredAttributes>): void {
    this.#options.actors.with(namespace, '', {
      run: (actor) => {
        const row = encode([attributes] satisfies Settings);
        this.#options
          .executor()
          .run(
            actor,
            undefined,
            (error) => (error === undefined ? done(undefined, attributes) : done(error, undefined)),
            {
              rows: [[settingsKey(actor.shard.id, namespace), row]],
            },
          );
      },
      refuse: (why) => done(why, undefined),
    });
  }

  #read(namespace: string, done: Done<RegisteredAttributes>): void {
    const { reader, shardOf, actors, onReadFailed } = this.#options;
    // Of a shard that is led here: others' rows may be behind.
    actors.with(namespace, '', {
      run: () => {
        reader.get(settingsKey(shardOf(namespace, ''), namespace)).then(
          (bytes) => {
            // Written above and checksummed by the store.
            const [attributes] = bytes === undefined ? [{}] : (decode(bytes) as Settings);
            done(undefined, attributes);
          },
          (error: unknown) => {
            onReadFailed(error);
            done(
              unavailable(`The search attributes of ${namespace} cannot be read: ${messageOf(error)}`, 'no'),
              undefined,
            );
          },
        );
      },
      refuse: (why) => done(why, undefined),
    });
  }
}
