// Durable timers: at least once, never early, also after a kill and when only a few fit into memory.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { EventType } from '../wire/enums.ts';
import { command, World } from './testing.ts';

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

  it('never fire early when the clock steps back (I7)', async () => {
    const w = await new World(() => openMemoryStore({ shardCount: 1 })).open();
    const worker = w.worker({ workflow: 1 });
    await w.start('a');
    await w.send('a', w.completion(worker.take('workflow'), [command.timer('t', 10_000)]));
    const before = await w.history('a');
    w.time.at -= 5_000;
    await w.send('a', w.signalMessage('while the clock is behind'));
    await w.time.advance(9_000);
    expect((await w.history('a')).some(({ eventType }) => eventType === EventType.TIMER_FIRED)).toBe(false);
    expect((await w.history('a')).length).toBeGreaterThan(before.length);
    await w.time.advance(7_000);
    const after = await w.history('a');
    expect(after.some(({ eventType }) => eventType === EventType.TIMER_FIRED)).toBe(true);
    for (let i = 1; i < after.length; i += 1) {
      expect(after[i]?.eventTime).toBeGreaterThanOrEqual(after[i - 1]?.eventTime ?? 0);
    }
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
