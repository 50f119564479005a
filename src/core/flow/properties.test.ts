// Whatever is asked of a key, in whatever order, crashes included: the limits hold at every instant, and nobody is forgotten.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FlowControl } from '../../wire/flow-control.ts';
import { flowAddress, flowKeyOf } from './address.ts';
import { HELD_UP_MS, LISTEN_MS } from './limits.ts';
import type { FlowAnswer } from './message.ts';
import { nextFlowDeadline } from './settle.ts';
import { Key } from './world.test-support.ts';

type Step =
  | { do: 'acquire' | 'reserve' | 'release'; who: number; priority: number }
  | { do: 'advance'; ms: number }
  | { do: 'reload' };

const who = fc.nat({ max: 7 });
const priority = fc.integer({ min: 1, max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('acquire' as const), who, priority }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reserve' as const), who, priority }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('release' as const), who, priority }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat({ max: 40_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reload' as const) }) },
);

const flow: fc.Arbitrary<Omit<FlowControl, 'key'>> = fc.oneof(
  fc.record({ concurrency: fc.record({ limit: fc.integer({ min: 1, max: 4 }) }) }),
  fc.record({
    throttle: fc.record({ limit: fc.integer({ min: 1, max: 4 }), periodMs: fc.integer({ min: 10, max: 9_000 }) }),
  }),
  fc.record({
    debounce: fc.record({
      quietMs: fc.integer({ min: 1, max: 9_000 }),
      maxWaitMs: fc.integer({ min: 9_000, max: 20_000 }),
    }),
  }),
  fc.record({ singleton: fc.constantFrom('reject', 'useExisting', 'terminateExisting', 'cancelExisting') }),
  fc.record({
    concurrency: fc.record({ limit: fc.integer({ min: 1, max: 3 }) }),
    throttle: fc.record({ limit: fc.integer({ min: 1, max: 3 }), periodMs: fc.integer({ min: 10, max: 9_000 }) }),
    whenFull: fc.constantFrom('queue' as const, 'reject' as const),
  }),
);

/** What those who ask believe: each permit is open until it is released, refused, or was never asked for. */
class Checker {
  readonly key: Key;
  readonly flow: Omit<FlowControl, 'key'>;
  readonly held = new Set<string>();
  readonly waiting = new Set<string>();
  readonly starts: number[] = [];
  #next = 0;
  readonly #permits = new Map<number, string>();

  constructor(limits: Omit<FlowControl, 'key'>) {
    this.key = new Key();
    this.flow = limits;
  }

  take(step: Step): void {
    switch (step.do) {
      case 'acquire': {
        if (this.#permits.has(step.who)) return;
        const permit = `p${this.#next++}`;
        this.#permits.set(step.who, permit);
        this.waiting.add(permit);
        this.hear(this.key.acquire(`w${step.who}`, this.flow, step.priority, permit));
        return;
      }
      case 'reserve':
        this.#reserve(step.who);
        return;
      case 'release': {
        const permit = this.#permits.get(step.who);
        if (permit === undefined) return;
        this.#forget(permit);
        this.hear(this.key.release(`w${step.who}`, permit));
        return;
      }
      case 'advance':
        this.#advance(step.ms);
        return;
      case 'reload':
        this.key.reload();
        return;
      default:
        step satisfies never;
    }
  }

  /** Some are never followed by their start. */
  #reserve(asker: number): void {
    if (this.#permits.has(asker)) return;
    const permit = `r${this.#next++}`;
    const before = this.key.describe().counts.granted;
    const verdict = this.key.reserve(permit, this.flow, `request ${permit}`);
    if (verdict.verdict === 'reserved' && verdict.permit !== undefined) this.starts.push(this.key.now);
    else expect(this.key.describe().counts.granted).toBe(before);
  }

  #advance(ms: number): void {
    const until = this.key.now + ms;
    for (;;) {
      const due = nextFlowDeadline(this.key.actor);
      if (due === undefined || due > until) break;
      this.hear(this.key.advance(Math.max(0, due - this.key.now)));
    }
    this.key.now = until;
  }

  #forget(permit: string): void {
    for (const [asker, theirs] of this.#permits) if (theirs === permit) this.#permits.delete(asker);
    this.held.delete(permit);
    this.waiting.delete(permit);
  }

  hear(answers: readonly FlowAnswer[]): void {
    for (const answer of answers) {
      if (answer.type === 'flowGranted') {
        expect(this.waiting.delete(answer.permit)).toBe(true);
        this.held.add(answer.permit);
        this.starts.push(this.key.now);
      } else if (answer.type === 'flowRefused') {
        expect(this.waiting.has(answer.permit)).toBe(true);
        this.#forget(answer.permit);
      } else if (this.waiting.has(answer.permit)) this.#forget(answer.permit);
    }
  }

