// `tenuto data …`: what can be done to a data directory, or to a database that holds a cluster's data. `backup` works beside running nodes too:
// of a directory through the node's control socket, of a database by itself.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { NAME, NAME_RULE } from '../config/cluster.ts';
import { StoreError } from '../ports/store.ts';
import { CommandError, ExitCode, UsageError } from './exit-codes.ts';
import { Output, type OutputOptions } from './output.ts';

const outputFlags = (command: Command): Command =>
  command
    .addOption(
      new Option('-o, --output <format>', 'how to print').choices(['table', 'json', 'jsonl', 'none']).default('table'),
    )
    .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'));

const MIB = 1024 * 1024;

const storeOption = (): Option =>
  new Option('--store <url>', 'postgres://user:password@host:port/database').env('TENUTO_POSTGRES_URL');

export function defineDataCommands(data: Command): void {
  outputFlags(
    data
      .command('migrate')
      .description('make the tables of a database, or bring them up to date; may be repeated')
      .addOption(storeOption())
      .option('--shard-count <n>', 'shards of new tables, fixed for their life (default: 256)'),
  ).action(
    guarded(
      stopFirst,
      async ({ store, shardCount, ...flags }: OutputOptions & { store?: string; shardCount?: string }) => {
        const { migrateDatabase, describeDatabase, options } = await database(store);
        const count = shardCount === undefined ? undefined : Number(shardCount);
        const { cluster, from } = await migrateDatabase(options, count);
        const { format, clusterId, shardCount: shards } = cluster;
        const done = from === format ? 'nothing to do' : from === 0 ? 'made the tables' : `from schema ${from}`;
        new Output(flags).record({
          store: describeDatabase(options.url),
          migration: done,
          schema: format,
          clusterId,
          shards,
        });
      },
    ),
  );

  outputFlags(
    data
      .command('release')
      .description(
        'take a database from the cluster, or the single node, that it belongs to, for another one: its nodes must be stopped',
      )
      .addOption(storeOption()),
  ).action(
    guarded(stopFirst, async ({ store, ...flags }: OutputOptions & { store?: string }) => {
      const { releaseDatabase, describeDatabase, options } = await database(store);
      const from = await releaseDatabase(options);
      new Output(flags).record({ store: describeDatabase(options.url), releasedFrom: from });
    }),
  );

  outputFlags(
    data
      .command('verify <directory|url>')
      .description('read everything and check it; exit code 1 when something is damaged'),
  ).action(
    guarded(stopOrCopy, async (directory: string, flags: OutputOptions) => {
      if (isUrl(directory)) return verifyInDatabase(directory, flags);
      const { isClusterBackup, verifyBackup } = await import('../backup/index.ts');
      const progress = progressLine('checked');
      if (isClusterBackup(directory)) {
        const { clusterId, ...counts } = await verifyBackup(directory, progress.show);
        progress.end();
        new Output(flags).record({ backup: directory, cluster: clusterId, ...counts, sound: true });
        return;
      }
      const { verifyDirectory } = await import('../store/index.ts');
      const report = await verifyDirectory(directory, progress.show);
      progress.end();
      const output = new Output(flags);
      const { manifest, problems, moreProblems, ...counts } = report;
      const found = problems.length + moreProblems;
      output.record({
        directory,
        directoryId: manifest.directoryId,
        format: manifest.format,
        shardCount: manifest.shardCount,
        ...counts,
        sound: problems.length === 0,
        problems: output.format === 'table' ? found || undefined : problems,
      });
      refuseDamage(directory, report, output, '`tenuto data restore` brings back a backup.');
    }),
  );

  outputFlags(data.command('stats <directory>').description('what the directory holds and how large it is')).action(
    guarded(stopOrCopy, async (directory: string, flags: OutputOptions) => {
      const { directoryStats } = await import('../store/index.ts');
      const { manifest, ...stats } = await directoryStats(directory);
      new Output(flags).record({ directory, ...manifest, ...stats });
    }),
  );

  outputFlags(
    data
      .command('backup <directory|url> <to>')
      .description(
        'copy a data directory or a database, of stopped or running nodes, into an empty directory; of any running node of a cluster: the whole cluster, as of one instant',
      ),
  ).action(
    guarded(stopFirst, async (directory: string, to: string, flags: OutputOptions) => {
      refuseOccupied(to);
      if (isUrl(directory)) return backupOfDatabase(directory, to, flags);
      const [{ copyDirectory, readManifest }, { isReplica, refuseReplica }] = await Promise.all([
        import('../store/index.ts'),
        import('../backup/index.ts'),
      ]);
      const progress = progressLine('copied');
      const ask = async (): Promise<boolean> => {
        const { requestBackup } = await import('../frontend/control/socket.ts');
        return requestBackup(readManifest(directory)?.directoryId ?? '', resolve(to), progress.show);
      };
      let live = false;
      if (isReplica(directory)) {
        live = await ask();
        if (!live) refuseReplica(directory);
      } else {
        try {
          await copyDirectory(directory, to, progress.show);
        } catch (error) {
          if (!(error instanceof StoreError) || error.kind !== 'locked') throw error;
          live = await ask();
          if (!live) throw error;
        }
      }
      progress.end();
      new Output(flags).record({
        ...{ backup: resolve(to), of: resolve(directory), node: live ? 'running' : 'stopped' },
        ...(await clusterOf(to)),
      });
    }),
  );

  outputFlags(
    data
      .command('restore <backup> <directory>')
      .description(
        'make a data directory from a backup, checking every record; from that of a cluster, its first node, which others join',
      )
      .option('--shards <count>', 'deal it out to so many shards (default: as many as it has)', shardCountOf)
      .option('--cluster-id <id>', 'for a cluster of this id (default: the one it is of, if any)', clusterIdOf)
      .option('--standalone', 'for a node that stands alone, whatever it was'),
  ).action(
    guarded(stopOrCopy, async (backup: string, directory: string, flags: OutputOptions & RestoreFlags) => {
      refuseOccupied(directory);
      const { shards, clusterId, standalone } = flags;
      if (standalone === true && clusterId !== undefined)
        throw new UsageError('--standalone and --cluster-id cannot both be meant');
      const { isClusterBackup, refuseReplica, restoreDirectory } = await import('../backup/index.ts');
      const plain = !isClusterBackup(backup) && shards === undefined && clusterId === undefined;
      if (plain) {
        refuseReplica(backup);
        const { copyDirectory, readManifest } = await import('../store/index.ts');
        const progress = progressLine('restored');
        const { records, bytes } = await copyDirectory(backup, directory, progress.show);
        progress.end();
        const { directoryId, shardCount } = readManifest(directory) ?? {};
        const made = { restored: resolve(directory), from: resolve(backup), directoryId, shardCount };
        new Output(flags).record({ ...made, records, bytes });
        return;
      }
      const lines = { checked: progressLine('checked'), restored: progressLine('restored') };
      const report = await restoreDirectory(backup, directory, {
        ...{ shards, clusterId, as: standalone === true ? 'node' : undefined },
        onProgress: ({ step, ...progress }) => lines[step].show(progress),
      });
      lines.restored.end();
      new Output(flags).record({ restored: resolve(directory), from: resolve(backup), ...report });
    }),
  );
}

