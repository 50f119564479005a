// Who leads which shard of a database that several nodes share. The ring says what this node should lead (`want`); a new term in the database
// makes it so, and fences whoever led before (I3): nobody has to agree, and nobody has to be reached. Nodes keep nothing: rows and log are read
// when a shard comes, flushed and forgotten when it goes. Nothing here makes anything safe; the store does, in each transaction.
// Called by the composition root, which gives `commitLog` to the engine.

import type { Cancelable, Clock, Random, Scheduler } from '../../src/ports/clock.ts';
import type { CommitLog } from '../../src/ports/commit-log.ts';
import { type Lsn, lsn, type ShardId, type Term } from '../../src/ports/ids.ts';
import type { SharedShards } from '../../src/ports/led-shards.ts';
import type { Log } from '../../src/ports/log.ts';
import { type Store, StoreError } from '../../src/ports/store.ts';
import { engineLog, type Lost } from './engine-log.ts';
import { Pauses } from './pauses.ts';

/** Shards whose terms are taken in one transaction. Commits wait behind it, so a node that takes over many goes on serving in between. */
const SHARDS_AT_ONCE = 256;
/** Logs read at once: fewer than a node has connections to read with. */
const LOGS_AT_ONCE = 4;
/** Default of `checkIntervalMs`. */
export const CHECK_MS = 1_000;

export interface SqlLeadershipOptions {
  /** Of scope `cluster`, open before the first `want`. */
  store: Pick<Store, 'nextTerm' | 'positions' | 'readLog' | 'append' | 'flush' | 'confirm'>;
  /** Called from the first `want` on: the engine is made with `commitLog`, and serves by then. */
  engine(): SharedShards;
  clock: Clock;
  scheduler: Scheduler;
  random: Random;
  log: Log;
  /** How soon a leader that writes nothing hears that it was replaced, ms. Default: 1 s. */
  checkIntervalMs?: number;
  /** A shard is led here from now on, in this term; or not any more. */
  changed?(shard: ShardId, term: Term | undefined): void;
  /** The database stays away, or the engine broke an invariant: this node cannot lead any more. Called once. */
  onFailed(error: unknown): void;
}

export class SqlLeadership {
  /** What the engine commits to. */
  readonly commitLog: CommitLog;
  readonly #options: SqlLeadershipOptions;
  readonly #led = new Map<ShardId, Term>();
  readonly #pauses: Pauses;
  #wanted: ReadonlySet<ShardId> = new Set();
  #working: Promise<void> | undefined;
  /** Something is to be looked at that the work under way may have passed. */
  #again = false;
  #wake: Cancelable | undefined;
  #check: Cancelable | undefined;
  #failed = false;

