// One probe after the other (SWIM with Lifeguard): a ping; after a silence others are asked to ping in our stead, the ping is repeated, and
// a stream is tried; if all that brings nothing until the interval is over, the member is suspect. What we miss ourselves, acks and nacks,
// makes the interval longer (awareness.ts).

import type { Claims } from './claims.ts';
import type { Member } from './member.ts';
import type { PacketMessage, Ping } from './messages.ts';
import type { Packets } from './packets.ts';
import { type Parts, report, type Timed } from './parts.ts';
import { ProbeOrder } from './probe-order.ts';
import type { Sequence } from './sequence.ts';

/**
 * A timer that fires this late fires in an event loop that was busy: the answer may lie unread in the socket, which is read after timers.
 * The verdict waits until it has been.
 */
const LAG_MS = 20;

/** Probes in a row that only the stream saved, before that is no chance any more. */
const STREAM_ONLY_PROBES = 3;
/** Members counted for it at once (I9); a network that blocks all UDP is noticed by any of them. */
const MAX_STREAM_ONLY = 64;

interface Probe {
  readonly seq: number;
  readonly name: string;
  readonly endAtMs: number;
  stage: 'direct' | 'indirect' | 'overdue';
  /** When the present stage is over. */
  stageEndsAtMs: number;
  asked: number;
  nacks: number;
  streamAnswered: boolean;
}

export class Prober implements Timed {
  readonly #parts: Parts;
  readonly #claims: Claims;
  readonly #packets: Packets;
  readonly #sequence: Sequence;
  /** Opens a stream with a ping. */
  readonly #dialPing: (to: string, ping: Ping) => void;
  readonly order: ProbeOrder;
  #probe: Probe | undefined;
  /** Probes in a row that only a stream saved, by name. */
  readonly #streamOnly = new Map<string, number>();
  #nextAtMs: number;
  #stopped = false;

  constructor(
    parts: Parts,
    claims: Claims,
    packets: Packets,
    sequence: Sequence,
    nowMs: number,
    dialPing: (to: string, ping: Ping) => void,
  ) {
    this.#parts = parts;
    this.#claims = claims;
    this.#packets = packets;
    this.#sequence = sequence;
    this.#dialPing = dialPing;
    this.order = new ProbeOrder(parts.table, parts.self, parts.random);
    // Nodes started together must not probe together.
    this.#nextAtMs = nowMs + parts.random.next() * parts.config.probeIntervalMs;
  }

  get dueAtMs(): number {
    if (this.#stopped) return Number.POSITIVE_INFINITY;
    return this.#probe?.stageEndsAtMs ?? this.#nextAtMs;
  }

  run(nowMs: number): void {
    const probe = this.#probe;
    switch (probe?.stage) {
      case undefined:
        this.#begin(nowMs);
        return;
      case 'direct':
        this.#askOthers(probe);
        return;
      case 'indirect':
        if (nowMs - probe.endAtMs > LAG_MS) {
          probe.stage = 'overdue';
          probe.stageEndsAtMs = nowMs + LAG_MS;
          return;
        }
        this.#judge(nowMs, probe);
        return;
      case 'overdue':
        this.#judge(nowMs, probe);
        return;
    }
  }

  /** Whether the ack was for us. */
  ack(seq: number): boolean {
    if (this.#probe?.seq !== seq) return false;
    this.#streamOnly.delete(this.#probe.name);
    this.#probe = undefined;
    this.#parts.awareness.apply(-1);
    return true;
  }

  nack(seq: number): void {
    const probe = this.#probe;
    if (probe?.seq === seq && probe.nacks < probe.asked) probe.nacks += 1;
  }

  /** The stream brought the ack. The packets' own are still waited for: only they tell whether UDP gets through. */
  streamAck(seq: number): void {
    if (this.#probe?.seq === seq) this.#probe.streamAnswered = true;
  }

  /** We did not run for a while: what was not answered meanwhile proves nothing. */
  abandon(nowMs: number): void {
    this.#probe = undefined;
    this.#nextAtMs = nowMs;
  }

  stop(): void {
    this.#stopped = true;
    this.#probe = undefined;
  }

  #begin(nowMs: number): void {
    const { config, awareness, self } = this.#parts;
    const intervalMs = awareness.scale(config.probeIntervalMs);
    this.#nextAtMs = nowMs + intervalMs;
    const target = this.order.next();
    if (target === undefined) return;
    const { name } = target.meta;
    this.#probe = {
      seq: this.#sequence.next(),
      name,
      endAtMs: nowMs + intervalMs,
      stage: 'direct',
      // Not stretched: waiting longer helps no lost packet, while the stream and the others gain the time.
      stageEndsAtMs: nowMs + config.probeTimeoutMs,
      asked: 0,
      nacks: 0,
      streamAnswered: false,
    };
    this.#ping(target, { type: 'ping', seq: this.#probe.seq, target: name, from: self.meta.name });
  }

  /** The buddy system: whoever is suspect learns it with the very ping it fails to answer, and can refute. */
  #ping({ meta, state, incarnation }: Member, ping: Ping): void {
    const messages: PacketMessage[] = [ping];
    if (state === 'suspect') messages.push({ type: 'suspect', name: meta.name, incarnation, from: ping.from });
    this.#packets.send(meta.addresses.gossip, messages);
  }

  #askOthers(probe: Probe): void {
    const { config, random, self, table } = this.#parts;
    probe.stage = 'indirect';
    probe.stageEndsAtMs = probe.endAtMs;
    const target = table.get(probe.name);
    if (target === undefined) return;
    const { seq, name } = probe;
    const ping: Ping = { type: 'ping', seq, target: name, from: self.meta.name };
    const peers = table.sample(
      config.indirectProbes,
      random,
      (member) => member !== self && member !== target && member.state === 'alive',
    );
    for (const peer of peers) this.#packets.send(peer.meta.addresses.gossip, [{ ...ping, type: 'pingRequest' }]);
    probe.asked = peers.length;
    // Repeated, since a single lost packet is by far the likeliest reason of the silence.
    this.#ping(target, ping);
    this.#dialPing(target.meta.addresses.gossip, ping);
  }

  #judge(nowMs: number, probe: Probe): void {
    const { awareness, self, table } = this.#parts;
    const { name } = probe;
    this.#probe = undefined;
    this.#nextAtMs = nowMs;
    if (probe.streamAnswered) {
      awareness.apply(-1);
      this.#savedByStream(nowMs, name);
      return;
    }
    this.#streamOnly.delete(name);
    // Those asked answer in any case, by ack or nack. When they do not, it is we who do not hear.
    const missed = probe.asked - probe.nacks;
    awareness.apply(probe.asked > 0 ? missed : 1);
    const target = table.get(name);
    if (target === undefined) return;
    this.#claims.suspect(nowMs, { type: 'suspect', name, incarnation: target.incarnation, from: self.meta.name });
  }

  #savedByStream(nowMs: number, name: string): void {
    const times = (this.#streamOnly.get(name) ?? 0) + 1;
    if (this.#streamOnly.size >= MAX_STREAM_ONLY) this.#streamOnly.clear();
    this.#streamOnly.set(name, times);
    if (times < STREAM_ONLY_PROBES) return;
    const message = `node ${JSON.stringify(name)} answers on TCP but not on UDP: let UDP through between the nodes`;
    report(this.#parts, `streamOnly ${name}`, nowMs, { kind: 'streamOnly', name, message });
  }
}
