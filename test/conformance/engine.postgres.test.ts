// The shard engine over PostgreSQL, with real connections: nodes killed at random moments, or left running while another takes over. What
// was acknowledged appears exactly once (I5), and what comes back from rows and log is what was there (I4).

import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/core/workflow/message.ts';
import { NAMESPACE, World } from '../../src/shard/testing.ts';
import type { PostgresStore } from '../../src/store/postgres/store.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { type Database, sharedPostgres } from '../support/postgres.ts';
import { killed, migrated, postgresMedium, storeOn } from './postgres-medium.ts';

const SHARDS = 8;
const WORKFLOWS = 6;
const SIGNALS = 16;
const ROUNDS = 20;

let database: Database;
beforeAll(async () => {
  database = await (await sharedPostgres()).database();
  await migrated(database, SHARDS);
});
afterAll(() => database.drop());

const ids = Array.from({ length: WORKFLOWS }, (_, n) => `workflow-${n}`);
const stores: PostgresStore[] = [];

function openStore(): PostgresStore {
  const store = storeOn(database.url, {}, SHARDS);
  stores.push(store);
  return store;
}

/** A request, handed in again under its id until somebody says that it was done. */
class Request {
  readonly workflowId: string;
  readonly message: Message;
  acknowledged = false;

  constructor(workflowId: string, message: Message) {
    this.workflowId = workflowId;
    this.message = message;
  }

  hand(world: World): void {
    world.engine.submit({ namespace: NAMESPACE, workflowId: this.workflowId }, this.message, (error) => {
      if (error === undefined) this.acknowledged = true;
    });
  }
}

/** Lets the engine, whose clock the test moves, meet answers that come in real time. */
async function live(world: World, ms: number): Promise<void> {
  const end = performance.now() + ms;
  do {
    await world.time.settle();
    await wait(1);
  } while (performance.now() < end);
  // Flushes are due now and then.
  await world.time.advance(100);
}

async function closed(world: World): Promise<void> {
  const settling = setInterval(() => void world.time.settle(), 1);
  await world.engine.close().finally(() => clearInterval(settling));
}

/** In the engine a read takes as long as the database does. */
async function history(world: World, workflowId: string): Promise<HistoryEvent[]> {
  const settling = setInterval(() => void world.time.settle(), 1);
  const call = world.call.bind(world);
  world.call = async (begin) => {
    const answer = await call(begin);
    const giveUpAt = performance.now() + 10_000;
    while (!answer.done) {
      if (performance.now() > giveUpAt) throw new Error(`a read of ${workflowId} stays without an answer`);
      await wait(1);
    }
    return answer;
  };
  try {
    return await world.history(workflowId);
  } finally {
    world.call = call;
    clearInterval(settling);
  }
}

async function histories(world: World): Promise<HistoryEvent[][]> {
  const all: HistoryEvent[][] = [];
  for (const workflowId of ids) all.push(await history(world, workflowId));
  return all;
}

async function check(world: World, requests: readonly Request[]): Promise<void> {
  for (const workflowId of ids) {
    const events = await history(world, workflowId);
    expect(events.map(({ eventId }) => eventId)).toEqual(events.map((_, i) => i + 1));
    const signals = events.filter(({ eventType }) => eventType === EventType.WORKFLOW_EXECUTION_SIGNALED);
    const names = signals.map(({ attributes }) => (attributes as { signalName: string }).signalName);
    expect(new Set(names).size).toBe(names.length);
    const mine = requests.filter((request) => request.workflowId === workflowId && request.message.type === 'signal');
    for (const { acknowledged, message } of mine) {
      if (acknowledged) expect(names).toContain((message as { signalName: string }).signalName);
    }
  }
}

async function begun(): Promise<{ world: World; requests: Request[] }> {
  await postgresMedium(database);
  await database.sql(`DELETE FROM tenuto_shard WHERE shard >= ${SHARDS}`);
  const world = await new World(openStore).open();
  const requests = ids.map((workflowId) => new Request(workflowId, world.startMessage()));
  for (const request of requests) request.hand(world);
  await live(world, 30);
  return { world, requests };
}

function signalAll(world: World, round: number): Request[] {
  return ids.flatMap((workflowId, n) =>
    (n + round) % 2 === 0 && round < SIGNALS ? [new Request(workflowId, world.signalMessage(`signal ${round}`))] : [],
  );
}

async function untilAcknowledged(world: World, requests: readonly Request[]): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (requests.some(({ acknowledged }) => !acknowledged)) {
    if (performance.now() > giveUpAt) throw new Error('requests stay without an answer');
    for (const request of requests) if (!request.acknowledged) request.hand(world);
    await live(world, 10);
  }
}

async function untilFenced(world: World): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while (world.engine.health.state !== 'failed') {
    if (performance.now() > giveUpAt) throw new Error(`a fenced node is still ${world.engine.health.state}`);
    await live(world, 5);
  }
}

describe('the engine on PostgreSQL', () => {
  it('killed at random moments loses and repeats nothing', { timeout: 60_000 }, async () => {
    const { world, requests } = await begun();
    for (let round = 0; round < ROUNDS; round += 1) {
      requests.push(...signalAll(world, round));
      for (const request of requests) if (!request.acknowledged) request.hand(world);
      // Somewhere between the decision and well after the commit.
      await live(world, Math.random() * 15);
      const died = world.store;
      (died as PostgresStore).abandon();
      // The next start does not wait until the server has noticed.
      await world.restart();
      if (round % 3 === 0) await killed(database, died);
    }
    await untilAcknowledged(world, requests);
    await check(world, requests);
    const before = await histories(world);
    await closed(world);
    await world.restart();
    expect(await histories(world)).toEqual(before);
    await closed(world);
    for (const store of stores.splice(0)) store.abandon();
  });

  it('that goes on while another takes over acknowledges nothing that is lost', { timeout: 60_000 }, async () => {
    const { world, requests } = await begun();
    let old = world;
    for (let round = 0; round < ROUNDS; round += 1) {
      const next = new World(openStore);
      // Its ids must not be those of the node before.
      next.random.uuid = world.random.uuid.bind(world.random);
      const fresh = signalAll(world, round);
      requests.push(...fresh);
      const opening = next.open();
      // Both are asked meanwhile, and answers of either count.
      for (const request of fresh) request.hand(old);
      await Promise.all([opening, live(old, 10)]);
      for (const request of requests) if (!request.acknowledged) request.hand(next);
      for (const workflowId of ids) new Request(workflowId, world.signalMessage('unseen')).hand(old);
      await Promise.all([live(next, 10), live(old, 10)]);
      await untilFenced(old);
      old = next;
    }
    await untilAcknowledged(old, requests);
    await check(old, requests);
    for (const events of await histories(old)) {
      const unseen = events.filter(({ attributes }) => (attributes as { signalName?: string }).signalName === 'unseen');
      expect(unseen).toEqual([]);
    }
    await closed(old);
    for (const store of stores.splice(0)) store.abandon();
  });
});
