// Histories: pages of events, waiting for new ones or for the last. A page's token names the run, so that a client that follows a workflow id stays
// with the run it began with; a worker's also its task, whose events may not be written yet (rule 6).

import { decode } from '../../../wire/codec.ts';
import { EventType } from '../../../wire/enums.ts';
import type { HistoryEvent } from '../../../wire/event.ts';
import type { DescribeWorkflowExecutionResponse } from '../../../wire/execution-info.ts';
import type {
  EventBatches,
  GetWorkflowExecutionHistoryResponse,
  GetWorkflowTaskHistoryResponse,
} from '../../../wire/history.ts';
import { invalid } from '../../validate/check.ts';
import { answering, reading } from '../altered-call.ts';
import { bytes, number, part, rpc, runNative, text } from '../rpc.ts';
import { asContinued, followsNextRun } from './close-event.ts';
import { firstPage, lastPage, MAX_PAGE, windowOf } from './history-pages.ts';

/** A wait ends with an empty answer after so long: clients ask again. */
const LONG_POLL_MS = 20_000;
const CLOSE_EVENT = 2;

export interface PageToken {
  runId: string;
  fromEventId: number;
  /** Of the worker that reads with it. */
  task?: Uint8Array | undefined;
}

export function encodePage({ runId, fromEventId, task }: PageToken): Uint8Array {
  const held = task === undefined ? undefined : Buffer.from(task).toString('base64');
  return Buffer.from(JSON.stringify({ run: runId, from: fromEventId, task: held }));
}

function decodePage(token: Uint8Array): PageToken | undefined {
  if (token.length === 0) return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token).toString('utf8'));
    if (typeof parsed === 'object' && parsed !== null && 'run' in parsed && 'from' in parsed) {
      const { run, from } = parsed;
      const task = 'task' in parsed && typeof parsed.task === 'string' ? Buffer.from(parsed.task, 'base64') : undefined;
      if (typeof run === 'string' && Number.isSafeInteger(from)) return { runId: run, fromEventId: Number(from), task };
    }
  } catch {
    // Said below.
  }
  throw invalid('Invalid NextPageToken.');
}

/** Timeouts that are none are said as such, as the reference server does: some of its clients read them without looking. */
function sayZero(event: HistoryEvent): void {
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_STARTED:
      event.attributes.firstWorkflowTaskBackoff ??= 0;
      if (event.attributes.continuedExecutionRunId) event.attributes.workflowRunTimeout ??= 0;
      return;
    case EventType.ACTIVITY_TASK_SCHEDULED: {
      const { attributes } = event;
      attributes.scheduleToCloseTimeout ??= 0;
      attributes.scheduleToStartTimeout ??= 0;
      attributes.startToCloseTimeout ??= 0;
      attributes.heartbeatTimeout ??= 0;
      return;
    }
    case EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED:
      event.attributes.workflowRunTimeout ??= 0;
      return;
    default:
      return;
  }
}

/** Batches as they are kept, as events. Clients expect each to have an id among all tasks of a server; none uses it for anything. */
export function eventsOf(batches: EventBatches): (HistoryEvent & { taskId?: number })[] {
  const events: (HistoryEvent & { taskId?: number })[] = [];
  // Written by the engine.
  for (const batch of batches) events.push(...(decode(batch) as HistoryEvent[]));
  for (const event of events) {
    event.taskId = event.eventId;
    sayZero(event);
  }
  return events;
}

