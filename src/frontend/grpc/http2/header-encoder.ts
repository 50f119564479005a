// Headers into HPACK's bytes, for answers that nearly all have the same ones: a header that is marked is said once for a connection and is a number from then
// on. Everything else is written as it is.

import { STATIC_HEADERS } from './static-table.ts';

export interface AnswerHeader {
  readonly name: string;
  /** A character for each byte. */
  readonly value: string;
  /** Of the few that most answers have: the same object each time. */
  readonly isKept?: boolean;
}

const ENTRY_BYTES = 32;
const TABLE_BYTES = 4_096;
/** What a number is written with that is known from the start, or that is new. */
const INDEXED = 0x80;
const KEPT_LITERAL = 0x40;
const LITERAL = 0;
const TABLE_SIZE = 0x20;

export class HeaderEncoder {
  /** In the order in which they were said: the client's table has no other, and never so many that one had to go. */
  readonly #kept: AnswerHeader[] = [];
  #keptBytes = 0;
  #maxBytes = TABLE_BYTES;
  /** What the client has to be told of its table before the next headers. */
  #sizes: number[] = [];
  /** Lists that are nothing but numbers, which change with what is kept. */
  #encoded = new WeakMap<readonly AnswerHeader[], Buffer>();

  /** The client's table may have so many bytes from now on. One that grows is left as it is. */
  limit(bytes: number): void {
    if (bytes >= this.#maxBytes) return;
    this.#maxBytes = bytes;
    this.#encoded = new WeakMap();
    if (this.#keptBytes <= bytes) this.#sizes = [bytes];
    else {
      this.#kept.length = 0;
      this.#keptBytes = 0;
      this.#sizes = [0, bytes];
    }
  }

  encode(headers: readonly AnswerHeader[]): Buffer {
    const same = this.#sizes.length === 0 ? this.#encoded.get(headers) : undefined;
    if (same !== undefined) return same;
    const isNumbers =
      this.#sizes.length === 0 &&
      headers.every((header) => this.#kept.includes(header) || knownAs(header) !== undefined);
    const encoded = this.#encode(headers);
    if (isNumbers) this.#encoded.set(headers, encoded);
    return encoded;
  }

  #encode(headers: readonly AnswerHeader[]): Buffer {
    const bytes = Buffer.allocUnsafe(this.#room(headers));
    let at = 0;
    for (const size of this.#sizes) at = writeInteger(bytes, at, TABLE_SIZE, 5, size);
    this.#sizes = [];
    for (const header of headers) at = this.#write(bytes, at, header);
    return bytes.subarray(0, at);
  }

  #write(bytes: Buffer, from: number, header: AnswerHeader): number {
    const { name, value, isKept } = header;
    const known = knownAs(header);
    if (known !== undefined) return writeInteger(bytes, from, INDEXED, 7, known);
    const kept = isKept === true ? this.#kept.indexOf(header) : -1;
    if (kept >= 0) return writeInteger(bytes, from, INDEXED, 7, STATIC_HEADERS.length + this.#kept.length - kept);
    const at = isKept === true && this.#keep(header) ? KEPT_LITERAL : LITERAL;
    return writeText(bytes, writeText(bytes, writeInteger(bytes, from, at, at === LITERAL ? 4 : 6, 0), name), value);
  }

  #keep(header: AnswerHeader): boolean {
    const bytes = this.#keptBytes + header.name.length + header.value.length + ENTRY_BYTES;
    if (bytes > this.#maxBytes) return false;
    this.#kept.push(header);
    this.#encoded = new WeakMap();
    this.#keptBytes = bytes;
    return true;
  }

  #room(headers: readonly AnswerHeader[]): number {
    let room = this.#sizes.length * MAX_INTEGER_BYTES;
    for (const { name, value } of headers) room += 3 * MAX_INTEGER_BYTES + name.length + value.length;
    return room;
  }
}

/** Of lengths and numbers of 32 bits. */
const MAX_INTEGER_BYTES = 6;

const KNOWN: ReadonlyMap<string, number> = new Map(
  STATIC_HEADERS.map(([name, value], i) => [`${name} ${value}`, i + 1]),
);

const knownAs = ({ name, value }: AnswerHeader): number | undefined => KNOWN.get(`${name} ${value}`);

function writeInteger(bytes: Buffer, from: number, pattern: number, prefix: number, value: number): number {
  const most = (1 << prefix) - 1;
  if (value < most) {
    bytes[from] = pattern | value;
    return from + 1;
  }
  bytes[from] = pattern | most;
  let at = from + 1;
  let rest = value - most;
  for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at] = rest;
  return at + 1;
}

function writeText(bytes: Buffer, from: number, text: string): number {
  const at = writeInteger(bytes, from, 0, 7, text.length);
  return at + bytes.write(text, at, 'latin1');
}
