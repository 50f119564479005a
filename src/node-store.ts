// The store a node's configuration names, opened. Used by node.ts.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeConfig } from './config/config.ts';
import { NodeStartError } from './node-errors.ts';
import type { Log } from './ports/log.ts';
import type { ReplicaStore } from './ports/replica-store.ts';
import type { Store } from './ports/store.ts';
import { systemRandom } from './runtime/index.ts';

// Each adapter is loaded only when it is used: a node in memory needs no LevelDB, one with a directory no client of a database.
export async function openStore(config: NodeConfig, log: Log): Promise<Store> {
  if (config.postgres === undefined) return openReplicaStore(config);
  const { openPostgresStore } = await import('./store/postgres/index.ts');
  return openPostgresStore(config.postgres, undefined, log);
}

export async function openReplicaStore({ dataDirectory, shardCount, leveldb }: NodeConfig): Promise<ReplicaStore> {
  if (dataDirectory === undefined) {
    const { openMemoryStore } = await import('./store/memory/store.ts');
    return openMemoryStore({ shardCount, directoryId: systemRandom.uuid() });
  }
  const { openLevelStore } = await import('./store/leveldb/store.ts');
  return openLevelStore({ directory: dataDirectory, shardCount, ...leveldb });
}

const CORE_FOLDER = /^core-([1-9]\d*)$/;

/** Where one of several cores keeps its data. */
export function coreDirectory(dataDirectory: string, core: number): string {
  return join(dataDirectory, `core-${core}`);
}

/** How many cores the directory was served by; 0: none. */
export function coresIn(dataDirectory: string): number {
  // A file is refused by the store, which says so.
  if (!existsSync(dataDirectory) || !statSync(dataDirectory).isDirectory()) return 0;
  const numbers = readdirSync(dataDirectory).map((name) => Number(CORE_FOLDER.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers);
}

/** Alone it would serve what the others have gone on with, and what it then acknowledged would be in conflict with theirs. */
export async function refuseMember(dataDirectory: string): Promise<void> {
  const cores = coresIn(dataDirectory);
  if (cores > 0) {
    throw new NodeStartError(
      'config',
      `the data directory ${dataDirectory} is that of ${cores} cores`,
      `Start it with --cores ${cores}, or name another directory.`,
    );
  }
  const { stateFile } = await import('../cluster/node/state.ts');
  const known = await stateFile(dataDirectory).read();
  if (known === undefined) return;
  throw new NodeStartError(
    'config',
    `the data directory ${dataDirectory} belongs to a node of cluster ${known.record.clusterId}: it is not served alone`,
    'Set cluster.id and what goes with it, or name another directory. A cluster is made one node by a backup and `tenuto data restore --standalone`.',
  );
}
