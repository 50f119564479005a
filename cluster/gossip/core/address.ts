// `host:port` as text, the only form addresses have in gossip: what members advertise, what seeds are given as, where packets go to.

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Longest address in characters: a DNS name (253), brackets, a port. */
export const MAX_ADDRESS_LENGTH = 262;

const BRACKETED = /^\[([0-9A-Fa-f:.%a-z]+)\]:(\d{1,5})$/;
const PLAIN = /^([A-Za-z0-9_.-]+):(\d{1,5})$/;
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** `10.0.0.7:7946`, `[::1]:7946`, `node-1.internal:7946`; undefined for anything else. Port 0 is no address. */
export function parseAddress(text: string): HostPort | undefined {
  if (text.length > MAX_ADDRESS_LENGTH) return undefined;
  const [, host, digits] = BRACKETED.exec(text) ?? PLAIN.exec(text) ?? [];
  if (host === undefined || digits === undefined) return undefined;
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether the host is a literal: a packet to a name would ask the resolver each time. */
export function isIpLiteral(host: string): boolean {
  if (host.includes(':')) return true;
  const [, ...parts] = IPV4.exec(host) ?? [];
  return parts.length === 4 && parts.every((part) => Number(part) <= 255);
}
