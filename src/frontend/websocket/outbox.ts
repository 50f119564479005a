// Frames on their way out of one connection: collected during a tick, sent as one message at its end, counted until the peer's
// machine has taken them. Bounded by its owner, which watches `bytes`.

import type { Scheduler } from '../../ports/clock.ts';
import type { Wire } from './wire.ts';

/** Messages are cut at this size: a peer need not hold more than one large answer at a time. */
const MESSAGE_BYTES = 1024 * 1024;

export class Outbox {
  readonly #wire: Wire;
  readonly #scheduler: Scheduler;
  /** Called before the frames of a tick leave: the last chance to add to them. */
  readonly #beforeFlush: () => void;
  #frames: Uint8Array[] = [];
  #bytes = 0;
  #due = false;
  #closed = false;

  constructor(wire: Wire, scheduler: Scheduler, beforeFlush: () => void) {
    this.#wire = wire;
    this.#scheduler = scheduler;
    this.#beforeFlush = beforeFlush;
  }

  /** Bytes not yet taken by the peer's machine. */
  get bytes(): number {
    return this.#bytes + this.#wire.bufferedAmount;
  }

  add(frame: Uint8Array): void {
    if (this.#closed) return;
    this.#frames.push(frame);
    this.#bytes += frame.length;
    this.wake();
  }

  /** Something will be added before the flush of this tick. */
  wake(): void {
    if (this.#due || this.#closed) return;
    this.#due = true;
    this.#scheduler.soon(this.#flushTick);
  }

  flush(): void {
    this.#beforeFlush();
    const frames = this.#frames;
    if (frames.length === 0) return;
    this.#frames = [];
    this.#bytes = 0;
    let from = 0;
    let size = 0;
    for (let i = 0; i < frames.length; i += 1) {
      const length = frames[i]?.length ?? 0;
      if (i > from && size + length > MESSAGE_BYTES) {
        this.#wire.send(joined(frames, from, i, size));
        from = i;
        size = 0;
      }
      size += length;
    }
    this.#wire.send(joined(frames, from, frames.length, size));
  }

  close(): void {
    this.#closed = true;
    this.#frames = [];
    this.#bytes = 0;
  }

  readonly #flushTick = (): void => {
    this.#due = false;
    if (!this.#closed) this.flush();
  };
}

function joined(frames: readonly Uint8Array[], from: number, to: number, size: number): Uint8Array {
  const only = frames[from];
  if (to - from === 1 && only !== undefined) return only;
  const message = new Uint8Array(size);
  let at = 0;
  for (let i = from; i < to; i += 1) {
    const frame = frames[i];
    if (frame === undefined) continue;
    message.set(frame, at);
    at += frame.length;
  }
  return message;
}