  constructor(options: SqlLeadershipOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.clock, options.random);
    this.commitLog = engineLog({
      store: options.store,
      termOf: (shard) => this.#led.get(shard),
      onFenced: (lost) => this.#lost(lost),
    });
  }

  /** The shards led here, and in which terms. */
  get led(): ReadonlyMap<ShardId, Term> {
    return this.#led;
  }

  /**
   * What this node should lead from now on, all of it: others are flushed and let go, missing ones are taken. Returns at once; calls while earlier
   * ones are carried out replace what those have not come to.
   */
  want(shards: ReadonlySet<ShardId>): void {
    this.#wanted = new Set(shards);
    this.#pauses.keepOnly(this.#wanted);
    this.#go();
  }

  /** Resolves when all that is wanted is led or has to wait, and nothing else is led. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  /** Flushes and lets go of everything, so that others take over with nothing to replay. The engine is closed after it. */
  async close(): Promise<void> {
    this.want(new Set());
    await this.settled();
    this.#stop();
  }

  #stop(): void {
    this.#wake?.cancel();
    this.#check?.cancel();
    this.#check = undefined;
  }

  #go(): void {
    this.#again = true;
    if (this.#working !== undefined || this.#failed) return;
    this.#wake?.cancel();
    this.#working = this.#work()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#working = undefined;
        // What came when it was about to end.
        if (this.#again) this.#go();
      });
  }

  async #work(): Promise<void> {
    while (!this.#failed) {
      this.#again = false;
      const given = [...this.#led.keys()].filter((shard) => !this.#wanted.has(shard));
      if (given.length > 0) {
        await this.#give(given);
        continue;
      }
      const missing = [...this.#wanted].filter((shard) => !this.#led.has(shard));
      const due = missing.filter((shard) => this.#pauses.waitMs(shard) === 0).slice(0, SHARDS_AT_ONCE);
      if (due.length === 0) {
        this.#wakeFor(missing);
        return;
      }
      await this.#take(due);
    }
  }

  #wakeFor(waiting: readonly ShardId[]): void {
    if (waiting.length === 0) return;
    const waitMs = Math.min(...waiting.map((shard) => this.#pauses.waitMs(shard)));
    this.#wake = this.#options.scheduler.after(waitMs, () => this.#go());
  }

  /** What is committed in between stays in the log: the next leader replays it. */
  async #give(shards: readonly ShardId[]): Promise<void> {
    const engine = this.#options.engine();
    await engine.flush(new Set(shards));
    const still = shards.filter((shard) => this.#led.has(shard) && !this.#wanted.has(shard));
    this.#end(still);
  }

  #end(shards: readonly ShardId[]): void {
    for (const shard of shards) this.#led.delete(shard);
    this.#options.engine().release(shards);
    for (const shard of shards) this.#options.changed?.(shard, undefined);
  }

  // ---------------------------------------------------------------- taking

  async #take(shards: readonly ShardId[]): Promise<void> {
    const { store, log } = this.#options;
    const term = await store.nextTerm({ shards });
    const positions = store.positions();
    const from = new Map(shards.map((shard) => [shard, positions.get(shard)?.appliedLsn ?? lsn(0)]));
    const adopted = await this.#adopt(from, term);
    let replayed = 0;
    const waiting = [...adopted];
    const worker = async (): Promise<void> => {
      for (let shard = waiting.shift(); shard !== undefined; shard = waiting.shift()) {
        replayed += await this.#replay(shard, term, {
          from: from.get(shard) ?? lsn(0),
          to: positions.get(shard)?.lastLsn ?? lsn(0),
        });
      }
    };
    await Promise.all(Array.from({ length: LOGS_AT_ONCE }, worker));
    log.info({ term, shards: shards.length, replayed }, 'took the lead of shards in the database');
  }

  /** Returns those whose rows could be read. */
  async #adopt(from: ReadonlyMap<ShardId, Lsn>, term: Term): Promise<ShardId[]> {
    try {
      await this.#options.engine().adopt(from);
      return [...from.keys()];
    } catch (error) {
      const [only] = from.keys();
      if (from.size === 1 && only !== undefined) {
        await this.#refuse(only, term, error);
        return [];
      }
    }
    // Damage is one shard's: which one?
    const adopted: ShardId[] = [];
    for (const entry of from) adopted.push(...(await this.#adopt(new Map([entry]), term)));
    return adopted;
  }

  async #replay(shard: ShardId, term: Term, { from, to }: { from: Lsn; to: Lsn }): Promise<number> {
    const { store, changed } = this.#options;
    const engine = this.#options.engine();
    let replayed = 0;
    try {
      if (to > from) {
        for await (const { lsn: at, entry } of store.readLog(shard, lsn(from + 1))) {
          engine.apply(shard, at, entry);
          replayed += 1;
        }
      }
      this.#led.set(shard, term);
      this.#pauses.began(shard);
      engine.lead(shard, term, to);
    } catch (error) {
      this.#led.delete(shard);
      await this.#refuse(shard, term, error);
      return replayed;
    }
    this.#check ??= this.#nextCheck();
    changed?.(shard, term);
    return replayed;
  }

  /** What was to be led could not be read: because another node took it meanwhile and trimmed its log, or because it is damaged. */
  async #refuse(shard: ShardId, term: Term, error: unknown): Promise<void> {
    if (!(error instanceof StoreError) || error.kind === 'failed' || error.kind === 'closed') throw error;
    const { store, engine, log } = this.#options;
    engine().release([shard]);
    const [fenced] = await store.confirm([{ shard, term }]);
    if (fenced !== undefined) {
      this.#pauses.lost(shard);
      return;
    }
    if (error.kind !== 'corrupt') throw error;
    const waitMs = this.#pauses.damaged(shard);
    log.error(
      { shard, term, error: error.message, retryInMs: waitMs },
      'a shard cannot be led: what it holds is damaged',
    );
  }

  // ---------------------------------------------------------------- losing

  #lost(lost: readonly Lost[]): void {
    const shards = lost.filter(({ shard, term }) => this.#led.get(shard) === term).map(({ shard }) => shard);
    if (shards.length === 0) return;
    for (const shard of shards) this.#pauses.lost(shard);
    this.#options.log.info({ shards: shards.length, first: shards[0] }, 'other nodes lead shards that were led here');
    this.#end(shards);
    this.#go();
  }

  /** A leader that writes nothing would not hear that it was replaced. */
  async #confirmAll(): Promise<void> {
    const leads = [...this.#led].map(([shard, term]) => ({ shard, term }));
    try {
      const fenced = new Set<number>((await this.#options.store.confirm(leads)).map(({ shard }) => shard));
      this.#lost(leads.filter(({ shard }) => fenced.has(shard)));
    } catch (error) {
      // Away for longer than it may be: where nobody writes, nothing else would end it, and the others would not take what is led here.
      if (error instanceof StoreError && error.kind === 'failed') this.#fail(error);
    }
    if (this.#check === undefined || this.#failed) return;
    this.#check = this.#nextCheck();
  }

  #nextCheck(): Cancelable {
    const { scheduler, checkIntervalMs = CHECK_MS } = this.#options;
    return scheduler.after(checkIntervalMs, () => void this.#confirmAll());
  }

  #fail(error: unknown): void {
    this.#failed = true;
    this.#again = false;
    this.#stop();
    this.#options.onFailed(error);
  }
}
