// DBOS as a system of the bench: a PostgreSQL of its own (fsync on, synchronous commit), and the library in the client processes, which run the
// workflows they ask for. So there is no worker, and the clients' CPU is the workflows' too.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OwnPostgres } from '../../../test/support/postgres.ts';
import { atEnd } from '../../lib/at-end.ts';
import type { RunningSystem, System, SystemProcess, Target, WorkflowKind } from '../../lib/model.ts';
import { Child } from '../child.ts';
import { InstalledPeer } from '../install.ts';
import { PeerError } from '../pins.ts';

const KINDS: readonly WorkflowKind[] = ['none', 'sequence', 'parallel', 'local', 'children', 'timer'];
/** What PostgreSQL has without a configuration. */
const SETTINGS = { fsync: 'on', synchronous_commit: 'on', shared_buffers: '128MB' };
const TABLES_MS = 60_000;

/** @throws PeerError */
export async function dbosSystems(say: (text: string) => void): Promise<readonly System[]> {
  const peer = await InstalledPeer.of('dbos', say);
  say('looking for PostgreSQL');
  const version = `${peer.versionOf('@dbos-inc/dbos-sdk')}, PostgreSQL ${await postgresVersion()}`;
  return [
    { name: 'dbos', version, variant: 'steps in its process', kinds: KINDS, start: () => RunningDbos.start(peer) },
  ];
}

/** Starts one: what is missing shows before the run. */
async function postgresVersion(): Promise<string> {
  const postgres = new OwnedPostgres();
  try {
    const { server } = await postgres.start();
    const database = await server.database();
    const [row] = await database.sql('SHOW server_version');
    return String(row?.server_version);
  } catch (error) {
    throw new PeerError(`dbos needs PostgreSQL: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    await postgres.remove();
  }
}

/** One that goes with the bench, however that ends. */
class OwnedPostgres {
  readonly #directory = mkdtempSync(join(tmpdir(), 'tenuto-peer-'));
  readonly #postgres = new OwnPostgres(this.#directory, SETTINGS);
  readonly #forget = atEnd(() => {
    const { pid } = this.#postgres.info;
    if (pid > 0) process.kill(pid, 'SIGQUIT');
    rmSync(this.#directory, { recursive: true, force: true });
  });

  start(): Promise<OwnPostgres> {
    return this.#postgres.start();
  }

  get pid(): number {
    return this.#postgres.info.pid;
  }

  async remove(): Promise<void> {
    await this.#postgres.remove();
    this.#forget();
  }
}

class RunningDbos implements RunningSystem {
  readonly target: Target;
  readonly #postgres: OwnedPostgres;

  private constructor(postgres: OwnedPostgres, target: Target) {
    this.#postgres = postgres;
    this.target = target;
  }

  static async start(peer: InstalledPeer): Promise<RunningSystem> {
    const postgres = new OwnedPostgres();
    try {
      const { server } = await postgres.start();
      const { url } = await server.database();
      await makeTables(peer, url);
      return new RunningDbos(postgres, { module: peer.scriptUrl('client.mjs'), settings: { url } });
    } catch (error) {
      await postgres.remove();
      throw error;
    }
  }

  processes(): readonly SystemProcess[] {
    return [{ role: 'store', name: 'postgres', pid: this.#postgres.pid }];
  }

  stop(): Promise<void> {
    return this.#postgres.remove();
  }
}

/** Before the clients, which would do it all at once. */
async function makeTables(peer: InstalledPeer, url: string): Promise<void> {
  const command = { command: process.execPath, args: [peer.script('client.mjs'), url] };
  const child = Child.spawn("DBOS's migration", command, { ipc: 'no' });
  try {
    await child.success(TABLES_MS);
  } finally {
    await child.stop();
  }
}
