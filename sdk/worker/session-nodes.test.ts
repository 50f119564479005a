// A worker on several nodes: each is a fake of its own, whose credit the tests count as a server would.

import { afterEach, describe, expect, it, vi } from 'vitest';
import { StatusCode } from '../../src/wire/status.ts';
import { makeLogger } from '../common/logger.ts';
import { RpcError } from '../connection/rpc-error.ts';
import type { AnswerOwner } from './answers.ts';
import { activityTask, bytes, FakeConnection, fixedLane, settle } from './fakes.test-support.ts';
import type { NodeSession } from './node-session.ts';
import { Session } from './session.ts';

afterEach(() => {
  vi.useRealTimers();
});

interface Held {
  token: string;
  from: NodeSession;
}

async function open(slots: number, ...names: string[]) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const main = new FakeConnection();
  const others = names.map((name) => new FakeConnection(name));
  const nodes = [main, ...others];
  const logs: [level: string, message: string][] = [];
  const fatal: unknown[] = [];
  const held: Held[] = [];
  for (const node of nodes) node.manual.add('withdrawCredit');
  const session = new Session(
    {
      connection: main,
      workerId: 'w',
      namespace: 'default',
      taskQueue: 'q',
      identity: 'me',
      buildId: 'b',
      stickyQueue: 'q-w',
      stickyScheduleToStartTimeout: 10_000,
      workflowLane: fixedLane(0),
      activityLane: fixedLane(slots),
      maxActivitiesPerSecond: undefined,
      maxTaskQueueActivitiesPerSecond: undefined,
      logger: makeLogger((level, message) => logs.push([level, message.split(':')[0] ?? ''])),
    },
    {
      workflowTask: () => {},
      activityTask: ({ token }, from) => held.push({ token: Buffer.from(token).toString(), from }),
      cancelActivity: () => {},
      durable: () => {},
      over: () => {},
      heldTokens: () => held.map(({ token }) => bytes(token)),
      fatal: (error) => fatal.push(error),
    },
  );
  main.serve(nodes);
  await session.start();
  await settle();
  return { main, others, nodes, session, held, logs, fatal };
}

/** What the node has, counted as a server does: stated, granted and given back, less what was pushed and taken back. */
function creditAt(node: FakeConnection, pushed = 0, withdrawn = 0): number {
  const at = node.sent.findLastIndex(({ method }) => method === 'registerWorker');
  let credit = -pushed - withdrawn;
  for (const { method, body } of node.sent.slice(at)) {
    // One of the bodies that carry credit.
    const fields = body as { activityCredit?: number; activity?: number; credit?: number };
    if (method === 'registerWorker') credit += fields.activityCredit ?? 0;
    else if (method === 'grantCredit') credit += fields.activity ?? 0;
    else if (method !== 'withdrawCredit') credit += fields.credit ?? 0;
  }
  return credit;
}

/** Answers each withdrawal with all that was asked for, until none comes; what was taken, by node. */
async function level(nodes: readonly FakeConnection[]): Promise<Map<FakeConnection, number>> {
  const taken = new Map<FakeConnection, number>();
  const answered = new Set<unknown>();
  for (let i = 0; i < 50; i += 1) {
    await vi.advanceTimersByTimeAsync(10);
    for (const node of nodes) {
      for (const request of node.of('withdrawCredit')) {
        if (answered.has(request)) continue;
        answered.add(request);
        const activity = request.body.activity ?? 0;
        taken.set(node, (taken.get(node) ?? 0) + activity);
        request.resolve({ workflow: 0, activity });
      }
    }
    await settle();
  }
  return taken;
}

function complete(session: Session, { token, from }: Held): unknown[] {
  const refusals: unknown[] = [];
  const owner: AnswerOwner = {
    key: Buffer.from(token).toString('latin1'),
    from,
    answered: (refusal) => refusals.push(refusal),
    substitute: () => undefined,
  };
  const request = { target: { token: bytes(token) }, identity: 'me' };
  session.answer('activity', 'respondActivityTaskCompleted', request, owner);
  return refusals;
}

