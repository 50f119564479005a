// Time that a test moves, seeded randomness, and nodes on one in-memory network: for the tests of cluster/link and cluster/routing.

import type { Cancelable, Clock, Random, Scheduler } from '../../src/ports/clock.ts';
import type { Channel } from './frames.ts';
import type { NodeIdentity, RemoteNode } from './identity.ts';
import type { LinkLimits } from './limits.ts';
import { type ChannelUser, type LinkEvent, Links, type LinksOptions, type Peer } from './links.ts';
import type { MemoryNetwork } from './memory-network.ts';
import type { LinkSecurity } from './security.ts';

interface Timer {
  dueAt: number;
  order: number;
  fn: () => void;
}

/** Clock and scheduler that only the test moves; everything runs inside `advance`. */
export class ManualTime implements Clock, Scheduler {
  at = 0;
  /** Epoch ms at 0. */
  epoch = 1_700_000_000_000;
  #timers: Timer[] = [];
  #order = 0;

  now(): number {
    return this.epoch + this.at;
  }

  monotonic(): number {
    return this.at;
  }

  after(delayMs: number, fn: () => void): Cancelable {
    this.#order += 1;
    const timer = { dueAt: this.at + delayMs, order: this.#order, fn };
    this.#timers.push(timer);
    return {
      cancel: () => {
        const index = this.#timers.indexOf(timer);
        if (index >= 0) this.#timers.splice(index, 1);
      },
    };
  }

  soon(fn: () => void): void {
    this.after(0, fn);
  }

  advance(ms: number): void {
    const end = this.at + ms;
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) {
        if (timer.dueAt > end) continue;
        if (
          next === undefined ||
          timer.dueAt < next.dueAt ||
          (timer.dueAt === next.dueAt && timer.order < next.order)
        ) {
          next = timer;
        }
      }
      if (next === undefined) break;
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.at = Math.max(this.at, next.dueAt);
      next.fn();
    }
    this.at = end;
  }
}

/** One seed, one sequence (mulberry32). */
export class TestRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.int(256));
  }

  uuid(): string {
    const hex = Buffer.from(this.bytes(16)).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}

export const KEY = Buffer.alloc(32, 7);
export const OTHER_KEY = Buffer.alloc(32, 8);
export const keyed = (...keys: Uint8Array[]): LinkSecurity => ({ mode: 'clusterKey', keys });

export const identity = (nodeName: string, rest: Partial<NodeIdentity> = {}): NodeIdentity => ({
  clusterId: 'c1',
  nodeName,
  directoryId: `dir-${nodeName}`,
  bootId: `boot-${nodeName}`,
  version: '0.1.0',
  protocol: { min: 1, max: 1 },
  ...rest,
});

/** Notes what a channel's user is told. */
export class Recorder implements ChannelUser {
  readonly calls: string[] = [];
  readonly messages: Uint8Array[] = [];
  readonly upPeers = new Set<string>();
  onMessage: ((peer: Peer, message: Uint8Array) => void) | undefined;

  up(peer: Peer, _remote: RemoteNode): void {
    this.calls.push(`up ${peer.name}`);
    this.upPeers.add(peer.name);
  }

  message(peer: Peer, message: Uint8Array): void {
    this.messages.push(Uint8Array.from(message));
    this.onMessage?.(peer, message);
  }

  drained(peer: Peer): void {
    this.calls.push(`drained ${peer.name}`);
  }

  down(peer: Peer, why: string): void {
    this.calls.push(`down ${peer.name}: ${why}`);
    this.upPeers.delete(peer.name);
  }

  get texts(): string[] {
    return this.messages.map((message) => Buffer.from(message).toString());
  }
}

export interface TestNode {
  links: Links;
  events: LinkEvent[];
  users: Record<Channel, Recorder>;
  clock: ManualTime | Clock;
}

export interface TestNodeOptions {
  security?: LinkSecurity;
  identity?: Partial<NodeIdentity>;
  limits?: Partial<LinkLimits>;
  clock?: Clock;
  host?: string;
  seed?: number;
  admit?: LinksOptions['admit'];
}

/** A node whose host is its name, listening on port 1. */
export function testNode(
  time: ManualTime,
  network: MemoryNetwork,
  name: string,
  options: TestNodeOptions = {},
): TestNode {
  const random = new TestRandom(options.seed ?? name.charCodeAt(name.length - 1));
  const events: LinkEvent[] = [];
  const host = options.host ?? name;
  const links = new Links({
    identity: identity(name, options.identity),
    security: options.security ?? keyed(KEY),
    network: network.at(host),
    clock: options.clock ?? time,
    scheduler: time,
    random,
    randomBytes: (length) => random.bytes(length),
    limits: options.limits,
    admit: options.admit,
    onEvent: (event) => events.push(event),
  });
  const users = { replication: new Recorder(), rpc: new Recorder(), snapshot: new Recorder() };
  for (const channel of ['replication', 'rpc', 'snapshot'] as const) links.use(channel, users[channel]);
  // Rejected where a test gives a key that may not be used: it asks again itself.
  links.listen({ host, port: 1 }).catch(() => undefined);
  return { links, events, users, clock: options.clock ?? time };
}
