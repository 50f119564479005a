// Keyed flow control: what the workflows and activities of one key have to keep to. The server counts, exactly, also across crashes.

import type { FlowControl as WireFlowControl } from '../../src/wire/flow-control.ts';
import { type Duration, msToNumber } from './time.ts';

/** How many activities of a key may run, and how often they may begin. */
export interface ActivityFlowControl {
  /** Whom the limits are for, e.g. a tenant. 1 to 256 bytes. */
  key: string;
  /** `namespace` (default): the key is one for all task queues of the namespace. `taskQueue`: each task queue has its own of that name. */
  scope?: 'namespace' | 'taskQueue' | undefined;
  /** At most `limit` of the key run at a time; 1 to 100,000. */
  concurrency?: { limit: number } | undefined;
  /** At most `limit` of the key begin within any `period`, wherever that begins; 1 to 10,000 within 10 ms to 31 days. */
  throttle?: { limit: number; period: Duration } | undefined;
  /**
   * What happens where there is no room. `queue` (default): it waits, by priority and then in the order of arrival. `reject`: a client's start fails
   * (RESOURCE_EXHAUSTED), a child or scheduled workflow fails with ApplicationFailure `FlowControlRejected`, and so does an activity's attempt.
   */
  whenFull?: 'queue' | 'reject' | undefined;
}

/** The same for workflows, which can be debounced and be singletons besides. */
export interface FlowControl extends ActivityFlowControl {
  /**
   * Only the last of the starts that follow each other within `quiet` runs; those before it are terminated as superseded. It waits at most `maxWait`
   * since the first of them; without `maxWait` for as long as they come.
   */
  debounce?: { quiet: Duration; maxWait?: Duration | undefined } | undefined;
  /**
   * At most one of the key runs. A second start: `reject` fails (ALREADY_EXISTS), `useExisting` gives a handle to the one there is (clients only),
   * `terminateExisting` and `cancelExisting` end that one and begin once it has closed.
   */
  singleton?: 'reject' | 'useExisting' | 'terminateExisting' | 'cancelExisting' | undefined;
}

/**
 * As it goes over the wire. What may be together, the server says.
 *
 * @throws TypeError for a missing key, or a duration that is none.
 */
export function compileFlowControl(flow: FlowControl | undefined): WireFlowControl | undefined {
  if (flow === undefined) return undefined;
  const { key, scope, concurrency, throttle, debounce, singleton, whenFull } = flow;
  if (typeof key !== 'string' || key === '')
    throw new TypeError(`flowControl.key is required, got ${JSON.stringify(key)}`);
  const compiled: WireFlowControl = { key };
  if (scope !== undefined) compiled.scope = scope;
  if (concurrency !== undefined) compiled.concurrency = { limit: concurrency.limit };
  if (throttle !== undefined) compiled.throttle = { limit: throttle.limit, periodMs: msToNumber(throttle.period) };
  if (debounce !== undefined) {
    compiled.debounce = { quietMs: msToNumber(debounce.quiet) };
    if (debounce.maxWait !== undefined) compiled.debounce.maxWaitMs = msToNumber(debounce.maxWait);
  }
  if (singleton !== undefined) compiled.singleton = singleton;
  if (whenFull !== undefined) compiled.whenFull = whenFull;
  return compiled;
}

/** Of an execution that is described. */
export interface ExecutionFlowControl {
  key: string;
  scope: 'namespace' | 'taskQueue';
  /** `delayed`: its start delay is not over; `queued`: it waits for its permit; `held`: it runs; `released`: it has closed. */
  state: 'delayed' | 'queued' | 'held' | 'released';
  /** While queued: its place in the queue, from 1. */
  position?: number | undefined;
  /** While it waits for its quiet period: until when. */
  debouncedUntil?: Date | undefined;
}

export function flowControlFromRaw(raw: {
  key: string;
  scope?: 'namespace' | 'taskQueue' | undefined;
  state: ExecutionFlowControl['state'];
  position?: number | undefined;
  debouncedUntil?: number | undefined;
}): ExecutionFlowControl {
  const { key, scope = 'namespace', state, position, debouncedUntil } = raw;
  const flow: ExecutionFlowControl = { key, scope, state };
  if (position !== undefined) flow.position = position;
  if (debouncedUntil !== undefined) flow.debouncedUntil = new Date(debouncedUntil);
  return flow;
}

/** The other way: options again, as a schedule's description shows them. */
export function decodeFlowControl(wire: WireFlowControl | undefined): FlowControl | undefined {
  if (wire === undefined) return undefined;
  const { throttle, debounce, ...same } = wire;
  const flow: FlowControl = { ...same };
  if (throttle !== undefined) flow.throttle = { limit: throttle.limit, period: throttle.periodMs };
  if (debounce !== undefined) {
    flow.debounce = { quiet: debounce.quietMs };
    if (debounce.maxWaitMs !== undefined) flow.debounce.maxWait = debounce.maxWaitMs;
  }
  return flow;
}
