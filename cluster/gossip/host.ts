// Gives the pure core a network, a clock and a timer: decodes what comes in, carries out what it asks for, wakes it when it wants. One
// timer in all. Used by gossip.ts.

import type { Cancelable, Clock, Scheduler } from '../../src/ports/clock.ts';
import { decodeMessages, encodeMessage } from './core/codec.ts';
import type { GossipCore } from './core/core.ts';
import type { Message } from './core/messages.ts';
import type { Notice } from './core/notices.ts';
import type { Instant, JoinOutcome, MemberChange, Output } from './core/outputs.ts';
import type { Answer, Transport, TransportEvents } from './transport.ts';

export interface HostEvents {
  change(change: MemberChange): void;
  notice(notice: Notice): void;
  joinRound(outcome: JoinOutcome): void;
  departed(): void;
}

export class Host implements TransportEvents {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #events: HostEvents;
  #core: GossipCore | undefined;
  #timer: Cancelable | undefined;
  #armedAtMs = Number.POSITIVE_INFINITY;

  constructor(transport: Transport, clock: Clock, scheduler: Scheduler, events: HostEvents) {
    this.#transport = transport;
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#events = events;
  }

  get now(): Instant {
    return { monotonicMs: this.#clock.monotonic(), wallMs: Math.max(0, Math.floor(this.#clock.now())) };
  }

  run(core: GossipCore): void {
    this.#core = core;
    this.do(core.start(this.now));
  }

  stop(): void {
    this.#core = undefined;
    this.#timer?.cancel();
  }

  /** Carries out what a call of the core returned. */
  do(outputs: readonly Output[]): void {
    for (const output of outputs) this.#carryOut(output);
    this.#arm();
  }

  packet(from: string, body: Uint8Array): void {
    const messages = this.#decode(from, body);
    if (messages !== undefined && this.#core !== undefined) this.do(this.#core.receive(this.now, from, messages));
  }

  request(from: string, body: Uint8Array): Uint8Array | undefined {
    const messages = this.#decode(from, body);
    if (messages === undefined || this.#core === undefined) return undefined;
    const { reply, outputs } = this.#core.answer(this.now, messages);
    this.do(outputs);
    return reply === undefined ? undefined : encodeMessage(reply);
  }

  lastWord(from: string, body: Uint8Array): void {
    const messages = this.#decode(from, body);
    if (messages !== undefined && this.#core !== undefined) this.do(this.#core.closed(this.now, messages));
  }

  notice(notice: Notice): void {
    this.#events.notice(notice);
  }

  #carryOut(output: Output): void {
    switch (output.type) {
      case 'packet':
        this.#transport.send(output.to, output.body);
        return;
      case 'dial':
        this.#transport.dial(output.to, output.body, (answer) => this.#dialed(output.id, output.to, answer));
        return;
      case 'change':
        this.#events.change(output.change);
        return;
      case 'notice':
        this.#events.notice(output.notice);
        return;
      case 'joinRound':
        this.#events.joinRound(output.outcome);
        return;
      case 'departed':
        this.#events.departed();
        return;
    }
  }

  #dialed(id: number, to: string, answer: Answer): Uint8Array | undefined {
    if (this.#core === undefined) return undefined;
    const messages = answer.type === 'answered' ? this.#decode(to, answer.body) : undefined;
    const result =
      answer.type === 'refused'
        ? answer
        : messages === undefined
          ? ({ type: 'silent' } as const)
          : ({ type: 'answered', messages } as const);
    const { last, outputs } = this.#core.dialed(this.now, id, result);
    this.do(outputs);
    return last === undefined ? undefined : encodeMessage(last);
  }

  #decode(from: string, body: Uint8Array): readonly Message[] | undefined {
    const decoded = decodeMessages(body);
    if ('messages' in decoded) return decoded.messages;
    // Its envelope was sound: a member of another mind, not noise.
    const message = `a message from ${from} cannot be read: ${decoded.malformed}`;
    this.#events.notice({ kind: 'garbage', address: from, message });
    return undefined;
  }

  #arm(): void {
    const wakeAtMs = this.#core?.wakeAtMs ?? Number.POSITIVE_INFINITY;
    if (wakeAtMs === this.#armedAtMs) return;
    this.#timer?.cancel();
    this.#armedAtMs = wakeAtMs;
    if (wakeAtMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#scheduler.after(Math.max(0, wakeAtMs - this.#clock.monotonic()), () => {
      this.#armedAtMs = Number.NaN;
      if (this.#core !== undefined) this.do(this.#core.wake(this.now));
    });
  }
}
