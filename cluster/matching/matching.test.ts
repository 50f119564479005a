// Matching across nodes: tasks in the shards of all nodes, workers at some of them, and nodes and links that fail meanwhile.

import { afterEach, describe, expect, it } from 'vitest';
import { NAMESPACE } from '../../src/shard/testing.ts';
import { decode, encode } from '../../src/wire/codec.ts';
import { Cluster, type ClusterOptions, SimWorker, WORKFLOWS } from './matching.test-support.ts';
import { encodeAssign, METHODS } from './messages.ts';

let cluster: Cluster;

afterEach(() => cluster.end());

async function open(options: ClusterOptions = {}): Promise<Cluster> {
  cluster = await new Cluster(options).open();
  return cluster;
}

function worker(at: string, credit = { workflow: 100, activity: 100 }, session = `default/at-${at}`): SimWorker {
  const made = new SimWorker(cluster, session, credit);
  made.come(cluster.node(at));
  return made;
}

/** As many workflows in the shards of each node. */
function startAll(each: number, names = ['a', 'b', 'c']): string[] {
  const ids: string[] = [];
  for (let n = 0; n < each; n += 1) {
    for (const name of names) ids.push(cluster.idAt(name, n));
  }
  for (const id of ids) cluster.start1(id);
  return ids.sort();
}

/** Every workflow has ended, nothing was handed out twice, nothing went wrong, and no credit is lost. */
function expectAllEnded(ids: readonly string[]): void {
  expect(cluster.faults).toEqual([]);
  expect([...cluster.ended].sort()).toEqual(ids);
  expect(cluster.doubles).toEqual([]);
  for (const { matching, engine } of cluster.up) {
    expect(matching.stats).toMatchObject({ lent: 0, claims: 0, underWay: 0 });
    expect(engine.getStats().waitingTasks).toBe(0);
  }
}

/** Nothing had to wait for a timeout. */
function expectFirstAttempts(): void {
  expect([...cluster.deliveries.keys()].filter((attempt) => !attempt.endsWith('.1'))).toEqual([]);
}

describe('workers at one node', () => {
  it('get the tasks of all nodes, each once', async () => {
    await open();
    const taker = worker('b');
    const ids = startAll(20);
    await cluster.time.advance(2_000);
    expectAllEnded(ids);
    expect(cluster.deliveries.size).toBe(ids.length * 3);
    expect(cluster.node('b').matcher.credit('workflow')).toBe(100);
    expect(taker.holds.size).toBe(0);
  });

  it('get them one at a time, by priority and age, wherever they are', async () => {
    await open();
    cluster.steps = 0;
    const order: { id: string; priority: number; n: number }[] = [];
    for (let n = 0; n < 30; n += 1) {
      const id = cluster.idAt(['a', 'b', 'c'][n % 3] ?? 'a', n);
      const priority = 1 + ((n * 7) % 5);
      order.push({ id, priority, n });
      cluster.start1(id, priority);
      await cluster.time.advance(10);
    }
    const slow = new SimWorker(cluster, 'default/slow', { workflow: 0, activity: 0 });
    slow.workMs = () => 200;
    slow.come(cluster.node('b'));
    // Before the queue's home has heard of it, it would be given what is best at its own node.
    await cluster.time.advance(100);
    slow.grant('workflow', 1);
    await cluster.time.advance(15_000);
    order.sort((a, b) => a.priority - b.priority || a.n - b.n);
    expect(slow.received).toEqual(order.map(({ id }) => id));
  });

  it('whose credit is never idle still take what is older elsewhere before what comes at their own node', async () => {
    await open();
    cluster.steps = 0;
    const old = Array.from({ length: 10 }, (_, n) => cluster.idAt('a', n));
    for (const id of old) cluster.start1(id);
    const taker = new SimWorker(cluster, 'default/busy', { workflow: 2, activity: 0 });
    taker.workMs = () => 50;
    // Two tasks at once, and a new one every 10 ms: its own node alone has more than it can take.
    for (let n = 0; n < 300; n += 1) {
      if (n === 20) taker.come(cluster.node('b'));
      cluster.start1(cluster.idAt('b', 100 + n));
      await cluster.time.advance(10);
    }
    const places = old.map((id) => taker.received.indexOf(id));
    expect(places.every((place) => place >= 0 && place < 25)).toBe(true);
  });

  it('get the tasks of one node from a backlog that is mostly on disk', async () => {
    await open({ backlogWindow: 4 });
    cluster.steps = 0;
    const ids = startAll(200, ['c']);
    await cluster.time.advance(500);
    expect(cluster.node('c').engine.backlog(WORKFLOWS).count).toBe(200);
    expect(cluster.node('a').engine.backlog(WORKFLOWS).count).toBe(0);
    const taker = worker('b', { workflow: 7, activity: 0 });
    await cluster.time.advance(60);
    expect(cluster.node('b').matching.stats.lent + taker.holds.size).toBeLessThanOrEqual(7);
    await cluster.time.advance(10_000);
    expectAllEnded(ids);
  });
});

