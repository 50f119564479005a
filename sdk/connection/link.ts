// One open transport: the handshake, frames in and out, one message per tick, and signs of life.
// A connection has one link at a time, plus older ones that a GOAWAY lets answer what they were asked.

import { decodeAll, encode } from '../../src/wire/codec.ts';
import { FrameKind, type Hello, MAX_MESSAGE_BYTES, type Welcome } from '../../src/wire/frame.ts';
import type { Status } from '../../src/wire/status.ts';
import { isRecord } from '../common/type-helpers.ts';
import { Attention, type Patience } from './attention.ts';
import type { Cancelable, Scheduler } from './scheduler.ts';
import type { Transport } from './transport.ts';

/** Bytes the transport may hold unsent before frames wait here instead. */
const HIGH_WATER_BYTES = 1024 * 1024;
/** How often a link whose transport is full looks again, ms. */
const DRAIN_POLL_MS = 5;
/** What a server that never said its own may be silent for, ms. */
const DEFAULT_IDLE_MS = 30_000;

export interface LinkListener {
  onWelcome(link: Link): void;
  onResponse(id: number, body: unknown): void;
  onPart(id: number, body: unknown): void;
  onError(link: Link, id: number, status: Status): void;
  onPush(link: Link, topic: string, body: unknown): void;
  onGoaway(link: Link): void;
  /** Somebody waits for this server, and another one could do instead. */
  isAwaited(link: Link): boolean;
  /** Silence: ask for an answer, where the transport has no ping of its own. */
  onSilence(link: Link): void;
  /** Called once. */
  onClose(link: Link, reason: string): void;
}

export class Link {
  welcome: Welcome | undefined;
  closed = false;
  /** It takes no new requests. */
  left = false;
  /** For messages to people. */
  readonly address: string;
  readonly #transport: Transport;
  readonly #scheduler: Scheduler;
  readonly #listener: LinkListener;
  readonly #attention: Attention;
  #frames: Uint8Array[] = [];
  #queuedBytes = 0;
  #flushDue = false;
  #heard = true;
  #silentLooks = 0;
  #idleTimer: Cancelable | undefined;

