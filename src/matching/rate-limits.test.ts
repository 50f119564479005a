// Rate limits that change while a queue is used: which one holds, that it is never exceeded, and that nothing is stuck.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { delivery, FakeSource, FakeWorker, offer, VirtualTime } from '../../test/support/matching-world.ts';
import type { QueueKey } from '../ports/matching.ts';
import type { ConfiguredTaskQueue, TaskQueueConfig } from '../wire/task-queue.ts';
import { Matcher } from './matcher.ts';

const QUEUE: QueueKey = { namespace: 'default', name: 'queue', kind: 'activity' };
const who = { reason: 'test', updateIdentity: 'me', updateTime: 1 };

let time: VirtualTime;
let matcher: Matcher;
let source: FakeSource;

beforeEach(() => {
  time = new VirtualTime();
  matcher = new Matcher({ clock: time, scheduler: time, onQueryLost: () => {} });
  source = new FakeSource((changed, queue) => matcher.backlogChanged(changed, queue));
  matcher.attach(source);
});

function configure(config: TaskQueueConfig): void {
  const queue: ConfiguredTaskQueue = { namespace: 'default', taskQueue: 'queue', kind: 'activity', config };
  matcher.configure([queue]);
}

const limit = (requestsPerSecond?: number): void => configure({ queueRateLimit: { requestsPerSecond, ...who } });

function come(settings: Partial<FakeWorker> = {}): FakeWorker {
  const worker = new FakeWorker('w', { activityCredit: 10_000, ...settings });
  matcher.register(worker);
  time.settle();
  return worker;
}

function wait(count: number): void {
  for (let i = 0; i < count; i += 1) source.add(QUEUE, `${i}`);
}