describe('a node that dies', () => {
  it("as the queue's home costs a moment", async () => {
    await open();
    expect(cluster.home).toBe('a');
    worker('b', { workflow: 3, activity: 3 });
    const ids = startAll(30, ['b', 'c']);
    await cluster.time.advance(150);
    expect(cluster.ended.size).toBeLessThan(ids.length);
    cluster.kill('a');
    await cluster.time.advance(1_400);
    const before = cluster.ended.size;
    await cluster.time.advance(5_500);
    expect(cluster.ended.size).toBeGreaterThan(before);
    await cluster.time.advance(5_000);
    expectAllEnded(ids);
  });

  it('only to gossip takes part again at once', async () => {
    await open();
    cluster.steps = 0;
    const taker = worker('b');
    const first = startAll(20, ['c']);
    await cluster.time.advance(2_000);
    cluster.node('a').matching.nodeGone('b');
    await cluster.time.advance(6_000);
    const second = Array.from({ length: 20 }, (_, n) => cluster.idAt('c', 100 + n));
    for (const id of second) cluster.start1(id);
    await cluster.time.advance(300);
    expectAllEnded([...first, ...second].sort());
    expect(taker.received).toHaveLength(40);
  });

  it('with the credit loses no task: its worker comes back elsewhere, and gets what it was never given', async () => {
    await open();
    const moving = worker('b', { workflow: 5, activity: 5 });
    const ids = startAll(30);
    await cluster.time.advance(100);
    cluster.kill('b');
    moving.node = undefined;
    await cluster.time.advance(1_000);
    moving.come(cluster.node('c'));
    await cluster.time.advance(60_000);
    expectAllEnded(ids);
  });

  it('with the credit has its tasks done elsewhere when its worker dies with it', async () => {
    await open();
    const gone = worker('b', { workflow: 5, activity: 5 });
    const ids = startAll(30);
    await cluster.time.advance(103);
    cluster.kill('b');
    gone.node = undefined;
    gone.hears = false;
    worker('c');
    await cluster.time.advance(100_000);
    expect([...cluster.ended].sort()).toEqual(ids);
    expect(cluster.doubles).toEqual([]);
  });
});

describe('a worker', () => {
  it('that goes while its credit is lent leaves its tasks to the others, at once', async () => {
    await open();
    cluster.network.latencyMs = () => 5;
    const ids = startAll(40);
    for (let n = 0; n < 30; n += 1) {
      const brief = worker('b', { workflow: 2, activity: 2 }, `default/brief-${n}`);
      // What it has been given it finishes, whoever it is connected to.
      await cluster.time.advance(11 + (n % 7));
      brief.go();
    }
    worker('c');
    await cluster.time.advance(5_000);
    expectAllEnded(ids);
    expectFirstAttempts();
  });

  it('that moves from node to node is given each attempt once, and misses none', async () => {
    await open();
    cluster.network.latencyMs = () => 1 + cluster.random.int(6);
    const moving = worker('b', { workflow: 3, activity: 3 });
    const ids = startAll(30);
    for (let n = 0; n < 60; n += 1) {
      await cluster.time.advance(5 + cluster.random.int(80));
      // Its connection may have died a while before that is known.
      moving.hears = false;
      await cluster.time.advance(n % 3 === 0 ? 10 : 0);
      moving.go();
      moving.hears = true;
      if (n % 5 === 0) cluster.network.break('a', 'b');
      await cluster.time.advance(n % 2 === 0 ? 0 : 5);
      moving.come(cluster.node(['a', 'b', 'c'][n % 3] ?? 'a'));
    }
    await cluster.time.advance(9_000);
    expectAllEnded(ids);
    expectFirstAttempts();
  });
});

