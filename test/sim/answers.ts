// What leaves a node, by whatever door, against what is durable at that very instant (I1). So an acknowledgement that a crash could take back is found
// without a crash. Also counts what recoveries a run went through.

import { decodeToken, type TaskToken } from '../../src/core/workflow/token.ts';
import { isActivityAddress } from '../../src/wire/activity-address.ts';
import type { ActivityTask } from '../../src/wire/activity-task.ts';
import type { Methods } from '../../src/wire/api.ts';
import { decode } from '../../src/wire/codec.ts';
import { EventType, isOpenStatus } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type { EventBatches } from '../../src/wire/history.ts';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import type { WorkflowTask } from '../../src/wire/workflow-task.ts';
import { same } from './flush-watch.ts';
import { type Kernel, type Process, Violation } from './kernel.ts';
import { LEAVES, shownBy } from './shown.ts';
import { mustBeDurable } from './started-tasks.ts';
import type { TrueRun, Truth } from './truth.ts';
import { UpdateWatch } from './update-watch.ts';

/** A request that has reached a node, with what was durable by then. */
export interface Asked {
  method: string;
  // Encoded by our own connection: the method says what it is.
  body: unknown;
  /** The run it is about, how many of its events were durable, and which runs there were, when it arrived. */
  runThen: TrueRun | undefined;
  eventsThen: number;
  runsThen: readonly string[];
  /** Entries that were durable. */
  entriesThen: number;
}

/** Who is at the other end: one connection. */
export interface Peer {
  readonly client: Process;
}

type Body<M extends keyof Methods> = Methods[M]['request'];
type Answer<M extends keyof Methods> = Methods[M]['response'];

/** What finds every run that is there. */
const READS: ReadonlySet<string> = new Set(['describeWorkflowExecution', 'getWorkflowExecutionHistory']);

const keyOf = (token: Uint8Array): string => Buffer.from(token).toString('latin1');
const eventsOf = (batches: EventBatches): HistoryEvent[] => batches.flatMap((bytes) => decode(bytes) as HistoryEvent[]);

export class AnswerWatch {
  readonly #kernel: Kernel;
  readonly #truth: Truth;
  /** What a workflow task's push said: request id of its Started event. */
  readonly #starts = new Map<string, string | undefined>();
  readonly #pushedTo = new Map<string, Peer>();
  readonly #acknowledged = new Map<string, string>();
  readonly #startAnswers = new Map<string, string>();
  readonly #workers = new Set<string>();
  readonly #requests = new Set<string>();
  /** By name: how often. */
  readonly recoveries = new Map<string, number>();
  readonly updates: UpdateWatch;

  constructor(kernel: Kernel, truth: Truth) {
    this.#kernel = kernel;
    this.#truth = truth;
    this.updates = new UpdateWatch(truth);
  }

  recovered(what: string): void {
    this.recoveries.set(what, (this.recoveries.get(what) ?? 0) + 1);
  }

