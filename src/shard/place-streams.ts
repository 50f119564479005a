// Places of executions in order of time, out of index rows: one range of keys, several merged, or some that were collected. Reads in chunks, as
// much as is asked for. Rows of shards that are not meant are passed over: they may be behind, and are shown by their leaders.

import { type Key, key } from '../ports/ids.ts';
import { next } from './keys.ts';
import type { Reader } from './reader.ts';
import { indexedShard } from './visibility.ts';

/** Newest first, or oldest first. */
export type Way = 'forwards' | 'backwards';

/** The end of an index key, and the info when the row holds it. */
export interface Placed {
  readonly place: string;
  readonly value: Uint8Array | undefined;
}

export interface PlaceStream {
  /** At most so many, the next ones; none: there are no more. Fewer than asked for say nothing. */
  take(limit: number): Promise<readonly Placed[]>;
  /** It is not read any more. */
  close(): void;
}

/** Places whose rows went from a range while it was read: they may be in another by now, behind where that was read. */
export interface Moved {
  take(): readonly string[];
  close(): void;
}

export interface KeyRange {
  readonly prefix: string;
  readonly from: Key;
  readonly to: Key;
}

export interface StreamOptions {
  readonly reader: Reader;
  readonly way: Way;
  /** Whether the rows hold infos. */
  readonly holds: 'infos' | 'nothing';
  isMeant(shard: number): boolean;
}

/** Begins behind a place of its own: '' is the beginning. */
export class RangeStream implements PlaceStream {
  readonly #options: StreamOptions;
  readonly #prefix: string;
  #from: Key;
  #to: Key;

  constructor(options: StreamOptions, { prefix, from, to }: KeyRange, after: string) {
    this.#options = options;
    this.#prefix = prefix;
    this.#from = from;
    this.#to = to;
    if (after === '') return;
    const place = key(prefix + after);
    if (options.way === 'forwards') this.#from = place < from ? from : next(place);
    else if (place < to) this.#to = place;
  }

  close(): void {}

  async take(limit: number): Promise<readonly Placed[]> {
    const { reader, way, holds, isMeant } = this.#options;
    while (this.#from < this.#to) {
      const chunk =
        way === 'forwards'
          ? await reader.chunk(this.#from, this.#to, limit)
          : await reader.chunkBackwards(this.#from, this.#to, limit);
      if (way === 'forwards') this.#from = chunk.next ?? this.#to;
      else this.#to = chunk.next ?? this.#from;
      const found: Placed[] = [];
      for (const [k, value] of chunk.rows) {
        if (!isMeant(indexedShard(k))) continue;
        found.push({ place: k.slice(this.#prefix.length), value: holds === 'infos' ? value : undefined });
      }
      if (found.length > 0) return found;
    }
    return [];
  }
}

/** Places that are known, in no order yet. */
export class CollectedStream implements PlaceStream {
  readonly #places: string[];
  #at = 0;

  constructor(places: Iterable<string>, way: Way, after: string) {
    const all = [...new Set(places)].sort();
    if (way === 'backwards') all.reverse();
    this.#places = all.filter((place) => after === '' || (way === 'forwards' ? place > after : place < after));
  }

  close(): void {}

  async take(limit: number): Promise<readonly Placed[]> {
    const from = this.#at;
    this.#at += limit;
    return this.#places.slice(from, this.#at).map((place) => ({ place, value: undefined }));
  }
}

interface Head {
  readonly stream: PlaceStream;
  buffer: readonly Placed[];
  at: number;
  over: boolean;
}

/**
 * Several at once; what is in more than one comes once. What moves from one range to another while they are read is not lost between them: it
 * comes as a candidate, at its place.
 */
export class MergedStream implements PlaceStream {
  readonly #heads: Head[];
  readonly #way: Way;
  readonly #moved: Moved;
  #last: string | undefined;

  /** @param moved is noting already: before any of the streams is read */
  constructor(streams: readonly PlaceStream[], way: Way, moved: Moved) {
    this.#heads = streams.map((stream) => ({ stream, buffer: [], at: 0, over: false }));
    this.#way = way;
    this.#moved = moved;
  }

  close(): void {
    this.#moved.close();
  }

  async take(limit: number): Promise<readonly Placed[]> {
    const found: Placed[] = [];
    // One of them mostly has more than the others.
    const each = Math.max(LEAST_CHUNK, Math.min(limit, Math.ceil((2 * limit) / this.#heads.length)));
    while (found.length < limit) {
      await this.#fill(each);
      const top = this.#top();
      if (top === undefined) break;
      if (top.place !== this.#last) found.push(top);
      this.#last = top.place;
    }
    return found;
  }

  async #fill(limit: number): Promise<void> {
    for (;;) {
      // Also what moved while they were filled.
      this.#takeMoved();
      const empty = this.#heads.filter(({ buffer, at, over }) => !over && at === buffer.length);
      if (empty.length === 0) return;
      await Promise.all(empty.map((head) => fill(head, limit)));
    }
  }

  /** What has moved and was not passed yet becomes a head of its own: what was passed has been given. */
  #takeMoved(): void {
    const last = this.#last;
    const places = this.#moved
      .take()
      .filter((place) => last === undefined || (this.#way === 'forwards' ? place > last : place < last));
    if (places.length === 0) return;
    this.#heads.push({ stream: new CollectedStream(places, this.#way, ''), buffer: [], at: 0, over: false });
  }

  /** The first of all heads leaves its buffer. None of them is empty, unless it is over. */
  #top(): Placed | undefined {
    let best: Head | undefined;
    let top: Placed | undefined;
    for (const head of this.#heads) {
      const first = head.buffer[head.at];
      if (first === undefined) continue;
      const comesFirst =
        top === undefined || (this.#way === 'forwards' ? first.place < top.place : first.place > top.place);
      if (!comesFirst) continue;
      best = head;
      top = first;
    }
    if (best !== undefined) best.at += 1;
    return top;
  }
}

/** Rows read of each of several ranges at least. */
const LEAST_CHUNK = 32;

async function fill(head: Head, limit: number): Promise<void> {
  head.buffer = await head.stream.take(limit);
  head.at = 0;
  head.over = head.buffer.length === 0;
}
