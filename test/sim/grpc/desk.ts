// The workflow of the door's own workers, as a pure function of its history: what it has seen, and the commands and messages that come next. A worker that
// gives it another history than the durable one answers with what never was, and the checkers see it.

import { CommandType, EventType, ParentClosePolicy } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { MessageType, type ProtocolMessage, type RequestMessage } from '../../../src/wire/protocol-message.ts';
import { NAMESPACE, TASK_QUEUE } from '../names.ts';
import { textOf } from '../relations.ts';
import { payloads, valueIn } from './payloads.ts';
import type { DeskInput, DeskStep } from './plan.ts';

export const DESK_QUEUE = 'desks';

/** Of what comes later, by the id it has for the desk: asked for, and how it came back. */
type Outcome = 'open' | 'well' | 'badly';

interface Seen {
  readonly input: DeskInput;
  readonly signals: string[];
  /** Accepted, in order, and which of them are completed. */
  readonly accepted: string[];
  readonly completed: Set<string>;
  readonly activities: Map<string, { eventId: number; outcome: Outcome; cancelAsked: boolean }>;
  readonly timers: Map<string, Outcome>;
  readonly children: Map<string, Outcome>;
  /** By the signal's text: how the last attempt went, and how many there were. */
  readonly told: Map<string, { outcome: Outcome; attempts: number }>;
  readonly cancelled: boolean;
}

export interface Answer {
  commands: object[];
  messages: ProtocolMessage[];
  /** Updates that this answer accepts. */
  accepts: string[];
}

export function seenIn(events: readonly HistoryEvent[]): Seen {
  const [first] = events;
  if (first?.eventType !== EventType.WORKFLOW_EXECUTION_STARTED) throw new Error('a history without its beginning');
  const seen = {
    input: valueIn(first.attributes.input) as DeskInput, // the plan's
    ...{ signals: [] as string[], accepted: [] as string[], completed: new Set<string>() },
    activities: new Map<string, { eventId: number; outcome: Outcome; cancelAsked: boolean }>(),
    ...{ timers: new Map<string, Outcome>(), children: new Map<string, Outcome>() },
    told: new Map<string, { outcome: Outcome; attempts: number }>(),
    cancelled: false,
  };
  for (const event of events) see(seen, event, events);
  return seen;
}

function see(seen: Seen & { cancelled: boolean }, event: HistoryEvent, events: readonly HistoryEvent[]): void {
  const ended = (scheduledEventId: number, outcome: Outcome): void => {
    for (const activity of seen.activities.values())
      if (activity.eventId === scheduledEventId) activity.outcome = outcome;
  };
  const answered = (initiatedEventId: number, outcome: Outcome): void => {
    const asked = events.find(({ eventId }) => eventId === initiatedEventId);
    if (asked?.eventType !== EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED) return;
    const told = seen.told.get(textOf(asked.attributes.input));
    if (told !== undefined) told.outcome = outcome;
  };
  switch (event.eventType) {
    case EventType.WORKFLOW_EXECUTION_SIGNALED:
      seen.signals.push(String(valueIn(event.attributes.input)));
      return;
    case EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
      seen.accepted.push(event.attributes.protocolInstanceId ?? '');
      return;
    case EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED:
      seen.completed.add(event.attributes.meta?.updateId ?? '');
      return;
    case EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      seen.cancelled = true;
      return;
    case EventType.ACTIVITY_TASK_SCHEDULED:
      seen.activities.set(event.attributes.activityId, {
        ...{ eventId: event.eventId, outcome: 'open', cancelAsked: false },
      });
      return;
    case EventType.ACTIVITY_TASK_CANCEL_REQUESTED:
      for (const activity of seen.activities.values())
        if (activity.eventId === event.attributes.scheduledEventId) activity.cancelAsked = true;
      return;
    case EventType.ACTIVITY_TASK_COMPLETED:
      ended(event.attributes.scheduledEventId, 'well');
      return;
    case EventType.ACTIVITY_TASK_CANCELED:
    case EventType.ACTIVITY_TASK_FAILED:
    case EventType.ACTIVITY_TASK_TIMED_OUT:
      ended(event.attributes.scheduledEventId ?? 0, 'badly');
      return;
    case EventType.TIMER_STARTED:
      seen.timers.set(event.attributes.timerId, 'open');
      return;
    case EventType.TIMER_FIRED:
      seen.timers.set(event.attributes.timerId ?? '', 'well');
      return;
    case EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED:
      seen.children.set(event.attributes.workflowId ?? '', 'open');
      return;
    case EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED:
      seen.children.set(event.attributes.workflowExecution?.workflowId ?? '', 'well');
      return;
    case EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: {
      const text = textOf(event.attributes.input);
      seen.told.set(text, { outcome: 'open', attempts: (seen.told.get(text)?.attempts ?? 0) + 1 });
      return;
    }
    case EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
      answered(event.attributes.initiatedEventId, 'well');
      return;
    case EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      answered(event.attributes.initiatedEventId, 'badly');
      return;
    default:
  }
}

