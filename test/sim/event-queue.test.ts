// The order of virtual time.

import { describe, expect, it } from 'vitest';
import { EventQueue } from './event-queue.ts';
import { SeededRandom } from './random.ts';

describe('the event queue', () => {
  it('gives events by time, and those of one instant by their number, whatever the order they came in', () => {
    const random = new SeededRandom('event queue');
    const queue = new EventQueue<{ at: number; tie: number }>();
    const events = Array.from({ length: 500 }, (_, tie) => ({ at: random.int(0, 40), tie }));
    const given: typeof events = [];
    for (const event of events) {
      queue.push(event);
      if (random.chance(0.3)) {
        const first = queue.shift();
        if (first !== undefined) queue.push(first);
      }
    }
    for (let event = queue.shift(); event !== undefined; event = queue.shift()) given.push(event);
    expect(given).toEqual([...events].sort((a, b) => a.at - b.at || a.tie - b.tie));
    expect(queue.size).toBe(0);
  });
});
