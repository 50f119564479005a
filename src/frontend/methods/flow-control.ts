// Flow-control keys: listed, described, their limits set by operators; and where a described execution stands in its key's queue.

import { addressOf, flowAddress, flowKeyOf } from '../../core/flow/address.ts';
import { keyProblem, limitsProblem } from '../../core/flow/problem.ts';
import type { Done } from '../../ports/engine.ts';
import type { DescribeWorkflowExecutionResponse } from '../../wire/execution-info.ts';
import type {
  DescribeFlowKeyRequest,
  DescribeFlowKeyResponse,
  FlowKey,
  FlowKeyInfo,
  ListFlowKeysRequest,
  ListFlowKeysResponse,
  SetFlowLimitsRequest,
} from '../../wire/flow-control.ts';
import type { Status } from '../../wire/status.ts';
import { type Call, type Caller, method, type Services } from '../door.ts';
import { partlyDone } from '../statuses.ts';
import { bytes, defaulted, integer, invalid, object, optional, string } from '../validate/check.ts';
import * as checks from '../validate/flow-control.ts';
import * as rules from '../validate/rules.ts';

const DEFAULT_PAGE = 20;
/** Each key of a page is asked for itself. */
const MAX_PAGE = 100;

const named = { namespace: defaulted(string, ''), ...checks.flowKey };

function checkKey(services: Services, caller: Caller, { namespace, ...key }: FlowKey & { namespace: string }): void {
  rules.namespace(services, caller, namespace);
  const problem = keyProblem(key.key, key.scope);
  if (problem !== undefined) throw invalid(problem);
  if (key.scope === 'taskQueue') rules.taskQueueName(services.limits, key.taskQueue ?? '');
  else if (key.taskQueue)
    throw invalid('A key of scope namespace has no task queue: leave it out, or ask for scope taskQueue.');
}

function describe(
  { engine }: Services,
  to: { namespace: string; workflowId: string },
  permit: string | undefined,
  done: Done<DescribeFlowKeyResponse>,
): void {
  engine.submit(to, { type: 'describeFlow', permit }, (error, reply) => {
    if (error !== undefined) done(error, undefined);
    else if (reply?.type === 'flowDescribed') done(undefined, reply.response);
  });
}

const answer =
  <T extends object>(call: Call): Done<T> =>
  (error, value) => {
    if (error !== undefined) call.refuse(error);
    else if (value !== undefined) call.reply(value);
  };

export const describeFlowKey = method(
  object<DescribeFlowKeyRequest>({ ...named, permit: optional(string) }),
  (services, caller, request, call) => {
    checkKey(services, caller, request);
    const { namespace, permit } = request;
    describe(services, { namespace, workflowId: flowAddress(request) }, permit, answer(call));
  },
);

export const setFlowLimits = method(
  object<SetFlowLimitsRequest>({ ...named, limits: defaulted(checks.flowLimits, {}) }),
  (services, caller, request, call) => {
    checkKey(services, caller, request);
    const { namespace, limits } = request;
    const problem = limitsProblem(limits, 0);
    if (problem !== undefined) throw invalid(problem);
    const to = { namespace, workflowId: flowAddress(request) };
    services.engine.submit(to, { type: 'setFlowLimits', limits }, (error) => {
      if (error !== undefined) call.refuse(error);
      else describe(services, to, undefined, (why, value) => answer(call)(why && partlyDone(why), value));
    });
  },
);

export const listFlowKeys = method(
  object<ListFlowKeysRequest>({
    namespace: defaulted(string, ''),
    maximumPageSize: optional(integer),
    nextPageToken: optional(bytes),
  }),
  (services, caller, { namespace, maximumPageSize: size = 0, nextPageToken }, call) => {
    rules.namespace(services, caller, namespace);
    const pageSize = size <= 0 ? DEFAULT_PAGE : Math.min(size, MAX_PAGE);
    const list = { namespace, query: '', of: 'flowKeys' as const, pageSize, nextPageToken };
    services.engine.list(list, (error, page) => {
      if (error !== undefined) call.refuse(error);
      else if (page !== undefined) {
        const addresses = page.executions.map(({ workflowId }) => workflowId).filter((id) => flowKeyOf(id));
        describeAll(services, namespace, addresses, (failure, keys = []) => {
          if (failure !== undefined) call.refuse(failure);
          else call.reply({ keys, nextPageToken: page.nextPageToken } satisfies ListFlowKeysResponse);
        });
      }
    });
  },
);

/** All at once, in the order of the page. One that was forgotten meanwhile is shown as nobody's. */
function describeAll(
  services: Services,
  namespace: string,
  addresses: readonly string[],
  done: (failure: Status | undefined, keys?: FlowKeyInfo[]) => void,
): void {
  const found = new Map<string, FlowKeyInfo>();
  let left = addresses.length;
  let failed: Status | undefined;
  const end = (): void =>
    done(
      failed,
      addresses.flatMap((address) => found.get(address) ?? []),
    );
  if (left === 0) end();
  for (const workflowId of addresses) {
    describe(services, { namespace, workflowId }, undefined, (error, key) => {
      failed ??= error;
      if (key !== undefined) {
        const { holders: _holders, waiters: _waiters, debounced: _debounced, position: _position, ...info } = key;
        found.set(workflowId, info);
      }
      left -= 1;
      if (left === 0) end();
    });
  }
}

/** An execution that waits for its permit is shown with its place. Its key may be slow, or away: it is described all the same. */
export function withPosition(
  services: Services,
  namespace: string,
  described: DescribeWorkflowExecutionResponse,
  done: (described: DescribeWorkflowExecutionResponse) => void,
): void {
  const { flowControl: flow, executionConfig } = described;
  if (flow?.state !== 'queued') {
    done(described);
    return;
  }
  const to = { namespace, workflowId: addressOf(flow, flow.taskQueue ?? executionConfig.taskQueue) };
  describe(services, to, flow.permit, (_error, key) => {
    const shown = { ...flow };
    if (key?.position !== undefined) shown.position = key.position;
    if (key?.debounced?.permit === flow.permit) shown.debouncedUntil = key.debounced.until;
    done({ ...described, flowControl: shown });
  });
}
