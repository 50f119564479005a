// The operator of a simulated cluster: what it asks for is not done before the node has heard of it.

import { describe, expect, it } from 'vitest';
import { Losses } from './cluster/losses.ts';
import type { Machine } from './cluster/machine.ts';
import { Operator } from './cluster/operator.ts';
import { type ClusterPlan, makePlan } from './cluster/plan.ts';
import { ClusterWorld } from './cluster/world.ts';
import { withVirtualTime } from './host-time.ts';
import { SeededRandom } from './random.ts';

/** ms within which a cluster is born, and every shard is led where it should be. */
const BIRTH_MS = 10_000;
/** More nodes than the shards need, and nobody who is away is given up by himself. */
const ROOMY = { replicas: 3, firstMembers: 5, machines: 5, shardCount: 2, goneMs: 600_000 } as const;

interface Scene {
  readonly world: ClusterWorld;
  readonly operator: Operator;
  run(ms: number, until?: () => boolean): Promise<void>;
  /** Names of the plan's members, as this node knows them. */
  planned(by: Machine): string[];
}

/** A cluster that was born, and that nothing else happens to. */
async function scene(durability: ClusterPlan['durability'], act: (scene: Scene) => Promise<void>): Promise<void> {
  const world = new ClusterWorld({ ...makePlan(1, { calm: true }), ...ROOMY, durability });
  const { kernel } = world;
  const random = new SeededRandom('operator');
  const isCalm = (): boolean => false;
  const operator = new Operator(world, random, new Losses(world, random, isCalm), isCalm);
  const run = (ms: number, until = (): boolean => false): Promise<void> => kernel.run(kernel.now + ms, until);
  const planned = ({ node }: Machine): string[] =>
    (node?.cluster?.control.status().members ?? []).flatMap((member) => (member.planned ? [member.name] : []));
  await withVirtualTime(kernel, async () => {
    world.begin();
    await run(BIRTH_MS);
    await act({ world, operator, run, planned });
  });
  if (kernel.failure !== undefined) throw kernel.failure;
}

describe('the operator of a simulated cluster', () => {
  it('stops a node that is to go when it has heard so, though it leads nothing', async () => {
    await scene('shared', async ({ world, operator, run, planned }) => {
      const idle = world.machines.find((machine) => !world.isNeeded(machine));
      const others = world.machines.filter((machine) => machine !== idle);
      const [other] = others;
      if (idle === undefined || other === undefined) throw new Error('every node leads something');
      const { node } = idle;
      node?.process.pause();
      expect(operator.drain(idle)).toBe(idle.name);
      await run(20_000);
      expect([node?.state, planned(other).length]).toEqual(['serving', 5]);
      node?.process.resume();
      await run(10_000);
      expect([idle.node?.state, planned(other)]).toEqual(['dead', others.map(({ name }) => name)]);
    });
  });

  it('calls a drain off until the node has heard so, whatever becomes of it meanwhile', async () => {
    await scene('replicated', async ({ world, operator, run }) => {
      const machine = world.machines[1];
      if (machine === undefined) throw new Error('there are five');
      const told = machine.node;
      told?.process.act(() => told.cluster?.control.drain(machine.name, 'everything', () => undefined));
      await run(100);
      told?.crash('told');
      expect(machine.knownState?.draining).toBe('everything');
      operator.bringBack(machine);
      await run(5_000, () => machine.node !== told && machine.node?.state === 'serving');
      machine.node?.process.pause();
      await run(5_000);
      machine.node?.crash('told');
      world.start(machine);
      await run(10_000);
      expect(machine.node?.cluster?.control.draining()).toBe('no');
    });
  });

  it('lets a node stay that was brought back while it drained', async () => {
    await scene('replicated', async ({ world, operator, run }) => {
      const machine = world.machines[1];
      if (machine === undefined) throw new Error('there are five');
      expect(operator.drain(machine)).toBe(machine.name);
      await run(100);
      machine.node?.crash('told');
      operator.bringBack(machine);
      await run(40_000);
      const { node, wanted } = machine;
      expect([wanted, node?.state, node?.cluster?.control.draining()]).toEqual([true, 'serving', 'no']);
    });
  });
});
