// Deleting executions on a shard: found no more at once, its rows gone soon, also when killed in between; counts stay right.
import { describe, expect, it } from 'vitest';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { untimedRunId } from '../wire/run-id.ts';
import { StatusCode } from '../wire/status.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../wire/visibility.ts';
import { command, HOUR, NAMESPACE, World } from './testing.ts';

const open = (disk = new MemoryDisk()): Promise<World> =>
  new World(() => openMemoryStore({ disk, shardCount: 2 })).open();

async function list(w: World, query = ''): Promise<string[]> {
  const request = { namespace: NAMESPACE, query, pageSize: 100, nextPageToken: undefined };
  const { value } = await w.call<ListWorkflowExecutionsResponse>((done) => w.engine.list(request, done));
  return (value?.executions ?? []).map(({ runId }) => runId).sort();
}

async function count(w: World, query: string): Promise<number | undefined> {
  const { value } = await w.call<CountWorkflowExecutionsResponse>((done) =>
    w.engine.count({ namespace: NAMESPACE, query }, done),
  );
  return value?.count;
}

const remove = async (w: World, workflowId: string, runId?: string): Promise<StatusCode | undefined> =>
  (await w.send(workflowId, { type: 'deleteExecution', target: { runId }, identity: 'client' })).error?.code;

async function found(w: World, workflowId: string, runId?: string): Promise<(StatusCode | undefined)[]> {
  const to = { namespace: NAMESPACE, workflowId };
  const query = { runId, fromEventId: 1, maximumBytes: 1_000, waitNewEvent: false, closeEventOnly: false };
  const answers = [
    await w.call((done) => w.engine.describe(to, runId, done)),
    await w.call((done) => void w.engine.history(to, query, done)),
    await w.call((done) => void w.engine.awaitResult(to, runId, false, done)),
  ];
  return answers.map(({ error }) => error?.code);
}

const GONE = [StatusCode.NOT_FOUND, StatusCode.NOT_FOUND, StatusCode.NOT_FOUND];

describe('a deleted execution', () => {
  it.each(['open', 'closed'])(
    'that was %s is found no more at once, and its rows go, also when killed before',
    async (was) => {
      const disk = new MemoryDisk();
      const w = await open(disk);
      const kept = await w.start('b', { taskQueue: 'nobody' });
      if (was === 'closed') w.autopilot(1);
      const runId = await w.start('a', was === 'open' ? { taskQueue: 'nobody' } : {});
      await w.time.advance(1_000);
      await w.engine.flush();
      expect(await remove(w, 'a')).toBeUndefined();
      expect(await list(w)).toEqual([kept]);
      expect(await count(w, "ExecutionStatus = 'Running'")).toBe(1);
      expect(await count(w, "ExecutionStatus != 'Running'")).toBe(0);
      expect(await found(w, 'a', runId)).toEqual(GONE);
      expect(await found(w, 'a')).toEqual(GONE);
      expect(await remove(w, 'a')).toBe(StatusCode.NOT_FOUND);
      await w.restart();
      expect(await found(w, 'a', runId)).toEqual(GONE);
      await w.time.advance(5_000);
      // What it would have been kept for otherwise finds nothing to do.
      w.time.at += 73 * HOUR;
      await w.time.advance(5_000);
      expect(await list(w)).toEqual([kept]);
      expect(await count(w, "ExecutionStatus = 'Running'")).toBe(1);
      await w.engine.close();
      expect(disk.keys().filter((key) => key.includes(runId))).toEqual([]);
    },
  );

  it('leaves the other runs of its id, which are still read by their run ids', async () => {
    const w = await open();
    const worker = w.worker({ workflow: 1 });
    const first = await w.start('a');
    await w.send('a', w.completion(worker.take('workflow'), [command.continueAsNew()]));
    await w.time.advance(1_000);
    expect(await remove(w, 'a')).toBeUndefined();
    await w.time.advance(5_000);
    expect(await list(w)).toEqual([first]);
    expect(await list(w, "WorkflowId = 'a'")).toEqual([first]);
    expect(await found(w, 'a', first)).toEqual([undefined, undefined, undefined]);
    expect(await found(w, 'a')).toEqual(GONE);
    expect(await remove(w, 'a', first)).toBeUndefined();
    await w.time.advance(5_000);
    expect(await list(w)).toEqual([]);
    expect(await found(w, 'a', first)).toEqual(GONE);
  });

  it('makes room for another of its id, that is not touched when the rows of the old one go', async () => {
    const w = await open();
    const old = await w.start('a', { taskQueue: 'nobody' });
    await remove(w, 'a');
    const again = await w.start('a', { taskQueue: 'nobody', requestId: 'again' });
    await w.time.advance(5_000);
    expect(await list(w, "WorkflowId = 'a'")).toEqual([again]);
    expect(await found(w, 'a', old)).toEqual(GONE);
    expect(
      (await w.call((done) => w.engine.describe({ namespace: NAMESPACE, workflowId: 'a' }, undefined, done))).error,
    ).toBeUndefined();
  });

  it('does not come back by its start, repeated late; when that is forgotten it begins a run of another id, which stays whole', async () => {
    const w = await open();
    const message = w.startMessage({ taskQueue: 'nobody', runId: untimedRunId(w.random.uuid()) });
    expect((await w.send('a', message)).error).toBeUndefined();
    const [old = ''] = await list(w);
    await w.time.advance(1);
    expect(await remove(w, 'a', old)).toBeUndefined();
    // A node that stood still hands on what it was asked before anybody knew of the run.
    const late = await w.send('a', message);
    expect(late.value).toMatchObject({ type: 'started', response: { runId: old, started: true } });
    expect(await list(w)).toEqual([]);
    // Ten minutes after its end, by a timer of its own.
    await w.time.advance(10 * 60_000 + 5_000);
    expect((await w.send('a', message)).error).toBeUndefined();
    const [again = ''] = await list(w);
    expect(again).not.toBe(old);
    await w.time.advance(5_000);
    expect(await found(w, 'a', old)).toEqual(GONE);
    expect((await w.history('a', again)).map(({ eventId }) => eventId)).toEqual([1, 2]);
  });

  it('wakes who waits for its end', async () => {
    const w = await open();
    await w.start('a', { taskQueue: 'nobody' });
    const waiting = w.call(
      (done) => void w.engine.awaitResult({ namespace: NAMESPACE, workflowId: 'a' }, undefined, false, done),
    );
    await remove(w, 'a');
    expect((await waiting).error?.code).toBe(StatusCode.NOT_FOUND);
  });
});
