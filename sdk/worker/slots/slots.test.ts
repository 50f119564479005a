import { describe, expect, it, vi } from 'vitest';
import { makeLogger } from '../../common/logger.ts';
import { makeSlots } from './slots.ts';
import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit, SlotReserveContext } from './tuner.ts';

const CONTEXT: SlotReserveContext = {
  ...{ slotType: 'activity', taskQueue: 'q', workerIdentity: 'me', workerBuildId: 'b', isSticky: false },
};
const info: ActivitySlotInfo = { type: 'activity', activityType: 'act' };

/** A supplier that gives what the test says, and notes what it is told. */
class Ledger implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = 'custom';
  readonly told: string[] = [];
  readonly waiting: { resolve(permit: SlotPermit): void; reject(error: unknown): void; signal: AbortSignal }[] = [];
  atHand = 0;
  #made = 0;

  reserveSlot(_context: SlotReserveContext, signal: AbortSignal): Promise<SlotPermit> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject, signal });
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  }

  tryReserveSlot(): SlotPermit | null {
    if (this.atHand === 0) return null;
    this.atHand -= 1;
    return this.permit();
  }

  markSlotUsed({ permit, slotInfo }: { permit: SlotPermit; slotInfo: ActivitySlotInfo }): void {
    this.told.push(`used ${(permit as { n: number }).n} by ${slotInfo.activityType}`);
  }

  releaseSlot({ permit, slotInfo }: { permit: SlotPermit; slotInfo?: ActivitySlotInfo }): void {
    this.told.push(`released ${(permit as { n: number }).n} ${slotInfo === undefined ? 'unused' : 'used'}`);
  }

  permit(): SlotPermit {
    this.#made += 1;
    return { n: this.#made };
  }

  async give(): Promise<void> {
    this.waiting.shift()?.resolve(this.permit());
    await settled();
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const supplier = new Ledger();
  const logs: string[] = [];
  let came = 0;
  const logger = makeLogger((_level, message) => logs.push(message));
  const slots = makeSlots<ActivitySlotInfo>(supplier, CONTEXT, logger, () => {
    came += 1;
  });
  return { supplier, slots, logs, came: () => came };
}

describe('a fixed number of slots', () => {
  it('is there from the start, and never more are taken by choice', () => {
    const slots = makeSlots<ActivitySlotInfo>(
      { type: 'fixed-size', numSlots: 2 },
      CONTEXT,
      makeLogger(() => {}),
      () => {},
    );
    expect([slots.tryUse(1, info), slots.tryUse(2, info), slots.tryUse(3, info)]).toEqual([true, true, false]);
    slots.release(1, 'wanted');
    expect([slots.total, slots.used]).toEqual([2, 1]);
  });
});

describe('the slots of a supplier', () => {
  it('are reserved as far ahead as is wanted, and told of when they come', async () => {
    const { supplier, slots, came } = setUp();
    slots.keepFree(3, 0);
    slots.keepFree(3, 0);
    expect([supplier.waiting.length, slots.total]).toEqual([3, 0]);
    await supplier.give();
    expect([slots.total, came()]).toEqual([1, 1]);
  });

  it('are marked when a task takes one, and released when it has ended', async () => {
    const { supplier, slots } = setUp();
    slots.keepFree(1, 0);
    await supplier.give();
    slots.use('task', info);
    slots.release('task', 'unwanted');
    expect(supplier.told).toEqual(['used 1 by act', 'released 1 used']);
    expect([slots.total, slots.used]).toEqual([0, 0]);
  });

  it('come at once for the next task, where the supplier has one at hand', async () => {
    const { supplier, slots } = setUp();
    slots.keepFree(1, 0);
    await supplier.give();
    slots.use('task', info);
    supplier.atHand = 1;
    slots.release('task', 'wanted');
    expect(slots.total).toBe(1);
  });

  it('are given back when fewer are wanted, but not those that are lent out as credit', async () => {
    const { supplier, slots } = setUp();
    slots.keepFree(4, 0);
    await supplier.give();
    await supplier.give();
    slots.keepFree(0, 1);
    expect(supplier.told).toEqual(['released 2 unused']);
    expect(supplier.waiting.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  });

  it('are given back when they come too late', async () => {
    const { supplier, slots, came } = setUp();
    slots.keepFree(1, 0);
    const [waiting] = supplier.waiting;
    slots.keepFree(0, 0);
    // A supplier that does not mind the signal.
    waiting?.resolve({ n: 9 });
    await settled();
    expect([slots.total, came()]).toEqual([0, 0]);
  });

  it('let a task run that is owed, without a permit, and count it against none', () => {
    const { supplier, slots } = setUp();
    slots.use('owed', info);
    expect([slots.total, slots.used]).toEqual([0, 1]);
    slots.release('owed', 'unwanted');
    expect(supplier.told).toEqual([]);
  });

  it('know a task that came twice by two slots', async () => {
    const { supplier, slots } = setUp();
    supplier.atHand = 2;
    slots.use('same', info);
    slots.use('same', info);
    slots.release('same', 'unwanted');
    expect(slots.used).toBe(1);
    slots.release('same', 'unwanted');
    expect([slots.used, supplier.told.length]).toEqual([0, 4]);
  });

  it('survive a supplier that throws: it is logged, and asked again after a while', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { supplier, slots, logs } = setUp();
      slots.keepFree(1, 0);
      supplier.waiting.shift()?.reject(new Error('no'));
      await settled();
      slots.keepFree(1, 0);
      expect([logs.length, supplier.waiting.length]).toEqual([1, 0]);
      vi.advanceTimersByTime(1_000);
      expect(supplier.waiting.length).toBe(1);
      supplier.markSlotUsed = () => {
        throw new Error('no');
      };
      await supplier.give();
      slots.use('task', info);
      expect([logs.length, slots.used]).toEqual([2, 1]);
      slots.stop();
    } finally {
      vi.useRealTimers();
    }
  });

  it('are all given back in the end, and no new ones asked for', async () => {
    const { supplier, slots } = setUp();
    slots.keepFree(2, 0);
    await supplier.give();
    slots.stop();
    slots.keepFree(2, 0);
    expect([slots.total, supplier.told]).toEqual([0, ['released 1 unused']]);
    expect(supplier.waiting.every(({ signal }) => signal.aborted)).toBe(true);
  });
});
