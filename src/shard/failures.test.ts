// What a bad disk may cost: a failed write stops the node and says what may have been applied; damage of one workflow is that workflow's.
import { describe, expect, it } from 'vitest';
import { shardId, term } from '../ports/ids.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { StatusCode } from '../wire/status.ts';
import { type ActorCore, workflowCore } from './core.ts';
import { command, NAMESPACE, World } from './testing.ts';

const address = (workflowId: string) => ({ namespace: NAMESPACE, workflowId });

describe('a write that fails', () => {
  it('is final: turns in flight may be applied, those after it are not, and nothing is served any more', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 2 })).open();
    await w.start('a');
    disk.faults.beforeWrite = () => {
      throw new Error('ENOSPC');
    };
    const inFlight = w.post('b', w.startMessage());
    await w.time.settle();
    expect(inFlight.error).toMatchObject({
      code: StatusCode.UNAVAILABLE,
      detail: { kind: 'Unavailable', applied: 'maybe' },
    });
    expect(w.engine.health.state).toBe('failed');
    expect(w.fatal.length).toBe(1);
    const after = await w.send('c', w.startMessage());
    expect(after.error).toMatchObject({ code: StatusCode.UNAVAILABLE, detail: { kind: 'Unavailable', applied: 'no' } });
    const read = await w.call((done) => w.engine.describe(address('a'), undefined, done));
    expect(read.error?.code).toBe(StatusCode.UNAVAILABLE);
    disk.faults = {};
    await w.restart();
    const again = await w.call((done) => w.engine.describe(address('a'), undefined, done));
    expect(again.error).toBeUndefined();
  });

  it('releases the workers whose tasks it took with it', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 2 })).open();
    const worker = w.worker({ workflow: 1 });
    disk.faults.beforeWrite = () => {
      throw new Error('EIO');
    };
    await w.send('a', w.startMessage());
    expect([worker.received.length, worker.credit.workflow]).toEqual([0, 1]);
  });
});

describe('a shard that a newer term has taken', () => {
  /** A store in which another node leads all shards from now on, in the words of one that is shared. */
  async function taken(applied?: 'maybe') {
    const disk = new MemoryDisk();
    const open = () => openMemoryStore({ disk, shardCount: 1 });
    const w = await new World(open).open();
    await w.start('a');
    const fenced = { fenced: [{ shard: shardId(0), newerTerm: term(9), ...(applied && { applied }) }] };
    const store = w.store;
    return {
      w,
      fenceAppends: () => {
        store.append = async () => fenced;
      },
      fenceFlushes: () => {
        store.flush = async () => fenced;
      },
    };
  }

  it.each([
    [undefined, 'no'],
    ['maybe', 'maybe'],
  ] as const)('says of a commit that the store calls %s applied: %s', async (said, applied) => {
    const { w, fenceAppends } = await taken(said);
    fenceAppends();
    const { error } = await w.send('b', w.startMessage());
    expect(error).toMatchObject({ code: StatusCode.UNAVAILABLE, detail: { kind: 'Unavailable', applied } });
    expect(w.engine.health).toMatchObject({ state: 'failed', error: expect.stringContaining('shard 0 was fenced') });
  });

  it('is noticed by a flush too, whose rows stay where they are', async () => {
    const { w, fenceFlushes } = await taken();
    const { overlayRows } = w.engine.getStats();
    expect(overlayRows).toBeGreaterThan(0);
    fenceFlushes();
    await w.engine.flush();
    expect(w.engine.health.state).toBe('failed');
    expect(w.engine.getStats().overlayRows).toBe(overlayRows);
    expect((await w.send('b', w.startMessage())).error).toMatchObject({ detail: { applied: 'no' } });
  });
});

describe('a fault of the core', () => {
  it('costs its message and no more: the workflow goes on', async () => {
    let broken = true;
    const decide: ActorCore['decide'] = (state, message, context) => {
      if (broken && message.type === 'signal') throw new Error('a bug');
      return workflowCore.decide(state, message, context);
    };
    const w = await new World(() => openMemoryStore({ shardCount: 1 }), { core: { ...workflowCore, decide } }).open();
    await w.start('a');
    const refused = await w.send('a', w.signalMessage('x'));
    expect(refused.error).toMatchObject({ code: StatusCode.INTERNAL, message: expect.stringContaining('workflow a') });
    broken = false;
    expect((await w.send('a', w.signalMessage('x'))).error).toBeUndefined();
  });
});

describe('damaged bytes', () => {
  it('of one workflow are reported as data loss, the others go on', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 2 })).open();
    await w.start('sound');
    await w.start('broken');
    await w.time.advance(1_000);
    await w.engine.close();
    const damaged = disk.keys().filter((key) => key.includes('broken') && !key.includes('\u0000\u0001w'));
    for (const key of damaged) disk.flipBit(key, 77);
    await w.restart();
    const bad = await w.send('broken', w.signalMessage('x'));
    expect(bad.error?.code).toBe(StatusCode.DATA_LOSS);
    expect(bad.error?.message).toContain('broken');
    const good = await w.send('sound', w.signalMessage('x'));
    expect(good.error).toBeUndefined();
    expect(w.engine.health.state).toBe('serving');
  });
});

describe('bounds (I9)', () => {
  it('a disk that runs full refuses starts and signals while completions go on', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 2 }), {
      bounds: { freeSpaceReserve: 2 ** 50, freeSpaceCheckMs: 1_000 },
    }).open();
    await w.time.settle();
    const refused = await w.send('a', w.startMessage());
    expect(refused.error).toMatchObject({ code: StatusCode.RESOURCE_EXHAUSTED, detail: { cause: 'DISK_SPACE' } });
  });

  it('a full mailbox refuses, and what it holds is done in order', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 2 }), { bounds: { mailbox: 3 } }).open();
    await w.start('a');
    w.engine.passivateAll();
    const answers = Array.from({ length: 5 }, (_, i) => w.post('a', w.signalMessage(`s${i}`)));
    await w.time.settle();
    expect(answers.map(({ error }) => error?.code)).toEqual([
      undefined,
      undefined,
      undefined,
      StatusCode.RESOURCE_EXHAUSTED,
      StatusCode.RESOURCE_EXHAUSTED,
    ]);
  });

  it('undurable work refuses starts first, completions last', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 2 }), { bounds: { pendingTurns: 10 } }).open();
    const worker = w.worker({ workflow: 1 });
    await w.start('a');
    const task = worker.take('workflow');
    const held: (() => void)[] = [];
    disk.faults.complete = (done) => held.push(done);
    const starts = Array.from({ length: 12 }, (_, i) => w.post(`s${i}`, w.startMessage()));
    await w.time.settle();
    const refused = starts.filter(({ error }) => error?.detail?.kind === 'ResourceExhausted');
    expect([refused.length, starts.filter(({ done }) => !done).length]).toEqual([7, 5]);
    const completion = w.post('a', w.completion(task, [command.complete()]));
    expect(completion.error).toBeUndefined();
    disk.faults = {};
    for (const done of held) done();
    await w.time.settle();
    expect(completion.done && completion.error === undefined).toBe(true);
    expect(starts.filter(({ value }) => value !== undefined).length).toBe(5);
  });
});
