import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { delivery, FakeSource, FakeWorker, offer, VirtualTime } from '../../test/support/matching-world.ts';
import type { Claim, QueueKey, ResumingWorker } from '../ports/matching.ts';
import { Matcher } from './matcher.ts';

const ACTIVITIES: QueueKey = { namespace: 'default', name: 'queue', kind: 'activity' };
const WORKFLOWS: QueueKey = { namespace: 'default', name: 'queue', kind: 'workflow' };
const STICKY: QueueKey = { namespace: 'default', name: 'sticky', kind: 'workflow' };

let time: VirtualTime;
let matcher: Matcher;
let source: FakeSource;
let lost: string[];

beforeEach(() => {
  time = new VirtualTime();
  lost = [];
  matcher = new Matcher({
    clock: time,
    scheduler: time,
    onQueryLost: (_to, queryId) => {
      lost.push(queryId);
    },
  });
  source = new FakeSource((changed, queue) => matcher.backlogChanged(changed, queue));
  matcher.attach(source);
});

function come(name: string, settings: Partial<FakeWorker> = {}): FakeWorker {
  const worker = new FakeWorker(name, settings);
  matcher.register(worker);
  time.settle();
  return worker;
}

function give(workflowId: string, over: Parameters<typeof offer>[1] = {}): boolean {
  const claim = matcher.claim(offer(workflowId, over));
  return claim?.deliver(delivery(workflowId, over.kind ?? 'activity')) === true;
}

const soon = (): number => time.now() + 5_000;

describe('a new task', () => {
  it('goes to a worker with credit, one for each credit', () => {
    const worker = come('a', { activityCredit: 2 });
    expect([give('1'), give('2'), give('3')]).toEqual([true, true, false]);
    expect(worker.pushed).toEqual(['1', '2']);
  });

  it('finds only workers of its namespace, queue and kind', () => {
    come('a', { activityCredit: 9 });
    expect(give('1', { namespace: 'other' })).toBe(false);
    expect(give('1', { taskQueue: 'other' })).toBe(false);
    expect(give('1', { kind: 'workflow' })).toBe(false);
    expect(give('1')).toBe(true);
  });

  it('is not matched ahead of waiting ones', () => {
    source.add(ACTIVITIES, 'old');
    const worker = new FakeWorker('a', { activityCredit: 2 });
    matcher.register(worker);
    expect(matcher.claim(offer('new'))).toBeUndefined();
    time.settle();
    expect(worker.pushed).toEqual(['old']);
    expect(give('new')).toBe(true);
  });
});

describe('an eager task', () => {
  it('goes to the worker that asked for it, while it has room, and else to another', () => {
    const asked = come('a', { activityCredit: 2 });
    const other = come('b', { activityCredit: 9 });
    const eagerFor = asked.session;
    expect(matcher.takesEager(eagerFor, ACTIVITIES)).toBe(true);
    expect([1, 2, 3].map((n) => give(`${n}`, { eagerFor }))).toEqual([true, true, true]);
    expect([asked.pushed, other.pushed]).toEqual([['1', '2'], ['3']]);
    expect(matcher.takesEager(eagerFor, ACTIVITIES)).toBe(false);
  });

  it.each([
    ['of another queue', { taskQueue: 'other' }],
    ['of another namespace', { namespace: 'other' }],
  ])('%s is not given to the worker that asked for it', (_, over) => {
    const { session: eagerFor } = come('a', { activityCredit: 2 });
    expect(give('1', { eagerFor, ...over })).toBe(false);
  });

  it('comes after what waits, and within the limits of rate', () => {
    const worker = come('a', { activityCredit: 9, maxActivitiesPerSecond: 1 });
    const eagerFor = worker.session;
    expect([give('1', { eagerFor }), give('2', { eagerFor })]).toEqual([true, false]);
    const b = come('b', { activityCredit: 0 });
    source.add(ACTIVITIES, 'old');
    matcher.grant(b.session, 'activity', 1, b.connection);
    expect(give('new', { eagerFor: b.session })).toBe(false);
    time.settle();
    expect(b.pushed).toEqual(['old']);
  });
});

