// Configured task queues: kept like everything else, bounded, and gone with their namespace.
import { describe, expect, it } from 'vitest';
import { MAX_CONFIGURED_QUEUES } from '../../core/matching/queue-config.ts';
import type { NamespaceAnswer } from '../../ports/namespaces.ts';
import { MemoryDisk, openMemoryStore } from '../../store/index.ts';
import { NamespaceState } from '../../wire/enums.ts';
import { StatusCode } from '../../wire/status.ts';
import type { ConfiguredTaskQueue, UpdateTaskQueueConfigRequest } from '../../wire/task-queue.ts';
import { HOUR, World } from '../testing.ts';

const world = async (): Promise<World> => {
  const disk = new MemoryDisk();
  return new World(() => openMemoryStore({ disk, shardCount: 4 })).open();
};

const configure = (w: World, change: Partial<UpdateTaskQueueConfigRequest>) =>
  w.call<NamespaceAnswer>((done) =>
    w.engine.namespaces(
      { type: 'configureQueue', change: { namespace: 'default', taskQueue: 'q', identity: 'me', ...change } },
      done,
    ),
  );

async function all(w: World): Promise<ConfiguredTaskQueue[]> {
  return (await w.call<NamespaceAnswer>((done) => w.engine.namespaces({ type: 'list' }, done))).value?.queues ?? [];
}

describe('a configured task queue', () => {
  it('says who changed what, when and why, and outlives restarts', async () => {
    const w = await world();
    const first = await configure(w, { updateQueueRateLimit: { requestsPerSecond: 10, reason: 'load' } });
    const limit = { requestsPerSecond: 10, reason: 'load', updateIdentity: 'me', updateTime: w.time.at };
    expect(first.value?.queues).toEqual([
      { namespace: 'default', taskQueue: 'q', kind: 'activity', config: { queueRateLimit: limit } },
    ]);
    await configure(w, { setFairnessWeightOverrides: { a: 2, b: 3 } });
    await configure(w, { unsetFairnessWeightOverrides: ['b'], updateFairnessKeyRateLimitDefault: {} });
    await w.restart();
    expect((await all(w)).map(({ config }) => config)).toMatchObject([
      { queueRateLimit: limit, fairnessWeightOverrides: { a: 2 }, fairnessKeysRateLimitDefault: { reason: '' } },
    ]);
  });

  it('is told with the namespaces, to whoever has not heard of the change', async () => {
    const w = await world();
    const { value } = await configure(w, { updateQueueRateLimit: { requestsPerSecond: 1 } });
    const list = (since: number | undefined) =>
      w.call<NamespaceAnswer>((done) => w.engine.namespaces({ type: 'list', since }, done));
    expect((await list(value?.revision)).value?.queues).toBeUndefined();
    expect((await list((value?.revision ?? 0) - 1)).value?.queues).toHaveLength(1);
  });

  it('of which nothing is configured any more is forgotten, and so are those of a deleted namespace', async () => {
    const w = await world();
    await configure(w, { setFairnessWeightOverrides: { a: 2 } });
    await configure(w, { unsetFairnessWeightOverrides: ['a'] });
    expect(await all(w)).toEqual([]);
    const record = {
      ...{ name: 'gone', id: 'id', state: NamespaceState.REGISTERED, retention: HOUR },
      ...{ description: '', ownerEmail: '', data: {} },
    };
    await w.call((done) => w.engine.namespaces({ type: 'register', record }, done));
    await configure(w, { namespace: 'gone', updateQueueRateLimit: { requestsPerSecond: 1 } });
    await configure(w, { updateQueueRateLimit: { requestsPerSecond: 1 } });
    await w.call((done) => w.engine.namespaces({ type: 'delete', name: 'gone' }, done));
    await w.time.advance(10_000);
    expect((await all(w)).map(({ namespace }) => namespace)).toEqual(['default']);
  });

  it('is refused when there are too many', async () => {
    const w = await world();
    const large = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`${i}`.padStart(60, 'k'), 2]));
    let refused: StatusCode | undefined;
    for (let i = 0; i < MAX_CONFIGURED_QUEUES && refused === undefined; i += 1) {
      const { error } = await configure(w, { taskQueue: `q${i}`, setFairnessWeightOverrides: large });
      refused = error?.code;
    }
    expect(refused).toBe(StatusCode.RESOURCE_EXHAUSTED);
    expect((await all(w)).length).toBeLessThan(30);
  });
});
