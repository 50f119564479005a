// One connection between two nodes: handshake, then channels, pings and a clean end. A pure protocol core: bytes and ticks come in, bytes and
// happenings go out, nothing here knows a socket or a timer. Whatever bytes come, it never throws: the worst a peer can do is end its own
// session. Called by links.ts, which wires it to a transport.

import type { Clock } from '../../src/ports/clock.ts';
import { BadBytes } from './bytes.ts';
import { type Channel, type Frame, readFrames } from './frames.ts';
import { Handshake, type HandshakeOptions, MAX_HANDSHAKE_BYTES, skewOf } from './handshake.ts';
import type { NodeIdentity, Refusal, RemoteNode } from './identity.ts';
import type { LinkLimits } from './limits.ts';
import { ReceiveQueues } from './receive-queues.ts';
import { plainRecord, RECORD_BYTES, RecordReader, SEAL_BYTES, Sealer } from './records.ts';
import type { Role } from './security.ts';
import { SendQueues } from './send-queues.ts';

export type SessionEnd =
  | { type: 'refused'; by: 'us' | 'peer'; refusal: Refusal; claimed: NodeIdentity | undefined }
  /** The peer broke the protocol after its handshake. */
  | { type: 'garbage'; message: string }
  | { type: 'silent'; forMs: number }
  /** The connection went away under it. */
  | { type: 'lost'; message: string }
  /** Both sides had said all they had to say. */
  | { type: 'goodbye' }
  /** This side ended it. */
  | { type: 'closed'; message: string };

export interface SessionOutput {
  write(bytes: Uint8Array): void;
  /** Bytes written that the socket still holds. */
  buffered(): number;
  established(remote: RemoteNode): void;
  message(channel: Channel, bytes: Uint8Array): void;
  drained(channel: Channel): void;
  /** The peer's clock has moved away from ours since the handshake, ms (positive: ahead). */
  skewed(skewMs: number): void;
  /** Exactly once, and the last of all calls. */
  ended(end: SessionEnd): void;
}

export interface SessionOptions extends Omit<HandshakeOptions, 'now' | 'skewMs' | 'write'> {
  clock: Clock;
  limits: LinkLimits;
  output: SessionOutput;
}

