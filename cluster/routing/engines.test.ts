// The router over real engines, sockets and time: three nodes with a third of the shards each, asked at any of them.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StartMessage } from '../../src/core/workflow/message.ts';
import { Matcher } from '../../src/matching/matcher.ts';
import type { Done } from '../../src/ports/engine.ts';
import type { JobAnswer } from '../../src/ports/jobs.ts';
import { systemClock, systemRandom, systemScheduler } from '../../src/runtime/index.ts';
import { ShardEngine } from '../../src/shard/engine.ts';
import { shardOf } from '../../src/shard/keys.ts';
import { pageTokenOf } from '../../src/shard/search.ts';
import { stamped } from '../../src/shard/testing.ts';
import { openMemoryStore } from '../../src/store/memory/store.ts';
import {
  BatchOperationState,
  IndexedValueType,
  NamespaceState,
  WorkflowExecutionStatus,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '../../src/wire/enums.ts';
import type { DescribeWorkflowExecutionResponse } from '../../src/wire/execution-info.ts';
import type { AwaitWorkflowResultResponse, GetWorkflowExecutionHistoryResponse } from '../../src/wire/history.ts';
import { StatusCode } from '../../src/wire/status.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../../src/wire/visibility.ts';
import { identity, keyed } from '../link/link.test-support.ts';
import { Links } from '../link/links.ts';
import { Rpc } from '../link/rpc.ts';
import { tcpNetwork } from '../link/tcp.ts';
import type { Address } from '../link/transport.ts';
import type { Owner, OwnershipView } from './ownership.ts';
import { Router } from './router.ts';

const SHARDS = 16;
const NAMES = ['a', 'b', 'c'] as const;
const security = keyed(randomBytes(32));
const addresses = new Map<string, Address>();
const ownerOf = (shard: number): string => NAMES[shard % NAMES.length] ?? 'a';

interface Node {
  links: Links;
  rpc: Rpc;
  engine: ShardEngine;
  router: Router;
}

const nodes: Node[] = [];

async function start(name: string): Promise<Node> {
  const store = openMemoryStore({ shardCount: SHARDS, directoryId: `dir-${name}` });
  const engine: ShardEngine = new ShardEngine({
    store,
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
    matching: new Matcher({ clock: systemClock, scheduler: systemScheduler, onQueryLost: () => undefined }),
    namespaces: new Map([['n', { id: 'id-of-n', retention: 3_600_000 }]]),
    everywhere: () => router,
  });
  await engine.open();
  const links = new Links({
    identity: identity(name),
    security,
    network: tcpNetwork(security),
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
    randomBytes,
    onEvent: () => undefined,
  });
  const rpc = new Rpc({
    links,
    clock: systemClock,
    scheduler: systemScheduler,
    onFault: (error) => {
      throw error;
    },
  });
  const view: OwnershipView = {
    shardCount: SHARDS,
    ownerOf: (shard): Owner => {
      const owner = ownerOf(shard);
      const address = addresses.get(owner);
      if (owner === name) return 'local';
      return address === undefined ? 'unknown' : { node: owner, address, term: 1 };
    },
    subscribe: () => () => undefined,
  };
  const router: Router = new Router({
    self: name,
    local: engine,
    view,
    rpc,
    clock: systemClock,
    scheduler: systemScheduler,
    shardOf: (namespace, workflowId) => shardOf(namespace, workflowId, SHARDS),
    pageTokenOf,
    connect: (peer, address) => void links.connect(peer, address),
  });
  addresses.set(name, await links.listen({ host: '127.0.0.1', port: 0 }));
  return { links, rpc, engine, router };
}

beforeAll(async () => {
  for (const name of NAMES) nodes.push(await start(name));
});

afterAll(async () => {
  await Promise.all(nodes.map(({ links }) => links.close()));
  for (const { engine } of nodes) await engine.close();
});

const call = <T>(begin: (done: Done<T>) => unknown): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    begin((error, value) =>
      error === undefined ? resolve(value) : reject(Object.assign(new Error(error.message), error)),
    );
  });

const at = (i: number): Router => {
  const node = nodes[i % nodes.length];
  if (node === undefined) throw new Error('no node was started');
  return node.router;
};