describe('credit', () => {
  it('that appears pulls the backlog, in order', () => {
    const worker = come('a');
    for (const id of ['1', '2', '3']) source.add(ACTIVITIES, id);
    time.settle();
    expect(worker.pushed).toEqual([]);
    matcher.grant('a', 'activity', 2, worker.connection);
    time.settle();
    expect(worker.pushed).toEqual(['1', '2']);
    matcher.grant('a', 'activity', 2, worker.connection);
    time.settle();
    expect(worker.pushed).toEqual(['1', '2', '3']);
    expect(matcher.credit('activity')).toBe(1);
  });

  it('of a thousand waiting tasks is lent in batches', () => {
    for (let i = 0; i < 1_000; i += 1) source.add(ACTIVITIES, String(i));
    const worker = come('a', { activityCredit: 1_000 });
    time.settle();
    expect(worker.pushed).toHaveLength(1_000);
    expect(source.pulls).toBeLessThanOrEqual(5);
  });

  it('beyond the tasks that wait while others are being started pulls them once those are delivered', () => {
    // A task that a claim was found for waits no more, and is delivered once its start is durable.
    const starting: (() => void)[] = [];
    source.pull = (queue, claims) => {
      for (const claim of claims) {
        const task = source.waiting.get(FakeSource.id(queue))?.shift() ?? '';
        starting.push(() => void claim.deliver(delivery(task, queue.kind)));
      }
      matcher.backlogChanged(source, queue);
    };
    const worker = come('a', { activityCredit: 3 });
    for (const id of ['1', '2', '3']) source.add(ACTIVITIES, id);
    matcher.grant('a', 'activity', 3, worker.connection);
    time.settle();
    // Three claims are lent, and one task waits.
    source.add(ACTIVITIES, '4');
    time.settle();
    while (starting.length > 0) {
      for (const deliver of starting.splice(0)) deliver();
      time.settle();
    }
    expect(worker.pushed).toEqual(['1', '2', '3', '4']);
  });

  it('comes back when a task turns out not to start', () => {
    come('a', { activityCredit: 1 });
    const claim = matcher.claim(offer('1'));
    expect(matcher.claim(offer('2'))).toBeUndefined();
    claim?.release();
    claim?.release();
    expect(matcher.credit('activity')).toBe(1);
  });

  it('is cut at its bound', () => {
    const worker = come('a', { activityCredit: 10_000 });
    matcher.grant('a', 'activity', 10_000, worker.connection);
    expect(matcher.credit('activity')).toBe(10_000);
  });

  it('that no task has used can be taken back, what is lent cannot', () => {
    const worker = come('a', { activityCredit: 3 });
    const claim = matcher.claim(offer('1'));
    expect(matcher.withdraw('a', 'activity', 5, worker.connection)).toBe(2);
    expect(matcher.withdraw('a', 'activity', 5, worker.connection)).toBe(0);
    expect(give('2')).toBe(false);
    claim?.release();
    expect(give('2')).toBe(true);
  });

  it('is neither given nor taken over a connection the worker has left for another', () => {
    const before = come('a', { activityCredit: 1 });
    const now = come('a', { activityCredit: 1 });
    matcher.grant('a', 'activity', 5, before.connection);
    expect(matcher.withdraw('a', 'activity', 5, before.connection)).toBe(0);
    expect(matcher.credit('activity')).toBe(1);
    matcher.grant('a', 'activity', 5, now.connection);
    expect(matcher.credit('activity')).toBe(6);
  });

  it('stays where the worker came last, whatever a connection that it has left says late', () => {
    const now = come('a', { activityCredit: 1, connection: { openedAt: 2 } });
    const late = come('a', { activityCredit: 3, connection: { openedAt: 1 } });
    expect(matcher.credit('activity')).toBe(1);
    matcher.unregister('a', late.connection);
    matcher.grant('a', 'activity', 1, now.connection);
    expect(matcher.credit('activity')).toBe(2);
  });

  it('of a connection that takes no frames waits until it does', () => {
    const worker = come('a', { activityCredit: 1, writable: false });
    source.add(ACTIVITIES, '1');
    time.settle();
    expect(worker.pushed).toEqual([]);
    worker.writable = true;
    matcher.grant('a', 'activity', 0, worker.connection);
    time.settle();
    expect(worker.pushed).toEqual(['1']);
  });

  it('does not spin on a source that announces what it does not have', () => {
    come('a', { activityCredit: 1 });
    source.backlog = () => ({ count: 3, oldest: undefined });
    matcher.backlogChanged(source, ACTIVITIES);
    time.advance(1_000);
    expect(source.pulls).toBeGreaterThan(10);
    expect(source.pulls).toBeLessThan(110);
  });
});

