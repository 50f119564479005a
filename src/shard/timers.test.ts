// Durable timers: at least once, never early, also after a kill and when only a few fit into memory.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { EventType } from '../wire/enums.ts';
import { command, HOUR, World } from './testing.ts';

const fired = async (w: World, id: string): Promise<boolean> =>
  (await w.history(id)).some(({ eventType }) => eventType === EventType.TIMER_FIRED);

describe('timers of sleeping workflows', () => {
  it('fire on time whatever is passivated, killed or left on disk', async () => {
    const sleeps = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sleeps, fc.array(fc.nat(60_000), { maxLength: 4 }), async (durations, kills) => {
        const disk = new MemoryDisk();
        const w = new World(() => openMemoryStore({ disk, shardCount: 4 }), {
          bounds: { timerWindow: 3, cachedActors: 2, actorIdleMs: 1_000 },
        });
        await w.open();
        const worker = w.worker({ workflow: 100 });
        const due = new Map<string, number>();
        for (const [i, ms] of durations.entries()) {
          await w.start(`w${i}`);
          due.set(`w${i}`, w.time.at + ms);
          await w.send(`w${i}`, w.completion(worker.take('workflow'), [command.timer('t', ms)]));
        }
        await w.engine.flush();
        worker.credit.workflow = 0;
        for (const ms of kills) {
          await w.time.advance(ms);
          await w.restart();
        }
        await w.time.advance(Math.max(...due.values()) - w.time.at + 2_000);
        for (const [id, at] of due) {
          const events = await w.history(id);
          const fired = events.filter(({ eventType }) => eventType === EventType.TIMER_FIRED);
          expect(fired.length).toBe(1);
          const late = (fired[0]?.eventTime ?? 0) - at;
          expect(late).toBeGreaterThanOrEqual(0);
          if (kills.length === 0) expect(late).toBeLessThan(1_500);
        }
      }),
      { numRuns: 30 },
    );
  }, 60_000);

  it('go on while the wall clock is behind: neither early (I7) nor late by the step', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 1 })).open();
    const worker = w.worker({ workflow: 10 });
    const sleep = async (id: string, ms: number): Promise<void> => {
      await w.start(id);
      await w.send(id, w.completion(worker.take('workflow'), [command.timer('t', ms)]));
    };
    await sleep('before', 10_000);
    await w.time.advance(1_000);
    w.time.wallOffMs -= HOUR;
    await sleep('after', 5_000);
    await w.time.advance(4_999);
    expect(await fired(w, 'after')).toBe(false);
    await w.time.advance(300);
    expect(await fired(w, 'after')).toBe(true);
    await w.time.advance(3_700);
    expect(await fired(w, 'before')).toBe(false);
    await w.time.advance(500);
    expect(await fired(w, 'before')).toBe(true);
    for (const id of ['before', 'after']) {
      const times = (await w.history(id)).map(({ eventTime }) => eventTime);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
    // The wall clock is set right: it is followed again.
    w.time.wallOffMs = 0;
    await w.start('later');
    expect((await w.history('later'))[0]?.eventTime).toBe(w.time.now());
  });

  it('of a shard whose last entry lies ahead of the clock at a start go on from there; other shards keep to the clock', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 64 })).open();
    const worker = w.worker({ workflow: 10 });
    await w.start('ahead');
    await w.send('ahead', w.completion(worker.take('workflow'), [command.timer('t', 20_000)]));
    await w.engine.flush();
    w.time.wallOffMs -= HOUR;
    await w.restart();
    const again = w.worker({ workflow: 10 });
    await w.start('elsewhere');
    expect((await w.history('elsewhere'))[0]?.eventTime).toBe(w.time.now());
    await w.send('elsewhere', w.completion(again.take('workflow'), [command.timer('t', 20_000)]));
    await w.time.advance(19_900);
    expect([await fired(w, 'ahead'), await fired(w, 'elsewhere')]).toEqual([false, false]);
    await w.time.advance(200);
    expect([await fired(w, 'ahead'), await fired(w, 'elsewhere')]).toEqual([false, true]);
    await w.time.advance(1_000);
    expect(await fired(w, 'ahead')).toBe(true);
  });

  it('armed just after a start are found by the next one, however soon the node is killed', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 1 })).open();
    const worker = w.worker({ workflow: 2 });
    // Nothing is armed yet: a low-water hint written now lies in the future.
    await w.start('first');
    await w.send('first', w.completion(worker.take('workflow'), [command.complete()]));
    await w.time.advance(1_000);
    await w.start('a');
    await w.send('a', w.completion(worker.take('workflow'), [command.timer('t', 2_000)]));
    await w.time.advance(1_000);
    await w.restart();
    await w.time.advance(5_000);
    expect((await w.history('a')).some(({ eventType }) => eventType === EventType.TIMER_FIRED)).toBe(true);
  });

  it('that an actor read back arms where it had armed one before go from disk with their deletion', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 1 })).open();
    const worker = w.worker({ workflow: 10 });
    await w.start('a', { workflowRunTimeout: 90_000 });
    await w.send('a', w.completion(worker.take('workflow'), [command.timer('first', 10_000)]));
    await w.time.advance(1_000);
    // The deadline moves later: its row stays, and is forgotten with the actor.
    await w.send('a', w.signalMessage('cancel it'));
    await w.send('a', w.completion(worker.take('workflow'), [command.cancelTimer('first')]));
    await w.engine.flush();
    w.engine.passivateAll();
    await w.send('a', w.signalMessage('arm another at the same time'));
    await w.send('a', w.completion(worker.take('workflow'), [command.timer('second', 9_000)]));
    await w.send('a', w.signalMessage('and cancel it at once'));
    await w.send('a', w.completion(worker.take('workflow'), [command.cancelTimer('second')]));
    await w.engine.flush();
    await w.restart();
    await w.time.advance(30_000);
    expect(w.engine.getStats().timersFired).toBe(0);
  });

  it('leave no rows behind when their run closes', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 1 })).open();
    const worker = w.worker({ workflow: 1 });
    await w.start('a', { workflowRunTimeout: 60_000 });
    await w.time.advance(1_000);
    await w.send('a', w.completion(worker.take('workflow'), [command.complete()]));
    await w.time.advance(1_000);
    // What is left is the run's retention.
    expect(w.engine.getStats().timersInMemory).toBe(0);
    await w.time.advance(120_000);
    expect(w.engine.getStats().timersFired).toBe(0);
  });
});
