// Messages that several events, commands and requests share, named as in the Temporal API.
// Times are epoch milliseconds, durations milliseconds; an absent field means the API's default.

import type {
  ContinueAsNewVersioningBehavior,
  EventType,
  PinnedOverrideBehavior,
  TaskQueueKind,
  VersioningBehavior,
} from './enums.ts';
import type { Failure } from './failure.ts';

/** google.protobuf.Any */
export interface Any {
  typeUrl: string;
  value: Uint8Array;
}

export interface FieldMask {
  paths: string[];
}

export interface UserMetadata {
  summary?: Payload | undefined;
  details?: Payload | undefined;
}

export interface Payload {
  metadata?: Record<string, Uint8Array> | undefined;
  data?: Uint8Array | undefined;
}

/** As it may come from other SDKs, and is kept: with the sizes of what they hold elsewhere, which nothing here looks at. */
export interface PayloadWithDetails extends Payload {
  externalPayloads?: { sizeBytes?: number | undefined }[] | undefined;
}

export interface Link {
  workflowEvent?: LinkWorkflowEvent | undefined;
  batchJob?: LinkBatchJob | undefined;
  activity?: LinkActivity | undefined;
  nexusOperation?: LinkNexusOperation | undefined;
  workflow?: LinkWorkflow | undefined;
}

export interface LinkWorkflowEvent {
  namespace?: string | undefined;
  workflowId?: string | undefined;
  runId?: string | undefined;
  eventRef?: LinkWorkflowEventEventReference | undefined;
  requestIdRef?: LinkWorkflowEventRequestIdReference | undefined;
}

export interface LinkWorkflowEventEventReference {
  eventId?: number | undefined;
  eventType?: EventType | undefined;
}

export interface LinkWorkflowEventRequestIdReference {
  requestId?: string | undefined;
  eventType?: EventType | undefined;
}

export interface LinkBatchJob {
  jobId?: string | undefined;
}

export interface LinkActivity {
  namespace?: string | undefined;
  activityId?: string | undefined;
  runId?: string | undefined;
}

export interface LinkNexusOperation {
  namespace?: string | undefined;
  operationId?: string | undefined;
  runId?: string | undefined;
}

export interface LinkWorkflow {
  namespace?: string | undefined;
  workflowId?: string | undefined;
  runId?: string | undefined;
  reason?: string | undefined;
}

export interface Principal {
  type?: string | undefined;
  name?: string | undefined;
}

/** Puts an event into a group of them: one with a label, or what came of a signal (its event) or an update (its id). One of the three. */
export interface EventGroupMarker {
  label?: EventGroupMarkerLabel | undefined;
  inboundEvent?: EventGroupMarkerInboundEvent | undefined;
  inboundUpdate?: EventGroupMarkerInboundUpdate | undefined;
}

export interface EventGroupMarkerLabel {
  id?: string | undefined;
  label?: Payload | undefined;
}

export interface EventGroupMarkerInboundEvent {
  inboundEventId?: number | undefined;
}

export interface EventGroupMarkerInboundUpdate {
  inboundUpdateId?: string | undefined;
}

/** What a command says of itself beside its attributes, and its event after it: for people and tools, never for the workflow. */
export interface Annotations {
  userMetadata?: UserMetadata | undefined;
  eventGroupMarkers?: EventGroupMarker[] | undefined;
}

export interface WorkflowType {
  name: string;
}

export interface WorkflowExecution {
  workflowId?: string | undefined;
  runId?: string | undefined;
}

export interface TaskQueue {
  name: string;
  kind?: TaskQueueKind | undefined;
  normalName?: string | undefined;
}

export interface Payloads {
  payloads?: Payload[] | undefined;
}

export interface ActivityType {
  name: string;
}

export interface RetryPolicy {
  initialInterval?: number | undefined;
  backoffCoefficient?: number | undefined;
  maximumInterval?: number | undefined;
  maximumAttempts?: number | undefined;
  nonRetryableErrorTypes?: string[] | undefined;
}

export interface Memo {
  fields?: Record<string, Payload> | undefined;
}

export interface SearchAttributes {
  indexedFields?: Record<string, Payload> | undefined;
}

export interface ResetPoints {
  points?: ResetPointInfo[] | undefined;
}