  constructor(transport: Transport, address: string, scheduler: Scheduler, patience: Patience, listener: LinkListener) {
    this.address = address;
    this.#transport = transport;
    this.#scheduler = scheduler;
    this.#listener = listener;
    this.#attention = new Attention(scheduler, patience, {
      isAwaited: () => !this.closed && listener.isAwaited(this),
      ask: () => this.#askForLife(),
      leave: (silentMs) => this.close(1001, `no sign of life for ${Math.round(silentMs)} ms`),
    });
    transport.onmessage = (bytes) => this.#receive(bytes);
    transport.onclose = (reason) => this.#onClosed(reason);
    transport.onalive = () => {
      this.#heard = true;
      this.#attention.heard();
    };
  }

  /** Bytes of frames that wait for the transport. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get maxMessageBytes(): number {
    return this.welcome?.maxMessageBytes ?? MAX_MESSAGE_BYTES;
  }

  /** Sends at once: nothing else may go before it. */
  sayHello(hello: Hello): void {
    this.#transport.send(encode([FrameKind.HELLO, hello]));
  }

  /** Sends with the other frames of this tick. */
  write(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#queuedBytes += frame.length;
    if (this.#flushDue || this.closed) return;
    this.#flushDue = true;
    this.#scheduler.soon(this.#flushTick);
  }

  /** Something may wait for this server from now on: its silence is noticed soon (attention.ts). */
  attend(): void {
    if (!this.closed && this.welcome !== undefined) this.#attention.begin();
  }

  /** Sends what waits, as far as the transport takes it. */
  flush(): void {
    let next = 0;
    while (next < this.#frames.length && !this.closed && (this.#transport.bufferedAmount ?? 0) < HIGH_WATER_BYTES) {
      const first = next;
      let bytes = 0;
      for (; next < this.#frames.length; next++) {
        const length = this.#frames[next]?.length ?? 0;
        if (next > first && bytes + length > this.maxMessageBytes) break;
        bytes += length;
      }
      this.#queuedBytes -= bytes;
      this.#transport.send(concat(this.#frames, first, next, bytes));
    }
    this.#frames = next === this.#frames.length ? [] : this.#frames.slice(next);
    if (this.#frames.length > 0 && !this.closed && !this.#flushDue) {
      this.#flushDue = true;
      this.#scheduler.after(DRAIN_POLL_MS, this.#flushTick);
    }
  }

  close(code: number, reason: string): void {
    if (this.closed) return;
    if (code === 1000) this.flush();
    this.#transport.close(code, reason);
    this.#onClosed(reason);
  }

  readonly #flushTick = (): void => {
    this.#flushDue = false;
    this.flush();
  };

  #onClosed(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    this.#frames = [];
    this.#queuedBytes = 0;
    this.#idleTimer?.cancel();
    this.#attention.end();
    this.#listener.onClose(this, reason);
  }

  #receive(bytes: Uint8Array): void {
    if (this.closed) return;
    this.#heard = true;
    this.#attention.heard();
    let frames: unknown[];
    try {
      frames = decodeAll(bytes);
    } catch (err) {
      this.close(1002, `malformed message: ${String(err)}`);
      return;
    }
    for (const frame of frames) {
      if (this.closed) return;
      if (!Array.isArray(frame) || !this.#dispatch(frame)) {
        this.close(1002, 'malformed frame');
        return;
      }
    }
  }

  /** False for a frame this side does not understand. */
  #dispatch(frame: unknown[]): boolean {
    const [kind, first, second] = frame;
    switch (kind) {
      case FrameKind.RESPONSE:
        if (typeof first !== 'number' || this.welcome === undefined) return false;
        this.#listener.onResponse(first, second);
        return true;
      case FrameKind.PART:
        if (typeof first !== 'number' || this.welcome === undefined) return false;
        this.#listener.onPart(first, second);
        return true;
      case FrameKind.PUSH:
        if (typeof first !== 'string' || this.welcome === undefined) return false;
        this.#listener.onPush(this, first, second);
        return true;
      case FrameKind.ERROR:
        if (typeof first !== 'number' || !isStatus(second)) return false;
        this.#listener.onError(this, first, second);
        return true;
      case FrameKind.GOAWAY:
        if (this.welcome === undefined) return false;
        this.#listener.onGoaway(this);
        return true;
      case FrameKind.WELCOME:
        if (this.welcome !== undefined || !isWelcome(first)) return false;
        this.welcome = first;
        this.#watchSilence(first.idleMs > 0 ? first.idleMs : DEFAULT_IDLE_MS);
        this.#listener.onWelcome(this);
        return true;
      default:
        return false;
    }
  }

  #askForLife(): void {
    if (this.#transport.ping !== undefined) this.#transport.ping();
    else this.#listener.onSilence(this);
  }

  /** After `idleMs` of silence asks for a sign of life, after as long again gives up. Looks four times in that span. */
  #watchSilence(idleMs: number): void {
    this.#idleTimer = this.#scheduler.after(idleMs / 2, () => {
      if (this.closed) return;
      this.#silentLooks = this.#heard ? 0 : this.#silentLooks + 1;
      this.#heard = false;
      if (this.#silentLooks >= 4) {
        this.close(1001, `no sign of life for ${2 * idleMs} ms`);
        return;
      }
      if (this.#silentLooks === 2) this.#askForLife();
      this.#watchSilence(idleMs);
    });
  }
}

function concat(frames: readonly Uint8Array[], from: number, to: number, bytes: number): Uint8Array {
  const only = frames[from];
  if (to - from === 1 && only !== undefined) return only;
  const message = new Uint8Array(bytes);
  let offset = 0;
  for (let i = from; i < to; i++) {
    const frame = frames[i];
    if (frame === undefined) continue;
    message.set(frame, offset);
    offset += frame.length;
  }
  return message;
}

function isStatus(value: unknown): value is Status {
  return isRecord(value) && typeof value.code === 'number' && typeof value.message === 'string';
}

function isWelcome(value: unknown): value is Welcome {
  return (
    isRecord(value) &&
    typeof value.protocol === 'number' &&
    typeof value.nodeId === 'string' &&
    typeof value.idleMs === 'number' &&
    typeof value.maxMessageBytes === 'number' &&
    Array.isArray(value.capabilities)
  );
}
