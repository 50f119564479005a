// Workflows of the cluster's simulation, as what a worker would answer to a history: pure, so that any worker at any node gives the same answer. What each
// comes to, a checker can tell without having run it.

import { jsonPayloads } from '../../../src/core/workflow/fields.ts';
import type { Command } from '../../../src/wire/command.ts';
import type { Payloads } from '../../../src/wire/common.ts';
import { CommandType, EventType, ParentClosePolicy } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';

export const TASK_QUEUE = 'work';
export const SIGNAL = 'add';
/** The activity that tells how far it is (heartbeats.ts). */
export const CLIMBS = 'climb';

export type WorkflowType = 'steps' | 'timer' | 'collector' | 'relay' | 'parent' | 'courier' | 'patient' | 'ledger';
/** Of what operators start: the ends of these are the watches' matter. */
export type OperatedType =
  | 'errand'
  | 'diary'
  | 'cancellable'
  | 'patient'
  | 'scribe'
  | 'leaver'
  | 'canceller'
  | 'climber';

/** What a run is started with; which fields count is its type's matter. */
export interface WorkflowInput {
  /** Steps to take, signals or updates to wait for, runs still to come. */
  readonly count: number;
  readonly ms?: number;
  readonly ends?: 'well' | 'badly';
  /** Children to start, or whom to signal. */
  readonly others?: readonly string[];
  readonly letters?: readonly string[];
}

export const jsonOf = (payloads: Payloads | undefined): unknown => {
  const data = payloads?.payloads?.[0]?.data;
  return data === undefined ? undefined : JSON.parse(Buffer.from(data).toString());
};

/** Signals that a history shows, in order. */
export function signalsOf(events: readonly HistoryEvent[]): string[] {
  return events.flatMap((event) =>
    event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ? [String(jsonOf(event.attributes.input))] : [],
  );
}

export const complete = (result: unknown): Command => ({
  commandType: CommandType.COMPLETE_WORKFLOW_EXECUTION,
  attributes: { result: jsonPayloads(result) },
});

const CANCELLED: Command = { commandType: CommandType.CANCEL_WORKFLOW_EXECUTION, attributes: {} };
const FAILED: Command = {
  commandType: CommandType.FAIL_WORKFLOW_EXECUTION,
  attributes: { failure: { message: 'as it must', applicationFailureInfo: { nonRetryable: true } } },
};

const RETRY = { initialInterval: 100, backoffCoefficient: 1.5, maximumInterval: 1_000 };

export const activity = (activityId: string): Command => ({
  commandType: CommandType.SCHEDULE_ACTIVITY_TASK,
  attributes: {
    activityId,
    activityType: { name: 'call' },
    taskQueue: { name: TASK_QUEUE },
    startToCloseTimeout: 4_000,
    retryPolicy: RETRY,
  },
});

/** Long, but for its signs of life: who falls silent is replaced. */
const CLIMB: Command = {
  commandType: CommandType.SCHEDULE_ACTIVITY_TASK,
  attributes: {
    activityId: 'climb',
    activityType: { name: CLIMBS },
    taskQueue: { name: TASK_QUEUE },
    startToCloseTimeout: 600_000,
    heartbeatTimeout: 1_500,
    retryPolicy: RETRY,
  },
};

const child = (workflowId: string): Command => ({
  commandType: CommandType.START_CHILD_WORKFLOW_EXECUTION,
  attributes: {
    workflowId,
    workflowType: { name: 'steps' },
    taskQueue: { name: TASK_QUEUE },
    input: jsonPayloads({ count: 1 } satisfies WorkflowInput),
    parentClosePolicy: ParentClosePolicy.ABANDON,
  },
});

/** One that ends by its parent's leaving it, or by itself. */
function leftChild(workflowId: string, policy: string): Command {
  const { TERMINATE, REQUEST_CANCEL, ABANDON } = ParentClosePolicy;
  const [name, parentClosePolicy] =
    policy === 'terminate'
      ? (['patient', TERMINATE] as const)
      : policy === 'request cancel'
        ? (['cancellable', REQUEST_CANCEL] as const)
        : (['steps', ABANDON] as const);
  return {
    commandType: CommandType.START_CHILD_WORKFLOW_EXECUTION,
    attributes: {
      ...{ workflowId, workflowType: { name }, taskQueue: { name: TASK_QUEUE }, parentClosePolicy },
      input: jsonPayloads({ count: 1 } satisfies WorkflowInput),
    },
  };
}

const letter = (workflowId: string, text: string): Command => ({
  commandType: CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
  attributes: { execution: { workflowId }, signalName: SIGNAL, input: jsonPayloads(text) },
});

/** What a history's run was started as. */
export function startOf(events: readonly HistoryEvent[]): { type: string; input: WorkflowInput } {
  const [started] = events;
  if (started?.eventType !== EventType.WORKFLOW_EXECUTION_STARTED)
    throw new Error('a history does not begin at its start');
  const { workflowType, input } = started.attributes;
  return { type: workflowType.name, input: jsonOf(input) as WorkflowInput }; // what the simulation started it with
}