describe('a query that finds no worker at all', () => {
  it('is given to the first one that comes, to the queue or back to its sticky queue', () => {
    source.queries.push('1');
    expect(matcher.claimQuery('default', 'queue', 'sticky')).toBeUndefined();
    const worker = come('a', { workflowCredit: 1 });
    expect(worker.pushed).toEqual(['1']);
    source.queries.push('2');
    expect(matcher.claimQuery('default', 'other', 'sticky')).toBeUndefined();
    const warm = come('b', { workflowCredit: 1, stickyQueue: 'sticky' });
    expect(warm.pushed).toEqual(['2']);
  });
});

describe('a worker that vanishes', () => {
  it('gets nothing that was claimed for it', () => {
    const worker = come('a', { activityCredit: 1 });
    const claim = matcher.claim(offer('1'));
    matcher.unregister('a', worker.connection);
    expect(claim?.deliver(delivery('1'))).toBe(false);
    expect(worker.pushed).toEqual([]);
    expect(matcher.claim(offer('2'))).toBeUndefined();
    expect(matcher.workers).toBe(0);
  });

  it('leaves its queue to the others', () => {
    const gone = come('gone', { activityCredit: 5 });
    const here = come('here', { activityCredit: 1 });
    matcher.unregister('gone', gone.connection);
    expect([give('1'), give('2')]).toEqual([true, false]);
    expect(here.pushed).toEqual(['1']);
  });

  it('loses the queries it was asked, unless it answered', () => {
    const worker = come('a', { workflowCredit: 2 });
    matcher.claimQuery('default', 'queue', undefined)?.deliver(delivery('1', 'query'));
    matcher.claimQuery('default', 'queue', undefined)?.deliver(delivery('2', 'query'));
    matcher.queryAnswered('a', 'query of 1');
    matcher.unregister('a', worker.connection);
    expect(lost).toEqual(['query of 2']);
  });

  it('is not taken off by the end of an older connection', () => {
    const before = come('a', { activityCredit: 1 });
    const now = come('a', { activityCredit: 1 });
    matcher.unregister('a', before.connection);
    expect(give('1')).toBe(true);
    expect(now.pushed).toEqual(['1']);
    expect(before.pushed).toEqual([]);
  });
});

describe('a worker that comes back', () => {
  it('is sent again what was started for it and never arrived, whatever its credit', () => {
    source.started.set('a', [
      { workflowId: 'arrived', token: 't1', kind: 'activity' },
      { workflowId: 'lost', token: 't2', kind: 'activity' },
    ]);
    const worker = come('a', { activityCredit: 0, heldTokens: new Set(['t1']) });
    expect(worker.pushed).toEqual(['lost']);
    expect(give('new')).toBe(false);
    matcher.grant('a', 'activity', 1, worker.connection);
    expect(give('new')).toBe(false);
    matcher.grant('a', 'activity', 1, worker.connection);
    expect(give('new')).toBe(true);
  });

  it('is done again when asked for, beyond its credit and without changing it', () => {
    const worker = come('a', { activityCredit: 1 });
    source.started.set('a', [
      { workflowId: 'arrived', token: 't1', kind: 'activity' },
      { workflowId: 'lost', token: 't2', kind: 'activity' },
    ]);
    matcher.resume('a', new Set(['t1']), {});
    expect(worker.pushed).toEqual([]);
    matcher.resume('a', new Set(['t1']), worker.connection);
    expect(worker.pushed).toEqual(['lost']);
    expect(give('new')).toBe(false);
    matcher.grant('a', 'activity', 1, worker.connection);
    expect(give('new')).toBe(true);
  });
});