/** What a query is answered: all it has taken, of earlier runs too. `more`: what an answer accepted that is not in these events yet. */
export function queried(events: readonly HistoryEvent[], more: readonly string[]): string[] {
  const { input, signals, accepted } = seenIn(events);
  return [...input.carried.signals, ...signals, ...new Set([...accepted, ...more])];
}

const command = (commandType: number, attributes: object): object => ({ commandType, attributes });

/** What a desk that has seen this answers its task with. `eager`: its worker takes activities with the answer. */
export function decide(events: readonly HistoryEvent[], requests: readonly RequestMessage[], eager: boolean): Answer {
  const seen = seenIn(events);
  const answer: Answer = { commands: [], messages: [], accepts: [] };
  takeUpdates(seen, requests, answer, eager);
  if (seen.cancelled) {
    stop(seen, answer);
    return answer;
  }
  const done = steps(seen, answer, eager);
  end(seen, answer, done, requests.length > 0);
  return answer;
}

const later = (id: string): 'activity' | 'timer' | 'at once' =>
  id.endsWith('1') ? 'activity' : id.endsWith('0') ? 'timer' : 'at once';

function takeUpdates(seen: Seen, requests: readonly RequestMessage[], answer: Answer, eager: boolean): void {
  for (const request of requests) {
    const { protocolInstanceId: id, eventId, body } = request;
    if (body.type !== MessageType.REQUEST) throw new Error(`a worker was sent a message of type ${body.type}`);
    if (id.startsWith('bad')) {
      const failure = { message: `${id} is bad`, applicationFailureInfo: { type: 'Bad' } };
      const value = { rejectedRequestMessageId: request.id, rejectedRequestSequencingEventId: eventId, failure };
      answer.messages.push({
        ...{ id: `${id}/reject`, protocolInstanceId: id },
        body: { type: MessageType.REJECTION, value: { ...value, rejectedRequest: body.value } },
      });
      continue;
    }
    // Told again of what it has accepted: the server must not.
    if (seen.accepted.includes(id)) throw new Error(`update ${id} came again, and is accepted in the history`);
    const value = { acceptedRequestMessageId: request.id, acceptedRequestSequencingEventId: eventId };
    say(answer, {
      ...{ id: `${id}/accept`, protocolInstanceId: id },
      body: { type: MessageType.ACCEPTANCE, value: { ...value, acceptedRequest: body.value } },
    });
    answer.accepts.push(id);
  }
  for (const id of [...seen.accepted, ...answer.accepts]) if (!seen.completed.has(id)) workOn(seen, id, answer, eager);
}

/** An update that is accepted: what it waits for is asked for, or it completes. */
function workOn(seen: Seen, id: string, answer: Answer, eager: boolean): void {
  switch (later(id)) {
    case 'activity': {
      const activity = seen.activities.get(id);
      if (activity === undefined) answer.commands.push(activityCommand(id, 'call', [id], eager));
      if (activity?.outcome !== 'well') return;
      break;
    }
    case 'timer': {
      const timer = seen.timers.get(id);
      if (timer === undefined) answer.commands.push(timerCommand(id, 100));
      if (timer !== 'well') return;
      break;
    }
    case 'at once':
  }
  const outcome = { success: payloads(id) };
  say(answer, {
    ...{ id: `${id}/complete`, protocolInstanceId: id },
    body: { type: MessageType.RESPONSE, value: { meta: { updateId: id }, outcome } },
  });
  seen.completed.add(id);
}

function say(answer: Answer, message: ProtocolMessage): void {
  answer.messages.push(message);
  answer.commands.push(command(CommandType.PROTOCOL_MESSAGE, { messageId: message.id }));
}

function stop(seen: Seen, answer: Answer): void {
  let open = 0;
  for (const { eventId, outcome, cancelAsked } of seen.activities.values()) {
    if (outcome !== 'open') continue;
    open += 1;
    if (!cancelAsked)
      answer.commands.push(command(CommandType.REQUEST_CANCEL_ACTIVITY_TASK, { scheduledEventId: eventId }));
  }
  if (open === 0) answer.commands.push(command(CommandType.CANCEL_WORKFLOW_EXECUTION, {}));
}

