// Two and three nodes on one database: shards are taken, handed over and fenced while workflows with children, timers and activities run on
// them. No acknowledged event is lost and none is there twice (I5), whoever dies, whatever answer is lost.

import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { shardId } from '../../src/ports/ids.ts';
import { systemClock } from '../../src/runtime/index.ts';
import { NAMESPACE } from '../../src/shard/testing.ts';
import { type Database, sharedPostgres } from '../support/postgres.ts';
import {
  ALL_SHARDS,
  SHARDS,
  SqlCluster,
  SqlLoad,
  type SqlNode,
  shardOfWorkflow,
  signalsOf,
} from '../support/sql-cluster.ts';
import { type Fault, TcpProxy } from '../support/tcp-proxy.ts';
import { migrated, postgresMedium } from './postgres-medium.ts';

let database: Database;
let proxy: TcpProxy;
let cluster: SqlCluster;
beforeAll(async () => {
  database = await (await sharedPostgres()).database();
  await migrated(database, SHARDS);
  proxy = await TcpProxy.to(database.port);
});
afterAll(async () => {
  await proxy.close();
  await database.drop();
});
beforeEach(async () => {
  proxy.accept();
  await postgresMedium(database);
  cluster = new SqlCluster(database.url);
});
afterEach(() => cluster.close());

const proxied = (): string => database.url.replace(`:${database.port}/`, `:${proxy.port}/`);
const even = ALL_SHARDS.filter((n) => n % 2 === 0);
const odd = ALL_SHARDS.filter((n) => n % 2 === 1);

/** Nothing happens but what the test asks for. */
const RESTING = { credit: 0 };

/** The name of a workflow that lives on this shard. */
const workflowOn = (shard: number): string => {
  for (let n = 0; ; n += 1) if (shardOfWorkflow(`x${n}`) === shard) return `x${n}`;
};

const describeOn = (node: SqlNode, workflowId: string) =>
  new Promise<{ code: unknown; running: boolean }>((resolve) => {
    node.engine.describe({ namespace: NAMESPACE, workflowId }, undefined, (error, value) =>
      resolve({ code: error?.detail?.kind, running: value !== undefined }),
    );
  });

async function until(what: string, isSo: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > giveUpAt) throw new Error(`not so after 10 s: ${what}`);
    await wait(10);
  }
}

const untilLost = (node: SqlNode, shard: number): Promise<void> =>
  until(`the node knows that it leads shard ${shard} no longer`, () => !node.leadership.led.has(shardId(shard)));

describe('nodes that share a database', () => {
  it('lead disjoint shards, and their workflows start and hear of children on the other', async () => {
    const [a, b] = [await cluster.join(), await cluster.join()];
    await Promise.all([a.want(...even), b.want(...odd)]);
    expect([a.led, b.led]).toEqual([even, odd]);
    const load = await SqlLoad.begin(cluster, 12);
    const across = load.ids.filter((id) => shardOfWorkflow(id) % 2 !== shardOfWorkflow(`${id}/child`) % 2);
    expect(across.length).toBeGreaterThan(2);
    load.signalAll();
    await load.check();
    await Promise.all([a.close(), b.close()]);
    const left = await database.sql(
      `SELECT encode(key, 'escape') AS key FROM tenuto_row WHERE key >= 'm' AND key < 'n'`,
    );
    expect(left.filter(({ key }) => !String(key).startsWith('ms'))).toEqual([]);
    expect(await database.sql('SELECT 1 FROM tenuto_log')).toEqual([]);
  });

  it('hand shards over while they are used: a third joins, one leaves', async () => {
    const [a, b] = [await cluster.join(), await cluster.join()];
    await Promise.all([a.want(...even), b.want(...odd)]);
    const load = await SqlLoad.begin(cluster, 10);
    const c = await cluster.join();
    const third = (rest: number) => ALL_SHARDS.filter((n) => n % 3 === rest);
    load.signalAll();
    await Promise.all([a.want(...third(0)), b.want(...third(1)), c.want(...third(2))]);
    // Whoever came too early was fenced by who let go later, or the other way round: it is led in a moment.
    load.signalAll();
    await wait(100);
    await Promise.all([
      a.want(),
      b.want(...ALL_SHARDS.filter((n) => n < 8)),
      c.want(...ALL_SHARDS.filter((n) => n >= 8)),
    ]);
    load.signalAll();
    await load.check();
    expect(a.led).toEqual([]);
    expect([...b.led, ...c.led]).toEqual(ALL_SHARDS);
    expect(cluster.nodes.flatMap(({ failures }) => failures)).toEqual([]);
  });

  it('go on when one is killed: the others take its shards and what its log holds', { timeout: 60_000 }, async () => {
    let [a, b] = [await cluster.join(), await cluster.join()];
    await Promise.all([a.want(...even), b.want(...odd)]);
    const load = await SqlLoad.begin(cluster, 8);
    for (let round = 0; round < 6; round += 1) {
      load.signalAll();
      await wait(Math.random() * 25);
      a.kill();
      const next = await cluster.join();
      load.signalAll();
      // In turn: the other one takes all of them, or a new one its share.
      if (round % 2 === 0) await b.want(...ALL_SHARDS);
      await Promise.all([b.want(...odd), next.want(...even)]);
      [a, b] = [b, next];
      await Promise.all([a.want(...even), b.want(...odd)]);
    }
    await load.check();
  });
});

