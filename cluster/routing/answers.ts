// What travels with a forwarded request, and what comes back: the engine's value, or where to ask instead. Both ends of both envelopes.

import { type Check, integer, object, optional, string } from '../../src/frontend/validate/check.ts';
import { encode } from '../../src/wire/codec.ts';
import { decodeList } from '../link/decode.ts';
import { isRemote, type Owner, type RemoteOwner } from './ownership.ts';

const VALUE = 0;
const REDIRECT = 1;

/** A request's body, as `decodeBody` reads it. */
export const encodeBody = (body: object): Uint8Array => encode([body]);

/** Throws for what is no body. */
export function decodeBody(bytes: Uint8Array): unknown {
  const decoded = decodeList(bytes);
  if (!('list' in decoded)) throw new Error(decoded.problem);
  return decoded.list[0];
}

export type Answered<T> =
  | { type: 'value'; value: T }
  /** The node does not serve the shard. `owner`: who does, if it knows. `asked`: it did when the request came, and may have applied it. */
  | { type: 'redirect'; owner: RemoteOwner | undefined; asked: boolean }
  | { type: 'garbage'; what: string };

export const encodeValue = (value: unknown): Uint8Array => encode([VALUE, value ?? null]);

export const encodeRedirect = (owner: Owner, how: 'asked' | 'notAsked'): Uint8Array =>
  encode([
    REDIRECT,
    isRemote(owner) ? { node: owner.node, ...owner.address, term: owner.term } : null,
    how === 'asked',
  ]);

const remote = object<{ node: string; host: string; port: number; term: number }>({
  node: string,
  host: string,
  port: integer,
  term: integer,
});
const maybeRemote = optional(remote);

/** Never throws: the other node may be of another version. */
export function readAnswer<T>(body: Uint8Array, check: Check<T>): Answered<T> {
  try {
    const decoded = decodeList(body);
    if (!('list' in decoded)) return { type: 'garbage', what: decoded.problem };
    const [kind, content, wasAsked] = decoded.list;
    if (kind === VALUE) return { type: 'value', value: check(content) };
    if (kind !== REDIRECT) return { type: 'garbage', what: `an answer of kind ${String(kind).slice(0, 20)}` };
    const owner = maybeRemote(content);
    // A node of an older version does not say.
    const asked = wasAsked !== false;
    if (owner === undefined) return { type: 'redirect', owner: undefined, asked };
    const { node, host, port, term } = owner;
    return { type: 'redirect', owner: { node, address: { host, port }, term }, asked };
  } catch (error) {
    return { type: 'garbage', what: error instanceof Error ? error.message : String(error) };
  }
}