describe('the rate limit of a queue', () => {
  it('that is configured counts more than what workers say; without it theirs, without any none', async () => {
    const worker = come({ maxTaskQueueActivitiesPerSecond: 2 });
    const said = async () => {
      const { effectiveRateLimit, rateLimitSource } = (await matcher.describe('default', 'queue')).activity;
      return [effectiveRateLimit, rateLimitSource];
    };
    expect(await said()).toEqual([2, 'worker']);
    limit(5);
    expect(await said()).toEqual([5, 'api']);
    wait(200);
    time.advance(2_000);
    expect(worker.pushed).toHaveLength(11);
    // Taken away.
    limit(undefined);
    expect(await said()).toEqual([2, 'worker']);
    time.advance(2_000);
    expect(worker.pushed).toHaveLength(15);
    matcher.register(new FakeWorker('w', { activityCredit: 10_000 }));
    matcher.configure([]);
    expect(await said()).toEqual([undefined, 'system']);
  });

  it('is there before the first worker comes', () => {
    limit(1);
    wait(10);
    const worker = come();
    time.advance(1_000);
    expect(worker.pushed).toHaveLength(2);
  });

  it('of nothing a second stops a queue until it is raised', () => {
    const worker = come();
    limit(0);
    wait(3);
    time.advance(100_000);
    expect(worker.pushed).toEqual([]);
    limit(1_000);
    time.advance(1_100);
    expect(worker.pushed).toHaveLength(3);
  });

  it('is never exceeded, whatever changes how often, and nothing is stuck', () => {
    const step = fc.record({ rate: fc.constantFrom(0, 1, 5, 40), ms: fc.nat(700), tasks: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        time = new VirtualTime();
        matcher = new Matcher({ clock: time, scheduler: time, onQueryLost: () => {} });
        source = new FakeSource((changed, queue) => matcher.backlogChanged(changed, queue));
        matcher.attach(source);
        const worker = come();
        let allowed = 0;
        let added = 0;
        let highest = 0;
        for (const { rate, ms, tasks } of steps) {
          limit(rate);
          highest = Math.max(highest, rate);
          for (let i = 0; i < tasks; i += 1) {
            const claim = matcher.claim(offer(`${added}`));
            if (claim === undefined) source.add(QUEUE, `${added}`);
            else claim.deliver(delivery(`${added}`));
            added += 1;
          }
          time.advance(ms);
          allowed += (rate * ms) / 1_000;
          // The burst of the highest limit, once: changes give no new one.
          expect(worker.pushed.length).toBeLessThanOrEqual(allowed + Math.max(1, highest / 10) + 1e-6);
        }
        limit(1_000);
        time.advance(5_000);
        expect(new Set(worker.pushed).size).toBe(added);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the rate limit of a worker', () => {
  const change = (worker: FakeWorker, perSecond: number | undefined): void => {
    worker.maxActivitiesPerSecond = perSecond;
    matcher.grant(worker.session, 'activity', 0, worker.connection);
  };

  it('that is changed holds from then on, also when the one before would have it wait for long', () => {
    const worker = come({ maxActivitiesPerSecond: 0.001 });
    wait(300);
    time.advance(5_000);
    expect(worker.pushed).toHaveLength(1);
    change(worker, 10);
    time.advance(1_000);
    expect(worker.pushed.length).toBeGreaterThanOrEqual(10);
    expect(worker.pushed.length).toBeLessThanOrEqual(12);
    const before = worker.pushed.length;
    change(worker, 1);
    time.advance(4_000);
    expect(worker.pushed.length - before).toBeLessThanOrEqual(5);
    change(worker, undefined);
    time.advance(1);
    expect(worker.pushed).toHaveLength(300);
  });

  it('is never exceeded, however often it is changed', () => {
    const step = fc.record({ rate: fc.constantFrom(1, 5, 40), ms: fc.nat(700) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        time = new VirtualTime();
        matcher = new Matcher({ clock: time, scheduler: time, onQueryLost: () => {} });
        source = new FakeSource((changed, queue) => matcher.backlogChanged(changed, queue));
        matcher.attach(source);
        const worker = come({ maxActivitiesPerSecond: 1 });
        wait(2_000);
        let allowed = 0;
        for (const { rate, ms } of steps) {
          change(worker, rate);
          time.advance(ms);
          allowed += (rate * ms) / 1_000;
          expect(worker.pushed.length).toBeLessThanOrEqual(allowed + 4 + 1e-6);
        }
      }),
      { numRuns: 100 },
    );
  });
});

/** Of a real machine: time goes on while the matcher looks at a queue. */
class Going extends VirtualTime {
  #passed = 0;
  readonly #step: number;

  constructor(stepMs: number) {
    super();
    this.#step = stepMs;
  }

  override monotonic(): number {
    this.#passed += this.#step;
    return super.monotonic() + this.#passed;
  }
}

it.each([0.05, 0.3, 0.7])('tasks wait for the limit, and no longer, when a look takes %f ms', (stepMs) => {
  time = new Going(stepMs);
  matcher = new Matcher({ clock: time, scheduler: time, onQueryLost: () => {} });
  source = new FakeSource((changed, queue) => matcher.backlogChanged(changed, queue));
  matcher.attach(source);
  limit(10);
  const worker = come({ activityCredit: 1 });
  wait(200);
  time.settle();
  // The worker is free again at any moment, also just before the limit lets the next through.
  for (let freeAfterMs = 96; freeAfterMs < 101; freeAfterMs += 0.03) {
    const { length } = worker.pushed;
    time.advance(freeAfterMs);
    matcher.grant(worker.session, 'activity', 1, worker.connection);
    for (let ms = 0; ms < 10 && worker.pushed.length === length; ms += 0.5) time.advance(0.5);
    expect(worker.pushed, `free after ${freeAfterMs.toFixed(2)} ms`).toHaveLength(length + 1);
  }
});

describe('workers of several versions', () => {
  it('share what is configured of their task queue', () => {
    limit(5);
    const queues = ['queue', 'queue\0shop\x001', 'queue\0shop\x002'];
    const workers = queues.map((taskQueue, i) => {
      const worker = new FakeWorker(`w${i}`, { activityCredit: 100, taskQueue });
      matcher.register(worker);
      for (let n = 0; n < 20; n += 1) source.add({ ...QUEUE, name: taskQueue }, `${i}-${n}`);
      return worker;
    });
    time.advance(4_000);
    const pushed = workers.reduce((sum, worker) => sum + worker.pushed.length, 0);
    expect(pushed).toBeGreaterThan(15);
    expect(pushed).toBeLessThanOrEqual(21);
    expect(matcher.weightOf({ ...QUEUE, name: 'queue\0shop\x001' }, 'a')).toBeUndefined();
    configure({ fairnessWeightOverrides: { a: 2 } });
    expect(matcher.weightOf({ ...QUEUE, name: 'queue\0shop\x001' }, 'a')).toBe(2);
  });
});

describe('fairness keys of a queue', () => {
  const give = (fairnessKey: string): boolean =>
    matcher.claim(offer('t', { fairnessKey }))?.deliver(delivery('t')) === true;

  it('have a rate each, times the weight that the queue gives them', () => {
    come();
    configure({
      fairnessKeysRateLimitDefault: { requestsPerSecond: 1, ...who },
      fairnessWeightOverrides: { big: 20 },
    });
    expect([give('a'), give('a'), give('b'), give('b'), give(''), give('')]).toEqual([
      true,
      false,
      true,
      false,
      true,
      true,
    ]);
    expect([give('big'), give('big'), give('big')]).toEqual([true, true, false]);
    time.advance(1_000);
    expect([give('a'), give('a')]).toEqual([true, false]);
    expect([matcher.weightOf(QUEUE, 'big'), matcher.weightOf(QUEUE, 'a')]).toEqual([20, undefined]);
  });

  it('that wait are held back alone: the shard is told which', () => {
    configure({ fairnessKeysRateLimitDefault: { requestsPerSecond: 1, ...who } });
    const may = (key: string): boolean => matcher.mayDispatch(QUEUE, key);
    expect([may('a'), may('a'), may('b')]).toEqual([true, false, true]);
    configure({});
    expect(may('a')).toBe(true);
  });
});