describe('the notice that an ahead task is durable, or lost', () => {
  it('follows its worker to the connection it is on by then', () => {
    const token = Uint8Array.of(1);
    const before = come('a', { workflowCredit: 1, ahead: true });
    const claim = matcher.claim(offer('1', { kind: 'workflow' }));
    claim?.deliver(delivery('1', 'workflow'));
    matcher.unregister('a', before.connection);
    claim?.durable(token);
    claim?.over(token);
    const now = come('a', { ahead: true });
    claim?.durable(token);
    claim?.over(token);
    expect([before.durable, now.durable]).toEqual([[], ['\x01']]);
    expect([before.over, now.over]).toEqual([[], ['\x01']]);
  });
});

describe('a registration that another one has followed', () => {
  it('is owed nothing more: what its worker holds by now is not known to it', () => {
    const asked: ResumingWorker[] = [];
    source.resume = (worker) => void asked.push(worker);
    come('a');
    const now = come('a');
    expect(asked[0]?.claim('activity')).toBeUndefined();
    expect(asked[1]?.claim('activity')?.deliver(delivery('owed'))).toBe(true);
    expect(now.pushed).toEqual(['owed']);
    matcher.unregister('a', now.connection);
    expect(asked[1]?.claim('activity')).toBeUndefined();
  });
});

describe('a worker that leaves', () => {
  it('takes nothing more, but hears of cancellations', () => {
    const worker = come('a', { activityCredit: 5, stickyQueue: 'sticky' });
    matcher.leave('a', worker.connection);
    expect(give('1')).toBe(false);
    expect(matcher.stickyAlive('default', 'sticky')).toBe(false);
    matcher.cancelActivity('a', new Uint8Array(), 'cancelRequested');
    expect(worker.cancelled).toEqual(['cancelRequested']);
    matcher.grant('a', 'activity', 5, worker.connection);
    expect(give('1')).toBe(false);
  });
});

describe('a sticky task', () => {
  const sticky = () => ({ kind: 'workflow', sticky: { queue: 'sticky', until: soon() } }) as const;

  it('goes to its worker and says so', () => {
    come('other', { workflowCredit: 5 });
    const own = come('own', { workflowCredit: 1, stickyQueue: 'sticky' });
    const claim = matcher.claim(offer('1', sticky()));
    expect(claim?.sticky).toBe(true);
    claim?.deliver(delivery('1', 'workflow'));
    expect(own.pushed).toEqual(['1']);
    expect(matcher.claim(offer('2', sticky()))).toBeUndefined();
  });

  it('draws on its credit before the normal queue does', () => {
    const worker = come('own', { stickyQueue: 'sticky' });
    source.add(WORKFLOWS, 'normal');
    source.add(STICKY, 'warm');
    matcher.grant('own', 'workflow', 1, worker.connection);
    time.settle();
    expect(worker.pushed).toEqual(['warm']);
    matcher.grant('own', 'workflow', 1, worker.connection);
    time.settle();
    expect(worker.pushed).toEqual(['warm', 'normal']);
  });

  it('that waits holds back no activities: they draw on other credit', () => {
    const worker = come('own', { stickyQueue: 'sticky', activityCredit: 2 });
    source.add(STICKY, 'warm');
    source.add(ACTIVITIES, 'activity');
    time.settle();
    expect(worker.pushed).toEqual(['activity']);
    expect(give('new')).toBe(true);
  });

  it('that goes away leaves the credit to the normal queue', () => {
    const worker = come('own', { workflowCredit: 1, stickyQueue: 'sticky' });
    const { pull } = source;
    // Not to be started yet, for a reason of its shard's.
    source.pull = (_queue, claims) => {
      for (const claim of claims) claim.release();
    };
    source.add(STICKY, 'warm');
    source.add(WORKFLOWS, 'normal');
    time.settle();
    expect(worker.pushed).toEqual([]);
    source.pull = pull;
    source.waiting.delete(FakeSource.id(STICKY));
    matcher.backlogChanged(source, STICKY);
    time.advance(1_000);
    expect(worker.pushed).toEqual(['normal']);
  });

  it('waits for a worker that was here within ten seconds, then goes to the normal queue', () => {
    const own = come('own', { workflowCredit: 1, stickyQueue: 'sticky' });
    const other = come('other', { workflowCredit: 1 });
    matcher.unregister('own', own.connection);
    expect(matcher.stickyAlive('default', 'sticky')).toBe(true);
    expect(matcher.claim(offer('1', sticky()))).toBeUndefined();
    time.advance(10_000);
    expect(matcher.stickyAlive('default', 'sticky')).toBe(false);
    const claim = matcher.claim(offer('1', sticky()));
    expect(claim?.sticky).toBe(false);
    claim?.deliver(delivery('1', 'workflow'));
    expect(other.pushed).toEqual(['1']);
  });

  it('past its time goes to the normal queue', () => {
    come('own', { workflowCredit: 1, stickyQueue: 'sticky' });
    const late = { kind: 'workflow', sticky: { queue: 'sticky', until: time.now() } } as const;
    expect(matcher.claim(offer('1', late))?.sticky).toBe(false);
  });
});

