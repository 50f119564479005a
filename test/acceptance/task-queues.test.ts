// Fairness and rate limits as users have them: the example of the guide, from start options to the worker.
import { describe, expect, it } from 'vitest';
import { run } from '../../examples/fair-queues/main.ts';

describe('a bank that two shops share', () => {
  it('is called by turns, within its rate limit, and says what waits for it', async () => {
    const { backlog, byPriority, firstCalls, rateLimit, callsPerSecond } = await run();
    expect(backlog).toBe(103);
    expect(byPriority).toEqual([{ priority: 3, backlog: 103 }]);
    expect(rateLimit).toEqual({ perSecond: 50, source: 'api' });
    // The small shop came last, with three calls: each is among the first.
    expect(firstCalls.filter((shop) => shop === 'small')).toHaveLength(3);
    // A burst of a tenth of a second is allowed at the beginning.
    expect(callsPerSecond).toBeLessThanOrEqual(55);
  }, 60_000);
});
