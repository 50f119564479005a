// A flow-control key: who gets a permit, and when; what crashes and the clock do to it.
import { describe, expect, it } from 'vitest';
import { IDLE_MS, RESERVATION_MS } from './limits.ts';
import { Key, said } from './world.test-support.ts';

const two = { concurrency: { limit: 2 } };

describe('concurrency', () => {
  it('lets so many run, and the next one when one has closed: in order of arrival', () => {
    const key = new Key();
    expect(said(key.acquire('a', two))).toEqual(['granted a']);
    expect(said(key.acquire('b', two))).toEqual(['granted b']);
    expect(said(key.acquire('c', two))).toEqual([]);
    expect(said(key.acquire('d', two))).toEqual([]);
    expect(key.describe('d')).toMatchObject({ held: 2, waiting: 2, position: 2 });
    expect(said(key.release('b'))).toEqual(['granted c']);
    expect(said(key.release('a'))).toEqual(['granted d']);
  });

  it('respects priority before arrival', () => {
    const key = new Key();
    key.acquire('a', { concurrency: { limit: 1 } });
    key.acquire('late', { concurrency: { limit: 1 } }, 4);
    key.acquire('first', { concurrency: { limit: 1 } }, 1);
    key.acquire('second', { concurrency: { limit: 1 } }, 1);
    expect(key.describe().waiters.map(({ workflowId }) => workflowId)).toEqual(['first', 'second', 'late']);
    expect(said(key.release('a'))).toEqual(['granted first']);
  });

  it('forgets who stops to wait', () => {
    const key = new Key();
    key.acquire('a', { concurrency: { limit: 1 } });
    key.acquire('b', { concurrency: { limit: 1 } });
    key.acquire('c', { concurrency: { limit: 1 } });
    key.release('b');
    expect(said(key.release('a'))).toEqual(['granted c']);
  });

  it('follows the latest limit: a higher one lets more through at once, a lower one takes nothing back', () => {
    const key = new Key();
    key.acquire('a', { concurrency: { limit: 1 } });
    key.acquire('b', { concurrency: { limit: 1 } });
    expect(said(key.acquire('c', { concurrency: { limit: 3 } }))).toEqual(['granted b', 'granted c']);
    key.acquire('d', { concurrency: { limit: 1 } });
    expect(said(key.release('a'))).toEqual([]);
    expect(said(key.release('b'))).toEqual([]);
    expect(said(key.release('c'))).toEqual(['granted d']);
  });

  it("holds to an operator's limit whatever starts say, until it is taken back", () => {
    const key = new Key();
    key.tell({ type: 'setFlowLimits', limits: { concurrency: { limit: 0 } } });
    expect(said(key.acquire('a', two))).toEqual([]);
    expect(key.describe()).toMatchObject({ limits: { concurrency: { limit: 0 } }, waiting: 1 });
    expect(said(key.tell({ type: 'setFlowLimits', limits: {} }))).toEqual(['granted a']);
    expect(key.describe().setLimits).toBeUndefined();
  });

  it('refuses at once where that is asked for', () => {
    const key = new Key();
    const full = { concurrency: { limit: 1 }, whenFull: 'reject' as const };
    key.acquire('a', full);
    expect(said(key.acquire('b', full))).toEqual(['refused b']);
    expect(key.describe().waiting).toBe(0);
  });

  it('opens for thousands in turns of a hundred', () => {
    const key = new Key();
    key.tell({ type: 'setFlowLimits', limits: { concurrency: { limit: 0 } } });
    for (let n = 0; n < 250; n += 1) key.acquire(`w${n}`, { concurrency: { limit: 1_000 } });
    expect(key.tell({ type: 'setFlowLimits', limits: {} })).toHaveLength(100);
    expect(key.advance(0)).toHaveLength(150);
  });
});

describe('a throttle', () => {
  const three = { throttle: { limit: 3, periodMs: 1_000 } };

  it('lets so many begin within any period, and the others as it moves on', () => {
    const key = new Key();
    key.acquire('a', three);
    key.now += 400;
    for (const name of ['b', 'c', 'd', 'e']) key.acquire(name, three);
    expect(said(key.sent)).toEqual(['granted a', 'granted b', 'granted c']);
    expect(key.describe().nextStartAt).toBe(1_001_000);
    expect(said(key.advance(599))).toEqual([]);
    expect(said(key.advance(1))).toEqual(['granted d']);
    expect(said(key.advance(399))).toEqual([]);
    expect(said(key.advance(1))).toEqual(['granted e']);
  });

  it('remembers no more than the last period', () => {
    const key = new Key();
    for (let n = 0; n < 1_000; n += 1) {
      key.acquire(`w${n}`, three);
      key.release(`w${n}`);
      key.now += 400;
    }
    expect([...key.rows.keys()].filter((id) => id.startsWith('s')).length).toBeLessThanOrEqual(2);
    key.reload();
    expect(key.describe().startedInPeriod).toBe(2);
  });
});

