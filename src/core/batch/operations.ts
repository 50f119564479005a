// What a batch job can do to an execution: one line of the table each. A message's request id is made of the job and the run, so that a job that
// comes to an execution again after a crash finds it done (DESIGN §4, unknown outcomes).

import type { BatchTarget } from '../../wire/batch.ts';
import type { Header, Payloads } from '../../wire/common.ts';
import { BatchOperationType, type ResetReapplyExcludeType } from '../../wire/enums.ts';
import { type VersionKey, versionKey } from '../deployment/versioned-queue.ts';
import type {
  ActivityChoice,
  ActivityOptionsChange,
  ExecutionOptionsChange,
  Jitter,
  Message,
  PostResetOperation,
  ResetMessage,
} from '../workflow/message.ts';
import { overridePin } from '../workflow/versioning.ts';
import type { JobSpec } from './job.ts';

/** Where a reset goes back to. That of a build is looked up for each run: before the first workflow task that the build completed. */
export type BatchResetPoint =
  | { at: NonNullable<ResetMessage['point']> }
  | { at: 'event'; eventId: number }
  | { at: 'build'; buildId: string; currentRunOnly: boolean };

export type BatchOperation =
  | { type: 'terminate'; details?: Payloads | undefined }
  | { type: 'cancel' }
  | { type: 'delete' }
  | { type: 'signal'; signalName: string; input?: Payloads | undefined; header?: Header | undefined }
  | {
      type: 'reset';
      point: BatchResetPoint;
      exclude: readonly ResetReapplyExcludeType[];
      afterwards?: readonly PostResetOperation[] | undefined;
    }
  | ({ type: 'updateOptions' } & ExecutionOptionsChange)
  | { type: 'pauseWorkflow' }
  | { type: 'unpauseWorkflow' }
  | { type: 'pauseActivities'; activities: ActivityChoice }
  | ({
      type: 'unpauseActivities';
      activities: ActivityChoice;
      resetAttempts: boolean;
      resetHeartbeats: boolean;
    } & Jitter)
  | ({
      type: 'resetActivities';
      activities: ActivityChoice;
      resetHeartbeats: boolean;
      keepPaused: boolean;
      restoreOriginalOptions: boolean;
    } & Jitter)
  | { type: 'updateActivityOptions'; activities: ActivityChoice; change: ActivityOptionsChange | 'restoreOriginal' }
  /** This one and the two after it: of activities without a workflow, which the job looks for instead of workflows. */
  | { type: 'cancelStandalone'; reason: string }
  | { type: 'terminateStandalone'; reason: string }
  | { type: 'deleteStandalone' };

/** Messages that jobs send. */
export type BatchMessage = Extract<
  Message,
  {
    type:
      | 'terminate'
      | 'requestCancel'
      | 'signal'
      | 'deleteExecution'
      | 'reset'
      | 'updateOptions'
      | 'pauseWorkflow'
      | 'unpauseWorkflow'
      | 'pauseActivity'
      | 'unpauseActivity'
      | 'resetActivity'
      | 'updateActivityOptions';
  }
>;

/** Who terminated, in the history: the job, as on the reference server. Who wanted it is told by the job. */
const JOB_IDENTITY = 'tenuto-batch';

const TYPES: { readonly [T in BatchOperation['type']]: BatchOperationType } = {
  terminate: BatchOperationType.TERMINATE,
  cancel: BatchOperationType.CANCEL,
  signal: BatchOperationType.SIGNAL,
  delete: BatchOperationType.DELETE,
  reset: BatchOperationType.RESET,
  updateOptions: BatchOperationType.UPDATE_EXECUTION_OPTIONS,
  pauseWorkflow: BatchOperationType.PAUSE_WORKFLOW,
  unpauseWorkflow: BatchOperationType.UNPAUSE_WORKFLOW,
  pauseActivities: BatchOperationType.PAUSE_ACTIVITY,
  unpauseActivities: BatchOperationType.UNPAUSE_ACTIVITY,
  resetActivities: BatchOperationType.RESET_ACTIVITY,
  updateActivityOptions: BatchOperationType.UPDATE_ACTIVITY_OPTIONS,
  cancelStandalone: BatchOperationType.CANCEL_ACTIVITY,
  terminateStandalone: BatchOperationType.TERMINATE_ACTIVITY,
  deleteStandalone: BatchOperationType.DELETE_ACTIVITY,
};

/** What the job's filter is for; undefined: workflows. */
export function searchedFor({ type }: BatchOperation): 'activities' | undefined {
  switch (type) {
    case 'cancelStandalone':
    case 'terminateStandalone':
    case 'deleteStandalone':
      return 'activities';
    default:
      return undefined;
  }
}