export const GetWorkflowExecutionHistory = rpc(
  (services, caller, request, call) => {
    const token = decodePage(bytes(request, 'nextPageToken'));
    const { namespace } = request;
    const asked = number(request, 'maximumPageSize');
    const size = asked > 0 ? Math.min(asked, MAX_PAGE) : MAX_PAGE;
    if (token?.task !== undefined) {
      const { runId, fromEventId, task } = token;
      const body = { token: task, fromEventId };
      runNative(
        'getWorkflowTaskHistory',
        services,
        caller,
        body,
        answering(call, ({ nextEventId: next, events }: GetWorkflowTaskHistoryResponse) => {
          const nextPageToken = next === undefined ? undefined : encodePage({ runId, fromEventId: next, task });
          return { history: { events: eventsOf(events) }, nextPageToken };
        }),
      );
      return;
    }
    const { workflowId, runId } = part(request, 'execution');
    const waitNewEvent = request.waitNewEvent === true;
    const closeEventOnly = number(request, 'historyEventFilterType') === CLOSE_EVENT;
    const follows = followsNextRun((name) => call.header(name));
    const fromEventId = Math.max(1, token?.fromEventId ?? 1);
    if (token !== undefined && text(part(request, 'execution'), 'runId') !== '' && token.runId !== runId) {
      throw invalid('The page token is that of another run.');
    }
    const how = { fromEventId, waitNewEvent, closeEventOnly, withUnwritten: !waitNewEvent };
    const body = { namespace, workflowId, runId: token?.runId ?? runId, ...how };
    runNative(
      'getWorkflowExecutionHistory',
      services,
      caller,
      body,
      answering(call, (reply: GetWorkflowExecutionHistoryResponse) =>
        pageAnswer(reply, { fromEventId, size, waits: waitNewEvent, closeEventOnly, follows }),
      ),
    );
  },
  { defaultTimeoutMs: 60_000, softTimeoutMs: LONG_POLL_MS },
);

function pageAnswer(
  { runId, events: batches, nextEventId, closed }: GetWorkflowExecutionHistoryResponse,
  asked: { fromEventId: number; size: number; waits: boolean; closeEventOnly: boolean; follows: boolean },
): object {
  const { fromEventId, size, waits, closeEventOnly, follows } = asked;
  const all = eventsOf(batches);
  if (closeEventOnly) {
    const nextPageToken = waits && !closed ? encodePage({ runId, fromEventId }) : undefined;
    const closing = closed ? all.slice(-1) : [];
    return { history: { events: follows ? closing : closing.map(asContinued) }, nextPageToken };
  }
  const events = firstPage(
    all.filter(({ eventId }) => eventId >= fromEventId),
    size,
  );
  const last = events.at(-1)?.eventId ?? fromEventId - 1;
  const more = nextEventId !== undefined || last < (all.at(-1)?.eventId ?? 0) || (waits && !closed);
  return { history: { events }, nextPageToken: more ? encodePage({ runId, fromEventId: last + 1 }) : undefined };
}

/** Of one read backwards. */
const REVERSE_BYTES = 2 * 1024 * 1024;

/** Newest first. The engine reads forwards, so a page is found by its numbers: from where it may begin, and if that is too much to read, from nearer by. */
export const GetWorkflowExecutionHistoryReverse = rpc((services, caller, request, call) => {
  const token = decodePage(bytes(request, 'nextPageToken'));
  const { workflowId, runId } = part(request, 'execution');
  const namespace = text(request, 'namespace');
  const asked = number(request, 'maximumPageSize');
  const size = asked > 0 ? Math.min(asked, MAX_PAGE) : MAX_PAGE;
  const page = (run: unknown, upTo: number, fromEventId = Math.max(1, upTo - windowOf(size) + 1)): void => {
    const body = { namespace, workflowId, runId: run, fromEventId, maximumBytes: REVERSE_BYTES };
    const answered = reading(call, ({ runId: of, events: batches }: GetWorkflowExecutionHistoryResponse) => {
      const read = eventsOf(batches).filter(({ eventId }) => eventId >= fromEventId && eventId <= upTo);
      if ((read.at(-1)?.eventId ?? upTo) < upTo) {
        page(of, upTo, Math.ceil((fromEventId + upTo) / 2));
        return;
      }
      const events = lastPage(read, size);
      const first = events[0]?.eventId ?? 1;
      const nextPageToken = first > 1 ? encodePage({ runId: of, fromEventId: first - 1 }) : undefined;
      call.reply({ history: { events: events.reverse() }, nextPageToken });
    });
    runNative('getWorkflowExecutionHistory', services, caller, body, answered);
  };
  if (token !== undefined) {
    page(token.runId, token.fromEventId);
    return;
  }
  const described = reading(call, ({ workflowExecutionInfo: info }: DescribeWorkflowExecutionResponse) =>
    page(info.runId, info.historyLength),
  );
  runNative('describeWorkflowExecution', services, caller, { namespace, workflowId, runId }, described);
});