describe('a worker that is connected to several nodes', () => {
  it('is sent again what one of its connections has lost', async () => {
    await open();
    const near = worker('a', { workflow: 0, activity: 0 }, 'default/twin');
    const far = worker('b', { workflow: 9, activity: 9 }, 'default/twin');
    far.hears = false;
    const ids = startAll(5, ['a']);
    await cluster.time.advance(500);
    expect(far.received).toEqual([]);
    expect(cluster.node('a').engine.backlog(WORKFLOWS).count).toBe(0);
    far.go();
    far.hears = true;
    far.come(cluster.node('b'));
    await cluster.time.advance(4_000);
    expectAllEnded(ids);
    expectFirstAttempts();
    expect(near.received).toEqual([]);
  });
});

describe('a link', () => {
  it('that is cut and heals loses nothing and repeats nothing', async () => {
    await open();
    worker('b', { workflow: 4, activity: 4 });
    const ids = startAll(30);
    for (let n = 0; n < 6; n += 1) {
      await cluster.time.advance(61);
      cluster.cut('a', 'b');
      await cluster.time.advance(n % 2 === 0 ? 300 : 7_000);
      cluster.heal('a', 'b');
    }
    await cluster.time.advance(12_000);
    expectAllEnded(ids);
    expectFirstAttempts();
  });

  it('that loses the answer to a delivery has it asked for again, and the task done once', async () => {
    await open();
    const taker = worker('b', { workflow: 5, activity: 5 });
    taker.workMs = () => 2_000;
    taker.onTask = () => cluster.network.cut('b', 'a');
    const ids = startAll(5, ['a']);
    await cluster.time.advance(200);
    expect(taker.holds.size).toBe(5);
    expect(cluster.node('a').matching.stats.underWay).toBe(5);
    taker.onTask = undefined;
    cluster.network.break('a', 'b');
    cluster.network.heal('b', 'a');
    await cluster.time.advance(1_000);
    expect(cluster.node('a').matching.stats.underWay).toBe(0);
    await cluster.time.advance(7_000);
    expectAllEnded(ids);
    expectFirstAttempts();
  });

  it('that loses a delivery has it sent again', async () => {
    await open();
    cluster.network.latencyMs = () => 20;
    worker('b', { workflow: 5, activity: 5 });
    const ids = startAll(5, ['a']);
    while (cluster.node('a').matching.stats.underWay === 0) await cluster.time.advance(1);
    cluster.network.break('a', 'b');
    await cluster.time.advance(3_000);
    expectAllEnded(ids);
    expectFirstAttempts();
  });

  it('that breaks again and again loses nothing and repeats nothing', async () => {
    await open();
    cluster.network.latencyMs = () => 1 + cluster.random.int(6);
    // Longer than the pause before a delivery is sent again: a task that were undone by mistake would be given to another.
    worker('b', { workflow: 15, activity: 15 }).workMs = () => 300 + cluster.random.int(300);
    const ids = startAll(40);
    for (let n = 0; n < 60; n += 1) {
      await cluster.time.advance(60 + n);
      cluster.network.break('a', 'b');
      cluster.network.break('c', 'b');
    }
    // Three tasks each, one after the other, of which each may wait for the next announcement (5 s), and is worked on for half a second.
    await cluster.time.advance(20_000);
    expectAllEnded(ids);
    expectFirstAttempts();
  });
});

