// Reads the part of MessagePack that gossip uses (nil, booleans, numbers, ASCII strings, arrays) from hostile bytes: no length is trusted,
// nothing is allocated that the bytes do not pay for, nesting is bounded, extensions and maps are refused. Used by codec.ts.

export type Value = null | boolean | number | string | Value[];

/** Bytes that no honest member sends. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** A sync holds a list of records that hold a list of addresses or roles. */
const MAX_DEPTH = 5;

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  value(depth: number): Value {
    const byte = this.#uint(1);
    if (byte < 0x80) return byte;
    if (byte >= 0xe0) return byte - 0x100;
    if (byte >= 0xa0 && byte < 0xc0) return this.#text(byte & 0x1f);
    if (byte >= 0x90 && byte < 0xa0) return this.#list(byte & 0x0f, depth);
    switch (byte) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return this.#bytes.readFloatBE(this.#skip(4));
      case 0xcb:
        return this.#bytes.readDoubleBE(this.#skip(8));
      case 0xcc:
        return this.#uint(1);
      case 0xcd:
        return this.#uint(2);
      case 0xce:
        return this.#uint(4);
      case 0xcf:
        return this.#uint(4) * 0x1_0000_0000 + this.#uint(4);
      case 0xd9:
        return this.#text(this.#uint(1));
      case 0xda:
        return this.#text(this.#uint(2));
      case 0xdc:
        return this.#list(this.#uint(2), depth);
      case 0xdd:
        return this.#list(this.#uint(4), depth);
      default:
        throw new Malformed(`0x${byte.toString(16)} begins no value that gossip uses`);
    }
  }

  #skip(length: number): number {
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new Malformed('it ends in the middle of a value');
    return from;
  }

  #uint(size: 1 | 2 | 4): number {
    return this.#bytes.readUIntBE(this.#skip(size), size);
  }

  #text(length: number): string {
    const from = this.#skip(length);
    for (let at = from; at < this.#at; at += 1) {
      if ((this.#bytes[at] ?? 0) >= 0x80) throw new Malformed('a string is not ASCII');
    }
    return this.#bytes.toString('latin1', from, this.#at);
  }

  #list(length: number, depth: number): Value[] {
    if (depth >= MAX_DEPTH) throw new Malformed('it is nested too deep');
    // Each value takes a byte at least.
    if (length > this.#bytes.length - this.#at) throw new Malformed('a list is longer than its bytes');
    const list: Value[] = [];
    for (let i = 0; i < length; i += 1) list.push(this.value(depth + 1));
    return list;
  }
}

/** The values that stand one after the other in `bytes`. @throws Malformed */
export function readValues(bytes: Uint8Array): Value[] {
  const reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const values: Value[] = [];
  while (!reader.done) values.push(reader.value(0));
  return values;
}
