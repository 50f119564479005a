// Bytes of connections that have not said hello. A message may have megabytes, which wait until it is whole, and nobody has said yet who sends them:
// so until then a connection has the room that a hello needs, and all of them together have a bound (I9). Used by listener.ts.

import type { Duplex } from 'node:stream';

/** Of one connection: a hello has some hundred bytes, and a socket reads up to 64 KiB at once. */
const MAX_BYTES = 64 * 1024;
/** Of all. Each byte may be a fragment by itself, which takes twenty times that. */
const MAX_BYTES_OF_ALL = 16 * 1024 * 1024;

export class Strangers {
  #bytes = 0;

  /** `tooMuch` is called once, when this connection or all of them have sent too much before its hello. To be called after those who read `raw`. */
  watch(raw: Duplex, connection: { readonly hasSaidHello: boolean }, tooMuch: () => void): void {
    let bytes = 0;
    const over = (): void => {
      raw.off('data', count).off('close', over);
      this.#bytes -= bytes;
      bytes = 0;
    };
    const count = (chunk: Buffer): void => {
      if (connection.hasSaidHello) {
        over();
        return;
      }
      bytes += chunk.length;
      this.#bytes += chunk.length;
      if (bytes <= MAX_BYTES && this.#bytes <= MAX_BYTES_OF_ALL) return;
      over();
      tooMuch();
    };
    raw.on('data', count).once('close', over);
  }
}
