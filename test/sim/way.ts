// One direction of a simulated connection, whatever is spoken on it: messages stay in order and come late, or not at all.

import type { Process } from './kernel.ts';
import type { Network } from './network.ts';

/** What happens to both directions of a connection. */
export interface Way {
  readonly network: Network;
  readonly id: number;
  readonly mute: boolean;
  readonly extraMs: number;
}

/** A connection as faults see it. */
export interface Connected extends Way {
  readonly client: Process;
  readonly listener: { readonly process: Process };
  mute: boolean;
  extraMs: number;
  readonly open: boolean;
  drop(delays: { client: number; server: number }): void;
}

/** One direction of a connection. */
export class Lane {
  readonly #link: Way;
  readonly #to: Process;
  readonly #label: string;
  readonly #deliver: (message: Uint8Array) => void;
  #lastAt = 0;
  /** On their way. */
  readonly #sent: Uint8Array[] = [];
  #waiting: Uint8Array[] = [];
  bytes = 0;
  paused = false;

  constructor(link: Way, to: Process, label: string, deliver: (message: Uint8Array) => void) {
    this.#link = link;
    this.#to = to;
    this.#label = label;
    this.#deliver = deliver;
  }

  send(message: Uint8Array): void {
    const { network } = this.#link;
    const { kernel } = network;
    if (this.#link.mute) return;
    this.bytes += message.length;
    this.#lastAt = Math.max(this.#lastAt, kernel.now + network.latency() + this.#link.extraMs);
    this.#sent.push(message);
    kernel.at(this.#lastAt, this.#to, `${this.#label} ${this.#link.id}, ${message.length} bytes`, () => {
      // Of several at one instant the first to be sent comes first.
      const next = this.#sent.shift();
      if (next === undefined || this.#link.mute) return;
      if (this.paused) this.#waiting.push(next);
      else this.#arrive(next);
    });
  }

  resume(): void {
    this.paused = false;
    for (const message of this.#waiting.splice(0)) this.#arrive(message);
  }

  #arrive(message: Uint8Array): void {
    this.bytes -= message.length;
    this.#deliver(message);
  }
}
