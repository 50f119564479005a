// Options of a workflow that goes on, as its handle changes them, to and from the wire's form with its mask.

import type { WorkflowExecutionOptions } from '../../src/wire/execution.ts';
import { compilePriority, decodePriority, type Priority } from '../common/priority.ts';
import {
  decodeVersioningOverride,
  encodeVersioningOverride,
  type VersioningOverride,
} from '../common/worker-deployments.ts';

/** What is left out stays as it is. */
export interface WorkflowOptionsUpdate {
  /**
   * As a whole; null: the default again. The workflow task that waits takes its new place at once; activities that wait keep theirs until their
   * next attempt; children and the next run have it unless they say otherwise.
   */
  priority?: Priority | null | undefined;
  /** Null: what the workflow says of itself. */
  versioningOverride?: VersioningOverride | null | undefined;
}

/** As they are then. */
export interface WorkflowOptionsUpdateResult {
  priority?: Priority | undefined;
  /** Undefined also for one that holds for a single task, which other clients can set. */
  versioningOverride?: VersioningOverride | undefined;
}

/** @throws TypeError or RangeError for a priority that is none, ValueError for an override that says nothing. */
export function executionOptionsToRaw({ priority, versioningOverride }: WorkflowOptionsUpdate): {
  workflowExecutionOptions: WorkflowExecutionOptions;
  updateMask: string[];
} {
  const workflowExecutionOptions: WorkflowExecutionOptions = {};
  const updateMask: string[] = [];
  if (priority !== undefined) {
    workflowExecutionOptions.priority = priority === null ? {} : compilePriority(priority);
    updateMask.push('priority');
  }
  if (versioningOverride !== undefined) {
    workflowExecutionOptions.versioningOverride = encodeVersioningOverride(versioningOverride ?? undefined);
    updateMask.push('versioningOverride');
  }
  return { workflowExecutionOptions, updateMask };
}

export const executionOptionsFromRaw = ({
  priority,
  versioningOverride,
}: WorkflowExecutionOptions): WorkflowOptionsUpdateResult => ({
  priority: priority === undefined ? undefined : decodePriority(priority),
  versioningOverride: decodeVersioningOverride(versioningOverride),
});
