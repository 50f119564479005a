// One seed of the cluster from beginning to end: it is born, works under faults for most of a minute, is healed, and must then come to its end: every
// workflow over, every shard led where the ring wants it, all replicas alike. Everything is decided by the seed.

import { Campaign } from '../../../cluster/replication/core/campaign.ts';
import { Replica } from '../../../cluster/replication/core/replica.ts';
import { withVirtualTime } from '../host-time.ts';
import { Violation } from '../kernel.ts';
import { replaced } from '../plants.ts';
import { whatIsWrong, whyUnsettled } from './end-checks.ts';
import { FaultDriver } from './faults.ts';
import { type ClusterPlan, makePlan, type PlanChoices } from './plan.ts';
import { ClusterWorld, type WorldPlant } from './world.ts';

/** Virtual ms after healing within which everything must be in its place. */
const HEALING_MS = 120_000;
/** ms between two looks at whether it is. */
const LOOK_MS = 250;

export interface ClusterReport {
  readonly seed: number;
  readonly failure: Error | undefined;
  /** Of the whole history: two runs of a seed have the same. */
  readonly digest: string;
  readonly plan: ClusterPlan;
  readonly events: number;
  readonly entries: number;
  readonly operations: number;
  readonly virtualMs: number;
  readonly healedMs: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly reached: ReadonlyMap<string, number>;
}

/** A planted bug. */
export interface ClusterBug {
  /** Changes classes of the real thing, and returns how to change them back. */
  readonly replace?: (world: ClusterWorld) => () => void;
  readonly world?: WorldPlant;
}

export interface ClusterOptions extends PlanChoices {
  readonly bug?: ClusterBug | undefined;
  readonly sink?: ((line: string) => void) | undefined;
}

/** Runs one seed; never rejects. */
export async function simulateCluster(seed: number, options: ClusterOptions = {}): Promise<ClusterReport> {
  const plan = makePlan(seed, options);
  const world = new ClusterWorld(plan, options.bug?.world, options.sink);
  const faults = new FaultDriver(world);
  const { kernel } = world;
  const { takeOver } = Campaign.prototype;
  const unwatch = replaced(Campaign.prototype, 'takeOver', function watched(this: Campaign) {
    takeOver.call(this);
    const machine = world.machines.find(({ node }) => node?.process === kernel.current);
    if (machine !== undefined) world.watch.takesOver(machine.directoryId, this.promises().term);
  });
  const { change } = Replica.prototype;
  const unwatchChanges = replaced(Replica.prototype, 'change', function watched(this: Replica, ...args) {
    const { voters } = this.configuration;
    const answer = change.apply(this, args);
    if ('lsn' in answer && this.configuration.voters.length !== voters.length)
      world.attendance.changed(this.self, this.configuration.voters);
    return answer;
  });
  const putBack = options.bug?.replace?.(world) ?? (() => undefined);
  let healedMs = 0;
  await withVirtualTime(kernel, async () => {
    try {
      world.begin();
      faults.schedule();
      await kernel.run(plan.calmAtMs, () => false);
      faults.heal();
      healedMs = await untilSettled(world);
    } catch (error) {
      kernel.fail(error);
    }
  });
  putBack();
  unwatch();
  unwatchChanges();
  for (const what of [...world.truth.watches.met, ...world.truth.flows.seen, ...world.callbacks.seen])
    world.reached(what);
  if (world.coreStats.comparisons > 0) world.reached('a state was compared with its rows');
  const { failure } = kernel;
  return {
    seed,
    failure: failure === undefined ? undefined : failure instanceof Error ? failure : new Error(String(failure)),
    digest: kernel.digest(),
    plan,
    events: kernel.events,
    entries: world.truth.entries,
    operations: world.operations,
    virtualMs: kernel.now,
    healedMs,
    faults: faults.met,
    reached: world.events,
  };
}

/** Looks until nothing moves any more, and everything is as it must be. Returns how long it took. */
async function untilSettled(world: ClusterWorld): Promise<number> {
  const { kernel, truth } = world;
  const startMs = kernel.now;
  let why: string | undefined = 'not looked at';
  while (why !== undefined && kernel.failure === undefined) {
    if (kernel.now - startMs > HEALING_MS) {
      throw new Violation('progress', `${HEALING_MS} ms after healing: ${why}; ${world.describe()}`);
    }
    kernel.after(LOOK_MS, 'looks', () => undefined);
    await kernel.run(kernel.now + LOOK_MS, () => false);
    if (kernel.failure === undefined) why = await whyUnsettled(world);
    if (why !== undefined || kernel.failure !== undefined) continue;
    const { entries } = truth;
    const nodes = world.machines.map(({ node }) => node);
    const settledMs = kernel.now - startMs;
    const wrong = await whatIsWrong(world);
    // A plan that came meanwhile has moved a shard: what was looked at first is not what was looked at last.
    if (truth.entries !== entries) why = 'something moved while it was looked at';
    // It ended by itself, because of what happened before, and has not caught up again.
    else if (world.machines.some(({ node }, i) => node !== nodes[i])) why = 'a node was started again meanwhile';
    else if (typeof wrong === 'string') why = wrong;
    else if (wrong !== undefined) throw wrong;
    else {
      await world.backups.check();
      return settledMs;
    }
  }
  return kernel.now - startMs;
}
