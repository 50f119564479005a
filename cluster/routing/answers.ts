// What a node answers to a forwarded request: the engine's value, or where to ask instead. Both ends of that envelope.

import { type Check, integer, object, optional, string } from '../../src/frontend/validate/check.ts';
import { decode, encode } from '../../src/wire/codec.ts';
import { isRemote, type Owner, type RemoteOwner } from './ownership.ts';

const VALUE = 0;
const REDIRECT = 1;

export type Answered<T> =
  | { type: 'value'; value: T }
  /** The node does not serve the shard. `owner`: who does, if it knows. */
  | { type: 'redirect'; owner: RemoteOwner | undefined }
  | { type: 'garbage'; what: string };

export const encodeValue = (value: unknown): Uint8Array => encode([VALUE, value ?? null]);

export const encodeRedirect = (owner: Owner): Uint8Array =>
  encode([REDIRECT, isRemote(owner) ? { node: owner.node, ...owner.address, term: owner.term } : null]);

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
    const list: unknown = decode(body);
    if (!Array.isArray(list)) return { type: 'garbage', what: 'no answer at all' };
    const [kind, content]: unknown[] = list;
    if (kind === VALUE) return { type: 'value', value: check(content) };
    if (kind !== REDIRECT) return { type: 'garbage', what: `an answer of kind ${String(kind).slice(0, 20)}` };
    const owner = maybeRemote(content);
    if (owner === undefined) return { type: 'redirect', owner: undefined };
    const { node, host, port, term } = owner;
    return { type: 'redirect', owner: { node, address: { host, port }, term } };
  } catch (error) {
    return { type: 'garbage', what: error instanceof Error ? error.message : String(error) };
  }
}
