// Probes made in somebody's stead: the ack is passed back to the asker; without one it gets a nack in time, which says that we, at
// least, are well. Bounded (I9): past the bound requests are not served, and the asker counts us among the silent.

import type { PingRequest } from './messages.ts';
import type { Packets } from './packets.ts';
import type { Parts, Timed } from './parts.ts';
import type { Sequence } from './sequence.ts';

const MAX_RELAYS = 1_024;

interface Relay {
  readonly asker: string;
  readonly seq: number;
  readonly dueAtMs: number;
}

export class Relays implements Timed {
  readonly #parts: Parts;
  readonly #packets: Packets;
  readonly #sequence: Sequence;
  /** By our own number; in the order of their deadlines, since all have the same time. */
  readonly #relays = new Map<number, Relay>();

  constructor(parts: Parts, packets: Packets, sequence: Sequence) {
    this.#parts = parts;
    this.#packets = packets;
    this.#sequence = sequence;
  }

  get dueAtMs(): number {
    for (const { dueAtMs } of this.#relays.values()) return dueAtMs;
    return Number.POSITIVE_INFINITY;
  }

  /** Only members are pinged, at the address we know: a request cannot aim us at a stranger. */
  request(nowMs: number, { target, seq: askersSeq }: PingRequest, asker: string): void {
    const { config, self, table } = this.#parts;
    const member = table.get(target);
    if (member === undefined || member === self || this.#relays.size >= MAX_RELAYS) return;
    const seq = this.#sequence.next();
    // Before the asker's own time is over: its interval is at least twice the time-out of a ping, less our way back.
    const timeoutMs = Math.min(config.probeTimeoutMs, config.probeIntervalMs - config.probeTimeoutMs) * 0.8;
    this.#relays.set(seq, { asker, seq: askersSeq, dueAtMs: nowMs + timeoutMs });
    this.#packets.send(member.meta.addresses.gossip, [{ type: 'ping', seq, target, from: self.meta.name }]);
  }

  ack(seq: number): void {
    const relay = this.#relays.get(seq);
    if (relay === undefined) return;
    this.#relays.delete(seq);
    this.#packets.sendAlone(relay.asker, [{ type: 'ack', seq: relay.seq }]);
  }

  run(nowMs: number): void {
    for (const [seq, relay] of this.#relays) {
      if (relay.dueAtMs > nowMs) return;
      this.#relays.delete(seq);
      this.#packets.sendAlone(relay.asker, [{ type: 'nack', seq: relay.seq }]);
    }
  }
}
