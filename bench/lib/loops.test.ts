import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { closedLoop, type LoadClock, type Loop, openLoop } from './loops.ts';

/** Time that goes on only when it is told to, or when somebody sleeps. */
class FakeClock implements LoadClock {
  #nowMs = 1_000;

  nowMs(): number {
    return this.#nowMs;
  }

  async sleepUntil(atMs: number): Promise<void> {
    await turn();
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  breathe(): Promise<void> {
    return turn();
  }

  pass(ms: number): void {
    this.#nowMs += ms;
  }
}

/** Runs a loop of `count` operations; returns from when each one's latency counts, since the start. */
async function begins(
  count: number,
  make: (clock: FakeClock, note: (beganAtMs: number) => void) => Loop,
): Promise<number[]> {
  const clock = new FakeClock();
  const seen: number[] = [];
  const loop = make(clock, (beganAtMs) => {
    seen.push(beganAtMs - 1_000);
    if (seen.length === count) loop.stop();
  });
  await loop.ended;
  return seen;
}

describe('an open loop', () => {
  it('begins so many per second, evenly', async () => {
    const seen = await begins(5, (clock, note) =>
      openLoop(clock, { perSecond: 100, phase: 0, atMost: 10 }, async (_, at) => note(at)),
    );
    expect(seen).toEqual([0, 10, 20, 30, 40]);
  });

  it('interleaves with those of other clients', async () => {
    const seen = await begins(3, (clock, note) =>
      openLoop(clock, { perSecond: 100, phase: 0.5, atMost: 10 }, async (_, at) => note(at)),
    );
    expect(seen).toEqual([5, 15, 25]);
  });

  it('counts latency from when an operation should have begun, though the process stalled', async () => {
    const seen = await begins(5, (clock, note) =>
      openLoop(clock, { perSecond: 100, phase: 0, atMost: 10 }, async (n, at) => {
        note(at);
        if (n === 1) clock.pass(25);
      }),
    );
    expect(seen).toEqual([0, 10, 20, 30, 40]);
  });

  it('goes on beginning while none has ended, and waits at its bound on the account of latency', async () => {
    const clock = new FakeClock();
    const seen: number[] = [];
    const open: (() => void)[] = [];
    const loop = openLoop(clock, { perSecond: 100, phase: 0, atMost: 3 }, (_, at) => {
      seen.push(at - 1_000);
      return new Promise((resolve) => open.push(resolve));
    });
    for (let i = 0; i < 20; i += 1) await turn();
    expect(seen).toEqual([0, 10, 20]);
    clock.pass(100);
    open.shift()?.();
    for (let i = 0; i < 20; i += 1) await turn();
    expect(seen).toEqual([0, 10, 20, 30]);
    loop.stop();
    for (const resolve of open) resolve();
    await loop.ended;
    // Those of 40 to 130 ms: it had slept until 30.
    expect(loop.notBegun).toBe(10);
  });

  it('ends with the first failure', async () => {
    const loop = openLoop(new FakeClock(), { perSecond: 100, phase: 0, atMost: 3 }, async (n) => {
      if (n === 2) throw new Error('workflow 2 returned nonsense');
    });
    await expect(loop.ended).rejects.toThrow('workflow 2 returned nonsense');
  });
});

describe('a closed loop', () => {
  it('has so many under way, and begins one when one ends', async () => {
    const open: (() => void)[] = [];
    const seen: number[] = [];
    const loop = closedLoop(new FakeClock(), 2, (n) => {
      seen.push(n);
      return new Promise((resolve) => open.push(resolve));
    });
    await turn();
    expect(seen).toEqual([0, 1]);
    open.shift()?.();
    await turn();
    expect(seen).toEqual([0, 1, 2]);
    loop.stop();
    for (const resolve of open) resolve();
    await loop.ended;
    expect(seen).toEqual([0, 1, 2]);
  });
});
