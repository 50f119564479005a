// Nodes with the real driver, the real store over simulated disks, and frames as bytes over a simulated network: many shards each. Whoever uses
// it moves the faults; every entry applied anywhere is compared with what was applied elsewhere.

import { ReplicationDriver } from '../../../cluster/replication/driver.ts';
import type { DriverOptions } from '../../../cluster/replication/driver-options.ts';
import { NO_TERM_SOURCE } from '../../../cluster/replication/terms.ts';
import { type Key, key, lsn, type ShardId, shardId, type Term } from '../../../src/ports/ids.ts';
import type { ReplicaPosition, RowLayout } from '../../../src/ports/replica-store.ts';
import type { AppendAnswer, AppliedEntry, ReplicatedLogUser } from '../../../src/ports/replicated-log.ts';
import type { RowWrite } from '../../../src/ports/store.ts';
import { MemoryDisk, type MemoryStore, openMemoryStore } from '../../../src/store/index.ts';
import { Kernel, Process, Violation } from '../kernel.ts';

/** Rows of a shard begin with its two bytes. */
const prefix = (shard: ShardId): string => String.fromCharCode(shard >> 8, shard & 0xff);
const layout: RowLayout = {
  ranges: (shard) => [{ from: key(prefix(shard)), to: key(`${prefix(shard)}\xff`) }],
  owns: () => true,
  ownerOf: () => undefined,
};

const TIMES = {
  electionMs: 1_000,
  electionSpreadMs: 500,
  heartbeatMs: 200,
  termWaitMs: 50,
  handOverMs: 1_000,
  clockDrift: 0.02,
};

/** A shard as an engine would keep it: rows in memory until they are flushed. */
interface ShardState {
  applied: number;
  dirty: Map<Key, Uint8Array>;
}

export class SimNode implements ReplicatedLogUser {
  readonly cluster: SimCluster;
  readonly index: number;
  disk = new MemoryDisk();
  directory: string;
  process: Process | undefined;
  store: MemoryStore | undefined;
  driver: ReplicationDriver | undefined;
  receive: ((from: string, frame: Uint8Array) => void) | undefined;
  readonly leads = new Map<ShardId, Term>();
  readonly shards = new Map<ShardId, ShardState>();
  failures: unknown[] = [];
  #failNext = false;
  refused: string[] = [];

  constructor(cluster: SimCluster, index: number) {
    this.cluster = cluster;
    this.index = index;
    this.directory = `d${index}`;
  }