const isUrl = (text: string): boolean => /^\w+:\/\//.test(text);

/** What `tenuto data` needs of a database. A URL is never quoted: there may be a password in it. */
async function database(url: string | undefined) {
  const [tools, { completeConfig }] = await Promise.all([
    import('../store/postgres/index.ts'),
    import('../config/config.ts'),
  ]);
  const { postgres } = tools.isPostgresUrl(url ?? '') ? completeConfig({ postgres: { url: url ?? '' } }) : {};
  if (postgres === undefined) {
    throw new UsageError(
      'name the database as postgres://user:password@host:port/database, with --store or in TENUTO_POSTGRES_URL',
    );
  }
  return { ...tools, options: postgres };
}

async function verifyInDatabase(url: string, flags: OutputOptions): Promise<void> {
  const { verifyDatabase, options } = await database(url);
  const progress = progressLine('checked');
  const report = await verifyDatabase(options, progress.show);
  progress.end();
  const { name, cluster, problems, moreProblems, ...counts } = report;
  const found = problems.length + moreProblems;
  const output = new Output(flags);
  output.record({
    store: name,
    clusterId: cluster.clusterId,
    schema: cluster.format,
    shardCount: cluster.shardCount,
    ...counts,
    sound: problems.length === 0,
    problems: output.format === 'table' ? found || undefined : problems,
  });
  refuseDamage(name, report, output, 'Restore the database from a backup.');
}

