// Record a marker: local activities, patches, side effects: the server only keeps it. Those of published state it also looks into.

import type { RecordMarkerCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { STATE_MARKER } from '../../../wire/markers.ts';
import { stateProblem } from '../published.ts';
import { bad, blobProblem, type CommandContext, type CommandProblem, idProblem } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_RECORD_MARKER_ATTRIBUTES;

export function recordMarker(
  context: CommandContext,
  attributes: RecordMarkerCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const { markerName, details, header, failure } = attributes;
  const problem =
    idProblem(context, CAUSE, 'MarkerName', markerName) ??
    blobProblem(context, CAUSE, 'RecordMarkerCommandAttributes.Details', details);
  if (problem !== undefined) return problem;
  const unpublishable = markerName === STATE_MARKER ? stateProblem(context.run.facts.state, details) : undefined;
  if (unpublishable !== undefined) return bad(CAUSE, unpublishable);
  const { workflowTaskCompletedEventId } = context;
  context.run.add(
    EventType.MARKER_RECORDED,
    { markerName, details, workflowTaskCompletedEventId, header, failure },
    annotations,
  );
  return undefined;
}
