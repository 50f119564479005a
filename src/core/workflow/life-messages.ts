// What callers do to the life of a run besides ending it: reset, delete, pause, unpause, change of options. Part of message.ts, which has the union.

import type { Header, Link, Payloads, Priority, VersioningOverride } from '../../wire/common.ts';
import type { ResetReapplyExcludeType } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { RunTarget } from './message.ts';

/**
 * A run is done again from one of its workflow tasks on, as a new run with the events before it. Doors leave `history` out: the shard reads it,
 * since events are in no row of the actor.
 */
export interface ResetMessage {
  type: 'reset';
  target: RunTarget;
  /** Fresh: the id of the run this reset would create. Empty: the actor makes one. */
  runId: string;
  requestId: string;
  reason: string;
  identity: string;
  /** The end of the workflow task that is done again; the events before it stay. */
  workflowTaskFinishEventId: number;
  /** Instead of that event: the end of the first or last workflow task that has completed; before there was one, that of the first. */
  point?: 'firstWorkflowTask' | 'lastWorkflowTask' | undefined;
  exclude: readonly ResetReapplyExcludeType[];
  /** Done to the new run in the same turn, one after the other, when everything else has come to it. */
  afterwards?: readonly PostResetOperation[] | undefined;
  history?: ResetHistory | undefined;
}

export type PostResetOperation =
  | {
      type: 'signal';
      signalName: string;
      input?: Payloads | undefined;
      header?: Header | undefined;
      links?: readonly Link[] | undefined;
    }
  | ({ type: 'updateOptions' } & ExecutionOptionsChange);

/** What of a run's options a client changes; what is absent stays as it is. */
export interface ExecutionOptionsChange {
  versioningOverride?: VersioningOverride | 'unset' | undefined;
  /** Fields that are there are set. `unset`: said to have none, which the run hears of and keeps what it has (as on the reference server). */
  priority?: Priority | 'unset' | undefined;
}

/** What a reset reads: the whole history of its run, and then the histories of the runs that continued it as new. */
export interface ResetHistory {
  base: readonly HistoryEvent[];
  later: readonly { runId: string; events: readonly HistoryEvent[] }[];
}

/**
 * A run goes at a caller's wish, not when its retention is over: an open one is terminated first. From this turn on nobody finds it; the shard deletes
 * its events afterwards.
 */
export interface DeleteExecutionMessage {
  type: 'deleteExecution';
  target: RunTarget;
  identity: string;
  /** Epoch ms: a run that began later is not meant. */
  beganBy?: number | undefined;
}

/** Nothing of the run begins any more, until it is unpaused; tasks that a worker has may end. */
export interface PauseWorkflowMessage {
  type: 'pauseWorkflow';
  target: RunTarget;
  identity: string;
  reason: string;
  requestId: string;
}

export interface UnpauseWorkflowMessage extends Omit<PauseWorkflowMessage, 'type'> {
  type: 'unpauseWorkflow';
}

/** Sets or takes back what holds of a run instead of what its workflow says of versions, or its priority. Answered by the options as they are then. */
export interface UpdateOptionsMessage extends ExecutionOptionsChange {
  type: 'updateOptions';
  target: RunTarget;
  identity: string;
}
