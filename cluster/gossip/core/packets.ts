// Fills packets: what must be said, then as much waiting news as fits. And gossip itself: news that found no probe to ride on leaves
// in packets of its own, to a few random members, the recently dead included, so that one who is not dead may refute.

import { encodeMessages } from './codec.ts';
import { isUp, type Member } from './member.ts';
import type { PacketMessage } from './messages.ts';
import type { Parts, Timed } from './parts.ts';

/** What the envelope around the messages takes at most (cluster/gossip/envelope.ts, whose test holds it to this). */
export const ENVELOPE_BYTES = 42;

export class Packets {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get room(): number {
    return this.#parts.config.packetBytes - ENVELOPE_BYTES;
  }

  /** The messages in one packet, and news in what room they leave. */
  send(to: string, messages: readonly PacketMessage[]): void {
    const { broadcasts, table, out } = this.#parts;
    const said = encodeMessages(messages);
    const news = broadcasts.size === 0 ? [] : broadcasts.take(this.room - said.length, table.up);
    out.push({ type: 'packet', to, body: news.length === 0 ? said : Buffer.concat([said, ...news]) });
  }

  /** Only what must be said: to an address that may be made up, a small question must not bring a large answer. */
  sendAlone(to: string, messages: readonly PacketMessage[]): void {
    this.#parts.out.push({ type: 'packet', to, body: encodeMessages(messages) });
  }
}

export class Gossiper implements Timed {
  readonly #parts: Parts;
  readonly #packets: Packets;
  #nextAtMs = 0;

  constructor(parts: Parts, packets: Packets) {
    this.#parts = parts;
    this.#packets = packets;
  }

  get dueAtMs(): number {
    return this.#parts.broadcasts.urgent ? this.#nextAtMs : Number.POSITIVE_INFINITY;
  }

  run(nowMs: number): void {
    const { config, random, self, table, broadcasts } = this.#parts;
    this.#nextAtMs = nowMs + config.gossipIntervalMs;
    const hears = (member: Member): boolean =>
      member !== self &&
      (isUp(member) || (member.state === 'dead' && nowMs - member.sinceMs < config.gossipToTheDeadMs));
    const targets = table.sample(config.gossipNodes, random, hears);
    // Nobody to tell: who joins later gets the whole table.
    if (targets.length === 0) broadcasts.clear();
    for (const target of targets) {
      if (broadcasts.size === 0) break;
      this.#packets.send(target.meta.addresses.gossip, []);
    }
  }
}
