// What is on the disks of a cluster, and what its nodes call committed. Every entry that becomes durable anywhere is kept with the directories that
// hold it; every commit is held against them: a majority of the voters of the log's own configuration has it (I1), it is the same everywhere (I2),
// nobody leads a term twice (I3), nobody throws away what is committed. What is committed goes to the truth, which knows what it means.

import { contentOf, isData } from '../../../cluster/replication/core/entry.ts';
import { majorityOf } from '../../../cluster/replication/core/quorum.ts';
import {
  decodeLogRecord,
  decodePosition,
  LOG,
  POSITION,
  type PositionRow,
  unframe,
} from '../../../src/store/framing.ts';
import { compareRows } from '../end-checks.ts';
import { FlushWatch, type Installed, type OnDisk } from '../flush-watch.ts';
import { Violation } from '../kernel.ts';
import type { Truth } from '../truth.ts';
import type { Written } from './disk.ts';

interface Held {
  readonly term: number;
  readonly chain: number;
  readonly entry: Uint8Array;
  readonly voters: readonly string[] | undefined;
  readonly learners: readonly string[];
  readonly holders: Set<string>;
}

/** The one voter of what is in a database. */
const DATABASE = 'the database';

interface WatchedShard {
  /** By lsn: the entries that were ever durable there. */
  readonly held: Map<number, Held[]>;
  /** By lsn - 1. */
  readonly committed: (Held | undefined)[];
  /** Who led in which term. */
  readonly leaders: Map<number, string>;
}

interface WatchedDirectory {
  readonly flushes: FlushWatch;
  /** Shards of whose log it ever held an entry. */
  readonly logs: Set<number>;
  /** By shard, as on disk. */
  readonly positions: Map<number, { appliedLsn: number; truncatedSeq: number; installing: boolean }>;
}

export class LogWatch {
  readonly truth: Truth;
  /** A directory has just promised its vote: faults aim at it. */
  onPromise: ((directory: string) => void) | undefined;
  readonly #reached: (what: string) => void;
  readonly #shards = new Map<number, WatchedShard>();
  readonly #directories = new Map<string, WatchedDirectory>();
  /** By directory and shard: the last entry that is the log's own. */
  readonly #controls = new Map<string, number>();
  /** By directory and term: it stands because a leader hands over to it. Of which shard is not known. */
  readonly #setBack = new Set<string>();
  readonly #takeOvers = new Set<string>();
  /** By directory, shard and term: to whom. */
  readonly #promises = new Map<string, string>();

  constructor(truth: Truth, reached: (what: string) => void) {
    this.truth = truth;
    this.#reached = reached;
  }

  // ---------------------------------------------------------------- disks

  /** One batch of a directory has become durable. */
  written(directory: string, written: Written, onDisk: OnDisk): void {
    if (this.#setBack.has(directory)) {
      // Alone it appends nothing.
      if (written.some(([key, value]) => key.startsWith(LOG) && value !== undefined))
        throw new Violation('amnesia', `${directory} takes part, though an older copy of it was put back`);
      return;
    }
    const fresh = new Set<Held>();
    for (const [key, value] of written) {
      if (key.startsWith(LOG) && value !== undefined)
        this.#logged(directory, unframe(key, value, 'the simulated disk'), fresh);
    }
    const { flushes, positions } = this.#directory(directory);
    for (const [key, value] of written) {
      if (!key.startsWith(POSITION) || value === undefined) continue;
      const shard = key.charCodeAt(1) * 256 + key.charCodeAt(2);
      const position = decodePosition(unframe(key, value, 'the simulated disk'));
      const { appliedLsn, truncatedAfter, truncatedSeq, installing } = position;
      this.#promised(directory, shard, position);
      const before = positions.get(shard);
      positions.set(shard, { appliedLsn, truncatedSeq, installing });
      // Rows that go without others in their place: no snapshot is of lsn 0.
      if (installing && appliedLsn === 0) this.#dropped(directory, shard);
      else if (installing && before?.installing !== true) this.#reached('snapshot installed');
      else if (!installing && truncatedSeq !== (before?.truncatedSeq ?? 0)) {
        this.#truncated(directory, shard, truncatedAfter, fresh);
      }
      if (installing || before?.installing === true || appliedLsn !== (before?.appliedLsn ?? 0)) {
        flushes.flushed(key, value, written, onDisk);
      }
    }
  }

