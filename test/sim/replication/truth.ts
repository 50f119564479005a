// What must hold at every step of every seed: one leader a term; logs match by chain; whoever is elected has all that is committed; the same
// entry is committed at the same lsn everywhere, on a majority of disks, and never lost; reads see every write acknowledged before them.

import type { DirectoryId } from '../../../cluster/replication/core/ids.ts';
import type { LogView } from '../../../cluster/replication/core/log.ts';
import { majorityOf } from '../../../cluster/replication/core/quorum.ts';
import type { Replica } from '../../../cluster/replication/core/replica.ts';
import { type Lsn, lsn, type Term } from '../../../src/ports/ids.ts';
import { Violation } from '../kernel.ts';
import type { SimDisk } from './disk.ts';
import type { State } from './machine.ts';

interface Committed {
  readonly term: Term;
  readonly chain: number;
}

export class Truth {
  readonly #leaders = new Map<Term, DirectoryId>();
  /** By lsn − 1. */
  readonly #committed: Committed[] = [];
  readonly #digests = new Map<number, number>();
  /** (lsn, term) → chain of every entry that any replica ever held. */
  readonly #chains = new Map<string, number>();
  /** Somebody was told that the log is committed up to here. */
  #told = 0;

  get committedLsn(): number {
    return this.#committed.length;
  }

  get toldLsn(): number {
    return this.#told;
  }

  elected(replica: Replica): void {
    const { term, self, log } = replica;
    const other = this.#leaders.get(term);
    if (other !== undefined && other !== self) {
      throw new Violation('election safety', `${other} and ${self} both lead in term ${term}`);
    }
    this.#leaders.set(term, self);
    for (let at = this.#committed.length; at > log.base.lsn; at -= 1) {
      const committed = this.#committed[at - 1] as Committed; // at is within
      if (committed.term >= term) continue;
      if (log.positionAt(lsn(at))?.chain !== committed.chain) {
        throw new Violation('leader completeness', `${self} leads term ${term} without the committed entry ${at}`);
      }
      // Its chain stands for all before it.
      break;
    }
  }

  /** New entries of a replica's log. */
  appended(self: DirectoryId, entries: readonly { lsn: Lsn; term: Term; chain: number }[]): void {
    for (const entry of entries) {
      const key = `${entry.lsn}@${entry.term}`;
      const chain = this.#chains.get(key);
      if (chain === undefined) this.#chains.set(key, entry.chain);
      else if (chain !== entry.chain) throw new Violation('log matching', `${self} holds another entry ${key}`);
    }
  }

  /** A replica calls its log committed up to here. */
  commits(self: DirectoryId, log: LogView, from: Lsn, to: Lsn): void {
    for (let at = from + 1; at <= to; at += 1) {
      const position = log.positionAt(lsn(at));
      if (position === undefined) continue;
      const committed = this.#committed[at - 1];
      if (committed === undefined) {
        if (at !== this.#committed.length + 1) throw new Violation('commit', `${self} commits ${at} past a gap`);
        this.#committed.push({ term: position.term, chain: position.chain });
      } else if (committed.chain !== position.chain) {
        throw new Violation(
          'state-machine safety',
          `${self} commits ${at}@${position.term}, but ${at}@${committed.term} is committed`,
        );
      }
    }
  }

  /** I1: when a leader commits, a majority of the voters has it on disk. `diskOf` is undefined for a directory that was wiped. */
  durable(replica: Replica, at: Lsn, diskOf: (id: DirectoryId) => SimDisk | undefined): void {
    const { voters } = replica.configuration;
    const chain = replica.log.positionAt(at)?.chain;
    if (chain === undefined) return;
    let holders = 0;
    for (const id of voters) {
      const disk = diskOf(id);
      // What a wiped disk held counts: it did hold it when it said so.
      if (disk === undefined || disk.holds(at, chain)) holders += 1;
    }
    if (holders < majorityOf(voters.length)) {
      throw new Violation('I1', `${replica.self} commits ${at} with ${holders} of ${voters.length} disks`);
    }
  }

  applied(self: DirectoryId, state: State): void {
    const digest = this.#digests.get(state.lsn);
    if (digest === undefined) this.#digests.set(state.lsn, state.digest);
    else if (digest !== state.digest)
      throw new Violation('replicas equal', `${self} differs from others at ${state.lsn}`);
  }

  /** A client was told that its write is at `at`. */
  acknowledged(self: DirectoryId, at: Lsn, chain: number | undefined): void {
    if (chain !== undefined && this.#committed[at - 1]?.chain !== chain) {
      throw new Violation('acknowledged writes', `${self} acknowledged entry ${at}, which is not committed`);
    }
    this.#told = Math.max(this.#told, at);
  }

  /** A read that began when `toldAtStart` was known shows the state of `shown`. */
  read(self: DirectoryId, toldAtStart: number, shown: number): void {
    if (shown < toldAtStart) {
      throw new Violation(
        'linearizable reads',
        `${self} shows the state of ${shown}, but ${toldAtStart} was known before`,
      );
    }
    if (shown > this.#committed.length) throw new Violation('reads', `${self} shows ${shown}, which is not committed`);
    this.#told = Math.max(this.#told, shown);
  }
}
