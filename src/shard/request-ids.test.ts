// Request ids over a store: a workflow that is signalled a thousand times a second, dropped from memory, read again and restarted, applies each once.
import { describe, expect, it } from 'vitest';
import type { Message } from '../core/workflow/index.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { command, NAMESPACE, World } from './testing.ts';

const TARGET = { namespace: NAMESPACE, workflowId: 'hot' };

const signal = (n: number): Message => ({
  ...{ type: 'signal', target: {}, signalName: 's', identity: 'client' },
  requestId: `signal-${n}`,
});

async function signalled(w: World): Promise<number> {
  const { value } = await w.call<{ workflowExecutionInfo: { historyLength: number } }>((done) =>
    w.engine.describe(TARGET, undefined, done),
  );
  return value?.workflowExecutionInfo.historyLength ?? 0;
}

describe('the request ids of a workflow', () => {
  it('are known after its actor left memory, after a restart, and after it continued as new', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 2 })).open();
    await w.start('hot');
    const count = 1_000;
    const all = async (): Promise<(number | undefined)[]> => {
      const codes = [];
      for (let n = 0; n < count; n += 1) codes.push((await w.send('hot', signal(n))).error?.code);
      return [...new Set(codes)];
    };
    expect(await all()).toEqual([undefined]);
    const before = await signalled(w);

    w.engine.passivateAll();
    expect(w.engine.getStats().actors).toBe(0);
    expect(await all()).toEqual([undefined]);
    await w.engine.flush();
    await w.restart();
    expect(await all()).toEqual([undefined]);
    expect(await signalled(w)).toBe(before);

    const worker = w.worker({ workflow: 10 });
    await w.time.settle();
    await w.send('hot', w.completion(worker.take('workflow'), [command.continueAsNew()]));
    await w.time.advance(2_000);
    const fresh = await signalled(w);
    expect(fresh).toBeLessThan(10);
    expect(await all()).toEqual([undefined]);
    expect(await signalled(w)).toBe(fresh);
  });

  it('are counted in the memory of the actors once, however often their rows are written', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 2 })).open();
    await w.start('hot');
    const before = w.engine.getStats().actorBytes;
    for (let n = 0; n < 2_000; n += 1) await w.send('hot', signal(n));
    const grown = w.engine.getStats().actorBytes - before;
    expect(grown).toBeGreaterThan(2_000 * 16);
    expect(grown).toBeLessThan(2_000 * 100);
    w.engine.passivateAll();
    expect(w.engine.getStats().actorBytes).toBe(0);
    await w.send('hot', signal(0));
    expect(w.engine.getStats().actorBytes).toBeLessThan(2 * (before + grown));
  });
});
