// Upsert search attributes: bounded in number and size; visibility shows them with this turn.

import type { UpsertWorkflowSearchAttributesCommandAttributes } from '../../../wire/command.ts';
import type { Annotations, SearchAttributes } from '../../../wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { attributesTooLarge } from '../attribute-sizes.ts';
import { mergeAttributes, stampTypes } from '../fields.ts';
import { bad, type CommandContext, type CommandProblem, fatal } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_SEARCH_ATTRIBUTES;

/** What is wrong with the search attributes a run would have. */
export function searchAttributesProblem(
  { run }: CommandContext,
  all: SearchAttributes | undefined,
): CommandProblem | undefined {
  const problem = attributesTooLarge(all?.indexedFields ?? {}, run.turn.limits);
  return problem === undefined ? undefined : fatal(CAUSE, problem);
}

export function upsertSearchAttributes(
  context: CommandContext,
  attributes: UpsertWorkflowSearchAttributesCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const upserted = attributes.searchAttributes?.indexedFields;
  if (upserted === undefined || Object.keys(upserted).length === 0) {
    return bad(CAUSE, 'IndexedFields is not set or empty on command.');
  }
  const { run, workflowTaskCompletedEventId } = context;
  const merged = { indexedFields: mergeAttributes(run.facts.searchAttributes?.indexedFields, upserted) };
  const problem = searchAttributesProblem(context, merged);
  if (problem !== undefined) return problem;
  const searchAttributes = { indexedFields: stampTypes(upserted) };
  run.add(EventType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, { workflowTaskCompletedEventId, searchAttributes }, annotations);
  run.visible = true;
  return undefined;
}