describe('a direct query', () => {
  it('is asked of a worker that is connected elsewhere', async () => {
    await open();
    cluster.steps = 0;
    worker('b');
    const [id = ''] = startAll(1, ['c']);
    await cluster.time.advance(1_000);
    expect(cluster.ended.has(id)).toBe(true);
    let answer: unknown;
    const message = {
      type: 'query' as const,
      queryId: 'q1',
      target: {},
      queryType: 'state',
      rejectCondition: undefined,
    };
    cluster.node('c').engine.query({ namespace: NAMESPACE, workflowId: id }, message, (error, value) => {
      answer = error ?? value;
    });
    await cluster.time.advance(500);
    expect(answer).toMatchObject({ queryResult: { payloads: [expect.anything()] } });
  });
});

describe('a cancellation', () => {
  it('reaches the worker at the node that took the activity, or wherever it is by then', async () => {
    await open();
    const taker = worker('b');
    taker.workMs = () => 3_000;
    const ids = startAll(1, ['a', 'c']);
    await cluster.time.advance(3_500);
    expect(taker.holds.size).toBe(2);
    const cancel = (id: string): void => {
      void cluster.ask(id, { type: 'terminate', target: {}, identity: 'c', requestId: `end-${id}` });
    };
    cancel(ids[0] ?? '');
    await cluster.time.advance(50);
    expect(taker.cancelled).toEqual(['notFound']);
    taker.go();
    taker.come(cluster.node('c'));
    cancel(ids[1] ?? '');
    await cluster.time.advance(50);
    expect(taker.cancelled).toEqual(['notFound', 'notFound']);
  });
});

describe('a queue that is hot', () => {
  it('is split over homes, and joined again when it has cooled down', async () => {
    await open({ limits: { splitAbove: 5, joinBelow: 2, joinAfterMs: 3_000, refreshMs: 500 } });
    cluster.steps = 0;
    worker('a', { workflow: 50, activity: 0 });
    worker('b', { workflow: 50, activity: 0 });
    const homes = (): number => cluster.up.reduce((sum, { matching }) => sum + matching.stats.homes, 0);
    const ids: string[] = [];
    for (let n = 0; n < 250; n += 1) {
      ids.push(cluster.idAt('c', n));
      cluster.start1(ids[n] ?? '');
      await cluster.time.advance(20);
    }
    // Workflows and activities each have a first partition; those of the workflows are more by now.
    expect(homes()).toBeGreaterThanOrEqual(4);
    await cluster.time.advance(2_000);
    expectAllEnded(ids.sort());
    await cluster.time.advance(20_000);
    expect(homes()).toBe(2);
  });
});

describe('a node that says what makes no sense', () => {
  it('is refused, and matching goes on', async () => {
    await open({ names: ['a', 'b', 'c', 'evil'] });
    const { rpc } = cluster.node('evil');
    const outcomes: string[] = [];
    const say = (method: string, body: Uint8Array): void => {
      rpc.call('a', method, body, 1_000, (error, answer) =>
        outcomes.push(error === undefined ? `${method} ${decode(answer ?? new Uint8Array())}` : `${error.code}`),
      );
    };
    for (const method of Object.values(METHODS)) {
      say(method, new Uint8Array([0xc1, 0xff, 0x00]));
      say(method, encode([]).slice(0, 0));
      say(method, encode([[[[[]]]], 'x', -1, null]));
    }
    await cluster.time.advance(50);
    expect(new Set(outcomes)).toEqual(new Set(['12']));
    expect(cluster.faults.splice(0)).toHaveLength(3 * Object.values(METHODS).length);
    // Of the right shape, and wrong: credits of nobody, tasks for nobody, fetches from nowhere.
    outcomes.length = 0;
    const task = { kind: 'query', namespace: 'n', workflowId: 'w', runId: 'r', workflowType: 't', queryId: 'q' };
    const rest = {
      query: { queryType: 's' },
      history: [],
      firstEventId: 1,
      previousStartedEventId: 0,
      startedEventId: 0,
    };
    const boot = cluster.node('a').links.identity.bootId;
    for (const by of [0, 1]) say(METHODS.deliver, encode([boot, by, 1, 1, { ...task, ...rest }]));
    say(METHODS.deliver, encode(['another life', 0, 1, 1, { ...task, ...rest }]));
    say(METHODS.cancel, encode(['nobody', new Uint8Array(3), 1]));
    say(METHODS.pull, encode(['default', 'no queue', 1, 0, 'b', [['i', 's', null, null, null]], [[1, 0]]]));
    const fetch = { queue: WORKFLOWS, mode: 'task', partition: 0, from: 'nowhere', number: 1 } as const;
    const made = { ...fetch, count: 1_000_000_000, priority: -5, oldest: 0 };
    worker('a');
    await cluster.time.advance(50);
    say(METHODS.assign, encodeAssign('evil', [made, { ...made, partition: 1_000 }]));
    await cluster.time.advance(50);
    expect(outcomes).toEqual([
      ...['matching.deliver 2', 'matching.deliver 2', 'matching.deliver 2'],
      ...['matching.cancel 0', 'matching.pull 1,', 'matching.assign '],
    ]);
    const ids = startAll(5);
    await cluster.time.advance(3_000);
    expectAllEnded(ids);
  });
});

