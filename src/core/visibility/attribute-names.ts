// The names of a namespace's search attributes. Values are kept under the name that an attribute was first registered with (src/wire/attribute-field.ts);
// renaming it moves no value, it says what that is called from now on. A name that became free may be registered again: it is another attribute then,
// kept under a name that no other has. Pure; changed by src/shard/search-attributes.ts, one change after the other.

import type { IndexedValueType } from '../../wire/enums.ts';
import { StatusCode } from '../../wire/status.ts';
import { type Registered, typeName } from './attribute-types.ts';

export interface KeptNames {
  /** By the names they have. */
  types: Readonly<Record<string, IndexedValueType>>;
  /** By those names: the one it is kept under, where that is another. */
  fields: Readonly<Record<string, string>>;
  /** Those that have no name for now, by the names they are kept under. */
  nameless: Readonly<Record<string, IndexedValueType>>;
}

export interface NameProblem {
  code: StatusCode;
  message: string;
}

export class AttributeNames {
  readonly #namespace: string;
  // Maps: names are whatever people like.
  readonly #types: Map<string, IndexedValueType>;
  readonly #fields: Map<string, string>;
  readonly #nameless: Map<string, IndexedValueType>;

  constructor(namespace: string, { types, fields, nameless }: KeptNames) {
    this.#namespace = namespace;
    this.#types = new Map(Object.entries(types));
    this.#fields = new Map(Object.entries(fields));
    this.#nameless = new Map(Object.entries(nameless));
  }

  /** Those without a name count. */
  get size(): number {
    return this.#types.size + this.#nameless.size;
  }

  kept(): KeptNames {
    const plain = Object.fromEntries;
    return { types: plain(this.#types), fields: plain(this.#fields), nameless: plain(this.#nameless) };
  }

  registered(): Record<string, Registered> {
    const all = [...this.#types].map(([name, type]): [string, Registered] => {
      const field = this.#fields.get(name);
      return [name, field === undefined ? type : [type, field]];
    });
    return Object.fromEntries(all);
  }

  add(name: string, type: IndexedValueType): NameProblem | undefined {
    const present = this.#types.get(name);
    if (present === type) return undefined;
    if (present !== undefined) {
      const message = `Search attribute ${name} of namespace ${this.#namespace} is a ${typeName(present)}: remove it before it is registered as ${typeName(type)}.`;
      return { code: StatusCode.ALREADY_EXISTS, message };
    }
    // One that lost its name comes back when that is registered again.
    this.#nameless.delete(name);
    this.#types.set(name, type);
    const field = this.#freeField(name);
    if (field !== name) this.#fields.set(name, field);
    return undefined;
  }

  remove(name: string): void {
    this.#types.delete(name);
    this.#fields.delete(name);
  }

  /** @param name empty: none for now. */
  rename(field: string, name: string): NameProblem | undefined {
    const before = this.#nameOf(field);
    const type = before === undefined ? this.#nameless.get(field) : this.#types.get(before);
    if (type === undefined) {
      const message = `No search attribute of namespace ${this.#namespace} is kept as ${field}: see customSearchAttributeAliases of the namespace's description.`;
      return { code: StatusCode.INVALID_ARGUMENT, message };
    }
    if (before === name) return undefined;
    if (this.#types.has(name)) {
      const message = `Namespace ${this.#namespace} has a search attribute ${name} already: rename or remove that first.`;
      return { code: StatusCode.ALREADY_EXISTS, message };
    }
    if (before !== undefined) this.remove(before);
    this.#nameless.delete(field);
    if (name === '') {
      this.#nameless.set(field, type);
      return undefined;
    }
    this.#types.set(name, type);
    if (name !== field) this.#fields.set(name, field);
    return undefined;
  }

  #nameOf(field: string): string | undefined {
    for (const [name, kept] of this.#fields) if (kept === field) return name;
    return this.#types.has(field) && !this.#fields.has(field) ? field : undefined;
  }

  /** A name that no values of another attribute are kept under. */
  #freeField(name: string): string {
    const taken = new Set([...this.#fields.values(), ...this.#nameless.keys()]);
    for (const other of this.#types.keys()) if (other !== name && !this.#fields.has(other)) taken.add(other);
    let field = name;
    for (let n = 2; taken.has(field); n += 1) field = `${name}~${n}`;
    return field;
  }
}
