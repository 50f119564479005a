// A task on its way to a worker of another node, and the answer. The task is checked by the doors' rules, field by field, and copied out of its frame.

import type { TaskRef } from '../../src/core/workflow/message.ts';
import type { StartedActivityTask, StartedWorkflowTask } from '../../src/core/workflow/outcome.ts';
import {
  bytes,
  type Check,
  finite,
  integer,
  list,
  object,
  optional,
  record,
  string,
} from '../../src/frontend/validate/check.ts';
import * as common from '../../src/frontend/validate/common.ts';
import { protocolMessages } from '../../src/frontend/validate/messages.ts';
import { nexusRequest } from '../../src/frontend/validate/nexus.ts';
import type { Delivery, LateAnswer } from '../../src/ports/matching.ts';
import { encode } from '../../src/wire/codec.ts';
import type { WorkflowQuery } from '../../src/wire/workflow-task.ts';
import { count, listOf, Misshapen, text } from './messages.ts';

/** `credit`: what was lent to the other node by a pull. `resume`: what a registration is owed; `part` tells its tasks apart. */
export interface DeliveryTarget {
  /** Of the node with the worker. */
  boot: string;
  by: 'credit' | 'resume';
  id: number;
  part: number;
}

const BY = ['credit', 'resume'] as const;
const ANSWERS = ['taken', 'refused', 'unknown'] as const;

/** A task as it travels: transient events are in its history already. Only workers connected to the shard's node are pushed tasks ahead (I1). */
function slim(task: Delivery): Delivery {
  if (task.kind !== 'workflow') return task;
  return { ...task, started: { ...task.started, transientEvents: [] }, ahead: false };
}

export const encodeDelivery = ({ boot, by, id, part }: DeliveryTarget, task: Delivery): Uint8Array =>
  encode([boot, BY.indexOf(by), id, part, slim(task)]);

const startId = object<TaskRef['startId']>({ term: integer, seq: integer });
const ref = object<TaskRef>({ runId: string, scheduledEventId: integer, attempt: integer, startId });
const query = object<WorkflowQuery>({
  queryType: string,
  queryArgs: optional(common.payloads),
  header: optional(common.header),
});
const batches = list(bytes);

const workflowTask = object<StartedWorkflowTask['task']>({
  runId: string,
  workflowType: string,
  attempt: integer,
  previousStartedEventId: integer,
  startedEventId: integer,
  scheduledTime: finite,
  startedTime: finite,
  firstEventId: integer,
  queries: optional(record(query)),
  query: optional(query),
  messages: optional(protocolMessages),
});

const activityTask = object<StartedActivityTask['task']>({
  runId: string,
  workflowType: string,
  activityId: string,
  activityType: string,
  input: optional(common.payloads),
  header: optional(common.header),
  heartbeatDetails: optional(common.payloads),
  attempt: integer,
  scheduledTime: finite,
  currentAttemptScheduledTime: finite,
  startedTime: finite,
  scheduleToCloseTimeout: finite,
  startToCloseTimeout: finite,
  heartbeatTimeout: finite,
  retryPolicy: optional(common.retryPolicy),
  priority: optional(common.priority),
  nexus: optional(nexusRequest),
});

const kind = object<{ kind: string; namespace: string; workflowId: string }>({
  kind: string,
  namespace: string,
  workflowId: string,
});

const workflowStarted = object<{ task: StartedWorkflowTask['task']; ref: TaskRef; lastEventId: number }>({
  task: workflowTask,
  ref,
  lastEventId: integer,
});
const workflow = object<{
  started: { task: StartedWorkflowTask['task']; ref: TaskRef; lastEventId: number };
  history: Uint8Array[];
  nextEventId?: number | undefined;
}>({ started: workflowStarted, history: batches, nextEventId: optional(integer) });

const activity = object<{ started: { task: StartedActivityTask['task']; ref: TaskRef } }>({
  started: object({ task: activityTask, ref }),
});

const direct = object<Omit<Extract<Delivery, { kind: 'query' }>, 'kind' | 'namespace' | 'workflowId' | 'nextEventId'>>({
  runId: string,
  workflowType: string,
  queryId: string,
  query,
  history: batches,
  firstEventId: integer,
  previousStartedEventId: integer,
  startedEventId: integer,
});
const next = object<{ nextEventId?: number | undefined }>({ nextEventId: optional(integer) });

const delivery: Check<Delivery> = (value) => {
  const { kind: of, namespace, workflowId } = kind(value);
  const to = { namespace, workflowId };
  switch (of) {
    case 'workflow': {
      const { started, history, nextEventId } = workflow(value);
      const whole = { ...started, type: 'workflowTaskStarted' as const, transientEvents: [] };
      return { kind: 'workflow', ...to, started: whole, history, nextEventId, ahead: false };
    }
    case 'activity':
      return { kind: 'activity', ...to, started: { type: 'activityTaskStarted', ...activity(value).started } };
    case 'query':
      return { kind: 'query', ...to, ...direct(value), nextEventId: next(value).nextEventId };
    default:
      throw new Misshapen(`a task of kind ${of.slice(0, 64)} is not known here`);
  }
};

/** Throws for what is no delivery. */
export function readDelivery(body: Uint8Array): { target: DeliveryTarget; task: Delivery } {
  const [boot, by, id, part, task] = listOf(body);
  const target = BY[count(by)];
  if (target === undefined) throw new Misshapen('what a task is delivered for is missing');
  return { target: { boot: text(boot), by: target, id: count(id), part: count(part) }, task: delivery(task) };
}

export const encodeAnswer = (answer: LateAnswer): Uint8Array => encode([ANSWERS.indexOf(answer)]);

/** What makes no sense says nothing of what has become of the task. */
export function readAnswer(body: Uint8Array): LateAnswer {
  try {
    return ANSWERS[count(listOf(body)[0])] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