export interface ResetPointInfo {
  buildId?: string | undefined;
  binaryChecksum?: string | undefined;
  runId?: string | undefined;
  firstWorkflowTaskCompletedId?: number | undefined;
  createTime?: number | undefined;
  expireTime?: number | undefined;
  resettable?: boolean | undefined;
}

export interface Header {
  fields?: Record<string, Payload> | undefined;
}

export interface WorkerVersionStamp {
  buildId?: string | undefined;
  useVersioning?: boolean | undefined;
}

export interface Callback {
  nexus?: CallbackNexus | undefined;
  internal?: CallbackInternal | undefined;
  links?: Link[] | undefined;
}

export interface CallbackNexus {
  url?: string | undefined;
  header?: Record<string, string> | undefined;
}

export interface CallbackInternal {
  data?: Uint8Array | undefined;
}

export interface VersioningOverride {
  pinned?: VersioningOverridePinnedOverride | undefined;
  autoUpgrade?: boolean | undefined;
  oneTime?: VersioningOverrideOneTimeOverride | undefined;
  behavior?: VersioningBehavior | undefined;
  deployment?: Deployment | undefined;
  pinnedVersion?: string | undefined;
}

export interface VersioningOverridePinnedOverride {
  behavior?: PinnedOverrideBehavior | undefined;
  version?: WorkerDeploymentVersion | undefined;
}

export interface WorkerDeploymentVersion {
  buildId?: string | undefined;
  deploymentName?: string | undefined;
}

export interface VersioningOverrideOneTimeOverride {
  targetDeploymentVersion?: WorkerDeploymentVersion | undefined;
}

export interface Deployment {
  seriesName?: string | undefined;
  buildId?: string | undefined;
}

export interface Priority {
  priorityKey?: number | undefined;
  fairnessKey?: string | undefined;
  fairnessWeight?: number | undefined;
}

export interface InheritedAutoUpgradeInfo {
  sourceDeploymentVersion?: WorkerDeploymentVersion | undefined;
  sourceDeploymentRevisionNumber?: number | undefined;
  continueAsNewInitialVersioningBehavior?: ContinueAsNewVersioningBehavior | undefined;
}

export interface TimeSkippingConfig {
  enabled?: boolean | undefined;
  fastForwardConfig?: FastForwardConfig | undefined;
  disablePropagation?: boolean | undefined;
  maxSessionSkipCount?: number | undefined;
}

export interface FastForwardConfig {
  id?: string | undefined;
  duration?: number | undefined;
}

export interface TimeSkippingStatePropagation {
  initialSkippedDuration?: number | undefined;
  fastForwardTargetTime?: number | undefined;
  initialSkipCount?: number | undefined;
}

export interface WorkflowTaskCompletedMetadata {
  coreUsedFlags?: number[] | undefined;
  langUsedFlags?: number[] | undefined;
  sdkName?: string | undefined;
  sdkVersion?: string | undefined;
}

export interface MeteringMetadata {
  nonfirstLocalActivityExecutionAttempts?: number | undefined;
}

export interface UpdateRequest {
  meta?: UpdateMeta | undefined;
  input?: UpdateInput | undefined;
  requestId?: string | undefined;
  completionCallbacks?: Callback[] | undefined;
  links?: Link[] | undefined;
}

export interface UpdateMeta {
  updateId?: string | undefined;
  identity?: string | undefined;
}

export interface UpdateInput {
  header?: Header | undefined;
  name?: string | undefined;
  args?: Payloads | undefined;
}

export interface UpdateOutcome {
  success?: Payloads | undefined;
  failure?: Failure | undefined;
}

export interface UpdateAcceptance {
  acceptedRequestMessageId?: string | undefined;
  acceptedRequestSequencingEventId?: number | undefined;
  acceptedRequest?: UpdateRequest | undefined;
}

export interface UpdateRejection {
  rejectedRequestMessageId?: string | undefined;
  rejectedRequestSequencingEventId?: number | undefined;
  rejectedRequest?: UpdateRequest | undefined;
  failure?: Failure | undefined;
}

export interface UpdateResponse {
  meta?: UpdateMeta | undefined;
  outcome?: UpdateOutcome | undefined;
}

export type Empty = Record<string, never>;
