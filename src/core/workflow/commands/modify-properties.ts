// Upsert memo fields.

import type { ModifyWorkflowPropertiesCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { mergeFields } from '../fields.ts';
import { bad, blobProblem, type CommandContext, type CommandProblem } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES;

export function modifyProperties(
  context: CommandContext,
  attributes: ModifyWorkflowPropertiesCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const upsertedMemo = attributes.upsertedMemo;
  if (upsertedMemo === undefined) return bad(CAUSE, 'UpsertedMemo is not set on command.');
  const { run, workflowTaskCompletedEventId } = context;
  const merged = { fields: mergeFields(run.facts.memo?.fields, upsertedMemo.fields) };
  const problem = blobProblem(context, CAUSE, 'ModifyWorkflowPropertiesCommandAttributes.UpsertedMemo', merged);
  if (problem !== undefined) return problem;
  run.add(EventType.WORKFLOW_PROPERTIES_MODIFIED, { workflowTaskCompletedEventId, upsertedMemo }, annotations);
  run.visible = true;
  return undefined;
}
