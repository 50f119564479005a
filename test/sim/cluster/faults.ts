// What goes wrong in a cluster's seed, each at its time, on whatever is there by then; and how the world is healed. Keeps the fault budget: bits flip and
// directories are lost at a minority of a shard's replicas at a time, and the next such loss waits until what was lost is no member of anything any more.

import type { Draining } from '../../../src/ports/cluster.ts';
import { shardId } from '../../../src/ports/ids.ts';
import { unframe } from '../../../src/store/framing.ts';
import type { MemoryDisk } from '../../../src/store/memory/backend.ts';
import { openMemoryStore } from '../../../src/store/memory/store.ts';
import { Violation } from '../kernel.ts';
import { SeededRandom } from '../random.ts';
import type { Machine } from './machine.ts';
import { CALM } from './network.ts';
import type { FaultName } from './plan.ts';
import type { ClusterWorld } from './world.ts';

/** ms between two words of the operator on the same matter. */
const OPERATOR_MS = 1_500;
const DRAIN_MS = 30_000;
const GRACE_MS = 3_000;

export class FaultDriver {
  readonly #world: ClusterWorld;
  readonly #random: SeededRandom;
  readonly met = new Map<FaultName, number>();
  #undo: (() => void)[] = [];
  /** Directories that are gone for good. */
  readonly #lost = new Set<string>();
  #calm = false;

  constructor(world: ClusterWorld) {
    this.#world = world;
    this.#random = new SeededRandom(`cluster faults ${world.plan.seed}`);
  }

