import { expect, it } from 'vitest';
import { Breakers, destinationOf, FAILURES_TO_OPEN, OPEN_MS } from './breakers.ts';

const A = destinationOf('default', 'payments', 'shop');
const B = destinationOf('default', 'payments', 'bank');

function failing(times: number): Breakers {
  const breakers = new Breakers();
  for (let i = 0; i < times; i += 1) breakers.note(A, 'failed', 1_000);
  return breakers;
}

it('a destination that fails too often in a row is left alone, and no other', () => {
  expect(failing(FAILURES_TO_OPEN - 1).blockedUntil(A, 1_000)).toBeUndefined();
  const breakers = failing(FAILURES_TO_OPEN);
  expect(breakers.blockedUntil(A, 1_000)).toBe(1_000 + OPEN_MS);
  expect(breakers.blockedUntil(B, 1_000)).toBeUndefined();
});

it('one that was reached in between counts anew', () => {
  const breakers = failing(FAILURES_TO_OPEN - 1);
  breakers.note(A, 'reached', 1_000);
  breakers.note(A, 'failed', 1_000);
  expect(breakers.blockedUntil(A, 1_000)).toBeUndefined();
});

it('after a while one request tries it, while others wait on; what came of it decides for all', () => {
  const breakers = failing(FAILURES_TO_OPEN);
  const later = 1_000 + OPEN_MS;
  expect(breakers.isTrial(A, later - 1)).toBe(false);
  expect([breakers.isTrial(A, later), breakers.blockedUntil(A, later)]).toEqual([true, undefined]);
  breakers.note(A, 'tried', later);
  expect(breakers.blockedUntil(A, later)).toBe(later + OPEN_MS);
  breakers.note(A, 'failed', later + 10);
  expect(breakers.blockedUntil(A, later + 10)).toBeGreaterThanOrEqual(later + OPEN_MS);
  breakers.note(A, 'reached', later + 20);
  expect(breakers.blockedUntil(A, later + 20)).toBeUndefined();
});

it('what was on its way when it opened does not keep it open for longer', () => {
  const breakers = failing(FAILURES_TO_OPEN + 1);
  const until = breakers.blockedUntil(A, 1_000);
  breakers.note(A, 'failed', 5_000);
  expect(breakers.blockedUntil(A, 5_000)).toBe(until);
});

it('remembers so many and no more (I9)', () => {
  const breakers = failing(FAILURES_TO_OPEN);
  for (let i = 0; i < 10_000; i += 1) breakers.note(destinationOf('default', 'e', `s${i}`), 'failed', 2_000);
  expect(breakers.blockedUntil(A, 2_000)).toBeUndefined();
});