  /** A node has got this. */
  asked({ client }: Peer, method: string, body: { workflowId?: string; runId?: string }): Asked {
    const run = this.#runOf(body);
    const { runs, entries: entriesThen } = this.#truth;
    // Lists of workflows have no activities.
    const listed = method.startsWith('list') ? [...runs.values()] : [];
    const runsThen = listed.filter((one) => !isActivityAddress(one.workflowId)).map(({ runId }) => runId);
    this.#truth.watches.asked(method, body);
    if (method === 'registerWorker') {
      const { workerId, deploymentVersion } = body as Body<'registerWorker'>;
      this.#truth.versions.registered(client, deploymentVersion);
      if (this.#workers.has(workerId)) this.recovered('worker registered again');
      this.#workers.add(workerId);
    }
    return { method, body, runThen: run, eventsThen: run?.events.length ?? 0, runsThen, entriesThen };
  }

  refused({ method, body, runThen }: Asked, status: Status): void {
    if (status.code === StatusCode.INTERNAL) throw new Violation('door', `${method} failed inside: ${status.message}`);
    if (status.code === StatusCode.DATA_LOSS) this.recovered('damage reported to a caller');
    if (status.code === StatusCode.NOT_FOUND && method.startsWith('respond')) this.recovered('late answer refused');
    if (status.code === StatusCode.NOT_FOUND && READS.has(method) && runThen !== undefined)
      this.#truth.watches.deletions.notFound(runThen.runId, method);
    if (status.code === StatusCode.UNAVAILABLE) this.recovered('caller told to try again');
    if (status.code === StatusCode.RESOURCE_EXHAUSTED) this.recovered('caller refused at a bound');
    const { detail } = status;
    if (detail?.kind === 'WorkflowExecutionAlreadyStarted' && this.#truth.run(detail.runId) === undefined) {
      throw new Violation('I1', `${method} of ${JSON.stringify(body)} names run ${detail.runId}, which is not durable`);
    }
  }

  // ---------------------------------------------------------------- answers

  answered(asked: Asked, answer: unknown): void {
    const { method, body, runsThen, entriesThen } = asked;
    const { deletions } = this.#truth.watches;
    switch (method) {
      case 'startWorkflowExecution':
        this.#started(body as Body<'startWorkflowExecution'>, answer as Answer<'startWorkflowExecution'>);
        return;
      case 'signalWithStartWorkflowExecution': {
        const request = body as Body<'signalWithStartWorkflowExecution'>;
        this.#started(request, answer as Answer<'startWorkflowExecution'>);
        this.#signalled({ ...request, input: request.signalInput });
        return;
      }
      case 'signalWorkflowExecution':
        this.#signalled(body as Body<'signalWorkflowExecution'>);
        return;
      case 'updateWorkflowExecution':
      case 'pollWorkflowExecutionUpdate':
        this.updates.answered(body as Body<'updateWorkflowExecution'>, answer as Answer<'updateWorkflowExecution'>);
        return;
      case 'requestCancelWorkflowExecution':
      case 'terminateWorkflowExecution':
      case 'pauseWorkflowExecution':
      case 'unpauseWorkflowExecution':
        this.#mustHave(body, LEAVES[method], method);
        return;
      case 'queryWorkflow':
        this.#queried(body as Body<'queryWorkflow'>, answer as Answer<'queryWorkflow'>);
        return;
      case 'describeWorkflowExecution': {
        const told = answer as Answer<'describeWorkflowExecution'>;
        this.#described(asked, told);
        deletions.shown(told.workflowExecutionInfo.runId, entriesThen, 'a description');
        return;
      }
      case 'getWorkflowExecutionHistory': {
        const told = answer as Answer<'getWorkflowExecutionHistory'>;
        this.#read(asked, told);
        deletions.shown(told.runId, entriesThen, 'a history');
        return;
      }
      case 'awaitWorkflowResult': {
        const { runId, closeEvent } = answer as Answer<'awaitWorkflowResult'>;
        const [event] = eventsOf([closeEvent]);
        const run = this.#truth.run(runId);
        if (!same(run?.closed, event)) {
          throw new Violation('I1', `the result of run ${runId} was told, event ${event?.eventId} is not durable`);
        }
        return;
      }
      case 'listWorkflowExecutions': {
        const { executions, nextPageToken } = answer as Answer<'listWorkflowExecutions'>;
        for (const { runId } of executions) {
          this.#durableRun(runId, 'a list');
          deletions.shown(runId, entriesThen, 'a list');
        }
        const listed = new Set(executions.map(({ runId }) => runId));
        const isMissing = (runId: string): boolean => !listed.has(runId) && !deletions.isGone(runId);
        const missing = nextPageToken === undefined ? runsThen.find(isMissing) : undefined;
        if (missing !== undefined)
          throw new Violation('I1', `a list asked for after run ${missing} began does not show it`);
        return;
      }
      case 'respondWorkflowTaskCompleted': {
        const { token } = body as Body<'respondWorkflowTaskCompleted'>;
        const { resetHistoryEventId } = answer as Answer<'respondWorkflowTaskCompleted'>;
        if (resetHistoryEventId === undefined) this.#workflowTaskCompleted(token);
        else {
          this.#once(token, method);
          this.recovered('workflow task left no trace');
        }
        return;
      }
      case 'respondWorkflowTaskFailed':
        this.#once((body as Body<'respondWorkflowTaskFailed'>).token, method);
        return;
      case 'respondActivityTaskCompleted':
      case 'respondActivityTaskFailed':
      case 'respondActivityTaskCanceled': {
        const { target } = body as Body<'respondActivityTaskCompleted'>;
        if ('token' in target) this.#activityEnded(target.token, method, body);
        return;
      }
      case 'getWorkflowTaskHistory': {
        const token = decodeToken((body as Body<'getWorkflowTaskHistory'>).token);
        const { events } = answer as Answer<'getWorkflowTaskHistory'>;
        if (token !== undefined) this.#shown(token.runId, eventsOf(events), 'a page of a task’s history', 2);
        return;
      }
      default:
        this.#truth.watches.answered(method, body, answer);
    }
  }

  #started(
    body: Pick<Body<'startWorkflowExecution'>, 'workflowId' | 'requestId'>,
    answer: Answer<'startWorkflowExecution'>,
  ): void {
    const run = this.#durableRun(answer.runId, `the start of ${body.workflowId}`);
    if (run.workflowId !== body.workflowId) throw new Violation('I5', `run ${run.runId} is not of ${body.workflowId}`);
    const before = this.#startAnswers.get(body.requestId);
    // With a run that is deleted the requests that began it are forgotten.
    if (before !== undefined && before !== answer.runId && !this.#truth.watches.deletions.isGone(before)) {
      throw new Violation(
        'I5',
        `start ${body.requestId} of ${body.workflowId} was answered ${before}, now ${answer.runId}`,
      );
    }
    if (before !== undefined) this.recovered('repeated request got its first answer');
    this.#startAnswers.set(body.requestId, answer.runId);
  }

