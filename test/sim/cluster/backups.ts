// Backups of a simulated cluster, asked of any node while things go wrong. Each that a node calls one is kept, and looked at in the end: it holds every shard
// as of one lsn, with all that was committed when it was asked for; it is one cut; and it restores to other shards with the same runs.

import { checkedCut, fill } from '../../../src/backup/restore.ts';
import type { BackupSource, SourceRow } from '../../../src/backup/source.ts';
import type { BackupTarget, ShardCut } from '../../../src/ports/cluster-backup.ts';
import { key, term } from '../../../src/ports/ids.ts';
import type { StoreChunk } from '../../../src/ports/replica-store.ts';
import { StoreError } from '../../../src/ports/store.ts';
import { ownerOf } from '../../../src/shard/row-layout.ts';
import { BulkLoad } from '../../../src/store/bulk-load.ts';
import { MemoryBackend, MemoryDisk } from '../../../src/store/memory/backend.ts';
import { openMemoryStore } from '../../../src/store/memory/store.ts';
import { rowsOfChunk } from '../../../src/store/shard-snapshot.ts';
import { compareRows, eventsByRun } from '../end-checks.ts';
import { same } from '../flush-watch.ts';
import { Violation } from '../kernel.ts';
import type { SeededRandom } from '../random.ts';
import type { Truth } from '../truth.ts';
import type { ClusterProcess } from './node.ts';
import type { ClusterWorld } from './world.ts';

/** ms between two looks at whether one is still to be made once everything is healed. */
const LOOK_MS = 1_000;
/** Shards a backup is restored to, unless as many as it has. */
const RESTORED_TO = [1, 3];

interface Part {
  readonly cuts: readonly ShardCut[];
  readonly rows: SourceRow[];
}

interface Backup {
  readonly by: string;
  /** By shard: committed when it was asked for. */
  readonly promised: readonly number[];
  readonly parts: readonly Part[];
}

export class SimBackups {
  readonly #world: ClusterWorld;
  readonly #random: SeededRandom;
  readonly #made: Backup[] = [];
  /** Who is at one, since everything is healed. */
  #last: ClusterProcess | undefined;
  #owed = false;

  constructor(world: ClusterWorld, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
  }

  get over(): boolean {
    return !this.#owed;
  }

