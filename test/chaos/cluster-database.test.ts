// The chaos of nodes that share a database, as much of it as belongs into every test run: one is killed with kill -9, then PostgreSQL itself.
// Everything else is `npm run chaos -- database`.

import { expect, it, onTestFinished } from 'vitest';
import { World } from './cluster/world.ts';

const ORDERS = 15;
const AWAY_MS = 1_000;

it('nodes that share a PostgreSQL, under load, lose one of them and then the database: nothing lost, nothing twice, the books balance', async () => {
  const world = await World.open({ orders: ORDERS, store: 'database' });
  onTestFinished(() => world.close());
  const { cluster } = world;

  const node = await cluster.leaderOfMost();
  await world.fault('kill -9', () => node.kill());
  await world.quietly('it starts again', () => node.restart());
  await world.fault('PostgreSQL is killed, and starts again', async () => {
    await cluster.database.kill();
    await world.calm(AWAY_MS);
    await cluster.database.restart();
  });

  const { problems, orders, signals } = await world.finish();
  expect(problems, `logs and data: ${world.directory}`).toEqual([]);
  expect(orders).toBe(ORDERS);
  // The record is one: some hundred signals were acknowledged, and found.
  expect(signals).toBeGreaterThan(100);
}, 600_000);
