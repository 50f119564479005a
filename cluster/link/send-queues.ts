// What waits to be sent on one link: a bounded queue for each channel (I9), and the link's own small frames, which go first. Channels take turns by
// bytes, so that a snapshot shares the link and never owns it. Pure; called by session.ts.

import { CHANNELS, CHUNK_BYTES, type Channel, DATA_HEAD_BYTES, type Frame, perChannel, writeFrame } from './frames.ts';
import { RECORD_BYTES } from './records.ts';

/** What a queued message costs besides its bytes: bounds the number of tiny ones. */
const MESSAGE_COST = 64;
/** Room for the link's own frames at the head of a record: one of each kind and channel. */
const CONTROL_BYTES = 64;

/** Where records are put together, one at a time: all of it is synchronous. */
const SCRATCH = Buffer.alloc(RECORD_BYTES);

class Queue {
  readonly messages: Uint8Array[] = [];
  #head = 0;
  /** Bytes of the first message that have left. */
  sent = 0;
  bytes = 0;
  window: number;
  /** Somebody was refused: tell them when there is room. */
  refused = false;

  constructor(window: number) {
    this.window = window;
  }

  get first(): Uint8Array | undefined {
    return this.messages[this.#head];
  }

  /** What it holds, as its bound counts it. */
  get load(): number {
    return this.bytes + MESSAGE_COST * (this.messages.length - this.#head);
  }

  push(message: Uint8Array): void {
    this.messages.push(message);
    this.bytes += message.length;
  }

  shift(): void {
    this.#head += 1;
    this.sent = 0;
    if (this.#head < 64 || this.#head * 2 < this.messages.length) return;
    this.messages.splice(0, this.#head);
    this.#head = 0;
  }
}

export class SendQueues {
  readonly #limits: { queuedBytes: number };
  readonly #queues: Record<Channel, Queue>;
  /** Window frames owed to the peer, bytes. */
  readonly #grants = perChannel(() => 0);
  #ping: number | undefined;
  #pong: { id: number; wallClockMs: number } | undefined;
  #goodbye = false;
  #turn = 0;

  constructor(limits: { queuedBytes: number; windowBytes: number }) {
    this.#limits = limits;
    this.#queues = perChannel(() => new Queue(limits.windowBytes));
  }

  /** False when the channel's queue is full. The bytes must not change until they have left. */
  offer(channel: Channel, message: Uint8Array): boolean {
    const queue = this.#queues[channel];
    if (queue.first !== undefined && queue.load + message.length > this.#limits.queuedBytes) {
      queue.refused = true;
      return false;
    }
    queue.push(message);
    return true;
  }

  queued(channel: Channel): number {
    return this.#queues[channel].load;
  }

  /** Whether every message has left, and the goodbye after them. */
  get isDone(): boolean {
    return !this.#goodbye && !this.#hasMessages();
  }

  #hasMessages(): boolean {
    return CHANNELS.some((channel) => this.#queues[channel].first !== undefined);
  }

  ping(id: number): void {
    this.#ping = id;
  }

  /** Only the newest ping is answered: a peer that floods pings gets no flood back. */
  pong(id: number, wallClockMs: number): void {
    this.#pong = { id, wallClockMs };
  }

  goodbye(): void {
    this.#goodbye = true;
  }

  /** The peer took so many bytes more. */
  opened(channel: Channel, bytes: number): void {
    const queue = this.#queues[channel];
    queue.window = Math.min(Number.MAX_SAFE_INTEGER, queue.window + bytes);
  }

  /** The peer may send so many bytes more. */
  grant(channel: Channel, bytes: number): void {
    this.#grants[channel] = Math.min(0xffff_ffff, this.#grants[channel] + bytes);
  }

  /** Channels that refused a message and have room for half their bound again; each is told of once. */
  drained(): Channel[] {
    return CHANNELS.filter((channel) => {
      const queue = this.#queues[channel];
      if (!queue.refused || queue.load * 2 > this.#limits.queuedBytes) return false;
      queue.refused = false;
      return true;
    });
  }

  /** The plain bytes of the next record, or undefined when nothing can be sent. Valid until the next call: sealing and framing copy them. */
  take(): Buffer | undefined {
    const record = SCRATCH;
    let at = this.#control(record);
    let idle = 0;
    while (idle < CHANNELS.length && record.length - at > DATA_HEAD_BYTES + CONTROL_BYTES) {
      const channel = CHANNELS[this.#turn % CHANNELS.length] ?? 'rpc';
      const next = this.#fill(channel, record, at);
      idle = next === at ? idle + 1 : 0;
      at = next;
      this.#turn += 1;
    }
    // Last of all: the peer reads nothing after it.
    if (this.#goodbye && !this.#hasMessages() && record.length - at > CONTROL_BYTES) {
      this.#goodbye = false;
      at = writeFrame(record, at, { kind: 'goodbye' });
    }
    return at === 0 ? undefined : record.subarray(0, at);
  }

  #control(record: Buffer): number {
    let at = 0;
    const write = (frame: Frame): void => {
      at = writeFrame(record, at, frame);
    };
    if (this.#pong !== undefined) write({ kind: 'pong', ...this.#pong });
    if (this.#ping !== undefined) write({ kind: 'ping', id: this.#ping });
    this.#pong = undefined;
    this.#ping = undefined;
    for (const channel of CHANNELS) {
      if (this.#grants[channel] === 0) continue;
      write({ kind: 'window', channel, bytes: this.#grants[channel] });
      this.#grants[channel] = 0;
    }
    return at;
  }

  /** One turn of a channel: as many frames as fit into its share. */
  #fill(channel: Channel, record: Buffer, from: number): number {
    const queue = this.#queues[channel];
    const end = Math.min(record.length, from + CHUNK_BYTES + DATA_HEAD_BYTES);
    let at = from;
    for (;;) {
      const { first: message } = queue;
      if (message === undefined) return at;
      const left = message.length - queue.sent;
      const room = Math.min(end - at - DATA_HEAD_BYTES, queue.window);
      // An empty message is one frame too.
      if (room < 0 || (room === 0 && left > 0)) return at;
      const length = Math.min(left, room);
      const chunk = message.subarray(queue.sent, queue.sent + length);
      at = writeFrame(record, at, { kind: 'data', channel, first: queue.sent === 0, last: length === left, chunk });
      queue.sent += length;
      queue.bytes -= length;
      queue.window -= length;
      if (length === left) queue.shift();
    }
  }
}
