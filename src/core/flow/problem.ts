// Whether what a start, a child, a schedule or an activity asks of flow control can be meant. Pure; called by the doors and by commands.

import type { FlowControl, FlowLimits } from '../../wire/flow-control.ts';
import { utf8Length } from '../workflow/size.ts';
import { MAX_CONCURRENCY, MAX_KEY_BYTES, MAX_PERIOD_MS, MAX_THROTTLE, MIN_PERIOD_MS } from './limits.ts';

const SINGLETON: ReadonlySet<string> = new Set(['reject', 'useExisting', 'terminateExisting', 'cancelExisting']);
const SCOPES: ReadonlySet<string> = new Set(['namespace', 'taskQueue']);
const WHEN_FULL: ReadonlySet<string> = new Set(['queue', 'reject']);

/** `start`: a caller hears what becomes of it; `unattended`: nobody does (children, schedules). */
export type FlowUse = 'start' | 'unattended' | 'activity';

/** Undefined: it can be meant. */
export function flowProblem(flow: FlowControl | undefined, use: FlowUse): string | undefined {
  if (flow === undefined) return undefined;
  const { key, scope, concurrency, throttle, debounce, singleton, whenFull } = flow;
  const name = keyProblem(key, scope);
  if (name !== undefined) return name;
  if (concurrency === undefined && throttle === undefined && debounce === undefined && singleton === undefined) {
    return `flowControl of key ${key} names no limit: give it concurrency, throttle, debounce or singleton.`;
  }
  if (singleton !== undefined && !SINGLETON.has(singleton)) {
    return `flowControl.singleton is one of ${[...SINGLETON].join(', ')}, not ${String(singleton).slice(0, 64)}.`;
  }
  if (whenFull !== undefined && !WHEN_FULL.has(whenFull)) {
    return `flowControl.whenFull is queue or reject, not ${String(whenFull).slice(0, 64)}.`;
  }
  const range = limitsProblem(flow, 1) ?? (debounce && debounceProblem(debounce));
  return range ?? combinationProblem(flow, use);
}

export function keyProblem(key: string, scope: string | undefined): string | undefined {
  if (key === '') return 'flowControl.key is not set.';
  if (utf8Length(key) > MAX_KEY_BYTES) return `flowControl.key is longer than ${MAX_KEY_BYTES} bytes.`;
  return scope === undefined || SCOPES.has(scope)
    ? undefined
    : `flowControl.scope is namespace or taskQueue, not ${scope.slice(0, 64)}.`;
}

/** `least`: of a limit; 0 where an operator may stop a key. */
export function limitsProblem({ concurrency, throttle }: FlowLimits, least: 0 | 1): string | undefined {
  if (concurrency !== undefined && !isWithin(concurrency.limit, least, MAX_CONCURRENCY)) {
    return `concurrency.limit is a whole number from ${least} to ${MAX_CONCURRENCY}, not ${concurrency.limit}.`;
  }
  if (throttle === undefined) return undefined;
  if (!isWithin(throttle.limit, least, MAX_THROTTLE)) {
    return `throttle.limit is a whole number from ${least} to ${MAX_THROTTLE}, not ${throttle.limit}.`;
  }
  return isWithin(throttle.periodMs, MIN_PERIOD_MS, MAX_PERIOD_MS)
    ? undefined
    : `throttle.periodMs is from ${MIN_PERIOD_MS} ms to 31 days, not ${throttle.periodMs}.`;
}

function debounceProblem({ quietMs, maxWaitMs }: NonNullable<FlowControl['debounce']>): string | undefined {
  if (!isWithin(quietMs, 1, MAX_PERIOD_MS)) return `debounce.quietMs is from 1 ms to 31 days, not ${quietMs}.`;
  return maxWaitMs === undefined || isWithin(maxWaitMs, quietMs, MAX_PERIOD_MS)
    ? undefined
    : `debounce.maxWaitMs is from quietMs to 31 days, not ${maxWaitMs}.`;
}

function combinationProblem(
  { concurrency, debounce, singleton, whenFull }: FlowControl,
  use: FlowUse,
): string | undefined {
  const answers = singleton === 'reject' || singleton === 'useExisting';
  if (use === 'activity' && (singleton !== undefined || debounce !== undefined)) {
    return 'flowControl of an activity has concurrency and throttle: singleton and debounce are of workflows. One at a time is concurrency: { limit: 1 }.';
  }
  if (singleton !== undefined && concurrency !== undefined) {
    return 'flowControl has singleton or concurrency: a singleton is a concurrency of one.';
  }
  if (singleton !== undefined && whenFull !== undefined) {
    return 'flowControl.whenFull goes with concurrency and throttle: what becomes of a second start, singleton says.';
  }
  if (debounce !== undefined && (answers || whenFull === 'reject')) {
    return 'flowControl.debounce waits for a quiet period: its starts cannot be refused at once.';
  }
  if (use === 'unattended' && singleton === 'useExisting') {
    return "flowControl.singleton 'useExisting' is for clients: a child or a schedule cannot be another workflow. Use 'reject'.";
  }
  return undefined;
}

const isWithin = (value: number, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && value >= least && value <= most;
