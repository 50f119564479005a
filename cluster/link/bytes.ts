// Numbers and short texts in the link's own frames. The handshake comes from strangers, so it is read by hand, field by field, with every length
// checked against what is there; nothing is allocated by a claim.

/** Thrown by a reader; caught where the frame came in. Never leaves cluster/link. */
export class BadBytes extends Error {
  override readonly name = 'BadBytes';
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

export class ByteWriter {
  readonly #parts: Uint8Array[] = [];

  u8(n: number): this {
    this.#parts.push(Uint8Array.of(n));
    return this;
  }

  u16(n: number): this {
    this.#parts.push(Uint8Array.of(n >>> 8, n & 255));
    return this;
  }

  /** Up to 2^53: epoch milliseconds. */
  u64(n: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(Math.max(0, Math.round(n))));
    this.#parts.push(bytes);
    return this;
  }

  /** At most 255 bytes; longer texts are cut. */
  text(text: string): this {
    const bytes = Buffer.from(text).subarray(0, 255);
    return this.u8(bytes.length).bytes(bytes);
  }

  bytes(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  done(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes that were not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new BadBytes('cut short');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  u8(): number {
    return this.bytes(1)[0] ?? 0;
  }

  u16(): number {
    return this.u8() * 256 + this.u8();
  }

  u64(): number {
    const value = Buffer.from(this.bytes(8)).readBigUInt64BE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new BadBytes('a number is out of range');
    return Number(value);
  }

  /** Printable text only: it ends up in logs. */
  text(): string {
    let text: string;
    try {
      text = utf8.decode(this.bytes(this.u8()));
    } catch {
      throw new BadBytes('a text is no UTF-8');
    }
    if (/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(text)) throw new BadBytes('a text is not printable');
    return text;
  }
}
