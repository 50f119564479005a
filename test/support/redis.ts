// Real Redis servers for tests: each on a free port of 127.0.0.1 with a directory of its own, never the one a package may have started.
// Alone, as a master with a replica and a Sentinel, or as a Redis Cluster. Whatever still runs when the process ends is killed, by pid.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';

const HOST = '127.0.0.1';
const START_MS = 60_000;
const POLL_MS = 20;
const MAX_PORTS = 3;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

let found = false;
/** Makes sure there is a `redis-server`: as root on Debian it is installed. @throws Error that says what to install */
export function ensureRedisServer(): void {
  if (found) return;
  const there = (): boolean => {
    try {
      execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  if (!there() && process.getuid?.() === 0) {
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    try {
      execFileSync('apt-get', ['update'], { stdio: 'ignore', env: environment });
      execFileSync('apt-get', ['install', '-y', 'redis-server'], { stdio: 'ignore', env: environment });
    } catch {
      // Told below.
    }
  }
  if (!there()) {
    throw new Error(
      'These tests need a real Redis: install `redis-server` 7 or newer so that it is on the PATH (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis)',
    );
  }
  found = true;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, HOST, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a numeric address');
  return address.port;
}

/** Waits until `check` answers with something. @throws Error naming `what` after `withinMs` */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined>,
  withinMs = START_MS,
): Promise<T> {
  const untilMs = performance.now() + withinMs;
  let last: unknown;
  while (performance.now() < untilMs) {
    try {
      const value = await check();
      if (value !== undefined) return value;
    } catch (error) {
      last = error;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`${what} did not come within ${withinMs} ms`, { cause: last });
}

export interface RedisServerOptions {
  /** Arguments of `redis-server`, over ours. */
  readonly args?: readonly string[];
  /** How to speak to it, where it wants a password or TLS. */
  readonly client?: Pick<RedisOptions, 'username' | 'password' | 'tls'>;
  /** `always`: an acknowledged write is on disk. Default: memory only, so a restart is an empty server. */
  readonly durable?: 'always' | 'no';
  /** The file of a Sentinel's configuration, which makes it one. */
  readonly sentinelFile?: string;
}

/** One process, which can be ended and started again on the same port and directory. */
export class RedisServer {
  readonly host = HOST;
  readonly port: number;
  readonly directory: string;
  readonly #options: RedisServerOptions;
  #child: ChildProcess | undefined;

  constructor(port: number, options: RedisServerOptions = {}) {
    this.port = port;
    this.#options = options;
    this.directory = mkdtempSync(join(tmpdir(), 'tenuto-redis-'));
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** Resolves when it answers. */
  async start(): Promise<this> {
    ensureRedisServer();
    const { args = [], durable = 'no', sentinelFile } = this.#options;
    const persistence =
      durable === 'always' ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
    const own = ['--port', String(this.port), '--bind', HOST, '--dir', this.directory, '--save', '', ...persistence];
    const argv = sentinelFile === undefined ? [...own, ...args] : [sentinelFile, '--sentinel'];
    const child = spawn('redis-server', argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let output = '';
    const note = (chunk: Buffer): void => {
      output = `${output}${chunk.toString()}`.slice(-4_000);
    };
    child.stdout?.on('data', note);
    child.stderr?.on('data', note);
    this.#child = child;
    const ended = new Promise<never>((_, reject) => {
      child.once('exit', (code) => {
        running.delete(child);
        reject(new Error(`redis-server on port ${this.port} ended with ${code}: ${output}`));
      });
    });
    const answers = eventually(`redis-server on port ${this.port}`, async () => {
      if (child.exitCode !== null) return false;
      // Somebody else's server may have been faster to the port.
      return String(await this.command('INFO', 'server')).includes(`process_id:${child.pid}\r\n`) ? true : undefined;
    });
    await Promise.race([answers, ended]);
    ended.catch(() => {});
    return this;
  }

  /** One command on a connection of its own. */
  async command(name: string, ...args: (string | number)[]): Promise<unknown> {
    const client = new Redis({
      host: HOST,
      port: this.port,
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      protocol: 2,
      // A Sentinel knows no INFO of a loading database.
      enableReadyCheck: false,
      connectTimeout: 1_000,
      commandTimeout: 5_000,
      ...this.#options.client,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      return await client.call(name, ...args);
    } finally {
      client.disconnect();
    }
  }

  /** As kill -9 does. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** Killed and started again, with what it had made durable or with nothing. */
  async restart(how: 'as it was' | 'empty'): Promise<void> {
    await this.kill();
    if (how === 'empty') {
      rmSync(this.directory, { recursive: true, force: true });
      mkdirSync(this.directory);
    }
    await this.start();
  }

  /** Takes bytes and answers none, as a machine that hangs. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Tries other ports when somebody else took one that was free: `options` may be a function that finds them anew. */
export async function startRedis(
  options: RedisServerOptions | (() => Promise<RedisServerOptions>) = {},
): Promise<RedisServer> {
  for (let tries = 1; ; tries += 1) {
    const these = typeof options === 'function' ? await options() : options;
    const server = new RedisServer(await freePort(), these);
    try {
      return await server.start();
    } catch (error) {
      await server.remove();
      if (tries === MAX_PORTS) throw error;
    }
  }
}

export interface SentinelGroup {
  readonly name: string;
  readonly first: RedisServer;
  readonly second: RedisServer;
  readonly sentinel: RedisServer;
  /** Port of the server that is master now, as the Sentinel says. */
  master(): Promise<number>;
  remove(): Promise<void>;
}

/** A master (`first`), its replica (`second`) and one Sentinel that fails over within about a second. */
export async function startSentinelGroup(): Promise<SentinelGroup> {
  const name = 'tenuto-test';
  const first = await startRedis();
  const second = await startRedis({ args: ['--replicaof', HOST, String(first.port)] });
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'tenuto-sentinel-'));
  const file = join(directory, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    `bind ${HOST}`,
    `dir ${directory}`,
    `sentinel monitor ${name} ${HOST} ${first.port} 1`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 2000`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const sentinel = await new RedisServer(port, { sentinelFile: file }).start();
  const info = async (server: RedisServer): Promise<string> => String(await server.command('INFO', 'replication'));
  await eventually('the replica', async () =>
    (await info(second)).includes('master_link_status:up') ? true : undefined,
  );
  await eventually('the Sentinel', async () => {
    const replicas = await sentinel.command('SENTINEL', 'replicas', name);
    return Array.isArray(replicas) && replicas.length === 1 ? true : undefined;
  });
  return {
    name,
    first,
    second,
    sentinel,
    master: async () => {
      const address = await sentinel.command('SENTINEL', 'get-master-addr-by-name', name);
      return Array.isArray(address) ? Number(address[1]) : 0;
    },
    remove: async () => {
      await Promise.all([sentinel.remove(), first.remove(), second.remove()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const SLOTS = 16_384;

/** Masters of a Redis Cluster that share the slots. */
export async function startRedisCluster(count = 3): Promise<RedisServer[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () =>
      startRedis(async () => {
        const bus = ['--cluster-port', String(await freePort())];
        return { args: ['--cluster-enabled', 'yes', ...bus, '--cluster-node-timeout', '2000'] };
      }),
    ),
  );
  for (const [index, server] of servers.entries()) {
    const from = Math.floor((SLOTS * index) / count);
    const to = Math.floor((SLOTS * (index + 1)) / count) - 1;
    await server.command('CLUSTER', 'ADDSLOTSRANGE', from, to);
    // Different ones, or the nodes quarrel over who is who.
    await server.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  const [first] = servers;
  for (const server of servers.slice(1)) {
    const ports = String(await server.command('CONFIG', 'GET', 'cluster-port')).split(',');
    await first?.command('CLUSTER', 'MEET', HOST, server.port, Number(ports[1]));
  }
  await Promise.all(
    servers.map((server) =>
      eventually('the Redis Cluster', async () => {
        const info = String(await server.command('CLUSTER', 'INFO'));
        return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${count}`) ? true : undefined;
      }),
    ),
  );
  return servers;
}
