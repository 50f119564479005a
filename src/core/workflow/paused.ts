// A paused workflow: nothing of it begins, neither a workflow task nor an attempt of an activity, until it is unpaused. What happens meanwhile is
// recorded. Whatever offers, withdraws or starts a task asks here (one that closes in a pause has nothing on offer either); messages/pause-workflow.ts and unpause-workflow.ts take tasks back and offer them again.

import type { ActivityRow, RunRow } from './rows.ts';

export const isPaused = ({ row }: { row: RunRow }): boolean => row.facts.pause !== undefined;

/** Types of activities that are paused, each once, sorted. One without a workflow is so only once its attempt has ended. */
export function pausedTypesOf(activities: Iterable<ActivityRow>, ofWorkflow: boolean): string[] {
  const types = new Set<string>();
  for (const { facts, pause, startId } of activities) {
    if (pause !== undefined && (ofWorkflow || startId === undefined)) types.add(facts.activityType);
  }
  return [...types].sort();
}
