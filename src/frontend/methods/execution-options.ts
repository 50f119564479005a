// updateWorkflowExecutionOptions: what holds of a running workflow instead of what it says of itself, and its priority.

import { versionKey } from '../../core/deployment/versioned-queue.ts';
import type { ExecutionOptionsChange } from '../../core/workflow/message.ts';
import { overridePin } from '../../core/workflow/versioning.ts';
import type { Priority, VersioningOverride } from '../../wire/common.ts';
import type {
  UpdateWorkflowExecutionOptionsRequest,
  UpdateWorkflowExecutionOptionsResponse,
  WorkflowExecutionOptions,
} from '../../wire/execution.ts';
import { StatusCode } from '../../wire/status.ts';
import { type Call, method, type Services } from '../door.ts';
import { defaulted, invalid, list, object, optional, Refused, string } from '../validate/check.ts';
import { executionOptions } from '../validate/execution-options.ts';
import * as rules from '../validate/rules.ts';

/** Of a mask; there are fewer options. */
const MAX_MASK = 100;
/** What a field that a mask names and the options do not have is set to. */
const PRIORITY_FIELDS = { priorityKey: 0, fairnessKey: '', fairnessWeight: 0 } as const;

/** `versioning_override` and `versioningOverride` are the same. */
const camel = (path: string): string => path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** What the mask names of the options, where an absent field means its default. Throws Refused. */
export function changeOf(
  options: WorkflowExecutionOptions = {},
  updateMask: readonly string[] = [],
): ExecutionOptionsChange {
  if (updateMask.length > MAX_MASK) throw invalid(`UpdateMask has ${updateMask.length} names, more than ${MAX_MASK}.`);
  rules.priority(options.priority);
  const override = rules.versioningOverride(options.versioningOverride);
  const change: ExecutionOptionsChange = {};
  const overrideParts = new Set<string>();
  for (const path of updateMask) {
    const [option = '', ...rest] = camel(path).split('.');
    const part = rest.join('.');
    if (option === 'versioningOverride') {
      change.versioningOverride = override ?? 'unset';
      if (part !== '') overrideParts.add(part);
    } else if (option === 'priority') {
      change.priority = maskedPriority(path, part, change.priority, options.priority);
    } else if (option === 'timeSkippingConfig') {
      // No run has one, and the door refuses requests that bring one.
      if (part !== '')
        throw invalid("error applying update_options: time_skipping_config doesn't support partial update");
    } else throw unknownPath(path);
  }
  checkParts(overrideParts);
  return change;
}

/** Of an override, which is set as a whole: the two names that older clients have for that. */
function checkParts(parts: ReadonlySet<string>): void {
  if (parts.size === 0) return;
  if (![...parts].every((part) => part === 'behavior' || part === 'deployment'))
    throw invalid("error applying update_options: versioning_override doesn't support partial updates");
  if (parts.size === 1)
    throw invalid('error applying update_options: versioning_override fields must be updated together');
}

function maskedPriority(
  path: string,
  part: string,
  before: ExecutionOptionsChange['priority'],
  asked: Priority | undefined,
): Priority | 'unset' {
  if (part === '') return asked === undefined ? (before ?? 'unset') : { ...PRIORITY_FIELDS, ...asked };
  if (!Object.hasOwn(PRIORITY_FIELDS, part)) throw unknownPath(path);
  // It has just been found to be one of them.
  const field = part as keyof Priority;
  const others = before === 'unset' ? PRIORITY_FIELDS : before;
  return { ...others, [field]: asked?.[field] ?? PRIORITY_FIELDS[field] };
}

const unknownPath = (path: string): Refused =>
  invalid(
    `error parsing UpdateMask: proto: invalid path ${JSON.stringify(path.slice(0, 100))} for message "temporal.api.workflow.v1.WorkflowExecutionOptions"`,
  );

/** The version that a change pins to, for withKnownVersions. */
export const overridesIn = ({ versioningOverride }: ExecutionOptionsChange): VersioningOverride[] =>
  typeof versioningOverride === 'object' ? [versioningOverride] : [];

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
    withVersionsOn(services, namespace, found.executionConfig.taskQueue, overrides, call, go);
  });
}

/** The same of a task queue that is known. */
export function withVersionsOn(
  services: Services,
  namespace: string,
  taskQueue: string,
  overrides: readonly VersioningOverride[],
  call: Call,
  go: () => void,
): void {
  services.deployments.lookAgain(() => {
    try {
      for (const override of overrides) checkVersion(services, namespace, taskQueue, override);
    } catch (refusal) {
      if (!(refusal instanceof Refused)) throw refusal;
      call.refuse(refusal.status);
      return;
    }
    go();
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
  change: ExecutionOptionsChange,
  call: Call,
): void {
  const message = { type: 'updateOptions', target: { runId }, ...change, identity } as const;
  services.engine.submit({ namespace, workflowId }, message, (error, reply) => {
    if (error !== undefined) call.refuse(error);
    else if (reply?.type === 'executionOptions') {
      const { versioningOverride, priority } = reply;
      const workflowExecutionOptions: WorkflowExecutionOptions = {
        ...(versioningOverride !== undefined && { versioningOverride }),
        ...(priority !== undefined && { priority }),
      };
      call.reply({ workflowExecutionOptions } satisfies UpdateWorkflowExecutionOptionsResponse);
    }
  });
}

export const updateWorkflowExecutionOptions = method(
  object<UpdateWorkflowExecutionOptionsRequest>({
    namespace: defaulted(string, ''),
    workflowId: defaulted(string, ''),
    runId: optional(string),
    workflowExecutionOptions: optional(executionOptions),
    updateMask: optional(list(string)),
    identity: optional(string),
  }),
  (services, caller, request, call) => {
    const { namespace, workflowId, runId, updateMask, workflowExecutionOptions } = request;
    rules.namespace(services, caller, namespace);
    rules.workflowIdOfRead(services.limits, workflowId);
    if (updateMask === undefined) throw invalid('UpdateMask is required');
    if (workflowExecutionOptions === undefined) throw invalid('WorkflowExecutionOptions is required');
    const change = changeOf(workflowExecutionOptions, updateMask);
    rules.runId(runId);
    withKnownVersions(services, request, overridesIn(change), call, () => submit(services, request, change, call));
  },
);
