// What follows the code through its awaits: the cancellation scope it runs in, the event groups that what it
// asks for belongs to, the stream of chance it draws from.
//
// What carries it (async hooks) differs by host, so the host provides a `ContextCarrier`; without one, contexts are carried through
// synchronous code only. One value for all: each promise remembers one thing.

import type { EventGroupMarker } from '../../src/wire/common.ts';
import type { CancellationScope } from './cancellation-scope.ts';
import type { RandomSource } from './random.ts';

/** The event groups that commands asked for now belong to. */
export interface ActiveGroups {
  /** Of the signal or update whose handler runs; undefined in the workflow's function. */
  readonly inbound: EventGroupMarker | undefined;
  /** Those of `withScope`, by id. */
  readonly labelled: Readonly<Record<string, EventGroupMarker>>;
}

export interface AsyncContext {
  readonly scope?: CancellationScope | undefined;
  readonly groups?: ActiveGroups | undefined;
  /** What `Math.random()` and `uuid4()` draw from, if not the execution's own stream. */
  readonly chance?: (() => RandomSource) | undefined;
}

/** Carries a context through a function and everything asynchronous that starts in it. */
export interface ContextCarrier {
  run<R>(context: AsyncContext, fn: () => R): R;
  current(): AsyncContext | undefined;
}

let synchronous: AsyncContext | undefined;
let carrier: ContextCarrier = {
  run(context, fn) {
    const outer = synchronous;
    synchronous = context;
    try {
      return fn();
    } finally {
      synchronous = outer;
    }
  },
  current: () => synchronous,
};

/** @internal Called once by the host of the realm. */
export function setContextCarrier(next: ContextCarrier): void {
  carrier = next;
}

/** Undefined in the workflow's function, outside of any scope. */
export function currentContext(): AsyncContext | undefined {
  return carrier.current();
}

/** Runs `fn` with these parts of the context changed, and gives what it gives. */
export function runWith<R>(changes: AsyncContext, fn: () => R): R {
  return carrier.run({ ...carrier.current(), ...changes }, fn);
}
