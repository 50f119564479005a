import { expect, it } from 'vitest';
import { Gate } from './gate.ts';

it('lets so many in at a time, the others in order, also past failures', async () => {
  const gate = new Gate(2);
  const events: string[] = [];
  let inside = 0;
  let most = 0;
  const visit = async (name: string): Promise<void> => {
    await gate.run(async () => {
      inside += 1;
      most = Math.max(most, inside);
      events.push(name);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      if (name === 'b') throw new Error('b failed');
    });
  };
  const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map(visit));
  expect(events).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(most).toBe(2);
  expect(outcomes.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
});
