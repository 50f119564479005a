import { describe, expect, it } from 'vitest';
import { CreditWindow, compilePollers } from './poller-behavior.ts';

const scaled = () =>
  new CreditWindow(compilePollers('p', { type: 'autoscaling', minimum: 2, maximum: 8, initial: 4 }, 'fixed'));

describe('a poller behavior', () => {
  it.each([
    ['fixed slots, nothing said', undefined, 'fixed', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['supplied slots, nothing said', undefined, 'supplied', 10, 10],
    ['a simple maximum', { type: 'simple-maximum', maximum: 3 }, 'fixed', 3, 3],
    ['autoscaling', { type: 'autoscaling' }, 'supplied', 5, 100],
    ['autoscaling from a high minimum', { type: 'autoscaling', minimum: 200 }, 'fixed', 200, 200],
  ] as const)('%s', (_name, behavior, slots, initial, maximum) => {
    expect(compilePollers('p', behavior, slots)).toMatchObject({ initial, maximum });
  });

  it.each([
    [{ type: 'simple-maximum', maximum: 0 }, 'p.maximum must be an integer of at least 1, got 0'],
    [{ type: 'autoscaling', minimum: 0 }, 'p.minimum must be an integer of at least 1, got 0'],
    [{ type: 'autoscaling', minimum: 5, maximum: 4 }, 'p.maximum must be an integer of at least 5, got 4'],
    [{ type: 'autoscaling', maximum: 4, initial: 5 }, 'p.initial is above its maximum, 4'],
  ] as const)('%j is refused', (behavior, message) => {
    expect(() => compilePollers('p', behavior, 'fixed')).toThrow(message);
  });
});

describe('a window that scales', () => {
  it('grows by one with each task that had to wait for credit, up to its maximum', () => {
    const window = scaled();
    expect(window.taken(0, 3)).toBe(false);
    for (let task = 0; task < 10; task += 1) window.taken(500, 0);
    expect(window.size).toBe(8);
  });

  it('gives up half of what lay unused since the last look, down to its minimum', () => {
    const window = scaled();
    const sizes = [window.size];
    for (let look = 0; look < 5; look += 1) {
      window.look(window.size);
      sizes.push(window.size);
    }
    expect(sizes).toEqual([4, 2, 2, 2, 2, 2]);
  });

  it('keeps what was used up for a moment, however idle it is when looked at', () => {
    const window = scaled();
    window.look(4);
    window.taken(0, 0);
    expect(window.look(4)).toBe(false);
    expect(window.size).toBe(2);
  });
});
