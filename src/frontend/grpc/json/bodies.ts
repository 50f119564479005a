// Bodies of the HTTP API's requests as they come, from whoever has reached the port: each has a bound, and so have all that are not whole yet (I9).

import type { Readable } from 'node:stream';

export type Body = Buffer | 'tooLarge' | 'tooMany';

const NOTHING = Buffer.alloc(0);
const MIN_ROOM_BYTES = 1_024;

export class Bodies {
  readonly #maxBytes: number;
  readonly #maxBytesOfAll: number;
  /** Of those that are not whole, with the room that they do not fill yet. */
  #bytes = 0;

  constructor(maxBytes: number, maxBytesOfAll: number) {
    this.#maxBytes = maxBytes;
    this.#maxBytesOfAll = maxBytesOfAll;
  }

  /** `done` is called once it is whole. One that breaks off is nobody's: the connection has ended. */
  read(request: Readable, done: (body: Body) => void): void {
    // In room that doubles: pieces of a byte, each kept by itself, would take a hundred times what they have.
    let room = NOTHING;
    let size = 0;
    let refusal: 'tooLarge' | 'tooMany' | undefined;
    const resize = (bytes: number): void => {
      const larger = bytes === 0 ? NOTHING : Buffer.allocUnsafe(bytes);
      room.copy(larger, 0, 0, size);
      this.#bytes += larger.length - room.length;
      room = larger;
    };
    const refuse = (why: typeof refusal): void => {
      refusal = why;
      resize(0);
    };
    request.on('data', (chunk: Buffer) => {
      // What is left of it is read and dropped, so that the answer arrives.
      if (refusal !== undefined) return;
      const needed = size + chunk.length;
      if (needed > this.#maxBytes) {
        refuse('tooLarge');
        return;
      }
      if (needed > room.length) {
        const bytes = Math.min(this.#maxBytes, Math.max(needed, 2 * room.length, MIN_ROOM_BYTES));
        if (this.#bytes - room.length + bytes > this.#maxBytesOfAll) {
          refuse('tooMany');
          return;
        }
        resize(bytes);
      }
      chunk.copy(room, size);
      size = needed;
    });
    request.once('end', () => {
      const body = room.subarray(0, size);
      resize(0);
      done(refusal ?? body);
    });
    request.once('close', () => resize(0));
  }
}
