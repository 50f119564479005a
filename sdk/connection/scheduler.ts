// Time as a connection asks for it, so that tests and the simulator can drive it.

export interface Cancelable {
  cancel(): void;
}

export interface Scheduler {
  /** Monotonic milliseconds. */
  monotonic(): number;
  /** Runs `fn` once, `delayMs` from now. Does not keep the process alive. */
  after(delayMs: number, fn: () => void): Cancelable;
  /** Runs `fn` after the current tick's work: what batches are cut by. */
  soon(fn: () => void): void;
  /** In [0, 1): jitter. */
  random(): number;
}

/** Taken when the module loads: fake timers of a test must not reach a connection by accident. */
const immediate: ((fn: () => void) => unknown) | undefined = (
  globalThis as { setImmediate?: (fn: () => void) => unknown }
).setImmediate;
const { setTimeout, clearTimeout, performance } = globalThis;

export const hostScheduler: Scheduler = {
  monotonic: () => performance.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, delayMs);
    // A number in browsers.
    (timer as { unref?: () => void }).unref?.();
    return { cancel: () => clearTimeout(timer) };
  },
  soon: immediate ?? ((fn) => queueMicrotask(fn)),
  random: () => Math.random(),
};