const to = (workflowId: string): { namespace: string; workflowId: string } => ({ namespace: 'n', workflowId });
const startMessage = (runId: string): StartMessage => ({
  type: 'start',
  runId,
  requestId: `request-${runId}`,
  identity: 'me',
  workflowType: 'order',
  taskQueue: 'orders',
  input: { payloads: [{ metadata: { encoding: Buffer.from('binary/plain') }, data: randomBytes(100) }] },
  reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
  conflictPolicy: WorkflowIdConflictPolicy.FAIL,
});

describe('three nodes', () => {
  const ids = Array.from({ length: 60 }, (_, i) => `order-${i}`);

  it('start, describe, await and end workflows wherever they are asked', async () => {
    await Promise.all(
      ids.map((id, i) => call((done) => at(i).submit(to(id), startMessage(systemRandom.uuid()), done))),
    );
    // Each where it belongs, and nowhere else.
    for (const [i, { engine }] of nodes.entries()) {
      const found = await call<ListWorkflowExecutionsResponse>((done) =>
        engine.list({ namespace: 'n', query: '', pageSize: 1_000, nextPageToken: undefined }, done),
      );
      const mine = ids.filter((id) => shardOf('n', id, SHARDS) % NAMES.length === i);
      expect(new Set(found?.executions.map(({ workflowId }) => workflowId))).toEqual(new Set(mine));
    }
    const described = await call<DescribeWorkflowExecutionResponse>((done) =>
      at(1).describe(to('order-0'), undefined, done),
    );
    expect(described?.workflowExecutionInfo).toMatchObject({ workflowId: 'order-0', workflowType: 'order' });
    const results = ids.map((id, i) =>
      call<AwaitWorkflowResultResponse>((done) => at(i + 1).awaitResult(to(id), undefined, true, done)),
    );
    await Promise.all(
      ids.map((id, i) =>
        call((done) =>
          at(i + 2).submit(to(id), { type: 'terminate', target: {}, identity: 'me', requestId: `end-${id}` }, done),
        ),
      ),
    );
    for (const result of await Promise.all(results)) expect(result?.status).toBe(WorkflowExecutionStatus.TERMINATED);
    const history = await call<GetWorkflowExecutionHistoryResponse>((done) =>
      at(2).history(
        to('order-0'),
        { fromEventId: 1, maximumBytes: 10_000, waitNewEvent: false, closeEventOnly: false },
        done,
      ),
    );
    expect(history?.closed).toBe(true);
    expect(nodes.map(({ rpc }) => [rpc.openCalls, rpc.servedCalls])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it('list and count what all of them hold, page by page, from any node', async () => {
    const found: string[] = [];
    let nextPageToken: Uint8Array | undefined;
    let turn = 0;
    do {
      turn += 1;
      const asked = nextPageToken;
      const page = await call<ListWorkflowExecutionsResponse>((done) =>
        at(turn).list({ namespace: 'n', query: "WorkflowType = 'order'", pageSize: 7, nextPageToken: asked }, done),
      );
      found.push(...(page?.executions.map(({ workflowId }) => workflowId) ?? []));
      nextPageToken = page?.nextPageToken;
    } while (nextPageToken !== undefined);
    expect(found.length).toBe(ids.length);
    expect(new Set(found)).toEqual(new Set(ids));
    const counted = await call<CountWorkflowExecutionsResponse>((done) =>
      at(0).count({ namespace: 'n', query: '' }, done),
    );
    expect(counted).toEqual({ count: ids.length });
  });

  it('know the search attributes that were registered at any of them, and find by them', async () => {
    const type = IndexedValueType.KEYWORD;
    const change = { add: { City: type }, remove: [] };
    await call((done) => at(0).changeSearchAttributes('n', change, done));
    for (let i = 0; i < 3; i += 1) {
      expect(await call((done) => at(i).searchAttributes('n', done))).toEqual({ City: type });
    }
    const searchAttributes = { indexedFields: { City: stamped('Keyword', 'Rome') } };
    const citizens = Array.from({ length: 9 }, (_, i) => `citizen-${i}`);
    await Promise.all(
      citizens.map((id, i) =>
        call((done) => at(i).submit(to(id), { ...startMessage(systemRandom.uuid()), searchAttributes }, done)),
      ),
    );
    const request = { namespace: 'n', attributes: { City: type } };
    for (const order of ['', ' ORDER BY WorkflowId DESC']) {
      const found: string[] = [];
      let nextPageToken: Uint8Array | undefined;
      do {
        const list = { ...request, query: `City = 'Rome'${order}`, pageSize: 2, nextPageToken };
        const page = await call<ListWorkflowExecutionsResponse>((done) => at(1).list(list, done));
        found.push(...(page?.executions.map(({ workflowId }) => workflowId) ?? []));
        nextPageToken = page?.nextPageToken;
      } while (nextPageToken !== undefined);
      if (order === '') expect(new Set(found)).toEqual(new Set(citizens));
      else expect(found).toEqual([...citizens].reverse());
      expect(found).toHaveLength(citizens.length);
    }
    const grouped = await call<CountWorkflowExecutionsResponse>((done) =>
      at(2).count({ ...request, query: 'City IS NOT NULL GROUP BY City' }, done),
    );
    expect(grouped).toEqual({ count: 9, groups: [{ groupValues: ['Rome'], count: 9 }] });
    const conflict = { add: { City: IndexedValueType.INT }, remove: [] };
    await expect(call((done) => at(1).changeSearchAttributes('n', conflict, done))).rejects.toMatchObject({
      code: StatusCode.ALREADY_EXISTS,
    });
  });

  it('run a batch job over the executions of all of them, wherever it was asked for', async () => {
    const order = {
      ...{ jobId: 'job', requestId: 'request', reason: 'test', identity: 'me', perSecond: 5_000 },
      ...{ operation: { type: 'terminate' } as const, target: { query: "WorkflowType = 'order'" } },
    };
    const before = await call<CountWorkflowExecutionsResponse>((done) =>
      at(0).count({ namespace: 'n', query: '' }, done),
    );
    for (let i = 0; i < 3; i += 1) await call((done) => at(i).jobs('n', { type: 'start', order }, done));
    const describeAt = (i: number) =>
      call<JobAnswer>((done) => at(i).jobs('n', { type: 'describe', jobId: 'job' }, done));
    await expect
      .poll(async () => (await describeAt(1))?.jobs[0], { timeout: 10_000 })
      .toMatchObject({
        state: BatchOperationState.COMPLETED,
        failureOperationCount: 0,
        totalOperationCount: before?.count,
      });
    for (let i = 0; i < 3; i += 1) expect((await describeAt(i))?.jobs[0]?.completeOperationCount).toBe(before?.count);
    const running = { namespace: 'n', query: "ExecutionStatus = 'Running'" };
    expect(await call((done) => at(2).count(running, done))).toMatchObject({ count: 0 });
  });

  it('know the namespaces that were registered at any of them', async () => {
    const record = {
      ...{ name: 'new', id: 'id-of-new', state: NamespaceState.REGISTERED, retention: 3_600_000 },
      ...{ description: '', ownerEmail: 'me', data: { k: 'v' } },
    };
    await call((done) => at(0).namespaces({ type: 'register', record }, done));
    await call((done) => at(1).namespaces({ type: 'update', name: 'new', change: { data: { l: 'w' } } }, done));
    for (let i = 0; i < 3; i += 1) {
      expect(await call((done) => at(i).namespaces({ type: 'list' }, done))).toMatchObject({
        ...{ revision: 2, records: [{ name: 'new', ownerEmail: 'me', data: { k: 'v', l: 'w' } }] },
      });
      expect(await call((done) => at(i).namespaces({ type: 'list', since: 2 }, done))).toEqual({ revision: 2 });
    }
    await call((done) => at(2).namespaces({ type: 'deprecate', name: 'new' }, done));
    await call((done) => at(0).namespaces({ type: 'delete', name: 'new' }, done));
    await expect
      .poll(() => call((done) => at(1).namespaces({ type: 'list' }, done)), { timeout: 10_000 })
      .toMatchObject({ records: [] });
  });

  it('refuse alike, near and far', async () => {
    for (let i = 0; i < 3; i += 1) {
      await expect(call((done) => at(i).describe(to('nobody'), undefined, done))).rejects.toMatchObject({
        code: StatusCode.NOT_FOUND,
        detail: { kind: 'NotFound' },
      });
      await expect(
        call((done) => at(i).list({ namespace: 'n', query: 'nonsense', pageSize: 1, nextPageToken: undefined }, done)),
      ).rejects.toMatchObject({ code: StatusCode.INVALID_ARGUMENT });
    }
  });
});
