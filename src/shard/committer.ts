// Group commit (DESIGN §5): the turns that are ready become one append; turns that arrive while it is in flight form the next. A store takes
// all shards at once; of a replicated log each shard has a lane of its own, so that none waits for another's majority. One entry per
// shard and batch. When the append is settled, rows enter the overlay first, then each turn's effects and reply leave (I1). A write
// error is final: `onFailed` stops the engine. A batch that only pushes tasks ahead may wait for their completions (patience.ts).

import type { Cancelable, Clock, Scheduler } from '../ports/clock.ts';
import type { CommitLog } from '../ports/commit-log.ts';
import { type Key, lsn, type ShardId, type Term } from '../ports/ids.ts';
import type { AppendResult, Fenced, LogAppend } from '../ports/store.ts';
import type { Status } from '../wire/status.ts';
import { type BacklogDelta, type Entry, encodeEntry, type Receipt } from './entry.ts';
import { isWriteOnce } from './keys.ts';
import { Patience } from './patience.ts';
import type { Shard } from './shard.ts';
import { messageOf, unavailable } from './status.ts';
import type { Turn } from './turn.ts';

class ShardBatch {
  readonly shard: Shard;
  /** Of the leadership it was decided in. */
  readonly term: Term;
  readonly turns: Turn[] = [];
  #rows: Map<Key, Uint8Array | undefined> | undefined;
  #rewritten: Set<Key> | undefined;
  #receipts: Receipt[] | undefined;
  #counts: BacklogDelta[] | undefined;

  constructor(shard: Shard) {
    this.shard = shard;
    this.term = shard.term;
  }

  add(turn: Turn): void {
    this.turns.push(turn);
    if (this.#rows === undefined) {
      // Most batches hold one turn of a shard: its rows are the batch's.
      this.#rows = turn.rows;
      this.#rewritten = turn.rewritten;
    } else {
      for (const [key, value] of turn.rows) this.#set(this.#rows, key, value);
      if (turn.rewritten !== undefined) for (const key of turn.rewritten) this.#rewrite(key);
    }
    if (turn.receipts !== undefined) this.#receipts = [...(this.#receipts ?? []), ...turn.receipts];
    if (turn.counts !== undefined) this.#counts = [...(this.#counts ?? []), ...turn.counts];
  }

  /** Write-once rows that began in this batch and end in it leave no trace. */
  #set(rows: Map<Key, Uint8Array | undefined>, key: Key, value: Uint8Array | undefined): void {
    if (rows.has(key)) {
      const before = rows.get(key);
      if (value === undefined && before !== undefined && isWriteOnce(key) && this.#rewritten?.has(key) !== true) {
        rows.delete(key);
        return;
      }
      if (value !== undefined && before === undefined) this.#rewrite(key);
    }
    rows.set(key, value);
  }

  #rewrite(key: Key): void {
    this.#rewritten ??= new Set();
    this.#rewritten.add(key);
  }

  entry(): Entry {
    return {
      time: this.shard.time,
      rows: this.#rows ?? NO_ROWS,
      receipts: this.#receipts ?? [],
      counts: this.#counts === undefined ? [] : summed(this.#counts),
      rewritten: this.#rewritten === undefined ? [] : [...this.#rewritten],
    };
  }
}

/** Deltas of one queue that cancel out are not worth a word. */
function summed(counts: readonly BacklogDelta[]): BacklogDelta[] {
  const sums = new Map<string, BacklogDelta>();
  for (const { queue, delta } of counts) {
    const id = `${queue.kind}\0${queue.namespace}\0${queue.name}`;
    sums.set(id, { queue, delta: delta + (sums.get(id)?.delta ?? 0) });
  }
  return [...sums.values()].filter(({ delta }) => delta !== 0);
}

const NO_ROWS: ReadonlyMap<Key, Uint8Array | undefined> = new Map();

/** Appends that go one after the other. */
class Lane {
  forming = new Map<Shard, ShardBatch>();
  inFlight = false;
  /** What is in flight. */
  sent: readonly ShardBatch[] = [];
  /** In the list of those to be appended in this turn of the event loop, or waits to be tried again. */
  cutting = false;
  /** Waits for what was pushed ahead to be completed. */
  hold: Cancelable | undefined;
}

/** A log that hands a shard over takes nothing for a moment, ms. */
const RETRY_MS = 5;

