// Whom to probe next (SWIM): each member once per round, in an order shuffled anew for every round, so that the time until a member is
// probed is bounded by a round; newcomers enter at a random place of the rest. Used by probe.ts.

import type { Random } from '../../../src/ports/clock.ts';
import { isUp, type Member } from './member.ts';
import { type MemberTable, shuffle } from './table.ts';

export class ProbeOrder {
  readonly #table: MemberTable;
  readonly #self: Member;
  readonly #random: Random;
  /** Names still to be probed in this round, the next one last. */
  #round: string[] = [];
  readonly #inRound = new Set<string>();

  constructor(table: MemberTable, self: Member, random: Random) {
    this.#table = table;
    this.#self = self;
    this.#random = random;
  }

  /** A newcomer is not left to the next round, which may be a quarter of an hour away. */
  add(name: string): void {
    if (this.#inRound.has(name)) return;
    this.#inRound.add(name);
    const place = Math.floor(this.#random.next() * (this.#round.length + 1));
    const displaced = this.#round[place];
    this.#round[place] = name;
    if (displaced !== undefined) this.#round.push(displaced);
  }

  /** Undefined: there is nobody else. */
  next(): Member | undefined {
    return this.#take() ?? this.#newRound();
  }

  #take(): Member | undefined {
    for (;;) {
      const name = this.#round.pop();
      if (name === undefined) return undefined;
      this.#inRound.delete(name);
      const member = this.#table.get(name);
      if (member !== undefined && isUp(member)) return member;
    }
  }

  #newRound(): Member | undefined {
    for (const member of this.#table.values()) {
      if (member === this.#self || !isUp(member)) continue;
      this.#round.push(member.meta.name);
      this.#inRound.add(member.meta.name);
    }
    shuffle(this.#round, this.#random);
    return this.#take();
  }
}