describe('a node whose shard another has taken', () => {
  it('commits nothing, answers no read from what it knows, keeps nothing, and leaves it alone for a while', async () => {
    // However slow the machine: it hears by its commits alone, and the while lasts until the test ends it.
    let heldAtMs: number | undefined = systemClock.monotonic();
    const clock = { ...systemClock, monotonic: () => heldAtMs ?? systemClock.monotonic() };
    const a = await cluster.join({ ...RESTING, checkIntervalMs: 600_000, flushIntervalMs: 600_000, clock });
    const b = await cluster.join(RESTING);
    await a.want(3, 4);
    const [mine, other] = [workflowOn(3), workflowOn(4)];
    await cluster.ask(mine, cluster.startMessage());
    await cluster.ask(other, cluster.startMessage());
    await b.want(3);
    // It has not heard of it: the transaction refuses, and takes the other shard's entry all the same (I3).
    expect(a.led).toEqual([3, 4]);
    const [fenced, kept] = await Promise.all([
      cluster.once(a, mine, cluster.signalMessage('lost')),
      cluster.once(a, other, cluster.signalMessage('kept')),
    ]);
    expect(fenced.error).toMatchObject({ detail: { kind: 'Unavailable', applied: 'no' } });
    expect(kept.error).toBeUndefined();
    expect(a.led).toEqual([4]);
    expect(await describeOn(a, mine)).toMatchObject({ code: 'Unavailable' });
    expect(signalsOf(await cluster.history(mine))).toEqual([]);
    expect(signalsOf(await cluster.history(other))).toEqual(['kept']);
    // It still wants it, as a node with an old ring does.
    await wait(300);
    expect([a.led, b.led]).toEqual([[4], [3]]);
    heldAtMs = undefined;
    await until('it has taken it again', () => a.led.length === 2);
    await untilLost(b, 3);
    expect(cluster.nodes.flatMap(({ failures }) => failures)).toEqual([]);
  });

  it('knows of it, when it comes back, what the other one wrote, not what it had not flushed itself', async () => {
    const a = await cluster.join({ ...RESTING, flushIntervalMs: 60_000 });
    const b = await cluster.join(RESTING);
    const id = workflowOn(3);
    await a.want(3);
    await cluster.ask(id, cluster.startMessage());
    await cluster.ask(id, cluster.signalMessage('one'));
    await b.want(3);
    await cluster.ask(id, cluster.signalMessage('two'));
    await b.want();
    a.leadership.want(new Set());
    await a.want(3);
    await cluster.ask(id, cluster.signalMessage('three'));
    expect(signalsOf(await cluster.history(id))).toEqual(['one', 'two', 'three']);
    await a.close();
    await b.want(3);
    const events = await cluster.history(id);
    expect(signalsOf(events)).toEqual(['one', 'two', 'three']);
    expect(events.map(({ eventId }) => eventId)).toEqual(events.map((_, i) => i + 1));
  });

  it('hears of it within a second, though it writes nothing; a request that changes nothing is not answered by it', async () => {
    const [a, b] = [await cluster.join(RESTING), await cluster.join(RESTING)];
    await a.want(3);
    const id = workflowOn(3);
    const start = cluster.startMessage();
    await cluster.ask(id, start);
    await b.want(3);
    // Known by its request id: no entry of its own carries this answer, so the term is asked for.
    const repeated = await cluster.once(a, id, start);
    expect(repeated.error).toMatchObject({ detail: { kind: 'Unavailable' } });
    expect(a.led).toEqual([]);
    a.leadership.want(new Set());
    const c = await cluster.join(RESTING);
    await c.want(3);
    await untilLost(b, 3);
    expect(b.failures).toEqual([]);
  });

  it.each(['at', 'after'] as const)(
    'learns what became of a commit whose answer was lost, %s it, while another took over',
    async (fault: Fault) => {
      const a = await cluster.join({ url: proxied() });
      const b = await cluster.join();
      await a.want(...ALL_SHARDS);
      const load = await SqlLoad.begin(cluster, 4);
      for (let round = 0; round < 4; round += 1) {
        const struck = proxy.strike({ fault, when: 'tenuto-append' });
        load.signalAll();
        await struck;
        proxy.refuse();
        // The settling meets a newer term: its entry may be in the log of another node by now.
        const next = [b, a][round % 2] as SqlNode;
        const taking = round % 2 === 0 ? next.want(...ALL_SHARDS) : wait(20);
        await wait(10);
        proxy.accept();
        await taking;
        if (round % 2 === 0) {
          a.leadership.want(new Set());
          await b.want();
        }
        await a.want(...ALL_SHARDS);
      }
      await load.check();
      expect(a.failures).toEqual([]);
    },
  );
});

describe('damage in one shard', () => {
  it('keeps that one from being led, and no other', async () => {
    const a = await cluster.join();
    await a.want(...ALL_SHARDS);
    await cluster.ask(workflowOn(5), cluster.startMessage());
    await cluster.ask(workflowOn(6), cluster.startMessage());
    await a.close();
    await database.sql(
      `UPDATE tenuto_row SET value = set_bit(value, 37, 1 - get_bit(value, 37)) WHERE key = '\\x6d730005'::bytea`,
    );
    const b = await cluster.join();
    await b.want(...ALL_SHARDS);
    expect(b.led).toEqual(ALL_SHARDS.filter((n) => n !== 5));
    expect(await describeOn(b, workflowOn(6))).toMatchObject({ running: true });
    expect(b.failures).toEqual([]);
  });
});
