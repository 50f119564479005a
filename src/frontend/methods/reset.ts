// resetWorkflowExecution: a workflow is done again from one of its workflow tasks on.

import type { ResetWorkflowExecutionRequest, ResetWorkflowExecutionResponse } from '../../wire/api.ts';
import { ResetReapplyExcludeType, ResetReapplyType } from '../../wire/enums.ts';
import { untimedRunId } from '../../wire/run-id.ts';
import { method } from '../door.ts';
import { defaulted, enumeration, integer, invalid, list, object, optional, string } from '../validate/check.ts';
import * as rules from '../validate/rules.ts';

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
    if (!EXCLUDABLE.includes(kind)) throw invalid(`Invalid ResetReapplyExcludeType: ${String(kind)} is not known.`);
    excluded.add(kind);
  }
  return [...excluded];
}

export const resetWorkflowExecution = method(
  object<ResetWorkflowExecutionRequest>({
    namespace: defaulted(string, ''),
    workflowId: defaulted(string, ''),
    runId: optional(string),
    reason: defaulted(string, ''),
    workflowTaskFinishEventId: defaulted(integer, 0),
    resetReapplyType: optional(enumeration()),
    resetReapplyExcludeTypes: optional(list(enumeration())),
    identity: defaulted(string, ''),
    requestId: defaulted(string, ''),
  }),
  (services, caller, request, call) => {
    const { namespace, workflowId, runId, reason, requestId, workflowTaskFinishEventId } = request;
    rules.namespace(services, caller, namespace);
    rules.workflowId(services.limits, workflowId);
    rules.runId(runId);
    rules.present(services.limits, 'RequestId', requestId);
    const exclude = excludedOf(request);
    services.engine.submit(
      { namespace, workflowId },
      {
        type: 'reset',
        target: { runId },
        runId: untimedRunId(services.random.uuid()),
        requestId,
        reason,
        identity: request.identity,
        workflowTaskFinishEventId,
        exclude,
      },
      (error, reply) => {
        if (error !== undefined) call.refuse(error);
        else if (reply?.type === 'reset') call.reply({ runId: reply.runId } satisfies ResetWorkflowExecutionResponse);
      },
    );
  },
);
