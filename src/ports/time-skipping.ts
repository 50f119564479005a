// What a test server's time is asked for: it passes as it does while it is locked, and jumps to whatever is due next while it is not and nothing goes on.
// Implemented by src/runtime; shown by the test service of the gRPC door and by `Server.timeSkipping`.

import type { Waiting } from './engine.ts';

/** What an engine says of itself. */
export interface Outlook {
  /** No task is with a worker or waits for one, no message is on its way. */
  readonly isIdle: boolean;
  /** Epoch ms of the next timer, timeout or start; undefined: none. */
  readonly nextDueMs: number | undefined;
}

export interface TimeSkipping {
  /** Epoch ms. */
  now(): number;
  /** Time is skipped only while every lock has been undone. A server begins with one. */
  lock(): void;
  /** Two that wait at once unlock twice, and lock twice again. */
  unlock(): void;
  /** Calls back when the server's time has come to `atMs`. */
  sleepUntil(atMs: number, done: () => void): Waiting;
}
