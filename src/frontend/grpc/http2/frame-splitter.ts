// Frames out of a connection's bytes, as they come: nearly always whole ones, which are read where they lie. A frame that is not whole yet is kept, and has a
// bound: its length is looked at before there is room for it.

import { broken, ConnectionError, ErrorCode, FRAME_HEADER_BYTES, MAX_FRAME_BYTES, PREFACE } from './protocol.ts';

/** The payload is `bytes` from `start` to `end`: views of it may be kept. Throws ConnectionError. */
export type OnFrame = (type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number) => void;

export class FrameSplitter {
  readonly #onFrame: OnFrame;
  /** Of the preface, how much has come. */
  #greeted = 0;
  /** A frame that is not whole: room for its header, then for all of it. */
  #partial = NOTHING;
  #filled = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** @param isOver whether no further frame is wanted: the last one has ended the connection */
  push(chunk: Buffer, isOver: () => boolean): void {
    let at = this.#greet(chunk);
    while (at < chunk.length && !isOver()) {
      const end = this.#filled === 0 ? at + sizeAt(chunk, at) : Number.POSITIVE_INFINITY;
      if (end <= chunk.length) {
        this.#frame(chunk, at, end);
        at = end;
      } else at = this.#keep(chunk, at);
    }
  }

  #greet(chunk: Buffer): number {
    if (this.#greeted === PREFACE.length) return 0;
    const count = Math.min(PREFACE.length - this.#greeted, chunk.length);
    const isPreface = chunk.compare(PREFACE, this.#greeted, this.#greeted + count, 0, count) === 0;
    if (!isPreface) throw broken('this is no HTTP/2');
    this.#greeted += count;
    return count;
  }

  #frame(bytes: Buffer, at: number, end: number): void {
    const stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
    this.#onFrame(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, stream, bytes, at + FRAME_HEADER_BYTES, end);
  }

  /** Returns up to where it has taken the chunk. */
  #keep(chunk: Buffer, from: number): number {
    let at = this.#fill(chunk, from, FRAME_HEADER_BYTES);
    if (this.#filled < FRAME_HEADER_BYTES) return at;
    const size = sizeAt(this.#partial, 0);
    at = this.#fill(chunk, at, size);
    if (this.#filled < size) return at;
    const frame = this.#partial;
    this.#partial = NOTHING;
    this.#filled = 0;
    this.#frame(frame, 0, size);
    return at;
  }

  /** Keeps of the chunk what is lacking to `size` bytes. */
  #fill(chunk: Buffer, from: number, size: number): number {
    if (this.#partial.length < size) {
      const larger = Buffer.allocUnsafe(size);
      this.#partial.copy(larger, 0, 0, this.#filled);
      this.#partial = larger;
    }
    if (this.#filled >= size) return from;
    const count = chunk.copy(this.#partial, this.#filled, from, from + size - this.#filled);
    this.#filled += count;
    return from + count;
  }
}

const NOTHING = Buffer.alloc(0);

/** Of the frame that begins here, header and payload; more than there is if its header is not whole. */
function sizeAt(bytes: Buffer, at: number): number {
  if (bytes.length - at < FRAME_HEADER_BYTES) return Number.POSITIVE_INFINITY;
  const length = bytes.readUIntBE(at, 3);
  if (length > MAX_FRAME_BYTES) {
    throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `a frame has ${length} bytes of ${MAX_FRAME_BYTES}`);
  }
  return FRAME_HEADER_BYTES + length;
}
