// Namespaces that were registered: kept like everything else, and taken away with all that is in them.
import { describe, expect, it } from 'vitest';
import { addressOf } from '../../core/flow/address.ts';
import { changed } from '../../core/namespace/record.ts';
import { scheduleAddress } from '../../core/schedule/address.ts';
import type { Message } from '../../core/workflow/message.ts';
import type { Reply } from '../../core/workflow/outcome.ts';
import type { DeploymentAnswer } from '../../ports/deployments.ts';
import type { NamespaceAnswer, NamespaceAsk } from '../../ports/namespaces.ts';
import { MemoryDisk, openMemoryStore } from '../../store/index.ts';
import { IndexedValueType, NamespaceState } from '../../wire/enums.ts';
import type { NamespaceRecord } from '../../wire/namespace.ts';
import { StatusCode } from '../../wire/status.ts';
import type { CountWorkflowExecutionsResponse } from '../../wire/visibility.ts';
import { HOUR, World } from '../testing.ts';

const world = async (): Promise<World> => {
  const disk = new MemoryDisk();
  return new World(() => openMemoryStore({ disk, shardCount: 4 })).open();
};

const record = (name: string, over: Partial<NamespaceRecord> = {}): NamespaceRecord => ({
  ...{ name, id: `id-of-${name}`, state: NamespaceState.REGISTERED, retention: HOUR },
  ...{ description: '', ownerEmail: '', data: {} },
  ...over,
});

const ask = (w: World, asked: NamespaceAsk) => w.call<NamespaceAnswer>((done) => w.engine.namespaces(asked, done));

const everySecond: Message = {
  ...{ type: 'createSchedule', requestId: 'create', incarnation: 'life' },
  schedule: {
    spec: { interval: [{ interval: 1_000, phase: 0 }] },
    action: { startWorkflow: { workflowId: 'of-schedule', workflowType: 'order', taskQueue: 'orders' } },
    ...{ policies: {}, state: {} },
  },
};

async function all(w: World): Promise<NamespaceRecord[]> {
  return (await ask(w, { type: 'list' })).value?.records ?? [];
}