export const operationType = ({ type }: BatchOperation): BatchOperationType => TYPES[type];

/** What has to be known of an execution before it can be told. */
export interface Needed {
  /** Where this build has begun to work on it. */
  build?: Extract<BatchResetPoint, { at: 'build' }>;
  /** Whether workers of these versions serve its task queue. */
  workersOf: readonly VersionKey[];
}

export function needed(operation: BatchOperation): Needed {
  switch (operation.type) {
    case 'reset': {
      const { point, afterwards = [] } = operation;
      return { ...(point.at === 'build' && { build: point }), workersOf: afterwards.flatMap(pinned) };
    }
    case 'updateOptions':
      return { workersOf: pinned(operation) };
    default:
      return { workersOf: [] };
  }
}

/** The version that this pins to. */
export function pinned(operation: PostResetOperation): VersionKey[] {
  if (operation.type === 'signal') return [];
  const { versioningOverride: override } = operation;
  const pin = override === undefined || override === 'unset' ? undefined : overridePin(override);
  return pin === undefined ? [] : [versionKey(pin)];
}

/** Of two jobs that had the same id one after the other, each has request ids of its own. */
const requestId = ({ jobId, startTime }: JobSpec, { workflowId, runId }: BatchTarget): string =>
  `batch:${startTime}:${jobId}:${runId || workflowId}`;

/** Where a run goes back to. */
export interface FoundPoint {
  runId: string;
  eventId: number;
}

/** @param found where the reset to a build begins: of such a job alone. */
export function messageFor(spec: JobSpec, target: BatchTarget, found?: FoundPoint): BatchMessage {
  const { operation, identity, reason } = spec;
  const common = { target: { runId: target.runId }, identity, requestId: requestId(spec, target) };
  switch (operation.type) {
    case 'terminate':
      return { type: 'terminate', ...common, identity: JOB_IDENTITY, reason, details: operation.details };
    case 'cancel':
      // Its reason is the job's, not the cancellation's: as on the reference server.
      return { type: 'requestCancel', ...common };
    case 'delete':
    case 'deleteStandalone':
      // A repeat finds the run gone; of a workflow that was named without one, that which has come since is another. A run that is named is meant,
      // whenever it began: by its own node's clock that may be after the job did.
      return {
        type: 'deleteExecution',
        target: common.target,
        identity,
        ...(target.runId ? {} : { beganBy: spec.startTime }),
      };
    case 'signal': {
      const { signalName, input, header } = operation;
      return { type: 'signal', ...common, signalName, input, header };
    }
    case 'reset': {
      const { exclude, point, afterwards } = operation;
      const reset = { type: 'reset' as const, ...common, runId: '', reason, exclude, afterwards };
      if (point.at === 'event') return { ...reset, workflowTaskFinishEventId: point.eventId };
      if (point.at !== 'build') return { ...reset, workflowTaskFinishEventId: 0, point: point.at };
      if (found === undefined) throw new Error('a reset to a build has to be looked up first');
      return { ...reset, target: { runId: found.runId }, workflowTaskFinishEventId: found.eventId };
    }
    case 'updateOptions':
      return { ...operation, target: common.target, identity };
    case 'pauseWorkflow':
    case 'unpauseWorkflow':
      return { type: operation.type, ...common, reason };
    case 'pauseActivities':
      return { type: 'pauseActivity', ...common, activities: operation.activities, reason };
    case 'unpauseActivities': {
      const { type: _, ...what } = operation;
      return { type: 'unpauseActivity', target: common.target, ...what, ...seeded(operation, common.requestId) };
    }
    case 'resetActivities': {
      const { type: _, ...what } = operation;
      return { type: 'resetActivity', target: common.target, ...what, ...seeded(operation, common.requestId) };
    }
    case 'updateActivityOptions':
      return { ...operation, target: common.target };
    case 'cancelStandalone':
      return { type: 'requestCancel', ...common, reason: operation.reason };
    case 'terminateStandalone':
      return { type: 'terminate', ...common, reason: operation.reason };
    default:
      return operation satisfies never;
  }
}

/** The jitter of each run by a number of its own: the same activities of a thousand workflows must not go on in the same moment. */
function seeded({ jitter, jitterSeed }: Jitter, id: string): Jitter {
  let hash = jitterSeed | 0;
  // FNV-1a.
  for (let i = 0; i < id.length; i += 1) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return { jitter, jitterSeed: hash >>> 0 };
}
