// `tenuto workflow show`: the history, and with --follow the events as they are written.

import { rethrowWorkflowError } from '../../../sdk/client/errors.ts';
import { WorkflowContinuedAsNewError, WorkflowFailedError } from '../../../sdk/client/index.ts';
import { type Outcome, readClosingEvent } from '../../../sdk/client/workflow-result.ts';
import { historyToJSON } from '../../../sdk/common/history-json.ts';
import { decode } from '../../wire/codec.ts';
import { EventType, TimeoutType, WorkflowTaskFailedCause } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { Session } from '../connect.ts';
import { describeForPeople } from '../errors.ts';
import { UsageError } from '../exit-codes.ts';
import { nameOf, toJson } from '../output.ts';
import type { TargetFlags } from './options.ts';

/** One long poll of --follow, ms; it is repeated until the workflow has closed. */
const FOLLOW_POLL_MS = 60_000;
const CALL_TIMEOUT_MS = 30_000;

const EVENT_NAMES = new Map<number, string>(Object.entries(EventType).map(([name, number]) => [number, pascal(name)]));

const CLOSING: ReadonlySet<number> = new Set([
  EventType.WORKFLOW_EXECUTION_COMPLETED,
  EventType.WORKFLOW_EXECUTION_FAILED,
  EventType.WORKFLOW_EXECUTION_CANCELED,
  EventType.WORKFLOW_EXECUTION_TERMINATED,
  EventType.WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
]);

export interface ShowFlags extends TargetFlags {
  follow?: true;
  detailed?: true;
  reverse?: true;
}

export async function showHistory(session: Session, flags: ShowFlags): Promise<void> {
  if (flags.reverse === true) return showReverse(session, flags);
  const { output } = session;
  const events: HistoryEvent[] = [];
  const whole = output.format === 'json';
  if (output.format === 'none') return;
  let last: HistoryEvent | undefined;
  for await (const event of readEvents(session, flags)) {
    last = event;
    if (whole) events.push(event);
    else if (output.format === 'jsonl') output.line(toJson(historyToJSON([event]).events[0]));
    else printEvent(session, event, flags);
  }
  if (whole) output.line(toJson(historyToJSON(events), 2));
  else if (output.format === 'table' && last !== undefined && CLOSING.has(last.eventType))
    await showOutcome(session, flags.workflowId, last);
}

/** For people. */
export function printEvent(session: Session, event: HistoryEvent, { detailed }: { detailed?: true }): void {
  const { output } = session;
  output.line(line(session, event));
  if (detailed) output.line(indent(toJson(eventAttributes(event), 2)));
}

/** Newest first: a history is read from its beginning, and bounded in events and bytes. */
async function showReverse(session: Session, flags: ShowFlags): Promise<void> {
  if (flags.follow === true) throw new UsageError('--reverse cannot be combined with --follow');
  const { output } = session;
  const events: HistoryEvent[] = [];
  for await (const event of readEvents(session, flags)) events.push(event);
  events.reverse();
  if (output.format === 'json') output.line(toJson(historyToJSON(events), 2));
  else if (output.format === 'jsonl') for (const event of historyToJSON(events).events) output.line(toJson(event));
  else if (output.format === 'table') for (const event of events) printEvent(session, event, flags);
}

/** What came of a workflow that has closed. */
async function showOutcome({ output, client }: Session, workflowId: string, closing: HistoryEvent): Promise<void> {
  const { bold, green, red } = output.colors;
  let outcome: Outcome | undefined;
  try {
    outcome = await readClosingEvent(closing, 'stop', client.options.loadedDataConverter, { workflowId });
  } catch (error) {
    if (error instanceof WorkflowContinuedAsNewError) {
      output.line(`\n${bold('Continued')} in run ${error.newExecutionRunId}`);
    } else if (error instanceof WorkflowFailedError) {
      const [first, ...causes] = describeForPeople(error);
      output.line([`\n${bold(red(error.status ?? 'FAILED'))} ${first}`, ...causes].join('\n'));
    } else throw error;
  }
  if (outcome?.kind !== 'result') return;
  const { value } = outcome;
  output.line(`\n${bold(green('Result'))} ${value === undefined ? '(none)' : JSON.stringify(value, null, 2)}`);
}

