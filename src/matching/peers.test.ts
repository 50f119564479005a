// A matcher among others: what it tells them, and how it treats their tasks, which it sees as one more source.

import { beforeEach, describe, expect, it } from 'vitest';
import { delivery, FakeSource, FakeWorker, offer, VirtualTime } from '../../test/support/matching-world.ts';
import type { Claim, MatchingPeers, QueueBacklog, QueueDescriptions, QueueKey } from '../ports/matching.ts';
import { Matcher } from './matcher.ts';

const ACTIVITIES: QueueKey = { namespace: 'default', name: 'queue', kind: 'activity' };

/** Keeps claims until the test settles them, as a fetch over a link does. */
class Elsewhere extends FakeSource {
  rank: { priority: number; oldest: number } = { priority: 3, oldest: 0 };
  waitingCount = 0;
  readonly lent: Claim[] = [];

  override backlog(): QueueBacklog {
    return { count: this.waitingCount, ...this.rank };
  }

  override pull(_queue: QueueKey, claims: Claim[]): void {
    this.lent.push(...claims);
    this.waitingCount -= claims.length;
    matcher.backlogChanged(this, ACTIVITIES);
  }
}

let time: VirtualTime;
let matcher: Matcher;
let here: FakeSource;
let elsewhere: Elsewhere;
let told: string[];
let others: QueueDescriptions;

beforeEach(() => {
  time = new VirtualTime();
  told = [];
  matcher = new Matcher({ clock: time, scheduler: time, onQueryLost: () => undefined });
  here = new FakeSource((source, queue) => matcher.backlogChanged(source, queue));
  elsewhere = new Elsewhere(() => undefined);
  matcher.attach(here);
  others = { queues: [], silent: [] };
  const peers: MatchingPeers = {
    backlogChanged: ({ name, kind }) => told.push(`backlog of ${name} (${kind})`),
    creditChanged: ({ name, kind }) => told.push(`credit of ${name} (${kind})`),
    queryWaits: ({ name }) => told.push(`query for ${name}`),
    cancelActivity: (session) => told.push(`cancel for ${session}`),
    nodes: () => 3,
    describe: async () => others,
  };
  matcher.join(peers, elsewhere);
});

function come(name: string, settings: Partial<FakeWorker> = {}): FakeWorker {
  const worker = new FakeWorker(name, settings);
  matcher.register(worker);
  time.settle();
  return worker;
}

