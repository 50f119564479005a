// updateWorkflowExecutionOptions: what holds of a running workflow instead of what it says of itself.

import { versionKey } from '../../core/deployment/versioned-queue.ts';
import { overridePin } from '../../core/workflow/versioning.ts';
import type {
  UpdateWorkflowExecutionOptionsRequest,
  UpdateWorkflowExecutionOptionsResponse,
  WorkflowExecutionOptions,
} from '../../wire/api.ts';
import type { VersioningOverride } from '../../wire/common.ts';
import { StatusCode } from '../../wire/status.ts';
import { type Call, method, type Services } from '../door.ts';
import { defaulted, invalid, list, object, optional, Refused, string } from '../validate/check.ts';
import * as common from '../validate/common.ts';
import * as rules from '../validate/rules.ts';

/** `versioning_override` and `versioningOverride` are the same. */
const camel = (path: string): string => path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Names options of a workflow that can be changed, one at least. */
export function checkMask(updateMask: readonly string[]): void {
  if (updateMask.length === 0) throw invalid('UpdateMask is not set on request.');
  updateMask.every(isOverride);
}

const isOverride = (path: string): boolean => {
  if (camel(path) === 'versioningOverride') return true;
  throw invalid(
    `UpdateMask names ${JSON.stringify(path.slice(0, 100))}, which is no option of a workflow that can be changed.`,
  );
};

/** Goes on once workers of all versions that it would be pinned to are known, on its task queue; refuses the call otherwise. */
export function withKnownVersions(
  services: Services,
  { namespace, workflowId, runId }: { namespace: string; workflowId: string; runId?: string | undefined },
  overrides: readonly VersioningOverride[],
  call: Call,
  go: () => void,
): void {
  if (!overrides.some((override) => overridePin(override) !== undefined)) {
    go();
    return;
  }
  services.engine.describe({ namespace, workflowId }, runId, (error, found) => {
    if (error !== undefined || found === undefined) {
      if (error !== undefined) call.refuse(error);
      return;
    }
    services.deployments.lookAgain(() => {
      try {
        for (const override of overrides) checkVersion(services, namespace, found.executionConfig.taskQueue, override);
      } catch (refusal) {
        if (!(refusal instanceof Refused)) throw refusal;
        call.refuse(refusal.status);
        return;
      }
      go();
    });
  });
}

/** Workers of the version it is pinned to are known: tasks for it would wait for ever. */
function checkVersion(services: Services, namespace: string, taskQueue: string, override: VersioningOverride): void {
  const pin = overridePin(override);
  if (pin === undefined) return;
  const { deploymentName = '', buildId = '' } = pin;
  const version = services.deployments.get(namespace, deploymentName)?.versions.find((one) => one.buildId === buildId);
  if (version?.queues.some(({ name }) => name === taskQueue)) return;
  throw new Refused({
    code: StatusCode.FAILED_PRECONDITION,
    message: `Pinned version '${versionKey(pin).replace('\0', ':')}' is not present in task queue '${taskQueue}': start its workers there first.`,
  });
}

function submit(
  services: Services,
  { namespace, workflowId, runId, identity = '' }: UpdateWorkflowExecutionOptionsRequest,
  versioningOverride: VersioningOverride | 'unset' | undefined,
  call: Call,
): void {
  const message = { type: 'updateOptions', target: { runId }, versioningOverride, identity } as const;
  services.engine.submit({ namespace, workflowId }, message, (error, reply) => {
    if (error !== undefined) call.refuse(error);
    else if (reply?.type === 'executionOptions') {
      const workflowExecutionOptions: WorkflowExecutionOptions =
        reply.versioningOverride === undefined ? {} : { versioningOverride: reply.versioningOverride };
      call.reply({ workflowExecutionOptions } satisfies UpdateWorkflowExecutionOptionsResponse);
    }
  });
}

export const updateWorkflowExecutionOptions = method(
  object<UpdateWorkflowExecutionOptionsRequest>({
    namespace: defaulted(string, ''),
    workflowId: defaulted(string, ''),
    runId: optional(string),
    workflowExecutionOptions: optional(
      object<WorkflowExecutionOptions>({ versioningOverride: optional(common.versioningOverride) }),
    ),
    updateMask: optional(list(string)),
    identity: optional(string),
  }),
  (services, caller, request, call) => {
    const { namespace, workflowId, runId, updateMask = [], workflowExecutionOptions = {} } = request;
    rules.namespace(services, caller, namespace);
    rules.workflowId(services.limits, workflowId);
    rules.runId(runId);
    checkMask(updateMask);
    const override = rules.versioningOverride(workflowExecutionOptions.versioningOverride);
    const overrides = override === undefined ? [] : [override];
    withKnownVersions(services, request, overrides, call, () => submit(services, request, override ?? 'unset', call));
  },
);
