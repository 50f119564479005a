// The namespaces of this node and who may use them: tokens are kept as hashes, and a connection's is looked up once, at its hello.

import { createHash } from 'node:crypto';
import type { NamespaceInfo } from './door.ts';

export interface NamespaceSetting {
  readonly name: string;
  /** ms closed executions are kept. */
  readonly retention: number;
  /** Bearer tokens that open it; none: open to everyone who reaches the port. */
  readonly tokens: readonly string[];
}

/** Which namespaces a token opens. */
export interface Access {
  mayUse(namespace: string): boolean;
}

const OPEN: Access = { mayUse: () => true };

/** Hashing first makes the comparison's time say nothing about the token. */
const digest = (token: string): string => createHash('sha256').update(token).digest('base64');

/** A stable id from the name, shaped like a UUID: the same on every node without asking anybody. */
function namespaceId(name: string): string {
  const hex = createHash('sha256').update(`namespace:${name}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export class Namespaces {
  readonly known: ReadonlyMap<string, NamespaceInfo>;
  /** Namespaces that ask for a token. */
  readonly guarded: ReadonlySet<string>;
  readonly #byToken = new Map<string, Set<string>>();

  constructor(settings: readonly NamespaceSetting[]) {
    this.known = new Map(
      settings.map(({ name, retention }) => [name, { name, id: namespaceId(name), retention }] as const),
    );
    this.guarded = new Set(settings.filter(({ tokens }) => tokens.length > 0).map(({ name }) => name));
    for (const { name, tokens } of settings) {
      for (const token of tokens) {
        const key = digest(token);
        const names = this.#byToken.get(key) ?? new Set();
        names.add(name);
        this.#byToken.set(key, names);
      }
    }
  }

  /** What this token, or none, opens; undefined when it opens nothing at all. */
  access(token: string | undefined): Access | undefined {
    if (this.guarded.size === 0) return OPEN;
    const opened = token === undefined ? undefined : this.#byToken.get(digest(token));
    // A wrong token is refused even where some namespace would be open without one: its owner wants to know.
    if (token !== undefined && opened === undefined) return undefined;
    if (opened === undefined && this.guarded.size === this.known.size) return undefined;
    return { mayUse: (namespace) => opened?.has(namespace) === true || !this.guarded.has(namespace) };
  }
}