/** The commands that answer a workflow task with this history, all of it, of a workflow that takes no updates. */
export function commandsFor(events: readonly HistoryEvent[]): Command[] {
  const { type, input } = startOf(events);
  const count = (eventType: number): number => events.filter((event) => event.eventType === eventType).length;
  switch (type) {
    case 'steps': {
      const done = count(EventType.ACTIVITY_TASK_COMPLETED);
      if (done >= input.count) return [complete(done)];
      return count(EventType.ACTIVITY_TASK_SCHEDULED) > done ? [] : [activity(`step-${done}`)];
    }
    case 'timer': {
      if (count(EventType.TIMER_FIRED) > 0) return [complete('slept')];
      if (count(EventType.TIMER_STARTED) > 0) return [];
      const { ms = 100 } = input;
      return [{ commandType: CommandType.START_TIMER, attributes: { timerId: 'sleep', startToFireTimeout: ms } }];
    }
    case 'collector': {
      const letters = signalsOf(events);
      return letters.length < input.count ? [] : [complete([...letters].sort())];
    }
    case 'relay': {
      if (count(EventType.ACTIVITY_TASK_COMPLETED) === 0) {
        return count(EventType.ACTIVITY_TASK_SCHEDULED) > 0 ? [] : [activity('stage')];
      }
      if (input.count === 0) return [complete('arrived')];
      return [
        {
          commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
          attributes: { input: jsonPayloads({ count: input.count - 1 } satisfies WorkflowInput) },
        },
      ];
    }
    case 'parent': {
      const { others = [] } = input;
      if (count(EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED) === 0) return others.map(child);
      const ended = count(EventType.CHILD_WORKFLOW_EXECUTION_COMPLETED);
      return ended < others.length ? [] : [complete(ended)];
    }
    case 'courier': {
      const { others: [to = ''] = [], letters = [] } = input;
      if (count(EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED) === 0)
        return letters.map((text) => letter(to, text));
      const refused = count(EventType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED);
      const answered = count(EventType.EXTERNAL_WORKFLOW_EXECUTION_SIGNALED) + refused;
      return answered < letters.length ? [] : [complete({ delivered: answered - refused })];
    }
    case 'patient':
      return [];
    case 'diary': {
      const notes = signalsOf(events).filter((text) => text.startsWith('note'));
      return signalsOf(events).some((text) => text.startsWith('close')) ? [complete(notes)] : [];
    }
    case 'cancellable':
      return count(EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED) > 0 ? [CANCELLED] : [];
    case 'scribe': {
      const notes = signalsOf(events);
      const { letters: before = [] } = input;
      if (notes.at(-1) === 'close') return [complete([...before, ...notes.slice(0, -1)])];
      if (notes.length < input.count) return [];
      return [
        {
          commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
          attributes: {
            input: jsonPayloads({ count: input.count, letters: [...before, ...notes] } satisfies WorkflowInput),
          },
        },
      ];
    }
    case 'leaver': {
      const { others: [left = ''] = [], letters: [policy = ''] = [] } = input;
      if (count(EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED) === 0) return [leftChild(left, policy)];
      return count(EventType.CHILD_WORKFLOW_EXECUTION_STARTED) > 0 ? [complete('left')] : [];
    }
    case 'climber': {
      const ended = events.find(({ eventType }) => eventType === EventType.ACTIVITY_TASK_COMPLETED);
      if (ended?.eventType === EventType.ACTIVITY_TASK_COMPLETED) return [complete(jsonOf(ended.attributes.result))];
      return count(EventType.ACTIVITY_TASK_SCHEDULED) > 0 ? [] : [CLIMB];
    }
    case 'canceller': {
      const { others: [workflowId = ''] = [] } = input;
      if (count(EventType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED) === 0)
        return [{ commandType: CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION, attributes: { workflowId } }];
      return count(EventType.EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED) > 0 ? [complete('asked')] : [];
    }
    case 'errand': {
      if (count(EventType.WORKFLOW_EXECUTION_CANCEL_REQUESTED) > 0) return [CANCELLED];
      const { ms = 0, ends } = input;
      if (count(EventType.TIMER_FIRED) > 0) return [ends === 'badly' ? FAILED : complete('done')];
      if (count(EventType.TIMER_STARTED) > 0) return [];
      return [{ commandType: CommandType.START_TIMER, attributes: { timerId: 'errand', startToFireTimeout: ms + 1 } }];
    }
    default:
      throw new Error(`there is no workflow ${type}`);
  }
}

/** What a run's result must be. */
export function expectedResult(type: WorkflowType, input: WorkflowInput): unknown {
  switch (type) {
    case 'steps':
    case 'ledger':
      return input.count;
    case 'timer':
      return 'slept';
    case 'collector':
      return [...(input.letters ?? [])].sort();
    case 'relay':
      return 'arrived';
    case 'parent':
      return input.others?.length ?? 0;
    case 'courier':
      return { delivered: input.letters?.length ?? 0 };
    case 'patient':
      return undefined;
  }
}