describe('debounce', () => {
  const quiet = { debounce: { quietMs: 1_000, maxWaitMs: 2_500 } };

  it('runs the last start of those that follow each other, once it is quiet', () => {
    const key = new Key();
    expect(said(key.acquire('a', quiet))).toEqual([]);
    expect(said(key.advance(999))).toEqual([]);
    expect(said(key.acquire('b', quiet))).toEqual(['terminate a']);
    expect(key.describe()).toMatchObject({ debounced: { workflowId: 'b', until: 1_001_999 } });
    expect(said(key.advance(999))).toEqual([]);
    expect(said(key.advance(1))).toEqual(['granted b']);
  });

  it('waits no longer than it may since the first of them', () => {
    const key = new Key();
    key.acquire('a', quiet);
    for (const name of ['b', 'c', 'd']) {
      key.advance(800);
      key.acquire(name, quiet);
    }
    expect(said(key.advance(100))).toEqual(['granted d']);
  });

  it('runs the last input, also when the message of an earlier one was held up and comes after it', () => {
    const key = new Key();
    const asked = key.now;
    key.now += 2_000;
    expect(said(key.acquire('later', quiet))).toEqual([]);
    const { debounced } = key.describe();
    expect(said(key.acquire('earlier', quiet, 3, 'earlier', asked))).toEqual(['terminate earlier']);
    expect(key.describe()).toMatchObject({ debounced, counts: { superseded: 1 } });
    key.reload();
    expect(said(key.advance(1_000))).toEqual(['granted later']);
    expect(said(key.acquire('earliest', quiet, 3, 'earliest', asked - 1))).toEqual(['terminate earliest']);
    // The key forgets who terminates.
    expect(said(key.release('earliest'))).toEqual([]);
    expect(key.describe()).toMatchObject({ held: 1, waiting: 0 });
    // Held up as well, and the last one there is.
    expect(said(key.acquire('last', quiet, 3, 'last', key.now - 500))).toEqual([]);
    expect(said(key.advance(1_000))).toEqual(['granted last']);
  });
  it('goes by the order of arrival where clocks of nodes may differ', () => {
    const key = new Key();
    key.acquire('a', quiet);
    expect(said(key.acquire('b', quiet, 3, 'b', key.now - 50))).toEqual(['terminate a']);
  });

  describe('when its key was away as the quiet period ended', () => {
    const away = (maxWaitMs?: number) => {
      const key = new Key();
      const asked = key.now;
      const flow = { debounce: { quietMs: 1_000, maxWaitMs } };
      key.acquire('a', flow);
      key.now += 5_000;
      key.reload();
      return { key, asked, flow };
    };

    it('gives way to a start that followed within it and was held up, whichever message is the first', () => {
      for (const timerFirst of [false, true]) {
        const { key, asked, flow } = away();
        if (timerFirst) expect(said(key.advance(300))).toEqual([]);
        expect(said(key.acquire('b', flow, 3, 'b', asked + 900))).toEqual(['terminate a']);
        expect(said(key.acquire('c', flow, 3, 'c', asked + 950))).toEqual(['terminate b']);
        expect(said(key.advance(999))).toEqual([]);
        key.reload();
        expect(said(key.advance(1))).toEqual(['granted c']);
      }
    });

    it('begins once such a message would have come, and no later', () => {
      const { key } = away();
      expect(said(key.tell({ type: 'timer' }))).toEqual([]);
      expect(key.describe()).toMatchObject({ debounced: { workflowId: 'a', until: key.now + 1_200 } });
      key.reload();
      expect(said(key.advance(1_199))).toEqual([]);
      // Away again: it has listened.
      key.now += 3_000;
      expect(said(key.tell({ type: 'timer' }))).toEqual(['granted a']);
    });

    it.each([
      ['was held up', 1_000],
      ['was not', 5_000],
    ])('begins when a start comes that was asked for after it, and %s', (_, afterMs) => {
      const { key, asked, flow } = away();
      expect(said(key.acquire('b', flow, 3, 'b', asked + afterMs))).toEqual(['granted a']);
      expect(said(key.advance(1_000))).toEqual(['granted b']);
    });

    it('lets the last one begin as late as any, though the first has waited for longer than it may', () => {
      const { key, asked, flow } = away(1_500);
      expect(said(key.acquire('b', flow, 3, 'b', asked + 900))).toEqual(['terminate a']);
      expect(said(key.advance(1_000))).toEqual([]);
      expect(said(key.acquire('c', flow, 3, 'c', asked + 1_200))).toEqual(['terminate b']);
      expect(said(key.advance(1_199))).toEqual([]);
      expect(said(key.advance(1))).toEqual(['granted c']);
    });

    it('is over with its only start', () => {
      const { key } = away();
      key.tell({ type: 'timer' });
      key.release('a');
      expect(said(key.advance(5_000))).toEqual([]);
      expect(key.describe()).toMatchObject({ held: 0, waiting: 0 });
    });
  });

  it('begins without a word more when its key is hardly late', () => {
    const key = new Key();
    key.acquire('a', quiet);
    key.now += 1_100;
    expect(said(key.tell({ type: 'timer' }))).toEqual(['granted a']);
  });
  it('is over with its only start', () => {
    const key = new Key();
    key.acquire('a', quiet);
    key.release('a');
    expect(said(key.advance(5_000))).toEqual([]);
    expect(key.describe()).toMatchObject({ held: 0, waiting: 0 });
  });
});

