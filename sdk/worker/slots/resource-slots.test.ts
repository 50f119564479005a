import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ResourceBasedController, type ResourceReading } from './resource-controller.ts';
import { ResourceBasedSlots } from './resource-supplier.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A machine whose memory and processors are as the test says. */
class Machine {
  memoryUsage = 0.1;
  cpuUsage = 0.1;
  #busyMs = 0;
  #totalMs = 0;
  #at = performance.now();
  readonly controller: ResourceBasedController;

  constructor(targetMemoryUsage = 0.8, targetCpuUsage = 0.9) {
    const targets = { targetMemoryUsage, targetCpuUsage };
    this.controller = ResourceBasedController.over(
      targets,
      () => this.#read(),
      () => performance.now(),
    );
  }

  #read(): ResourceReading {
    const passedMs = performance.now() - this.#at;
    this.#at = performance.now();
    this.#totalMs += passedMs;
    this.#busyMs += passedMs * this.cpuUsage;
    return { memoryUsage: this.memoryUsage, cpuBusyMs: this.#busyMs, cpuTotalMs: this.#totalMs };
  }

  /** Looks at it for so long, ms. */
  watch(forMs: number): boolean {
    let room = this.controller.hasRoom();
    for (let passed = 0; passed < forMs; passed += 100) {
      vi.advanceTimersByTime(100);
      room = this.controller.hasRoom();
    }
    return room;
  }
}

describe('the controller', () => {
  it.each([
    { what: 'both below their targets', memoryUsage: 0.5, cpuUsage: 0.5, room: true },
    { what: 'memory beyond its target', memoryUsage: 0.81, cpuUsage: 0.5, room: false },
    { what: 'processors beyond their target', memoryUsage: 0.5, cpuUsage: 0.95, room: false },
  ])('$what: room $room', ({ memoryUsage, cpuUsage, room }) => {
    const machine = new Machine();
    machine.memoryUsage = memoryUsage;
    machine.cpuUsage = cpuUsage;
    expect(machine.watch(3_000)).toBe(room);
  });

  it('sees memory that is on its way past the target', () => {
    const machine = new Machine();
    machine.memoryUsage = 0.6;
    expect(machine.watch(200)).toBe(true);
    machine.memoryUsage = 0.75;
    expect(machine.watch(100)).toBe(false);
    expect(machine.watch(100)).toBe(true);
  });

  it('is not misled by one busy moment', () => {
    const machine = new Machine();
    machine.watch(1_000);
    machine.cpuUsage = 1;
    expect(machine.watch(100)).toBe(true);
    expect(machine.watch(3_000)).toBe(false);
  });

  it('refuses targets that are no shares', () => {
    expect(() => ResourceBasedController.create({ targetMemoryUsage: 80, targetCpuUsage: 0.9 })).toThrow(
      'targetMemoryUsage must be within 0 and 1, got 80',
    );
  });
});

/** Reservations that came, one by one. */
function reserve(slots: ResourceBasedSlots<never>, count: number) {
  const came: number[] = [];
  const aborts = Array.from({ length: count }, (_, i) => {
    const abort = new AbortController();
    slots.reserveSlot(undefined, abort.signal).then(
      () => came.push(i),
      () => {},
    );
    return abort;
  });
  return { came, aborts };
}

describe('resource-based slots', () => {
  const make = ({ controller }: Machine) =>
    new ResourceBasedSlots<never>({
      ...{ type: 'resource-based', controller, minimumSlots: 2, maximumSlots: 5, rampThrottleMs: 50 },
    });

  it('are the minimum at once, then one per ramp throttle, never more than the maximum', async () => {
    const { came } = reserve(make(new Machine()), 8);
    await Promise.resolve();
    const counts = [came.length];
    for (let step = 0; step < 6; step += 1) {
      await vi.advanceTimersByTimeAsync(50);
      counts.push(came.length);
    }
    expect(counts).toEqual([2, 3, 4, 5, 5, 5, 5]);
  });

  it('stay at the minimum while there is no room, and grow when there is', async () => {
    const machine = new Machine();
    machine.memoryUsage = 0.9;
    const { came } = reserve(make(machine), 4);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(came.length).toBe(2);
    machine.memoryUsage = 0.2;
    await vi.advanceTimersByTimeAsync(500);
    expect(came.length).toBe(4);
  });

  it('go to whoever waits when one is released, in order; nobody is passed over by a try', async () => {
    const machine = new Machine();
    const slots = make(machine);
    const { came } = reserve(slots, 7);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(came).toEqual([0, 1, 2, 3, 4]);
    expect(slots.tryReserveSlot()).toBeNull();
    slots.releaseSlot();
    await vi.advanceTimersByTimeAsync(0);
    expect(came).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('are not given to one that does not want any more', async () => {
    const slots = make(new Machine());
    const { came, aborts } = reserve(slots, 6);
    await vi.advanceTimersByTimeAsync(1_000);
    aborts[5]?.abort();
    slots.releaseSlot();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(came).toEqual([0, 1, 2, 3, 4]);
  });
});
