// Bugs planted around the Temporal-compatible door's methods, and around the core where that door's lives have to find them.

import { answering } from '../../../src/frontend/grpc/altered-call.ts';
import { type Message, number, part, type Rpc } from '../../../src/frontend/grpc/rpc.ts';
import { EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { Plant } from '../node.ts';

/** The method, with what it answers changed on the way. */
const answersOtherwise = (
  method: string,
  change: (response: Message, request: Message) => Message,
): Pick<Plant, 'rpc'> => ({
  rpc: (name, inner) => (name === method ? otherwise(inner, change) : inner),
});

const otherwise = (inner: Rpc, change: (response: Message, request: Message) => Message): Rpc => ({
  ...inner,
  run(services, caller, request, call) {
    inner.run(
      services,
      caller,
      request,
      answering(call, (response: Message) => change(response, request)),
    );
  },
});

export const DOOR_BUGS = {
  /** A worker is not told that its task left no trace. */
  'reset-point-untold': answersOtherwise(
    'RespondWorkflowTaskCompleted',
    ({ resetHistoryEventId: _untold, ...response }) => response,
  ),
  /** A page that begins with the start of a task comes empty, as if that were not there yet. */
  'last-page-empty': answersOtherwise('GetWorkflowExecutionHistory', (response, request) => {
    const events = (part(response, 'history').events ?? []) as HistoryEvent[];
    const isLast = request.waitNewEvent !== true && response.nextPageToken === undefined;
    const isStart = events.length === 1 && events[0]?.eventType === EventType.WORKFLOW_TASK_STARTED;
    return isLast && isStart ? { ...response, history: { events: [] } } : response;
  }),
  /** A query does not wait for the workflow task that is under way. */
  'query-overtakes-task': {
    core: (inner) => ({
      ...inner,
      decide: (state, message, context) => {
        const { run } = state;
        if (message.type !== 'query' || run?.row.task === undefined) return inner.decide(state, message, context);
        const idle = { ...state, run: { ...run, row: { ...run.row, task: undefined } } };
        return inner.decide(idle, message, context);
      },
    }),
  },
  /** Who asks what became of an update is told something else than who sent it. */
  'outcome-told-otherwise': answersOtherwise('PollWorkflowExecutionUpdate', (response) =>
    response.outcome === undefined || number(response, 'stage') === 0
      ? response
      : { ...response, outcome: { success: {} } },
  ),
} as const satisfies Record<string, Plant>;

/** What the watch says that has to find it, and a seed not far before one that does. */
export const FOUND_BY: { readonly [B in keyof typeof DOOR_BUGS]: { says: RegExp; from: number } } = {
  'reset-point-untold': { says: /^I1: the completion of workflow task \d+ of run .* is not durable/, from: 9 },
  'last-page-empty': { says: /^(I1: a history of run .* ends at|door: the task of event \d+ of)/, from: 21 },
  'query-overtakes-task': { says: /^query: .* was acknowledged before it was asked/, from: 18 },
  'outcome-told-otherwise': { says: /^I5: update .* came to .*, and now is said to have come to/, from: 9 },
};
