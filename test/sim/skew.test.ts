// Whole simulated clusters of two neighbouring releases at once, as in the middle of a rolling upgrade; and one that a node two releases apart wants to
// join. Only what the nodes say they speak is another build's; another build itself is `npm run chaos -- upgrade`.

import { expect, it } from 'vitest';
import { makePlan } from './cluster/plan.ts';
import { type ClusterReport, simulateCluster } from './cluster/simulate.ts';

const spoken = (min: number, max: number) => ({ link: { min, max }, gossip: { min, max } });
const TWO_BEFORE = spoken(1, 1);
const BEFORE = spoken(1, 2);
const NOW = spoken(2, 3);

function sound({ seed, failure }: ClusterReport): void {
  if (failure !== undefined) throw new Error(`seed ${seed}`, { cause: failure });
}

const isOdd = (machine: string): boolean => Number(machine.slice(1)) % 2 === 1;

it('keeps what it promised under faults while every other node is of the release before', async () => {
  const report = await simulateCluster(2, {
    bug: { world: { spokenBy: (machine) => (isOdd(machine) ? BEFORE : NOW) } },
  });
  sound(report);
  expect([...report.faults.values()].reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(5);
}, 60_000);

it('refuses a node two releases apart, with that as the reason, and serves on', async () => {
  const planOf = (seed: number) => makePlan(seed, { calm: true });
  const hasSpare = (seed: number): boolean => planOf(seed).machines > planOf(seed).firstMembers;
  const seed = Array.from({ length: 50 }, (_, n) => n + 1).find(hasSpare) ?? 0;
  const stranger = `n${planOf(seed).machines - 1}`;
  const refused: string[] = [];
  const report = await simulateCluster(seed, {
    calm: true,
    bug: {
      replace: ({ machines }) => {
        for (const machine of machines) if (machine.name === stranger) machine.wanted = true;
        return () => undefined;
      },
      world: {
        spokenBy: (machine) => (machine === stranger ? TWO_BEFORE : NOW),
        strangers: /no protocol version that both speak/,
      },
    },
    sink: (line) => {
      if (line.includes('cannot go on')) refused.push(line);
    },
  });
  sound(report);
  expect(report.reached.get('stranger refused')).toBe(1);
  expect(refused.join('\n')).toMatch(/versions may differ by one while a cluster is upgraded/);
  expect(report.operations).toBeGreaterThanOrEqual(200);
}, 60_000);