async function backupOfDatabase(url: string, to: string, flags: OutputOptions): Promise<void> {
  const { copyDatabase, describeDatabase, options } = await database(url);
  const progress = progressLine('copied');
  const { records, bytes } = await copyDatabase(options, resolve(to), progress.show);
  progress.end();
  new Output(flags).record({ backup: resolve(to), of: describeDatabase(url), records, bytes });
}

function refuseDamage(
  what: string,
  { problems, moreProblems }: { problems: readonly string[]; moreProblems: number },
  output: Output,
  hint: string,
): void {
  const found = problems.length + moreProblems;
  if (found === 0) return;
  for (const problem of problems) output.say(`${output.colors.red('damaged')} ${problem}`);
  if (moreProblems > 0) output.say(`… and ${moreProblems} more`);
  throw new CommandError(`${what} is damaged in ${found} place${found === 1 ? '' : 's'}`, { hint });
}

interface RestoreFlags {
  shards?: number;
  clusterId?: string;
  standalone?: boolean;
}

const MAX_SHARDS = 65_536;

function shardCountOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MAX_SHARDS) return count;
  throw new UsageError(`--shards ${text} must be an integer from 1 to ${MAX_SHARDS}`);
}

function clusterIdOf(text: string): string {
  if (NAME.test(text)) return text;
  throw new UsageError(`--cluster-id ${JSON.stringify(text)} ${NAME_RULE}`);
}

/** What a backup that a node of a cluster made says of itself. */
async function clusterOf(backup: string): Promise<object> {
  const { isClusterBackup, readBackupManifest } = await import('../backup/index.ts');
  if (!isClusterBackup(backup)) return {};
  const { clusterId, shardCount, parts } = readBackupManifest(backup);
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  return { cluster: clusterId, nodes: parts.map(({ node }) => node), shardCount, records: rows, bytes };
}

function refuseOccupied(directory: string): void {
  if (existsSync(directory) && !statSync(directory).isDirectory()) {
    throw new UsageError(`${directory} is a file; name an empty or absent directory`);
  }
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new UsageError(`${directory} is not empty; name an empty or absent directory`);
  }
}

/**
 * Store errors become what the CLI prints: the message, the hint, and an exit code.
 *
 * @param ifLocked what to do when a node has the directory, the command's first argument, open
 */
function guarded<A extends unknown[]>(
  ifLocked: (directory: string) => string,
  work: (...args: A) => Promise<void>,
): (...args: A) => Promise<void> {
  return async (...args) => {
    try {
      await work(...args);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.kind !== 'locked') throw new CommandError(error.message, { hint: error.hint, cause: error });
      throw new CommandError(error.message, {
        hint: ifLocked(String(args[0])),
        exitCode: ExitCode.UNAVAILABLE,
        cause: error,
      });
    }
  };
}

const stopOrCopy = (directory: string): string =>
  `Stop that one first, or look at a copy: \`tenuto data backup ${directory} COPY\` works beside a running node.`;
const stopFirst = (): string => 'It does not answer at its control socket to this user: stop it first.';

/** One line on stderr, redrawn on a terminal, absent elsewhere. */
function progressLine(verb: string): { show(progress: { records: number; bytes: number }): void; end(): void } {
  const terminal = process.stderr.isTTY === true;
  return {
    show: ({ records, bytes }) => {
      if (terminal) process.stderr.write(`\r${verb} ${records} records, ${(bytes / MIB).toFixed(1)} MiB`);
    },
    end: () => {
      if (terminal) process.stderr.write('\n');
    },
  };
}