describe('registered namespaces', () => {
  it('outlive restarts, and say when something has changed', async () => {
    const w = await world();
    expect((await ask(w, { type: 'list' })).value).toEqual({ revision: 0, records: [], queues: [] });
    const registered = await ask(w, { type: 'register', record: record('a') });
    expect(registered.value?.records?.[0]?.registeredTime).toBe(w.time.at);
    const [revision] = [registered.value?.revision];
    expect((await ask(w, { type: 'list', since: revision })).value).toEqual({ revision });
    await ask(w, { type: 'register', record: record('b') });
    await w.restart();
    expect((await all(w)).map(({ name }) => name)).toEqual(['a', 'b']);
    expect((await ask(w, { type: 'list', since: revision })).value?.records).toHaveLength(2);
  });

  it('have their names to themselves; the same request again is answered alike', async () => {
    const w = await world();
    await ask(w, { type: 'register', record: record('a') });
    expect((await ask(w, { type: 'register', record: record('a') })).error).toBeUndefined();
    const { error } = await ask(w, { type: 'register', record: record('a', { id: 'another' }) });
    expect(error).toMatchObject({ code: StatusCode.ALREADY_EXISTS, detail: { kind: 'NamespaceAlreadyExists' } });
  });

  it('are updated, one of a configuration too, and deprecated', async () => {
    const w = await world();
    await ask(w, { type: 'register', record: record('a', { data: { k: '1', l: '2' } }) });
    await ask(w, { type: 'update', name: 'a', change: { data: { l: '3' }, retention: 2 * HOUR } });
    await ask(w, { type: 'update', name: 'default', change: { description: 'd' }, base: record('default') });
    await ask(w, { type: 'deprecate', name: 'a' });
    expect(await all(w)).toMatchObject([
      { name: 'a', data: { k: '1', l: '3' }, retention: 2 * HOUR, state: NamespaceState.DEPRECATED },
      { name: 'default', description: 'd', id: 'id-of-default' },
    ]);
    const unknown = await ask(w, { type: 'update', name: 'nobody', change: {} });
    expect(unknown.error).toMatchObject({ detail: { kind: 'NamespaceNotFound', namespace: 'nobody' } });
  });

  it('that are deleted lose their schedules and executions, open or closed, then their names, also across restarts', async () => {
    const w = await world();
    await ask(w, { type: 'register', record: record('a') });
    w.namespaces.set('a', { id: 'id-of-a', retention: HOUR });
    for (let i = 0; i < 5; i += 1)
      await w.call((done) => w.engine.submit({ namespace: 'a', workflowId: `w${i}` }, w.startMessage(), done));
    await w.call((done) =>
      w.engine.changeSearchAttributes('a', { add: { City: IndexedValueType.KEYWORD }, remove: [] }, done),
    );
    const to = { namespace: 'a', workflowId: 'w0' };
    await w.call((done) => w.engine.submit(to, { type: 'terminate', target: {}, identity: '', requestId: 't' }, done));
    await w.call((done) => w.engine.submit({ namespace: 'a', workflowId: scheduleAddress('s') }, everySecond, done));
    await ask(w, { type: 'delete', name: 'a' });
    w.namespaces.delete('a');
    expect(await all(w)).toMatchObject([{ name: 'a', state: NamespaceState.DELETED }]);
    const taken = await ask(w, { type: 'register', record: record('a', { id: 'new' }) });
    expect(taken.error?.message).toContain('not all gone yet');
    // Killed within each of its steps.
    for (let i = 0; i < 20; i += 1) {
      await w.time.advance(700);
      await w.restart();
    }
    await w.time.advance(20_000);
    for (const of of [undefined, 'schedules'] as const) {
      const asked = { namespace: 'a', query: '', of };
      expect((await w.call<CountWorkflowExecutionsResponse>((done) => w.engine.count(asked, done))).value?.count).toBe(
        0,
      );
    }
    expect(await all(w)).toEqual([]);
    expect((await w.call((done) => w.engine.searchAttributes('a', done))).value).toEqual({});
    expect((await ask(w, { type: 'register', record: record('a', { id: 'new' }) })).error).toBeUndefined();
  });
});

it('that are deleted leave nothing to others of their name: neither limits of flow-control keys nor versions of workers', async () => {
  const w = await world();
  await ask(w, { type: 'register', record: record('a') });
  w.namespaces.set('a', { id: 'id-of-a', retention: HOUR });
  const key = { namespace: 'a', workflowId: addressOf({ key: 'tenant' }, '') };
  const stop = { type: 'setFlowLimits', limits: { concurrency: { limit: 0 } } } as const;
  const limits = async () => {
    const { value } = await w.call<Reply>((done) => w.engine.submit(key, { type: 'describeFlow' }, done));
    return value?.type === 'flowDescribed' ? value.response.setLimits : 'not described';
  };
  const names = async () => {
    const { value } = await w.call<DeploymentAnswer>((done) => w.engine.deployments({ type: 'list' }, done));
    return value?.records?.map(({ namespace, name }) => `${namespace}/${name}`);
  };
  await w.call((done) => w.engine.submit(key, stop, done));
  const change = { type: 'create', identity: '', requestId: 'r' } as const;
  for (const namespace of ['a', 'b'])
    await w.call((done) => w.engine.deployments({ type: 'change', namespace, name: 'shop', change }, done));
  expect([await limits(), await names()]).toEqual([stop.limits, ['a/shop', 'b/shop']]);
  await ask(w, { type: 'delete', name: 'a' });
  w.namespaces.delete('a');
  for (let i = 0; i < 5; i += 1) {
    await w.time.advance(700);
    await w.restart();
  }
  await w.time.advance(20_000);
  expect(await all(w)).toEqual([]);
  expect([await limits(), await names()]).toEqual([undefined, ['b/shop']]);
});

it('a change leaves alone what it does not name', () => {
  const before = record('a', { description: 'd', data: { k: '1' } });
  expect(changed(before, {})).toEqual(before);
  expect(changed(before, { ownerEmail: 'e', data: { l: '2' } })).toEqual({
    ...before,
    ...{ ownerEmail: 'e', data: { k: '1', l: '2' } },
  });
});
