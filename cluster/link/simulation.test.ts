// Links of four nodes through every kind of harm to connections: what arrives on a channel is in order, once, and without a gap while a connection
// lasts; up and down come in turn on both sides; and once the harm ends everybody is connected to everybody again, soon.

import { describe, expect, it } from 'vitest';
import { CHANNELS, type Channel } from './frames.ts';
import { identity, KEY, keyed, ManualTime, OTHER_KEY, TestRandom } from './link.test-support.ts';
import { Links, type Peer } from './links.ts';
import { MemoryNetwork } from './memory-network.ts';

const SEEDS = Number(process.env.TENUTO_LINK_SEEDS ?? 5);
const NAMES = ['a', 'b', 'c', 'd'];
const HARM_UNTIL_MS = 30_000;
/** Silence of 4 s, back-off of 3 s, a probe of 1 s, and a handshake that met another. */
const HEALED_WITHIN_MS = 12_000;

interface Node {
  name: string;
  boot: string;
  links: Links;
  alive: boolean;
}

class World {
  readonly time = new ManualTime();
  readonly random: TestRandom;
  readonly network: MemoryNetwork;
  readonly nodes = new Map<string, Node>();
  readonly problems: string[] = [];
  readonly seen: Record<string, number> = {};
  /** Per receiver's boot, sender's boot and channel: the last number that arrived, and whether it was on the present connection. */
  readonly #last = new Map<string, { number: number; fresh: boolean }>();
  readonly #sent = new Map<string, number>();
  readonly #up = new Set<string>();
  #boots = 0;

  constructor(seed: number) {
    this.random = new TestRandom(seed);
    this.network = new MemoryNetwork(this.time, 1);
    this.network.latencyMs = () => 0.1 + this.random.next() * (this.random.next() < 0.02 ? 200 : 3);
    for (const name of NAMES) this.start(name);
  }

  count(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1;
  }

  start(name: string): void {
    this.#boots += 1;
    const boot = `${name}-${this.#boots}`;
    const { random, time } = this;
    const links = new Links({
      identity: identity(name, { bootId: boot }),
      // In the middle of a change of keys.
      security: keyed(...(name < 'c' ? [KEY, OTHER_KEY] : [OTHER_KEY, KEY])),
      network: this.network.at(name),
      clock: time,
      scheduler: time,
      random,
      randomBytes: (length) => random.bytes(length),
      limits: { queuedBytes: 200_000, windowBytes: 100_000 },
      onEvent: (event) => this.count(event.type),
    });
    const node: Node = { name, boot, links, alive: true };
    this.nodes.set(name, node);
    for (const channel of CHANNELS) {
      links.use(channel, {
        up: (peer, remote) => this.#told(node, peer, channel, 'up', remote.bootId),
        down: (peer) => this.#told(node, peer, channel, 'down', ''),
        message: (peer, message) => this.#arrived(node, peer, channel, message),
      });
    }
    void links.listen({ host: name, port: 1 });
    for (const other of NAMES) if (other !== name) links.connect(other, { host: other, port: 1 });
  }

  kill(node: Node): void {
    node.alive = false;
    node.links.kill();
    this.network.crash(node.name);
    this.count('killed');
  }

  #told(node: Node, peer: Peer, channel: Channel, what: 'up' | 'down', remoteBoot: string): void {
    const key = `${node.boot} ${peer.name} ${channel}`;
    if ((what === 'up') === this.#up.has(key)) this.problems.push(`${key}: ${what} came twice`);
    if (what === 'down') this.#up.delete(key);
    else {
      this.#up.add(key);
      const way = `${node.boot} ${remoteBoot} ${channel}`;
      this.#last.set(way, { number: this.#last.get(way)?.number ?? 0, fresh: true });
    }
  }

