// A poll is one credit for one answer: whatever order polls, tasks and ends come in, no task is given to a poll that is gone, and none is lost.

import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { delivery, FakeSource, offer, VirtualTime } from '../../../test/support/matching-world.ts';
import { Matcher } from '../../matching/matcher.ts';
import type { Delivery } from '../../ports/matching.ts';
import { type PolledQueue, Pollers } from './pollers.ts';

const QUEUE = 'q';
const queue = (over: Partial<PolledQueue> = {}): PolledQueue => ({
  namespace: 'default',
  name: QUEUE,
  kind: 'activity',
  sticky: false,
  identity: 'w',
  buildId: undefined,
  tasksPerSecond: undefined,
  ...over,
});

let time: VirtualTime;
let matcher: Matcher;
let pollers: Pollers;
let lost: string[];

beforeEach(() => {
  time = new VirtualTime();
  lost = [];
  matcher = new Matcher({ clock: time, scheduler: time, onQueryLost: (_to, queryId) => void lost.push(queryId) });
  matcher.attach(new FakeSource(() => {}));
  let ids = 0;
  pollers = new Pollers({ registry: matcher, clock: time, random: { uuid: () => String((ids += 1)), next: () => 0 } });
});

class TestPoll {
  task: Delivery | undefined;
  isEmpty = false;
  takes = true;
  readonly takeBack: () => void;
  constructor(on: PolledQueue) {
    this.takeBack = pollers.add(on, {
      take: (task) => {
        if (!this.takes) return false;
        this.task = task;
        return true;
      },
      empty: () => {
        this.isEmpty = true;
      },
    });
  }
}

const claim = () => matcher.claim(offer('w-1', { taskQueue: QUEUE, kind: 'activity' }));

describe('a poll', () => {
  it('is given one task, and then no other', () => {
    const poll = new TestPoll(queue());
    expect(claim()?.deliver(delivery('w-1'))).toBe(true);
    expect(poll.task?.workflowId).toBe('w-1');
    expect(claim()).toBeUndefined();
  });

  it('that was taken back gets none', () => {
    new TestPoll(queue()).takeBack();
    expect(claim()).toBeUndefined();
  });

  it('that ends while its credit is lent leaves the task to be undone, and its credit to the next poll', () => {
    const first = new TestPoll(queue());
    const lent = claim();
    first.takeBack();
    expect(lent?.deliver(delivery('w-1'))).toBe(false);
    expect(claim()).toBeUndefined();
    const second = new TestPoll(queue());
    expect(claim()?.deliver(delivery('w-2'))).toBe(true);
    expect(second.task?.workflowId).toBe('w-2');
    expect(claim()).toBeUndefined();
  });

  it('that cannot be answered passes its task to the next', () => {
    const gone = new TestPoll(queue());
    gone.takes = false;
    const next = new TestPoll(queue());
    expect(claim()?.deliver(delivery('w-1'))).toBe(true);
    expect(next.task?.workflowId).toBe('w-1');
    expect(claim()).toBeUndefined();
  });

  it('of one kind takes no task of the other, and polls for it alone', () => {
    new TestPoll(queue({ kind: 'workflow' }));
    expect(claim()).toBeUndefined();
    expect(matcher.pollers('default', QUEUE).map(({ kind }) => kind)).toEqual(['workflow']);
  });

  it('is answered empty when the door closes, and so is one that comes after', () => {
    const before = new TestPoll(queue());
    pollers.close();
    const after = new TestPoll(queue());
    expect([before.isEmpty, after.isEmpty]).toEqual([true, true]);
    expect(claim()).toBeUndefined();
  });
});

describe('a sticky queue', () => {
  const sticky = queue({ kind: 'workflow', sticky: true, name: 'own' });

  it('takes its own tasks and none of the normal queue', () => {
    const poll = new TestPoll(sticky);
    expect(matcher.claim(offer('w-1', { taskQueue: QUEUE, kind: 'workflow' }))).toBeUndefined();
    expect(matcher.stickyAlive('default', 'own')).toBe(true);
    const lent = matcher.claim(
      offer('w-1', { taskQueue: QUEUE, kind: 'workflow', sticky: { queue: 'own', until: time.now() + 60_000 } }),
    );
    expect(lent?.sticky).toBe(true);
    expect(lent?.deliver(delivery('w-1', 'workflow'))).toBe(true);
    expect(poll.task?.workflowId).toBe('w-1');
  });

  it('is nobody’s ten seconds after its last poll', () => {
    new TestPoll(sticky).takeBack();
    time.advance(9_000);
    pollers.sweep();
    expect(matcher.stickyAlive('default', 'own')).toBe(true);
    time.advance(2_000);
    pollers.sweep();
    expect(matcher.stickyAlive('default', 'own')).toBe(false);
  });

  it('ends at once when its worker says that it goes', () => {
    const poll = new TestPoll(sticky);
    pollers.shutDown('default', 'own');
    expect(poll.isEmpty).toBe(true);
    expect(matcher.stickyAlive('default', 'own')).toBe(false);
  });
});

it('a direct query whose worker goes is asked again, unless it was answered', () => {
  const on = queue({ kind: 'workflow' });
  for (const answered of [false, true]) {
    new TestPoll(on);
    const lent = matcher.claimQuery('default', QUEUE, undefined);
    expect(lent?.deliver(delivery('w-1', 'query'))).toBe(true);
    const { queryId } = delivery('w-1', 'query') as Extract<Delivery, { kind: 'query' }>;
    if (answered) pollers.queryAnswered(queryId);
    lost = [];
    pollers.close();
    expect(lost).toEqual(answered ? [] : [queryId]);
    pollers = new Pollers({ registry: matcher, clock: time, random: { uuid: () => 'again', next: () => 0 } });
  }
});

it('credit is conserved over any order of polls, ends, claims and deliveries', () => {
  const step = fc.constantFrom('poll', 'end', 'refuse', 'claim', 'deliver', 'release');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const open: TestPoll[] = [];
      const lent: NonNullable<ReturnType<typeof claim>>[] = [];
      let given = 0;
      for (const what of steps) {
        if (what === 'poll') open.push(new TestPoll(queue()));
        else if (what === 'end') open.shift()?.takeBack();
        else if (what === 'refuse') {
          const poll = open.shift();
          if (poll !== undefined) {
            poll.takes = false;
            poll.takeBack();
          }
        } else if (what === 'claim') {
          const one = claim();
          if (one !== undefined) lent.push(one);
        } else if (what === 'deliver') {
          if (lent.shift()?.deliver(delivery('w')) === true) given += 1;
        } else lent.shift()?.release();
        for (let i = open.length - 1; i >= 0; i -= 1) if (open[i]?.task !== undefined) open.splice(i, 1);
        expect(lent.length).toBeLessThanOrEqual(pollers.waiting + lent.length);
      }
      for (const one of lent) one.release();
      const before = open.length;
      expect(pollers.waiting).toBe(before);
      // Every poll that waits gets exactly one task.
      let more = 0;
      for (let one = claim(); one !== undefined; one = claim()) {
        expect(one.deliver(delivery('w'))).toBe(true);
        more += 1;
      }
      expect(more).toBe(before);
      expect(given).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 300 },
  );
});
