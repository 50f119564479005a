// Infos of places that an index names, read the cheaper way. Where a third or more of what began in that time is wanted, all of it is read as one range:
// that is several times cheaper than to look each up. Where less is, looking each up is, and the range is not tried again for a while.

import { type Key, key } from '../ports/ids.ts';
import { next } from './keys.ts';
import type { Reader } from './reader.ts';

/** Fewer are looked up: a page of a list must not read around. */
const LEAST = 64;
/** Rows of a range that may be read for each that is wanted. */
const PER_WANTED = 3;
/** Of reads; doubled each time that a range was not worth it. */
const LONGEST_PAUSE = 64;

/** Of one search: it learns how much of what there is the search wants. */
export class Infos {
  readonly #reader: Pick<Reader, 'getMany' | 'range'>;
  readonly #prefix: string;
  #pause = 1;
  #skip = 0;

  /** @param prefix of the index that holds infos */
  constructor(reader: Pick<Reader, 'getMany' | 'range'>, prefix: string) {
    this.#reader = reader;
    this.#prefix = prefix;
  }

  /** @param places in order, either way. In their order; undefined: it is not there any more */
  async of(places: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const keys = places.map((place) => key(this.#prefix + place));
    if (places.length < LEAST) return this.#reader.getMany(keys);
    if (this.#skip > 0) {
      this.#skip -= 1;
      return this.#reader.getMany(keys);
    }
    return this.#around(keys);
  }

  async #around(keys: readonly Key[]): Promise<(Uint8Array | undefined)[]> {
    const [first, last] = [keys[0], keys.at(-1)];
    if (first === undefined || last === undefined) return [];
    const [from, to] = first < last ? [first, last] : [last, first];
    const limit = PER_WANTED * keys.length;
    const rows = await this.#reader.range(from, next(to), limit);
    const found = new Map<string, Uint8Array>(rows);
    const end = rows.length < limit ? to : (rows.at(-1)?.[0] ?? to);
    if (end < to) {
      this.#skip = this.#pause;
      this.#pause = Math.min(LONGEST_PAUSE, 2 * this.#pause);
    } else this.#pause = 1;
    const beyond = keys.filter((k) => k > end);
    const read = beyond.length === 0 ? [] : await this.#reader.getMany(beyond);
    let at = 0;
    return keys.map((k) => (k > end ? read[at++] : found.get(k)));
  }
}
