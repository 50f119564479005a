// Reads protobuf's wire format from bytes that a stranger sent: every read is bounds-checked, and anything malformed throws Malformed.
// Integers of 64 bits become numbers, as the engine has them: those past 2^53 lose their last digits, which no field of the API uses.

/** Bytes that are no message of the expected type. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

export const WireType = { VARINT: 0, FIXED64: 1, BYTES: 2, START_GROUP: 3, END_GROUP: 4, FIXED32: 5 } as const;

const MAX_VALUES = 500_000;
const TWO_32 = 2 ** 32;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class Reader {
  readonly #bytes: Buffer;
  #at: number;
  /** Where the message ends. */
  end: number;
  /** Messages, entries and items that were read. */
  values = 0;
  /** Halves of the last varint of 64 bits. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.end = bytes.length;
  }

  get done(): boolean {
    return this.#at >= this.end;
  }

  get position(): number {
    return this.#at;
  }

  /** Tags, lengths, and whatever fits 32 bits. Longer ones are cut, as protobuf says. */
  uint32(): number {
    this.#varint();
    return this.#low >>> 0;
  }

  int32(): number {
    this.#varint();
    return this.#low | 0;
  }

  sint32(): number {
    const n = this.uint32();
    return (n >>> 1) ^ -(n & 1);
  }

  uint64(): number {
    this.#varint();
    return (this.#high >>> 0) * TWO_32 + (this.#low >>> 0);
  }

  int64(): number {
    this.#varint();
    return (this.#high | 0) * TWO_32 + (this.#low >>> 0);
  }

  sint64(): number {
    const n = this.uint64();
    return n % 2 === 0 ? n / 2 : -(n + 1) / 2;
  }

  boolean(): boolean {
    this.#varint();
    return this.#low !== 0 || this.#high !== 0;
  }

  fixed32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  sfixed32(): number {
    return this.#bytes.readInt32LE(this.#take(4));
  }

  fixed64(): number {
    const at = this.#take(8);
    return this.#bytes.readUInt32LE(at + 4) * TWO_32 + this.#bytes.readUInt32LE(at);
  }

  sfixed64(): number {
    const at = this.#take(8);
    return this.#bytes.readInt32LE(at + 4) * TWO_32 + this.#bytes.readUInt32LE(at);
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#take(4));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  /** A view: copy what outlives the message. */
  bytes(): Uint8Array {
    const length = this.uint32();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  string(): string {
    const length = this.uint32();
    const at = this.#take(length);
    const end = at + length;
    // Nearly all texts are short and ASCII, where the decoder's call costs more than the text.
    for (let i = at; i < end; i += 1) {
      if ((this.#bytes[i] ?? 0) > 0x7f) {
        try {
          return decoder.decode(this.#bytes.subarray(at, end));
        } catch {
          throw new Malformed('a string contains invalid UTF-8');
        }
      }
    }
    return this.#bytes.toString('latin1', at, end);
  }

  /** So many more were read: as through the native door, more than half a million would take long enough to stall others (I9). */
  count(values = 1): void {
    this.values += values;
    if (this.values > MAX_VALUES) throw new Malformed(`a message has more than ${MAX_VALUES} values`);
  }

  /** Narrows the reader to a length-delimited piece; returns the end to go back to with `leave`. */
  enter(): number {
    const length = this.uint32();
    const outer = this.end;
    if (length > outer - this.#at) throw new Malformed('a message is cut off');
    this.end = this.#at + length;
    return outer;
  }

  leave(outer: number): void {
    this.end = outer;
  }

  /** Passes over a field nobody knows. */
  skip(wireType: number): void {
    switch (wireType) {
      case WireType.VARINT:
        this.#varint();
        return;
      case WireType.FIXED64:
        this.#take(8);
        return;
      case WireType.BYTES:
        this.#take(this.uint32());
        return;
      case WireType.FIXED32:
        this.#take(4);
        return;
      default:
        // Groups are of proto2, and no message of the API has one.
        throw new Malformed(`wire type ${wireType} is not known`);
    }
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.end - at) throw new Malformed('a message is cut off');
    this.#at = at + length;
    return at;
  }

  #varint(): void {
    let low = 0;
    let high = 0;
    let at = this.#at;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= this.end) throw new Malformed('a message is cut off');
      const byte = this.#bytes[at] ?? 0;
      at += 1;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else high |= (bits & 1) << 31;
      if (byte < 0x80) {
        this.#at = at;
        this.#low = low;
        this.#high = high;
        return;
      }
    }
    throw new Malformed('a number is too long');
  }
}
