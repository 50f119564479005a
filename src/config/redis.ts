// The `cluster.redis` part of a node's configuration: filled in and checked. No message here repeats a credential. Called by cluster.ts.

import type { HostPort, RedisSettings } from '../ports/coordinator.ts';
import { ConfigError } from './errors.ts';
import { addresses, whole } from './values.ts';

const DEFAULT_REDIS_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26_379;
const MAX_SERVERS = 100;

/** Exactly one of `url`, `sentinels` and `nodes`. */
export interface RedisOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://…` for TLS. */
  url?: string | undefined;
  sentinels?: readonly string[] | undefined;
  /** Of the master group, with `sentinels`. */
  name?: string | undefined;
  /** Of a Redis Cluster. */
  nodes?: readonly string[] | undefined;
  /** With `sentinels`. */
  db?: number | undefined;
  /** May be in the url instead. */
  username?: string | undefined;
  password?: string | undefined;
  sentinelUsername?: string | undefined;
  sentinelPassword?: string | undefined;
  /** PEM files. `{}`: TLS with the system's authorities. */
  tls?: { caFile?: string | undefined; certFile?: string | undefined; keyFile?: string | undefined } | undefined;
}

/** @throws ConfigError naming the path */
export function redisSettings(options: RedisOptions | undefined): RedisSettings {
  const where = 'cluster.redis';
  if (options === undefined) throw new ConfigError(`${where}: is needed: url, sentinels or nodes`);
  const { url, sentinels, nodes } = options;
  if ([url, sentinels, nodes].filter((one) => one !== undefined).length !== 1) {
    throw new ConfigError(`${where}: exactly one of url, sentinels and nodes is needed`);
  }
  const tls = options.tls && {
    caFile: options.tls.caFile,
    certFile: options.tls.certFile,
    keyFile: options.tls.keyFile,
  };
  if (tls !== undefined && (tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    throw new ConfigError(`${where}.tls: certFile and keyFile go together`);
  }
  onlyWith(options, ['name', 'db', 'sentinelUsername', 'sentinelPassword'], 'sentinels', sentinels !== undefined);
  const { username, password } = options;
  if (sentinels !== undefined) {
    if (options.name === undefined)
      throw new ConfigError(`${where}.name: the name of the master group is needed with sentinels`);
    const servers = {
      mode: 'sentinel',
      sentinels: some(`${where}.sentinels`, sentinels, DEFAULT_SENTINEL_PORT),
      name: options.name,
      db: whole(`${where}.db`, options.db ?? 0, 0, 65_535),
      sentinelUsername: options.sentinelUsername,
      sentinelPassword: options.sentinelPassword,
    } as const;
    return { servers, username, password, tls };
  }
  if (nodes !== undefined) {
    const servers = { mode: 'cluster', nodes: some(`${where}.nodes`, nodes, DEFAULT_REDIS_PORT) } as const;
    return { servers, username, password, tls };
  }
  const read = fromUrl(`${where}.url`, url ?? '', tls);
  for (const name of ['username', 'password'] as const) {
    if (options[name] !== undefined && read[name] !== undefined) {
      throw new ConfigError(`${where}.${name}: the url has one too; write it in one place`);
    }
  }
  return { ...read, username: read.username ?? username, password: read.password ?? password };
}

function some(where: string, given: readonly string[], defaultPort: number): HostPort[] {
  if (given.length === 0) throw new ConfigError(`${where}: at least one is needed`);
  return addresses(where, given, defaultPort, MAX_SERVERS);
}

function onlyWith(options: RedisOptions, names: readonly (keyof RedisOptions)[], what: string, allowed: boolean): void {
  const stray = allowed ? undefined : names.find((name) => options[name] !== undefined);
  if (stray !== undefined) throw new ConfigError(`cluster.redis.${stray}: is only for ${what}`);
}

/** The url is never repeated: it may hold a password. */
function fromUrl(where: string, text: string, tls: RedisSettings['tls']): RedisSettings {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') {
    throw new ConfigError(`${where}: must be redis://host:port or, for TLS, rediss://host:port`);
  }
  if (url.search !== '' || url.hash !== '') throw new ConfigError(`${where}: takes nothing behind ? or #`);
  const db = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1];
  if (db === undefined)
    throw new ConfigError(`${where}: the path must be a database number, as in redis://host:port/0`);
  if (tls !== undefined && url.protocol === 'redis:') {
    throw new ConfigError('cluster.redis.tls: the url says redis://: write rediss:// for TLS');
  }
  const decoded = (part: string): string | undefined => {
    if (part === '') return undefined;
    try {
      return decodeURIComponent(part);
    } catch {
      throw new ConfigError(`${where}: user or password is not well encoded: a % must be written %25`);
    }
  };
  return {
    servers: {
      mode: 'single',
      address: {
        host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: url.port === '' ? DEFAULT_REDIS_PORT : Number(url.port),
      },
      db: Number(db),
    },
    username: decoded(url.username),
    password: decoded(url.password),
    tls:
      url.protocol === 'redis:' ? undefined : (tls ?? { caFile: undefined, certFile: undefined, keyFile: undefined }),
  };
}
