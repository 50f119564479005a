// Rules about values that are well formed: lengths, ranges, which settings go together. Texts are the Temporal server's, so that
// programs and people who know it are told the same (recorded in test/golden).

import { CallbackRules } from '../../core/nexus/callback-rules.ts';
import { cut } from '../../core/workflow/durations.ts';
import type { Limits } from '../../core/workflow/limits.ts';
import { sizeOf, utf8Length } from '../../core/workflow/size.ts';
import { decodeToken, type TaskToken } from '../../core/workflow/token.ts';
import { overridePin } from '../../core/workflow/versioning.ts';
import { isActivityAddress } from '../../wire/activity-address.ts';
import type { Priority, RetryPolicy, VersioningOverride, WorkerDeploymentVersion } from '../../wire/common.ts';
import {
  NamespaceState,
  PinnedOverrideBehavior,
  VersioningBehavior,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '../../wire/enums.ts';
import type { StartWorkflowExecutionRequest } from '../../wire/execution.ts';
import { StatusCode } from '../../wire/status.ts';
import type { Caller, NamespaceInfo, Services } from '../door.ts';
import { namespaceNotFound, permissionDenied, workflowNotFound } from '../statuses.ts';
import { invalid, Refused } from './check.ts';
import { checkLinks } from './links.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Bytes of a fairness key, as Temporal has it. */
const MAX_FAIRNESS_KEY_BYTES = 64;

/** The namespace a request names, if this caller may use it. */
export function namespace(services: Services, caller: Pick<Caller, 'mayUse'>, name: string): NamespaceInfo {
  if (name === '') throw invalid('Namespace is empty.');
  if (utf8Length(name) > services.limits.idBytes) throw invalid('Namespace length exceeds limit.');
  if (!caller.mayUse(name)) {
    throw new Refused(permissionDenied(`the token of this connection does not open namespace ${name}`));
  }
  const known = services.namespaces.get(name);
  if (known === undefined) throw new Refused(namespaceNotFound(name));
  return known;
}

/** The same, open to operators, too. */
export const orOperator = (caller: Pick<Caller, 'mayUse' | 'administration'>): Pick<Caller, 'mayUse'> => ({
  mayUse: (name) => caller.mayUse(name) || caller.administration === 'allowed',
});

/** The same, for what a deprecated namespace does not take any more. */
export function namespaceForStarts(services: Services, caller: Pick<Caller, 'mayUse'>, name: string): NamespaceInfo {
  const known = namespace(services, caller, name);
  if (known.state !== NamespaceState.REGISTERED) {
    throw new Refused({
      code: StatusCode.FAILED_PRECONDITION,
      message: `Namespace ${name} has invalid state: Deprecated. Must be Registered.`,
      detail: {
        kind: 'NamespaceInvalidState',
        namespace: name,
        state: known.state,
        allowedStates: [NamespaceState.REGISTERED],
      },
    });
  }
  return known;
}

/** `label` is how Temporal calls the field in its texts. */
export function within(limits: Limits, label: string, text: string): void {
  // Fewer characters than a third of the bound cannot be too many bytes.
  if (text.length * 3 > limits.idBytes && utf8Length(text) > limits.idBytes) {
    throw invalid(`${label} length exceeds limit.`);
  }
}

export function present(limits: Limits, label: string, text: string): void {
  if (text === '') throw invalid(`${label} is not set on request.`);
  within(limits, label, text);
}

/** The workflow id of a request that changes something. */
export function workflowId(limits: Limits, id: string): void {
  present(limits, 'WorkflowId', id);
}

/** The workflow id of a read: one that is too long for any workflow is simply not found. */
export function workflowIdOfRead(limits: Limits, id: string): void {
  if (id === '') throw invalid('WorkflowId is not set on request.');
  // An activity without a workflow has an address, and is no workflow.
  if (utf8Length(id) > limits.idBytes || isActivityAddress(id)) throw new Refused(workflowNotFound(id));
}

export function runId(id: string | undefined): void {
  if (id !== undefined && id !== '' && !UUID.test(id)) throw invalid('Invalid RunId.');
}

export function uuid(label: string, text: string): void {
  if (!UUID.test(text)) throw invalid(`Malformed ${label}.`);
}

export function taskQueueName(limits: Limits, name: string): void {
  present(limits, 'TaskQueue', name);
  if (name.startsWith('/_sys/')) throw invalid('task queue name cannot start with reserved prefix /_sys/');
  // It stands between a task queue and the version whose workers serve it (core/deployment/versioned-queue.ts).
  if (name.includes('\0')) throw invalid('task queue name cannot contain a zero byte');
}

/** Of a worker that belongs to a deployment. */
export function workerVersion(limits: Limits, version: WorkerDeploymentVersion | undefined): void {
  if (version === undefined) return;
  const { deploymentName = '', buildId = '' } = version;
  if (deploymentName === '' || buildId === '') {
    throw invalid('Versioned workers must set both deployment name and build ID.');
  }
  if (/[.:\0]/.test(deploymentName) || buildId.includes('\0')) {
    throw invalid(`A deployment's name cannot contain '.' or ':', nor its build ids a zero byte.`);
  }
  within(limits, 'DeploymentName', deploymentName);
  within(limits, 'BuildId', buildId);
}

/** An override that says something, as it is kept. */
export function versioningOverride(given: VersioningOverride | undefined): VersioningOverride | undefined {
  if (given === undefined) return undefined;
  const { pinned, autoUpgrade, oneTime, behavior, pinnedVersion } = given;
  const version = pinned?.version ?? oneTime?.targetDeploymentVersion;
  if (pinned !== undefined || oneTime !== undefined) {
    if (version?.buildId && version.deploymentName) return given;
    throw invalid('must provide version if override is pinned.');
  }
  // What older clients say is kept as newer ones say it.
  if (autoUpgrade === true || behavior === VersioningBehavior.AUTO_UPGRADE) return { autoUpgrade: true };
  const named = behavior === VersioningBehavior.PINNED ? overridePin({ pinnedVersion }) : undefined;
  if (named !== undefined) return { pinned: { behavior: PinnedOverrideBehavior.PINNED, version: named } };
  if (behavior === VersioningBehavior.PINNED && pinnedVersion) return given;
  if (behavior === VersioningBehavior.PINNED)
    throw invalid("must provide deployment (deprecated) or pinned version if behavior is 'PINNED'");
  throw invalid('override behavior is required');
}

/** Zero and absent mean the same: none. */
export function duration(label: string, ms: number | undefined): number | undefined {
  if (ms !== undefined && ms < 0) throw invalid(`An invalid ${label} is set on request.`);
  return ms === undefined || ms === 0 ? undefined : cut(ms);
}

/** Bytes of a payload-bearing field against the blob limit. */
export function blob(limits: Pick<Limits, 'blobBytes'>, ...values: unknown[]): void {
  let size = 0;
  for (const value of values) if (value !== undefined) size += sizeOf(value);
  if (size > limits.blobBytes) throw invalid('Blob data size exceeds limit.');
}

export function retryPolicy(policy: RetryPolicy | undefined): void {
  // With one attempt nothing is retried, and the server does not care about the rest.
  if (policy === undefined || policy.maximumAttempts === 1) return;
  const { initialInterval, backoffCoefficient, maximumInterval, maximumAttempts, nonRetryableErrorTypes } = policy;
  if ((initialInterval ?? 0) < 0) throw invalid('InitialInterval cannot be negative on retry policy.');
  if (backoffCoefficient !== undefined && backoffCoefficient !== 0 && backoffCoefficient < 1) {
    throw invalid('BackoffCoefficient cannot be less than 1 on retry policy.');
  }
  if ((maximumInterval ?? 0) < 0) throw invalid('MaximumInterval cannot be negative on retry policy.');
  if (maximumInterval !== undefined && maximumInterval > 0 && maximumInterval < (initialInterval || 1_000)) {
    throw invalid('MaximumInterval cannot be less than InitialInterval on retry policy.');
  }
  if ((maximumAttempts ?? 0) < 0) throw invalid('MaximumAttempts cannot be negative on retry policy.');
  for (const type of nonRetryableErrorTypes ?? []) {
    if (!type.startsWith(TIMEOUT_PREFIX)) continue;
    const name = type.slice(TIMEOUT_PREFIX.length);
    if (!TIMEOUT_TYPES.has(name)) throw invalid(`Invalid timeout type value: ${name}.`);
  }
}

const TIMEOUT_PREFIX = 'TemporalTimeout:';
const TIMEOUT_TYPES = new Set(['StartToClose', 'ScheduleToStart', 'ScheduleToClose', 'Heartbeat']);

export function priority(value: Priority | undefined): void {
  if (value === undefined) return;
  if ((value.priorityKey ?? 0) < 0) throw invalid("priority key can't be negative");
  if (utf8Length(value.fairnessKey ?? '') > MAX_FAIRNESS_KEY_BYTES) throw invalid('fairness key length exceeds limit');
  if ((value.fairnessWeight ?? 0) < 0) throw invalid('must be greater than zero');
}

export interface IdPolicies {
  reusePolicy: WorkflowIdReusePolicy;
  conflictPolicy: WorkflowIdConflictPolicy;
}

/** Defaults both policies and refuses pairs that contradict each other. Unknown numbers mean the default. */
export function idPolicies(
  reuse: WorkflowIdReusePolicy | undefined,
  conflict: WorkflowIdConflictPolicy | undefined,
  defaultConflict: WorkflowIdConflictPolicy,
): IdPolicies {
  const given = conflict !== undefined && conflict !== WorkflowIdConflictPolicy.UNSPECIFIED;
  if (reuse === WorkflowIdReusePolicy.TERMINATE_IF_RUNNING) {
    if (given) {
      throw invalid(
        'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a WorkflowIDConflictPolicy',
      );
    }
    return {
      reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      conflictPolicy: WorkflowIdConflictPolicy.TERMINATE_EXISTING,
    };
  }
  if (reuse === WorkflowIdReusePolicy.REJECT_DUPLICATE && conflict === WorkflowIdConflictPolicy.TERMINATE_EXISTING) {
    throw invalid(
      'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING',
    );
  }
  const reusePolicy =
    reuse === WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY || reuse === WorkflowIdReusePolicy.REJECT_DUPLICATE
      ? reuse
      : WorkflowIdReusePolicy.ALLOW_DUPLICATE;
  const conflictPolicy =
    given && conflict >= WorkflowIdConflictPolicy.FAIL && conflict <= WorkflowIdConflictPolicy.TERMINATE_EXISTING
      ? conflict
      : defaultConflict;
  return { reusePolicy, conflictPolicy };
}

/** Decodes a task token of the expected kind and sees that its namespace is the caller's. */
export function taskToken(services: Services, caller: Caller, bytes: Uint8Array, kind: TaskToken['kind']): TaskToken {
  if (bytes.length === 0) throw invalid('Task token not set on request.');
  const token = decodeToken(bytes);
  if (token === undefined) throw invalid('Error deserializing task token.');
  namespace(services, caller, token.namespace);
  if (token.kind !== kind) {
    const message = `The token is that of another kind of task: ${token.kind}, not ${kind}.`;
    throw new Refused({ code: StatusCode.NOT_FOUND, message, detail: { kind: 'NotFound' } });
  }
  return token;
}

/** A token of a workflow task or of a direct query: both read history with it. */
export function heldToken(services: Services, caller: Caller, bytes: Uint8Array): TaskToken {
  const token = decodeToken(bytes);
  return taskToken(services, caller, bytes, token?.kind === 'query' ? 'query' : 'workflow');
}

/** Callbacks and links of a start, or of an update. */
export function completionCallbacks(
  limits: Limits,
  allowed: CallbackRules | undefined,
  {
    completionCallbacks: callbacks = [],
    links = [],
    onConflictOptions,
  }: Pick<StartWorkflowExecutionRequest, 'completionCallbacks' | 'links' | 'onConflictOptions'>,
): void {
  if (callbacks.length > limits.callbacksPerRun) {
    throw invalid(`cannot attach more than ${limits.callbacksPerRun} callbacks to a workflow.`);
  }
  for (const callback of callbacks) {
    const problem = (allowed ?? NO_CALLBACKS).problem(callback);
    if (problem !== undefined) throw invalid(problem);
  }
  checkLinks(links);
  if (onConflictOptions?.attachCompletionCallbacks === true && onConflictOptions.attachRequestId !== true) {
    throw invalid('attaching request ID is required for attaching completion callbacks.');
  }
}

const NO_CALLBACKS = new CallbackRules([]);
