// `tenuto workflow show`: the history, and with --follow the events as they are written.

import { rethrowWorkflowError } from '../../../sdk/client/errors.ts';
import { decodeMessage } from '../../../sdk/common/codec.ts';
import { historyToJSON } from '../../../sdk/common/history-json.ts';
import { decode } from '../../wire/codec.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { Session } from '../connect.ts';
import { UsageError } from '../exit-codes.ts';
import { toJson } from '../output.ts';
import { eventDetails, eventName, eventSummary } from './event-text.ts';
import type { TargetFlags } from './options.ts';
import { isClosing, outcomeOf, printOutcome } from './outcome.ts';

/** One long poll of --follow, ms; it is repeated until the workflow has closed. */
const FOLLOW_POLL_MS = 60_000;
const CALL_TIMEOUT_MS = 30_000;

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
    else if (output.format === 'jsonl') output.line(toJson(historyToJSON([await decoded(session, event)]).events[0]));
    else await printEvent(session, event, flags);
  }
  if (whole) output.line(toJson(historyToJSON(await decoded(session, events)), 2));
  else if (output.format === 'table' && last !== undefined && isClosing(last))
    printOutcome(session, await outcomeOf(session, flags.workflowId, last));
}

/** For people. */
export async function printEvent(
  session: Session,
  raw: HistoryEvent,
  { detailed }: { detailed?: true },
): Promise<void> {
  const { output } = session;
  const event = await decoded(session, raw);
  output.line(line(session, event));
  if (detailed) output.line(indent(toJson(eventDetails(event), 2)));
}

/** As the codec server of the command reads it, if it has one. */
const decoded = <T extends HistoryEvent | HistoryEvent[]>({ client }: Session, events: T): T | Promise<T> =>
  decodeMessage(client.options.loadedDataConverter.payloadCodecs, events);

/** Newest first: a history is read from its beginning, and bounded in events and bytes. */
async function showReverse(session: Session, flags: ShowFlags): Promise<void> {
  if (flags.follow === true) throw new UsageError('--reverse cannot be combined with --follow');
  const { output } = session;
  const events: HistoryEvent[] = [];
  for await (const event of readEvents(session, flags)) events.push(event);
  events.reverse();
  if (output.format === 'table') for (const event of events) await printEvent(session, event, flags);
  else if (output.format !== 'none') {
    const history = historyToJSON(await decoded(session, events));
    if (output.format === 'json') output.line(toJson(history, 2));
    else for (const event of history.events) output.line(toJson(event));
  }
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
  const name = eventName(event);
  const paint = /Failed|TimedOut|Terminated/.test(name)
    ? colors.red
    : /Completed|Fired/.test(name)
      ? colors.green
      : (text: string) => text;
  const time = colors.dim(new Date(event.eventTime).toISOString());
  return `${String(event.eventId).padStart(5)}  ${time}  ${[paint(name), ...eventSummary(event)].join('  ')}`;
}

const indent = (text: string): string => text.replace(/^/gm, '         ');