/** Everything at once; one seed, one history. */
async function turmoil(seed: number): Promise<void> {
  await open({ seed, backlogWindow: 3 });
  const { random, time } = cluster;
  cluster.network.latencyMs = () => 0.2 + random.next() * 6;
  const names = ['a', 'b', 'c'];
  const pick = <T>(list: readonly T[]): T => list[random.int(list.length)] as T;
  const workers = ['one', 'two', 'three'].map((name) => {
    const made = new SimWorker(cluster, `default/${name}`, {
      workflow: 1 + random.int(4),
      activity: 1 + random.int(4),
    });
    made.come(cluster.node(pick(names)));
    return made;
  });
  const back = (moving: SimWorker): void => {
    time.after(random.int(1_000), () => {
      const { up } = cluster;
      if (up.length > 0 && moving.node === undefined) moving.come(pick(up));
    });
  };
  const ids: string[] = [];
  for (let step = 0; step < 60; step += 1) {
    const [x, y] = [pick(names), pick(names)];
    const dice = random.int(20);
    if (dice < 10) {
      const id = `w${ids.length}-${random.int(1_000)}`;
      ids.push(id);
      cluster.start1(id, 1 + random.int(5), pick(['', 'a', 'b']));
    } else if (dice < 12 && x !== y) {
      cluster.cut(x, y);
      time.after(random.int(6_000), () => cluster.heal(x, y));
    } else if (dice < 13 && x !== y) {
      cluster.network.cut(x, y);
      time.after(random.int(6_000), () => cluster.network.heal(x, y));
    } else if (dice < 15) cluster.network.break(x, y);
    else if (dice < 17) {
      const moving = pick(workers);
      moving.go();
      back(moving);
    } else if (dice < 18) {
      const { up } = cluster;
      cluster.lead(random.int(6), pick(up).name);
    } else if (dice < 19 && cluster.up.length === names.length) {
      cluster.kill(x, 500 + random.int(2_000));
      for (const moving of workers) {
        if (moving.node?.name !== x) continue;
        moving.node = undefined;
        back(moving);
      }
      time.after(4_000, () => void cluster.start(x));
    }
    await time.advance(random.int(150));
  }
  await time.advance(10_000);
  for (const moving of workers) if (moving.node === undefined) moving.come(pick(cluster.up));
  await time.advance(90_000);
  expect([...cluster.ended].sort(), `seed ${seed}`).toEqual(ids.sort());
  expect(cluster.doubles, `seed ${seed}`).toEqual([]);
  expect(cluster.faults, `seed ${seed}`).toEqual([]);
  for (const { matching } of cluster.up) expect(matching.stats).toMatchObject({ lent: 0, claims: 0, underWay: 0 });
}

describe('nodes, links, workers and leaders that come and go', () => {
  it.each([1, 2, 3, 4, 5, 6])('lose no task and repeat none: seed %i', turmoil, 60_000);
});