  begin(): void {
    const { kernel, plan } = this.#world;
    for (const at of plan.backupsAt) kernel.at(at, undefined, 'a backup is asked for', () => this.#ask());
  }

  /** One must come about now. */
  heal(): void {
    this.#owed = this.#world.plan.backupsAt.length > 0;
    if (this.#owed) this.#untilMade();
  }

  #untilMade(): void {
    if (!this.#owed) return;
    if (this.#last?.process.alive !== true)
      this.#last = this.#ask(() => {
        this.#owed = false;
      });
    this.#world.kernel.after(LOOK_MS, 'looks for a backup', () => this.#untilMade());
  }

  #ask(then: () => void = () => undefined): ClusterProcess | undefined {
    const { up, truth, plan, kernel } = this.#world;
    const { node } = up.length === 0 ? { node: undefined } : this.#random.pick(up);
    const cluster = node?.cluster;
    if (node === undefined || cluster === undefined) return undefined;
    const parts: Part[] = [];
    const promised = Array.from({ length: plan.shardCount }, (_, shard) => truth.lastLsn(shard));
    const made = (): void => {
      if (!node.process.alive) return;
      kernel.note(`${node.process.name} has made a backup`);
      this.#world.reached('a backup was made');
      this.#made.push({ by: node.process.name, promised, parts });
      then();
    };
    const failed = (error: unknown): void => {
      if (!node.process.alive) return;
      if (!(error instanceof StoreError)) kernel.fail(error);
      this.#world.reached('a backup came to nothing');
      kernel.note(`${node.process.name} makes no backup: ${error instanceof Error ? error.message : String(error)}`);
      if (this.#last === node) this.#last = undefined;
    };
    node.process.act(() => void cluster.backup(into(parts)).then(made, failed));
    return node;
  }

  /** @throws Violation */
  async check(): Promise<void> {
    const { truth, plan } = this.#world;
    for (const backup of this.#made) {
      const where = `the backup by ${backup.by}`;
      for (let shard = 0; shard < plan.shardCount; shard += 1) checkShard(truth, backup, shard, where);
      const shardCount = this.#random.pick([...RESTORED_TO, plan.shardCount]);
      await checkRestored(backup, plan.shardCount, shardCount, where);
    }
  }
}

/** In memory: chunks are decoded as they come, their bytes are not kept. */
function into(parts: Part[]): BackupTarget {
  return {
    part: async (_node, cuts) => {
      const part: Part = { cuts, rows: [] };
      parts.push(part);
      return {
        write: async ({ bytes }: StoreChunk) => {
          for (const [rowKey, value] of rowsOfChunk(bytes)) part.rows.push([rowKey, new Uint8Array(value)]);
        },
      };
    },
    finish: async () => undefined,
    abandon: async () => undefined,
  };
}

/** Its rows are those of one lsn: of the cut, or of one after it. */
function checkShard(truth: Truth, { parts, promised }: Backup, shard: number, where: string): void {
  const holding = parts.filter(({ cuts }) => cuts.some((cut) => cut.shard === shard));
  const [part] = holding;
  const cut = part?.cuts.find((one) => one.shard === shard);
  if (part === undefined || cut === undefined || holding.length > 1)
    throw new Violation('backup', `${where} holds shard ${shard} ${holding.length} times`);
  const wanted = promised[shard] ?? 0;
  if (cut.lsn < wanted)
    throw new Violation(
      'backup',
      `${where} holds shard ${shard} up to ${cut.lsn}, and ${wanted} was committed when it was asked for`,
    );
  const found = new Map<string, Uint8Array>(part.rows.filter(([rowKey]) => ownerOf(rowKey) === shard));
  const entries = truth.entriesOf(shard);
  const rows = new Map<string, Uint8Array>();
  const deletions = { isGone: (runId: string) => truth.watches.deletions.isGone(runId), checkDisk: () => undefined };
  let first: unknown;
  for (const [i, entry] of entries.entries()) {
    for (const [rowKey, value] of entry.rows) {
      if (value === undefined) rows.delete(rowKey);
      else rows.set(rowKey, value);
    }
    if (i + 1 < cut.lsn) continue;
    try {
      compareRows(found, { rows, watches: { deletions } }, `of shard ${shard} in ${where}, of lsn ${cut.lsn}`);
      return;
    } catch (error) {
      first ??= error;
    }
  }
  throw first ?? new Violation('backup', `${where} holds shard ${shard} up to ${cut.lsn} of ${entries.length} entries`);
}

async function checkRestored({ parts }: Backup, from: number, shardCount: number, where: string): Promise<void> {
  const source: BackupSource = {
    ...{ shardCount: from, clusterId: 'sim' },
    term: Math.max(...parts.flatMap(({ cuts }) => cuts.map((cut) => cut.term))),
    async *rows() {
      for (const { rows } of parts) yield rows;
    },
    close: async () => undefined,
  };
  const disk = new MemoryDisk();
  const backend = new MemoryBackend(disk);
  await backend.open();
  try {
    const cut = await checkedCut(source);
    await fill(new BulkLoad(backend), source, cut, { shardCount, configuration: new Uint8Array(), origin: 'restored' });
  } catch (error) {
    if (error instanceof StoreError) throw new Violation('backup', `${where}: ${error.message}`);
    throw error;
  }
  const store = openMemoryStore({ disk, shardCount });
  const positions = await store.open();
  const early = [...positions.values()].find((position) => position.term <= term(source.term));
  if (positions.size !== shardCount || early !== undefined)
    throw new Violation('backup', `${where} restores ${positions.size} shards of ${shardCount}, or in an old term`);
  const restored = await store.range({ from: key(''), to: key('\xff\xff\xff'), limit: 100_000 });
  await store.close();
  const all = parts.flatMap(({ rows }) => rows);
  if (!same(runsOf(restored), runsOf(all)))
    throw new Violation('backup', `${where} restores to ${shardCount} shards with other events`);
  if (!same(actorsOf(restored), actorsOf(all)))
    throw new Violation('backup', `${where} restores to ${shardCount} shards with other rows`);
}

/** By run, whatever shard it is in. */
const runsOf = (rows: Iterable<SourceRow>): unknown[] =>
  [...eventsByRun(new Map<string, Uint8Array>(rows), () => false)]
    .map(([run, events]) => [run.slice(SHARD_END), events] as const)
    .sort(byName);

const actorsOf = (rows: Iterable<SourceRow>): unknown[] =>
  [...rows]
    .filter(([rowKey]) => rowKey.startsWith('a'))
    .map(([rowKey, value]) => [rowKey.slice(SHARD_END), value] as const)
    .sort(byName);

/** Of a row's key: its table, and two bytes of its shard. */
const SHARD_END = 3;
const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
