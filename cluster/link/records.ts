// Records: what a link writes to its stream. Each is a length and that many bytes; after the handshake with a cluster key the bytes are sealed with
// AES-256-GCM, the nonce being the record's number, so that a changed, repeated, left-out or reordered record is noticed at once.

import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM } from 'node:crypto';
import { BadBytes } from './bytes.ts';

const LENGTH_BYTES = 4;
const TAG_BYTES = 16;
/** Plain bytes of one record: several small frames, or a chunk of a large message. */
export const RECORD_BYTES = 64 * 1024;

/** Cuts a byte stream into records. */
export class RecordReader {
  #parts: Uint8Array[] = [];
  #held = 0;
  /** Bytes the next record may have; raised after the handshake. */
  maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#held += bytes.length;
  }

  /** The next whole record's bytes, or undefined. Throws BadBytes for a length out of bounds. */
  next(): Uint8Array | undefined {
    if (this.#held < LENGTH_BYTES) return undefined;
    const head = this.#joined(LENGTH_BYTES);
    const length = head.readUInt32BE(0);
    if (length === 0 || length > this.maxBytes)
      throw new BadBytes(`a record claims ${length} bytes, at most ${this.maxBytes} are allowed`);
    if (this.#held < LENGTH_BYTES + length) return undefined;
    const record = this.#joined(LENGTH_BYTES + length);
    this.#held -= LENGTH_BYTES + length;
    const rest = record.subarray(LENGTH_BYTES + length);
    if (rest.length > 0) this.#parts[0] = rest;
    else this.#parts.shift();
    return record.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
  }

  /** The first part, after it was joined with those behind it until it has `length` bytes. */
  #joined(length: number): Buffer {
    const first = this.#parts[0] ?? new Uint8Array(0);
    if (first.length >= length) return Buffer.from(first.buffer, first.byteOffset, first.length);
    let count = 0;
    let total = 0;
    for (const part of this.#parts) {
      count += 1;
      total += part.length;
      if (total >= length) break;
    }
    const joined = Buffer.concat(this.#parts.slice(0, count), total);
    this.#parts.splice(0, count, joined);
    return joined;
  }
}

export function plainRecord(payload: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(LENGTH_BYTES + payload.length);
  record.writeUInt32BE(payload.length, 0);
  record.set(payload, LENGTH_BYTES);
  return record;
}

/** Seals what one side sends, or opens what it receives: one key, one direction, records in order. */
export class Sealer {
  readonly #key: Uint8Array;
  readonly #nonce = Buffer.alloc(12);
  #count = 0;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  #next(): Buffer {
    this.#nonce.writeUIntBE(this.#count, 6, 6);
    this.#count += 1;
    return this.#nonce;
  }

  seal(payload: Uint8Array): Buffer {
    const head = Buffer.allocUnsafe(LENGTH_BYTES);
    head.writeUInt32BE(payload.length + TAG_BYTES, 0);
    const cipher: CipherGCM = createCipheriv('aes-256-gcm', this.#key, this.#next());
    cipher.setAAD(head);
    const sealed = cipher.update(payload);
    cipher.final();
    return Buffer.concat([head, sealed, cipher.getAuthTag()]);
  }

  /** Throws BadBytes when the record is not the one that was to come. */
  open(record: Uint8Array): Buffer {
    if (record.length <= TAG_BYTES) throw new BadBytes('a record is shorter than its seal');
    const head = Buffer.allocUnsafe(LENGTH_BYTES);
    head.writeUInt32BE(record.length, 0);
    const decipher: DecipherGCM = createDecipheriv('aes-256-gcm', this.#key, this.#next(), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(head);
    decipher.setAuthTag(record.subarray(record.length - TAG_BYTES));
    const payload = decipher.update(record.subarray(0, record.length - TAG_BYTES));
    try {
      decipher.final();
    } catch {
      throw new BadBytes('a record was changed, repeated or left out on its way');
    }
    return payload;
  }
}

/** A sealed record is longer than its payload by this much. */
export const SEAL_BYTES = TAG_BYTES;
