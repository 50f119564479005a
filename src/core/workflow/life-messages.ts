// What callers do to the life of a run besides ending it: delete, pause, unpause, change of options. Part of message.ts, which has the union.

import type { VersioningOverride } from '../../wire/common.ts';
import type { RunTarget } from './message.ts';

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

/** Sets or takes back what holds of a run instead of what its workflow says of versions. Answered by the options as they are then. */
export interface UpdateOptionsMessage {
  type: 'updateOptions';
  target: RunTarget;
  versioningOverride: VersioningOverride | 'unset' | undefined;
  identity: string;
}
