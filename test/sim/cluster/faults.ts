// What goes wrong in a cluster's seed, each at its time, on whatever is there by then; and how the world is healed. Losses (losses.ts) keep the fault budget.

import { shardId } from '../../../src/ports/ids.ts';
import { SeededRandom } from '../random.ts';
import { CALM_SQL, type SqlWeather } from '../sql/server.ts';
import { JobLeaderFault } from './job-leader.ts';
import { Losses } from './losses.ts';
import type { Machine } from './machine.ts';
import { CALM } from './network.ts';
import { Operator } from './operator.ts';
import type { FaultName } from './plan.ts';
import type { ClusterWorld } from './world.ts';

/** Of a seed that is worth its name. */
const LEAST_FAULTS = 5;
const LEAST_KINDS = 3;
/** Of pauses that may be: they last a whole minute. */
const LONG_PAUSE_SHARE = 0.15;
/** ms before healing at which the last of them begins: there is time enough after it. */
const LONG_PAUSE_LEFT_MS = 30_000;
/** ms before healing: the last chance. */
const LAST_MS = 1_500;

export class FaultDriver {
  readonly #world: ClusterWorld;
  readonly #random: SeededRandom;
  readonly met = new Map<FaultName, number>();
  readonly #losses: Losses;
  readonly #operator: Operator;
  readonly #jobLeader: JobLeaderFault;
  #undo: (() => void)[] = [];
  #calm = false;

  constructor(world: ClusterWorld) {
    this.#world = world;
    this.#random = new SeededRandom(`cluster faults ${world.plan.seed}`);
    const isCalm = (): boolean => this.#calm;
    this.#losses = new Losses(world, this.#random, isCalm);
    world.onOutdated = (machine) => this.#losses.giveUp(machine);
    this.#operator = new Operator(world, this.#random, this.#losses, isCalm);
    this.#jobLeader = new JobLeaderFault(world);
  }

