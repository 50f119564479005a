// Makes ioredis fit the port's promises: it reconnects for ever in the background, queues nothing, repeats nothing by itself, and gives up a
// silent socket. One server, Sentinel or Redis Cluster. Called by link.ts.

import { readFileSync } from 'node:fs';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Random } from '../../../src/ports/clock.ts';
import type { RedisSettings } from '../../../src/ports/coordinator.ts';
import { CONNECT_TIMEOUT_MS, FIRST_RETRY_MS, LAST_RETRY_MS } from '../limits.ts';
import { SCRIPTS, type ScriptName } from './scripts.ts';

// ioredis declares a subclass of String and makes no object of it. So V8 keeps String.prototype as a dictionary, and compiled code searches it at
// every call of a string's method, in the whole process. Writing to one object of that kind ends it (docs/decisions/0089).
(Object.create(String.prototype) as { written?: true }).written = true;

/** The commands used here; scripts are commands of their own. */
export type RedisClient = (Redis | Cluster) & Record<ScriptName, (...args: (string | number)[]) => Promise<unknown>>;

/** ms before the n-th attempt (from 1) to connect again. */
export function retryDelayMs(attempt: number, random: Random): number {
  const full = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 30));
  return Math.round(full * (0.8 + 0.2 * random.next()));
}

/** Connects at once, in the background. Reads the TLS files. @throws what `readFileSync` throws for a TLS file that cannot be read */
export function createClient(settings: RedisSettings, callTimeoutMs: number, random: Random): RedisClient {
  const { servers, username, password, tls } = settings;
  const retryStrategy = (attempt: number): number => retryDelayMs(attempt, random);
  const pem = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file));
  const secure = tls && {
    ...(tls.caFile !== undefined && { ca: pem(tls.caFile) }),
    ...(tls.certFile !== undefined && { cert: pem(tls.certFile) }),
    ...(tls.keyFile !== undefined && { key: pem(tls.keyFile) }),
  };
  const common = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(secure && { tls: secure }),
    connectionName: 'tenuto',
    connectTimeout: CONNECT_TIMEOUT_MS,
    // A peer that takes bytes and answers none (stopped, or cut off) is given up, and looked for anew.
    socketTimeout: callTimeoutMs,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Old servers answer HELLO with an error; nothing here needs the newer protocol.
    protocol: 2,
    // After a fail-over the old master refuses writes: look for the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions;
  const client = ((): Redis | Cluster => {
    switch (servers.mode) {
      case 'single':
        return new Redis({ ...common, ...servers.address, db: servers.db, enableOfflineQueue: false, retryStrategy });
      case 'sentinel':
        return new Redis({
          ...common,
          sentinels: servers.sentinels.map(({ host, port }) => ({ host, port })),
          name: servers.name,
          db: servers.db,
          ...(servers.sentinelUsername !== undefined && { sentinelUsername: servers.sentinelUsername }),
          ...(servers.sentinelPassword !== undefined && { sentinelPassword: servers.sentinelPassword }),
          ...(secure && { enableTLSForSentinelMode: true, sentinelTLS: secure }),
          enableOfflineQueue: false,
          retryStrategy,
          sentinelRetryStrategy: retryStrategy,
          sentinelCommandTimeout: callTimeoutMs,
          failoverDetector: true,
        });
      case 'cluster':
        return new Cluster(
          servers.nodes.map(({ host, port }) => ({ host, port })),
          {
            redisOptions: common,
            enableOfflineQueue: false,
            clusterRetryStrategy: retryStrategy,
            slotsRefreshTimeout: callTimeoutMs,
            // With TLS the names in the certificates count, so addresses are not resolved first.
            ...(secure && { dnsLookup: (address, callback) => callback(null, address) }),
          },
        );
    }
  })();
  for (const [name, script] of Object.entries(SCRIPTS)) client.defineCommand(name, script);
  // `defineCommand` has just added what the type says.
  return client as RedisClient;
}

/** For logs: addresses only. */
export function describeServers({ servers, tls }: RedisSettings): string {
  const list = (addresses: readonly { host: string; port: number }[]): string =>
    addresses.map(({ host, port }) => `${host}:${port}`).join(', ');
  const secured = tls === undefined ? '' : ' (TLS)';
  switch (servers.mode) {
    case 'single':
      return `Redis at ${list([servers.address])}${secured}`;
    case 'sentinel':
      return `Redis ${JSON.stringify(servers.name)} known to the Sentinels at ${list(servers.sentinels)}${secured}`;
    case 'cluster':
      return `the Redis Cluster at ${list(servers.nodes)}${secured}`;
  }
}
