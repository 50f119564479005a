import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Drain } from './member.ts';
import type { RingPlan } from './plan.ts';
import { decodePlan, encodePlan } from './plan-codec.ts';
import { member } from './testing.ts';

const anyPlan: fc.Arbitrary<RingPlan> = fc.record({
  version: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  validFromMs: fc.nat(),
  proposer: fc.string({ maxLength: 40 }),
  members: fc
    .uniqueArray(
      fc.record({
        n: fc.nat(99),
        zone: fc.string({ maxLength: 10 }),
        weight: fc.double({ min: 0.01, max: 100, noNaN: true }),
        drain: fc.constantFrom<Drain>('no', 'leadership', 'everything'),
        seed: fc.nat(63),
      }),
      { selector: ({ n }) => n, minLength: 1 },
    )
    .map((found) => found.map(({ n, ...settings }) => member(n, settings))),
});

describe('a plan as text', () => {
  it('is the same plan again', () => {
    fc.assert(
      fc.property(anyPlan, (plan) => {
        expect(decodePlan(encodePlan(plan))).toEqual(plan);
      }),
    );
  });

  const good = { version: 1, validFromMs: 5, proposer: 'a', members: [['n', 'd', '', 1, 'no', 0]] };
  const members = (...rows: unknown[]) => ({ ...good, members: rows });

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['another kind of value', '7'],
    ['null', 'null'],
    ['no version', JSON.stringify({ ...good, version: 0 })],
    ['a version that is none', JSON.stringify({ ...good, version: 1.5 })],
    ['no instant', JSON.stringify({ ...good, validFromMs: '5' })],
    ['no proposer', JSON.stringify({ ...good, proposer: 7 })],
    ['no members', JSON.stringify({ ...good, members: {} })],
    ['an empty list of members', JSON.stringify(members())],
    ['a member that is none', JSON.stringify(members('n'))],
    ['a member without a directory', JSON.stringify(members(['n', '', '', 1, 'no', 0]))],
    ['a member of no weight', JSON.stringify(members(['n', 'd', '', 0, 'no', 0]))],
    ['a member of a wrong seed', JSON.stringify(members(['n', 'd', '', 1, 'no', 64]))],
    ['a member with an unknown drain', JSON.stringify(members(['n', 'd', '', 1, 'some', 0]))],
    ['one directory twice', JSON.stringify(members(['n', 'd', '', 1, 'no', 0], ['m', 'd', '', 1, 'no', 0]))],
    ['a name without end', JSON.stringify(members(['n'.repeat(300), 'd', '', 1, 'no', 0]))],
    [
      'too many members',
      JSON.stringify(members(...Array.from({ length: 16_385 }, (_, n) => ['n', `${n}`, '', 1, 'no', 0]))),
    ],
  ])('that is %s is none', (_what, text) => {
    expect(decodePlan(JSON.stringify(good))).toBeDefined();
    expect(decodePlan(text)).toBeUndefined();
  });

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        decodePlan(text);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        decodePlan(text);
      }),
    );
  });
});
