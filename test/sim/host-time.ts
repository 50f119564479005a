// While a simulation runs, the time and randomness of the host language are the virtual ones: setTimeout, Date.now, performance.now,
// Math.random and randomUUID. So the SDK's worker runs as it is. A timer belongs to the process whose event made it, and dies with it.

import nodeCrypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import type { Cancelable } from '../../src/ports/clock.ts';
import { EPOCH, type Kernel, type Process } from './kernel.ts';

/** What setTimeout returns: enough of NodeJS.Timeout for those who unref or clear it. */
class VirtualTimer {
  handle: Cancelable | undefined;

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return false;
  }

  [Symbol.dispose](): void {
    this.handle?.cancel();
  }
}

/** Undefined: it is the test runner that calls, between two events. */
function callerOf(kernel: Kernel, what: string): Process | undefined {
  if (kernel.running && kernel.current === undefined) throw new Error(`${what} was called by no simulated process`);
  return kernel.current;
}

function virtualGlobals(kernel: Kernel): Record<string, unknown> {
  const cancel = (timer: unknown): void => {
    if (timer instanceof VirtualTimer) timer.handle?.cancel();
    else clearTimeout(timer as NodeJS.Timeout | undefined);
  };
  const { setTimeout, setInterval, setImmediate, clearTimeout } = globalThis;
  const every = (fn: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): unknown => {
    const process = callerOf(kernel, 'setInterval');
    if (process === undefined) return setInterval(fn, ms, ...args);
    const timer = new VirtualTimer();
    const arm = (): void => {
      timer.handle = process.after(ms, () => {
        arm();
        fn(...args);
      });
    };
    arm();
    return timer;
  };
  return {
    setTimeout: (fn: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): unknown => {
      const process = callerOf(kernel, 'setTimeout');
      if (process === undefined) return setTimeout(fn, ms, ...args);
      const timer = new VirtualTimer();
      timer.handle = process.after(Math.max(1, Number(ms) || 0), () => fn(...args));
      return timer;
    },
    setInterval: every,
    setImmediate: (fn: (...args: unknown[]) => void, ...args: unknown[]): unknown => {
      const process = callerOf(kernel, 'setImmediate');
      return process === undefined ? setImmediate(fn, ...args) : process.soon(() => fn(...args));
    },
    clearTimeout: cancel,
    clearInterval: cancel,
  };
}

/** Runs `fn` in virtual time; one at a time per thread. */
export async function withVirtualTime<T>(kernel: Kernel, fn: () => Promise<T>): Promise<T> {
  const globals = virtualGlobals(kernel);
  const saved = new Map<string, unknown>();
  for (const [name, value] of Object.entries(globals)) {
    saved.set(name, Reflect.get(globalThis, name));
    Reflect.set(globalThis, name, value);
  }
  const { now: dateNow } = Date;
  const performanceNow = performance.now;
  const { random: mathRandom } = Math;
  const { randomUUID } = nodeCrypto;
  const unhandled = (error: unknown): void => kernel.fail(error);
  Date.now = () => kernel.current?.now() ?? Math.floor(EPOCH + kernel.now);
  performance.now = () => kernel.now;
  Math.random = () => (kernel.current ?? kernel).random.next();
  // A template of five groups is what a UUID's type says; the seeded ones have it.
  nodeCrypto.randomUUID = (() => (kernel.current ?? kernel).random.uuid()) as typeof randomUUID;
  syncBuiltinESMExports();
  process.on('unhandledRejection', unhandled);
  try {
    return await fn();
  } finally {
    process.off('unhandledRejection', unhandled);
    Date.now = dateNow;
    performance.now = performanceNow;
    Math.random = mathRandom;
    nodeCrypto.randomUUID = randomUUID;
    syncBuiltinESMExports();
    for (const [name, value] of saved) Reflect.set(globalThis, name, value);
  }
}
