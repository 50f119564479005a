// What goes wrong in a seed: a random mix of kinds (swarm), each with its own rate, within a budget that keeps a majority's disks whole. Faults
// that lose a disk strike one voter at a time, and only while the replica set is complete again.

import { isMember } from '../../../cluster/replication/core/configuration.ts';
import type { Host } from './host.ts';
import { AIMS, type World } from './world.ts';

export const FAULTS = [
  'split',
  'one-way cut',
  'isolated leader',
  'crash',
  'aimed crash',
  'leaders fall in turn',
  'voters restart',
  'crash of all',
  'write error',
  'slow disk',
  'paused process',
  'bad weather',
  'wiped directory',
  'coordinator away',
  'coordinator forgets',
  'coordinator repeats',
  'member moved',
  'hand-over',
] as const;
export type Fault = (typeof FAULTS)[number];

export class Faults {
  readonly #world: World;
  readonly #kinds: readonly Fault[];
  readonly met = new Set<Fault>();
  #stopped = false;

  constructor(world: World) {
    const { random } = world.events;
    this.#world = world;
    const share = random.between(0.4, 1);
    const kinds = FAULTS.filter(() => random.chance(share));
    this.#kinds = kinds.length === 0 ? ['crash'] : kinds;
  }

  start(meanMs: number): void {
    const { events } = this.#world;
    const next = (): void => {
      if (this.#stopped) return;
      const kind = events.random.pick(this.#kinds);
      if (this.#strike(kind)) this.met.add(kind);
      events.after(events.random.between(meanMs * 0.2, meanMs * 1.8), next);
    };
    events.after(events.random.between(0, meanMs * 2), next);
  }

  /** Everything heals. */
  stop(): void {
    const { network, hosts } = this.#world;
    this.#stopped = true;
    this.#world.aim = undefined;
    this.#world.onElected = () => undefined;
    this.#world.onPromised = () => undefined;
    network.heal();
    network.weather = this.#world.calm;
    this.#world.coordinator = 'present';
    for (const host of hosts) {
      host.disk.baseMs = 1;
      host.disk.failNext = false;
      if (host.paused) host.resume();
      if (!host.alive) host.start();
    }
  }

  #strike(kind: Fault): boolean {
    const { hosts, network, events } = this.#world;
    const { random } = events;
    this.#world.note(`fault: ${kind}`);
    switch (kind) {
      case 'split': {
        const side = hosts.map(() => random.chance(0.5));
        for (const a of hosts)
          for (const b of hosts) if (side[a.index] !== side[b.index]) network.cut(a.index, b.index);
        this.#later(200, 4_000, () => network.heal());
        return true;
      }
      case 'one-way cut': {
        const from = random.pick(hosts).index;
        for (const { index } of hosts) if (random.chance(0.6)) network.cut(from, index);
        this.#later(200, 4_000, () => network.heal());
        return true;
      }
      case 'isolated leader': {
        const leader = hosts.find(({ replica }) => replica?.role === 'leader');
        if (leader === undefined) return false;
        for (const { index } of hosts) {
          network.cut(leader.index, index);
          if (random.chance(0.8)) network.cut(index, leader.index);
        }
        this.#later(200, 4_000, () => network.heal());
        return true;
      }
      case 'crash':
        this.#crash([random.chance(0.5) ? (this.#world.leader ?? random.pick(hosts)) : random.pick(hosts)]);
        return true;
      case 'aimed crash':
        this.#world.aim = random.pick(AIMS);
        this.#world.onAimed = (host) => {
          if (random.chance(0.5)) this.#crashFor(host, 1, 8);
          else this.#crash([host]);
        };
        return true;
      case 'leaders fall in turn':
        this.#world.onElected = (host) => this.#fall(host);
        this.#later(2_000, 8_000, () => {
          this.#world.onElected = () => undefined;
        });
        return true;
      case 'voters restart':
        this.#world.onPromised = (host) => {
          if (random.chance(0.7)) this.#crashFor(host, 1, 10);
        };
        if (random.chance(0.7)) this.#world.coordinator = random.pick(['away', 'repeats']);
        this.#crash(hosts.filter(({ replica }) => replica?.role === 'leader'));
        this.#later(3_000, 8_000, () => {
          this.#world.onPromised = () => undefined;
          this.#world.coordinator = 'present';
        });
        return true;
      case 'crash of all':
        this.#crash(hosts);
        return true;
      case 'write error':
        random.pick(hosts).disk.failNext = true;
        return true;
      case 'slow disk': {
        const { disk } = random.pick(hosts);
        disk.baseMs = random.between(20, 300);
        this.#later(300, 3_000, () => {
          disk.baseMs = 1;
        });
        return true;
      }
      case 'paused process': {
        const host = random.pick(hosts);
        host.paused = true;
        this.#later(100, 3_000, () => host.resume());
        return true;
      }
      case 'bad weather':
        network.weather = {
          dropChance: random.between(0, 0.3),
          repeatChance: random.between(0, 0.3),
          lateChance: random.between(0, 0.4),
          lateMs: random.between(10, 1_500),
          baseMs: random.between(1, 30),
        };
        this.#later(500, 6_000, () => {
          network.weather = this.#world.calm;
        });
        return true;
      case 'wiped directory':
        return this.#wipe();
      case 'coordinator away':
        this.#world.coordinator = 'away';
        this.#later(500, 5_000, () => {
          this.#world.coordinator = 'present';
        });
        return true;
      case 'coordinator forgets':
        this.#world.coordinatorTerm = random.int(0, 2);
        return true;
      case 'coordinator repeats':
        this.#world.coordinator = 'repeats';
        this.#later(500, 5_000, () => {
          this.#world.coordinator = 'present';
        });
        return true;
      case 'member moved':
        return this.#move();
      case 'hand-over': {
        const { leader } = this.#world;
        const to = leader?.replica?.configuration.voters.filter((id) => id !== leader.id) ?? [];
        if (leader === undefined || to.length === 0) return false;
        leader.replica?.transfer(random.pick(to), leader.nowMs);
        leader.drain();
        return true;
      }
    }
  }

  #later(fromMs: number, toMs: number, fn: () => void): void {
    const { events } = this.#world;
    events.after(events.random.between(fromMs, toMs), () => {
      if (!this.#stopped) fn();
    });
  }

  #crash(hosts: World['hosts']): void {
    const { random } = this.#world.events;
    for (const host of hosts) this.#crashFor(host, random.chance(0.3) ? 1 : 100, 3_000);
  }

  #crashFor(host: Host, fromMs: number, toMs: number): void {
    host.crash();
    this.#later(fromMs, toMs, () => {
      if (!host.alive) host.start();
    });
  }

  /** A leader that is just elected leaves something half done: entries nobody else has, a barrier of its own, a commit that it alone knows. */
  #fall(host: Host): void {
    const { events, network, hosts } = this.#world;
    const { random } = events;
    switch (random.int(0, 2)) {
      case 0:
        for (const { index } of hosts) network.cut(host.index, index);
        this.#later(50, 600, () => {
          this.#crashFor(host, 300, 1_500);
          network.heal();
        });
        return;
      case 1:
        this.#later(1, 6, () => this.#crashFor(host, 500, 2_500));
        return;
      case 2:
        this.#world.aim = 'committed';
        this.#world.onAimed = (leader) => this.#crashFor(leader, 800, 2_500);
    }
  }

  /** Only one of a whole replica set, so that a majority of every configuration in force keeps what it holds. */
  #wipe(): boolean {
    const { hosts, committedConfiguration, plan, desired } = this.#world;
    const { random } = this.#world.events;
    const { voters, learners } = committedConfiguration;
    const whole =
      plan.replicas > 1 &&
      learners.length === 0 &&
      voters.length === plan.replicas &&
      voters.every((id) => desired.includes(id) && hosts.some((host) => host.id === id)) &&
      // Nobody is on the way to another configuration.
      hosts.every(
        ({ replica }) =>
          replica === undefined ||
          isSame(replica.configuration.voters, voters) ||
          !isMember(replica.configuration, replica.self),
      );
    if (!whole) return false;
    const host = random.pick(hosts.filter(({ id }) => voters.includes(id)));
    this.#world.wipe(host);
    this.#later(50, 2_000, () => {
      if (!host.alive) host.start();
    });
    return true;
  }

  #move(): boolean {
    const { hosts, desired } = this.#world;
    const { random } = this.#world.events;
    const outside = hosts.filter(({ id }) => !desired.includes(id));
    if (outside.length === 0) return false;
    const gone = random.pick(desired);
    const host = random.pick(outside);
    this.#world.desired = desired.map((id) => (id === gone ? host.id : id));
    return true;
  }
}

const isSame = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join();