export interface CommitterOptions {
  /** Where entries become durable: the store, or a quorum of them. */
  log: CommitLog;
  clock: Clock;
  scheduler: Scheduler;
  /** The entry is durable: rows enter the overlay. */
  apply(shard: Shard, entry: Entry): void;
  /** After all entries of an append have been applied, before any turn ends. */
  applied(): void;
  /** Its leadership is over; its turns are told next. */
  onFenced(shard: Shard): void;
  onFailed(error: unknown): void;
}

export class Committer {
  readonly #options: CommitterOptions;
  /** Of all shards, where the log takes them together. */
  readonly #common = new Lane();
  /** By id: the shard's object is another one once its rows were replaced. */
  readonly #lanes = new Map<ShardId, Lane>();
  #ready: Lane[] = [];
  #stopped: Status | undefined;
  readonly #patience = new Patience();
  #idle: (() => void)[] = [];
  /** Turns decided and not durable, and their bytes (I9). */
  pendingTurns = 0;
  pendingBytes = 0;
  commits = 0;
  turns = 0;
  readonly #cut = (): void => {
    const lanes = this.#ready;
    this.#ready = [];
    for (const lane of lanes) {
      lane.cutting = false;
      if (!this.#holds(lane)) this.#append(lane);
    }
  };

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  join(turn: Turn): void {
    if (this.#stopped !== undefined) {
      turn.end(this.#stopped);
      return;
    }
    const { shard } = turn.actor;
    if (!shard.isLed) {
      turn.end(lostStatus(shard, 'no'));
      return;
    }
    const lane = this.#laneOf(shard);
    let batch = lane.forming.get(shard);
    if (batch === undefined) {
      batch = new ShardBatch(shard);
      lane.forming.set(shard, batch);
    }
    batch.add(turn);
    turn.actor.pending = turn;
    this.pendingTurns += 1;
    this.pendingBytes += turn.bytes;
    this.#cutSoon(lane);
  }

  /** Resolves when nothing is decided that is not durable. */
  drained(): Promise<void> {
    if (this.pendingTurns === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  /** Resolves when all that is decided by now is durable, or never going to be; what comes meanwhile is not waited for. */
  async settledSoFar(): Promise<void> {
    const batches = [this.#common, ...this.#lanes.values()].flatMap(({ sent, forming }) => [
      ...sent,
      ...forming.values(),
    ]);
    const ends = batches
      .flatMap(({ turns }) => turns.at(-1) ?? [])
      .map((turn) => new Promise<void>((resolve) => turn.wait({ durable: resolve, failed: () => resolve() })));
    await Promise.all(ends);
  }

  #laneOf(shard: Shard): Lane {
    if (this.#options.log.appends === 'together') return this.#common;
    let lane = this.#lanes.get(shard.id);
    if (lane === undefined) {
      lane = new Lane();
      this.#lanes.set(shard.id, lane);
    }
    return lane;
  }

  #cutSoon(lane: Lane): void {
    if (lane.inFlight || lane.cutting) return;
    lane.cutting = true;
    this.#ready.push(lane);
    if (this.#ready.length === 1) this.#options.scheduler.soon(this.#cut);
  }

  /** Whether what would be appended waits for the completions of the tasks it pushed ahead, which then share its append. */
  #holds(lane: Lane): boolean {
    const waits = lane.forming.size > 0 && [...lane.forming.values()].every(onlyPushesAhead);
    if (lane.hold !== undefined) {
      // More of the kind joined: they wait no longer than the first.
      if (waits) return true;
      lane.hold.cancel();
      lane.hold = undefined;
      return false;
    }
    const waitMs = waits ? this.#patience.waitMs : undefined;
    if (waitMs === undefined) return false;
    lane.hold = this.#options.scheduler.after(waitMs, () => {
      lane.hold = undefined;
      this.#append(lane);
    });
    return true;
  }

  #append(lane: Lane): void {
    if (lane.inFlight || lane.forming.size === 0 || this.#stopped !== undefined) return;
    const batches = [...lane.forming.values()];
    const entries: Entry[] = [];
    const appends: LogAppend[] = batches.map((batch) => {
      const entry = batch.entry();
      entries.push(entry);
      const { shard, term } = batch;
      shard.lastLsn += 1;
      return { shard: shard.id, term, lsn: lsn(shard.lastLsn), entry: encodeEntry(entry) };
    });
    lane.inFlight = true;
    lane.sent = batches;
    lane.forming = new Map();
    const { clock } = this.#options;
    const begun = clock.monotonic();
    const answer = this.#options.log.append(appends, (result) => {
      this.#patience.appended(clock.monotonic() - begun);
      if (result instanceof Error) this.#fail(batches, result);
      else this.#settled(lane, batches, entries, result);
    });
    if (answer === 'taken') return;
    // Nothing was written. What is decided keeps its place; where the shard goes to another node meanwhile, it is dropped there.
    lane.inFlight = false;
    lane.sent = [];
    lane.cutting = true;
    for (const batch of batches) {
      batch.shard.lastLsn -= 1;
      lane.forming.set(batch.shard, batch);
    }
    this.#options.scheduler.after(RETRY_MS, () => {
      lane.cutting = false;
      this.#append(lane);
    });
  }

  #settled(
    lane: Lane,
    batches: readonly ShardBatch[],
    entries: readonly Entry[],
    { fenced: lost }: AppendResult,
  ): void {
    const fenced = new Map<number, Fenced>(lost.map((found) => [found.shard, found]));
    lane.inFlight = false;
    lane.sent = [];
    this.commits += 1;
    batches.forEach((batch, i) => {
      const entry = entries[i];
      if (entry === undefined) return;
      if (!this.#isLost(batch, fenced)) this.#options.apply(batch.shard, entry);
    });
    // Before anybody is told: who asks again at once must not be answered from what was lost (I1).
    for (const { shard, term } of batches)
      if (fenced.has(shard.id) && shard.term === term) this.#options.onFenced(shard);
    this.#options.applied();
    for (const { turns } of batches)
      for (const turn of turns) if (turn.onlyPushesAhead) this.#patience.pushed(turn.actor.pending !== turn);
    for (const batch of batches) this.#end(batch, this.#whyLost(batch, fenced));
    this.#settle();
    if (lane.forming.size > 0) this.#cutSoon(lane);
  }

  /** Its leadership ended before it was known to be durable. */
  #isLost({ shard, term }: ShardBatch, fenced: ReadonlyMap<number, Fenced>): boolean {
    return fenced.has(shard.id) || shard.term !== term;
  }

  /** Where the log does not say, the shard's next leader knows. */
  #whyLost(batch: ShardBatch, fenced: ReadonlyMap<number, Fenced>): Status | undefined {
    if (!this.#isLost(batch, fenced)) return undefined;
    const found = fenced.get(batch.shard.id);
    return lostStatus(batch.shard, found === undefined ? 'maybe' : (found.applied ?? 'no'));
  }

  /** The shard is not led here any more: what no append has taken was never decided. */
  drop(shard: Shard): void {
    const lane = this.#laneOf(shard);
    const batch = lane.forming.get(shard);
    if (batch === undefined) return;
    lane.forming.delete(shard);
    this.#end(batch, lostStatus(shard, 'no'));
    this.#settle();
  }

  #settle(): void {
    if (this.pendingTurns === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #end(batch: ShardBatch, why: Status | undefined): void {
    for (const turn of batch.turns) {
      this.pendingTurns -= 1;
      this.pendingBytes -= turn.bytes;
      this.turns += 1;
      turn.end(why);
    }
  }

  #fail(batches: readonly ShardBatch[], error: unknown): void {
    const what = `The store refused a write: ${messageOf(error)}. This node stops serving; restart it once the disk is sound.`;
    this.#stopped = unavailable(what, 'no');
    this.#options.onFailed(error);
    const formed: ShardBatch[] = [];
    for (const lane of [this.#common, ...this.#lanes.values()]) {
      formed.push(...lane.forming.values());
      lane.forming = new Map();
    }
    for (const batch of batches) this.#end(batch, unavailable(what, 'maybe'));
    for (const batch of formed) this.#end(batch, this.#stopped);
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

const onlyPushesAhead = ({ turns }: ShardBatch): boolean => turns.every((turn) => turn.onlyPushesAhead);

const lostStatus = (shard: Shard, applied: 'no' | 'maybe'): Status =>
  unavailable(`Shard ${shard.id} is not led by this node any more: ask again.`, applied);
