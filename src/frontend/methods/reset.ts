// resetWorkflowExecution: a workflow is done again from one of its workflow tasks on.

import type { ResetMessage } from '../../core/workflow/message.ts';
import { ResetReapplyExcludeType, ResetReapplyType } from '../../wire/enums.ts';
import type { ResetWorkflowExecutionRequest, ResetWorkflowExecutionResponse } from '../../wire/execution.ts';
import { untimedRunId } from '../../wire/run-id.ts';
import { method } from '../door.ts';
import { defaulted, enumeration, integer, invalid, list, object, optional, string } from '../validate/check.ts';
import { postResetOperation } from '../validate/post-reset.ts';
import * as rules from '../validate/rules.ts';
import { overridesIn, withKnownVersions } from './execution-options.ts';
import { understoodAfterwards } from './post-reset.ts';

/** All kinds that can be left behind. */
const EXCLUDABLE: readonly ResetReapplyExcludeType[] = [
  ResetReapplyExcludeType.SIGNAL,
  ResetReapplyExcludeType.UPDATE,
  ResetReapplyExcludeType.NEXUS,
  ResetReapplyExcludeType.CANCEL_REQUEST,
];

/** What the older field of the request leaves behind. */
function excludedBy(type: ResetReapplyType): readonly ResetReapplyExcludeType[] {
  switch (type) {
    case ResetReapplyType.NONE:
      return EXCLUDABLE;
    case ResetReapplyType.SIGNAL:
      return EXCLUDABLE.filter((kind) => kind !== ResetReapplyExcludeType.SIGNAL);
    case ResetReapplyType.UNSPECIFIED:
    case ResetReapplyType.ALL_ELIGIBLE:
      return [];
  }
  throw invalid(`Invalid ResetReapplyType: ${String(type)} is not known.`);
}

interface Reapply {
  resetReapplyType?: ResetReapplyType | undefined;
  resetReapplyExcludeTypes?: ResetReapplyExcludeType[] | undefined;
}

/** All kinds that are left behind. */
export function excludedOf({ resetReapplyType, resetReapplyExcludeTypes = [] }: Reapply): ResetReapplyExcludeType[] {
  const excluded = new Set(excludedBy(resetReapplyType ?? ResetReapplyType.UNSPECIFIED));
  for (const kind of resetReapplyExcludeTypes) {
    // What Temporal's web UI sends for a box that is not ticked.
    if (kind === ResetReapplyExcludeType.UNSPECIFIED) continue;
    if (!EXCLUDABLE.includes(kind)) throw invalid(`Invalid ResetReapplyExcludeType: ${String(kind)} is not known.`);
    excluded.add(kind);
  }
  return [...excluded];
}

const overridesAfter = ({ afterwards = [] }: ResetMessage) =>
  afterwards.flatMap((one) => (one.type === 'updateOptions' ? overridesIn(one) : []));

export const resetWorkflowExecution = method(
  object<ResetWorkflowExecutionRequest>({
    namespace: defaulted(string, ''),
    workflowId: defaulted(string, ''),
    runId: optional(string),
    reason: defaulted(string, ''),
    workflowTaskFinishEventId: defaulted(integer, 0),
    resetReapplyType: optional(enumeration()),
    resetReapplyExcludeTypes: optional(list(enumeration())),
    postResetOperations: optional(list(postResetOperation)),
    identity: defaulted(string, ''),
    requestId: defaulted(string, ''),
  }),
  (services, caller, request, call) => {
    const { namespace, workflowId, runId, reason, requestId, workflowTaskFinishEventId } = request;
    rules.namespace(services, caller, namespace);
    rules.workflowId(services.limits, workflowId);
    rules.runId(runId);
    rules.present(services.limits, 'RequestId', requestId);
    const message: ResetMessage = {
      type: 'reset',
      target: { runId },
      runId: untimedRunId(services.random.uuid()),
      requestId,
      reason,
      identity: request.identity,
      workflowTaskFinishEventId,
      exclude: excludedOf(request),
      ...understoodAfterwards(services, request.postResetOperations),
    };
    withKnownVersions(services, request, overridesAfter(message), call, () =>
      services.engine.submit({ namespace, workflowId }, message, (error, reply) => {
        if (error !== undefined) call.refuse(error);
        else if (reply?.type === 'reset') call.reply({ runId: reply.runId } satisfies ResetWorkflowExecutionResponse);
      }),
    );
  },
);