describe('a singleton', () => {
  it('refuses a second one, or tells of the first', () => {
    const key = new Key();
    key.acquire('a', { singleton: 'reject' });
    expect(said(key.acquire('b', { singleton: 'reject' }))).toEqual(['refused b']);
    expect(key.reserve('c', { singleton: 'useExisting' })).toMatchObject({ verdict: 'taken', workflowId: 'a' });
    key.release('a');
    expect(key.reserve('c', { singleton: 'reject' })).toEqual({ verdict: 'reserved', permit: 'c' });
  });

  it.each(['terminate', 'cancel'] as const)(
    'takes over: the first one is to %s, and only then the second begins',
    (how) => {
      const key = new Key();
      const singleton = `${how}Existing` as const;
      key.acquire('a', { singleton });
      expect(said(key.acquire('b', { singleton }))).toEqual([`${how} a`]);
      expect(said(key.acquire('c', { singleton }))).toEqual(['terminate b']);
      expect(said(key.release('b'))).toEqual([]);
      expect(said(key.release('a'))).toEqual(['granted c']);
    },
  );

  it('is not taken over by a start whose message was held up and comes after that of a later one', () => {
    const key = new Key();
    const singleton = 'terminateExisting' as const;
    key.acquire('a', { singleton });
    key.now += 2_000;
    expect(said(key.acquire('c', { singleton }))).toEqual(['terminate a']);
    expect(said(key.acquire('b', { singleton }, 3, 'b', key.now - 1_000))).toEqual(['terminate b']);
    expect(said(key.release('a'))).toEqual(['granted c']);
  });
  it('is taken over also while its start is on its way', () => {
    const key = new Key();
    expect(key.reserve('a', { singleton: 'reject' })).toMatchObject({ verdict: 'reserved' });
    expect(said(key.acquire('b', { singleton: 'terminateExisting' }))).toEqual([]);
    expect(said(key.acquire('a', { singleton: 'reject' }))).toEqual(['granted a', 'terminate a']);
    expect(said(key.release('a'))).toEqual(['granted b']);
  });
});

describe('a reservation', () => {
  const one = { concurrency: { limit: 1 }, whenFull: 'reject' as const };

  it('keeps the room for the start that follows, and is the same for a repeat', () => {
    const key = new Key();
    expect(key.reserve('a', one, 'request')).toEqual({ verdict: 'reserved', permit: 'a' });
    expect(key.reserve('a2', one, 'request')).toEqual({ verdict: 'reserved', permit: 'a' });
    expect(key.reserve('b', one)).toMatchObject({ verdict: 'full' });
    expect(said(key.acquire('a', one))).toEqual(['granted a']);
    key.advance(RESERVATION_MS * 2);
    expect(key.describe().held).toBe(1);
  });

  it('lapses when no start confirms it; one that comes too late waits like the others', () => {
    const key = new Key();
    key.reserve('a', one);
    key.advance(RESERVATION_MS);
    expect(key.reserve('b', one)).toMatchObject({ verdict: 'reserved' });
    const late = { type: 'flowAcquire', permit: 'a', claimant: { workflowId: 'a', runId: 'r' } } as const;
    expect(said(key.tell({ ...late, flow: { key: 'tenant', ...one }, priority: 3, accepted: true }))).toEqual([]);
    expect(said(key.release('b'))).toEqual(['granted a']);
  });

  it('is not needed by a workflow that has a permit: what becomes of its second start, its id says', () => {
    const key = new Key();
    key.acquire('a', one);
    expect(key.reserve('a', one, 'another request')).toEqual({ verdict: 'reserved' });
  });
});

describe('a key', () => {
  it('is forgotten when nothing has happened to it for a while, and not before', () => {
    const key = new Key();
    key.acquire('a', two);
    key.advance(IDLE_MS * 2);
    expect(key.rows.size).toBeGreaterThan(0);
    key.release('a');
    key.advance(IDLE_MS - 1);
    expect(key.rows.size).toBeGreaterThan(0);
    key.advance(1);
    expect(key.rows.size).toBe(0);
    key.reload();
    expect(said(key.acquire('b', two))).toEqual(['granted b']);
  });

  it('is kept while an operator has set its limits', () => {
    const key = new Key();
    key.tell({ type: 'setFlowLimits', limits: { concurrency: { limit: 7 } } });
    key.advance(IDLE_MS * 100);
    expect(key.describe().limits).toEqual({ concurrency: { limit: 7 } });
  });

  it('answers who takes its id for a workflow', () => {
    const key = new Key();
    const outcome = key.decide({ type: 'terminate', target: {}, identity: '', requestId: 'r' });
    expect(outcome).toMatchObject({
      ok: false,
      status: { message: expect.stringContaining('reserved for flow control') },
    });
  });

  it('notices that a row is gone', () => {
    const key = new Key();
    key.acquire('a', two);
    key.rows.delete('pa');
    expect(() => key.reload()).toThrow('rows of the flow-control key are missing');
  });
});