  #signalled(body: Pick<Body<'signalWorkflowExecution'>, 'workflowId' | 'signalName' | 'input'>): void {
    const text = Buffer.from(body.input?.payloads?.[0]?.data ?? []).toString();
    const unique = `${body.workflowId} ${body.signalName} ${text}`;
    if (this.#requests.has(unique)) this.recovered('repeated request got its first answer');
    this.#requests.add(unique);
    if (this.#truth.signals.has(unique)) return;
    const waits = (this.#truth.workflows.get(body.workflowId) ?? []).some((run) =>
      this.#truth
        .buffered(run.workflowId, run.runId)
        .some(
          (event) =>
            event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED &&
            Buffer.from(event.attributes.input?.payloads?.[0]?.data ?? []).toString() === text,
        ),
    );
    if (!waits) throw new Violation('I1', `signal ${unique} was acknowledged and is not durable`);
  }

  #mustHave(body: unknown, type: EventType, what: string): void {
    const { workflowId = '' } = body as { workflowId?: string };
    const runs = this.#truth.workflows.get(workflowId) ?? [];
    const found = runs.some(
      (run) =>
        run.events.some(({ eventType }) => eventType === type) ||
        this.#truth.buffered(workflowId, run.runId).some(({ eventType }) => eventType === type),
    );
    if (!found) throw new Violation('I1', `${what} of ${workflowId} was acknowledged and is not durable`);
  }