export async function* readEvents(
  session: Session,
  flags: TargetFlags & { follow?: true },
): AsyncGenerator<HistoryEvent> {
  let next = 1;
  let runId = flags.runId;
  for (;;) {
    const { workflowId } = flags;
    const page = await session.connection
      .request(
        'getWorkflowExecutionHistory',
        { namespace: session.namespace, workflowId, runId, fromEventId: next, waitNewEvent: flags.follow === true },
        { timeoutMs: flags.follow ? FOLLOW_POLL_MS : CALL_TIMEOUT_MS },
      )
      .catch((error: unknown) =>
        rethrowWorkflowError(error, `Failed to fetch the history of workflow '${workflowId}'`, { workflowId, runId }),
      );
    runId = page.runId;
    for (const batch of page.events) {
      for (const event of decode(batch) as HistoryEvent[]) {
        if (event.eventId < next) continue;
        next = event.eventId + 1;
        yield event;
      }
    }
    if (page.nextEventId === undefined && (page.closed || !flags.follow)) return;
  }
}

function line({ output }: Session, event: HistoryEvent): string {
  const { colors } = output;
  const name = EVENT_NAMES.get(event.eventType) ?? String(event.eventType);
  const paint = /Failed|TimedOut|Terminated/.test(name)
    ? colors.red
    : /Completed|Fired/.test(name)
      ? colors.green
      : (text: string) => text;
  return `${String(event.eventId).padStart(5)}  ${colors.dim(new Date(event.eventTime).toISOString())}  ${paint(name)}${summary(event)}`;
}

/** What tells one event of a type from another: a name or an id. */
function summary(event: HistoryEvent): string {
  const { attributes } = event;
  const parts: string[] = [];
  if ('activityType' in attributes && attributes.activityType) parts.push(attributes.activityType.name);
  if ('workflowType' in attributes && attributes.workflowType) parts.push(attributes.workflowType.name);
  // Which child, or which other workflow: many may be of one type.
  const other = otherWorkflow(event);
  if (other !== undefined) parts.push(other);
  if ('signalName' in attributes) parts.push(attributes.signalName);
  if ('timerId' in attributes) parts.push(`timer ${attributes.timerId}`);
  if ('markerName' in attributes) parts.push(attributes.markerName);
  if (event.eventType === EventType.WORKFLOW_TASK_FAILED) {
    parts.push(nameOf(WorkflowTaskFailedCause, event.attributes.cause ?? WorkflowTaskFailedCause.UNSPECIFIED));
  }
  if ('timeoutType' in attributes && attributes.timeoutType) parts.push(nameOf(TimeoutType, attributes.timeoutType));
  if ('failure' in attributes) {
    for (let failure = attributes.failure; failure; failure = failure.cause) {
      if (failure.message) parts.push(failure.message);
    }
  }
  return parts.length > 0 ? `  ${parts.join('  ')}` : '';
}

/** Id of the child or other workflow that an event of this one is about. */
function otherWorkflow(event: HistoryEvent): string | undefined {
  switch (event.eventType) {
    case EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED:
    case EventType.START_CHILD_WORKFLOW_EXECUTION_FAILED:
      return event.attributes.workflowId;
    default:
      return 'workflowExecution' in event.attributes ? event.attributes.workflowExecution.workflowId : undefined;
  }
}

function eventAttributes(event: HistoryEvent): unknown {
  const [plain] = historyToJSON([event]).events as Record<string, unknown>[];
  const key = Object.keys(plain ?? {}).find((name) => name.endsWith('EventAttributes'));
  return key === undefined ? {} : plain?.[key];
}

const indent = (text: string): string => text.replace(/^/gm, '         ');

function pascal(name: string): string {
  return name.toLowerCase().replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}
