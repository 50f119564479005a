// Schedule a Nexus operation: checked, its endpoint looked up, its timeouts clamped to the run's, then offered to the endpoint's workers.

import type { ScheduleNexusOperationCommandAttributes } from '../../../wire/command.ts';
import type { Annotations } from '../../../wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../wire/enums.ts';
import { cut } from '../durations.ts';
import { offerOperation } from '../operations.ts';
import { bad, blobProblem, type CommandContext, type CommandProblem, idProblem } from './problem.ts';

const CAUSE = WorkflowTaskFailedCause.BAD_SCHEDULE_NEXUS_OPERATION_ATTRIBUTES;
const MAX_HEADER_BYTES = 8 * 1_024;
/** Said by the server. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['request-timeout', 'operation-timeout', 'temporal-callback-token']);

function problemOf(
  context: CommandContext,
  attributes: ScheduleNexusOperationCommandAttributes,
): CommandProblem | undefined {
  const { run } = context;
  const { endpoint, service, operation, nexusHeader = {} } = attributes;
  const names =
    idProblem(context, CAUSE, 'ScheduleNexusOperationCommandAttributes.Endpoint', endpoint) ??
    idProblem(context, CAUSE, 'ScheduleNexusOperationCommandAttributes.Service', service) ??
    idProblem(context, CAUSE, 'ScheduleNexusOperationCommandAttributes.Operation', operation);
  if (names !== undefined) return names;
  if (run.turn.context.endpoints?.byName(endpoint ?? '') === undefined) {
    return bad(CAUSE, `endpoint ${JSON.stringify(endpoint)} not found: register it, or wait a second if it is new.`);
  }
  const timeouts = {
    ScheduleToCloseTimeout: attributes.scheduleToCloseTimeout,
    ScheduleToStartTimeout: attributes.scheduleToStartTimeout,
    StartToCloseTimeout: attributes.startToCloseTimeout,
  };
  for (const [name, value] of Object.entries(timeouts)) {
    if (value !== undefined && !(value >= 0)) return bad(CAUSE, `Invalid ${name} of a Nexus operation: ${value} ms.`);
  }
  let headerBytes = 0;
  for (const [name, value] of Object.entries(nexusHeader)) {
    headerBytes += name.length + value.length;
    if (OWN_HEADERS.has(name.toLowerCase())) return bad(CAUSE, `Nexus header ${name} is the server's own.`);
  }
  if (headerBytes > MAX_HEADER_BYTES) return bad(CAUSE, `Nexus headers of more than ${MAX_HEADER_BYTES} bytes.`);
  const { pendingNexusOperations } = run.turn.limits;
  const pending = run.row.counts.operation ?? 0;
  if (pending >= pendingNexusOperations) {
    return bad(
      WorkflowTaskFailedCause.PENDING_NEXUS_OPERATIONS_LIMIT_EXCEEDED,
      `the number of pending Nexus operations, ${pending}, has reached the per-workflow limit of ${pendingNexusOperations}`,
    );
  }
  return blobProblem(context, CAUSE, 'ScheduleNexusOperationCommandAttributes.Input', attributes.input);
}

export function scheduleNexusOperation(
  context: CommandContext,
  attributes: ScheduleNexusOperationCommandAttributes,
  annotations: Annotations,
): CommandProblem | undefined {
  const problem = problemOf(context, attributes);
  if (problem !== undefined) return problem;
  const { run } = context;
  const { endpoint = '', service, operation, input, nexusHeader } = attributes;
  const within = run.start.attributes.workflowRunTimeout || Number.POSITIVE_INFINITY;
  const clamp = (ms: number | undefined, most: number): number => {
    const timeout = Math.min(ms ? cut(ms) : Number.POSITIVE_INFINITY, most);
    return timeout === Number.POSITIVE_INFINITY ? 0 : timeout;
  };
  const scheduleToClose = clamp(attributes.scheduleToCloseTimeout, within);
  const most = scheduleToClose || Number.POSITIVE_INFINITY;
  const id = run.add(
    EventType.NEXUS_OPERATION_SCHEDULED,
    {
      endpoint,
      endpointId: run.turn.context.endpoints?.byName(endpoint)?.id,
      service,
      operation,
      input,
      scheduleToCloseTimeout: scheduleToClose || undefined,
      scheduleToStartTimeout: attributes.scheduleToStartTimeout
        ? clamp(attributes.scheduleToStartTimeout, most)
        : undefined,
      startToCloseTimeout: attributes.startToCloseTimeout ? clamp(attributes.startToCloseTimeout, most) : undefined,
      nexusHeader: nexusHeader && lowerCase(nexusHeader),
      workflowTaskCompletedEventId: context.workflowTaskCompletedEventId,
      // Random by the run id that this turn has spare, and this operation's own by its event.
      requestId: `${run.turn.context.spareRunId}-${run.facts.nextEventId}`,
    },
    annotations,
  );
  const row = run.operations.get(id);
  if (row !== undefined) offerOperation(run, row, 'start');
  return undefined;
}

const lowerCase = (header: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(header).map(([name, value]) => [name.toLowerCase(), value]));
