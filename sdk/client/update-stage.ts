// How far an update is waited for, by Temporal's names.

import { UpdateWorkflowExecutionLifecycleStage as Stage } from '../../src/wire/enums.ts';
import { ValueError } from '../common/errors.ts';

/** How far an update has come. */
export const WorkflowUpdateStage = {
  /** The server has it. Not to be waited for: nothing of it is recorded yet. */
  ADMITTED: 'ADMITTED',
  /** Its validator let it pass; it is in the history. */
  ACCEPTED: 'ACCEPTED',
  /** It has an outcome. */
  COMPLETED: 'COMPLETED',
  /** @deprecated Use `undefined`. */
  UNSPECIFIED: undefined,
} as const;
export type WorkflowUpdateStage = (typeof WorkflowUpdateStage)[keyof typeof WorkflowUpdateStage];

const STAGES: ReadonlyMap<WorkflowUpdateStage, Stage> = new Map([
  [WorkflowUpdateStage.ADMITTED, Stage.ADMITTED],
  [WorkflowUpdateStage.ACCEPTED, Stage.ACCEPTED],
  [WorkflowUpdateStage.COMPLETED, Stage.COMPLETED],
]);

/** @throws ValueError for what is no stage. */
export function encodeWorkflowUpdateStage(stage: WorkflowUpdateStage): Stage {
  const encoded = STAGES.get(stage);
  if (encoded === undefined) {
    throw new ValueError(
      `Invalid enum value: expected a WorkflowUpdateStage (${[...STAGES.keys()].join(', ')}), got ${String(stage)}`,
    );
  }
  return encoded;
}
