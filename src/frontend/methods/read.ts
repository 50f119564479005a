// Reads of one execution: describe, history, result, query.

import type { Message } from '../../core/workflow/message.ts';
import type { ActorAddress, Done } from '../../ports/engine.ts';
import type { ExecutionTarget, QueryWorkflowRequest } from '../../wire/execution.ts';
import type {
  AwaitWorkflowResultRequest,
  GetWorkflowExecutionHistoryRequest,
  WatchWorkflowStateRequest,
} from '../../wire/history.ts';
import { withNames } from '../attribute-names.ts';
import { type Call, type Caller, method, type Services } from '../door.ts';
import { unimplemented } from '../statuses.ts';
import {
  boolean,
  defaulted,
  enumeration,
  integer,
  invalid,
  object,
  optional,
  Refused,
  string,
} from '../validate/check.ts';
import * as common from '../validate/common.ts';
import * as rules from '../validate/rules.ts';
import { withPosition } from './flow-control.ts';

/** Bytes of one answer. */
const DEFAULT_HISTORY_BYTES = 1024 * 1024;
const MAX_HISTORY_BYTES = 2 * 1024 * 1024;
/** How long a wait for history takes when the caller says nothing, ms. */
const LONG_POLL_MS = 60_000;

const target = {
  namespace: defaulted(string, ''),
  workflowId: defaulted(string, ''),
  runId: optional(string),
};

function checkTarget(services: Services, caller: Caller, request: ExecutionTarget): ActorAddress {
  rules.namespace(services, caller, request.namespace);
  rules.workflowIdOfRead(services.limits, request.workflowId);
  rules.runId(request.runId);
  return { namespace: request.namespace, workflowId: request.workflowId };
}

const emptyToUndefined = (runId: string | undefined): string | undefined => (runId === '' ? undefined : runId);

/** Hands the engine's answer on as it is. */
function answer<T extends object>(call: Call): Done<T> {
  return (error, value) => {
    if (error !== undefined) call.refuse(error);
    else if (value !== undefined) call.reply(value);
  };
}

/** Within bounds whatever the caller asked for. */
export function historyBytes(asked: number | undefined): number {
  return asked === undefined || asked <= 0 ? DEFAULT_HISTORY_BYTES : Math.min(asked, MAX_HISTORY_BYTES);
}

export const describeWorkflowExecution = method(object<ExecutionTarget>(target), (services, caller, request, call) => {
  const to = checkTarget(services, caller, request);
  services.engine.describe(to, emptyToUndefined(request.runId), (error, described) => {
    if (error !== undefined) call.refuse(error);
    else if (described !== undefined)
      withPosition(services, to.namespace, described, (shown) => {
        const { workflowExecutionInfo: info } = shown;
        withNames(services, to.namespace, [info.searchAttributes], (naming) => {
          const workflowExecutionInfo = { ...info, searchAttributes: naming(info.searchAttributes) };
          call.reply({ ...shown, workflowExecutionInfo });
        });
      });
  });
});

export const getWorkflowExecutionHistory = method(
  object<GetWorkflowExecutionHistoryRequest>({
    ...target,
    fromEventId: optional(integer),
    maximumBytes: optional(integer),
    waitNewEvent: optional(boolean),
    closeEventOnly: optional(boolean),
    withUnwritten: optional(boolean),
    stateOnly: optional(boolean),
  }),
  (services, caller, request, call) => {
    const to = checkTarget(services, caller, request);
    const query = {
      runId: emptyToUndefined(request.runId),
      fromEventId: Math.max(1, request.fromEventId ?? 1),
      maximumBytes: historyBytes(request.maximumBytes),
      waitNewEvent: request.waitNewEvent ?? false,
      closeEventOnly: request.closeEventOnly ?? false,
      withUnwritten: request.withUnwritten,
      stateOnly: request.stateOnly,
    };
    // A wait that ends without news is no error: the answer says how far history is.
    if (query.waitNewEvent) {
      call.atDeadline(() => services.engine.history(to, { ...query, waitNewEvent: false }, answer(call)));
    }
    call.waits(services.engine.history(to, query, answer(call)));
  },
  { defaultTimeoutMs: LONG_POLL_MS },
);

export const watchWorkflowState = method(
  object<WatchWorkflowStateRequest>({ ...target, fromEventId: optional(integer) }),
  (services, caller, request, call) => {
    const to = checkTarget(services, caller, request);
    const { stateWatches } = services;
    if (stateWatches === undefined || call.parts === undefined)
      throw new Refused(unimplemented('Answers in parts are sent over the native door only.'));
    const from = Math.max(1, request.fromEventId ?? 1);
    call.waits(stateWatches.begin(to, emptyToUndefined(request.runId), from, call, call.parts));
  },
  { defaultTimeoutMs: Number.POSITIVE_INFINITY },
);

export const awaitWorkflowResult = method(
  object<AwaitWorkflowResultRequest>({ ...target, followRuns: defaulted(boolean, true) }),
  (services, caller, request, call) => {
    const to = checkTarget(services, caller, request);
    const { runId, followRuns } = request;
    call.waits(services.engine.awaitResult(to, emptyToUndefined(runId), followRuns, answer(call)));
  },
  { defaultTimeoutMs: Number.POSITIVE_INFINITY },
);

/** Of a query whose caller names no deadline. */
const QUERY_TIMEOUT_MS = 30_000;

export const queryWorkflow = method(
  object<QueryWorkflowRequest>({
    ...target,
    queryType: defaulted(string, ''),
    queryArgs: optional(common.payloads),
    header: optional(common.header),
    queryRejectCondition: optional(enumeration()),
  }),
  (services, caller, request, call) => {
    const to = checkTarget(services, caller, request);
    if (request.queryType === '') throw invalid('QueryType is not set on request.');
    rules.within(services.limits, 'QueryType', request.queryType);
    rules.blob(services.limits, request.queryArgs);
    const message: Extract<Message, { type: 'query' }> = {
      type: 'query',
      queryId: services.random.uuid(),
      target: { runId: emptyToUndefined(request.runId) },
      queryType: request.queryType,
      queryArgs: request.queryArgs,
      header: request.header,
      rejectCondition: request.queryRejectCondition,
    };
    call.waits(services.engine.query(to, message, answer(call)));
  },
  // A worker has to take it, and may be starting: as long as on the reference server.
  { defaultTimeoutMs: QUERY_TIMEOUT_MS },
);
