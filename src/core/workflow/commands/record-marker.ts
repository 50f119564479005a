// Record a marker: local activities, patches, side effects. The server only keeps it.

import type { RecordMarkerCommandAttributes } from '../../../wire/command.ts';
import type { UserMetadata } from '../../../wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { bad, blobProblem, type CommandContext, type CommandProblem, idProblem } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_RECORD_MARKER_ATTRIBUTES;

export function recordMarker(
  context: CommandContext,
  attributes: RecordMarkerCommandAttributes | undefined,
  userMetadata: UserMetadata | undefined,
): CommandProblem | undefined {
  if (!attributes) return bad(CAUSE, 'RecordMarkerCommandAttributes is not set on command.');
  const { markerName, details, header, failure } = attributes;
  const problem =
    idProblem(context, CAUSE, 'MarkerName', markerName) ??
    blobProblem(context, CAUSE, 'RecordMarkerCommandAttributes.Details', details);
  if (problem !== undefined) return problem;
  const { workflowTaskCompletedEventId } = context;
  context.run.add(
    EventType.MARKER_RECORDED,
    { markerName, details, workflowTaskCompletedEventId, header, failure },
    userMetadata,
  );
  return undefined;
}
