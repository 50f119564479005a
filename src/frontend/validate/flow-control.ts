// Checks of flow control as it comes from clients, workers, and other nodes. What the values may be, src/core/flow/problem.ts says.

import type * as wire from '../../wire/flow-control.ts';
import { type Check, defaulted, integer, object, optional, string } from './check.ts';

/** Some text: whether it is one of those that mean something, the rules say. */
const word = <T extends string>(): Check<T> => {
  return (value) => string(value) as T; // every use is compared with the texts that are known
};

const concurrency = object<{ limit: number }>({ limit: integer });
const throttle = object<{ limit: number; periodMs: number }>({ limit: integer, periodMs: integer });

export const flowControl: Check<wire.FlowControl> = object<wire.FlowControl>({
  key: defaulted(string, ''),
  scope: optional(word<wire.FlowScope>()),
  concurrency: optional(concurrency),
  throttle: optional(throttle),
  debounce: optional(
    object<NonNullable<wire.FlowControl['debounce']>>({ quietMs: integer, maxWaitMs: optional(integer) }),
  ),
  singleton: optional(word<wire.SingletonPolicy>()),
  whenFull: optional(word<'queue' | 'reject'>()),
});

export const flowLimits: Check<wire.FlowLimits> = object<wire.FlowLimits>({
  concurrency: optional(concurrency),
  throttle: optional(throttle),
});

export const flowKey = {
  key: defaulted(string, ''),
  scope: defaulted(word<wire.FlowScope>(), 'namespace' as const),
  taskQueue: optional(string),
};
