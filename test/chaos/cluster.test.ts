// The chaos of a cluster, as much of it as belongs into every test run: three real nodes under the order pipeline, one killed with kill -9, then all
// restarted in turn. Everything else is `npm run chaos`.

import { expect, it, onTestFinished } from 'vitest';
import { World } from './cluster/world.ts';

it('a cluster under load loses a node with kill -9, and is restarted node by node: nothing lost, nothing twice, the books balance', async () => {
  const world = await World.open({ orders: 40, say: (text) => console.info(text) });
  onTestFinished(() => world.close());
  const victim = world.cluster.node(0);

  await world.fault(`kill -9 ${victim.name}`, () => victim.kill());
  await world.quietly(`${victim.name} starts again`, () => victim.restart());
  for (const node of world.cluster.nodes) {
    await world.fault(`SIGTERM ${node.name}`, () => node.end());
    await world.quietly(`${node.name} starts again`, () => node.again());
  }

  const report = await world.finish();
  console.info(report);
  expect(report.problems).toEqual([]);
  expect(report.orders).toBe(40);
}, 120_000);
