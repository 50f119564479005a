// Whoever goes on with a batch job is cut off just as it begins a step, until another has done and noted that step; then it is given the shard back
// while what it asked of others is still under way. A few seconds in all: nobody is held for dead. Once in a seed, and of those with such a job in a
// part; drawn apart from the other faults.

import type { JobProgress } from '../../../src/core/batch/job.ts';
import { shardOf } from '../../../src/shard/keys.ts';
import { SeededRandom } from '../random.ts';
import type { Machine } from './machine.ts';
import { NAMESPACE } from './node.ts';
import type { ClusterWorld } from './world.ts';

const SHARE = 0.6;
const LOOK_MS = 20;
/** Of the time after which another stands for election: so long the other is waited for, and then the first, to lead again. */
const PATIENCE = 4;

export class JobLeaderFault {
  readonly #world: ClusterWorld;
  readonly #random: SeededRandom;
  #ways: (readonly [Machine, Machine])[] = [];

  constructor(world: ClusterWorld) {
    this.#world = world;
    this.#random = new SeededRandom(`cluster job leader ${world.plan.seed}`);
  }

  schedule(): void {
    const { plan, truth } = this.#world;
    if (plan.faultsAt.length === 0 || plan.durability === 'shared' || plan.replicas < 3) return;
    if (!this.#random.chance(SHARE)) return;
    const { batches } = truth.watches;
    batches.onPage = (jobId) => {
      batches.onPage = undefined;
      this.#cutOff(jobId);
    };
  }

  /** For good: a job whose first page comes after that is left alone. */
  heal(): void {
    this.#world.truth.watches.batches.onPage = undefined;
    this.#mend();
  }

  #mend(): void {
    for (const [from, to] of this.#ways.splice(0)) this.#world.network.mend(from.host, to.host);
  }

  get #leader(): Machine | undefined {
    const { machines, plan, watch } = this.#world;
    const leader = watch.leaderOf(shardOf(NAMESPACE, '', plan.shardCount));
    return machines.find(({ directoryId, node }) => directoryId === leader && node?.state === 'serving');
  }

  #cutOff(jobId: string): void {
    const { kernel, machines, network } = this.#world;
    const first = this.#leader;
    if (first === undefined) return;
    kernel.note(`fault: ${first.name}, which goes on with ${jobId}, is cut off`);
    const others = machines.filter((machine) => machine !== first);
    this.#ways = others.flatMap((other) => [[first, other] as const, [other, first] as const]);
    kernel.after(this.#random.between(0, 30), 'is cut off', () => {
      for (const [from, to] of this.#ways) network.cut(from.host, to.host);
    });
    const begun = this.#progress(jobId);
    this.#until(
      () => {
        const other = this.#leader;
        return other !== undefined && other !== first && this.#progress(jobId) !== begun ? other : undefined;
      },
      (other) => this.#giveBack(first, other),
    );
  }

  /** Only the two of them see each other: a majority, and what the first waits for is with the rest. */
  #giveBack(first: Machine, other: Machine): void {
    const { kernel, network } = this.#world;
    const isBetween = ([from, to]: readonly [Machine, Machine]): boolean => from === other || to === other;
    for (const [from, to] of this.#ways.filter(isBetween)) network.mend(from.host, to.host);
    this.#ways = this.#ways.filter((way) => !isBetween(way));
    kernel.note(`${other.name} is to give back what ${first.name} led`);
    this.#until(
      () => {
        if (this.#leader === first) return first;
        other.node?.process.act(() => other.node?.cluster?.control.rebalance(() => undefined));
        return undefined;
      },
      () => {
        this.#world.reached('a batch job came back to its leader');
        kernel.after(this.#random.between(0, 50), 'a fault passes', () => this.#mend());
      },
    );
  }

  #progress(jobId: string): JobProgress | undefined {
    return this.#world.truth.watches.batches.progressOf(jobId);
  }

  #until<T>(look: () => T | undefined, then: (found: T) => void): void {
    const { kernel, plan } = this.#world;
    const giveUpAt = kernel.now + PATIENCE * plan.electionMs;
    const again = (): void => {
      const found = look();
      if (found !== undefined) then(found);
      else if (kernel.now > giveUpAt) this.#mend();
      else kernel.after(LOOK_MS, 'looks for who leads', again);
    };
    again();
  }
}
