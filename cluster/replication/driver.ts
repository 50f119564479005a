// The replicated log of a node: many cores over one store, one transport and one clock. A tick drains every core that has something: one write
// for all steps, one frame per peer, then what is committed goes to the user in order. Keeps I1 by doing what the cores ask in the order they
// state (core/output.ts), and bounds what waits (I9) by the cores' bounds. Built by the composition root.

import type { Cancelable } from '../../src/ports/clock.ts';
import { lsn, type ShardId, type Term } from '../../src/ports/ids.ts';
import type { ReplicaFlush } from '../../src/ports/replica-store.ts';
import type { AppendAnswer, AppendOutcome, ReplicatedLog } from '../../src/ports/replicated-log.ts';
import type { ShardFlush } from '../../src/ports/store.ts';
import { Applying } from './applying.ts';
import { CatchUp, SNAPSHOTS_AT_ONCE } from './catch-up.ts';
import { type ConfigurationChange, configurationOf, encodeConfiguration } from './core/configuration.ts';
import { firstEntry, isData } from './core/entry.ts';
import { type DirectoryId, directoryId } from './core/ids.ts';
import type { Message } from './core/message.ts';
import { DEFAULT_TIMES, type ReplicaTimes } from './core/options.ts';
import type { Notice } from './core/output.ts';
import { type ChangeAnswer, Replica } from './core/replica.ts';
import type { DriverOptions } from './driver-options.ts';
import { type Found, find } from './found.ts';
import { Leaving, type Standing, standingOf } from './leaving.ts';
import { decodeFrame, owned } from './multi/frame.ts';
import { Peers } from './multi/peers.ts';
import { Persistence, type Step } from './persistence.ts';
import { restoredFrom, ShardReplica } from './shard-replica.ts';

/** ms between ticks: what elections and hand-overs are measured in. */
const TICK_MS = 100;
/** A tick so much late says that this process did not run, and that what the others sent meanwhile is still to be read, ms. */
const OVERSLEPT_MS = 500;
/** … which is done by then, ms. */
const READ_FIRST_MS = 20;
/** Drains that lead to more to drain at once: more is a loop, and waits for the next turn. */
const MAX_ROUNDS = 100;
const CONFIRMED = Promise.resolve(true);

