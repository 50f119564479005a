// A cluster's gossip in virtual time: the real cores over a network that delays, loses, cuts and stops. One seed, one history. Knows the
// truth (who runs), so that it can tell a false death; counts every byte as it would be on the wire.

import { EventQueue, type Timed } from '../../../test/sim/event-queue.ts';
import { SeededRandom } from '../../../test/sim/random.ts';
import { decodeMessages, encodeMessage } from '../core/codec.ts';
import { type GossipConfig, LAN } from '../core/config.ts';
import { type DialResult, GossipCore } from '../core/core.ts';
import type { MemberRecord, Message } from '../core/messages.ts';
import type { NodeMeta } from '../core/meta.ts';
import type { Notice } from '../core/notices.ts';
import type { Instant, JoinOutcome, MemberChange, Output } from '../core/outputs.ts';
import { ENVELOPE_BYTES } from '../core/packets.ts';

/** IPv4 and UDP headers. */
const UDP_HEADERS = 28;
/** IPv4 and TCP headers of each segment, options included. */
const TCP_HEADERS = 52;
const TCP_SEGMENT = 1_448;
/** Opening and closing: seven segments without data. */
const TCP_OVERHEAD = 7 * TCP_HEADERS;
/** How long a lost SYN, or a lost segment, waits to be sent again (Linux). */
const SYN_RTO_MS = 1_000;
const SEGMENT_RTO_MS = 200;

/** Epoch ms at virtual time 0. */
const EPOCH = 1_700_000_000_000;

export interface WorldOptions {
  seed: number;
  config?: GossipConfig;
  /** Of each packet, 0..1. */
  loss?: number;
  /** One way, ms. */
  latencyMs?: readonly [number, number];
}

export interface Traffic {
  sentBytes: number;
  receivedBytes: number;
  sentPackets: number;
}

export interface Heard {
  readonly atMs: number;
  readonly change: MemberChange;
}

export class SimNode {
  readonly world: World;
  readonly core: GossipCore;
  readonly meta: NodeMeta;
  running = true;
  /** Stopped like by SIGSTOP: what arrives waits. */
  #frozen: (() => void)[] | undefined;
  /** ms its wall clock is off. */
  skewMs = 0;
  readonly traffic: Traffic = { sentBytes: 0, receivedBytes: 0, sentPackets: 0 };
  readonly heard: Heard[] = [];
  readonly notices: Notice[] = [];
  readonly rounds: JoinOutcome[] = [];
  departed = false;
  #wakeSerial = 0;
  #armedAtMs = Number.POSITIVE_INFINITY;

  constructor(world: World, meta: NodeMeta, seeds: readonly string[]) {
    this.world = world;
    this.meta = meta;
    this.core = new GossipCore(
      { meta, config: world.config, random: new SeededRandom(`${meta.instance} ${world.seed}`), seeds },
      this.now,
    );
  }

  get name(): string {
    return this.meta.name;
  }

  get address(): string {
    return this.meta.addresses.gossip;
  }

  get now(): Instant {
    return { monotonicMs: this.world.now, wallMs: Math.round(EPOCH + this.world.now + this.skewMs) };
  }

  start(): this {
    this.do(this.core.start(this.now));
    return this;
  }

  /** The process is gone at once; the network still carries what it sent. */
  kill(): void {
    this.running = false;
    this.world.byAddress.delete(this.address);
  }

  freeze(): void {
    this.#frozen = [];
  }

  thaw(): void {
    const waiting = this.#frozen ?? [];
    this.#frozen = undefined;
    // As Node does it: timers first, then what the sockets hold.
    this.#wake();
    for (const fn of waiting) fn();
  }

