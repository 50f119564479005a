// The operator of a simulated cluster: stops and starts nodes, drains them, and gives a stranger an empty directory. Called by faults.ts.

import { isDone, leftOf } from '../../../src/cli/cluster/left.ts';
import type { Draining } from '../../../src/ports/cluster.ts';
import { Violation } from '../kernel.ts';
import type { SeededRandom } from '../random.ts';
import { type Losses, OPERATOR_MS } from './losses.ts';
import type { Machine } from './machine.ts';
import type { ClusterWorld } from './world.ts';

const DRAIN_MS = 30_000;
const GRACE_MS = 3_000;
/** Who has not answered by then will not. */
const ASK_MS = 5_000;

export class Operator {
  readonly #world: ClusterWorld;
  readonly #random: SeededRandom;
  readonly #losses: Losses;
  readonly #isCalm: () => boolean;
  /** Of the cluster that was born first. A stranger that has heard of its plan takes itself for born too. */
  #ours: string | undefined;

  constructor(world: ClusterWorld, random: SeededRandom, losses: Losses, isCalm: () => boolean) {
    this.#world = world;
    this.#random = random;
    this.#losses = losses;
    this.#isCalm = isCalm;
  }

  /** As SIGTERM; whoever does not end in time is ended. */
  stop(machine: Machine, then: () => void): void {
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
    kernel.after(GRACE_MS * 4, 'operator waits no longer', () => {
      if (machine.node !== node || node.state === 'dead') return;
      node.crash('told');
      then();
    });
  }

  /** Enough others are there. */
  maySpare(): boolean {
    const { machines, plan } = this.#world;
    return machines.filter(({ wanted }) => wanted).length > Math.max(3, plan.replicas);
  }

  /**
   * A node that came while Redis had forgotten the cluster, and before anybody told it again, has founded another one: it says so, has nothing,
   * and is given an empty directory.
   */
  expelStrangers(): void {
    const { kernel, machines } = this.#world;
    kernel.after(OPERATOR_MS * 3, 'operator looks for strangers', () => {
      this.expelStrangers();
      this.#ours ??= machines.find(({ knownState }) => knownState?.born === true)?.knownState?.record.incarnation;
      const ours = this.#ours;
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

  drain(machine: Machine): string | undefined {
    const world = this.#world;
    const { kernel } = world;
    if (!machine.wanted || machine.node?.state !== 'serving' || !this.maySpare()) return undefined;
    machine.wanted = false;
    const { directoryId } = machine;
    const untilMs = kernel.now + DRAIN_MS;
    this.#say(machine, 'everything');
    const look = (): void => this.#mayGo(machine, goOn);
    const goOn = (mayGo: boolean): void => {
      // Brought back meanwhile, it stays.
      if (machine.directoryId !== directoryId || machine.wanted) return;
      // One that leads nothing may not have heard of it, as it stands still: stopped, it would be waited for like any other.
      if (mayGo && machine.node?.state === 'serving' && drains(machine) === 'everything') {
        this.stop(machine, () => {
          if (world.database === undefined) this.#losses.lose(machine);
        });
        return;
      }
      if (kernel.now < untilMs && !this.#isCalm()) {
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

  /** As `tenuto cluster drain` says it, asked at any node that is up. What it says must be true. */
  #mayGo(machine: Machine, then: (mayGo: boolean) => void): void {
    const world = this.#world;
    const { kernel } = world;
    const { directoryId } = machine;
    const wasNeeded = world.isNeeded(machine);
    let isOver = false;
    const hear = (said: boolean): void => {
      if (isOver) return;
      isOver = true;
      const isNeeded = machine.directoryId === directoryId && world.isNeeded(machine);
      if (said && wasNeeded && isNeeded)
        kernel.fail(new Violation('drain', `${machine.name} (${directoryId}) is said to hold nothing, and is needed`));
      then(said && !isNeeded);
    };
    kernel.after(ASK_MS, 'operator hears nothing', () => hear(false));
    const { node } = this.#anyone(machine);
    node?.process.act(() =>
      node.cluster?.control.shards((_, shards) => {
        const status = node.cluster?.control.status();
        const said =
          shards !== undefined && status !== undefined && isDone(leftOf(machine.name, shards, status), 'everything');
        kernel.at(kernel.now, undefined, 'operator hears', () => hear(said));
      }),
    );
  }

  /** A machine that is off is wanted. One that was to go, and was killed before it had gone, still means to: that is called off. */
  bringBack(machine: Machine): void {
    machine.wanted = true;
    if (machine.knownState?.draining === 'everything') this.#undrain(machine);
    this.#world.startSoon(machine, 50);
  }

  /** Through any node that is up, as an operator would; itself if need be. */
  #say(machine: Machine, how: Draining): void {
    const { node } = this.#anyone(machine);
    node?.process.act(() => node.cluster?.control.drain(machine.name, how, () => undefined));
  }

  #anyone(machine: Machine): Machine {
    const { up } = this.#world;
    return this.#random.chance(0.5) && up.length > 0 ? this.#random.pick(up) : machine;
  }

  #undrain(machine: Machine): void {
    const { kernel } = this.#world;
    const { node } = machine;
    if (!machine.wanted) return;
    if (node?.state === 'serving' && node.cluster !== undefined) {
      node.process.act(() => node.cluster?.control.drain(machine.name, 'no', () => undefined));
      if (drains(machine) === 'no') return;
    }
    kernel.after(OPERATOR_MS, 'operator', () => this.#undrain(machine));
  }
}

/** What it has been told, and has heard: what its readiness says. */
const drains = ({ node }: Machine): Draining => node?.cluster?.control.draining() ?? 'no';
