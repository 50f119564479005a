// Values that several parts of the configuration have in common. Errors name the path.

import type { HostPort } from '../ports/coordinator.ts';
import { ConfigError } from './errors.ts';

export function whole(where: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new ConfigError(`${where}: ${value} must be an integer from ${least} to ${most}`);
  }
  return value;
}

export function addresses(where: string, given: readonly string[], defaultPort: number, most: number): HostPort[] {
  if (given.length > most) throw new ConfigError(`${where}: ${given.length} are too many: at most ${most}`);
  return given.map((text, index) => address(`${where}[${index}]`, text, defaultPort));
}

/** `host`, `host:port`, `[ipv6]`, `[ipv6]:port`. */
export function address(where: string, text: string, defaultPort: number): HostPort {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/@]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    // Not repeated: somebody may have written a password here.
    throw new ConfigError(`${where}: is no address: write host, host:port or [ipv6]:port`);
  }
  return { host, port };
}

export const isLoopback = (ip: string): boolean => ip === '::1' || ip === 'localhost' || /^127\./.test(ip);

/** An address that stands for all of a machine's is none that others could connect to. */
export function reachable(where: string, ip: string, advertise: string | undefined): void {
  if (advertise !== undefined || (ip !== '0.0.0.0' && ip !== '::')) return;
  throw new ConfigError(`${where}.advertise: is needed when ${where}.ip is ${ip}: others cannot connect to that`);
}

const MIN_TOKEN_CHARS = 8;

/** Bearer tokens. No message repeats one. */
export function tokens(where: string, given: readonly string[], most: number): readonly string[] {
  if (given.length > most) throw new ConfigError(`${where}: ${given.length} are too many: at most ${most}`);
  if (given.some((token) => token.length < MIN_TOKEN_CHARS)) {
    throw new ConfigError(`${where}: a token must have at least ${MIN_TOKEN_CHARS} characters`);
  }
  return given;
}
