// Frames of a stream: four bytes of length, then so many bytes. The length is believed only up to the bound given, and nothing is
// allocated for bytes that have not come. Used by streams.ts.

const LENGTH_BYTES = 4;

export function frame(bytes: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(LENGTH_BYTES + bytes.length);
  framed.writeUInt32BE(bytes.length, 0);
  framed.set(bytes, LENGTH_BYTES);
  return framed;
}

export type FrameResult =
  | { readonly type: 'frame'; readonly frame: Buffer }
  | { readonly type: 'more' }
  | { readonly type: 'tooLong'; readonly length: number };

export class FrameReader {
  /** In room that doubles: pieces of a byte, each kept by itself, would take hundreds of times what they have. */
  #room = NOTHING;
  #length = 0;

  push(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#room.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#room.length));
      this.#room.copy(larger, 0, 0, this.#length);
      this.#room = larger;
    }
    chunk.copy(this.#room, this.#length);
    this.#length = length;
  }

  /** The next whole frame of at most `max` bytes. */
  next(max: number): FrameResult {
    if (this.#length < LENGTH_BYTES) return { type: 'more' };
    const length = this.#room.readUInt32BE(0);
    if (length > max) return { type: 'tooLong', length };
    const end = LENGTH_BYTES + length;
    if (this.#length < end) return { type: 'more' };
    const frame = this.#room.subarray(LENGTH_BYTES, end);
    // What comes after it is small, if there is any: each side says one thing and waits.
    const rest = this.#room.subarray(end, this.#length);
    this.#room = rest.length === 0 ? NOTHING : Buffer.from(rest);
    this.#length = rest.length;
    return { type: 'frame', frame };
  }
}

const NOTHING = Buffer.alloc(0);
