// Checks of the messages that several requests share (wire/common.ts, wire/failure.ts).

import type { Registered } from '../../core/visibility/index.ts';
import type * as wire from '../../wire/common.ts';
import type {
  ApplicationErrorCategory,
  IndexedValueType,
  NexusHandlerErrorRetryBehavior,
  RetryState,
  TimeoutType,
} from '../../wire/enums.ts';
import type { OnConflictOptions } from '../../wire/execution.ts';
import type * as failures from '../../wire/failure.ts';
import {
  boolean,
  bytes,
  type Check,
  defaulted,
  enumeration,
  finite,
  integer,
  lazy,
  list,
  object,
  optional,
  record,
  string,
} from './check.ts';

export const payload: Check<wire.Payload> = object<wire.PayloadWithDetails>({
  metadata: optional(record(bytes)),
  data: optional(bytes),
  externalPayloads: optional(list(object<{ sizeBytes?: number | undefined }>({ sizeBytes: optional(integer) }))),
});

export const payloads: Check<wire.Payloads> = object<wire.Payloads>({ payloads: optional(list(payload)) });

export const header: Check<wire.Header> = object<wire.Header>({ fields: optional(record(payload)) });

export const memo: Check<wire.Memo> = object<wire.Memo>({ fields: optional(record(payload)) });

export const searchAttributes: Check<wire.SearchAttributes> = object<wire.SearchAttributes>({
  indexedFields: optional(record(payload)),
});

/** Types by name. */
export const attributeTypes: Check<Record<string, IndexedValueType>> = record(enumeration<IndexedValueType>());

const type = enumeration<IndexedValueType>();
/** As one node tells another: with the name that values are kept under, where that is another. */
export const registeredAttributes: Check<Record<string, Registered>> = record((value) => {
  if (!Array.isArray(value)) return type(value);
  const [of, field] = value as unknown[];
  return [type(of), string(field)] as const;
});

export const retryPolicy: Check<wire.RetryPolicy> = object<wire.RetryPolicy>({
  initialInterval: optional(integer),
  backoffCoefficient: optional(finite),
  maximumInterval: optional(integer),
  maximumAttempts: optional(integer),
  nonRetryableErrorTypes: optional(list(string)),
});

export const priority: Check<wire.Priority> = object<wire.Priority>({
  priorityKey: optional(integer),
  fairnessKey: optional(string),
  fairnessWeight: optional(finite),
});

export const userMetadata: Check<wire.UserMetadata> = object<wire.UserMetadata>({
  summary: optional(payload),
  details: optional(payload),
});

export const link: Check<wire.Link> = object<wire.Link>({
  workflowEvent: optional(
    object<wire.LinkWorkflowEvent>({
      namespace: optional(string),
      workflowId: optional(string),
      runId: optional(string),
      eventRef: optional(
        object<wire.LinkWorkflowEventEventReference>({
          eventId: optional(integer),
          eventType: optional(enumeration()),
        }),
      ),
      requestIdRef: optional(
        object<wire.LinkWorkflowEventRequestIdReference>({
          requestId: optional(string),
          eventType: optional(enumeration()),
        }),
      ),
    }),
  ),
  batchJob: optional(object<wire.LinkBatchJob>({ jobId: optional(string) })),
  activity: optional(
    object<wire.LinkActivity>({ namespace: optional(string), activityId: optional(string), runId: optional(string) }),
  ),
  nexusOperation: optional(
    object<wire.LinkNexusOperation>({
      namespace: optional(string),
      operationId: optional(string),
      runId: optional(string),
    }),
  ),
  workflow: optional(
    object<wire.LinkWorkflow>({
      namespace: optional(string),
      workflowId: optional(string),
      runId: optional(string),
      reason: optional(string),
    }),
  ),
});

export const callback: Check<wire.Callback> = object<wire.Callback>({
  nexus: optional(object<wire.CallbackNexus>({ url: optional(string), header: optional(record(string)) })),
  internal: optional(object<wire.CallbackInternal>({ data: optional(bytes) })),
  links: optional(list((value) => link(value))),
});

export const onConflictOptions: Check<OnConflictOptions> = object<OnConflictOptions>({
  attachRequestId: optional(boolean),
  attachCompletionCallbacks: optional(boolean),
  attachLinks: optional(boolean),
});

export const workflowType: Check<wire.WorkflowType> = object<wire.WorkflowType>({ name: defaulted(string, '') });
export const activityType: Check<wire.ActivityType> = object<wire.ActivityType>({ name: defaulted(string, '') });

export const taskQueue: Check<wire.TaskQueue> = object<wire.TaskQueue>({
  name: defaulted(string, ''),
  kind: optional(enumeration()),
  normalName: optional(string),
});

