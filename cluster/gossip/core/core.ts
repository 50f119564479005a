// The gossip protocol of one node, pure: messages, time and calls in, outputs out. Wires the parts, hands each message to the one that
// knows it, and says when to be woken. The host (cluster/gossip/host.ts) gives it sockets and a clock; the simulator virtual ones.

import type { Random } from '../../../src/ports/clock.ts';
import { Awareness } from './awareness.ts';
import { Broadcasts } from './broadcasts.ts';
import { Claims } from './claims.ts';
import { encodeMessage } from './codec.ts';
import type { GossipConfig } from './config.ts';
import { Joiner } from './join.ts';
import { type Member, type MemberSnapshot, snapshotOf } from './member.ts';
import type { Message, PacketMessage, Ping, Refused } from './messages.ts';
import type { NodeMeta } from './meta.ts';
import { Limiter, refusedBy } from './notices.ts';
import { type Instant, type Output, Outputs } from './outputs.ts';
import { Own } from './own.ts';
import { Gossiper, Packets } from './packets.ts';
import { type Parts, report, type Timed } from './parts.ts';
import { Prober } from './probe.ts';
import { Reaper } from './reaper.ts';
import type { RefusalReason } from './refusal.ts';
import { Relays } from './relays.ts';
import { Sequence } from './sequence.ts';
import { type SentSync, Syncer } from './sync.ts';
import { MemberTable } from './table.ts';

export interface CoreOptions {
  readonly meta: NodeMeta;
  readonly config: GossipConfig;
  readonly random: Random;
  /** `host:port` of nodes that may be up. */
  readonly seeds: readonly string[];
}

/** How a stream we opened ended. */
export type DialResult =
  | { readonly type: 'answered'; readonly messages: readonly Message[] }
  /** The envelope told: another cluster, version or key. */
  | { readonly type: 'refused'; readonly reason: RefusalReason }
  | { readonly type: 'silent' };

type Dial =
  | { readonly purpose: 'ping'; readonly to: string; readonly seq: number }
  | { readonly purpose: 'sync' | 'join'; readonly to: string; readonly sent: SentSync };

export class GossipCore {
  readonly #parts: Parts;
  readonly #own: Own;
  readonly #packets: Packets;
  readonly #claims: Claims;
  readonly #prober: Prober;
  readonly #relays: Relays;
  readonly #syncer: Syncer;
  readonly #joiner: Joiner;
  readonly #timed: readonly Timed[];
  readonly #sequence: Sequence;
  readonly #dials = new Map<number, Dial>();
  /** Of the last step. */
  #now: Instant;
  #wakeAtMs = Number.POSITIVE_INFINITY;

