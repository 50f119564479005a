// Where to connect: `host:port` or a WebSocket URL, one or several.

import { ValueError } from '../common/errors.ts';

export const DEFAULT_ADDRESS = '127.0.0.1:7280';
const DEFAULT_PORT = 7280;
/** Addresses one connection may be given (I9). */
const MAX_ADDRESSES = 64;
/** What a node may say of itself: a host, a port, and which core behind it; nothing else. */
const HOST_AND_PORT = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+):\d{1,5}(?:\/cores\/\d{1,4})?$/i;
const MAX_PORT = 65_535;

/**
 * The WebSocket URL of an address: `host`, `host:port`, `[::1]:port`, `ws://…`, `wss://…` (`http(s)://…` mean the same).
 *
 * @param tls Chooses `wss` where the address names no scheme.
 * @throws ValueError for what is none of these.
 */
export function toWebSocketUrl(address: string, tls: 'tls' | 'plain'): string {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(address);
  const text = hasScheme ? address.replace(/^http/i, 'ws') : `${tls === 'tls' ? 'wss' : 'ws'}://${address}`;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // The platform only says "Invalid URL".
    const port = Number(/:(\d+)(?:\/|$)/.exec(text)?.[1] ?? 0);
    if (port > MAX_PORT) throw new ValueError(`Invalid address '${address}': ports end at ${MAX_PORT}`);
    throw new ValueError(`Invalid address '${address}': expected host:port or ws(s)://host:port`);
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new ValueError(`Invalid address '${address}': scheme must be ws or wss`);
  }
  // A URL with the scheme's default port shows none: only an address without scheme falls back to ours.
  if (!hasScheme && url.port === '' && !/:\d+$/.test(address)) url.port = String(DEFAULT_PORT);
  if (tls === 'tls' && url.protocol === 'ws:') {
    throw new ValueError(`Invalid address '${address}': option tls is set, but the address says ws: use wss`);
  }
  return url.href;
}

/**
 * The WebSocket URLs of a list of addresses, or of a text that names several with commas between; each once.
 *
 * @throws ValueError for an empty list, one of more than 64, or an address that cannot be meant.
 */
export function toWebSocketUrls(addresses: string | readonly string[], tls: 'tls' | 'plain'): string[] {
  const given = typeof addresses === 'string' ? [addresses] : addresses;
  const texts = given.flatMap((text) => text.split(',')).map((text) => text.trim());
  if (texts.length === 0) throw new ValueError('Invalid address: the list is empty');
  if (texts.length > MAX_ADDRESSES) {
    throw new ValueError(
      `Invalid address: ${texts.length} addresses, at most ${MAX_ADDRESSES}; one is enough to learn the others`,
    );
  }
  return [...new Set(texts.map((text) => toWebSocketUrl(text, tls)))];
}

/** The URL of a node that a node named, with the scheme that the first `known` one has; undefined for what is no `host:port` or `host:port/cores/n`. */
export function learnedUrl(address: string, known: string): string | undefined {
  if (!HOST_AND_PORT.test(address)) return undefined;
  try {
    return toWebSocketUrl(address, known.startsWith('wss:') ? 'tls' : 'plain');
  } catch {
    return undefined;
  }
}
