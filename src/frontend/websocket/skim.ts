// Walks a message's MessagePack before anything is decoded: finds where each frame begins and ends, its kind and request id, and what
// is wrong with it. A decoder that trusts lengths would allocate what a hostile header claims (five bytes can ask for gigabytes) or
// recurse as deep as it is nested; this walk allocates nothing per value and is bounded by the message's length.

import { isUtf8 } from 'node:buffer';

/** Nesting a frame may have: failures within failures, no honest client comes near. */
export const MAX_DEPTH = 100;
/** Values of one frame; past it decoding would take long enough to stall others. */
export const MAX_VALUES = 500_000;

export interface SkimmedFrame {
  start: number;
  end: number;
  /** The first element when it is a small integer, else -1. */
  kind: number;
  /** The second element of a request, response… when it is an integer, else undefined. */
  id: number | undefined;
  /** Maps, lists, and what is in them. */
  values: number;
  /** Why the frame must not be decoded. */
  problem: string | undefined;
}

export interface Skim {
  frames: SkimmedFrame[];
  /** The rest of the message cannot be told apart into frames: what is wrong, and the id of the frame it began in, if that was read. */
  broken: { reason: string; id: number | undefined } | undefined;
}

class Broken extends Error {
  override readonly name = 'Broken';
}

class Skimmer {
  readonly #bytes: Uint8Array;
  #at = 0;
  #values = 0;
  problem: string | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get at(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  get values(): number {
    return this.#values;
  }

  begin(): void {
    this.problem = undefined;
    this.#values = 0;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Broken('it ends in the middle of a value');
    this.#at += 1;
    return byte;
  }

  #length(size: 1 | 2 | 4): number {
    let length = 0;
    for (let i = 0; i < size; i += 1) length = length * 256 + this.#byte();
    return length;
  }

  #skip(length: number): void {
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new Broken('it ends in the middle of a value');
  }

  #text(length: number): void {
    const start = this.#at;
    this.#skip(length);
    for (let i = start; i < this.#at; i += 1) {
      if ((this.#bytes[i] ?? 0) < 0x80) continue;
      if (!isUtf8(this.#bytes.subarray(start, this.#at))) this.problem ??= 'a string is not UTF-8';
      return;
    }
  }

  /** Length of the array that begins here; throws when it is none. */
  frameLength(): number {
    const head = this.#byte();
    if (head >= 0x90 && head <= 0x9f) return head & 0x0f;
    if (head === 0xdc) return this.#length(2);
    throw new Broken('a frame is not an array');
  }

  /** The value here when it is a non-negative integer, skipping it in any case. */
  integer(): number | undefined {
    const start = this.#at;
    const head = this.#byte();
    if (head < 0x80) return head;
    if (head === 0xcc) return this.#length(1);
    if (head === 0xcd) return this.#length(2);
    if (head === 0xce) return this.#length(4);
    if (head === 0xcf) {
      const value = this.#length(4) * 4_294_967_296 + this.#length(4);
      return Number.isSafeInteger(value) ? value : undefined;
    }
    if (head === 0xcb) {
      // Integers above 2^32 come as floats from encoders that know one number type.
      const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
      this.#skip(8);
      const value = view.getFloat64(start + 1);
      return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
    }
    this.#at = start;
    this.value(1);
    return undefined;
  }

  /** Skips one value. `depth`: how many containers it sits in. */
  value(depth: number) {
    this.#values += 1;
    if (this.#values > MAX_VALUES) throw new Broken(`a frame has more than ${MAX_VALUES} values`);
    if (depth > MAX_DEPTH) throw new Broken(`a frame is nested deeper than ${MAX_DEPTH}`);
    const head = this.#byte();
    if (head < 0x80 || head >= 0xe0) return;
    if (head <= 0x8f) return this.#map(head & 0x0f, depth);
    if (head <= 0x9f) return this.#array(head & 0x0f, depth);
    if (head <= 0xbf) return this.#text(head & 0x1f);
    switch (head) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return;
      case 0xc4:
        return this.#skip(this.#length(1));
      case 0xc5:
        return this.#skip(this.#length(2));
      case 0xc6:
        return this.#skip(this.#length(4));
      case 0xcc:
      case 0xd0:
        return this.#skip(1);
      case 0xcd:
      case 0xd1:
        return this.#skip(2);
      case 0xca:
      case 0xce:
      case 0xd2:
        return this.#skip(4);
      case 0xcb:
      case 0xcf:
      case 0xd3:
        return this.#skip(8);
      case 0xd9:
        return this.#text(this.#length(1));
      case 0xda:
        return this.#text(this.#length(2));
      case 0xdb:
        return this.#text(this.#length(4));
      case 0xdc:
        return this.#array(this.#length(2), depth);
      case 0xdd:
        return this.#array(this.#length(4), depth);
      case 0xde:
        return this.#map(this.#length(2), depth);
      case 0xdf:
        return this.#map(this.#length(4), depth);
      default:
        return this.#extension(head);
    }
  }

  #extension(head: number) {
    this.problem ??= 'it uses MessagePack extension types';
    if (head >= 0xd4 && head <= 0xd8) return this.#skip(1 + (1 << (head - 0xd4)));
    if (head === 0xc7) return this.#skip(this.#length(1) + 1);
    if (head === 0xc8) return this.#skip(this.#length(2) + 1);
    if (head === 0xc9) return this.#skip(this.#length(4) + 1);
    throw new Broken('it contains the byte 0xc1, which no value begins with');
  }

  #array(length: number, depth: number): void {
    // Every element takes a byte at least: a claim beyond the message ends here, before anything is allocated.
    if (length > this.#bytes.length - this.#at) throw new Broken('it ends in the middle of a list');
    for (let i = 0; i < length; i += 1) this.value(depth + 1);
  }

  #map(length: number, depth: number): void {
    if (length * 2 > this.#bytes.length - this.#at) throw new Broken('it ends in the middle of a map');
    for (let i = 0; i < length; i += 1) {
      const head = this.#bytes[this.#at] ?? 0;
      const text = (head >= 0xa0 && head <= 0xbf) || (head >= 0xd9 && head <= 0xdb);
      if (!text) this.problem ??= 'a map has a key that is not a string';
      this.value(depth + 1);
      this.value(depth + 1);
    }
  }
}

export function skim(bytes: Uint8Array): Skim {
  const skimmer = new Skimmer(bytes);
  const frames: SkimmedFrame[] = [];
  let id: number | undefined;
  try {
    while (!skimmer.done) {
      skimmer.begin();
      id = undefined;
      const start = skimmer.at;
      const length = skimmer.frameLength();
      const kind = length > 0 ? (skimmer.integer() ?? -1) : -1;
      if (length > 1) {
        const first = skimmer.at;
        id = skimmer.integer();
        if (skimmer.at === first) throw new Broken('it ends in the middle of a frame');
      }
      for (let i = 2; i < length; i += 1) skimmer.value(1);
      frames.push({ start, end: skimmer.at, kind, id, values: skimmer.values, problem: skimmer.problem });
    }
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return { frames, broken: { reason: error.message, id } };
  }
  return { frames, broken: undefined };
}
