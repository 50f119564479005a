// The namespaces of this node and who may use them, and who may administrate its cluster: those its configuration names, and those that were
// registered, as it last heard (namespace-directory.ts). Tokens are kept as hashes, and a connection's is looked up once, at its hello.

import { createHash, timingSafeEqual } from 'node:crypto';
import { NamespaceState } from '../wire/enums.ts';
import type { NamespaceRecord } from '../wire/namespace.ts';
import type { Administration, NamespaceInfo } from './door.ts';

export interface NamespaceSetting {
  readonly name: string;
  /** ms closed executions are kept. */
  readonly retention: number;
  /** Bearer tokens that open it; none: open to everyone who reaches the port. */
  readonly tokens: readonly string[];
}

export interface AdministrationSetting {
  /** Bearer tokens of operators. They open no namespace. */
  readonly tokens: readonly string[];
  /** Who may when there are none: everyone who reaches the port, or nobody. */
  readonly withoutTokens: 'everyone' | 'nobody';
}

/** What a token opens. */
export interface Access {
  mayUse(namespace: string): boolean;
  readonly administration: Administration;
}

/** Hashing first makes the comparison's time say nothing about the token. */
const digestBytes = (token: string): Buffer => createHash('sha256').update(token).digest();
const digest = (token: string): string => digestBytes(token).toString('base64');

/** A stable id from the name, shaped like a UUID: the same on every node without asking anybody. */
function namespaceId(name: string): string {
  const hex = createHash('sha256').update(`namespace:${name}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A namespace of the configuration that was never registered, as a record of one that was. */
export const configured = (name: string, retention: number): NamespaceRecord => ({
  ...{ name, id: namespaceId(name), state: NamespaceState.REGISTERED, retention },
  ...{ description: '', ownerEmail: '', data: {} },
});

export class Namespaces {
  /** Changes in place as more is heard. */
  readonly known: ReadonlyMap<string, NamespaceInfo>;
  /** Namespaces that ask for a token. */
  readonly guarded: ReadonlySet<string>;
  readonly #configured: ReadonlyMap<string, NamespaceInfo>;
  readonly #known: Map<string, NamespaceInfo>;
  readonly #byToken = new Map<string, Set<string>>();

  readonly #operators: readonly Buffer[];
  readonly #withoutOperators: AdministrationSetting['withoutTokens'];

  constructor(
    settings: readonly NamespaceSetting[],
    administration: AdministrationSetting = { tokens: [], withoutTokens: 'nobody' },
  ) {
    this.#configured = new Map(
      settings.map(({ name, retention }) => [name, { ...configured(name, retention), origin: 'configured' }] as const),
    );
    this.#known = new Map(this.#configured);
    this.known = this.#known;
    this.guarded = new Set(settings.filter(({ tokens }) => tokens.length > 0).map(({ name }) => name));
    for (const { name, tokens } of settings) {
      for (const token of tokens) {
        const key = digest(token);
        const names = this.#byToken.get(key) ?? new Set();
        names.add(name);
        this.#byToken.set(key, names);
      }
    }
    this.#operators = administration.tokens.map(digestBytes);
    this.#withoutOperators = administration.withoutTokens;
  }

  /** All that were registered, deleted ones too. What was registered of a configured namespace counts more than the configuration. */
  learn(records: readonly NamespaceRecord[]): void {
    this.#known.clear();
    for (const [name, info] of this.#configured) this.#known.set(name, info);
    for (const record of records) {
      const origin = this.#configured.has(record.name) ? 'configured' : 'registered';
      if (record.state !== NamespaceState.DELETED) this.#known.set(record.name, { ...record, origin });
    }
  }

  /** What this token, or none, opens; undefined when it opens nothing at all. */
  access(token: string | undefined): Access | undefined {
    const administration = this.#administration(token);
    if (this.guarded.size === 0) return { mayUse: () => true, administration };
    const opened = token === undefined ? undefined : this.#byToken.get(digest(token));
    const known = opened !== undefined || (this.#operators.length > 0 && administration === 'allowed');
    // A wrong token is refused even where some namespace would be open without one: its owner wants to know.
    if (token !== undefined && !known) return undefined;
    if (!known && this.guarded.size === this.#configured.size) return undefined;
    // Where tokens are asked for, a namespace that none was configured for since it was registered is its operators' alone.
    const isOpen = (namespace: string): boolean =>
      !this.guarded.has(namespace) &&
      (administration === 'allowed' || this.#known.get(namespace)?.origin !== 'registered');
    return { mayUse: (namespace) => opened?.has(namespace) === true || isOpen(namespace), administration };
  }

  #administration(token: string | undefined): Administration {
    if (this.#operators.length === 0) return this.#withoutOperators === 'everyone' ? 'allowed' : 'unset';
    if (token === undefined) return 'denied';
    const given = digestBytes(token);
    // All of them are compared, however soon one is found.
    const equal = this.#operators.filter((operator) => timingSafeEqual(operator, given));
    return equal.length > 0 ? 'allowed' : 'denied';
  }
}