describe('a matcher among others', () => {
  it('describes a queue as all of them have it: a worker at several is one, what waits is added up, who is silent is named', async () => {
    come('w', { activityCredit: 2, maxActivitiesPerSecond: 7 });
    const poller = {
      identity: 'w',
      kind: 'activity',
      lastAccessTime: time.now() + 5,
      credit: 3,
      ratePerSecond: 7,
    } as const;
    const idle = { backlog: [], tasksAddRate: 0, tasksDispatchRate: 0 };
    const waiting = [
      { priority: 1, count: 2, oldest: time.now() - 70 },
      { priority: 3, count: 5, oldest: time.now() - 30 },
    ];
    others.queues = [
      {
        pollers: [poller],
        workflow: idle,
        activity: { backlog: waiting, tasksAddRate: 2, tasksDispatchRate: 1 },
        configs: {},
      },
    ];
    others.silent = ['node-3'];
    here.add({ namespace: 'default', name: 'other', kind: 'activity' }, 'elsewhere');
    const { pollers, activity, activityBacklog, oldestBacklogAge, silentNodes } = await matcher.describe(
      'default',
      'queue',
    );
    expect(pollers.filter(({ kind }) => kind === 'activity')).toEqual([{ ...poller, credit: 5, buildId: undefined }]);
    expect([activityBacklog, oldestBacklogAge, silentNodes]).toEqual([7, 70, ['node-3']]);
    expect([activity.tasksAddRate, activity.tasksDispatchRate]).toEqual([2, 1]);
    expect(activity.byPriority).toEqual([
      { priority: 1, approximateBacklogCount: 2, approximateBacklogAge: 70 },
      { priority: 3, approximateBacklogCount: 5, approximateBacklogAge: 30 },
    ]);
  });

  it("has its part of a queue's rate limit: of all nodes until it is known which have workers of the queue", () => {
    const worker = come('w', { activityCredit: 100, maxTaskQueueActivitiesPerSecond: 3 });
    for (let i = 0; i < 50; i += 1) here.add({ namespace: 'default', name: 'queue', kind: 'activity' }, `${i}`);
    time.advance(3_000);
    expect(worker.pushed).toHaveLength(4);
    matcher.shared({ namespace: 'default', name: 'queue', kind: 'activity' }, 1);
    time.advance(3_000);
    expect(worker.pushed).toHaveLength(12);
  });

  it('tells of credit once, until it is asked how much there is', () => {
    const worker = come('w', { activityCredit: 2 });
    matcher.grant('w', 'activity', 1, worker.connection);
    expect(told.filter((line) => line === 'credit of queue (activity)')).toHaveLength(1);
    expect(matcher.creditOf(ACTIVITIES)).toEqual({ workers: 1, credit: 3 });
    matcher.claim(offer('a'))?.deliver(delivery('a'));
    expect(told.filter((line) => line === 'credit of queue (activity)')).toHaveLength(2);
    worker.writable = false;
    expect(matcher.creditOf(ACTIVITIES)).toEqual({ workers: 1, credit: 0 });
    matcher.unregister('w', worker.connection);
    expect(told.filter((line) => line === 'credit of queue (activity)')).toHaveLength(3);
    expect(matcher.creditOf(ACTIVITIES)).toEqual({ workers: 0, credit: 0 });
  });

  it("tells of what waits in its shards, but not of a worker's own queue, and not of what they told it", () => {
    come('w', { stickyQueue: 'sticky' });
    told = [];
    here.add(ACTIVITIES, 'a');
    here.add({ ...ACTIVITIES, name: 'unserved' }, 'b');
    here.add({ namespace: 'default', name: 'sticky', kind: 'workflow' }, 'c');
    elsewhere.waitingCount = 1;
    matcher.backlogChanged(elsewhere, ACTIVITIES);
    expect(told).toEqual(['backlog of queue (activity)', 'backlog of unserved (activity)']);
  });

  it('tells of a query that finds no worker, and of a cancellation for a worker that is not here', () => {
    come('w', { workflowCredit: 0 });
    told = [];
    expect(matcher.claimQuery('default', 'queue', undefined)).toBeUndefined();
    expect(matcher.claimQuery('default', 'unserved', undefined)).toBeUndefined();
    matcher.cancelActivity('w', new Uint8Array(1), 'timedOut');
    matcher.cancelActivity('far', new Uint8Array(1), 'timedOut');
    expect(told).toEqual(['query for queue', 'query for unserved', 'cancel for far']);
    expect([matcher.isConnected('w'), matcher.isConnected('far')]).toEqual([true, false]);
  });

  it('gives credit to the best task, here or elsewhere', () => {
    for (const n of [1, 2, 3]) here.add(ACTIVITIES, `here-${n}`);
    elsewhere.waitingCount = 2;
    elsewhere.rank = { priority: 3, oldest: 1_600_000_000_000 };
    const worker = come('w', { activityCredit: 3 });
    expect(elsewhere.lent).toHaveLength(2);
    expect(worker.pushed).toEqual(['here-1']);
    elsewhere.waitingCount = 2;
    elsewhere.rank = { priority: 3, oldest: 1_800_000_000_000 };
    matcher.grant('w', 'activity', 1, worker.connection);
    time.settle();
    expect(worker.pushed).toEqual(['here-1', 'here-2']);
  });

  it('starts no new task of its own while older ones elsewhere are to be fetched', () => {
    come('w', { activityCredit: 1 });
    elsewhere.waitingCount = 2;
    matcher.backlogChanged(elsewhere, ACTIVITIES);
    expect(matcher.claim(offer('young'))).toBeUndefined();
    time.settle();
    expect(elsewhere.lent).toHaveLength(1);
  });

  it('does not let its own backlog wait for fetches that are under way', () => {
    const worker = come('w', { activityCredit: 10 });
    elsewhere.waitingCount = 5;
    matcher.backlogChanged(elsewhere, ACTIVITIES);
    time.settle();
    expect(elsewhere.lent).toHaveLength(5);
    here.add(ACTIVITIES, 'here');
    time.settle();
    expect(worker.pushed).toEqual(['here']);
    expect(matcher.claim(offer('new'))?.deliver(delivery('new'))).toBe(true);
    for (const claim of elsewhere.lent) claim.release();
    expect(matcher.creditOf(ACTIVITIES)).toEqual({ workers: 1, credit: 8 });
  });

  it('asks for queries elsewhere once a worker has credit', () => {
    const worker = come('w', { workflowCredit: 0 });
    elsewhere.queries.push('q1');
    matcher.queriesWait({ ...ACTIVITIES, kind: 'workflow' });
    time.settle();
    expect(worker.pushed).toEqual([]);
    matcher.grant('w', 'workflow', 1, worker.connection);
    time.settle();
    expect(worker.pushed).toEqual(['q1']);
  });
});
