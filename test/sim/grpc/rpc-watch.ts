// Reads every call of the Temporal-compatible door and its answer, as the native one it stands for, so that both doors are held against the same truth
// by the same checks (answers.ts): what one door shows of a history, field by field, is what the other does.

import { isDeepStrictEqual } from 'node:util';
import { decodeToken } from '../../../src/core/workflow/token.ts';
import { eventsOf } from '../../../src/frontend/grpc/methods/history.ts';
import { codecNamed } from '../../../src/frontend/grpc/proto/codec.ts';
import { decodeMessage, encodeMessage } from '../../../src/frontend/grpc/proto/message.ts';
import { bytes, type Message, number, part, text } from '../../../src/frontend/grpc/rpc.ts';
import type { RpcError } from '../../../src/frontend/grpc/status.ts';
import { encode } from '../../../src/wire/codec.ts';
import { EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { StatusCode } from '../../../src/wire/status.ts';
import type { AnswerWatch, Asked } from '../answers.ts';
import type { Kernel } from '../kernel.ts';
import type { Truth } from '../truth.ts';
import type { Channel, RpcTap } from './channel.ts';

const HISTORY_EVENT = 'temporal.api.history.v1.HistoryEvent';
const CLOSE_EVENT = 2;

interface Call {
  readonly method: string;
  readonly request: Message;
  readonly asked: Asked | undefined;
}

/** The native request that a call stands for: its method, and what the checks look at of its body. */
type Native = readonly [method: string, body: object];

/** What a page's token says: where the page begins, of which run; and if it is a worker's, its task. */
interface Page {
  readonly runId: string | undefined;
  readonly fromEventId: number;
  readonly task: Uint8Array | undefined;
}

function pageOf(request: Message): Page {
  const token = bytes(request, 'nextPageToken');
  if (token.length === 0) return { runId: undefined, fromEventId: 1, task: undefined };
  // The door's own making: which run it names, no answer says.
  const { run, from, task } = JSON.parse(Buffer.from(token).toString()) as { run: string; from: number; task?: string };
  return { runId: run, fromEventId: from, task: task === undefined ? undefined : Buffer.from(task, 'base64') };
}

function native(method: string, request: Message): Native | undefined {
  const execution = part(request, 'workflowExecution');
  const token = bytes(request, 'taskToken');
  switch (method) {
    case 'StartWorkflowExecution':
    case 'SignalWithStartWorkflowExecution':
      return [camel(method), request];
    case 'SignalWorkflowExecution':
    case 'RequestCancelWorkflowExecution':
    case 'TerminateWorkflowExecution':
      return [camel(method), { ...request, ...execution }];
    case 'DescribeWorkflowExecution':
    case 'QueryWorkflow':
      return [camel(method), part(request, 'execution')];
    case 'UpdateWorkflowExecution':
      return [camel(method), { ...execution, updateId: part(part(request, 'request'), 'meta').updateId }];
    case 'PollWorkflowExecutionUpdate': {
      const { updateId, workflowExecution } = part(request, 'updateRef');
      return [camel(method), { ...(workflowExecution as object), updateId }];
    }
    case 'GetWorkflowExecutionHistory': {
      const { runId, fromEventId, task } = pageOf(request);
      if (task !== undefined) return ['getWorkflowTaskHistory', { token: task }];
      const waitNewEvent = request.waitNewEvent === true;
      const closeEventOnly = number(request, 'historyEventFilterType') === CLOSE_EVENT;
      const own = part(request, 'execution');
      const how = { fromEventId, waitNewEvent, closeEventOnly, withUnwritten: !waitNewEvent };
      return [camel(method), { workflowId: own.workflowId, runId: runId ?? text(own, 'runId'), ...how }];
    }
    case 'RespondWorkflowTaskCompleted':
    case 'RespondWorkflowTaskFailed':
      return [camel(method), { token }];
    case 'RespondActivityTaskCompleted':
    case 'RespondActivityTaskFailed':
    case 'RespondActivityTaskCanceled':
      return [camel(method), { target: { token }, result: request.result }];
    case 'PatchSchedule':
    case 'DescribeSchedule':
    case 'ListWorkflowExecutions':
    case 'DescribeTaskQueue':
      return [camel(method), request];
    default:
      return undefined;
  }
}

const camel = (method: string): string => method.charAt(0).toLowerCase() + method.slice(1);

export class RpcWatch implements RpcTap {
  readonly #kernel: Kernel;
  readonly #truth: Truth;
  readonly #answers: AnswerWatch;
  readonly #calls = new Map<Channel, Map<number, Call>>();
  /** Durable events as a client of this door reads them. */
  readonly #told = new WeakMap<HistoryEvent, Message>();

  constructor(kernel: Kernel, truth: Truth, answers: AnswerWatch) {
    this.#kernel = kernel;
    this.#truth = truth;
    this.#answers = answers;
  }

  received(channel: Channel, id: number, method: string, request: Message): void {
    this.#kernel.note(`${channel.client.name} calls ${method}#${id} ${text(request, 'workflowId')}`);
    const [name, body] = native(method, request) ?? [];
    const asked = name === undefined ? undefined : this.#answers.asked(channel, name, body ?? {});
    let calls = this.#calls.get(channel);
    if (calls === undefined) this.#calls.set(channel, (calls = new Map()));
    calls.set(id, { method, request, asked });
  }

  answered(channel: Channel, id: number, response: Message): void {
    const call = this.#taken(channel, id);
    if (call === undefined) return;
    this.#kernel.note(`${channel.client.name} gets its answer of ${call.method}#${id}`);
    try {
      this.#answered(channel, call, response);
    } catch (error) {
      this.#kernel.fail(error);
    }
  }

  refused(channel: Channel, id: number, { code, message, detail }: RpcError): void {
    const call = this.#taken(channel, id);
    this.#kernel.note(`${channel.client.name} gets ${code} of ${call?.method}#${id}: ${message}`);
    try {
      // A status code by construction.
      if (call?.asked !== undefined) this.#answers.refused(call.asked, { code: code as StatusCode, message, detail });
    } catch (error) {
      this.#kernel.fail(error);
    }
  }

  closed(channel: Channel): void {
    this.#calls.delete(channel);
  }

  #taken(channel: Channel, id: number): Call | undefined {
    const calls = this.#calls.get(channel);
    const call = calls?.get(id);
    calls?.delete(id);
    return call;
  }

  #answered(channel: Channel, { method, request, asked }: Call, response: Message): void {
    switch (method) {
      case 'PollWorkflowTaskQueue':
        this.#workflowTask(channel, response);
        return;
      case 'PollActivityTaskQueue':
        this.#activityTask(channel, response);
        return;
      case 'RecordActivityTaskHeartbeat':
        if (response.cancelRequested === true)
          this.#answers.pushed(channel, 'cancelActivity', { token: request.taskToken, reason: 'cancelRequested' });
        return;
      default:
    }
    if (asked === undefined) return;
    this.#answers.answered(asked, this.#nativeAnswer(method, asked, response));
    if (method !== 'RespondWorkflowTaskCompleted') return;
    this.#workflowTask(channel, part(response, 'workflowTask'));
    for (const task of (response.activityTasks ?? []) as Message[]) this.#activityTask(channel, task);
  }

  /** What the checks look at of the native answer. */
  #nativeAnswer(method: string, asked: Asked, response: Message): object {
    switch (method) {
      case 'UpdateWorkflowExecution':
      case 'PollWorkflowExecutionUpdate':
        return { stage: number(response, 'stage'), outcome: response.outcome };
      case 'DescribeWorkflowExecution': {
        const info = part(response, 'workflowExecutionInfo');
        const { runId } = part(info, 'execution');
        const historyLength = number(info, 'historyLength');
        return { workflowExecutionInfo: { runId, historyLength, status: number(info, 'status') } };
      }
      case 'GetWorkflowExecutionHistory':
        return this.#history(asked, response);
      case 'ListWorkflowExecutions': {
        const executions = ((response.executions ?? []) as Message[]).map((info) => part(info, 'execution'));
        return { executions, nextPageToken: nonEmpty(bytes(response, 'nextPageToken')) };
      }
      case 'RespondWorkflowTaskCompleted':
        return { resetHistoryEventId: number(response, 'resetHistoryEventId') || undefined };
      case 'DescribeSchedule': {
        const info = part(response, 'info');
        return { info: { actionCount: number(info, 'actionCount') }, conflictToken: response.conflictToken };
      }
      default:
        return response;
    }
  }

  #history({ method, body }: Asked, response: Message): object {
    const shown = historyOf(response);
    if (method === 'getWorkflowTaskHistory') {
      const of = decodeToken(bytes(body as Message, 'token'));
      return { events: this.#batches(of?.runId ?? '', shown) };
    }
    const runId = text(body as Message, 'runId') || ownRunId(shown);
    const more = bytes(response, 'nextPageToken').length > 0;
    return { runId, events: this.#batches(runId, shown), nextEventId: more ? 1 : undefined };
  }

  #workflowTask(channel: Channel, task: Message): void {
    const token = bytes(task, 'taskToken');
    if (token.length === 0) return;
    const { workflowId = '', runId = '' } = part(task, 'workflowExecution') as { workflowId?: string; runId?: string };
    const { query, attempt, startedEventId } = task;
    const shown = historyOf(task);
    const history = this.#batches(runId, shown);
    const firstEventId = shown[0]?.eventId;
    const pushed = { token, workflowId, runId, query, attempt, startedEventId, firstEventId, history };
    this.#answers.pushed(channel, 'workflowTask', pushed);
  }

  #activityTask(channel: Channel, task: Message): void {
    const token = bytes(task, 'taskToken');
    if (token.length === 0) return;
    const { workflowId } = part(task, 'workflowExecution');
    const activityType = text(part(task, 'activityType'), 'name');
    this.#answers.pushed(channel, 'activityTask', { token, workflowId, activityType, attempt: task.attempt });
  }

  /** Events as the native door has them: the durable one for each that says the very same, and what is left as it came. */
  #batches(runId: string, shown: readonly HistoryEvent[]): Uint8Array[] {
    const run = this.#truth.run(runId);
    return [
      encode(
        shown.map((event) => {
          const durable = run?.events[event.eventId - 1];
          return durable !== undefined && isDeepStrictEqual(event, this.#toldOf(durable)) ? durable : event;
        }),
      ),
    ];
  }

  #toldOf(durable: HistoryEvent): unknown {
    let told = this.#told.get(durable);
    if (told === undefined) {
      const codec = codecNamed(HISTORY_EVENT);
      told = decodeMessage(codec, encodeMessage(codec, eventsOf([encode([durable])])[0]));
      this.#told.set(durable, told);
    }
    return told;
  }
}

/** Decoded by its descriptor, of an answer of this door. */
const historyOf = (message: Message): HistoryEvent[] => (part(message, 'history').events ?? []) as HistoryEvent[];

const nonEmpty = (token: Uint8Array): Uint8Array | undefined => (token.length > 0 ? token : undefined);

/** Of a history that is read from its beginning. */
function ownRunId([first]: readonly HistoryEvent[]): string {
  return first?.eventType === EventType.WORKFLOW_EXECUTION_STARTED
    ? (first.attributes.originalExecutionRunId ?? '')
    : '';
}
