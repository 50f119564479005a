// Time, randomness and scheduling as the engine asks for them. The process wires the real ones (src/node.ts);
// tests and the simulator wire virtual ones. Nothing under src/ but the adapters calls Date.now, Math.random or setTimeout.

export interface Clock {
  /** Wall clock, epoch milliseconds. May step backwards: shards turn it into shard time (I7). */
  now(): number;
  /** Monotonic milliseconds, for durations and deadlines. */
  monotonic(): number;
}

export interface Random {
  /** A fresh UUID (version 4 in production, seeded in the simulator). */
  uuid(): string;
  /** In [0, 1). */
  next(): number;
}

export interface Cancelable {
  cancel(): void;
}

export interface Scheduler {
  /** Runs `fn` once, not before `delayMs` (≥ 0) from now. Never keeps a process alive by itself. */
  after(delayMs: number, fn: () => void): Cancelable;
  /** Runs `fn` after the current synchronous work, before timers: the tick that batches are cut by. */
  soon(fn: () => void): void;
}
