// The search attributes a namespace has registered: one row, in the shard where a workflow without an id would be, replicated and backed up like every
// other. Changes go through that actor's turns, one after the other; what the rest of the cluster knows of them it asks for. Used by engine.ts.

import { AttributeNames, type NameProblem } from '../core/visibility/index.ts';
import type { AttributesChange, Done, RegisteredAttributes } from '../ports/engine.ts';
import { decode, encode } from '../wire/codec.ts';
import type { IndexedValueType } from '../wire/enums.ts';
import type { Status } from '../wire/status.ts';
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
type Settings = [
  /** By the names they have. */
  types: Readonly<Record<string, IndexedValueType>>,
  /** By those names: under which one values are kept, where that is another. */
  fields?: Readonly<Record<string, string>>,
  /** Those that have no name for now, by the names they are kept under. */
  nameless?: Readonly<Record<string, IndexedValueType>>,
];

export class SearchAttributeRegistry {
  readonly #options: SearchAttributesOptions;
  readonly #turns: SettingsTurns;

  constructor(options: SearchAttributesOptions) {
    this.#options = options;
    this.#turns = new SettingsTurns(options);
  }

  get(namespace: string, done: Done<RegisteredAttributes>): void {
    answered(this.#options, done, () =>
      this.#turns.inTurn(namespace, async (actor) => (await this.#read(actor)).names.registered()),
    );
  }

  change(namespace: string, change: AttributesChange, done: Done<RegisteredAttributes>): void {
    answered(this.#options, done, () => this.#turns.inTurn(namespace, (actor) => this.#change(actor, change)));
  }

  async #change(actor: Actor, change: AttributesChange): Promise<RegisteredAttributes> {
    const { namespace, shard } = actor;
    const before = await this.#read(actor);
    const rowKey = settingsKey(shard.id, namespace);
    if (change.remove === 'everything') {
      if (before.isKept) await this.#turns.write(actor, [[rowKey, undefined]]);
      return {};
    }
    const { names } = before;
    for (const name of change.remove) names.remove(name);
    for (const [name, type] of Object.entries(change.add)) allowed(names.add(name, type));
    for (const [field, name] of Object.entries(change.rename ?? {})) allowed(names.rename(field, name));
    if (names.size > MAX_REGISTERED) {
      const what = `Namespace ${namespace} would have more than ${MAX_REGISTERED} search attributes: remove some first.`;
      throw new SettingRefusal(exhausted('SEARCH_ATTRIBUTES', what));
    }
    const { types, fields, nameless } = names.kept();
    await this.#turns.write(actor, [[rowKey, encode([types, fields, nameless] satisfies Settings)]]);
    return names.registered();
  }

  async #read({ shard, namespace }: Actor): Promise<{ isKept: boolean; names: AttributeNames }> {
    const bytes = await this.#options.reader.get(settingsKey(shard.id, namespace));
    // Written above and checksummed by the store.
    const [types, fields = {}, nameless = {}] = bytes === undefined ? [{}] : (decode(bytes) as Settings);
    return { isKept: bytes !== undefined, names: new AttributeNames(namespace, { types, fields, nameless }) };
  }
}

function allowed(problem: NameProblem | undefined): void {
  if (problem !== undefined) throw new SettingRefusal(problem);
}