export class Session {
  readonly role: Role;
  readonly #options: SessionOptions;
  readonly #output: SessionOutput;
  readonly #clock: Clock;
  readonly #limits: LinkLimits;
  readonly #handshake: Handshake;
  readonly #records = new RecordReader(MAX_HANDSHAKE_BYTES);
  readonly #sending: SendQueues;
  readonly #receiving: ReceiveQueues;
  #state: 'handshake' | 'open' | 'ended' = 'handshake';
  #sealer: Sealer | undefined;
  #opener: Sealer | undefined;
  #remote: RemoteNode | undefined;
  #begunAt: number;
  #heardAt: number;
  #pingedAt: number;
  #pingWallMs = 0;
  #pingId = 0;
  #probeUntil = Number.POSITIVE_INFINITY;
  #drainUntil = Number.POSITIVE_INFINITY;
  #saidGoodbye = false;
  #heardGoodbye = false;
  #skewed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.role = options.role;
    this.#output = options.output;
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#begunAt = this.#clock.monotonic();
    this.#heardAt = this.#begunAt;
    this.#pingedAt = this.#begunAt;
    this.#sending = new SendQueues(options.limits);
    this.#receiving = new ReceiveQueues(options.limits, (channel, bytes) => this.#sending.grant(channel, bytes));
    this.#handshake = new Handshake({
      ...options,
      now: () => this.#clock.now(),
      skewMs: options.limits.skewMs,
      write: (payload) => this.#output.write(plainRecord(payload)),
    });
  }

  start(): void {
    this.#handshake.start();
  }

  get remote(): RemoteNode | undefined {
    return this.#remote;
  }

  /** How long nothing has come, ms. */
  get quietMs(): number {
    return this.#clock.monotonic() - this.#heardAt;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /**
   * Queues a message; false when the link is not open or the channel's queue is full (`drained` says when it is not any more).
   * The bytes must not change afterwards. Nothing is written before `flush`.
   *
   * @throws RangeError when the message is larger than a link carries.
   */
  send(channel: Channel, message: Uint8Array): boolean {
    if (message.length > this.#limits.messageBytes) {
      throw new RangeError(
        `A message of ${message.length} bytes is larger than a link carries (${this.#limits.messageBytes}).`,
      );
    }
    if (this.#state !== 'open' || this.#drainUntil !== Number.POSITIVE_INFINITY) return false;
    return this.#sending.offer(channel, message);
  }

  queued(channel: Channel): number {
    return this.#sending.queued(channel);
  }

  pause(channel: Channel): void {
    this.#receiving.pause(channel);
  }

  resume(channel: Channel): void {
    this.#receiving.resume(channel);
  }

  /** Writes what waits, as far as the socket has room. */
  flush(): void {
    if (this.#state !== 'open') return;
    while (this.#output.buffered() < this.#limits.socketBytes) {
      const record = this.#sending.take();
      if (record === undefined) break;
      this.#output.write(this.#sealer === undefined ? plainRecord(record) : this.#sealer.seal(record));
    }
    // Told last: a user that sends at once finds a session in order.
    for (const channel of this.#sending.drained()) this.#output.drained(channel);
    this.#endIfDone();
  }

  receive(bytes: Uint8Array): void {
    if (this.#state === 'ended') return;
    this.#heardAt = this.#clock.monotonic();
    this.#probeUntil = Number.POSITIVE_INFINITY;
    this.#records.push(bytes);
    try {
      for (let record = this.#records.next(); record !== undefined; record = this.#records.next()) {
        this.#record(record);
        if (this.#ended()) return;
      }
    } catch (error) {
      if (!(error instanceof BadBytes)) throw error;
      this.#broken(error.message);
      return;
    }
    this.flush();
  }

  /** Time passes: pings, and the ends that silence brings. */
  tick(): void {
    const now = this.#clock.monotonic();
    if (this.#state === 'handshake') {
      if (now - this.#begunAt < this.#limits.handshakeMs) return;
      const { address } = this.#options;
      this.refuse({
        kind: 'timeout',
        message: `the handshake with ${address} took longer than ${this.#limits.handshakeMs} ms.`,
      });
      return;
    }
    if (this.#state === 'ended') return;
    if (now - this.#heardAt >= this.#limits.silenceMs || now >= this.#probeUntil) {
      this.#end({ type: 'silent', forMs: Math.round(now - this.#heardAt) });
      return;
    }
    if (now >= this.#drainUntil) {
      this.#end({ type: 'closed', message: 'the drain took too long' });
      return;
    }
    if (now - this.#pingedAt < this.#limits.pingMs) return;
    this.#ping(now);
    this.flush();
  }

  /** This process did not run for a while, and its sockets have not been read since: that time counts against nobody. */
  overslept(ms: number): void {
    this.#begunAt += ms;
    this.#heardAt += ms;
    this.#probeUntil += ms;
    this.#drainUntil += ms;
  }

  /** Another connection claims to be this peer: is it still there? */
  probe(): void {
    if (this.#state !== 'open' || this.#probeUntil !== Number.POSITIVE_INFINITY) return;
    const now = this.#clock.monotonic();
    this.#probeUntil = now + this.#limits.probeMs;
    this.#ping(now);
    this.flush();
  }

  /** Takes no more messages, lets those queued leave, and ends; within `drainMs`. */
  drain(): void {
    if (this.#state === 'handshake') this.close('this node is leaving');
    if (this.#state !== 'open' || this.#saidGoodbye) return;
    this.#saidGoodbye = true;
    this.#drainUntil = this.#clock.monotonic() + this.#limits.drainMs;
    this.#sending.goodbye();
    this.flush();
  }

  /** Ends at once. */
  close(message: string): void {
    this.#end({ type: 'closed', message });
  }

  /** Ends a handshake, and tells the peer why. */
  refuse(refusal: Refusal): void {
    if (this.#state !== 'handshake') return;
    const verdict = this.#handshake.refuse(refusal);
    if (verdict.type === 'refused') this.#end(verdict);
  }

  /** The transport is gone. */
  lost(message: string): void {
    if (this.#heardGoodbye) this.#end({ type: 'goodbye' });
    else this.#end({ type: 'lost', message });
  }

  // ---------------------------------------------------------------- inside

  #ended(): boolean {
    return this.#state === 'ended';
  }

  #record(record: Uint8Array): void {
    if (this.#state === 'handshake') {
      const verdict = this.#handshake.receive(record);
      if (verdict.type === 'refused') this.#end(verdict);
      else if (verdict.type === 'established') this.#open(verdict.remote, verdict.keys);
      return;
    }
    const payload = this.#opener === undefined ? record : this.#opener.open(record);
    for (const frame of readFrames(payload)) {
      this.#frame(frame);
      if (this.#ended()) return;
    }
  }

  #open(remote: RemoteNode, keys: { send: Uint8Array; receive: Uint8Array } | undefined): void {
    this.#state = 'open';
    this.#remote = remote;
    this.#records.maxBytes = RECORD_BYTES + SEAL_BYTES;
    if (keys !== undefined) {
      this.#sealer = new Sealer(keys.send);
      this.#opener = new Sealer(keys.receive);
    }
    this.#output.established(remote);
  }

  #frame(frame: Frame): void {
    if (this.#heardGoodbye && frame.kind === 'data') throw new BadBytes('a message came after the goodbye');
    switch (frame.kind) {
      case 'data': {
        const message = this.#receiving.receive(frame);
        if (message !== undefined) this.#output.message(frame.channel, message);
        break;
      }
      case 'ping':
        this.#sending.pong(frame.id, this.#clock.now());
        break;
      case 'pong':
        this.#pong(frame.id, frame.wallClockMs);
        break;
      case 'window':
        this.#sending.opened(frame.channel, frame.bytes);
        break;
      case 'goodbye':
        // It has said all; what waits here still leaves, then this side says the same.
        this.#heardGoodbye = true;
        this.drain();
        break;
    }
  }

  #ping(now: number): void {
    this.#pingedAt = now;
    this.#pingWallMs = this.#clock.now();
    this.#pingId = (this.#pingId + 1) >>> 0;
    this.#sending.ping(this.#pingId);
  }

  #pong(id: number, wallClockMs: number): void {
    if (id !== this.#pingId) return;
    const skew = skewOf(wallClockMs, this.#pingWallMs, this.#clock.now());
    const skewed = Math.abs(skew) > this.#limits.skewMs;
    // Told once for each time it goes wrong: cutting a link that works would help nobody.
    if (skewed && !this.#skewed) this.#output.skewed(skew);
    this.#skewed = skewed;
  }

  #endIfDone(): void {
    if (this.#heardGoodbye && this.#saidGoodbye && this.#sending.isDone) this.#end({ type: 'goodbye' });
  }

  #broken(what: string): void {
    if (this.#state === 'handshake') {
      this.refuse({
        kind: 'protocol',
        message: `the peer at ${this.#options.address} does not speak this protocol (does it use TLS, or is it another service?): ${what}.`,
      });
    } else this.#end({ type: 'garbage', message: what });
  }

  #end(end: SessionEnd): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#output.ended(end);
  }
}
