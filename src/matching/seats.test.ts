import { beforeEach, describe, expect, it } from 'vitest';
import { delivery, FakeSource, FakeWorker, offer, VirtualTime } from '../../test/support/matching-world.ts';
import type { AnswerSeat, Delivery, QueueKey, SeatRequest } from '../ports/matching.ts';
import { Matcher } from './matcher.ts';

const SEAT = 'default/answer-1';
const ACTIVITIES: QueueKey = { namespace: 'default', name: 'queue', kind: 'activity' };

let matcher: Matcher;
let source: FakeSource;
let seat: AnswerSeat;
let heard: (readonly Delivery[])[];

const open = (over: Partial<SeatRequest> = {}): AnswerSeat =>
  matcher.openSeat({
    ...{
      session: SEAT,
      namespace: 'default',
      identity: 'me',
      buildId: 'b',
      workflowTasks: 1,
      activities: 1,
      warm: true,
    },
    ...over,
  });

const settle = (): void => seat.settled((tasks) => heard.push(tasks));
const claim = (id: string, kind: 'workflow' | 'activity', over = {}) =>
  matcher.claim(offer(id, { kind, eagerFor: SEAT, ...over }));

beforeEach(() => {
  const time = new VirtualTime();
  matcher = new Matcher({ clock: time, scheduler: time, onQueryLost: () => {} });
  source = new FakeSource((changed, queue) => matcher.backlogChanged(changed, queue));
  matcher.attach(source);
  heard = [];
  seat = open();
});

describe('a seat', () => {
  it('takes the tasks that are for it, as many as it has places', () => {
    expect(claim('1', 'workflow')?.deliver(delivery('1', 'workflow'))).toBe(true);
    expect(claim('2', 'workflow')).toBeUndefined();
    expect(claim('3', 'activity')?.deliver(delivery('3', 'activity'))).toBe(true);
    expect(claim('4', 'activity')).toBeUndefined();
    settle();
    expect(heard[0]?.map(({ workflowId }) => workflowId)).toEqual(['1', '3']);
  });

  it('comes before a worker that polls, and leaves that one the rest', () => {
    const worker = new FakeWorker('w', { workflowCredit: 1 });
    matcher.register(worker);
    expect(claim('1', 'workflow')?.taker).toMatchObject({ session: SEAT, identity: 'me' });
    expect(claim('2', 'workflow')?.taker.session).toBe(worker.session);
  });

  it('comes before the sticky queue of the execution, which is warm for it', () => {
    const sticky = { queue: 'sticky', until: Number.MAX_SAFE_INTEGER };
    expect(claim('1', 'workflow', { sticky })).toMatchObject({ sticky: true, ahead: false });
  });

  it('is answered when what is on its way has arrived, and not before', () => {
    const under = claim('1', 'workflow');
    settle();
    expect(heard).toEqual([]);
    under?.deliver(delivery('1', 'workflow'));
    expect(heard).toHaveLength(1);
  });

  it('is answered without a task that turned out not to start', () => {
    const under = claim('1', 'workflow');
    settle();
    under?.release();
    under?.release();
    expect(heard).toEqual([[]]);
  });

  it('takes nothing once it was asked for what it has', () => {
    settle();
    expect(claim('1', 'workflow')).toBeUndefined();
  });

  it('refuses what arrives when its call is over, so that the start is undone', () => {
    const under = claim('1', 'workflow');
    seat.close();
    expect(under?.deliver(delivery('1', 'workflow'))).toBe(false);
    expect(claim('2', 'activity')).toBeUndefined();
  });

  it('takes no activity that others wait before', () => {
    source.add(ACTIVITIES, 'old');
    expect(matcher.takesEager(SEAT, ACTIVITIES)).toBe(false);
    expect(claim('1', 'activity')).toBeUndefined();
  });

  it('takes nothing of another namespace', () => {
    expect(claim('1', 'workflow', { namespace: 'other' })).toBeUndefined();
  });
});
