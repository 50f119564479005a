// Which part of the log is durable here. Steps are gathered into one `Persist` per drain, numbered, and reported back in order; an entry that
// is truncated while its step is still under way never counts as durable. Called by Replica.

import { type Lsn, lsn, type Term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import type { DirectoryId } from './ids.ts';
import type { SnapshotChunk, SnapshotMeta } from './message.ts';
import type { Persist } from './output.ts';

interface UnderWay {
  readonly seq: number;
  /** The log as of this step ends here. */
  lastLsn: Lsn;
}

export class Durability {
  #durable: Lsn;
  /** The end of the log as of the newest step. */
  #lastLsn: Lsn;
  #nextSeq = 1;
  #forming: Persist | undefined;
  #underWay: UnderWay[] = [];

  /** All of the log that a restart finds is durable. */
  constructor(lastLsn: Lsn) {
    this.#durable = lastLsn;
    this.#lastLsn = lastLsn;
  }

  get durable(): Lsn {
    return this.#durable;
  }

  /** Number of the newest step asked for, also when it still forms. What is said now and rests on the log as it is waits for it. */
  get newest(): number {
    return this.#nextSeq - 1;
  }

  /** A step forms that was not taken yet. */
  get isForming(): boolean {
    return this.#forming !== undefined;
  }

  /** Number of the step after which the log is durable up to here; 0: it is. */
  after(to: Lsn): number {
    return to <= this.#durable ? 0 : this.newest;
  }

  vote(term: Term, candidate: DirectoryId): number {
    this.#form().vote = { term, candidate };
    return this.newest;
  }

  append(entry: LogEntry): void {
    this.#form().entries.push(entry);
    this.#lastLsn = entry.lsn;
  }

  truncateAfter(after: Lsn): void {
    const step = this.#form();
    step.entries = step.entries.filter((entry) => entry.lsn <= after);
    step.truncateAfter = lsn(Math.min(step.truncateAfter ?? after, after));
    this.#durable = lsn(Math.min(this.#durable, after));
    for (const one of this.#underWay) one.lastLsn = lsn(Math.min(one.lastLsn, after));
    this.#lastLsn = after;
  }

  chunk(meta: SnapshotMeta, chunk: SnapshotChunk): number {
    this.#form().chunks.push({ meta, chunk });
    return this.newest;
  }

  /** Replaces the whole log. */
  install(meta: SnapshotMeta): number {
    const step = this.#form();
    step.install = meta;
    step.entries = [];
    step.truncateAfter = undefined;
    for (const one of this.#underWay) one.lastLsn = lsn(0);
    this.#durable = lsn(0);
    this.#lastLsn = meta.lsn;
    return this.newest;
  }

  /** The step that formed, if any. */
  take(): Persist | undefined {
    const step = this.#forming;
    this.#forming = undefined;
    if (step !== undefined) this.#underWay.push({ seq: step.seq, lastLsn: this.#lastLsn });
    return step;
  }

  /** Every step up to this one is durable. */
  persisted(seq: number): void {
    while ((this.#underWay[0]?.seq ?? Number.POSITIVE_INFINITY) <= seq) {
      const { lastLsn } = this.#underWay.shift() as UnderWay; // there is one
      this.#durable = lsn(Math.max(this.#durable, lastLsn));
    }
  }

  #form(): Persist {
    if (this.#forming === undefined) {
      this.#forming = {
        seq: this.#nextSeq,
        vote: undefined,
        chunks: [],
        install: undefined,
        truncateAfter: undefined,
        entries: [],
      };
      this.#nextSeq += 1;
    }
    return this.#forming;
  }
}
