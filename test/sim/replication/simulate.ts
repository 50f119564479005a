// One seed: a world, a minute of faults and requests, then healing, after which everything must come to its end: one leader, the replica set that
// the ring wants, every replica at the same place, and a write that is acknowledged.

import { configurationOf } from '../../../cluster/replication/core/configuration.ts';
import { Violation } from '../kernel.ts';
import { SeededRandom } from '../random.ts';
import { type Bug, planted } from './bugs.ts';
import { type Fault, Faults } from './faults.ts';
import { World } from './world.ts';

const FAULTY_MS = 60_000;
const HEALING_MS = 40_000;

export interface ReplicationReport {
  readonly seed: number;
  readonly hosts: number;
  readonly replicas: number;
  readonly failure: Error | undefined;
  readonly events: number;
  readonly messages: number;
  readonly writes: number;
  readonly reads: number;
  readonly committed: number;
  readonly faults: ReadonlySet<Fault>;
  readonly reached: ReadonlyMap<string, number>;
  /** Virtual ms after healing until everything was in its place. */
  readonly healedMs: number;
}

export function simulateReplication(
  seed: number,
  options: { bug?: Bug | undefined; sink?: ((line: string) => void) | undefined } = {},
): ReplicationReport {
  const random = new SeededRandom(`replication plan ${seed}`);
  const replicas = random.pick([1, 3, 3, 3, 3, 5, 5]);
  const hosts = random.int(Math.max(3, replicas), 7);
  const world = new World(seed, { hosts, replicas }, options.bug?.world ?? {}, options.sink);
  const faults = new Faults(world);
  let failure: Error | undefined;
  let healedMs = 0;
  const unplant = planted(options.bug, world);
  try {
    const requests = random.between(15, 90);
    every(world, requests, () => world.request());
    every(world, 150, () => world.control());
    faults.start(random.between(500, 2_500));
    world.events.run(FAULTY_MS);
    faults.stop();
    healedMs = heal(world);
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  } finally {
    unplant();
  }
  return {
    seed,
    hosts,
    replicas,
    failure,
    events: world.events.count,
    messages: world.network.messages,
    writes: world.acknowledgedWrites,
    reads: world.reads,
    committed: world.truth.committedLsn,
    faults: faults.met,
    reached: world.reachedAll,
    healedMs,
  };
}

function every(world: World, meanMs: number, fn: () => void): void {
  const { events } = world;
  const again = (): void => {
    fn();
    events.after(events.random.between(meanMs / 2, meanMs * 1.5), again);
  };
  events.after(0, again);
}

function heal(world: World): number {
  const { events } = world;
  const writes = world.acknowledgedWrites;
  const reads = world.reads;
  const wanted = configurationOf(world.desired);
  const settled = (): boolean => {
    const { leader } = world;
    if (leader?.replica === undefined || world.acknowledgedWrites < writes + 5 || world.reads < reads + 5) return false;
    const { voters, learners } = leader.replica.configuration;
    if (voters.join() !== wanted.voters.join() || learners.length > 0) return false;
    const { commit } = leader.replica;
    return world.hosts.every(({ id, replica }) => !wanted.voters.includes(id) || (replica?.commit ?? 0) >= commit - 40);
  };
  let at: number | undefined;
  const startMs = events.nowMs;
  events.run(startMs + HEALING_MS, () => {
    if (events.count % 64 === 0 && settled()) at = events.nowMs;
    return at !== undefined;
  });
  if (at === undefined) throw new Violation('progress', describe(world));
  return at - startMs;
}

function describe(world: World): string {
  const lines = world.hosts.map(({ id, replica }) => {
    if (replica === undefined) return `${id} down`;
    const { role, term, commit, configuration, log } = replica;
    return `${id} ${role} t${term} commit ${commit} last ${log.lastLsn} of ${configuration.voters.join()}+${configuration.learners.join()}`;
  });
  return `not settled ${HEALING_MS} ms after healing, wanted ${world.desired.join()}: ${lines.join('; ')}`;
}
