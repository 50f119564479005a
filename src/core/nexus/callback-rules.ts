// Which callbacks a node takes and calls: by default none, since a server that calls whatever address it is given can be made to call its operator's
// own network. Pure. Asked by the doors when a callback comes, and by whoever calls it, each time: a rule that went away holds for old ones too.

import type { Callback } from '../../wire/common.ts';
import { callbackTokenOf } from './callback-token.ts';

export interface AllowedAddress {
  /** `host`, or `host:port` where the port is not the scheme's own; `*` stands for any text. */
  readonly pattern: string;
  /** Plain http too. */
  readonly allowInsecure: boolean;
}

/** Callers inside the cluster: an operation's completion goes back to the workflow that began it, not over HTTP. */
export const SYSTEM_URL = 'temporal://system';

const MAX_URL_BYTES = 1_000;
const MAX_HEADER_BYTES = 8 * 1_024;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
// Visible ASCII, spaces and tabs: no line can be begun in a value.
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;
/** Said by whoever sends the request. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  ...['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'expect', 'keep-alive'],
  ...['tenuto-signature', 'tenuto-callback-id', 'tenuto-callback-attempt'],
]);

export class CallbackRules {
  readonly #allowed: readonly AllowedAddress[];

  constructor(allowed: readonly AllowedAddress[]) {
    this.#allowed = allowed;
  }

  /** Why a callback is not taken; undefined: it is. */
  problem(callback: Callback): string | undefined {
    const { nexus } = callback;
    if (nexus === undefined) return 'unknown callback variant: only nexus callbacks can be attached.';
    const url = nexus.url ?? '';
    const problem = headerProblem(nexus.header ?? {});
    if (problem !== undefined || url !== SYSTEM_URL) return problem ?? this.urlProblem(url);
    return callbackTokenOf(callback) === undefined
      ? `invalid callback: ${SYSTEM_URL} takes the token of a Nexus operation.`
      : undefined;
  }

  urlProblem(text: string): string | undefined {
    if (text === '') return 'invalid callback url: url is not set.';
    if (text.length > MAX_URL_BYTES) return `invalid callback url: longer than ${MAX_URL_BYTES} bytes.`;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined) return 'invalid callback url: it cannot be parsed.';
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'invalid callback url: unknown scheme.';
    if (url.username !== '' || url.password !== '') return 'invalid callback url: it names a user.';
    const allowed = this.#allowed.filter(({ pattern }) => matches(pattern.toLowerCase(), url.host));
    if (allowed.length === 0) {
      return `invalid callback url: ${url.host.slice(0, 100)} is none of the addresses in callbacks.allowedAddresses of the server's configuration.`;
    }
    if (url.protocol === 'http:' && !allowed.some(({ allowInsecure }) => allowInsecure)) {
      return `invalid callback url: ${url.host.slice(0, 100)} is allowed over https only.`;
    }
    return undefined;
  }
}

function headerProblem(header: Record<string, string>): string | undefined {
  let size = 0;
  for (const [name, value] of Object.entries(header)) {
    size += name.length + value.length;
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value)) {
      return `invalid callback header ${JSON.stringify(name.slice(0, 64))}: it is no HTTP header.`;
    }
    if (OWN_HEADERS.has(name.toLowerCase())) return `invalid callback header ${name}: the server sets it itself.`;
  }
  return size > MAX_HEADER_BYTES ? `invalid callback headers: more than ${MAX_HEADER_BYTES} bytes.` : undefined;
}

/** Linear: the first piece begins the text, the last one ends it, those between come in order. */
export function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
