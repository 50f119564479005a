// The slots of suppliers and windows of credit, as servers see them: by what a session grants and takes back.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { makeLogger } from '../../common/logger.ts';
import { activityTask, bytes, FakeConnection, fixedLane, settle } from '../fakes.test-support.ts';
import type { NodeSession } from '../node-session.ts';
import { Session } from '../session.ts';
import type { LaneOptions } from './lane.ts';
import { compilePollers, type PollerBehavior } from './poller-behavior.ts';
import type { ActivitySlotInfo, CustomSlotSupplier } from './tuner.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** So many permits, and what became of them. */
function permits(count: number) {
  let free = count;
  const told: string[] = [];
  const waiting = new Set<() => void>();
  const take = (): object => {
    free -= 1;
    return {};
  };
  const supplier: CustomSlotSupplier<ActivitySlotInfo> = {
    type: 'custom',
    reserveSlot: ({ slotType, taskQueue }, signal) =>
      new Promise((resolve, reject) => {
        told.push(`reserve ${slotType} of ${taskQueue}`);
        const serve = () => resolve(take());
        if (free > 0) serve();
        else waiting.add(serve);
        signal.addEventListener('abort', () => {
          if (waiting.delete(serve)) reject(signal.reason);
        });
      }),
    tryReserveSlot: () => (free > 0 ? take() : null),
    markSlotUsed: ({ slotInfo }) => told.push(`use ${slotInfo.activityType}`),
    releaseSlot: ({ slotInfo }) => {
      free += 1;
      told.push(`release ${slotInfo?.activityType ?? 'unused'}`);
      const [next] = waiting;
      if (next !== undefined) waiting.delete(next);
      next?.();
    },
  };
  return { supplier, told, free: () => free };
}

async function open(activityLane: LaneOptions<ActivitySlotInfo>) {
  const connection = new FakeConnection();
  const origins = new Map<string, NodeSession>();
  const session = new Session(
    {
      ...{ connection, workerId: 'w', namespace: 'default', taskQueue: 'q', identity: 'me', buildId: 'b' },
      ...{ stickyQueue: undefined, stickyScheduleToStartTimeout: 0, workflowLane: fixedLane(0), activityLane },
      ...{ maxActivitiesPerSecond: undefined, maxTaskQueueActivitiesPerSecond: undefined },
      logger: makeLogger(() => {}),
    },
    {
      activityTask: ({ token }, from) => origins.set(Buffer.from(token).toString(), from),
      ...{ workflowTask: () => {}, cancelActivity: () => {}, durable: () => {}, over: () => {} },
      ...{ heldTokens: () => [], fatal: () => {} },
    },
  );
  await session.start();
  await settle();
  return {
    connection,
    session,
    /** Credit that the server has of the worker, as it was told. */
    told: () =>
      connection.of('grantCredit').reduce((sum, { body }) => sum + (body.activity ?? 0), registered(connection)),
    answer(token: string) {
      const from = origins.get(token);
      if (from === undefined) throw new Error(`task ${token} was not pushed`);
      const owner = { key: token, from, answered: () => {}, substitute: () => undefined };
      const request = { target: { token: bytes(token) }, identity: 'me' };
      session.answer('activity', 'respondActivityTaskCompleted', request, owner);
    },
  };
}

const registered = (connection: FakeConnection): number => connection.last('registerWorker').body.activityCredit;

function supplied(
  supplier: CustomSlotSupplier<ActivitySlotInfo>,
  behavior?: PollerBehavior,
): LaneOptions<ActivitySlotInfo> {
  return { ...fixedLane<ActivitySlotInfo>(0), supplier, pollers: compilePollers('p', behavior, 'supplied') };
}

describe('a supplier of slots', () => {
  it('is asked for as many as credit may be open, and each permit is one credit', async () => {
    const { supplier, told, free } = permits(3);
    const worker = await open(supplied(supplier, { type: 'simple-maximum', maximum: 5 }));
    expect(told).toEqual(Array.from({ length: 5 }, () => 'reserve activity of q'));
    expect([free(), worker.told()]).toEqual([0, 3]);
  });

  it('learns of each task when it comes and when it is answered; its slot is credit again with the answer', async () => {
    const { supplier, told } = permits(1);
    const worker = await open(supplied(supplier, { type: 'simple-maximum', maximum: 1 }));
    worker.connection.push('activityTask', activityTask('a', { activityType: 'resize' }));
    // The window is open again, and the next permit asked for.
    expect(told).toEqual(['reserve activity of q', 'use resize', 'reserve activity of q']);
    worker.answer('a');
    await settle();
    // Whoever waited has it: nothing was left for the answer to bring back.
    expect(worker.connection.last('respondActivityTaskCompleted').body.credit).toBe(0);
    expect(worker.told()).toBe(2);
  });

  it('that has a permit at hand lets the answer bring the next task', async () => {
    const { supplier } = permits(3);
    const worker = await open(supplied(supplier, { type: 'simple-maximum', maximum: 1 }));
    worker.connection.push('activityTask', activityTask('a'));
    worker.connection.push('activityTask', activityTask('b'));
    worker.answer('a');
    expect(worker.connection.last('respondActivityTaskCompleted').body.credit).toBe(1);
  });

  it('has everything back when the worker has stopped', async () => {
    const { supplier, free } = permits(4);
    const worker = await open(supplied(supplier));
    worker.connection.push('activityTask', activityTask('a'));
    await worker.session.drain();
    worker.answer('a');
    await settle();
    worker.session.close();
    expect(free()).toBe(4);
  });
});

describe('a window of credit', () => {
  it('of a simple maximum bounds what may be pushed, not what runs', async () => {
    const lane = {
      ...fixedLane<ActivitySlotInfo>(5),
      pollers: compilePollers('p', { type: 'simple-maximum', maximum: 2 }, 'fixed'),
    };
    const worker = await open(lane);
    expect(registered(worker.connection)).toBe(2);
    worker.connection.push('activityTask', activityTask('a'));
    worker.answer('a');
    expect(worker.connection.last('respondActivityTaskCompleted').body.credit).toBe(1);
  });

  it('that scales grows with tasks that waited, and takes back what lies unused', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const pollers = compilePollers('p', { type: 'autoscaling', minimum: 1, maximum: 20, initial: 2 }, 'fixed');
    const worker = await open({ ...fixedLane<ActivitySlotInfo>(50), pollers });
    for (const token of ['a', 'b', 'c']) {
      const task = activityTask(token, { currentAttemptScheduledTime: 1_000, startedTime: 4_000 });
      worker.connection.push('activityTask', task);
    }
    await settle();
    for (const token of ['a', 'b', 'c']) worker.answer(token);
    await settle();
    // 2 at first, 3 tasks, and 5 open now.
    const givenBack = worker.connection
      .of('respondActivityTaskCompleted')
      .reduce((sum, { body }) => sum + body.credit, 0);
    expect(worker.told() + givenBack - 3).toBe(5);
    worker.connection.manual.add('withdrawCredit');
    vi.advanceTimersByTime(1_000);
    // One was never used meanwhile.
    expect(worker.connection.last('withdrawCredit').body).toMatchObject({ activity: 1 });
    vi.advanceTimersByTime(5_000);
    expect(worker.connection.of('withdrawCredit')).toHaveLength(1);
    worker.connection.last('withdrawCredit').resolve({ workflow: 0, activity: 1 });
    await settle();
    vi.advanceTimersByTime(1_000);
    expect(worker.connection.last('withdrawCredit').body).toMatchObject({ activity: 2 });
  });
});