  async start(): Promise<void> {
    const { kernel } = this.cluster;
    const process = new Process(kernel, `node ${this.index}`);
    this.process = process;
    this.leads.clear();
    this.shards.clear();
    this.disk.faults = {
      beforeWrite: () => {
        if (!this.#failNext) return;
        this.#failNext = false;
        throw new Error('simulated write error');
      },
      complete: (done) => {
        kernel.at(kernel.now + kernel.random.between(0.5, 3), process, 'write', done);
      },
    };
    const store = openMemoryStore({
      disk: this.disk,
      directoryId: this.directory,
      shardCount: this.cluster.shardCount,
    });
    this.store = store;
    await store.open();
    const options: DriverOptions = {
      store,
      transport: {
        send: (to, frame) => this.cluster.send(this, to, frame),
        onFrame: (receive) => {
          this.receive = receive;
        },
      },
      clock: process,
      scheduler: process,
      random: process.random,
      terms: NO_TERM_SOURCE,
      layout,
      user: this,
      times: TIMES,
      snapshotsAtOnce: 2,
      bounds: { cachedBytes: 500, messageBytes: 400 },
      onRefused: (from, why) => this.refused.push(`${from}: ${why}`),
    };
    const driver = new ReplicationDriver(options);
    for (let n = 0; n < store.shardCount; n += 1) {
      const { appliedLsn }: ReplicaPosition = store.replicaPosition(shardId(n));
      this.shards.set(shardId(n), { applied: appliedLsn, dirty: new Map() });
    }
    this.driver = driver;
    await driver.open();
    const flush = (): void => {
      void this.flush()
        .catch((error: unknown) => this.failures.push(error))
        .finally(() => process.after(250, flush));
    };
    process.after(250, flush);
  }

  failNextWrite(): void {
    this.#failNext = true;
  }

  kill(): void {
    this.#failNext = false;
    this.process?.kill();
    this.process = undefined;
    this.store?.crash();
    this.store = undefined;
    this.driver = undefined;
    this.receive = undefined;
    this.leads.clear();
  }

  /** A new disk: another directory. */
  wipe(): void {
    this.kill();
    this.disk = new MemoryDisk();
    this.directory = `${this.directory}+`;
  }

  async flush(): Promise<void> {
    const { driver } = this;
    const flushes = [...this.shards].flatMap(([shard, state]) => {
      const position = this.store?.replicaPosition(shard);
      if (position === undefined || position.rows !== 'whole' || state.applied <= position.appliedLsn) return [];
      const rows: RowWrite[] = [...state.dirty];
      state.dirty = new Map();
      return [{ shard, term: position.term, appliedLsn: lsn(state.applied), rows }];
    });
    if (flushes.length > 0) await driver?.flush(flushes);
  }

  applied(shard: ShardId, { lsn: at, term, entry }: AppliedEntry): void {
    const state = this.#state(shard);
    if (at !== state.applied + 1)
      throw new Violation('order', `${this.directory} applies ${at} after ${state.applied}`);
    state.applied = at;
    this.cluster.compare(shard, at, term, entry);
    if (entry !== undefined) state.dirty.set(key(`${prefix(shard)}${at % 7}`), entry);
  }

  leading(shard: ShardId, term: Term, at: number): void {
    if (at !== this.#state(shard).applied)
      throw new Violation('leading', `${this.directory} leads ${shard} before it is applied`);
    this.cluster.elected(shard, term, this.directory);
    this.leads.set(shard, term);
  }

  following(shard: ShardId): void {
    this.leads.delete(shard);
  }

  installed(shard: ShardId, at: number): void {
    const state = this.#state(shard);
    state.applied = at;
    state.dirty = new Map();
    this.cluster.installs += 1;
  }

  dropped(shard: ShardId): void {
    this.shards.set(shard, { applied: 0, dirty: new Map() });
  }

  configured(): void {}

  controlAppended(shard: ShardId, at: number): void {
    if (!this.leads.has(shard))
      throw new Violation('control entry', `${this.directory} appends ${at} of ${shard} and does not lead`);
  }

  failed(error: unknown): void {
    this.failures.push(error);
  }

  #state(shard: ShardId): ShardState {
    const state = this.shards.get(shard);
    if (state === undefined) throw new Error(`no shard ${shard}`);
    return state;
  }
}

export class SimCluster {
  readonly kernel: Kernel;
  readonly shardCount: number;
  readonly nodes: SimNode[];
  readonly #applied = new Map<string, string>();
  readonly #leaders = new Map<string, string>();
  acknowledged = new Map<ShardId, string[]>();
  /** The highest lsn of them. */
  readonly acknowledgedLsn = new Map<ShardId, number>();
  installs = 0;
  frames = 0;
  bytes = 0;
  /** `from>to`, by index. */
  readonly cut = new Set<string>();
  dropChance = 0;

  constructor(seed: number, nodes: number, shardCount: number) {
    this.kernel = new Kernel(seed);
    this.shardCount = shardCount;
    this.nodes = Array.from({ length: nodes }, (_, i) => new SimNode(this, i));
  }

