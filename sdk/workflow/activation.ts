// What the replay engine tells an execution (jobs) and what the execution asks for (intents).
//
// Intents name things by `seq`, the order in which the workflow made them; the engine turns them into commands, matches those with
// history, and turns events back into jobs. Plain data both ways: it crosses the border of the realm.

import type {
  ContinueAsNewWorkflowExecutionCommandAttributes,
  RequestCancelExternalWorkflowExecutionCommandAttributes,
  ScheduleActivityTaskCommandAttributes,
  ScheduleNexusOperationCommandAttributes,
  SignalExternalWorkflowExecutionCommandAttributes,
  StartChildWorkflowExecutionCommandAttributes,
} from '../../src/wire/command.ts';
import type {
  Annotations,
  Header,
  Payload,
  Payloads,
  RetryPolicy,
  UpdateOutcome,
  WorkerDeploymentVersion,
} from '../../src/wire/common.ts';
import type { StartChildWorkflowExecutionFailedCause, SuggestContinueAsNewReason } from '../../src/wire/enums.ts';
import type { Failure } from '../../src/wire/failure.ts';

/** How something the workflow waited for ended. */
export type Outcome = { kind: 'completed'; result: Payloads | undefined } | { kind: 'failed'; failure: Failure };

export type Job =
  /** A patch marker is in the history that is being replayed. */
  | { kind: 'patch'; id: string }
  /** The run was reset: random numbers go on from another seed. */
  | { kind: 'randomSeed'; seed: string }
  | { kind: 'signal'; eventId: number; name: string; input: Payloads | undefined; header: Header | undefined }
  /** The validator runs but on replay: what is in the history was accepted. */
  | {
      kind: 'update';
      id: string;
      name: string;
      input: Payloads | undefined;
      header: Header | undefined;
      validates: boolean;
    }
  | { kind: 'cancel'; reason: string | undefined }
  | { kind: 'timerFired'; seq: number }
  /** Of activities and local activities: they are numbered together. */
  | { kind: 'activityResolved'; seq: number; outcome: Outcome }
  /** A local activity's next attempt is far away: wait with a timer, then schedule it again. */
  | { kind: 'localActivityBackoff'; seq: number; nextAttempt: number; backoffMs: number; originalScheduledTime: number }
  | { kind: 'childStarted'; seq: number; runId: string }
  | { kind: 'childStartFailed'; seq: number; cause: StartChildWorkflowExecutionFailedCause | undefined }
  /** The child was cancelled before it was started. */
  | { kind: 'childStartCancelled'; seq: number; failure: Failure }
  | { kind: 'childResolved'; seq: number; outcome: Outcome }
  | { kind: 'nexusStarted'; seq: number; token: string | undefined }
  | { kind: 'nexusResolved'; seq: number; outcome: Outcome }
  | { kind: 'externalSignalled'; seq: number; failure: Failure | undefined }
  | { kind: 'externalCancelRequested'; seq: number; failure: Failure | undefined };

export type WireActivityCancellation = 'TRY_CANCEL' | 'WAIT_CANCELLATION_COMPLETED' | 'ABANDON';
export type WireChildCancellation = WireActivityCancellation | 'WAIT_CANCELLATION_REQUESTED';

export interface LocalActivityIntent {
  kind: 'scheduleLocalActivity';
  seq: number;
  activityId: string;
  activityType: string;
  args: Payload[];
  header: Header | undefined;
  /** First attempt to run, 1-based: above 1 after a back-off by timer. */
  attempt: number;
  /** Epoch ms; set after a back-off by timer. */
  originalScheduledTime: number | undefined;
  scheduleToCloseTimeout: number | undefined;
  scheduleToStartTimeout: number | undefined;
  startToCloseTimeout: number | undefined;
  retryPolicy: RetryPolicy | undefined;
  /** ms */
  localRetryThreshold: number;
  cancellationType: WireActivityCancellation;
}

/** `site` holds the stack of the call that asked; annotations go onto the command. */
export interface Asked extends Annotations {
  site?: Error | undefined;
}

export type Intent = Asked &
  (
    | { kind: 'startTimer'; seq: number; ms: number }
    | { kind: 'cancelTimer'; seq: number }
    | {
        kind: 'scheduleActivity';
        seq: number;
        attributes: ScheduleActivityTaskCommandAttributes;
        cancellationType: WireActivityCancellation;
      }
    | { kind: 'cancelActivity'; seq: number }
    | LocalActivityIntent
    | { kind: 'cancelLocalActivity'; seq: number }
    | {
        kind: 'startChild';
        seq: number;
        attributes: StartChildWorkflowExecutionCommandAttributes;
        cancellationType: WireChildCancellation;
      }
    | { kind: 'cancelChild'; seq: number }
    | {
        kind: 'startNexus';
        seq: number;
        attributes: ScheduleNexusOperationCommandAttributes;
        cancellationType: WireChildCancellation;
      }
    | { kind: 'cancelNexus'; seq: number }
    | { kind: 'signalExternal'; seq: number; attributes: SignalExternalWorkflowExecutionCommandAttributes }
    | { kind: 'cancelSignalExternal'; seq: number }
    | { kind: 'cancelExternal'; seq: number; attributes: RequestCancelExternalWorkflowExecutionCommandAttributes }
    | { kind: 'patch'; id: string; deprecated: boolean }
    | { kind: 'upsertSearchAttributes'; indexedFields: Record<string, Payload> }
    /** All of one workflow task go out as one marker. */
    | { kind: 'publish'; key: string; value: Payload }
    | { kind: 'upsertMemo'; fields: Record<string, Payload> }
    | { kind: 'acceptUpdate'; id: string }
    | { kind: 'rejectUpdate'; id: string; failure: Failure }
    | { kind: 'completeUpdate'; id: string; outcome: UpdateOutcome }
    | { kind: 'complete'; result: Payload }
    | { kind: 'fail'; failure: Failure }
    | { kind: 'cancelled' }
    | { kind: 'continueAsNew'; attributes: ContinueAsNewWorkflowExecutionCommandAttributes }
  );

export type IntentKind = Intent['kind'];

/** One round of an execution: all jobs are applied before any continuation of the workflow's code runs. */
export interface Activation {
  /** Workflow time, epoch ms: when the workflow task started (or the local activity completed). */
  now: number;
  isReplaying: boolean;
  /** Id of the WorkflowTaskStarted event. */
  historyLength: number;
  /** Bytes. */
  historySize: number;
  continueAsNewSuggested: boolean;
  suggestReasons?: readonly SuggestContinueAsNewReason[] | undefined;
  targetVersionChanged?: boolean | undefined;
  /** Of the worker that completed the task, or works on it now. */
  buildId?: string | undefined;
  version?: WorkerDeploymentVersion | undefined;
  jobs: Job[];
}

/** A call of `log` or a sink, delivered by the main thread when the workflow task is answered. */
/** The sink that `log` writes to. */
export const LOGGER_SINK = '__temporal_logger';
/** The sink that metrics are recorded by. */
export const METRICS_SINK = '__temporal_metrics';

export interface SinkInvocation {
  iface: string;
  fn: string;
  args: unknown[];
  replaying: boolean;
  info?: unknown;
}
