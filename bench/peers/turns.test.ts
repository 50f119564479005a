import { describe, expect, it } from 'vitest';
import { turnsOf } from './turns.ts';

const order = (systems: readonly string[], rounds: number): string =>
  turnsOf(systems, rounds)
    .map(({ system, round }) => `${system}${round}`)
    .join(' ');

describe('turns', () => {
  it('go A B A B', () => {
    expect(order(['a', 'b'], 2)).toBe('a1 b1 a2 b2');
    expect(order(['a', 'b', 'c'], 3)).toBe('a1 b1 c1 a2 b2 c2 a3 b3 c3');
  });

  it('are one for a system alone', () => {
    expect(order(['a'], 3)).toBe('a1');
    expect(order([], 3)).toBe('');
  });
});