  /** Starts the nodes; the first `replicas` of them are the voters of every shard. */
  async begin(replicas: number): Promise<void> {
    for (const node of this.nodes) void node.start().catch((error: unknown) => this.kernel.fail(error));
    await this.pass(5);
    const voters = this.nodes.slice(0, replicas).map(({ directory }) => directory);
    for (const node of this.nodes.slice(0, replicas)) {
      for (let n = 0; n < this.shardCount; n += 1) void node.driver?.createShard(shardId(n), voters);
    }
    await this.until(() => this.#allLed());
  }

  #allLed(): boolean {
    return Array.from({ length: this.shardCount }, (_, n) => shardId(n)).every(
      (shard) => this.leaderOf(shard) !== undefined,
    );
  }

  leaderOf(shard: ShardId): SimNode | undefined {
    return this.nodes.find(({ leads }) => leads.has(shard));
  }

  async pass(ms: number): Promise<void> {
    await this.kernel.run(this.kernel.now + ms, () => false);
    // Nothing may be scheduled to the end of the time.
    if (this.kernel.failure !== undefined) throw this.kernel.failure;
  }

  async until(done: () => boolean, ms = 30_000): Promise<void> {
    let isDone = false;
    await this.kernel.run(this.kernel.now + ms, () => {
      isDone = done();
      return isDone;
    });
    if (this.kernel.failure !== undefined) throw this.kernel.failure;
    if (!isDone) throw new Violation('progress', `not done after ${ms} ms`);
  }

  /** At whoever leads. False: nobody does. */
  write(shard: ShardId, text: string): boolean {
    const node = this.leaderOf(shard);
    const term = node?.leads.get(shard);
    if (node?.driver === undefined || term === undefined) return false;
    const answer: AppendAnswer = node.driver.append(shard, term, Buffer.from(text), (outcome) => {
      if (outcome !== 'committed') return;
      const list = this.acknowledged.get(shard) ?? [];
      list.push(text);
      if ('lsn' in answer) this.acknowledgedLsn.set(shard, answer.lsn);
      this.acknowledged.set(shard, list);
    });
    return 'lsn' in answer;
  }

  send(from: SimNode, to: string, frame: Uint8Array): void {
    const { kernel } = this;
    const node = this.nodes.find(({ directory }) => directory === to);
    this.frames += 1;
    this.bytes += frame.length;
    if (node === undefined || this.cut.has(`${from.index}>${node.index}`) || kernel.random.chance(this.dropChance))
      return;
    const { directory } = from;
    for (let copies = kernel.random.chance(this.dropChance / 2) ? 2 : 1; copies > 0; copies -= 1) {
      const late = kernel.random.chance(this.dropChance) ? kernel.random.between(0, 400) : 0;
      kernel.at(kernel.now + kernel.random.between(0.2, 2) + late, node.process, 'frame', () => {
        if (node.directory === to) node.receive?.(directory, frame);
      });
    }
  }

  /** The same entry at the same place, everywhere. */
  compare(shard: ShardId, at: number, term: Term, entry: Uint8Array | undefined): void {
    const place = `${shard}/${at}`;
    const what = `${term} ${entry === undefined ? 'control' : Buffer.from(entry).toString()}`;
    const other = this.#applied.get(place);
    if (other === undefined) this.#applied.set(place, what);
    else if (other !== what) throw new Violation('state-machine safety', `${place} is ${other} and ${what}`);
  }

  elected(shard: ShardId, term: Term, directory: string): void {
    const place = `${shard}@${term}`;
    const other = this.#leaders.get(place);
    if (other !== undefined && other !== directory)
      throw new Violation('election safety', `${place}: ${other}, ${directory}`);
    this.#leaders.set(place, directory);
  }

  /** Everything acknowledged is among what was applied. */
  lost(): string[] {
    const applied = new Set(
      [...this.#applied].map(([place, what]) => `${place.split('/')[0]} ${what.split(' ').slice(1).join(' ')}`),
    );
    return [...this.acknowledged].flatMap(([shard, texts]) => texts.filter((text) => !applied.has(`${shard} ${text}`)));
  }
}