  /** Our queries answer with signals and steps seen: each must be durable. */
  #queried({ workflowId }: Body<'queryWorkflow'>, { queryResult }: Answer<'queryWorkflow'>): void {
    const data = queryResult?.payloads?.[0]?.data;
    if (data === undefined) return;
    const seen: unknown = JSON.parse(Buffer.from(data).toString());
    if (!Array.isArray(seen)) return;
    const runs = this.#truth.workflows.get(workflowId) ?? [];
    const texts = runs.flatMap(({ events }) => events.map((event) => shownBy(event)));
    for (const item of seen) {
      if (!texts.some((text) => text?.includes(JSON.stringify(item)))) {
        throw new Violation('I1', `a query of ${workflowId} shows ${String(item)}, which is not durable`);
      }
    }
  }

  #described(
    { runThen, eventsThen }: Asked,
    { workflowExecutionInfo: info }: Answer<'describeWorkflowExecution'>,
  ): void {
    const run = this.#durableRun(info.runId, 'a description');
    if (info.historyLength > run.events.length) {
      throw new Violation(
        'I1',
        `run ${info.runId} is described with ${info.historyLength} events, ${run.events.length} are durable`,
      );
    }
    if (run === runThen && info.historyLength < eventsThen) {
      throw new Violation(
        'I1',
        `run ${info.runId} is described with ${info.historyLength} events, it had ${eventsThen} before`,
      );
    }
    if (!isOpenStatus(info.status) && run.closed === undefined) {
      throw new Violation('I1', `run ${info.runId} is described as closed, which is not durable`);
    }
  }

  #read({ body, runThen, eventsThen }: Asked, answer: Answer<'getWorkflowExecutionHistory'>): void {
    const { closeEventOnly, fromEventId = 1, withUnwritten } = body as Body<'getWorkflowExecutionHistory'>;
    const events = eventsOf(answer.events);
    const run = this.#shown(answer.runId, events, 'a history', withUnwritten ? 2 : 0);
    if (closeEventOnly || answer.nextEventId !== undefined) return;
    const last = events.at(-1)?.eventId ?? fromEventId - 1;
    if (run === runThen && last < eventsThen) {
      throw new Violation(
        'I1',
        `a history of run ${run.runId} ends at ${last}, it had ${eventsThen} events before it was asked for`,
      );
    }
  }

  #workflowTaskCompleted(bytes: Uint8Array): void {
    this.#once(bytes, 'respondWorkflowTaskCompleted');
    const token = decodeToken(bytes);
    if (token === undefined) return;
    const run = this.#durableRun(token.runId, 'a completed workflow task');
    const closing = run.closings.get(token.scheduledEventId);
    if (closing?.eventType !== EventType.WORKFLOW_TASK_COMPLETED) {
      throw new Violation(
        'I1',
        `the completion of workflow task ${token.scheduledEventId} of run ${run.runId} is not durable`,
      );
    }
    const started = run.events[(closing.attributes.startedEventId ?? 0) - 1];
    const wanted = this.#starts.get(keyOf(bytes));
    const found = started?.eventType === EventType.WORKFLOW_TASK_STARTED ? started.attributes.requestId : undefined;
    if (wanted !== undefined && wanted !== found) {
      throw new Violation(
        'I6',
        `workflow task ${token.scheduledEventId} of run ${run.runId} was completed with the token of start ${wanted}; the durable start is ${found}`,
      );
    }
  }

  #activityEnded(bytes: Uint8Array, method: string, body: unknown): void {
    this.#once(bytes, method);
    const token = decodeToken(bytes);
    if (token === undefined) return;
    const run = this.#durableRun(token.runId, 'an ended activity');
    const closing =
      run.closings.get(token.scheduledEventId) ??
      this.#truth
        .buffered(run.workflowId, run.runId)
        .find(
          (event) =>
            event.eventType !== EventType.ACTIVITY_TASK_STARTED &&
            (event.attributes as { scheduledEventId?: number }).scheduledEventId === token.scheduledEventId,
        );
    const where = `activity ${token.scheduledEventId} (attempt ${token.attempt}) of run ${run.runId}`;
    if (method === 'respondActivityTaskCompleted') {
      const { result } = body as Body<'respondActivityTaskCompleted'>;
      if (closing?.eventType !== EventType.ACTIVITY_TASK_COMPLETED)
        throw new Violation('I1', `the completion of ${where} is not durable`);
      if (!same(closing.attributes.result, result))
        throw new Violation('I6', `${where} has the result of another attempt`);
      return;
    }
    if (closing !== undefined || run.closed !== undefined) return;
    const row = this.#truth.row(run.workflowId, run.runId, 'a', String(token.scheduledEventId)) as
      | { attempt: number; startId?: TaskToken['startId'] }
      | undefined;
    // One that was reset begins to count anew: a start names itself.
    if (row === undefined || (row.attempt <= token.attempt && same(row.startId, token.startId)))
      throw new Violation('I1', `the end of ${where} is not durable`);
  }

  /** I6: one answer per attempt is taken. */
  #once(token: Uint8Array, method: string): void {
    const before = this.#acknowledged.get(keyOf(token));
    const { runId, scheduledEventId, attempt } = decodeToken(token) ?? {};
    if (before !== undefined) {
      throw new Violation(
        'I6',
        `attempt ${attempt} of task ${scheduledEventId} of run ${runId}: ${before} was taken, and now ${method}`,
      );
    }
    this.#acknowledged.set(keyOf(token), method);
  }

  // ---------------------------------------------------------------- pushes

  pushed(peer: Peer, topic: string, body: unknown): void {
    switch (topic) {
      case 'activityTask': {
        const task = body as ActivityTask;
        const token = decodeToken(task.token);
        this.#kernel.note(
          `${peer.client.name} is pushed activity ${task.activityType} of ${task.workflowId}, event ${token?.scheduledEventId}, attempt ${task.attempt}`,
        );
        this.#pushedAgain(peer, task.token);
        if (token !== undefined) {
          this.#taskIsDurable(token, 'an activity');
          this.#truth.versions.pushed(peer.client, token.runId, []);
        }
        return;
      }
      case 'workflowTask': {
        const task = body as WorkflowTask;
        const token = decodeToken(task.token);
        const kind = task.query !== undefined ? 'query' : task.ahead ? 'ahead task' : 'workflow task';
        this.#kernel.note(
          `${peer.client.name} is pushed ${kind} of ${task.workflowId}, event ${token?.scheduledEventId}, attempt ${task.attempt}, from ${task.firstEventId}`,
        );
        const events = eventsOf(task.history);
        if (token === undefined) return;
        if (task.query !== undefined) {
          this.#shown(task.runId, events, 'a query task', 0);
          return;
        }
        this.#pushedAgain(peer, task.token);
        const started = events.find(({ eventId }) => eventId === task.startedEventId);
        if (started?.eventType === EventType.WORKFLOW_TASK_STARTED) {
          this.#starts.set(keyOf(task.token), started.attributes.requestId);
        }
        this.#truth.versions.pushed(peer.client, task.runId, events);
        if (task.ahead) return;
        this.#taskIsDurable(token, 'a workflow task');
        this.#shown(task.runId, events, 'a workflow task', 2);
        return;
      }
      case 'durable': {
        const { tokens } = body as { tokens: Uint8Array[] };
        for (const bytes of tokens) {
          const token = decodeToken(bytes);
          if (token !== undefined) this.#taskIsDurable(token, 'a task said to be durable');
        }
        return;
      }
      case 'cancelActivity': {
        const { token: bytes, reason } = body as { token: Uint8Array; reason: string };
        const token = decodeToken(bytes);
        if (token === undefined || reason !== 'cancelRequested') return;
        const run = this.#durableRun(token.runId, 'a cancelled activity');
        const asked = run.events.some(
          (event) =>
            event.eventType === EventType.ACTIVITY_TASK_CANCEL_REQUESTED &&
            event.attributes.scheduledEventId === token.scheduledEventId,
        );
        if (!asked)
          throw new Violation(
            'I1',
            `activity ${token.scheduledEventId} of run ${run.runId} is cancelled, which is not durable`,
          );
        return;
      }
    }
  }

  #pushedAgain(peer: Peer, token: Uint8Array): void {
    const before = this.#pushedTo.get(keyOf(token));
    if (before !== undefined && before !== peer) this.recovered('task sent again');
    this.#pushedTo.set(keyOf(token), peer);
  }

  #taskIsDurable(token: TaskToken, what: string): void {
    mustBeDurable(this.#truth, this.#durableRun(token.runId, what), token, what);
  }

  // ---------------------------------------------------------------- helpers

  #runOf(body: { workflowId?: string; runId?: string }): TrueRun | undefined {
    if (body.runId) return this.#truth.run(body.runId);
    return body.workflowId === undefined ? undefined : this.#truth.workflows.get(body.workflowId)?.at(-1);
  }

  #durableRun(runId: string, what: string): TrueRun {
    const run = this.#truth.run(runId);
    if (run === undefined) throw new Violation('I1', `${what} shows run ${runId}, which is not durable`);
    return run;
  }

  /** Events shown are the durable ones; up to `transient` more may follow them. */
  #shown(runId: string, events: readonly HistoryEvent[], what: string, transient: number): TrueRun {
    const run = this.#durableRun(runId, what);
    for (const event of events) {
      const durable = run.events[event.eventId - 1];
      if (durable === undefined && event.eventId <= run.events.length + transient) continue;
      if (!same(durable, event)) {
        const same = durable !== undefined && durable.eventType === event.eventType;
        if (same && transient > 0 && event.eventType === EventType.WORKFLOW_TASK_STARTED) continue;
        throw new Violation('I1', `${what} of run ${runId} shows event ${event.eventId} otherwise than it is durable`);
      }
    }
    return run;
  }
}
