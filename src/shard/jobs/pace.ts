// Operations of a batch job, one after the other at its rate, without waiting for each: what came of them is counted when all are over. An execution
// that cannot be reached is waited for, however long its shard is away: a job passes nobody over because of an outage. One that is too busy is tried
// again for a while; a workflow that is not there, or closed, is what most operations are about, and counts as done, as on the reference server. Used
// by runner.ts.

import type { Clock, Scheduler } from '../../ports/clock.ts';
import type { Done } from '../../ports/engine.ts';
import { type Status, StatusCode } from '../../wire/status.ts';

/** Attempts at an execution that says that it is too busy; then the operation counts as failed. */
const BUSY_ATTEMPTS = 10;
/** Between two attempts at an operation. */
const RETRY_MS = 1_000;
/** ms between two looks at how many are due. */
const TICK_MS = 10;

export interface Came {
  complete: number;
  failure: number;
}

export interface PaceOptions<T> {
  clock: Clock;
  scheduler: Scheduler;
  perSecond: number;
  operate(target: T, done: Done<unknown>): void;
  /** Nothing more is begun or tried again; those begun are waited for. */
  stopped(): boolean;
  /** This node does not go on with it: what is not over is not counted. */
  abandoned(): boolean;
}

const isUnreached = ({ code }: Status): boolean =>
  code === StatusCode.UNAVAILABLE || code === StatusCode.DEADLINE_EXCEEDED;
const isBusy = ({ code }: Status): boolean => code === StatusCode.RESOURCE_EXHAUSTED || code === StatusCode.ABORTED;

const isDone = (error: Status | undefined): boolean => error === undefined || error.code === StatusCode.NOT_FOUND;

/** What came of those that were begun, a prefix of `targets`; undefined when this node does not go on with it. */
export function paced<T>(targets: readonly T[], options: PaceOptions<T>): Promise<Came | undefined> {
  const { clock, scheduler, perSecond, operate, stopped, abandoned } = options;
  return new Promise((resolve) => {
    const came: Came = { complete: 0, failure: 0 };
    const since = clock.monotonic();
    let begun = 0;
    let open = 0;
    let isBeginning = true;
    let isAbandoned = false;
    // For good: what failed because this node did not lead would count as failed once it leads again.
    const leaves = (): boolean => {
      isAbandoned ||= abandoned();
      return isAbandoned;
    };
    const settle = (): void => {
      if (isBeginning || open > 0) return;
      resolve(leaves() ? undefined : came);
    };
    const over = (error: Status | undefined): void => {
      open -= 1;
      if (isDone(error)) came.complete += 1;
      else came.failure += 1;
      settle();
    };
    const attempt = (target: T, busy: number): void => {
      operate(target, (error) => {
        const mayPass = error !== undefined && (isUnreached(error) || (isBusy(error) && busy + 1 < BUSY_ATTEMPTS));
        if (!mayPass || leaves()) {
          over(error);
          return;
        }
        scheduler.after(RETRY_MS, () => {
          if (stopped() || leaves()) over(error);
          else attempt(target, isBusy(error) ? busy + 1 : busy);
        });
      });
    };
    const begin = (): void => {
      // The first at once.
      const due = 1 + Math.floor(((clock.monotonic() - since) * perSecond) / 1_000);
      for (; begun < Math.min(due, targets.length) && !stopped() && !leaves(); begun += 1) {
        const target = targets[begun];
        if (target === undefined) break;
        open += 1;
        attempt(target, 0);
      }
      isBeginning = begun < targets.length && !stopped() && !leaves();
      if (isBeginning) scheduler.after(TICK_MS, begin);
      else settle();
    };
    begin();
  });
}
