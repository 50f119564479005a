// Writes protobuf's wire format into one growing buffer. A nested message is written where it belongs and its length put before it
// afterwards: nearly all are shorter than 128 bytes, whose length has one byte, and the others are moved a little.

const TWO_32 = 2 ** 32;
const FIRST_SIZE = 1_024;

export class Writer {
  #bytes = Buffer.allocUnsafe(FIRST_SIZE);
  #at = 0;

  /** A copy of what was written; the writer is empty again, and keeps its buffer unless that grew large. */
  finish(): Buffer {
    const written = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    if (this.#bytes.length > MAX_KEPT) this.#bytes = Buffer.allocUnsafe(FIRST_SIZE);
    return written;
  }

  /** After a throw in the midst of a message. */
  clear(): void {
    this.#at = 0;
  }

  /** Leaves so many bytes for somebody else to fill: what is in them is not said. */
  skip(count: number): void {
    this.#room(count);
    this.#at += count;
  }

  uint32(value: number): void {
    this.#room(5);
    let n = value >>> 0;
    while (n > 0x7f) {
      this.#bytes[this.#at++] = (n & 0x7f) | 0x80;
      n >>>= 7;
    }
    this.#bytes[this.#at++] = n;
  }

  int32(value: number): void {
    // Negative ones have ten bytes, so that they read the same as int64.
    if (value < 0) this.int64(value);
    else this.uint32(value);
  }

  sint32(value: number): void {
    this.uint32((value << 1) ^ (value >> 31));
  }

  uint64(value: number): void {
    this.int64(value);
  }

  int64(value: number): void {
    if (value >= 0 && value < TWO_32) {
      this.uint32(value);
      return;
    }
    this.#room(10);
    const whole = Math.trunc(value);
    let high = Math.floor(whole / TWO_32) >>> 0;
    let low = (whole - Math.floor(whole / TWO_32) * TWO_32) >>> 0;
    while (high > 0 || low > 0x7f) {
      this.#bytes[this.#at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#bytes[this.#at++] = low;
  }

  sint64(value: number): void {
    this.int64(value < 0 ? -value * 2 - 1 : value * 2);
  }

  boolean(value: boolean): void {
    this.#room(1);
    this.#bytes[this.#at++] = value ? 1 : 0;
  }

  fixed32(value: number): void {
    this.#room(4);
    this.#at = this.#bytes.writeUInt32LE(value >>> 0, this.#at);
  }

  fixed64(value: number): void {
    this.fixed32(value % TWO_32);
    this.fixed32(Math.floor(value / TWO_32));
  }

  float(value: number): void {
    this.#room(4);
    this.#at = this.#bytes.writeFloatLE(value, this.#at);
  }

  double(value: number): void {
    this.#room(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  bytes(value: Uint8Array): void {
    this.uint32(value.length);
    this.raw(value);
  }

  /** Without a length before it. */
  raw(value: Uint8Array): void {
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  string(value: string): void {
    const { length } = value;
    if (length < 0x80 && isAscii(value)) {
      this.#room(length + 1);
      this.#bytes[this.#at++] = length;
      for (let i = 0; i < length; i += 1) this.#bytes[this.#at++] = value.charCodeAt(i);
      return;
    }
    const size = Buffer.byteLength(value);
    this.uint32(size);
    this.#room(size);
    this.#at += this.#bytes.write(value, this.#at, size, 'utf8');
  }

  /** Begins a length-delimited piece; `close` takes what this returns. */
  open(): number {
    this.#room(1);
    this.#at += 1;
    return this.#at;
  }

  close(start: number): void {
    const length = this.#at - start;
    if (length < 0x80) {
      this.#bytes[start - 1] = length;
      return;
    }
    const extra = length < 0x4000 ? 1 : length < 0x20_0000 ? 2 : length < 0x1000_0000 ? 3 : 4;
    this.#room(extra);
    this.#bytes.copyWithin(start + extra, start, this.#at);
    const end = this.#at + extra;
    this.#at = start - 1;
    this.uint32(length);
    this.#at = end;
  }

  #room(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Bytes of a buffer that is kept for the next message. */
const MAX_KEPT = 256 * 1_024;

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