  constructor({ meta, config, random, seeds }: CoreOptions, now: Instant) {
    const nowMs = now.monotonicMs;
    const since = { sinceMs: nowMs, instanceSinceMs: nowMs };
    const self: Member = { meta, incarnation: 1, state: 'alive', ...since, load: 0, loadVersion: 0 };
    const parts: Parts = {
      config,
      random,
      self,
      table: new MemberTable(),
      broadcasts: new Broadcasts(config.retransmitMult, config.maxBroadcasts),
      awareness: new Awareness(config.awarenessMax),
      limiter: new Limiter(),
      out: new Outputs(),
    };
    parts.table.add(self);
    this.#now = now;
    this.#parts = parts;
    this.#sequence = new Sequence(random);
    this.#own = new Own(parts, nowMs);
    this.#packets = new Packets(parts);
    this.#claims = new Claims(parts, this.#own, this.#packets);
    this.#relays = new Relays(parts, this.#packets, this.#sequence);
    this.#prober = new Prober(parts, this.#claims, this.#packets, this.#sequence, nowMs, (to, ping) =>
      this.#dialPing(to, ping),
    );
    this.#syncer = new Syncer(parts, this.#claims, this.#sequence, nowMs, (_, to) => this.#dialSync(to, 'sync'));
    this.#joiner = new Joiner(parts, seeds, nowMs, (_, to) => this.#dialSync(to, 'join'));
    this.#timed = [
      this.#prober,
      this.#relays,
      this.#claims.suspicions,
      new Gossiper(parts, this.#packets),
      this.#syncer,
      this.#joiner,
      this.#own,
      new Reaper(parts, nowMs),
    ];
  }

  /** When `wake` must be called; changes with every step. Infinity: never. */
  get wakeAtMs(): number {
    return this.#wakeAtMs;
  }

  /** How sick this node finds itself: 0 .. awarenessMax - 1. */
  get healthScore(): number {
    return this.#parts.awareness.score;
  }

  get incarnation(): number {
    return this.#parts.self.incarnation;
  }

  /** Everybody known, this node and the dead included. */
  members(nowMs: number): MemberSnapshot[] {
    return [...this.#parts.table.values()].map((member) => snapshotOf(member, nowMs));
  }

  member(name: string, nowMs: number): MemberSnapshot | undefined {
    const member = this.#parts.table.get(name);
    return member === undefined ? undefined : snapshotOf(member, nowMs);
  }

  start(now: Instant): readonly Output[] {
    return this.#step(now, () => this.#own.introduce(now.monotonicMs));
  }

  /** One packet. @param from where it came from, as `ip:port`: where an answer goes. */
  receive(now: Instant, from: string, messages: readonly Message[]): readonly Output[] {
    return this.#step(now, () => {
      for (const message of messages) this.#handle(now.monotonicMs, from, message);
    });
  }

  /** Does what is due. Called late, it takes time in which it did not run as time in which nothing can be held against others. */
  wake(now: Instant): readonly Output[] {
    const nowMs = now.monotonicMs;
    // What was overdue when it was asked for is late only since then.
    const lateMs = nowMs - Math.max(this.#wakeAtMs, this.#now.monotonicMs);
    return this.#step(now, () => {
      if (lateMs > this.#parts.config.probeIntervalMs) this.#forgive(nowMs, lateMs);
      for (const part of this.#timed) if (part.dueAtMs <= nowMs) part.run(nowMs);
    });
  }

  /** A stream somebody opened to us: what to answer, if anything. */
  answer(now: Instant, messages: readonly Message[]): { reply: Message | undefined; outputs: readonly Output[] } {
    let reply: Message | undefined;
    const outputs = this.#step(now, () => {
      const [message] = messages;
      if (message?.type === 'sync') reply = this.#answerSync(now, message);
      else if (message?.type === 'ping' && message.target === this.#parts.self.meta.name) {
        reply = { type: 'ack', seq: message.seq };
      }
    });
    return { reply, outputs };
  }

  /** The last word of a stream somebody opened to us. */
  closed(now: Instant, messages: readonly Message[]): readonly Output[] {
    return this.#step(now, () => {
      const [message] = messages;
      if (message?.type === 'syncClose') this.#syncer.close(now.monotonicMs, message);
    });
  }

  /** How a stream that an output asked for ended. `last`: to be sent before it is closed. */
  dialed(now: Instant, id: number, result: DialResult): { last: Message | undefined; outputs: readonly Output[] } {
    let last: Message | undefined;
    const outputs = this.#step(now, () => {
      const dial = this.#dials.get(id);
      this.#dials.delete(id);
      if (dial !== undefined) last = this.#dialEnded(now, dial, result);
    });
    return { last, outputs };
  }

  /** Seeds as they are known now. */
  setSeeds(now: Instant, seeds: readonly string[]): readonly Output[] {
    return this.#step(now, () => this.#joiner.setSeeds(now.monotonicMs, seeds));
  }

  /** @throws TypeError when name, directory or instance change: they are who the node is. */
  setMeta(now: Instant, meta: NodeMeta): readonly Output[] {
    const { name, directoryId, instance } = this.#parts.self.meta;
    if (meta.name !== name || meta.directoryId !== directoryId || meta.instance !== instance) {
      throw new TypeError('name, directoryId and instance of a running node cannot change');
    }
    return this.#step(now, () => this.#own.setMeta(now.monotonicMs, meta));
  }

  setLoad(now: Instant, load: number): readonly Output[] {
    return this.#step(now, () => this.#own.setLoad(now.monotonicMs, load));
  }

  /** Says goodbye; the output `departed` tells when everybody should know. */
  leave(now: Instant): readonly Output[] {
    return this.#step(now, () => {
      this.#prober.stop();
      this.#own.leave(now.monotonicMs);
    });
  }

  #step(now: Instant, act: () => void): readonly Output[] {
    this.#now = now;
    act();
    this.#own.checkDeparture();
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    if (this.#own.status !== 'departed') {
      for (const { dueAtMs } of this.#timed) this.#wakeAtMs = Math.min(this.#wakeAtMs, dueAtMs);
    }
    const outputs = this.#parts.out.drain();
    for (const output of outputs) {
      if (output.type === 'change' && output.change.type === 'joined')
        this.#prober.order.add(output.change.member.name);
    }
    return outputs;
  }

  #forgive(nowMs: number, lateMs: number): void {
    const { awareness, config } = this.#parts;
    awareness.apply(1);
    this.#prober.abandon(nowMs);
    // What lies unread in the socket may refute: it gets the time of a ping.
    this.#claims.suspicions.forgive(lateMs + config.probeTimeoutMs);
  }

  #handle(nowMs: number, from: string, message: Message): void {
    switch (message.type) {
      case 'ping':
        this.#answerPing(nowMs, message, from);
        return;
      case 'ack':
        if (!this.#prober.ack(message.seq)) this.#relays.ack(message.seq);
        return;
      case 'nack':
        this.#prober.nack(message.seq);
        return;
      case 'pingRequest':
        this.#relays.request(nowMs, message, from);
        return;
      case 'alive':
        this.#claims.alive(nowMs, message, 'gossip');
        return;
      case 'suspect':
        this.#claims.suspect(nowMs, message);
        return;
      case 'dead':
        this.#claims.dead(nowMs, message);
        return;
      case 'left':
        this.#claims.left(nowMs, message);
        return;
      case 'load':
        this.#claims.load(nowMs, message);
        return;
      case 'refused':
        this.#refusedBy(nowMs, message);
        return;
      case 'sync':
      case 'syncReply':
      case 'syncClose':
        // Of streams; in a packet they mean nothing.
        return;
    }
  }

  /** A pinger whom we doubt hears so with the ack: the buddy system, the other way round. */
  #answerPing(nowMs: number, { seq, target, from: pinger }: Ping, from: string): void {
    const { self, table } = this.#parts;
    if (target !== self.meta.name) return;
    const messages: PacketMessage[] = [{ type: 'ack', seq }];
    const member = table.get(pinger);
    if (member === undefined) this.#joiner.pingedBy(nowMs, from);
    else if (member.state === 'suspect' || member.state === 'dead') {
      const { state, incarnation } = member;
      messages.push({ type: state, name: pinger, incarnation, from: self.meta.name });
    }
    if (member?.meta.addresses.gossip === from) this.#packets.send(from, messages);
    else this.#packets.sendAlone(from, messages);
  }

  #answerSync(now: Instant, sync: Extract<Message, { type: 'sync' }>): Message {
    const reply = this.#syncer.answer(now, sync);
    if (reply.type === 'syncReply') this.#syncer.established();
    return reply;
  }

  #refusedBy(nowMs: number, { reason, name, instance, by, uptimeMs }: Refused): void {
    const { meta } = this.#parts.self;
    if (name === meta.name && instance === meta.instance)
      this.#complain(nowMs, reason, `node ${JSON.stringify(by)}`, uptimeMs);
  }

  /** Of two that hold the same, the one that has been up longer stays. */
  #complain(nowMs: number, reason: RefusalReason, by: string, uptimeMs: number): void {
    if (reason === 'yourself') return;
    const { self } = this.#parts;
    const severity = uptimeMs > nowMs - self.instanceSinceMs ? 'stop' : 'warn';
    report(this.#parts, `refusedBy ${reason} ${severity}`, nowMs, refusedBy(reason, by, severity));
  }

  #dialPing(to: string, ping: Ping): void {
    this.#dial({ purpose: 'ping', to, seq: ping.seq }, ping);
  }

  #dialSync(to: string, purpose: 'sync' | 'join'): void {
    if (this.#own.status !== 'running') return;
    const { message, sent } = this.#syncer.request(this.#now);
    this.#dial({ purpose, to, sent }, message);
  }

  #dial(dial: Dial, message: Message): void {
    const id = this.#sequence.next();
    this.#dials.set(id, dial);
    this.#parts.out.push({ type: 'dial', id, to: dial.to, body: encodeMessage(message) });
  }

  #dialEnded(now: Instant, dial: Dial, result: DialResult): Message | undefined {
    const [message] = result.type === 'answered' ? result.messages : [];
    if (dial.purpose === 'ping') {
      if (message?.type === 'ack' && message.seq === dial.seq) this.#prober.streamAck(dial.seq);
      return undefined;
    }
    const nowMs = now.monotonicMs;
    let last: Message | undefined;
    if (message?.type === 'syncReply') {
      last = this.#syncer.reply(now, dial.sent, message);
      if (dial.purpose === 'join') this.#joiner.called(nowMs, dial.to, { type: 'answered', by: message.from });
    } else if (message?.type === 'refused') {
      this.#callRefused(nowMs, dial, message.reason, message.by, message.uptimeMs);
    } else if (result.type === 'refused') {
      const by = result.reason === 'yourself' ? this.#parts.self.meta.name : dial.to;
      this.#callRefused(nowMs, dial, result.reason, by, 0);
    } else if (dial.purpose === 'join') {
      this.#joiner.called(nowMs, dial.to, { type: 'silent' });
    }
    return last;
  }

  #callRefused(nowMs: number, dial: Dial, reason: RefusalReason, by: string, uptimeMs: number): void {
    this.#complain(
      nowMs,
      reason,
      by === dial.to ? `the node at ${by}` : `node ${JSON.stringify(by)} at ${dial.to}`,
      uptimeMs,
    );
    if (dial.purpose === 'join') this.#joiner.called(nowMs, dial.to, { type: 'refused', reason, by });
  }
}
