// What callers do to the life of a run besides ending it: delete, pause, unpause. Part of message.ts, which has the union.

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
