// Messages in a stream's bytes: each has a flag (compressed or not) and a length of four bytes before it. Reads what a stranger sent, so the length is
// checked before anything is kept for it, and so is what comes out of a compressed message.

import { gunzipSync, inflateSync } from 'node:zlib';
import { StatusCode } from '../../../wire/status.ts';
import type { Codec } from '../proto/codec.ts';
import { encodeMessage } from '../proto/message.ts';
import { RpcError } from '../status.ts';

const HEADER_BYTES = 5;
const NOTHING = Buffer.alloc(0);
/** Of what a compressed message is inflated into, piece by piece. */
const MIN_CHUNK_BYTES = 512;
const MAX_CHUNK_BYTES = 64 * 1024;

/** A message as it leaves: its header and its bytes in one buffer, so that nothing is copied once more. Never compressed. */
export function frameOf(codec: Codec, value: unknown): Buffer {
  const frame = encodeMessage(codec, value, HEADER_BYTES);
  frame[0] = 0;
  frame.writeUInt32BE(frame.length - HEADER_BYTES, 1);
  return frame;
}

/** The same of a message that is bytes already. */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, HEADER_BYTES);
  return frame;
}

/** The messages of one stream, in order. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #encoding: string;
  /** What came of a message that is not whole yet, in room that doubles: pieces of a byte, each kept by itself, would take a hundred times what they have. */
  #room = NOTHING;
  #kept = 0;

  /** @param encoding how compressed messages are: the stream's `grpc-encoding` */
  constructor(maxBytes: number, encoding: string) {
    this.#maxBytes = maxBytes;
    this.#encoding = encoding;
  }

  /** Of a message that has begun and is not whole. */
  get keptBytes(): number {
    return this.#kept;
  }

  /** Messages that are whole with this chunk: nearly always one, a view of it. Throws RpcError. */
  read(chunk: Buffer): Buffer[] {
    let bytes = chunk;
    if (this.#kept > 0) {
      this.#keep(chunk);
      if (this.#kept < this.#needed()) return [];
      bytes = this.#room.subarray(0, this.#kept);
      this.#room = NOTHING;
      this.#kept = 0;
    }
    const messages: Buffer[] = [];
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + this.#length(bytes, at);
      if (end > bytes.length) break;
      const body = bytes.subarray(at + HEADER_BYTES, end);
      messages.push(bytes[at] === 0 ? body : this.#inflated(body));
      at = end;
    }
    if (at < bytes.length) this.#keep(bytes.subarray(at));
    return messages;
  }

  #keep(bytes: Buffer): void {
    const kept = this.#kept + bytes.length;
    if (kept > this.#room.length) {
      const larger = Buffer.allocUnsafe(Math.max(kept, 2 * this.#room.length));
      this.#room.copy(larger, 0, 0, this.#kept);
      this.#room = larger;
    }
    bytes.copy(this.#room, this.#kept);
    this.#kept = kept;
  }

  #length(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32BE(at + 1);
    if (length > this.#maxBytes) {
      throw new RpcError(
        StatusCode.RESOURCE_EXHAUSTED,
        `Received message larger than max (${length} vs ${this.#maxBytes})`,
      );
    }
    return length;
  }

  /** Bytes that are kept before it is looked at them again. */
  #needed(): number {
    return this.#kept < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + this.#length(this.#room, 0);
  }

  /**
   * At once: a request of a few hundred bytes takes a few microseconds, and handing it to another thread took a hundred times that. What comes out is
   * bounded, so no request holds the thread for longer than a message of the greatest size takes.
   */
  #inflated(body: Buffer): Buffer {
    // Of the size that is likely: the default, 16 KiB, is memory of its own for each request.
    const chunkSize = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, 4 * body.length));
    const options = { maxOutputLength: this.#maxBytes, chunkSize };
    try {
      switch (this.#encoding) {
        case 'gzip':
          return gunzipSync(body, options);
        case 'deflate':
          return inflateSync(body, options);
      }
    } catch (error) {
      if (error instanceof RangeError) {
        const message = `Received message that decompresses to a size larger than ${this.#maxBytes}`;
        throw new RpcError(StatusCode.RESOURCE_EXHAUSTED, message);
      }
      throw new RpcError(StatusCode.INTERNAL, 'Failed to decompress message');
    }
    if (this.#encoding === 'identity')
      throw new RpcError(StatusCode.INTERNAL, 'A message is compressed, and its stream names no encoding.');
    const message = `Received message compressed with unsupported encoding "${this.#encoding.slice(0, 100)}"`;
    throw new RpcError(StatusCode.UNIMPLEMENTED, message);
  }
}
