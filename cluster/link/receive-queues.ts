// What arrives on one link, put together again: a message's chunks until its last, bounded by the largest message and by the window the peer was
// given (I9). While a channel is paused its window is not opened again, so a peer stops by itself. Pure; called by session.ts.

import { BadBytes } from './bytes.ts';
import { CHANNELS, type Channel, type Frame, perChannel } from './frames.ts';

const NOTHING = Buffer.alloc(0);

interface Arriving {
  /** Grows by doubling, so that a message of many tiny chunks costs no more than one of a few. */
  buffer: Buffer;
  bytes: number;
  /** Between a first chunk and a last. */
  partial: boolean;
  /** Bytes the peer may still send. */
  window: number;
  /** Taken and not yet granted again. */
  owed: number;
  paused: boolean;
}

export class ReceiveQueues {
  readonly #limits: { messageBytes: number; windowBytes: number };
  readonly #channels: Record<Channel, Arriving>;
  readonly #grant: (channel: Channel, bytes: number) => void;

  constructor(limits: { messageBytes: number; windowBytes: number }, grant: (channel: Channel, bytes: number) => void) {
    this.#limits = limits;
    this.#grant = grant;
    this.#channels = perChannel(() => ({
      buffer: NOTHING,
      bytes: 0,
      partial: false,
      window: limits.windowBytes,
      owed: 0,
      paused: false,
    }));
  }

  /** A whole message, or undefined. Throws BadBytes when the peer breaks the rules. */
  receive({ channel, first, last, chunk }: Extract<Frame, { kind: 'data' }>): Uint8Array | undefined {
    const arriving = this.#channels[channel];
    if (first === arriving.partial) throw new BadBytes(`a message on ${channel} is out of order`);
    if (chunk.length === 0 && !(first && last)) throw new BadBytes(`an empty chunk on ${channel}`);
    if (chunk.length > arriving.window) throw new BadBytes(`the peer sent more on ${channel} than it may`);
    if (arriving.bytes + chunk.length > this.#limits.messageBytes) {
      throw new BadBytes(`a message on ${channel} is larger than ${this.#limits.messageBytes} bytes`);
    }
    arriving.window -= chunk.length;
    arriving.owed += chunk.length;
    this.#open(channel, arriving);
    if (first && last) return chunk;
    append(arriving, chunk);
    arriving.partial = !last;
    if (!last) return undefined;
    const message = arriving.buffer.subarray(0, arriving.bytes);
    arriving.buffer = NOTHING;
    arriving.bytes = 0;
    return message;
  }

  pause(channel: Channel): void {
    this.#channels[channel].paused = true;
  }

  resume(channel: Channel): void {
    const arriving = this.#channels[channel];
    arriving.paused = false;
    this.#open(channel, arriving);
  }

  /** Bytes of messages that are not whole yet. */
  get held(): number {
    return CHANNELS.reduce((sum, channel) => sum + this.#channels[channel].bytes, 0);
  }

  #open(channel: Channel, arriving: Arriving): void {
    if (arriving.paused || arriving.owed * 2 < this.#limits.windowBytes) return;
    arriving.window += arriving.owed;
    this.#grant(channel, arriving.owed);
    arriving.owed = 0;
  }
}

function append(arriving: Arriving, chunk: Uint8Array): void {
  const { buffer, bytes } = arriving;
  if (bytes + chunk.length > buffer.length) {
    arriving.buffer = Buffer.allocUnsafe(Math.max(2 * buffer.length, bytes + chunk.length));
    arriving.buffer.set(buffer.subarray(0, bytes));
  }
  arriving.buffer.set(chunk, bytes);
  arriving.bytes += chunk.length;
}
