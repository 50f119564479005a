// A member's virtual nodes ("tokens"). The ring has one place per shard; a member has one token on every place, and they differ in
// strength: its token number j lies on the j-th place of a permutation of its own and has strength (j + a fraction) / weight, lower
// being stronger. The strongest tokens on a place are the shard's members. Since each member has exactly one token of every strength,
// members' loads vary half as much as with tokens thrown at random.

import { fraction, hashText, mix32 } from './hash.ts';
import type { RingMember } from './member.ts';

const ROUNDS = 4;

/** A member's tokens in the order of their strength, made as far as they are asked for. */
export class TokenStream {
  readonly #shardCount: number;
  readonly #weight: number;
  readonly #keys: readonly number[];
  readonly #bits: number;
  readonly #mask: number;
  /** Place in the permutation's domain, which is the next power of four and may exceed the shards. */
  #at = 0;
  #count = 0;
  #shard = 0;
  #strength = 0;

  constructor({ directoryId, seed, weight }: RingMember, shardCount: number) {
    this.#shardCount = shardCount;
    this.#weight = weight;
    this.#keys = Array.from({ length: ROUNDS + 1 }, (_, round) => hashText(directoryId, seed * (ROUNDS + 1) + round));
    let bits = 1;
    while (2 ** (2 * bits) < shardCount) bits += 1;
    this.#bits = bits;
    this.#mask = 2 ** bits - 1;
    this.#load();
  }

  /** False when the member's last token has been taken. */
  get more(): boolean {
    return this.#count < this.#shardCount;
  }

  /** Of the next token. */
  get strength(): number {
    return this.#strength;
  }

  get shard(): number {
    return this.#shard;
  }

  next(): void {
    this.#count += 1;
    if (this.more) this.#load();
  }

  /** The domain's permutation is walked in order; what falls outside the shards is left out. */
  #load(): void {
    do {
      this.#shard = this.#permuted(this.#at);
      this.#at += 1;
    } while (this.#shard >= this.#shardCount);
    const jitter = fraction(mix32(this.#count ^ (this.#keys[ROUNDS] ?? 0)));
    this.#strength = (this.#count + jitter) / this.#weight;
  }

  /** A Feistel network: a permutation whatever its round function is. */
  #permuted(at: number): number {
    let left = at >>> this.#bits;
    let right = at & this.#mask;
    for (let round = 0; round < ROUNDS; round += 1) {
      const next = left ^ (mix32(right ^ (this.#keys[round] ?? 0)) & this.#mask);
      left = right;
      right = next;
    }
    return (left << this.#bits) | right;
  }
}