  #arrived(node: Node, peer: Peer, channel: Channel, message: Uint8Array): void {
    const [boot = '', number = ''] = Buffer.from(message.subarray(0, 40)).toString().trim().split(' ');
    if (boot !== peer.remote?.bootId)
      this.problems.push(`${node.boot} got a message of ${boot} from ${peer.remote?.bootId}`);
    const key = `${node.boot} ${boot} ${channel}`;
    const last = this.#last.get(key);
    const n = Number(number);
    if (last === undefined) this.problems.push(`${key}: a message before the up`);
    else if (last.fresh ? n <= last.number : n !== last.number + 1)
      this.problems.push(`${key}: ${n} after ${last.number}`);
    this.#last.set(key, { number: n, fresh: false });
    this.count('arrived');
  }

  /** Numbers only what is taken: the next number is the next message. */
  send(node: Node, to: string, channel: Channel): void {
    const peer = node.links.peer(to);
    if (peer === undefined) return;
    const key = `${node.boot} ${to} ${channel}`;
    const number = (this.#sent.get(key) ?? 0) + 1;
    const size = this.random.next() < 0.05 ? 40 + this.random.int(120_000) : 40 + this.random.int(300);
    const message = Buffer.alloc(size, 0x20);
    message.write(`${node.boot} ${number}`);
    if (peer.send(channel, message)) this.#sent.set(key, number);
  }

  harm(): void {
    const { random, network, time } = this;
    const pick = (): string => NAMES[random.int(NAMES.length)] ?? 'a';
    const [one, other] = [pick(), pick()];
    switch (random.int(6)) {
      case 0: {
        const node = this.nodes.get(one);
        if (node?.alive !== true) break;
        this.kill(node);
        time.after(random.int(5_000), () => this.start(one));
        break;
      }
      case 1:
        network.break(one, other);
        this.count('broken');
        break;
      case 2:
      case 3:
        network.cut(one, other);
        this.count('cut');
        time.after(random.int(8_000), () => network.heal(one, other));
        break;
      case 4: {
        // For a moment somebody drops, repeats or changes what passes.
        this.count('tampered');
        network.tamper = (from, _to, bytes) => {
          if (from !== one || random.next() < 0.7) return [bytes];
          if (random.next() < 0.3) return [];
          if (random.next() < 0.5) return [bytes, bytes];
          const changed = Uint8Array.from(bytes);
          changed[random.int(changed.length)] = random.int(256);
          return [changed];
        };
        time.after(random.int(300), () => {
          network.tamper = (_from, _to, bytes) => [bytes];
        });
        break;
      }
      case 5: {
        const peer = this.nodes.get(one)?.links.peer(other);
        const channel = CHANNELS[random.int(CHANNELS.length)] ?? 'rpc';
        peer?.pause(channel);
        time.after(random.int(2_000), () => peer?.resume(channel));
        break;
      }
    }
  }

  run(): void {
    const { random, time } = this;
    const act = (): void => {
      for (const node of this.nodes.values()) {
        if (!node.alive) continue;
        for (let i = 0; i < 3; i += 1)
          this.send(node, NAMES[random.int(NAMES.length)] ?? 'a', CHANNELS[random.int(3)] ?? 'rpc');
      }
      time.after(random.int(60), act);
    };
    const harm = (): void => {
      if (time.at > HARM_UNTIL_MS) return;
      this.harm();
      time.after(random.int(800), harm);
    };
    act();
    harm();
    // The last cut heals 8 s after the last harm.
    time.advance(HARM_UNTIL_MS + 8_000 + HEALED_WITHIN_MS);
    for (const { name, links } of this.nodes.values()) {
      for (const other of NAMES) {
        if (other === name) continue;
        const remote = links.peer(other)?.remote;
        const expected = this.nodes.get(other)?.boot;
        if (remote?.bootId !== expected)
          this.problems.push(`${name} is connected to ${remote?.bootId}, not to ${expected}`);
      }
    }
    for (const { links } of this.nodes.values()) links.kill();
  }
}

describe('links of four nodes in a bad network', () => {
  it.each(Array.from({ length: SEEDS }, (_, i) => i + 1))('seed %i', (seed) => {
    const world = new World(seed);
    world.run();
    expect(world.problems.slice(0, 5)).toEqual([]);
    for (const what of ['arrived', 'killed', 'broken', 'cut', 'tampered', 'up', 'down']) {
      expect([what, (world.seen[what] ?? 0) > 0]).toEqual([what, true]);
    }
    expect(world.seen.arrived).toBeGreaterThan(2_000);
  });
});