export const workflowExecution: Check<wire.WorkflowExecution> = object<wire.WorkflowExecution>({
  workflowId: optional(string),
  runId: optional(string),
});

export const workerVersion: Check<wire.WorkerVersionStamp> = object<wire.WorkerVersionStamp>({
  buildId: optional(string),
  useVersioning: optional(boolean),
});

export const deploymentVersion: Check<wire.WorkerDeploymentVersion> = object<wire.WorkerDeploymentVersion>({
  buildId: optional(string),
  deploymentName: optional(string),
});

export const versioningOverride: Check<wire.VersioningOverride> = object<wire.VersioningOverride>({
  pinned: optional(
    object<wire.VersioningOverridePinnedOverride>({
      behavior: optional(enumeration()),
      version: optional(
        object<wire.WorkerDeploymentVersion>({ buildId: optional(string), deploymentName: optional(string) }),
      ),
    }),
  ),
  autoUpgrade: optional(boolean),
  oneTime: optional(
    object<wire.VersioningOverrideOneTimeOverride>({
      targetDeploymentVersion: optional(
        object<wire.WorkerDeploymentVersion>({ buildId: optional(string), deploymentName: optional(string) }),
      ),
    }),
  ),
  behavior: optional(enumeration()),
  deployment: optional(object<wire.Deployment>({ seriesName: optional(string), buildId: optional(string) })),
  pinnedVersion: optional(string),
});

export const sdkMetadata: Check<wire.WorkflowTaskCompletedMetadata> = object<wire.WorkflowTaskCompletedMetadata>({
  coreUsedFlags: optional(list(integer)),
  langUsedFlags: optional(list(integer)),
  sdkName: optional(string),
  sdkVersion: optional(string),
});

export const meteringMetadata: Check<wire.MeteringMetadata> = object<wire.MeteringMetadata>({
  nonfirstLocalActivityExecutionAttempts: optional(integer),
});

const application: Check<failures.ApplicationFailureInfo> = object<failures.ApplicationFailureInfo>({
  type: optional(string),
  nonRetryable: optional(boolean),
  details: optional(payloads),
  nextRetryDelay: optional(integer),
  category: optional(enumeration<ApplicationErrorCategory>()),
});

/** Chains of causes end: the frame's nesting is bounded before it is decoded (websocket/skim.ts). */
export const failure: Check<failures.Failure> = object<failures.Failure>({
  message: optional(string),
  source: optional(string),
  stackTrace: optional(string),
  encodedAttributes: optional(payload),
  cause: optional(lazy(() => failure)),
  applicationFailureInfo: optional(application),
  timeoutFailureInfo: optional(
    object<failures.TimeoutFailureInfo>({
      timeoutType: optional(enumeration<TimeoutType>()),
      lastHeartbeatDetails: optional(payloads),
    }),
  ),
  canceledFailureInfo: optional(
    object<failures.CanceledFailureInfo>({ details: optional(payloads), identity: optional(string) }),
  ),
  terminatedFailureInfo: optional(object<failures.TerminatedFailureInfo>({ identity: optional(string) })),
  serverFailureInfo: optional(object<failures.ServerFailureInfo>({ nonRetryable: optional(boolean) })),
  resetWorkflowFailureInfo: optional(
    object<failures.ResetWorkflowFailureInfo>({ lastHeartbeatDetails: optional(payloads) }),
  ),
  activityFailureInfo: optional(
    object<failures.ActivityFailureInfo>({
      scheduledEventId: optional(integer),
      startedEventId: optional(integer),
      identity: optional(string),
      activityType: optional(activityType),
      activityId: optional(string),
      retryState: optional(enumeration<RetryState>()),
    }),
  ),
  childWorkflowExecutionFailureInfo: optional(
    object<failures.ChildWorkflowExecutionFailureInfo>({
      namespace: optional(string),
      workflowExecution: optional(workflowExecution),
      workflowType: optional(workflowType),
      initiatedEventId: optional(integer),
      startedEventId: optional(integer),
      retryState: optional(enumeration<RetryState>()),
    }),
  ),
  nexusOperationExecutionFailureInfo: optional(
    object<failures.NexusOperationFailureInfo>({
      scheduledEventId: optional(integer),
      endpoint: optional(string),
      service: optional(string),
      operation: optional(string),
      operationId: optional(string),
      operationToken: optional(string),
    }),
  ),
  nexusHandlerFailureInfo: optional(
    object<failures.NexusHandlerFailureInfo>({
      type: optional(string),
      retryBehavior: optional(enumeration<NexusHandlerErrorRetryBehavior>()),
    }),
  ),
});
