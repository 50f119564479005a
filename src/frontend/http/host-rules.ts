// Which Host and Origin headers a request may carry, so that no web page can drive somebody's node: not from another origin (Origin),
// and not by making its own name resolve to this address (Host; DNS rebinding).

import { isIP } from 'node:net';

export interface HostRules {
  /** Why the request is refused, for people; undefined when it may pass. */
  check(host: string | undefined, origin: string | undefined): string | undefined;
}

function hostname(authority: string): string | undefined {
  try {
    const name = new URL(`http://${authority}`).hostname;
    return name.startsWith('[') ? name.slice(1, -1) : name;
  } catch {
    return undefined;
  }
}

/**
 * `allowed`: names beside `localhost`, IP addresses (a name cannot be made to mean them) and the server's own; `*` allows all. Origins
 * pass when they are the request's own host, or their host is in `allowed`.
 */
export function hostRules(ownNames: readonly string[], allowed: readonly string[]): HostRules {
  const any = allowed.includes('*');
  const names = new Set([...ownNames, ...allowed].map((name) => name.toLowerCase()));
  const allowedOrigins = new Set(allowed.map((name) => name.toLowerCase()));
  const known = (name: string): boolean =>
    any || isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost') || names.has(name);
  return {
    check(host, origin) {
      if (host !== undefined) {
        const name = hostname(host);
        if (name === undefined || !known(name)) {
          return `Host ${JSON.stringify(host.slice(0, 100))} is not allowed here: add it to allowedHosts`;
        }
      }
      if (origin === undefined || any) return undefined;
      let from: URL;
      try {
        from = new URL(origin);
      } catch {
        return `Origin ${JSON.stringify(origin.slice(0, 100))} is not allowed here`;
      }
      if (from.host === host?.toLowerCase() || allowedOrigins.has(from.hostname)) return undefined;
      return `Origin ${JSON.stringify(origin.slice(0, 100))} is not allowed here: add its host to allowedHosts`;
    },
  };
}
