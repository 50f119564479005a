// The members this node knows, itself and the dead included. Keeps count of those believed up (the n of every formula) and draws
// random ones in constant time. Bounded by its callers (claims.ts: `maxMembers`). Iteration order is that of insertion.

import type { Random } from '../../../src/ports/clock.ts';
import { isUp, type Member, type MemberState } from './member.ts';

/** Tries per member wanted before a draw falls back to looking at all. */
const TRIES = 4;

export class MemberTable {
  readonly #members = new Map<string, Member>();
  /** The same names, for drawing. */
  readonly #names: string[] = [];
  readonly #placeOf = new Map<string, number>();
  #up = 0;

  get size(): number {
    return this.#members.size;
  }

  /** Members believed alive, suspects and ourselves included. */
  get up(): number {
    return this.#up;
  }

  get(name: string): Member | undefined {
    return this.#members.get(name);
  }

  values(): IterableIterator<Member> {
    return this.#members.values();
  }

  add(member: Member): void {
    const { name } = member.meta;
    this.#members.set(name, member);
    this.#placeOf.set(name, this.#names.push(name) - 1);
    if (isUp(member)) this.#up += 1;
  }

  remove(name: string): void {
    const member = this.#members.get(name);
    const place = this.#placeOf.get(name);
    const last = this.#names.pop();
    if (member === undefined || place === undefined || last === undefined) return;
    if (last !== name) {
      this.#names[place] = last;
      this.#placeOf.set(last, place);
    }
    this.#placeOf.delete(name);
    this.#members.delete(name);
    if (isUp(member)) this.#up -= 1;
  }

  setState(member: Member, state: MemberState, nowMs: number): void {
    if (isUp(member)) this.#up -= 1;
    member.state = state;
    member.sinceMs = nowMs;
    if (isUp(member)) this.#up += 1;
  }

  /** The member up with this data directory, by whatever name. */
  upWithDirectory(directoryId: string): Member | undefined {
    for (const member of this.#members.values()) {
      if (member.meta.directoryId === directoryId && isUp(member)) return member;
    }
    return undefined;
  }

  /** Up to `count` different members that `accept` takes, each equally likely. */
  sample(count: number, random: Random, accept: (member: Member) => boolean): Member[] {
    const chosen = new Set<Member>();
    for (let tries = TRIES * count; tries > 0 && chosen.size < count; tries -= 1) {
      const name = this.#names[Math.floor(random.next() * this.#names.length)] ?? '';
      const member = this.#members.get(name);
      if (member !== undefined && accept(member)) chosen.add(member);
    }
    if (chosen.size < count) {
      const rest = [...this.#members.values()].filter((member) => !chosen.has(member) && accept(member));
      for (const member of shuffle(rest, random)) {
        if (chosen.size >= count) break;
        chosen.add(member);
      }
    }
    return [...chosen];
  }
}

/** Fisher–Yates, in place. */
export function shuffle<T>(items: T[], random: Random): T[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random.next() * (last + 1));
    const [a, b] = [items[last], items[other]];
    if (a === undefined || b === undefined) continue;
    items[last] = b;
    items[other] = a;
  }
  return items;
}
