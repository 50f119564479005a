// Retention: closed runs go, with everything of them, once; open ones and their successors stay.
import { describe, expect, it } from 'vitest';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { StatusCode } from '../wire/status.ts';
import type { ListWorkflowExecutionsResponse } from '../wire/visibility.ts';
import { command, HOUR, NAMESPACE, World } from './testing.ts';

const list = async (w: World): Promise<string[]> => {
  const answer = await w.call<ListWorkflowExecutionsResponse>((done) =>
    w.engine.list({ namespace: NAMESPACE, query: '', pageSize: 100, nextPageToken: undefined }, done),
  );
  return answer.value?.executions.map(({ runId }) => runId) ?? [];
};

describe('retention', () => {
  it('deletes a closed run after its namespace’s time, not before, also when killed in between', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 2 })).open();
    const worker = w.autopilot(1);
    const runId = await w.start('a');
    const open = await w.start('b', { taskQueue: 'nobody' });
    await w.time.advance(1_000);
    worker.connected = false;
    const rows = disk.keys().length;
    w.time.at += 71 * HOUR;
    await w.restart();
    await w.time.advance(5_000);
    expect(new Set(await list(w))).toEqual(new Set([open, runId]));
    w.time.at += 1 * HOUR;
    await w.time.advance(10_000);
    expect(await list(w)).toEqual([open]);
    expect(w.engine.getStats().runsDeleted).toBe(1);
    const gone = await w.call((done) => w.engine.describe({ namespace: NAMESPACE, workflowId: 'a' }, undefined, done));
    expect(gone.error?.code).toBe(StatusCode.NOT_FOUND);
    await w.engine.close();
    const left = disk.keys().filter((key) => key.includes(runId));
    expect(left).toEqual([]);
    expect(disk.keys().length).toBeLessThan(rows);
  });

  it('is that of the namespace when a run’s time has come, also when it was unknown as the run closed', async () => {
    let isKnown = true;
    const w = await new World(() => openMemoryStore({ shardCount: 2 }), { namespacesKnown: () => isKnown }).open();
    w.autopilot(0);
    const extended = await w.start('a');
    await w.time.advance(1_000);
    w.namespaces.set(NAMESPACE, { id: 'id-of-default', retention: 100 * HOUR });
    w.time.at += 73 * HOUR;
    await w.time.advance(10_000);
    expect(await list(w)).toEqual([extended]);
    // A node that has just started knows what others registered only a moment later.
    isKnown = false;
    w.namespaces.delete(NAMESPACE);
    const unheard = await w.start('b');
    await w.time.advance(1_000);
    w.time.at += 30 * HOUR;
    await w.time.advance(10_000);
    expect(new Set(await list(w))).toEqual(new Set([extended, unheard]));
    isKnown = true;
    w.namespaces.set(NAMESPACE, { id: 'id-of-default', retention: 100 * HOUR });
    await w.time.advance(120_000);
    expect(await list(w)).toEqual([unheard]);
    w.time.at += 100 * HOUR;
    await w.time.advance(120_000);
    expect(await list(w)).toEqual([]);
  });

  it('keeps the run that carries the chain on', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 2 })).open();
    const worker = w.worker({ workflow: 1 });
    await w.start('a');
    await w.send('a', w.completion(worker.take('workflow'), [command.continueAsNew()]));
    await w.time.advance(10_000);
    expect((await list(w)).length).toBe(2);
    w.time.at += 72 * HOUR;
    await w.time.advance(10_000);
    const [left] = await list(w);
    const described = await w.call<{ workflowExecutionInfo: { runId: string } }>((done) =>
      w.engine.describe({ namespace: NAMESPACE, workflowId: 'a' }, undefined, done),
    );
    expect(described.value?.workflowExecutionInfo.runId).toBe(left);
  });
});