  schedule(): void {
    const { kernel, plan } = this.#world;
    this.#expelStrangers();
    for (const atMs of plan.faultsAt) {
      kernel.at(atMs, undefined, 'fault', () => {
        if (this.#calm) return;
        // One that cannot be had now gives way to another.
        for (let tries = 0; tries < 4; tries += 1) {
          const name =
            tries === 0
              ? this.#random.pick(plan.kinds)
              : this.#random.pick(['crash', 'cut', 'pause', 'bad weather'] as const);
          const what = this.#commit(name);
          if (what === undefined) continue;
          kernel.note(`fault: ${name} ${what}`);
          this.met.set(name, (this.met.get(name) ?? 0) + 1);
          return;
        }
      });
    }
  }

  heal(): void {
    const { kernel, workers, machines } = this.#world;
    kernel.note('everything is healed');
    this.#calm = true;
    for (const undo of this.#undo.splice(0)) undo();
    for (const worker of workers) worker.calm = true;
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
        this.#stop(machine, () => world.startSoon(machine, random.between(100, 2_000)));
        return machine.name;
      }
      case 'deaf hand-over': {
        // It gives its leaderships away, and does not hear that they were taken.
        const { node } = machine;
        if (node?.state !== 'serving' || node.process.isPaused) return undefined;
        this.#cut(world.machines.filter((one) => one !== machine).map((one) => [one, machine] as const));
        this.#stop(machine, () => world.startSoon(machine, random.between(100, 2_000)));
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
        for (let i = random.int(0, 4); i > 0; i -= 1) {
          kernel.after(random.between(1_500, 5_000), 'aftershock', () => {
            const one = random.pick(up);
            if (this.#calm || !one.isUp) return;
            one.node?.crash('told');
            world.startSoon(one, random.between(20, 200));
          });
        }
        return `of ${up.length} nodes`;
      }
      case 'rivals':
        return this.#rivals(machine);
      case 'pause': {
        const { node } = machine;
        if (node?.state !== 'serving' || node.process.isPaused) return undefined;
        node.process.pause();
        const ms = random.next() ** 3 * 60_000 + 300;
        this.#for(ms, () => node.process.resume());
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
      case 'bit flip':
        return this.#flip(machine);
      case 'emptied directory':
        if (world.plan.replicas < 3 || !this.#mayLose(machine)) return undefined;
        machine.node?.crash('silently');
        this.#empty(machine);
        return machine.name;
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
        newcomer.wanted = true;
        world.startSoon(newcomer, 50);
        return newcomer.name;
      }
      case 'drain':
        return this.#drain(machine);
      case 'replace':
        if (world.plan.replicas < 3 || !this.#maySpare() || !machine.wanted || !this.#mayLose(machine))
          return undefined;
        machine.wanted = false;
        machine.node?.crash('silently');
        this.#lose(machine);
        return machine.name;
      case 'rebalance':
        if (machine.node?.state !== 'serving') return undefined;
        machine.node.process.act(() => machine.node?.cluster?.control.rebalance(() => undefined));
        return machine.name;
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

  #cut(ways: readonly (readonly [Machine, Machine])[]): void {
    const { network } = this.#world;
    for (const [from, to] of ways) network.cut(from.host, to.host);
    this.#for(this.#random.next() ** 2 * 20_000 + 300, () => {
      for (const [from, to] of ways) network.mend(from.host, to.host);
    });
  }

  #stop(machine: Machine, then: () => void): void {
    const { node } = machine;
    const { kernel } = this.#world;
    if (node === undefined) return;
    kernel.at(kernel.now, node.process, 'is asked to stop', () =>
      node.process.act(() => {
        node.stop(GRACE_MS).then(then, (error: unknown) => {
          if (node.process.alive) kernel.fail(error);
        });
      }),
    );
    // Whoever does not end in time is ended.
    kernel.after(GRACE_MS * 4, 'operator waits no longer', () => {
      if (machine.node !== node || node.state === 'dead') return;
      node.crash('told');
      then();
    });
  }

  /**
   * A leader dies, those that follow it do not see each other, and nobody hands out terms: they stand in the same one. The dead one comes back, and
   * dies again as soon as it has promised its vote.
   */
  #rivals(machine: Machine): string | undefined {
    const { kernel, machines, watch } = this.#world;
    const random = this.#random;
    if (machine.node?.state !== 'serving') return undefined;
    const others = machines.filter((one) => one !== machine);
    this.#cut(others.flatMap((a) => others.filter((b) => b !== a).map((b) => [a, b] as const)));
    this.#world.redisMs = undefined;
    this.#for(random.between(8_000, 12_000), () => {
      this.#world.redisMs = 1;
    });
    const crash = (downMs: number): void => {
      machine.node?.crash('told');
      this.#world.startSoon(machine, downMs);
    };
    let deaths = random.int(1, 4);
    watch.onPromise = (directory) => {
      if (directory !== machine.directoryId || deaths === 0 || this.#calm) return;
      deaths -= 1;
      kernel.after(random.between(0, 1), 'crash after a promise', () => crash(random.between(20, 200)));
    };
    crash(random.between(200, 2_500));
    return machine.name;
  }

  // ---------------------------------------------------------------- losses

  /** It is one of at least three everywhere, and everything lost before is made up for. */
  #mayLose(machine: Machine): boolean {
    const { watch } = this.#world;
    if (this.#world.damaged.size > 0) return false;
    for (const directory of this.#lost) if (watch.isMember(directory)) return false;
    return watch.mayLose(machine.directoryId);
  }

  /**
   * A node that came while Redis had forgotten the cluster, and before anybody told it again, has founded another one: it says so, has nothing,
   * and is given an empty directory.
   */
  #expelStrangers(): void {
    const { kernel, machines } = this.#world;
    kernel.after(OPERATOR_MS * 3, 'operator looks for strangers', () => {
      this.#expelStrangers();
      const [founder] = machines.filter(({ knownState }) => knownState?.born === true);
      const ours = founder?.knownState?.record.incarnation;
      for (const machine of machines) {
        const { knownState } = machine;
        if (!machine.wanted || knownState === undefined || ours === undefined || knownState.record.incarnation === ours)
          continue;
        kernel.note(`operator gives ${machine.name} an empty directory: it is of another cluster`);
        machine.node?.crash('told');
        machine.empty('new id');
        this.#world.startSoon(machine, 500);
      }
    });
  }

  #maySpare(): boolean {
    const { machines, plan } = this.#world;
    return machines.filter(({ wanted }) => wanted).length > Math.max(3, plan.replicas);
  }

  /** The machine's directory is no more; it comes back with an empty one. */
  #empty(machine: Machine): void {
    this.#lose(machine, this.#world.plant.keepsIdWhenEmptied === true ? 'same id' : 'new id');
    this.#world.startSoon(machine, this.#random.between(200, 4_000));
  }

  #lose(machine: Machine, id: 'new id' | 'same id' = 'new id'): void {
    const before = machine.directoryId;
    machine.empty(id);
    if (machine.directoryId === before) {
      this.#world.watch.forgotten(before);
      return;
    }
    this.#lost.add(before);
    this.#retire(before);
  }

  /** The operator says that a directory will not come back, until the plan says so too. */
  #retire(directory: string): void {
    const { kernel, up } = this.#world;
    const { node } = up.length === 0 ? { node: undefined } : this.#random.pick(up);
    let known = true;
    node?.process.act(() => {
      const { control } = node.cluster ?? {};
      known =
        control?.status().members.some(({ directoryId, planned }) => directoryId === directory && planned) ?? true;
      if (known) control?.replace(directory, () => undefined);
    });
    if (known || !this.#calm) kernel.after(OPERATOR_MS, 'operator', () => this.#retire(directory));
  }

  #flip(machine: Machine): string | undefined {
    const world = this.#world;
    const { kernel, plan } = world;
    const { directoryId, disk } = machine;
    const recoverable = plan.replicas >= 3 && plan.machines >= 3;
    if (!machine.isUp || (recoverable ? !this.#mayLose(machine) : world.damaged.size > 0)) return undefined;
    const flip = disk.flip();
    if (flip === undefined) return undefined;
    let repaired = false;
    const repair = (): void => {
      if (repaired) return;
      repaired = true;
      world.damaged.delete(directoryId);
      if (machine.directoryId !== directoryId) return;
      machine.node?.crash('told');
      if (recoverable) this.#empty(machine);
      else {
        flip.mend();
        world.startSoon(machine, 500);
      }
    };
    world.damaged.set(directoryId, repair);
    // The scrubber comes by: what is damaged it finds, whatever it is.
    kernel.after(this.#random.between(500, 4_000), 'scrubber', () => {
      if (repaired) return;
      const stillThere = flip.isThere();
      isDamaged(disk.copy(), directoryId, plan.shardCount).then(
        (found) => {
          kernel.note(`the flipped bit at ${directoryId} is ${found ? 'found' : stillThere ? 'not found' : 'gone'}`);
          if (found) repair();
          else if (stillThere)
            kernel.fail(new Violation('integrity', `the flipped bit of ${JSON.stringify(flip.key)} was not noticed`));
          else {
            repaired = true;
            world.damaged.delete(directoryId);
          }
        },
        (error: unknown) => kernel.fail(error),
      );
    });
    return `${machine.name}, ${JSON.stringify(flip.key)}`;
  }

  // ---------------------------------------------------------------- membership

  #drain(machine: Machine): string | undefined {
    const world = this.#world;
    const { kernel, watch } = world;
    if (!machine.wanted || machine.node?.state !== 'serving' || !this.#maySpare()) return undefined;
    machine.wanted = false;
    const { directoryId } = machine;
    const untilMs = kernel.now + DRAIN_MS;
    this.#say(machine, 'everything');
    const look = (): void => {
      if (machine.directoryId !== directoryId) return;
      if (!watch.isMember(directoryId) && machine.node?.state === 'serving') {
        this.#stop(machine, () => this.#lose(machine));
        return;
      }
      if (kernel.now < untilMs && !this.#calm) {
        // It may have been restarted, or cut off, when it was told.
        if (machine.isUp) this.#say(machine, 'everything');
        else {
          machine.wanted = true;
          world.start(machine);
          machine.wanted = false;
        }
        kernel.after(OPERATOR_MS, 'operator looks after a drain', look);
        return;
      }
      kernel.note(`operator gives up to drain ${machine.name}`);
      machine.wanted = true;
      this.#undrain(machine);
      world.startSoon(machine, 0);
    };
    kernel.after(OPERATOR_MS, 'operator looks after a drain', look);
    return machine.name;
  }

  /** Through any node that is up, as an operator would; itself if need be. */
  #say(machine: Machine, how: Draining): void {
    const { node } =
      this.#random.chance(0.5) && this.#world.up.length > 0 ? this.#random.pick(this.#world.up) : machine;
    node?.process.act(() => node.cluster?.control.drain(machine.name, how, () => undefined));
  }

  #undrain(machine: Machine): void {
    const { kernel } = this.#world;
    const { node } = machine;
    if (!machine.wanted) return;
    if (node?.state === 'serving' && node.cluster !== undefined) {
      node.process.act(() => node.cluster?.control.drain(machine.name, 'no', () => undefined));
      if (node.cluster.notReady()?.includes('drains') !== true) return;
    }
    kernel.after(OPERATOR_MS, 'operator', () => this.#undrain(machine));
  }
}

/** Whether any record on this medium is not what it was written as, or they do not fit together. */
async function isDamaged(disk: MemoryDisk, directoryId: string, shardCount: number): Promise<boolean> {
  const store = openMemoryStore({ disk, directoryId, shardCount });
  try {
    for (const key of disk.keys()) unframe(key, disk.durable.get(key) ?? new Uint8Array(), 'the simulated disk');
    await store.open();
    return false;
  } catch {
    return true;
  }
}
