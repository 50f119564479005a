// The chaos of a cluster, as much of it as belongs into every test run: three real nodes under the order pipeline and the official SDK, one killed with
// kill -9, a worker too, then all restarted in turn while a fleet of workers is deployed anew. Everything else is `npm run chaos`.

import { expect, it, onTestFinished } from 'vitest';
import { World } from './cluster/world.ts';
import type { DeployReport } from './deploys/deploys.ts';
import { deployOver } from './deploys/over-world.ts';
import { secondDoorOver } from './second-door/over-world.ts';

const ORDERS = 30;
/** A planned hand-over needs no looking for what comes later. */
const PLANNED_WATCH_MS = 500;
/** By their ids 8 % of these visits fall on the version that ramps at 10 %, each time. */
const DEPLOY = { visits: 100, running: 4, heartbeatMs: 2_000 };

it('a cluster under load loses a node to kill -9 and is then restarted node by node, during a deploy of workers: nothing lost, nothing twice, the books balance', async () => {
  const world = await World.open({ orders: ORDERS });
  onTestFinished(() => world.close());
  const { nodes } = world.cluster;

  const [victim] = nodes;
  let deployed: DeployReport | undefined;
  const official = await secondDoorOver(world, async (killWorker) => {
    await world.fault('kill -9', () => victim?.kill());
    await world.quietly('it starts again', () => victim?.restart());
    await killWorker();
    deployed = await deployOver(world, {
      ...DEPLOY,
      async restart(node) {
        await world.fault('SIGTERM', () => node.end(), PLANNED_WATCH_MS);
        await world.quietly('it starts again', () => node.again());
      },
    });
  });

  const { problems, orders, signals, failedCalls, faults } = await world.finish();
  expect(problems, `logs and data: ${world.directory}`).toEqual([]);
  expect(failedCalls).toEqual([]);
  expect(orders).toBe(ORDERS);
  // The record is one: some hundred signals were acknowledged, and found.
  expect(signals).toBeGreaterThan(200);
  expect(official.problems).toEqual([]);
  expect(official.notes).toBeGreaterThan(20);
  expect(official.scheduled).toBeGreaterThan(10);
  const { sharePercent = 0, deadKnownAfterMs = 0 } = deployed ?? {};
  console.info(`${sharePercent} % on the ramping version; a killed worker known after ${deadKnownAfterMs | 0} ms`);
  const held = faults.map(({ what, longestMs }) => `${what} ${Math.max(...longestMs)} ms`);
  console.info(`${signals} signals found again; shards not served for at most: ${held.join(', ')}`);
}, 600_000);
