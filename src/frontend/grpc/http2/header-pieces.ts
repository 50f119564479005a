// Headers that come in several frames: nothing else may come between, and all together have a bound.

import { broken, ConnectionError, ErrorCode } from './protocol.ts';

/** What a piece counts at least: a client could send empty ones for ever. */
const MIN_PIECE_BYTES = 64;

export class HeaderPieces {
  readonly #maxBytes: number;
  #stream = 0;
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** The request has nothing but these headers. */
  endStream = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Some have come, and not the last. */
  get isOpen(): boolean {
    return this.#pieces.length > 0;
  }

  begin(stream: number, endStream: boolean, piece: Buffer): void {
    this.#stream = stream;
    this.endStream = endStream;
    this.#pieces = [piece];
    this.#bytes = piece.length;
  }

  /** All of them with the last, undefined before. Throws ConnectionError. */
  add(stream: number, piece: Buffer, isLast: boolean): Buffer | undefined {
    if (!this.isOpen || this.#stream !== stream) throw broken('headers go on that had not begun');
    this.#bytes += Math.max(MIN_PIECE_BYTES, piece.length);
    if (this.#bytes > this.#maxBytes) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, `headers have more than ${this.#maxBytes} bytes`);
    }
    this.#pieces.push(piece);
    if (!isLast) return undefined;
    const whole = Buffer.concat(this.#pieces);
    this.#pieces = [];
    return whole;
  }
}