  /** Runs now, or when the process runs again, or never. */
  act(fn: () => void): void {
    if (!this.running) return;
    if (this.#frozen === undefined) fn();
    // A receive buffer holds a few hundred packets; the rest is lost.
    else if (this.#frozen.length < 256) this.#frozen.push(fn);
  }

  do(outputs: readonly Output[]): void {
    for (const output of outputs) this.#carryOut(output);
    this.#arm();
  }

  /** Names in a state as this node sees it. */
  names(state: 'alive' | 'suspect' | 'dead' | 'left'): string[] {
    return this.core
      .members(this.world.now)
      .filter((member) => member.state === state)
      .map((member) => member.name)
      .sort();
  }

  #carryOut(output: Output): void {
    switch (output.type) {
      case 'packet':
        this.world.packet(this, output.to, output.body);
        return;
      case 'dial':
        this.world.dial(this, output.id, output.to, output.body);
        return;
      case 'change':
        this.heard.push({ atMs: this.world.now, change: output.change });
        this.world.witness(this, output.change);
        return;
      case 'notice':
        this.notices.push(output.notice);
        return;
      case 'joinRound':
        this.rounds.push(output.outcome);
        return;
      case 'departed':
        this.departed = true;
        return;
    }
  }

  #arm(): void {
    const { wakeAtMs } = this.core;
    if (wakeAtMs === this.#armedAtMs) return;
    this.#armedAtMs = wakeAtMs;
    const serial = (this.#wakeSerial += 1);
    if (wakeAtMs === Number.POSITIVE_INFINITY) return;
    // Timers are never early and a little late.
    this.world.at(wakeAtMs + this.world.random.next(), () => {
      if (serial === this.#wakeSerial && this.running && this.#frozen === undefined) this.#wake();
    });
  }

  #wake(): void {
    if (!this.running) return;
    this.#armedAtMs = Number.NaN;
    this.do(this.core.wake(this.now));
  }
}

interface Event extends Timed {
  readonly fn: () => void;
}

export class World {
  readonly seed: number;
  readonly config: GossipConfig;
  readonly random: SeededRandom;
  loss: number;
  now = 0;
  readonly nodes: SimNode[] = [];
  readonly byAddress = new Map<string, SimNode>();
  /** Deaths announced of nodes that run and could be reached. */
  readonly falseDeaths: { by: string; of: string; atMs: number }[] = [];
  readonly #latencyMs: readonly [number, number];
  readonly #queue = new EventQueue<Event>();
  #serial = 0;
  #instances = 0;
  /** Whether packets from one to the other get through. */
  #reaches: (from: SimNode, to: SimNode) => boolean = () => true;
  #cut = false;
  /** Nodes that no packet reaches or leaves: a firewall that lets TCP through only. */
  readonly withoutUdp = new Set<SimNode>();

  constructor({ seed, config = LAN, loss = 0, latencyMs = [0.1, 1] }: WorldOptions) {
    this.seed = seed;
    this.config = config;
    this.loss = loss;
    this.random = new SeededRandom(`world ${seed}`);
    this.#latencyMs = latencyMs;
  }

  /** Starts a node. @param given what differs from the usual */
  add(name: string, seeds: readonly string[], given: Partial<NodeMeta> = {}): SimNode {
    const node = this.make(name, seeds, given);
    return node.start();
  }

  make(name: string, seeds: readonly string[], given: Partial<NodeMeta> = {}): SimNode {
    const index = (this.#instances += 1);
    const meta: NodeMeta = {
      name,
      directoryId: `dir-${name}-3f2504e0-4f89-11d3-9a0c`,
      instance: index,
      addresses: { gossip: addressOf(index), client: `10.0.0.1:7280`, link: `10.0.0.1:7947` },
      roles: ['server'],
      zone: `zone-${index % 3}`,
      version: '0.1.0',
      protocol: { min: 1, max: 1 },
      startedAtMs: EPOCH + Math.round(this.now),
      draining: 'no',
      weight: 1,
      ...given,
    };
    const node = new SimNode(this, meta, seeds);
    this.nodes.push(node);
    this.byAddress.set(node.address, node);
    return node;
  }

  /** `count` nodes that join through the first. */
  cluster(count: number): SimNode[] {
    const first = this.add('node-1', []);
    const others = Array.from({ length: count - 1 }, (_, index) => this.add(`node-${index + 2}`, [first.address]));
    return [first, ...others];
  }

  /** `count` nodes that know each other already: as after their first syncs, without the traffic of joining. */
  settledCluster(count: number): SimNode[] {
    const nodes = Array.from({ length: count }, (_, index) =>
      this.make(`node-${index + 1}`, [addressOf(this.#instances === 0 ? 2 : 1)]),
    );
    const records: MemberRecord[] = nodes.map(({ meta }) => {
      return { meta, incarnation: 1, state: 'alive', ageMs: 0, load: 0, loadVersion: 0 };
    });
    for (const node of nodes) {
      node.core.start(node.now);
      for (const output of node.core.wake(node.now)) {
        if (output.type !== 'dial') continue;
        const request = decodeMessages(output.body);
        const [sync] = 'messages' in request ? request.messages : [];
        if (sync?.type !== 'sync') continue;
        const reply: Message = {
          type: 'syncReply',
          id: sync.id,
          wallMs: node.now.wallMs,
          from: 'node-1',
          records,
          wants: [],
        };
        node.do(node.core.dialed(node.now, output.id, { type: 'answered', messages: [reply] }).outputs);
      }
      node.heard.length = 0;
    }
    return nodes;
  }

  at(atMs: number, fn: () => void): void {
    this.#queue.push({ at: Math.max(atMs, this.now), tie: (this.#serial += 1), fn });
  }

  /** Lets time pass. */
  run(ms: number): void {
    this.runUntil(() => false, ms);
  }

  /** Until `done`, looked at after each event. @returns ms it took, or undefined when the time was over first. */
  runUntil(done: () => boolean, limitMs: number): number | undefined {
    const from = this.now;
    const until = from + limitMs;
    while (!done()) {
      const event = this.#queue.first;
      if (event === undefined || event.at > until) {
        this.now = until;
        return undefined;
      }
      this.#queue.shift();
      this.now = event.at;
      event.fn();
    }
    return this.now - from;
  }

  /** Only nodes for which `sideOf` says the same reach each other. */
  split(sideOf: (node: SimNode) => unknown): void {
    this.cut((from, to) => sideOf(from) === sideOf(to));
  }

  /** Everybody who runs sees exactly those who run as alive. */
  agreed(): boolean {
    const running = this.nodes.filter((node) => node.running && !node.departed);
    const names = running.map(({ name }) => name).sort();
    return running.every((node) => {
      const alive = node.names('alive');
      return alive.length === names.length && alive.every((name, index) => name === names[index]);
    });
  }

  /** ms until everybody agrees, looked at ten times a second; undefined: not in time. */
  untilAgreed(limitMs: number): number | undefined {
    const from = this.now;
    while (this.now - from <= limitMs) {
      if (this.agreed()) return this.now - from;
      this.run(100);
    }
    return undefined;
  }

  cut(reaches: (from: SimNode, to: SimNode) => boolean): void {
    this.#cut = true;
    this.#reaches = reaches;
  }

  heal(): void {
    this.#cut = false;
    this.#reaches = () => true;
  }

  packet(from: SimNode, to: string, body: Uint8Array): void {
    const bytes = body.length + ENVELOPE_BYTES;
    if (bytes > this.config.packetBytes) throw new Error(`a packet of ${bytes} bytes`);
    from.traffic.sentBytes += bytes + UDP_HEADERS;
    from.traffic.sentPackets += 1;
    const target = this.byAddress.get(to);
    if (target === undefined || this.random.chance(this.loss) || !this.#reaches(from, target)) return;
    if (this.withoutUdp.has(from) || this.withoutUdp.has(target)) return;
    this.at(this.now + this.random.between(...this.#latencyMs), () =>
      target.act(() => {
        target.traffic.receivedBytes += bytes + UDP_HEADERS;
        target.do(target.core.receive(target.now, from.address, decoded(body)));
      }),
    );
  }

  dial(from: SimNode, id: number, to: string, body: Uint8Array): void {
    const target = this.byAddress.get(to);
    const end = (result: DialResult): void =>
      from.act(() => {
        const { last, outputs } = from.core.dialed(from.now, id, result);
        from.do(outputs);
        if (last !== undefined && target !== undefined) this.#lastWord(from, target, encodeMessage(last));
      });
    const giveUp = (): void => this.at(this.now + this.config.streamTimeoutMs, () => end({ type: 'silent' }));
    if (target === undefined || !this.#reachesBothWays(from, target)) {
      giveUp();
      return;
    }
    count(from, target, body.length, TCP_OVERHEAD);
    const arrivesMs = this.#segmentMs(SYN_RTO_MS) + this.#segmentMs(SYN_RTO_MS) + this.#segmentMs(SEGMENT_RTO_MS);
    this.at(this.now + arrivesMs, () => {
      if (!target.running || !this.#reachesBothWays(from, target)) {
        giveUp();
        return;
      }
      target.act(() => {
        const { reply, outputs } = target.core.answer(target.now, decoded(body));
        target.do(outputs);
        if (reply === undefined) return;
        const answer = encodeMessage(reply);
        count(target, from, answer.length, 0);
        this.at(this.now + this.#segmentMs(SEGMENT_RTO_MS), () => end({ type: 'answered', messages: decoded(answer) }));
      });
    });
  }

  #lastWord(from: SimNode, to: SimNode, body: Uint8Array): void {
    count(from, to, body.length, 0);
    this.at(this.now + this.#segmentMs(SEGMENT_RTO_MS), () => {
      if (this.#reaches(from, to)) to.act(() => to.do(to.core.closed(to.now, decoded(body))));
    });
  }

  witness(by: SimNode, change: MemberChange): void {
    if (change.type !== 'died' || this.#cut) return;
    const truth = this.nodes.find((node) => node.meta.instance === change.member.instance);
    if (truth?.running === true) this.falseDeaths.push({ by: by.name, of: truth.name, atMs: this.now });
  }

  #reachesBothWays(a: SimNode, b: SimNode): boolean {
    return this.#reaches(a, b) && this.#reaches(b, a);
  }

  /** One way of a segment: a lost one is sent again after its time-out, doubled each time. */
  #segmentMs(rtoMs: number): number {
    let ms = this.random.between(...this.#latencyMs);
    for (let wait = rtoMs; this.random.chance(this.loss); wait *= 2) ms += wait;
    return ms;
  }
}

function addressOf(index: number): string {
  return `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:7946`;
}

function decoded(body: Uint8Array): Message[] {
  const result = decodeMessages(body);
  if ('malformed' in result) throw new Error(`a member sent malformed bytes: ${result.malformed}`);
  return result.messages;
}

function count(from: SimNode, to: SimNode, length: number, overhead: number): void {
  const bytes = length + ENVELOPE_BYTES + Math.ceil(length / TCP_SEGMENT) * TCP_HEADERS + overhead;
  from.traffic.sentBytes += bytes;
  to.traffic.receivedBytes += bytes;
}