/** A log of this directory and its leader's differ though they cannot: for good. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError';
}

export class ReplicationDriver implements ReplicatedLog {
  readonly self: DirectoryId;
  readonly #options: DriverOptions;
  readonly #times: ReplicaTimes;
  readonly #shards = new Map<ShardId, ShardReplica>();
  /** Whose first entry is being written. */
  readonly #creating = new Set<ShardId>();
  readonly #peers: Peers;
  readonly #persistence: Persistence;
  readonly #catchUp: CatchUp;
  readonly #leaving: Leaving;
  readonly #applying: Applying;
  #dirty: ShardReplica[] = [];
  #scheduled = false;
  #ticker: Cancelable | undefined;
  /** Of what beats until the next flush: the peers answer that with one number. */
  #round = 0;
  #isRoundOut = true;
  #tickedAtMs = 0;
  #beatSlot = -1;
  #allBeat = false;
  #nextRead = 1;
  #state: 'new' | 'open' | 'failed' | 'closed' = 'new';

  constructor(options: DriverOptions) {
    const { store, transport, layout, random } = options;
    this.#options = options;
    this.#times = { ...DEFAULT_TIMES, ...options.times };
    this.self = directoryId(store.directoryId);
    this.#peers = new Peers(1 + Math.floor(random.next() * 2 ** 47), (to, frame) => transport.send(to, frame));
    this.#persistence = new Persistence({
      store,
      layout,
      durable: (of, seq) => this.#persisted(of, seq),
      failed: (error) => this.#fail(error),
    });
    this.#leaving = new Leaving({
      ...{ store, layout, shards: this.#shards, user: options.user },
      failed: (error) => this.#fail(error),
    });
    this.#applying = new Applying({
      ...{ store, user: options.user },
      isOpen: () => this.#state === 'open',
      wake: (of) => this.#wake(of),
      failed: (error) => this.#fail(error),
    });
    this.#catchUp = new CatchUp({
      store,
      layout,
      random,
      snapshotsAtOnce: options.snapshotsAtOnce ?? SNAPSHOTS_AT_ONCE,
      answer: (shard, work) => void this.#do(shard, work),
      refused: (by, why) => options.onRefused?.(by, why),
      failed: (error) => this.#fail(error),
    });
  }

  get frames(): number {
    return this.#peers.frames;
  }

  replicaOf(shard: ShardId): Replica | undefined {
    return this.#shards.get(shard)?.replica;
  }

  /**
   * After the store's own `open`, and the user's. What was committed and not flushed comes through `applied` as it becomes known again, and what the user
   * has read of a shard whose rows were half in place is void: `installed` says so once they all are.
   */
  async open(): Promise<void> {
    const { store, layout, transport } = this.#options;
    for (let n = 0; n < store.shardCount; n += 1) {
      const shard = n as ShardId; // within the store's count
      const position = store.replicaPosition(shard);
      if (position.rows === 'dropping') this.#leaving.found(shard);
      if (position.rows === 'installing') {
        await store.resumeInstall(shard, layout);
        this.#options.user.installed(shard, position.appliedLsn);
      }
      const found = await find(store, shard);
      if (found !== undefined) this.#add(shard, found);
    }
    if (this.#state !== 'new') return;
    this.#state = 'open';
    transport.onFrame((from, frame) => this.#receive(directoryId(from), frame));
    this.#tick();
  }

  /** The cluster's initialisation gives the same voters to each of them, once. Never because a node finds nothing. */
  async createShard(shard: ShardId, voters: readonly string[]): Promise<void> {
    const { store } = this.#options;
    if (this.#shards.has(shard)) throw new Error(`shard ${shard} is here already`);
    const entry = firstEntry(configurationOf(voters.map(directoryId)));
    this.#creating.add(shard);
    try {
      await store.append([{ shard, ...entry }]);
    } finally {
      this.#creating.delete(shard);
    }
    this.#wake(this.#add(shard, { position: store.replicaPosition(shard), stored: [], entries: [entry] }));
  }

  append(shard: ShardId, inTerm: Term, entry: Uint8Array, settled: (outcome: AppendOutcome) => void): AppendAnswer {
    const of = this.#shards.get(shard);
    if (of === undefined || this.#state !== 'open' || !of.replica.isServing || of.replica.term !== inTerm) {
      return { refused: 'notLeader' };
    }
    if (!isData(entry)) throw new Error(`shard ${shard}: an entry of data must not begin with 0xc1`);
    const answer = of.replica.propose(entry);
    if (!('lsn' in answer)) return answer;
    of.appends.set(answer.lsn, { term: inTerm, settled });
    this.#wake(of);
    return answer;
  }

  confirm(shard: ShardId): Promise<boolean> {
    const of = this.#shards.get(shard);
    if (of === undefined || this.#state !== 'open') return Promise.resolve(false);
    // All that is committed is applied, and the user knows that it leads: there is nothing to wait for.
    if (of.wasLeading && of.applied >= of.replica.commit && of.replica.holdsLease(this.#nowMs())) return CONFIRMED;
    const read = this.#nextRead;
    this.#nextRead += 1;
    return new Promise((done) => {
      of.reads.set(read, { at: undefined, done });
      of.replica.read(read, this.#nowMs());
      this.#wake(of);
    });
  }

  async flush(flushes: readonly ShardFlush[]): Promise<void> {
    // Entries that wait behind a snapshot's chunk are not in the store's log yet.
    for (const { shard } of flushes) await this.#shards.get(shard)?.slow?.catch(() => undefined);
    const replicaFlushes = flushes.flatMap((flush): ReplicaFlush[] => {
      const of = this.#shards.get(flush.shard);
      if (of === undefined || of.installing !== undefined) return [];
      // A snapshot took the place of the rows while this waited for it: these are older.
      const position = this.#options.store.replicaPosition(flush.shard);
      if (flush.appliedLsn < position.appliedLsn) return [];
      const { replica, retention } = of;
      const { leadership, log } = replica;
      const alone = replica.configuration.voters.length === 1 && replica.configuration.learners.length === 0;
      const slowest = alone && leadership !== undefined ? flush.appliedLsn : leadership?.slowestMatch();
      // A majority may be ahead of this disk: the core keeps what it does not know to be written, and must not fall behind the store.
      const wanted = retention.trimTo(log, flush.appliedLsn, slowest, this.#nowMs());
      const trimTo = lsn(Math.max(position.base.lsn, Math.min(wanted, replica.durable)));
      return [{ ...flush, trimTo, configuration: encodeConfiguration(log.configurationAt(flush.appliedLsn)) }];
    });
    try {
      await this.#options.store.flush(replicaFlushes);
    } catch (error) {
      // A write error is final for the store: nothing may be answered any more, whoever wrote.
      this.#fail(error);
      throw error;
    }
    for (const { shard, trimTo } of replicaFlushes) {
      if (trimTo !== undefined) this.#shards.get(shard)?.replica.trimmed(trimTo);
    }
  }

  /** Hands the shard over to another voter. */
  transfer(shard: ShardId, to: string): 'started' | 'refused' {
    return this.#do(shard, (replica) => replica.transfer(directoryId(to), this.#nowMs())) ?? 'refused';
  }

  /** Led here: whether this member answers, and takes what is appended. */
  keepsUp(shard: ShardId, id: string): boolean {
    return this.replicaOf(shard)?.leadership?.keepsUp(directoryId(id), this.#nowMs()) === true;
  }

  change(shard: ShardId, change: ConfigurationChange): ChangeAnswer {
    // It appends from the lsn that `leading` names on: what took one before that it would never hear of.
    if (this.#shards.get(shard)?.wasLeading === false) return { refused: 'the user was not told yet that it leads' };
    const answer = this.#do(shard, (replica) => replica.change(change, this.#nowMs()));
    if (answer !== undefined && 'lsn' in answer) this.#options.user.controlAppended(shard, answer.lsn);
    return answer ?? { refused: `this node has no replica of shard ${shard}` };
  }

  /** Of the replica here; undefined: there is none. */
  standing(shard: ShardId): Standing | undefined {
    const of = this.#shards.get(shard);
    return of === undefined ? undefined : standingOf(of.replica, this.#nowMs());
  }

  /** Shards of which a crash has left rows that were to go. */
  get halfDropped(): readonly ShardId[] {
    return this.#leaving.unfinished;
  }

  /** These replicas are no members any more: whoever calls has made sure of it. Resolves when nothing is left of them but their promises. */
  async drop(shards: readonly ShardId[]): Promise<void> {
    if (this.#state === 'open') await this.#leaving.drop(shards);
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    await this.#end();
  }

  // ---------------------------------------------------------------- ticks

  #nowMs(): number {
    return this.#options.clock.monotonic();
  }

  #now(): { nowMs: number; random: number } {
    return { nowMs: this.#nowMs(), random: this.#options.random.next() };
  }

  #tick(): void {
    if (this.#state !== 'open') return;
    const nowMs = this.#nowMs();
    const lateMs = nowMs - this.#tickedAtMs - TICK_MS;
    this.#tickedAtMs = nowMs;
    if (this.#round > 0 && lateMs > OVERSLEPT_MS) {
      // Timers run before sockets are read: who was silent is known once that is done.
      this.#ticker = this.#options.scheduler.after(READ_FIRST_MS, () => this.#tick());
      return;
    }
    this.#persistence.ticked(1_000 / TICK_MS);
    const round = this.#openRound();
    for (const of of this.#shards.values()) {
      if (!of.replica.isDue(nowMs)) continue;
      of.replica.tick({ nowMs, random: this.#options.random.next(), round });
      this.#stepped(of);
    }
    // All leaders beat in the first tick of a slot: those who do not have stopped leading.
    const slot = Math.floor(nowMs / this.#times.heartbeatMs);
    if (slot !== this.#beatSlot) {
      this.#beatSlot = slot;
      this.#allBeat = true;
      this.#schedule();
    }
    this.#ticker = this.#options.scheduler.after(TICK_MS, () => this.#tick());
  }

  #wake(of: ShardReplica): void {
    if (!of.isDirty) {
      of.isDirty = true;
      this.#dirty.push(of);
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.scheduler.soon(() => {
      this.#scheduled = false;
      this.#drain();
    });
  }

  /** A thousand idle shards are not drained for a heartbeat each. */
  #stepped(of: ShardReplica): void {
    const { replica } = of;
    if (!replica.isQuiet || of.applied < replica.commit || replica.isServing !== of.wasLeading) this.#wake(of);
  }

  #do<T>(shard: ShardId, work: (replica: Replica) => T): T | undefined {
    const of = this.#shards.get(shard);
    if (of === undefined || this.#state !== 'open') return undefined;
    const result = work(of.replica);
    this.#wake(of);
    return result;
  }

  /** Everything that the cores have to do, for all shards at once. */
  #drain(): void {
    if (this.#state !== 'open') return;
    const steps: Step[] = [];
    const late: ShardReplica[] = [];
    for (let rounds = 0; this.#dirty.length > 0 && rounds < MAX_ROUNDS; rounds += 1) {
      for (const of of this.#dirty.splice(0)) {
        of.isDirty = false;
        if (of.hasLeft) continue;
        if (of.replica.wantsTick) of.replica.tick({ ...this.#now(), round: this.#openRound() });
        // Its read came after it had begun the round that goes out now: it needs the next.
        if (of.replica.leadership?.wantsRound) late.push(of);
        this.#take(of, steps);
      }
    }
    if (steps.length > 0) this.#persistence.write(steps);
    this.#peers.flush(this.#allBeat ? 'all' : 'listed');
    this.#allBeat = false;
    this.#isRoundOut = true;
    for (const of of late) this.#wake(of);
  }

  #openRound(): number {
    if (this.#isRoundOut) this.#round += 1;
    this.#isRoundOut = false;
    return this.#round;
  }

  #take(of: ShardReplica, steps: Step[]): void {
    const { replica } = of;
    const { persist, messages, notices } = replica.take();
    if (persist !== undefined) steps.push({ of, step: persist });
    for (const outgoing of messages) {
      if (outgoing.after > of.durableSeq) of.held.push(outgoing);
      else this.#peers.add(outgoing.to, of.shard, outgoing.message);
    }
    for (const notice of notices) this.#onNotice(of, notice);
    this.#applying.apply(of);
    // Said last: what it was elected over is applied.
    if (replica.isServing && !of.wasLeading && of.applied >= replica.commit) {
      of.wasLeading = true;
      this.#options.user.leading(of.shard, replica.term, of.applied);
    }
  }

  #persisted(of: ShardReplica, seq: number): void {
    if (this.#state !== 'open' || of.hasLeft) return;
    // Two steps of one write may be reported in either order.
    of.durableSeq = Math.max(of.durableSeq, seq);
    of.replica.persisted(seq, this.#now());
    if (of.held.length > 0) {
      for (const { to, message, after } of of.held) if (after <= seq) this.#peers.add(to, of.shard, message);
      of.held = of.held.filter(({ after }) => after > seq);
    }
    if (of.installing !== undefined && of.installing.after <= seq) {
      of.applied = of.installing.lsn;
      of.installing = undefined;
      this.#options.user.installed(of.shard, of.applied);
    }
    this.#wake(of);
  }

  // ---------------------------------------------------------------- messages

  #receive(from: DirectoryId, bytes: Uint8Array): void {
    if (this.#state !== 'open') return;
    const decoded = decodeFrame(bytes, this.#options.store.shardCount);
    if ('refused' in decoded) {
      this.#options.onRefused?.(from, decoded.refused);
      return;
    }
    const { frame } = decoded;
    const beaten = this.#peers.beaten(from, frame);
    for (const { shard, message } of frame.messages) this.#step(from, shard, owned(message));
    for (const { shard, term, commit } of beaten?.beats ?? []) {
      this.#step(from, shard, { type: 'heartbeat', term, commit, round: beaten?.round ?? 0 });
    }
    if (frame.reply === undefined) return;
    const { round } = frame.reply;
    for (const { shard, term } of this.#peers.confirmed(from, frame.reply)) {
      this.#step(from, shard, { type: 'heartbeatReply', term, round });
    }
  }

  #step(from: DirectoryId, shard: ShardId, message: Message): void {
    let of = this.#shards.get(shard);
    if (of === undefined) {
      // What is about to be a voter is not to be a newcomer first: two replicas would write one log. A leader says everything again.
      if (this.#creating.has(shard) || this.#leaving.has(shard)) return;
      // A leader that has it among its members speaks to a newcomer. It learns; it creates nothing.
      if (!['append', 'heartbeat', 'snapshotChunk'].includes(message.type)) return;
      of = this.#add(shard, { position: this.#options.store.replicaPosition(shard), stored: [], entries: [] });
    }
    of.replica.step(from, message, this.#now());
    this.#stepped(of);
  }

  #add(shard: ShardId, found: Found): ShardReplica {
    const { times, bounds } = this.#options;
    const replica = new Replica({
      self: this.self,
      restored: restoredFrom(found.position, found.stored, found.entries),
      ...this.#now(),
      ...(times === undefined ? {} : { times }),
      ...(bounds === undefined ? {} : { bounds }),
    });
    const of = new ShardReplica(shard, replica);
    this.#shards.set(shard, of);
    return of;
  }

  // ---------------------------------------------------------------- notices

  #onNotice(of: ShardReplica, notice: Notice): void {
    const { shard, replica } = of;
    const { user, terms } = this.#options;
    switch (notice.type) {
      case 'elected':
      case 'leading':
        return;
      case 'transferEnded':
        this.#options.onTransferEnded?.(shard, notice.to, notice.outcome);
        return;
      case 'following':
        of.wasLeading = false;
        of.abandon();
        user.following(shard, notice.term, notice.leader);
        return;
      case 'termWanted':
        terms.next(shard, notice.above).then(
          (given) => void this.#do(shard, () => replica.campaign(given)),
          () => void this.#do(shard, () => replica.campaign(undefined)),
        );
        return;
      case 'termHeard':
        terms.heard(shard, notice.term);
        return;
      case 'readConfirmed': {
        const read = of.reads.get(notice.read);
        if (read !== undefined) read.at = notice.lsn;
        return;
      }
      case 'readRefused':
        of.reads.get(notice.read)?.done(false);
        of.reads.delete(notice.read);
        return;
      case 'load':
        void this.#catchUp.load(of, notice.to, notice.from, notice.maxBytes);
        return;
      case 'snapshotWanted':
        void this.#catchUp.begin(of, notice.to);
        return;
      case 'chunkWanted':
        void this.#catchUp.chunk(of, notice.to, notice.id, notice.index);
        return;
      case 'snapshotDone':
        this.#catchUp.end(of, notice.to, notice.id);
        return;
      case 'installed':
        of.installing = { after: notice.after, lsn: notice.meta.lsn };
        return;
      case 'configured': {
        const { voters, learners } = notice.configuration;
        user.configured(shard, voters, learners);
        return;
      }
      case 'damaged':
        this.#fail(new DamagedError(`shard ${shard} of data directory ${this.self} is damaged: ${notice.what}`));
        return;
    }
  }

  // ---------------------------------------------------------------- end

  #fail(error: unknown): void {
    if (this.#state === 'failed' || this.#state === 'closed') return;
    this.#state = 'failed';
    void this.#end();
    this.#options.user.failed(error);
  }

  async #end(): Promise<void> {
    this.#ticker?.cancel();
    for (const of of this.#shards.values()) {
      of.abandon();
      for (const { done } of of.reads.values()) done(false);
      of.reads.clear();
    }
    await this.#catchUp.close(this.#shards.values());
  }
}