describe('a direct query', () => {
  it('asks the sticky worker first, then any', () => {
    const other = come('other', { workflowCredit: 1 });
    const own = come('own', { workflowCredit: 1, stickyQueue: 'sticky' });
    matcher.claimQuery('default', 'queue', 'sticky')?.deliver(delivery('1', 'query'));
    matcher.claimQuery('default', 'queue', 'sticky')?.deliver(delivery('2', 'query'));
    expect([own.pushed, other.pushed]).toEqual([['1'], ['2']]);
  });

  it('that finds no credit is asked for when some appears', () => {
    const worker = come('a');
    expect(matcher.claimQuery('default', 'queue', undefined)).toBeUndefined();
    source.queries.push('1', '2');
    matcher.grant('a', 'workflow', 1, worker.connection);
    time.settle();
    expect(worker.pushed).toEqual(['1']);
    matcher.grant('a', 'workflow', 1, worker.connection);
    time.settle();
    expect(worker.pushed).toEqual(['1', '2']);
  });
});

describe('rate limits', () => {
  it('of a worker space its pushes on the injected clock', () => {
    const worker = come('a', { activityCredit: 100, maxActivitiesPerSecond: 5 });
    for (let i = 0; i < 10; i += 1) source.add(ACTIVITIES, String(i));
    time.settle();
    expect(worker.pushed).toHaveLength(1);
    time.advance(1_000);
    expect(worker.pushed).toHaveLength(6);
    time.advance(1_000);
    expect(worker.pushed).toHaveLength(10);
  });

  it('of a queue bind all its workers together, the last word winning', () => {
    const a = come('a', { activityCredit: 100, maxTaskQueueActivitiesPerSecond: 100 });
    const b = come('b', { activityCredit: 100, maxTaskQueueActivitiesPerSecond: 2 });
    for (let i = 0; i < 20; i += 1) source.add(ACTIVITIES, String(i));
    time.advance(2_000);
    expect(a.pushed.length + b.pushed.length).toBe(5);
  });
});

