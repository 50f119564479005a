// A real PostgreSQL for the tests that need one: one server per test run, started by the first file that asks and ended with the run
// (postgres-run.ts), on a free port of 127.0.0.1, with fsync on and passwords asked for. Files share it through databases of their own.
// A file that stops the server asks for one of its own. Without PostgreSQL on the machine a test fails and says what to install.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import pg from 'pg';
import { RUN_VARIABLE } from './postgres-run.ts';

const USER = 'tenuto';
const START_MS = 60_000;
const POLL_MS = 50;
const INSTALL_MS = 300_000;

interface Info {
  port: number;
  password: string;
  pid: number;
}

export interface Database {
  readonly url: string;
  readonly port: number;
  readonly name: string;
  readonly password: string;
  /** One statement, over a connection of its own. */
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  drop(): Promise<void>;
}

export interface PostgresServer extends Info {
  database(): Promise<Database>;
}

/** The server of this test run. */
export async function sharedPostgres(): Promise<PostgresServer> {
  const run = process.env[RUN_VARIABLE];
  if (run === undefined) throw new Error(`${RUN_VARIABLE} is not set: run the tests with vitest's configuration`);
  const ready = join(run, 'ready.json');
  try {
    mkdirSync(join(run, 'starting'));
  } catch {
    // Another file starts it.
    const giveUpAt = Date.now() + INSTALL_MS;
    while (!existsSync(ready)) {
      if (existsSync(join(run, 'failed'))) throw new Error(readFileSync(join(run, 'failed'), 'utf8'));
      if (Date.now() > giveUpAt) throw new Error('PostgreSQL did not start');
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return serverOf(JSON.parse(readFileSync(ready, 'utf8')) as Info);
  }
  try {
    const server = await new OwnPostgres(join(run, 'server')).start();
    writeFileSync(`${ready}.new`, JSON.stringify(server.info));
    renameSync(`${ready}.new`, ready);
    return serverOf(server.info);
  } catch (error) {
    writeFileSync(join(run, 'failed'), error instanceof Error ? error.message : String(error));
    throw error;
  }
}

function serverOf(info: Info): PostgresServer {
  return { ...info, database: () => makeDatabase(info) };
}

let made = 0;

async function makeDatabase({ port, password }: Info): Promise<Database> {
  made += 1;
  const name = `t${process.pid}_${made}_${randomBytes(4).toString('hex')}`;
  const urlOf = (database: string): string => `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
  const once = async (database: string, text: string, values: unknown[] = []) => {
    const client = new pg.Client({ connectionString: urlOf(database) });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text, values)).rows;
    } finally {
      await client.end();
    }
  };
  await once('postgres', `CREATE DATABASE ${name}`);
  return {
    url: urlOf(name),
    port,
    name,
    password,
    sql: (text, values) => once(name, text, values),
    drop: async () => {
      await once('postgres', `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** A server that its test may stop, kill and start again on the same port. */
export class OwnPostgres {
  readonly #directory: string;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #password = randomBytes(12).toString('hex');
  readonly #owner = ownerOf();
  #child: ChildProcess | undefined;
  #port = 0;

  /** @param settings of PostgreSQL, instead of or beside those below */
  constructor(
    directory = mkdtempSync(join(tmpdir(), 'tenuto-postgres-')),
    settings: Readonly<Record<string, string>> = {},
  ) {
    this.#directory = directory;
    this.#settings = settings;
  }

  get info(): Info {
    return { port: this.#port, password: this.#password, pid: this.#child?.pid ?? 0 };
  }

  get server(): PostgresServer {
    return serverOf(this.info);
  }

  async start(): Promise<this> {
    const data = join(this.#directory, 'data');
    if (!existsSync(data)) {
      this.#init(data);
      this.#port = await freePort();
    }
    const settings = {
      listen_addresses: '127.0.0.1',
      port: this.#port,
      unix_socket_directories: this.#directory,
      fsync: 'on',
      max_connections: 200,
      shared_buffers: '64MB',
      log_min_messages: 'fatal',
      ...this.#settings,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(binaries(), 'postgres'), ['-D', data, ...flags], {
      stdio: 'ignore',
      cwd: this.#directory,
      ...this.#owner,
      // It outlives the file that started it; the run ends it.
      detached: true,
    });
    child.unref();
    this.#child = child;
    const giveUpAt = Date.now() + START_MS;
    for (;;) {
      const client = new pg.Client({ ...this.#address(), connectionTimeoutMillis: 1_000 });
      client.on('error', () => {});
      try {
        await client.connect();
        await client.end();
        return this;
      } catch (error) {
        if (child.exitCode !== null) throw new Error(`PostgreSQL ended with ${child.exitCode}: ${String(error)}`);
        if (Date.now() > giveUpAt) throw new Error(`PostgreSQL did not start: ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }

  /** After a stop: it reads only, and waits for what no primary sends it. */
  startAsStandby(): Promise<this> {
    writeFileSync(join(this.#directory, 'data', 'standby.signal'), '', { mode: 0o600 });
    return this.start();
  }

  /** `SIGINT`: fast, connections are cut. `SIGQUIT`: at once, and the next start recovers from the WAL, as after a crash. */
  async stop(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    // Its end is waited for, also where nothing else keeps the process alive.
    child.ref();
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  async remove(): Promise<void> {
    await this.stop('SIGQUIT');
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #address() {
    return { host: '127.0.0.1', port: this.#port, user: USER, password: this.#password, database: 'postgres' };
  }

  #init(data: string): void {
    mkdirSync(this.#directory, { recursive: true });
    const passwordFile = join(this.#directory, 'password');
    writeFileSync(passwordFile, this.#password);
    if (this.#owner.uid !== undefined) {
      chownSync(this.#directory, this.#owner.uid, this.#owner.gid);
      chownSync(passwordFile, this.#owner.uid, this.#owner.gid);
    }
    chmodSync(this.#directory, 0o755);
    const args = [
      '-D',
      data,
      '-U',
      USER,
      '-A',
      'scram-sha-256',
      `--pwfile=${passwordFile}`,
      '-E',
      'UTF8',
      '--locale=C',
    ];
    const done = spawnSync(join(binaries(), 'initdb'), args, {
      encoding: 'utf8',
      cwd: this.#directory,
      ...this.#owner,
    });
    if (done.status !== 0) throw new Error(`initdb failed: ${done.stderr || done.error?.message}`);
  }
}

/** PostgreSQL refuses to run as root: then it runs as the user its package makes. */
function ownerOf(): { uid: number; gid: number } | { uid?: undefined } {
  if (process.getuid?.() !== 0) return {};
  binaries();
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

let found: string | undefined;

/** The folder with `postgres` and `initdb`; installed first where that is possible. */
function binaries(): string {
  found ??= findBinaries() ?? install();
  return found;
}

function findBinaries(): string | undefined {
  const packaged = '/usr/lib/postgresql';
  const versions = existsSync(packaged) ? readdirSync(packaged).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(packaged, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  for (const folder of folders) {
    const program = join(folder, 'postgres');
    if (!existsSync(program)) continue;
    const real = dirname(realpathSync(program));
    if (existsSync(join(real, 'initdb'))) return real;
  }
  return undefined;
}

function install(): string {
  const how =
    'Install PostgreSQL 13 or newer (Debian: apt-get install postgresql): these tests run against a real one.';
  if (process.getuid?.() !== 0) throw new Error(`There is no PostgreSQL on this machine. ${how}`);
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'postgresql']]) {
    const done = spawnSync('apt-get', args, {
      encoding: 'utf8',
      timeout: INSTALL_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (done.status !== 0) throw new Error(`apt-get ${args.join(' ')} failed: ${done.stderr}\n${how}`);
  }
  const folder = findBinaries();
  if (folder === undefined) throw new Error(`The package brought no postgres and initdb. ${how}`);
  return folder;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