  check(): void {
    const { concurrency, throttle, singleton } = this.flow;
    const limit = singleton === undefined ? concurrency?.limit : 1;
    const { held, waiting } = this.key.describe();
    if (limit !== undefined) expect(held).toBeLessThanOrEqual(limit);
    // Reserved ones are among the key's.
    expect(held).toBeGreaterThanOrEqual(this.held.size);
    expect(waiting).toBe(this.waiting.size);
    if (throttle !== undefined) {
      for (let i = throttle.limit; i < this.starts.length; i += 1) {
        expect((this.starts[i] ?? 0) - (this.starts[i - throttle.limit] ?? 0)).toBeGreaterThanOrEqual(
          throttle.periodMs,
        );
      }
    }
    // A timer that is due changes something: it does not fire for ever, and whoever could go on is not left waiting.
    const live = this.key.actor;
    this.key.reload();
    expect(this.key.actor).toEqual(live);
  }

  /** All who have a permit close one after the other: whoever waits gets one. */
  drain(): void {
    for (let rounds = 0; rounds < 200 && this.waiting.size + this.held.size > 0; rounds += 1) {
      for (const permit of [...this.held]) {
        this.#forget(permit);
        this.hear(this.key.release('whoever', permit));
      }
      this.#advance(40_000);
    }
    this.#advance(40_000);
    expect([...this.waiting]).toEqual([]);
    expect(this.key.describe()).toMatchObject({ held: 0, waiting: 0 });
  }
}

it('limits hold at every instant, a throttle never lets more than its limit begin within any period, and no waiter is forgotten', () => {
  fc.assert(
    fc.property(flow, fc.array(step, { maxLength: 60 }), (limits, steps) => {
      const checker = new Checker(limits);
      for (const one of steps) {
        checker.take(one);
        checker.check();
      }
      checker.drain();
    }),
    { numRuns: 300 },
  );
}, 60_000);

interface Debounced {
  name: string;
  askedAt: number;
  /** When its message came to the key. */
  at: number;
}

it('of debounced starts those run that no other one followed within the quiet period, also when a node that went held up messages and the key', () => {
  // It listens once: not if it goes again while it does.
  const away = fc.record({
    afterMs: fc.integer({ min: LISTEN_MS + 1, max: 6_000 }),
    ms: fc.integer({ min: 500, max: 8_000 }),
  });
  const asked = fc.record({ afterMs: fc.nat({ max: 4_000 }), lateMs: fc.nat({ max: 1_000 }) });
  const property = fc.property(
    fc.integer({ min: 150, max: 3_000 }),
    fc.array(away, { maxLength: 3 }),
    fc.array(asked, { minLength: 1, maxLength: 10 }),
    (quietMs, outages, gaps) => {
      const key = new Key();
      let time = key.now;
      const gone = outages.map(({ afterMs, ms }) => {
        const from = time + afterMs;
        time = from + ms;
        return { from, until: time };
      });
      const goneAt = (at: number) => gone.find(({ from, until }) => from < at && at < until);
      const backAt = (at: number): number => goneAt(at)?.until ?? at;
      let askedAt = key.now;
      let at = key.now;
      const starts = gaps.map(({ afterMs, lateMs }, n): Debounced => {
        askedAt += afterMs;
        const heldUp = goneAt(askedAt);
        // In their order, as from one node; and not while the key is away once more.
        at = Math.max(at, backAt(heldUp === undefined ? askedAt : heldUp.until + lateMs));
        return { name: `${n}`, askedAt, at };
      });
      const grantedAt = new Map<string, number>();
      const hear = (answers: readonly FlowAnswer[]) => {
        for (const { type, permit } of answers) if (type === 'flowGranted') grantedAt.set(permit, key.now);
      };
      const wait = (until: number) => {
        for (;;) {
          const due = nextFlowDeadline(key.actor);
          const fires = due === undefined ? undefined : backAt(Math.max(due, key.now));
          if (fires === undefined || fires > until) break;
          key.now = fires;
          hear(key.tell({ type: 'timer' }));
          key.reload();
        }
        key.now = until;
      };
      for (const start of starts) {
        wait(start.at);
        hear(key.acquire(start.name, { debounce: { quietMs } }, 3, start.name, start.askedAt));
      }
      wait(key.now + 60_000);
      for (const [n, start] of starts.entries()) {
        const dueAt = start.at + quietMs;
        const next = starts[n + 1];
        const cameAt = next !== undefined && next.at - next.askedAt > HELD_UP_MS ? next.askedAt : next?.at;
        const isFollowed = cameAt !== undefined && cameAt < dueAt;
        const began = grantedAt.get(start.name);
        if (!isFollowed) expect(began).toBeGreaterThanOrEqual(dueAt);
        else if (began !== undefined) {
          // It began before that was heard of, and its key was not away when it was to.
          expect(began).toBeLessThanOrEqual(next?.at ?? 0);
          expect((goneAt(dueAt)?.until ?? dueAt) - dueAt).toBeLessThanOrEqual(HELD_UP_MS);
        }
      }
    },
  );
  fc.assert(property, { numRuns: 500 });
}, 60_000);

it('an address says which key it is of, whatever the texts', () => {
  const text = fc.string({ minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(text, text, (key, taskQueue) => {
      expect(flowKeyOf(flowAddress({ key, scope: 'taskQueue', taskQueue }))).toEqual({
        key,
        scope: 'taskQueue',
        taskQueue,
      });
      expect(flowKeyOf(flowAddress({ key, scope: 'namespace' }))).toEqual({ key, scope: 'namespace' });
    }),
  );
});
