// Options of a run that clients change while it goes on: what holds of it instead of what its workflow says of versions, and its priority. An event says
// what they are then, all of them. Used by messages/update-options.ts, and by post-reset.ts for a run that a reset has begun.

import { encode } from '../../wire/codec.ts';
import type { Priority } from '../../wire/common.ts';
import { EventType } from '../../wire/enums.ts';
import type { WorkflowExecutionOptions } from '../../wire/execution.ts';
import type { ExecutionOptionsChange } from './life-messages.ts';
import { runPriority } from './offers.ts';
import type { RunFacts, StartRow } from './rows.ts';
import type { RunDraft } from './run-draft.ts';

/** What holds of a run once that is asked of it. */
export function optionsAfter(
  run: { facts: RunFacts; start: StartRow },
  change: ExecutionOptionsChange,
): { isNew: boolean; options: WorkflowExecutionOptions } {
  const before: WorkflowExecutionOptions = {
    versioningOverride: run.facts.versioning?.override,
    priority: runPriority(run),
  };
  const options: WorkflowExecutionOptions = {
    versioningOverride: after(before.versioningOverride, change.versioningOverride),
    priority: mergedPriority(before.priority, change.priority),
  };
  const isNew =
    !isSame(before.versioningOverride, options.versioningOverride) || !isSame(before.priority, options.priority);
  return { isNew, options };
}

const after = <T>(before: T | undefined, asked: T | 'unset' | undefined): T | undefined =>
  asked === undefined ? before : asked === 'unset' ? undefined : asked;

function mergedPriority(before: Priority | undefined, asked: Priority | 'unset' | undefined): Priority | undefined {
  if (asked === undefined) return before && written(before);
  return asked === 'unset' ? undefined : written({ ...before, ...asked });
}

/** Without what says nothing: zeros and empty keys. */
function written({ priorityKey, fairnessKey, fairnessWeight }: Priority): Priority {
  const priority: Priority = {};
  if (priorityKey) priority.priorityKey = priorityKey;
  if (fairnessKey) priority.fairnessKey = fairnessKey;
  if (fairnessWeight) priority.fairnessWeight = fairnessWeight;
  return priority;
}

/** One that is absent takes back the override before it, and says nothing of the priority. */
export function writeOptions(
  run: RunDraft,
  { versioningOverride, priority }: WorkflowExecutionOptions,
  identity: string,
): void {
  const override = versioningOverride === undefined ? { unsetVersioningOverride: true } : { versioningOverride };
  const how = priority === undefined ? {} : { priority };
  run.record(EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED, { ...override, identity, ...how });
}

export function isSame(a: object | undefined, b: object | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return a === b;
  const [one, other] = [encode(a), encode(b)];
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