const activityCommand = (id: string, type: string, args: unknown[], eager: boolean): object =>
  command(CommandType.SCHEDULE_ACTIVITY_TASK, {
    ...{ activityId: id, activityType: { name: type }, taskQueue: { name: TASK_QUEUE }, input: payloads(...args) },
    startToCloseTimeout: type === 'work' ? 60_000 : 3_000,
    heartbeatTimeout: type === 'work' ? 800 : undefined,
    retryPolicy: { initialInterval: 50, backoffCoefficient: 1.5, maximumInterval: 500 },
    requestEagerExecution: eager || undefined,
  });

const timerCommand = (timerId: string, ms: number): object =>
  command(CommandType.START_TIMER, { timerId, startToFireTimeout: ms });

/** Asks for the next step; how many are done. */
function steps(seen: Seen, answer: Answer, eager: boolean): number {
  const { input } = seen;
  let done = input.carried.steps;
  for (const step of input.steps.slice(done)) {
    if (!begin(seen, step, answer, eager)) break;
    done += 1;
  }
  return done;
}

/** Whether it is done; asked for, if that has not been. */
function begin(seen: Seen, step: DeskStep, answer: Answer, eager: boolean): boolean {
  const { commands } = answer;
  switch (step.do) {
    case 'activity':
    case 'work': {
      const activity = seen.activities.get(step.key);
      const args = step.do === 'work' ? [step.key, step.units] : [step.key];
      if (activity === undefined)
        commands.push(activityCommand(step.key, step.do === 'work' ? 'work' : 'call', args, eager));
      return activity?.outcome === 'well';
    }
    case 'timer':
      if (!seen.timers.has(step.id)) commands.push(timerCommand(step.id, step.ms));
      return seen.timers.get(step.id) === 'well';
    case 'child': {
      const { workflowId } = step;
      if (!seen.children.has(workflowId))
        commands.push(
          command(CommandType.START_CHILD_WORKFLOW_EXECUTION, {
            ...{
              namespace: NAMESPACE,
              workflowId,
              workflowType: { name: 'pipeline' },
              taskQueue: { name: TASK_QUEUE },
            },
            ...{ input: payloads(step.steps), parentClosePolicy: ParentClosePolicy.ABANDON },
          }),
        );
      return seen.children.get(workflowId) === 'well';
    }
    case 'tell':
      return tell(seen, step, answer);
  }
}

/** Where nobody is yet to be told, a while passes before it is tried again. */
function tell(seen: Seen, { workflowId, id }: Extract<DeskStep, { do: 'tell' }>, { commands }: Answer): boolean {
  const { outcome, attempts } = seen.told.get(JSON.stringify(id)) ?? { outcome: 'badly', attempts: 0 };
  if (outcome !== 'badly') return outcome === 'well';
  const timer = `${id}-${attempts}`;
  if (attempts > 0 && seen.timers.get(timer) !== 'well') {
    if (!seen.timers.has(timer)) commands.push(timerCommand(timer, 300));
    return false;
  }
  commands.push(
    command(CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, {
      ...{ namespace: NAMESPACE, execution: { workflowId }, signalName: 'add', input: payloads(id) },
    }),
  );
  return false;
}

/** Closes when all is done, or goes on in another run when this one has taken its share and nothing is under way. */
function end(seen: Seen, { commands, accepts }: Answer, done: number, hasRequests: boolean): void {
  const { input } = seen;
  const signals = [...input.carried.signals, ...seen.signals];
  const updates = [...seen.accepted, ...accepts];
  const idle = updates.every((id) => seen.completed.has(id));
  if (!idle) return;
  if (done === input.steps.length && signals.length >= input.signals && updates.length >= input.updates) {
    commands.push(command(CommandType.COMPLETE_WORKFLOW_EXECUTION, { result: payloads({ signals, updates }) }));
    return;
  }
  const isOver = seen.signals.length >= input.perRun && !hasRequests && commands.length === 0;
  if (!isOver || stepUnderWay(seen, input.steps[done])) return;
  const next: DeskInput = { ...input, carried: { steps: done, signals } };
  commands.push(
    command(CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION, {
      ...{ workflowType: { name: 'desk' }, taskQueue: { name: DESK_QUEUE }, input: payloads(next) },
      workflowTaskTimeout: TASK_TIMEOUT_MS,
    }),
  );
}

/** ms a worker has for a task: one that forgets it is not waited for longer. */
export const TASK_TIMEOUT_MS = 2_000;

const stepUnderWay = (seen: Seen, step: DeskStep | undefined): boolean =>
  step !== undefined &&
  (('key' in step && seen.activities.has(step.key)) ||
    (step.do === 'timer' && seen.timers.has(step.id)) ||
    (step.do === 'child' && seen.children.has(step.workflowId)) ||
    (step.do === 'tell' && seen.told.has(JSON.stringify(step.id))));
