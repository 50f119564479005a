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
  #chunks: Buffer[] = [];
  #length = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next whole frame of at most `max` bytes. */
  next(max: number): FrameResult {
    if (this.#length < LENGTH_BYTES) return { type: 'more' };
    let [first = Buffer.alloc(0)] = this.#chunks;
    if (first.length < LENGTH_BYTES) first = this.#join();
    const length = first.readUInt32BE(0);
    if (length > max) return { type: 'tooLong', length };
    if (this.#length < LENGTH_BYTES + length) return { type: 'more' };
    const all = this.#join();
    const rest = all.subarray(LENGTH_BYTES + length);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    return { type: 'frame', frame: all.subarray(LENGTH_BYTES, LENGTH_BYTES + length) };
  }

  #join(): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}
