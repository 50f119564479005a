// The search attributes a namespace has registered: one row, in the shard where a workflow without an id would be, replicated and backed up like every
// other. Changes go through that actor's turns, one after the other; what the rest of the cluster knows of them it asks for. Used by engine.ts.

import { typeName } from '../core/visibility/index.ts';
import type { AttributesChange, Done, RegisteredAttributes } from '../ports/engine.ts';
import { decode, encode } from '../wire/codec.ts';
import { type Status, StatusCode } from '../wire/status.ts';
import type { Actor } from './actor.ts';
import { settingsKey } from './keys.ts';
import type { Reader } from './reader.ts';
import { answered, SettingRefusal, SettingsTurns, type SettingsTurnsOptions } from './settings-turns.ts';
import { exhausted } from './status.ts';

/** Attributes of one namespace: the row is read whole. */
export const MAX_REGISTERED = 1_000;

export interface SearchAttributesOptions extends SettingsTurnsOptions {
  reader: Reader;
  /** Why nothing is served, or undefined. */
  refusal(): Status | undefined;
  onFault(error: unknown): void;
}

/** A namespace's settings: a list, so that later ones find room behind. */
type Settings = [attributes: RegisteredAttributes];

export class SearchAttributeRegistry {
  readonly #options: SearchAttributesOptions;
  readonly #turns: SettingsTurns;

  constructor(options: SearchAttributesOptions) {
    this.#options = options;
    this.#turns = new SettingsTurns(options);
  }

  get(namespace: string, done: Done<RegisteredAttributes>): void {
    answered(this.#options, done, () => this.#turns.inTurn(namespace, (actor) => this.#read(actor)));
  }

  change(namespace: string, change: AttributesChange, done: Done<RegisteredAttributes>): void {
    answered(this.#options, done, () => this.#turns.inTurn(namespace, (actor) => this.#change(actor, change)));
  }

  async #change(actor: Actor, { add, remove }: AttributesChange): Promise<RegisteredAttributes> {
    const { namespace } = actor;
    // A map: names are whatever people like.
    const attributes = new Map(Object.entries(await this.#read(actor)));
    for (const name of remove) attributes.delete(name);
    for (const [name, type] of Object.entries(add)) {
      const present = attributes.get(name);
      if (present !== undefined && present !== type) {
        const what = `Search attribute ${name} of namespace ${namespace} is a ${typeName(present)}: remove it before it is registered as ${typeName(type)}.`;
        throw new SettingRefusal({ code: StatusCode.ALREADY_EXISTS, message: what });
      }
      attributes.set(name, type);
    }
    if (attributes.size > MAX_REGISTERED) {
      const what = `Namespace ${namespace} would have more than ${MAX_REGISTERED} search attributes: remove some first.`;
      throw new SettingRefusal(exhausted('SEARCH_ATTRIBUTES', what));
    }
    const changed = Object.fromEntries(attributes);
    await this.#turns.write(actor, [[settingsKey(actor.shard.id, namespace), encode([changed] satisfies Settings)]]);
    return changed;
  }

  async #read({ shard, namespace }: Actor): Promise<RegisteredAttributes> {
    const bytes = await this.#options.reader.get(settingsKey(shard.id, namespace));
    // Written above and checksummed by the store.
    const [attributes] = bytes === undefined ? [{}] : (decode(bytes) as Settings);
    return attributes;
  }
}