  schedule(): void {
    const { kernel, plan } = this.#world;
    this.#operator.expelStrangers();
    this.#jobLeader.schedule();
    for (const atMs of plan.faultsAt) {
      kernel.at(atMs, undefined, 'fault', () => {
        if (this.#calm || this.#happens(this.#random.pick(plan.kinds))) return;
        // One that cannot be had now gives way to another.
        for (let tries = 0; tries < 3; tries += 1) {
          if (this.#happens(this.#random.pick(['crash', 'cut', 'pause', 'bad weather']))) return;
        }
      });
    }
    if (plan.faultsAt.length > 0)
      kernel.at(plan.calmAtMs - LAST_MS, undefined, 'fault', () => this.#enough(plan.kinds));
  }

  #happens(name: FaultName): boolean {
    const what = this.#commit(name);
    if (what === undefined) return false;
    this.#world.kernel.note(`fault: ${name} ${what}`);
    this.met.set(name, (this.met.get(name) ?? 0) + 1);
    return true;
  }

  /** What makes a seed worth its name has not happened when little could be had: these always can. */
  #enough(kinds: readonly FaultName[]): void {
    const least = Math.min(LEAST_KINDS, kinds.length);
    for (const name of [
      'bad weather',
      'redis forgets',
      'worker reconnects',
      'redis repeats terms',
      'bad weather',
    ] as const) {
      const count = [...this.met.values()].reduce((sum, n) => sum + n, 0);
      if (count < LEAST_FAULTS || this.met.size < least) this.#happens(name);
    }
  }

  heal(): void {
    const { kernel, workers, machines } = this.#world;
    kernel.note('everything is healed');
    this.#calm = true;
    this.#jobLeader.heal();
    this.#world.callbacks.calm = true;
    for (const undo of this.#undo.splice(0)) undo();
    for (const worker of workers) worker.calm = true;
    this.#world.backups.heal();
    for (const machine of machines) if (machine.wanted && !machine.isUp) this.#world.startSoon(machine, 100);
  }

  // ---------------------------------------------------------------- each fault

  /** What it was, for people; undefined: not possible now. */
  #commit(name: FaultName): string | undefined {
    const world = this.#world;
    const random = this.#random;
    const { kernel, network, redis } = world;
    const machine = random.pick(world.machines);
    const other = random.pick(world.machines);
    const { disk } = machine;
    switch (name) {
      case 'crash':
      case 'power loss':
        if (!machine.isUp) return undefined;
        machine.node?.crash(name === 'crash' ? 'told' : 'silently');
        world.startSoon(machine, random.chance(0.2) ? random.between(5_000, 20_000) : random.between(100, 4_000));
        return machine.name;
      case 'restart': {
        const { node } = machine;
        if (node?.state !== 'serving' || node.process.isPaused) return undefined;
        this.#operator.stop(machine, () => world.startSoon(machine, random.between(100, 2_000)));
        return machine.name;
      }
      case 'deaf hand-over': {
        // It gives its leaderships away, and does not hear that they were taken.
        const { node } = machine;
        if (node?.state !== 'serving' || node.process.isPaused) return undefined;
        this.#cut(world.machines.filter((one) => one !== machine).map((one) => [one, machine] as const));
        this.#operator.stop(machine, () => world.startSoon(machine, random.between(100, 2_000)));
        return machine.name;
      }
      case 'blackout': {
        // All at once, and again some while they look for their leaders.
        const up = world.machines.filter(({ isUp }) => isUp);
        if (up.length === 0) return undefined;
        for (const one of up) {
          one.node?.crash('silently');
          world.startSoon(one, random.between(50, 1_500));
        }
        for (let i = random.int(0, 4); i > 0; i -= 1) this.#aftershock(random.between(1_500, 5_000));
        return `of ${up.length} nodes`;
      }
      case 'rivals':
        return this.#rivals(machine);
      case 'lost confirmation':
        return this.#loseConfirmation();
      case 'isolated leader': {
        // It serves clients on, whom it can promise nothing, until it steps down; then another leads.
        if ((machine.node?.cluster?.leads ?? 0) === 0 || machine.node?.process.isPaused === true) return undefined;
        const others = world.machines.filter((one) => one !== machine);
        this.#cut(
          others.flatMap((one) => [[machine, one] as const, [one, machine] as const]),
          random.between(2_500, 14_000),
        );
        return machine.name;
      }
      case 'pause': {
        const { node } = machine;
        if (node?.state !== 'serving' || node.process.isPaused) return undefined;
        node.process.pause();
        // Of a whole minute: over when everything else has long been healed.
        const isLong = kernel.now < world.plan.calmAtMs - LONG_PAUSE_LEFT_MS && random.chance(LONG_PAUSE_SHARE);
        const ms = isLong ? random.between(60_000, 65_000) : random.next() ** 3 * 50_000 + 300;
        if (isLong) kernel.after(ms, 'a long pause passes', () => node.process.resume());
        else this.#for(ms, () => node.process.resume());
        return `${machine.name} for ${Math.round(ms)} ms`;
      }
      case 'cut':
      case 'one-way cut':
        if (machine === other) return undefined;
        this.#cut([[machine, other], ...(name === 'cut' ? [[other, machine] as const] : [])]);
        return `${machine.name} and ${other.name}`;
      case 'split': {
        const here = new Set(world.machines.filter(() => random.chance(0.5)));
        const apart = world.machines.flatMap((a) =>
          world.machines.filter((b) => here.has(a) !== here.has(b)).map((b) => [a, b] as const),
        );
        if (apart.length === 0) return undefined;
        this.#cut(apart);
        return [...here].map((one) => one.name).join();
      }
      case 'broken links':
        if (machine === other) return undefined;
        network.links.break(machine.host, other.host);
        return `${machine.name} and ${other.name}`;
      case 'bad weather': {
        network.weather = {
          dropChance: random.between(0, 0.3),
          repeatChance: random.between(0, 0.2),
          lateChance: random.between(0, 0.2),
          lateMs: random.pick([20, 200, 1_000]),
        };
        this.#for(random.between(1_000, 15_000), () => {
          network.weather = CALM;
        });
        return JSON.stringify(network.weather);
      }
      case 'write error':
        if (!machine.isUp) return undefined;
        disk.failNext = true;
        this.#undo.push(() => {
          disk.failNext = false;
        });
        return machine.name;
      case 'read error':
        if (!machine.isUp) return undefined;
        disk.failReadAfter = random.int(0, random.pick([0, 30, 1_000]));
        this.#undo.push(() => {
          disk.failReadAfter = undefined;
        });
        // What it reads as it starts is its log.
        if (random.chance(0.3)) {
          machine.node?.crash('told');
          world.startSoon(machine, random.between(100, 4_000));
        }
        return machine.name;
      case 'full disk':
        disk.full = true;
        this.#for(random.between(1_000, 8_000), () => {
          disk.full = false;
        });
        return machine.name;
      case 'slow disk': {
        const ms = random.between(5, 300);
        disk.baseMs += ms;
        this.#for(random.between(1_000, 10_000), () => {
          disk.baseMs -= ms;
        });
        return `${machine.name} by ${Math.round(ms)} ms`;
      }
      case 'hung disk': {
        // The longer ones for longer than a node puts up with.
        const ms = random.chance(0.7) ? random.between(500, 15_000) : random.between(21_000, 35_000);
        this.#for(ms, disk.hang());
        return `${machine.name} for ${Math.round(ms)} ms`;
      }
      case 'bit flip':
        return this.#losses.flip(machine);
      case 'emptied directory':
        if (world.plan.replicas < 3 || !this.#losses.mayLose(machine)) return undefined;
        machine.node?.crash('silently');
        this.#losses.empty(machine);
        // It comes back while others look for a leader.
        if (random.chance(0.5)) this.#aftershock(random.between(500, 5_000));
        return machine.name;
      case 'volume set back':
        return this.#losses.setBack(machine);
      case 'clock jump': {
        // Nodes whose clocks differ by more than a second do not connect: the operator sees to it.
        const ms = random.pick([400, 5_000]) * random.between(-1, 1);
        machine.clock.ms += ms;
        this.#for(random.between(1_000, 15_000), () => {
          machine.clock.ms -= ms;
        });
        return `${machine.name} by ${Math.round(ms)} ms`;
      }
      case 'redis away':
        world.redisMs = random.chance(0.7) ? undefined : random.between(300, 3_000);
        world.redisLossChance = random.between(0, 0.3);
        this.#for(random.between(1_000, 25_000), () => {
          world.redisMs = 1;
          world.redisLossChance = 0;
        });
        return '';
      case 'redis forgets': {
        const ms = random.between(500, 15_000);
        redis.loseLast(ms);
        return `${Math.round(ms)} ms`;
      }
      case 'redis fails over':
        return this.#redisFailsOver();
      case 'redis wiped':
        redis.wipe();
        return '';
      case 'redis repeats terms': {
        const shard = random.int(0, world.plan.shardCount - 1);
        redis.repeatTerms(shardId(shard), random.int(1, 5));
        return `of shard ${shard}`;
      }
      case 'join': {
        const newcomer = world.machines.find(
          ({ wanted, node }) => !wanted && (node === undefined || node.state === 'dead'),
        );
        if (newcomer === undefined) return undefined;
        this.#operator.bringBack(newcomer);
        return newcomer.name;
      }
      case 'drain':
        return this.#operator.drain(machine);
      case 'replace':
        if (world.plan.replicas < 3 || !this.#operator.maySpare() || !machine.wanted || !this.#losses.mayLose(machine))
          return undefined;
        machine.wanted = false;
        machine.node?.crash('silently');
        this.#losses.lose(machine);
        return machine.name;
      case 'rebalance':
        if (machine.node?.state !== 'serving') return undefined;
        machine.node.process.act(() => machine.node?.cluster?.control.rebalance(() => undefined));
        return machine.name;
      case 'database away':
      case 'database late':
      case 'database fails over':
      case 'database cut off':
      case 'broken sessions':
      case 'serialization failures':
        return this.#database(name, machine);
      case 'worker reconnects': {
        const worker = random.pick(world.workers);
        worker.reconnect();
        return worker.name;
      }
    }
    kernel.fail(new Error(`there is no fault ${String(name)}`));
    return undefined;
  }

  /** Undone after `ms`, or when the world is healed before. */
  #for(ms: number, undo: () => void): void {
    let passed = false;
    const once = (): void => {
      if (!passed) undo();
      passed = true;
    };
    this.#undo.push(once);
    this.#world.kernel.after(ms, 'a fault passes', once);
  }

  /** Some node dies for a moment. */
  #aftershock(inMs: number): void {
    const { kernel, machines } = this.#world;
    kernel.after(inMs, 'aftershock', () => {
      const one = this.#random.pick(machines);
      if (this.#calm || !one.isUp) return;
      one.node?.crash('told');
      this.#world.startSoon(one, this.#random.between(20, 200));
    });
  }

  #cut(ways: readonly (readonly [Machine, Machine])[], ms: number = this.#random.next() ** 2 * 20_000 + 300): void {
    const { network } = this.#world;
    for (const [from, to] of ways) network.cut(from.host, to.host);
    this.#for(ms, () => {
      for (const [from, to] of ways) network.mend(from.host, to.host);
    });
  }

  /**
   * A leader dies and nobody hands out terms: those that follow it stand in the same one. One of them dies as soon as it has promised its vote, to itself
   * perhaps, and is back before the other's request comes: that one's disk is slow, or the two do not see each other.
   */
  #rivals(machine: Machine): string | undefined {
    const { kernel, machines, watch } = this.#world;
    const random = this.#random;
    if (machine.node?.state !== 'serving') return undefined;
    const others = machines.filter((one) => one !== machine && one.node?.state === 'serving');
    const leaders = others.filter(({ node }) => (node?.cluster?.leads ?? 0) > 0);
    if (leaders.length === 0 || others.length < 2) return undefined;
    const ms = random.between(8_000, 12_000);
    const leader = random.pick(leaders);
    const crash = (one: Machine, downMs: number): void => {
      one.node?.crash('told');
      this.#world.startSoon(one, downMs);
    };
    if (random.chance(0.5)) {
      for (const { disk } of others.filter((one) => one !== leader)) {
        // Longer than who has just started refuses to promise, and shorter than it waits to stand itself.
        const slowMs = random.between(1_600, 2_400);
        disk.baseMs += slowMs;
        this.#for(ms, () => {
          disk.baseMs -= slowMs;
        });
      }
      crash(leader, ms);
    } else {
      this.#cut(
        others.flatMap((a) => others.filter((b) => b !== a).map((b) => [a, b] as const)),
        ms,
      );
      crash(machine, random.between(200, 2_500));
    }
    this.#world.redisMs = undefined;
    this.#for(ms, () => {
      this.#world.redisMs = 1;
    });
    let deaths = random.int(2, 6);
    watch.onPromise = (directory) => {
      if (directory !== machine.directoryId || deaths === 0 || this.#calm) return;
      deaths -= 1;
      kernel.after(random.between(0, 0.5), 'crash after a promise', () => crash(machine, random.between(20, 100)));
    };
    return `${machine.name}, and ${leader.name} leads`;
  }

  /** Whoever applied the next message between workflows dies, and so does whoever sent it, before it has heard: it is said again to the next leader. */
  #loseConfirmation(): string {
    const world = this.#world;
    const { kernel, machines, watch } = world;
    const random = this.#random;
    world.onApplied = (node, { source, message }) => {
      if (this.#calm || !SHOWING.has(message.type)) return;
      world.onApplied = undefined;
      const sender = watch.leaderOf(source);
      kernel.at(kernel.now, undefined, 'its confirmation is lost', () => {
        for (const machine of machines) {
          if (machine !== node.machine && machine.directoryId !== sender) continue;
          machine.node?.crash('told');
          world.startSoon(machine, random.between(50, 2_500));
        }
      });
    };
    return 'of the next message that shows';
  }

  #database(name: FaultName, { host, name: node }: Machine): string | undefined {
    const { database } = this.#world;
    const random = this.#random;
    if (database === undefined) return undefined;
    const weather = (change: Partial<SqlWeather>, ms: number): string => {
      database.weather = { ...database.weather, ...change };
      this.#for(ms, () => {
        database.weather = CALM_SQL;
      });
      return `${JSON.stringify(change)} for ${Math.round(ms)} ms`;
    };
    switch (name) {
      case 'database away':
        return weather({ away: random.pick(['refused', 'silent']) }, random.between(500, 8_000));
      case 'database late':
        return weather(
          { lateChance: random.between(0.02, 0.3), lateMs: random.pick([50, 500, 5_000]) },
          random.between(2_000, 12_000),
        );
      case 'database fails over':
        database.failOver();
        return weather({ away: 'refused' }, random.between(300, 6_000));
      case 'broken sessions':
        return weather({ breakChance: random.between(0.01, 0.2) }, random.between(2_000, 15_000));
      case 'serialization failures':
        return weather({ abortChance: random.between(0.05, 0.5) }, random.between(2_000, 15_000));
      default: {
        database.cut.add(host);
        this.#for(random.between(500, 10_000), () => database.cut.delete(host));
        return `from ${node}`;
      }
    }
  }

  /**
   * Sentinel makes a replica the master that has not got the last seconds. Until it is, most find nobody; some speak to the old one for longer, and what
   * they write there is lost too.
   */
  #redisFailsOver(): string {
    const { machines, redis, redisOf } = this.#world;
    const random = this.#random;
    const old = redis.copy();
    const lagMs = random.between(300, 5_000);
    const awayMs = random.between(500, 6_000);
    const apartMs = random.between(500, 10_000);
    redis.loseLast(lagMs);
    for (const { host } of machines) {
      const isApart = random.chance(0.3);
      redisOf.set(host, isApart ? old : 'nobody');
      this.#for(isApart ? apartMs : awayMs, () => redisOf.delete(host));
    }
    return `to a replica ${Math.round(lagMs)} ms behind`;
  }
}

/** Messages whose being applied twice can be seen: an answer that comes again is not waited for any more. */
const SHOWING: ReadonlySet<string> = new Set(['startChild', 'signalExternal']);