  /**
   * It may, once it is no voter by the last configuration that is committed. It may have become a learner again without knowing it yet: then it is fed
   * from the beginning, and a voter only once it has everything.
   */
  #dropped(directory: string, id: number): void {
    const shard = this.#shard(id);
    const voters = this.#votersNow(id);
    if (voters.length === 0 || voters.includes(directory)) {
      throw new Violation('I1', `${directory} drops shard ${id}, of which it is a voter`);
    }
    for (const entries of shard.held.values()) for (const { holders } of entries) holders.delete(directory);
    this.#reached('shard dropped');
  }

  /** The directory is gone, and another one may bear its id. */
  forgotten(directory: string): void {
    this.#directories.delete(directory);
    for (const { held } of this.#shards.values()) {
      for (const entries of held.values()) for (const { holders } of entries) holders.delete(directory);
    }
  }

  /** An older copy of it was put back, as if it were lost: what it acknowledged was on its disk then, and nothing counts that it writes from now on. */
  setBack(directory: string): void {
    this.#setBack.add(directory);
  }

  // ---------------------------------------------------------------- nodes

  takesOver(directory: string, term: number): void {
    this.#takeOvers.add(`${directory} ${term}`);
  }

  leads(directory: string, id: number, term: number, lastLsn: number): void {
    const shard = this.#shard(id);
    const other = shard.leaders.get(term);
    if (other !== undefined && other !== directory) {
      throw new Violation('election safety', `${other} and ${directory} both lead shard ${id} in term ${term}`);
    }
    shard.leaders.set(term, directory);
    if (this.#takeOvers.has(`${directory} ${term}`)) this.#reached('hand-over');
    else if (term > 2 && other === undefined) this.#reached('election');
    const known = this.truth.lastLsn(id);
    if (this.truth.lastTerm(id) <= term && lastLsn < known) {
      throw new Violation(
        'leader completeness',
        `${directory} leads shard ${id} in term ${term} from lsn ${lastLsn} on, ${known} is committed`,
      );
    }
  }

  /** The directory that led the shard last. */
  leaderOf(id: number): string | undefined {
    return [...this.#shard(id).leaders].sort(([a], [b]) => b - a)[0]?.[1];
  }

  /** The log at its leader has an entry of its own there: a change of the members counts from now on, durable or not. */
  controlAppended(directory: string, id: number, lsn: number): void {
    this.#controls.set(`${directory} ${id}`, lsn);
  }

  /** A node applies an entry as committed; `undefined`: one of the replication's own. */
  committed(directory: string, id: number, lsn: number, entry: Uint8Array | undefined): void {
    const shard = this.#shard(id);
    const before = shard.committed[lsn - 1];
    if (before !== undefined) {
      const same = entry === undefined ? !isData(before.entry) : Buffer.compare(entry, before.entry) === 0;
      if (!same) throw new Violation('replicas equal', `${directory} applies another entry ${lsn} of shard ${id}`);
      return;
    }
    const candidates = (shard.held.get(lsn) ?? []).filter((held) =>
      entry === undefined ? !isData(held.entry) : Buffer.compare(entry, held.entry) === 0,
    );
    const changes = (this.#controls.get(`${directory} ${id}`) ?? 0) > lsn;
    const held = candidates.find((one) => this.#isOnMajority(shard, id, lsn, one, changes ? 'changes' : 'stays'));
    if (held === undefined) {
      const at =
        candidates
          .map(
            (one) =>
              `term ${one.term} on ${[...one.holders].join()} of the voters ${this.#votersAt(shard, lsn, one).join()}`,
          )
          .join('; ') || 'nowhere';
      throw new Violation('I1', `${directory} calls entry ${lsn} of shard ${id} committed, which is durable ${at}`);
    }
    if (lsn !== shard.committed.length + 1) {
      throw new Violation('I2', `${directory} commits entry ${lsn} of shard ${id} after ${shard.committed.length}`);
    }
    shard.committed.push(held);
    if (held.voters !== undefined && lsn > 1 && !held.holders.has(DATABASE)) this.#reached('configuration changed');
    this.truth.commit(id, lsn, held.term, entry);
  }

  /**
   * Of a database that all share: an entry is durable there. It counts as committed, and is what reads must show, from when a leader has heard so: the
   * answer to whoever wrote it may be lost.
   */
  stored(id: number, lsn: number, term: number, entry: Uint8Array): void {
    const { held } = this.#shard(id);
    if (held.has(lsn) || (lsn > 1 && !held.has(lsn - 1))) {
      throw new Violation('I2', `the database takes entry ${lsn} of shard ${id} after ${held.size}`);
    }
    const holders = new Set([DATABASE]);
    held.set(lsn, [{ term, chain: 0, entry, voters: [DATABASE], learners: [], holders }]);
  }

  // ---------------------------------------------------------------- members

  /** Of any shard, by the configuration that is committed or by one that may yet be. */
  isMember(directory: string): boolean {
    return [...this.#shards.values()].some((shard) =>
      this.#configurations(shard).some(({ voters, learners }) => [...(voters ?? []), ...learners].includes(directory)),
    );
  }

  /** Without it every shard still has a majority of at least three voters. */
  mayLose(directory: string): boolean {
    return [...this.#shards.values()].every((shard) =>
      this.#configurations(shard).every(({ voters = [] }) => !voters.includes(directory) || voters.length >= 3),
    );
  }

  /** The last one committed, and those after it. */
  #configurations(shard: WatchedShard): Held[] {
    const last = shard.committed.findLastIndex((held) => held?.voters !== undefined);
    const found = last < 0 ? [] : [shard.committed[last]].filter((held) => held !== undefined);
    for (const [lsn, entries] of shard.held) {
      if (lsn > shard.committed.length) found.push(...entries.filter(({ voters }) => voters !== undefined));
    }
    return found;
  }

  // ---------------------------------------------------------------- inside

  #shard(id: number): WatchedShard {
    let shard = this.#shards.get(id);
    if (shard === undefined) this.#shards.set(id, (shard = { held: new Map(), committed: [], leaders: new Map() }));
    return shard;
  }

  #directory(id: string): WatchedDirectory {
    let directory = this.#directories.get(id);
    if (directory === undefined) {
      const flushes = new FlushWatch({
        entriesOf: (shard) => this.truth.entriesOf(shard),
        installed: (installed) => this.#installed(id, installed),
      });
      directory = { flushes, logs: new Set(), positions: new Map() };
      this.#directories.set(id, directory);
    }
    return directory;
  }

  #installed(directory: string, { shard, lsn, wanted, found }: Installed): void {
    // Of a run that was to be deleted some events may be gone already, others not yet.
    const { deletions } = this.truth.watches;
    const watches = { deletions: { isGone: (runId: string) => deletions.isWanted(runId), checkDisk: () => undefined } };
    compareRows(found, { rows: wanted, watches }, `of ${directory} after shard ${shard} was installed at lsn ${lsn}`);
    if (lsn > 0) this.#reached('snapshot compared');
  }

  #logged(directory: string, record: Uint8Array, fresh: Set<Held>): void {
    const { logs } = this.#directory(directory);
    for (const { shard: id, lsn, term, chain, entry: bytes } of decodeLogRecord(record)) {
      logs.add(id);
      const { held } = this.#shard(id);
      let entries = held.get(lsn);
      if (entries === undefined) held.set(lsn, (entries = []));
      let one = entries.find((other) => other.term === term);
      if (one === undefined) {
        const entry = new Uint8Array(bytes);
        const content = contentOf(entry);
        const { voters, learners = [] } = content.kind === 'configuration' ? content.configuration : {};
        entries.push((one = { term, chain, entry, voters, learners, holders: new Set() }));
      } else if (one.chain !== chain) {
        throw new Violation('log matching', `${directory} holds another entry ${lsn} of term ${term} of shard ${id}`);
      }
      one.holders.add(directory);
      fresh.add(one);
    }
  }

  /** By the last configuration that is committed; empty: none is. */
  #votersNow(id: number): readonly string[] {
    return this.#shard(id).committed.findLast((held) => held?.voters !== undefined)?.voters ?? [];
  }

  /** One promise per term, and none by who holds nothing: it may be a voter that lost its directory, and has forgotten what it had promised. */
  #promised(directory: string, id: number, { votedTerm, votedFor, appliedLsn, installing }: PositionRow): void {
    if (votedFor === '') return;
    const promise = `${directory} ${id} ${votedTerm}`;
    const before = this.#promises.get(promise);
    const { logs } = this.#directory(directory);
    // A replica that goes keeps its promises, makes itself one more, and keeps nothing else; it may never have been given anything.
    const voters = this.#votersNow(id);
    const goes = votedFor === directory && voters.length > 0 && !voters.includes(directory);
    if (appliedLsn === 0 && !installing && !goes && before !== votedFor && !logs.has(id)) {
      throw new Violation(
        'amnesia',
        `${directory} holds nothing of shard ${id}, and promises term ${votedTerm} to ${votedFor}`,
      );
    }
    if (before !== undefined && before !== votedFor) {
      throw new Violation(
        'promises',
        `${directory} promises term ${votedTerm} of shard ${id} to ${votedFor}, and had promised it to ${before}`,
      );
    }
    this.#promises.set(promise, votedFor);
    if (before === undefined) this.onPromise?.(directory);
  }

  /** Of the voters by the configuration in force at the entry, or by one that follows it. */
  #isOnMajority(shard: WatchedShard, id: number, lsn: number, held: Held, members: 'stays' | 'changes'): boolean {
    const holds = (directory: string): boolean =>
      held.holders.has(directory) || (this.#directories.get(directory)?.positions.get(id)?.appliedLsn ?? 0) >= lsn;
    const reached = (voters: readonly string[]): boolean =>
      voters.length > 0 && voters.filter(holds).length >= majorityOf(voters.length);
    const voters = this.#votersAt(shard, lsn, held);
    if (reached(voters)) return true;
    // One of them may have been removed by an entry that no disk has yet: both majorities have a member in common.
    if (members === 'changes' && voters.some((gone) => reached(voters.filter((id) => id !== gone)))) return true;
    for (const [at, entries] of shard.held) {
      if (at > lsn && entries.some(({ voters }) => voters !== undefined && reached(voters))) return true;
    }
    return false;
  }

  /** By this entry itself, or by what is committed before it. Another entry of the same number, of a leader that was cut off, says nothing of it. */
  #votersAt(shard: WatchedShard, lsn: number, entry: Held): readonly string[] {
    if (entry.voters !== undefined) return entry.voters;
    for (let at = lsn - 1; at > 0; at -= 1) {
      const voters = shard.committed[at - 1]?.voters;
      if (voters !== undefined) return voters;
    }
    return [];
  }

  /** Entries above `after` that this directory held are void, but for those written in the same batch. */
  #truncated(directory: string, id: number, after: number, fresh: ReadonlySet<Held>): void {
    const shard = this.#shard(id);
    let dropped = 0;
    for (const [lsn, entries] of shard.held) {
      if (lsn <= after) continue;
      for (const held of entries) {
        if (fresh.has(held) || !held.holders.delete(directory)) continue;
        dropped += 1;
        if (shard.committed[lsn - 1] === held) {
          throw new Violation('truncation', `${directory} throws away entry ${lsn} of shard ${id}, which is committed`);
        }
      }
    }
    if (dropped > 0) this.#reached('truncation');
  }
}
