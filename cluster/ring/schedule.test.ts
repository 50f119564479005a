import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RingPlan, supersedes } from './plan.ts';
import { advance, EMPTY_SCHEDULE, MAX_WAIT_MS, newestPlan, receive, type Schedule } from './schedule.ts';

const plan = (version: number, validFromMs: number, proposer = 'a'): RingPlan => ({
  version,
  validFromMs,
  proposer,
  members: [],
});
const inForce = (schedule: Schedule): number => schedule.current.version;

describe('a plan', () => {
  it('is in force from its instant on', () => {
    let schedule = receive(EMPTY_SCHEDULE, plan(1, 1_000), 0);
    expect(inForce(schedule)).toBe(0);
    expect(newestPlan(schedule).version).toBe(1);
    schedule = advance(schedule, 999);
    expect(inForce(schedule)).toBe(0);
    schedule = advance(schedule, 1_000);
    expect(inForce(schedule)).toBe(1);
    expect(advance(schedule, 2_000)).toBe(schedule);
  });

  it('heard of late is in force at once', () => {
    expect(inForce(receive(EMPTY_SCHEDULE, plan(3, 1_000), 5_000))).toBe(3);
  });

  it('in force stays so when the clock goes back', () => {
    const schedule = receive(EMPTY_SCHEDULE, plan(1, 1_000), 1_000);
    expect(inForce(advance(schedule, 0))).toBe(1);
    expect(inForce(receive(schedule, plan(1, 1_000), 0))).toBe(1);
  });

  it('replaces one that still waits, and ends its predecessor in time', () => {
    let schedule = receive(EMPTY_SCHEDULE, plan(1, 1_000), 0);
    schedule = receive(schedule, plan(2, 2_000), 500);
    expect(schedule.next?.plan.version).toBe(2);
    expect(inForce(schedule)).toBe(0);
    schedule = receive(advance(schedule, 2_000), plan(3, 4_000), 2_500);
    expect(inForce(schedule)).toBe(2);
  });

  it('that is due when the next one arrives is in force until then', () => {
    const schedule = receive(receive(EMPTY_SCHEDULE, plan(1, 1_000), 0), plan(2, 9_000), 5_000);
    expect(inForce(schedule)).toBe(1);
  });

  it('for a far future is not waited for: its proposer has a wrong clock', () => {
    const schedule = receive(EMPTY_SCHEDULE, plan(1, 10 * MAX_WAIT_MS), 0);
    expect(inForce(advance(schedule, MAX_WAIT_MS - 1))).toBe(0);
    expect(inForce(advance(schedule, MAX_WAIT_MS))).toBe(1);
  });
});

describe('plans of one version', () => {
  it('are told apart alike by everybody', () => {
    expect(supersedes(plan(2, 0), plan(1, 9))).toBe(true);
    expect(supersedes(plan(1, 2), plan(1, 1))).toBe(true);
    expect(supersedes(plan(1, 1, 'b'), plan(1, 1, 'a'))).toBe(true);
    expect(supersedes(plan(1, 1), plan(1, 1))).toBe(false);
  });

  it('end in the same ring on every node, in whatever order and however often they arrive', () => {
    const anyPlan = fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 3 }), fc.constantFrom('a', 'b'))
      .map(([version, at, proposer]) => plan(version, at, proposer));
    fc.assert(
      fc.property(fc.array(anyPlan, { minLength: 1 }), fc.infiniteStream(fc.nat()), (plans, order) => {
        const end = (some: readonly RingPlan[]): RingPlan =>
          advance(
            some.reduce((schedule, one, index) => receive(schedule, one, index), EMPTY_SCHEDULE),
            1_000_000,
          ).current;
        const shuffled = plans.map((one) => ({ one, key: order.next().value as number })).sort((a, b) => a.key - b.key);
        expect(end(shuffled.map(({ one }) => one))).toEqual(end(plans));
      }),
    );
  });

  it('in force have ever greater versions', () => {
    const event = fc.record({
      version: fc.integer({ min: 1, max: 6 }),
      at: fc.nat(50),
      stepMs: fc.integer({ min: -20, max: 20 }),
    });
    fc.assert(
      fc.property(fc.array(event), (events) => {
        let schedule = EMPTY_SCHEDULE;
        let nowMs = 0;
        let last = 0;
        for (const { version, at, stepMs } of events) {
          nowMs += stepMs;
          schedule = receive(schedule, plan(version, at), nowMs);
          expect(inForce(schedule)).toBeGreaterThanOrEqual(last);
          last = inForce(schedule);
        }
      }),
    );
  });
});