const only = (held: Held[], token: string): Held => {
  const found = held.find((task) => task.token === token);
  if (found === undefined) throw new Error(`task ${token} did not come`);
  return found;
};

describe('a worker on several nodes', () => {
  it('registers on each, under one id and sticky queue, with never more credit than slots', async () => {
    const { nodes } = await open(9, 'b', 'c');
    const registered = nodes.map((node) => node.last('registerWorker').body);
    expect(new Set(registered.map(({ workerId, stickyQueue }) => `${workerId} ${stickyQueue}`))).toEqual(
      new Set(['w q-w']),
    );
    expect(registered.map(({ activityCredit }) => activityCredit)).toEqual([9, 0, 0]);
    const taken = await level(nodes);
    const credits = nodes.map((node) => creditAt(node, 0, taken.get(node) ?? 0));
    expect(credits.reduce((sum, credit) => sum + credit, 0)).toBe(9);
    expect(Math.min(...credits)).toBeGreaterThanOrEqual(2);
  });

  it('gives a node nothing before the other has given it up', async () => {
    const { main, others, nodes } = await open(4, 'b');
    await vi.advanceTimersByTimeAsync(20);
    const asked = main.last('withdrawCredit');
    expect(asked.body).toEqual({ workerId: 'w', activity: 2 });
    expect(creditAt(others[0] as FakeConnection)).toBe(0);
    // One of the two was used meanwhile.
    asked.resolve({ workflow: 0, activity: 1 });
    await settle();
    expect(nodes.map((node) => creditAt(node))).toEqual([4, 1]);
  });

  it('answers where the task came from, with its credit', async () => {
    const { main, others, session, held } = await open(4, 'b');
    const [b] = others as [FakeConnection];
    await level([main, b]);
    b.push('activityTask', { ...activityTask('t'), workerId: 'w' });
    complete(session, only(held, 't'));
    expect(b.last('respondActivityTaskCompleted').body.credit).toBe(1);
    expect(main.of('respondActivityTaskCompleted')).toEqual([]);
  });

  it('answers anywhere else when that node is gone, without credit: that goes to those that are left', async () => {
    const { main, others, session, held, logs } = await open(4, 'b');
    const [b] = others as [FakeConnection];
    const taken = await level([main, b]);
    b.push('activityTask', { ...activityTask('t'), workerId: 'w' });
    b.disconnect('killed');
    await settle();
    const refusals = complete(session, only(held, 't'));
    await settle();
    expect(main.last('respondActivityTaskCompleted').body.credit).toBe(0);
    expect(refusals).toEqual([undefined]);
    expect(creditAt(main, 0, taken.get(main) ?? 0)).toBe(4);
    expect(logs.filter(([level]) => level !== 'DEBUG')).toEqual([['INFO', 'Lost a node']]);
  });

  it('sends an answer that was lost with its node again elsewhere at once', async () => {
    const { main, others, session, held } = await open(4, 'b');
    const [b] = others as [FakeConnection];
    await level([main, b]);
    b.push('activityTask', { ...activityTask('t'), workerId: 'w' });
    b.manual.add('respondActivityTaskCompleted');
    const refusals = complete(session, only(held, 't'));
    b.disconnect('killed');
    await settle();
    expect(main.of('respondActivityTaskCompleted').map(({ body }) => body.credit)).toEqual([0]);
    expect(refusals).toEqual([undefined]);
  });

  it('sends an answer by another node when its own cannot reach the owner of the task', async () => {
    const { main, others, session, held } = await open(4, 'b');
    const [b] = others as [FakeConnection];
    b.push('activityTask', { ...activityTask('t'), workerId: 'w' });
    b.manual.add('respondActivityTaskCompleted');
    const refusals = complete(session, only(held, 't'));
    await settle();
    const detail = { kind: 'Unavailable', applied: 'maybe' } as const;
    b.last('respondActivityTaskCompleted').reject(new RpcError(StatusCode.UNAVAILABLE, 'ask another node', detail));
    await settle();
    await vi.advanceTimersByTimeAsync(100);
    expect(main.of('respondActivityTaskCompleted').map(({ body }) => body.credit)).toEqual([0]);
    expect(b.of('respondActivityTaskCompleted')).toHaveLength(1);
    expect(refusals).toEqual([undefined]);
  });

  it('warns only when the last node is lost, once, and says once that one is back', async () => {
    const { main, others, logs } = await open(4, 'b');
    const [b] = others as [FakeConnection];
    b.disconnect('killed');
    main.disconnect('killed');
    main.disconnect('still gone');
    main.reconnect();
    b.reconnect();
    await settle();
    expect(logs.filter(([level]) => level !== 'DEBUG')).toEqual([
      ['INFO', 'Lost a node'],
      ['WARN', 'Lost the server'],
      ['INFO', 'The server is back'],
    ]);
  });

  it('joins a new node, and takes its leave of one that is not served any more', async () => {
    const { main, others, session, held } = await open(4, 'b');
    const [b] = others as [FakeConnection];
    const c = new FakeConnection('c');
    await level([main, b]);
    b.push('activityTask', { ...activityTask('t'), workerId: 'w' });
    main.serve([main, c]);
    await settle();
    expect(b.of('unregisterWorker')).toHaveLength(1);
    expect(c.of('registerWorker')).toHaveLength(1);
    expect(c.last('registerWorker').body.heldTokens).toEqual([bytes('t')]);
    complete(session, only(held, 't'));
    await settle();
    expect(main.last('respondActivityTaskCompleted').body.credit).toBe(0);
    expect(b.of('respondActivityTaskCompleted')).toEqual([]);
    b.disconnect('closed');
    b.lead();
    expect(b.of('resumeWorker')).toEqual([]);
  });

  it('asks a node that leads further shards for what it owes, and keeps its credit as it is', async () => {
    const { others, held } = await open(4, 'b');
    const [b] = others as [FakeConnection];
    b.push('activityTask', { ...activityTask('t'), workerId: 'w' });
    b.lead();
    await settle();
    expect(b.last('resumeWorker').body).toEqual({ workerId: 'w', heldTokens: held.map(({ token }) => bytes(token)) });
    expect(b.of('registerWorker')).toHaveLength(1);
  });

  it('does not run a task again that comes once more after its answer was taken', async () => {
    const { main, others, session, held } = await open(4, 'b');
    const [b] = others as [FakeConnection];
    await level([main, b]);
    b.push('activityTask', { ...activityTask('t'), workerId: 'w' });
    complete(session, only(held, 't'));
    await settle();
    main.push('activityTask', { ...activityTask('t'), workerId: 'w' });
    await settle();
    expect(held).toHaveLength(1);
    expect(session.running('activity')).toBe(0);
    expect(main.last('grantCredit').body.activity).toBe(1);
  });

  it('goes on where one node refuses it, and stops where all do', async () => {
    const { main, others, fatal, logs } = await open(4, 'b');
    const [b] = others as [FakeConnection];
    const refusal = new RpcError(StatusCode.PERMISSION_DENIED, 'no');
    b.manual.add('registerWorker');
    b.reconnect();
    b.last('registerWorker').reject(refusal);
    await settle();
    expect(fatal).toEqual([]);
    expect(logs.filter(([level]) => level === 'ERROR')).toHaveLength(1);
    main.manual.add('registerWorker');
    main.reconnect();
    main.last('registerWorker').reject(refusal);
    await settle();
    expect(fatal).toEqual([refusal]);
  });

  it('does not press a node that gives nothing back', async () => {
    const { main, nodes } = await open(4, 'b');
    main.manual.delete('withdrawCredit');
    await vi.advanceTimersByTimeAsync(20);
    for (const request of main.of('withdrawCredit')) request.resolve({ workflow: 0, activity: 0 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(nodes.map((node) => creditAt(node))).toEqual([4, 0]);
    expect(main.of('withdrawCredit').length).toBeLessThan(8);
  });

  it('says to every node that it stops', async () => {
    const { nodes, session } = await open(4, 'b', 'c');
    await session.drain();
    expect(nodes.map((node) => node.of('unregisterWorker').length)).toEqual([1, 1, 1]);
  });
});
