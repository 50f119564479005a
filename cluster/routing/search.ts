// How a list or a count travels: the request and the shards it is for, and the checks of both sides. Called by router.ts and serve.ts.

import {
  bytes,
  type Check,
  defaulted,
  type Fields,
  integer,
  list,
  object,
  optional,
  string,
} from '../../src/frontend/validate/check.ts';
import { registeredAttributes } from '../../src/frontend/validate/common.ts';
import type { CountRequest, ListRequest } from '../../src/ports/engine.ts';
import type { WorkflowExecutionInfo } from '../../src/wire/execution-info.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../../src/wire/visibility.ts';

const searched: Check<'schedules' | 'flowKeys' | 'activities'> = (value) => {
  if (value !== 'schedules' && value !== 'flowKeys' && value !== 'activities')
    throw new Error(`${String(value).slice(0, 64)} cannot be searched by this version`);
  return value;
};

/** The shards travel beside the request. */
const countFields: Fields<Omit<CountRequest, 'shards'>> = {
  namespace: string,
  query: string,
  attributes: optional(registeredAttributes),
  of: optional(searched),
};
const listFields = { ...countFields, pageSize: integer, nextPageToken: optional(bytes) };

type Asked = Omit<ListRequest, 'shards' | 'nextPageToken'> & { nextPageToken?: Uint8Array | undefined };

export const listBody: Check<{ request: ListRequest; shards: Uint8Array }> = object<{
  request: ListRequest;
  shards: Uint8Array;
}>({
  request: (value) => {
    const request = object<Asked>(listFields)(value);
    return { ...request, nextPageToken: request.nextPageToken };
  },
  shards: bytes,
});

export const countBody: Check<{ request: CountRequest; shards: Uint8Array }> = object<{
  request: CountRequest;
  shards: Uint8Array;
}>({
  request: object<Omit<CountRequest, 'shards'>>(countFields),
  shards: bytes,
});

/** What merging reads of an execution; the rest is handed on as the owner gave it. */
const info: Check<WorkflowExecutionInfo> = (value) => {
  object<{ workflowId: string; runId: string; startTime: number }>({
    workflowId: string,
    runId: string,
    startTime: integer,
  })(value);
  // The owner built it as one; what this node reads of it has just been checked.
  return value as WorkflowExecutionInfo;
};

export const page: Check<ListWorkflowExecutionsResponse> = object<ListWorkflowExecutionsResponse>({
  executions: list(info),
  nextPageToken: optional(bytes),
});

export const counted: Check<CountWorkflowExecutionsResponse> = object<CountWorkflowExecutionsResponse>({
  count: integer,
  groups: optional(
    list(
      object<{ groupValues: unknown[]; count: number }>({
        groupValues: defaulted(
          list((value) => value),
          [],
        ),
        count: integer,
      }),
    ),
  ),
});

/** One bit a shard. */
export function encodeShards(set: ReadonlySet<number>, shardCount: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(shardCount / 8));
  for (const shard of set) bits[shard >>> 3] = (bits[shard >>> 3] ?? 0) | (1 << (shard & 7));
  return bits;
}

/** Undefined when the other node counts its shards differently. */
export function decodeShards(bits: Uint8Array, shardCount: number): Set<number> | undefined {
  if (bits.length !== Math.ceil(shardCount / 8)) return undefined;
  const set = new Set<number>();
  for (let shard = 0; shard < bits.length * 8; shard += 1) {
    if (((bits[shard >>> 3] ?? 0) & (1 << (shard & 7))) === 0) continue;
    if (shard >= shardCount) return undefined;
    set.add(shard);
  }
  return set;
}
