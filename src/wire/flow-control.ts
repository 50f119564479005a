// Keyed flow control as it crosses the wire: what a start or an activity asks for, and how a key is shown. Semantics: docs/decisions/0052.

/** Where a key is known: by every start and activity of its namespace, or by those of its task queue alone. */
export type FlowScope = 'namespace' | 'taskQueue';

/** What becomes of a start that finds another one of its key. */
export type SingletonPolicy = 'reject' | 'useExisting' | 'terminateExisting' | 'cancelExisting';

/** What the starts and activities of one key have to keep to. All that is named must allow it. */
export interface FlowControl {
  /** 1 to 256 bytes. */
  key: string;
  /** Default: `namespace`. */
  scope?: FlowScope | undefined;
  /** At most `limit` of the key run at a time. */
  concurrency?: { limit: number } | undefined;
  /** At most `limit` of the key begin within any period of `periodMs`. */
  throttle?: { limit: number; periodMs: number } | undefined;
  /** Only the last of the starts that follow each other within `quietMs` runs; it waits at most `maxWaitMs` since the first of them. */
  debounce?: { quietMs: number; maxWaitMs?: number | undefined } | undefined;
  /** At most one of the key runs; not beside `concurrency`. */
  singleton?: SingletonPolicy | undefined;
  /** Default: `queue`. */
  whenFull?: 'queue' | 'reject' | undefined;
}

/** As the Started event keeps it. */
export interface GrantedFlowControl extends FlowControl {
  /** Names the permit that the chain of runs waits for or has. */
  permit: string;
  /** A door has let the start through: it may wait, and is not refused any more. */
  accepted?: true | undefined;
  /** Of a key of a task queue, once the chain has moved to another queue: that of the permit. */
  taskQueue?: string | undefined;
}

/** Limits of a key that an operator has set: they hold instead of what starts ask for. 0: nothing is let through. */
export interface FlowLimits {
  concurrency?: { limit: number } | undefined;
  throttle?: { limit: number; periodMs: number } | undefined;
}

/** Who has a permit of a key, or waits for one. */
export interface FlowClaim {
  permit: string;
  workflowId: string;
  /** Of the run that asked; a run that continued it as new may have it by now. */
  runId: string;
  /** Of an activity's attempt. */
  activityId?: string | undefined;
  /** Epoch ms: since when. */
  since: number;
  /** 1 (first) .. 5. */
  priority?: number | undefined;
}

export interface FlowKey {
  key: string;
  scope: FlowScope;
  taskQueue?: string | undefined;
}

export interface FlowKeyInfo extends FlowKey {
  /** That hold now. */
  limits: FlowLimits;
  /** Those among them that an operator has set. */
  setLimits?: FlowLimits | undefined;
  held: number;
  waiting: number;
  /** Starts of the throttle's current period. */
  startedInPeriod: number;
  /** Epoch ms at which the throttle lets the next one through; absent: at once. */
  nextStartAt?: number | undefined;
  /** Since the key was first used, or last forgotten. */
  counts: { granted: number; superseded: number };
}

export interface DescribeFlowKeyRequest extends FlowKey {
  namespace: string;
  /** Answers with this permit's place in the queue. */
  permit?: string | undefined;
}

export interface DescribeFlowKeyResponse extends FlowKeyInfo {
  /** At most 100. */
  holders: FlowClaim[];
  /** The first 100, in order. */
  waiters: FlowClaim[];
  /** The start that waits for its quiet period, and until when. */
  debounced?: (FlowClaim & { until: number }) | undefined;
  /** Of the permit asked for; from 1. Absent: it waits for none. */
  position?: number | undefined;
}

export interface SetFlowLimitsRequest extends FlowKey {
  namespace: string;
  /** What is absent is again as starts ask for it. */
  limits: FlowLimits;
}

export interface ListFlowKeysRequest {
  namespace: string;
  /** Default 20, at most 100. */
  maximumPageSize?: number | undefined;
  nextPageToken?: Uint8Array | undefined;
}

export interface ListFlowKeysResponse {
  keys: FlowKeyInfo[];
  nextPageToken?: Uint8Array | undefined;
}

/** Of an execution, where it is described. */
export interface ExecutionFlowControl extends FlowControl {
  /** `delayed`: its start delay is not over; `queued`: it waits for its permit; `released`: it has closed. */
  state: 'delayed' | 'queued' | 'held' | 'released';
  permit: string;
  /** Of a key of a task queue, where that is not the run's own any more. */
  taskQueue?: string | undefined;
  /** While queued: its place in the queue, from 1. */
  position?: number | undefined;
  /** While it waits for its quiet period: until when, epoch ms. */
  debouncedUntil?: number | undefined;
}

export interface FlowControlMethods {
  /** What nobody has used for a while is not known any more. */
  listFlowKeys: { request: ListFlowKeysRequest; response: ListFlowKeysResponse };
  describeFlowKey: { request: DescribeFlowKeyRequest; response: DescribeFlowKeyResponse };
  /** Holds from now on instead of what starts ask for. Repeating it is harmless. */
  setFlowLimits: { request: SetFlowLimitsRequest; response: DescribeFlowKeyResponse };
}
