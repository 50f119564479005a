// One simulated process with one replica over its disk: a driver as small as can be, which does what the core asks in the order it states.

import { crc32 } from 'node:zlib';
import type { DirectoryId } from '../../../cluster/replication/core/ids.ts';
import type { Message, SnapshotMeta } from '../../../cluster/replication/core/message.ts';
import type { ReplicaBounds, ReplicaTimes } from '../../../cluster/replication/core/options.ts';
import type { Notice, Outgoing, Persist } from '../../../cluster/replication/core/output.ts';
import { Replica } from '../../../cluster/replication/core/replica.ts';
import { type Lsn, lsn, term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import { SimDisk } from './disk.ts';
import { applied, encodeState, operationEntry, type State } from './machine.ts';
import type { Aim, World } from './world.ts';

/** Entries a log keeps behind what is applied, for followers that lag a little. */
const KEPT_ENTRIES = 12;
const CHUNK_BYTES = 24;

interface Export {
  readonly meta: SnapshotMeta;
  readonly bytes: Uint8Array;
}

interface PendingRead {
  readonly toldAtStart: number;
  at: Lsn | undefined;
}

export interface HostOptions {
  times: Partial<ReplicaTimes>;
  bounds: Partial<ReplicaBounds>;
  /** How fast its clock runs. */
  clockRate: number;
}

export class Host {
  readonly index: number;
  readonly world: World;
  readonly options: HostOptions;
  id: DirectoryId;
  disk: SimDisk;
  replica: Replica | undefined;
  state: State;
  paused = false;
  tickMs = 60;
  #generation = 0;
  #round = 0;
  #durableSeq = 0;
  #held: Outgoing[] = [];
  #commit: Lsn = lsn(0);
  /** A snapshot is being made durable: rows are void until this step. */
  #installing: number | undefined;
  #flushing = false;
  #exports = new Map<DirectoryId, Export>();
  #exported = 0;
  #writes = new Map<number, { operation: number; term: number; chain: number | undefined }>();
  #reads = new Map<number, PendingRead>();
  #nextRead = 1;
  #queued: (() => void)[] = [];

  constructor(world: World, index: number, id: DirectoryId, options: HostOptions) {
    this.world = world;
    this.index = index;
    this.id = id;
    this.options = options;
    this.disk = new SimDisk(world.events);
    this.state = this.disk.state;
  }

  get alive(): boolean {
    return this.replica !== undefined;
  }

  get nowMs(): number {
    return 1_000 * (this.index + 1) + this.world.events.nowMs * this.options.clockRate;
  }

  #now(): { nowMs: number; random: number } {
    return { nowMs: this.nowMs, random: this.world.events.random.next() };
  }

  start(): void {
    const { events, truth } = this.world;
    this.#generation += 1;
    const generation = this.#generation;
    const restored = this.world.restored(this.disk.restored());
    this.replica = new Replica({
      self: this.id,
      restored,
      ...this.#now(),
      times: this.options.times,
      bounds: this.options.bounds,
    });
    this.state = this.disk.state;
    this.#commit = this.replica.commit;
    this.#round = 0;
    this.#durableSeq = 0;
    this.#held = [];
    this.#installing = undefined;
    this.#flushing = false;
    this.#exports = new Map();
    this.#writes = new Map();
    this.#reads = new Map();
    this.#queued = [];
    this.paused = false;
    this.disk.onFailed = () => {
      this.world.reached('write error');
      this.world.note(`${this.id} stops: a write failed`);
      this.crash();
      events.after(events.random.between(200, 3_000), () => {
        if (!this.alive) this.start();
      });
    };
    truth.appended(this.id, restored.entries);
    this.world.note(`${this.id} starts at ${this.replica.log.lastLsn}@${this.replica.term}`);
    const tick = (): void => {
      if (generation !== this.#generation) return;
      events.after(this.tickMs, tick);
      this.run(() => this.tick());
    };
    events.after(events.random.between(0, this.tickMs), tick);
  }

  crash(): void {
    if (!this.alive) return;
    this.world.note(`${this.id} crashes`);
    this.replica = undefined;
    this.#generation += 1;
    this.disk.crash();
  }

  /** Work arrives. A stopped process does it when it goes on. */
  run(work: () => void): void {
    if (!this.alive) return;
    if (this.paused) {
      if (this.#queued.length < 500) this.#queued.push(work);
    } else work();
  }

  resume(): void {
    this.paused = false;
    for (const work of this.#queued.splice(0)) if (this.alive) work();
  }

  tick(): void {
    this.#round += 1;
    this.replica?.tick({ ...this.#now(), round: this.#round });
    this.drain();
    this.#flush();
  }

  receive(from: DirectoryId, message: Message): void {
    this.replica?.step(from, message, this.#now());
    this.drain();
  }

  /** False: it does not lead. */
  submit(operation: number): boolean {
    const { replica } = this;
    if (replica === undefined || !replica.isServing) return false;
    const answer = replica.propose(operationEntry(operation, this.world.events.random.int(0, 30)));
    if (!('lsn' in answer)) return false;
    const chain = replica.log.positionAt(answer.lsn)?.chain;
    this.#writes.set(answer.lsn, { operation, term: replica.term, chain });
    this.drain();
    return true;
  }

  read(): void {
    const read = this.#nextRead;
    this.#nextRead += 1;
    this.#reads.set(read, { toldAtStart: this.world.truth.toldLsn, at: undefined });
    this.replica?.read(read, this.nowMs);
    this.drain();
  }

  drain(): void {
    const { replica, world } = this;
    if (replica === undefined) return;
    const { persist, messages, notices, commit } = replica.take();
    if (persist !== undefined) this.#persist(persist);
    for (const outgoing of messages) {
      if (outgoing.after <= this.#durableSeq) world.send(this, outgoing.to, outgoing.message);
      else this.#held.push(outgoing);
    }
    for (const notice of notices) this.#onNotice(replica, notice);
    if (commit > this.#commit) {
      world.truth.commits(this.id, replica.log, this.#commit, commit);
      if (replica.role === 'leader') {
        world.committedBy(replica, commit);
        world.happened(this, 'committed');
      }
      this.#commit = commit;
    }
    this.#apply();
    if (replica.wantsTick && world.events.random.chance(0.5)) world.soon(this, () => this.tick());
  }

  #persist(step: Persist): void {
    const generation = this.#generation;
    this.world.truth.appended(this.id, step.entries);
    if (step.truncateAfter !== undefined) this.world.reached('truncation');
    this.disk.persist(step, () => {
      if (generation !== this.#generation) return;
      this.run(() => {
        this.#durableSeq = step.seq;
        this.world.happened(this, happeningOf(step, this.id));
        if (this.#installing !== undefined && this.#installing <= step.seq) {
          this.#installing = undefined;
          this.state = this.disk.state;
        }
        this.replica?.persisted(step.seq, this.#now());
        const ready = this.#held.filter(({ after }) => after <= step.seq);
        this.#held = this.#held.filter(({ after }) => after > step.seq);
        for (const { to, message } of ready) this.world.send(this, to, message);
        this.drain();
      });
    });
  }

  #onNotice(replica: Replica, notice: Notice): void {
    const { world } = this;
    switch (notice.type) {
      case 'elected':
        world.reached('election');
        world.note(`${this.id} leads term ${notice.term} from ${notice.barrier}`);
        world.truth.elected(replica);
        world.happened(this, 'elected');
        world.onElected(this);
        return;
      case 'leading':
        return;
      case 'following':
        this.#writes.clear();
        return;
      case 'termWanted':
        world.wantTerm(this, notice.above);
        return;
      case 'termHeard':
        world.liftTerm(notice.term);
        return;
      case 'readConfirmed': {
        const read = this.#reads.get(notice.read);
        if (read !== undefined) read.at = notice.lsn;
        return;
      }
      case 'readRefused':
        this.#reads.delete(notice.read);
        return;
      case 'load': {
        const entries = this.disk.entries.filter((entry) => entry.lsn >= notice.from).slice(0, 3);
        world.reached('entries read for a follower');
        world.soon(this, () => {
          this.replica?.loaded(notice.to, entries);
          this.drain();
        });
        return;
      }
      case 'snapshotWanted':
        this.#export(replica, notice.to);
        return;
      case 'chunkWanted':
        world.soon(this, () => this.#chunk(notice.to, notice.id, notice.index));
        return;
      case 'snapshotDone':
        if (this.#exports.get(notice.to)?.meta.id === notice.id) this.#exports.delete(notice.to);
        return;
      case 'installed':
        world.reached('snapshot install');
        world.note(`${this.id} installs the snapshot of ${notice.meta.lsn}`);
        this.#installing = notice.after;
        return;
      case 'configured':
        world.configured(notice.configuration, notice.lsn);
        return;
      case 'transferEnded':
        if (notice.outcome === 'handedOver') world.reached('hand-over');
        return;
      case 'damaged':
        throw new Error(`${this.id}: ${notice.what}`);
    }
  }

  #export(replica: Replica, to: DirectoryId): void {
    const position = replica.log.positionAt(lsn(this.state.lsn));
    if (this.#installing !== undefined || position === undefined) {
      this.world.soon(this, () => {
        this.replica?.snapshotFailed(to);
        this.drain();
      });
      return;
    }
    this.#exported += 1;
    const id = `${this.id}/${this.#generation}/${this.#exported}`;
    const meta = { ...position, id, configuration: replica.log.configurationAt(position.lsn) };
    this.#exports.set(to, { meta, bytes: encodeState(this.state) });
    this.world.soon(this, () => {
      this.replica?.snapshotReady(to, meta);
      this.drain();
    });
  }

  #chunk(to: DirectoryId, id: string, index: number): void {
    const found = this.#exports.get(to);
    if (found?.meta.id !== id) return;
    const { bytes } = found;
    const part = bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    const digest = crc32(bytes.subarray(0, index * CHUNK_BYTES + part.length));
    const place = (index + 1) * CHUNK_BYTES >= bytes.length ? 'last' : 'middle';
    this.replica?.chunkRead(to, id, { index, bytes: part, digest, place });
    this.drain();
  }

  #apply(): void {
    const { replica, world } = this;
    if (replica === undefined || this.#installing !== undefined) return;
    while (this.state.lsn < this.#commit) {
      const next = lsn(this.state.lsn + 1);
      const found = replica.log.entries(next, next, 0);
      const entry: LogEntry | undefined =
        found === 'stored' ? this.disk.entries[next - this.disk.base.lsn - 1] : found[0];
      if (entry === undefined) throw new Error(`${this.id}: the committed entry ${next} is nowhere`);
      this.state = applied(this.state, entry);
      world.truth.applied(this.id, this.state);
    }
    for (const [at, { chain }] of this.#writes) {
      if (at > this.#commit || replica.role !== 'leader') continue;
      this.#writes.delete(at);
      world.acknowledged(this, lsn(at), chain);
    }
    for (const [id, { toldAtStart, at }] of this.#reads) {
      if (at === undefined || this.state.lsn < at) continue;
      this.#reads.delete(id);
      world.truth.read(this.id, toldAtStart, this.state.lsn);
      world.reads += 1;
    }
  }

  /** Writes rows behind the log and trims it, less what followers may want. */
  #flush(): void {
    const { replica, disk } = this;
    if (replica === undefined || this.#flushing || this.#installing !== undefined) return;
    const slowest = replica.leadership?.slowestMatch() ?? this.state.lsn;
    const kept = Math.max(Math.min(slowest, this.state.lsn - 2), this.state.lsn - KEPT_ENTRIES);
    const to = lsn(Math.min(kept, replica.durable));
    const position = replica.log.positionAt(to);
    if (to < replica.log.base.lsn + 4 || position === undefined) return;
    const state = this.#stateAt(replica, to);
    if (state === undefined) return;
    const base = { ...position, configuration: replica.log.configurationAt(to) };
    const generation = this.#generation;
    this.#flushing = true;
    disk.flush(base, state, () => {
      if (generation !== this.#generation) return;
      this.#flushing = false;
      this.replica?.trimmed(to);
    });
  }

  /** The rows as of an lsn at or below what is applied: the disk's, with the log on top. */
  #stateAt(replica: Replica, to: Lsn): State | undefined {
    let { state } = this.disk;
    for (let at = lsn(state.lsn + 1); at <= to; at = lsn(at + 1)) {
      const found = replica.log.entries(at, at, 0);
      const entry = found === 'stored' ? this.disk.entries[at - this.disk.base.lsn - 1] : found[0];
      if (entry === undefined) return undefined;
      state = applied(state, entry);
    }
    return state;
  }

  campaign(given: number | undefined): void {
    this.replica?.campaign(given === undefined ? undefined : term(given));
    this.drain();
  }
}

function happeningOf({ vote, install }: Persist, self: DirectoryId): Aim {
  if (install !== undefined) return 'installed';
  return vote !== undefined && vote.candidate !== self ? 'promised a vote' : 'persisted';
}
