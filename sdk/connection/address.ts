// Where to connect: `host:port` or a WebSocket URL.

import { ValueError } from '../common/errors.ts';

export const DEFAULT_ADDRESS = '127.0.0.1:7280';
const DEFAULT_PORT = 7280;
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