describe('describe', () => {
  it('shows live workers with their credit, and the backlog', async () => {
    come('a', { activityCredit: 3, workflowCredit: 1, buildId: 'b1' });
    const gone = come('gone', { activityCredit: 3 });
    matcher.unregister('gone', gone.connection);
    source.waiting.set(FakeSource.id(WORKFLOWS), ['1', '2']);
    const described = await matcher.describe('default', 'queue');
    const { pollers, workflowBacklog, activityBacklog, oldestBacklogAge } = described;
    expect(pollers).toEqual([
      { identity: 'a', kind: 'workflow', lastAccessTime: time.now(), credit: 1, buildId: 'b1' },
      { identity: 'a', kind: 'activity', lastAccessTime: time.now(), credit: 3, buildId: 'b1' },
    ]);
    const age = Math.max(0, time.now() - 1_700_000_000_000);
    expect([workflowBacklog, activityBacklog, oldestBacklogAge]).toEqual([2, 0, age]);
    expect(described.workflow.byPriority).toEqual([
      { priority: 3, approximateBacklogCount: 2, approximateBacklogAge: age },
    ]);
  });
});

type Step =
  | { do: 'register' | 'drop' | 'grant'; worker: number; credit: number }
  | { do: 'offer' | 'tick' | 'wait' }
  | { do: 'settle'; claim: number; how: 'deliver' | 'release' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('register' as const, 'drop' as const, 'grant' as const),
    worker: fc.integer({ min: 0, max: 3 }),
    credit: fc.integer({ min: 0, max: 5 }),
  }),
  fc.record({ do: fc.constantFrom('offer' as const, 'tick' as const, 'wait' as const) }),
  fc.record({ do: fc.constant('settle' as const), claim: fc.nat(20), how: fc.constantFrom('deliver', 'release') }),
);

describe('over any course of events', () => {
  it('no worker is pushed more than it granted, no task goes to two, none is forgotten while there is credit', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const clock = new VirtualTime();
        const subject = new Matcher({ clock, scheduler: clock, onQueryLost: () => {} });
        const tasks = new FakeSource((changed, queue) => subject.backlogChanged(changed, queue));
        subject.attach(tasks);
        const present = new Map<number, { worker: FakeWorker; granted: number }>();
        const everyone: { worker: FakeWorker; granted: () => number }[] = [];
        const claims: { claim: Claim; task: string }[] = [];
        const given = new Set<string>();
        let next = 0;
        const giveTo = (claim: Claim, task: string): void => {
          if (!claim.deliver(delivery(task))) tasks.add(ACTIVITIES, task);
        };
        for (const now of steps) {
          if (now.do === 'register') {
            const worker = new FakeWorker(String(now.worker), { activityCredit: now.credit });
            const entry = { worker, granted: now.credit };
            present.set(now.worker, entry);
            everyone.push({ worker, granted: () => entry.granted });
            subject.register(worker);
          } else if (now.do === 'grant') {
            const entry = present.get(now.worker);
            if (entry === undefined) continue;
            entry.granted += now.credit;
            subject.grant(String(now.worker), 'activity', now.credit, entry.worker.connection);
          } else if (now.do === 'drop') {
            const entry = present.get(now.worker);
            if (entry !== undefined) subject.unregister(String(now.worker), entry.worker.connection);
            present.delete(now.worker);
          } else if (now.do === 'offer') {
            const task = String((next += 1));
            const claim = subject.claim(offer(task));
            if (claim === undefined) tasks.add(ACTIVITIES, task);
            else claims.push({ claim, task });
          } else if (now.do === 'settle') {
            const open = claims.splice(now.claim % Math.max(1, claims.length), 1)[0];
            if (open === undefined) continue;
            if (now.how === 'deliver') giveTo(open.claim, open.task);
            else {
              open.claim.release();
              tasks.add(ACTIVITIES, open.task);
            }
          } else if (now.do === 'tick') clock.settle();
          else clock.advance(100);
        }
        for (const { claim, task } of claims) giveTo(claim, task);
        clock.advance(1_000);
        for (const { worker, granted } of everyone) {
          expect(worker.pushed.length).toBeLessThanOrEqual(granted());
          for (const task of worker.pushed) {
            expect(given.has(task)).toBe(false);
            given.add(task);
          }
        }
        const waiting = tasks.backlog(ACTIVITIES).count;
        expect(given.size + waiting).toBe(next);
        if (waiting > 0) expect(subject.credit('activity')).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
