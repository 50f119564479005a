// The disk of one data directory with one shard: persist steps become durable one after the other; a crash loses those under way but for the
// first few; a write may fail, and then nothing is written any more until the process starts again.

import { EMPTY_BASE, type LogBase } from '../../../cluster/replication/core/log.ts';
import type { Persist } from '../../../cluster/replication/core/output.ts';
import type { Restored } from '../../../cluster/replication/core/state.ts';
import { type Lsn, type Term, term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import type { Events } from './events.ts';
import { decodeState, INITIAL_STATE, type State } from './machine.ts';

interface Write {
  readonly apply: () => void;
  readonly done: () => void;
}

export class SimDisk {
  readonly #events: Events;
  term: Term = term(0);
  votedFor: Restored['votedFor'];
  base: LogBase = EMPTY_BASE;
  /** The rows: of base.lsn. */
  state: State = INITIAL_STATE;
  entries: LogEntry[] = [];
  #chunks: Uint8Array[] = [];
  #underWay: Write[] = [];
  /** Writes of an earlier process never land. */
  #process = 0;
  baseMs = 1;
  /** The next write fails. */
  failNext = false;
  #failed = false;
  onFailed: () => void = () => undefined;

  constructor(events: Events) {
    this.#events = events;
  }

  /** A crash: of the writes under way the first few have reached the medium. */
  crash(): void {
    const reached = this.#events.random.int(0, this.#underWay.length);
    for (const { apply } of this.#underWay.splice(0).slice(0, reached)) apply();
    this.#process += 1;
    this.failNext = false;
    this.#failed = false;
  }

  restored(): Restored {
    this.#chunks = [];
    return { base: this.base, entries: [...this.entries], term: this.term, votedFor: this.votedFor };
  }

  /** The position of an entry that is durable here. */
  holds(lsn: Lsn, chain: number): boolean {
    if (lsn <= this.base.lsn) return true;
    return this.entries[lsn - this.base.lsn - 1]?.chain === chain;
  }

  persist(step: Persist, done: () => void): void {
    this.#write(() => this.#apply(step), done);
  }

  /** Rows as of an lsn, and the log trimmed behind it. */
  flush(base: LogBase, state: State, done: () => void): void {
    this.#write(() => this.#trim(base, state), done);
  }

  #write(apply: () => void, done: () => void): void {
    const process = this.#process;
    if (this.#failed) return;
    if (this.failNext) {
      this.failNext = false;
      this.#failed = true;
      this.#events.after(0, () => {
        if (process === this.#process) this.onFailed();
      });
      return;
    }
    const { random } = this.#events;
    this.#underWay.push({ apply, done });
    if (this.#underWay.length === 1)
      this.#events.after(random.between(this.baseMs / 2, this.baseMs * 2), () => this.#land(process));
  }

  #land(process: number): void {
    if (process !== this.#process) return;
    const write = this.#underWay.shift();
    write?.apply();
    if (this.#underWay.length > 0) {
      const { random } = this.#events;
      this.#events.after(random.between(this.baseMs / 2, this.baseMs * 2), () => this.#land(process));
    }
    write?.done();
  }

  #apply({ vote, chunks, install, truncateAfter, entries }: Persist): void {
    if (vote !== undefined) {
      this.term = vote.term;
      this.votedFor = vote.candidate;
    }
    for (const { chunk } of chunks) {
      if (chunk.index === 0) this.#chunks = [];
      this.#chunks[chunk.index] = chunk.bytes;
    }
    if (install !== undefined) {
      this.base = install;
      this.state = decodeState(Buffer.concat(this.#chunks));
      this.entries = [];
      this.#chunks = [];
    }
    if (truncateAfter !== undefined) {
      this.entries.length = Math.min(this.entries.length, truncateAfter - this.base.lsn);
    }
    for (const entry of entries) {
      if (entry.lsn <= this.base.lsn) continue;
      if (entry.lsn !== this.base.lsn + this.entries.length + 1) throw new Error(`entry ${entry.lsn} leaves a gap`);
      this.entries.push(entry);
    }
  }

  #trim(base: LogBase, state: State): void {
    if (base.lsn <= this.base.lsn) return;
    this.entries.splice(0, base.lsn - this.base.lsn);
    this.base = base;
    this.state = state;
  }
}
