// A client of one workflow: goes through its steps at whatever node is up, and repeats each request under its request id until it is answered. Every answer
// is held against the truth: what was acknowledged is there, a read shows all that was committed before it began, and nothing that is not.

import { jsonPayloads } from '../../../src/core/workflow/fields.ts';
import type { Message } from '../../../src/core/workflow/message.ts';
import type { Reply } from '../../../src/core/workflow/outcome.ts';
import type { Done, Engine } from '../../../src/ports/engine.ts';
import { isActivityAddress } from '../../../src/wire/activity-address.ts';
import { decode } from '../../../src/wire/codec.ts';
import {
  EventType,
  UpdateWorkflowExecutionLifecycleStage as Stage,
  WorkflowExecutionStatus,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { QueryWorkflowResponse } from '../../../src/wire/execution.ts';
import type { DescribeWorkflowExecutionResponse } from '../../../src/wire/execution-info.ts';
import type { AwaitWorkflowResultResponse, GetWorkflowExecutionHistoryResponse } from '../../../src/wire/history.ts';
import { untimedRunId } from '../../../src/wire/run-id.ts';
import { type Status, StatusCode } from '../../../src/wire/status.ts';
import type { UpdateWorkflowExecutionResponse } from '../../../src/wire/update.ts';
import type { ListWorkflowExecutionsResponse } from '../../../src/wire/visibility.ts';
import { same } from '../flush-watch.ts';
import { type Kernel, Violation } from '../kernel.ts';
import type { CallbackWatch } from '../operations/callback-watch.ts';
import type { SeededRandom } from '../random.ts';
import { tenantOf } from '../tenants.ts';
import type { TrueRun, Truth } from '../truth.ts';
import type { UpdateWatch } from '../update-watch.ts';
import { isBad, losesTasks, UPDATE } from './ledger.ts';
import { NAMESPACE } from './node.ts';
import type { Step, WorkflowPlan } from './plan.ts';
import { isNotApplied, PASSING } from './refusals.ts';
import type { WorkerWorld } from './worker.ts';
import { expectedResult, jsonOf, SIGNAL, signalsOf, TASK_QUEUE } from './workflows.ts';

export interface ClientWorld extends WorkerWorld {
  readonly kernel: Kernel;
  readonly truth: Truth;
  readonly updates: UpdateWatch;
  readonly callbacks: CallbackWatch;
  readonly mayFailToRead: boolean;
  reached(what: string): void;
  /** Whether this workflow's start was acknowledged; of none: yes. */
  isStarted(workflowId: string | undefined): boolean;
}

/** ms a call may take; longer than routing waits. */
const CALL_MS = 12_000;
const POLL_MS = 20_000;
const PAUSE_MS = 150;
/** Tries of a read that need not succeed. */
const READ_TRIES = 3;

/** `refusals`: answers too. `isDone`: whether what is asked for is committed. */
interface Write {
  readonly refusals?: readonly number[];
  readonly isDone?: () => boolean;
}

type Outcome<T> = { readonly value: T } | { readonly refused: Status };

/** How far the truth was when a read began. */
interface Then {
  readonly run: TrueRun | undefined;
  readonly events: number;
}

export class SimClient {
  readonly plan: WorkflowPlan;
  readonly #world: ClientWorld;
  readonly #random: SeededRandom;
  readonly #to: { namespace: string; workflowId: string };
  #step = 0;
  runId: string | undefined;
  operations = 0;
  result: AwaitWorkflowResultResponse | undefined;

  constructor(world: ClientWorld, plan: WorkflowPlan, random: SeededRandom) {
    this.#world = world;
    this.plan = plan;
    this.#random = random;
    this.#to = { namespace: NAMESPACE, workflowId: plan.workflowId };
  }

  get where(): string {
    const step = this.plan.steps[this.#step];
    return `${this.plan.workflowId} at step ${this.#step} (${step?.do ?? 'result'})`;
  }

  begin(): void {
    this.#run().catch((error: unknown) => this.#world.kernel.fail(error));
  }

  async #run(): Promise<void> {
    const { kernel } = this.#world;
    for (const step of this.plan.steps) {
      while (step.do !== 'pause' && !this.#world.isStarted(this.plan.after)) await this.#pause(PAUSE_MS);
      if (step.do !== 'pause') this.operations += 1;
      await this.#do(step);
      this.#step += 1;
    }
    this.operations += 1;
    while (this.result === undefined) {
      const outcome = await this.#once<AwaitWorkflowResultResponse>('result', POLL_MS, (engine, done) => {
        engine.awaitResult(this.#to, this.runId, true, done);
      });
      if ('value' in outcome) this.#ended(outcome.value);
      else {
        this.#mustPass('result', outcome.refused);
        await this.#pause(PAUSE_MS);
      }
    }
    kernel.note(`${this.plan.workflowId} has ended`);
  }

  async #do(step: Step): Promise<void> {
    const { workflowId } = this.plan;
    const requestId = `${workflowId}/${this.#step}`;
    switch (step.do) {
      case 'pause':
        await this.#pause(step.ms);
        return;
      case 'start':
      case 'startAgain':
        await this.#start();
        return;
      case 'startOther': {
        const outcome = await this.#sure('another start', this.#startMessage(requestId), {
          refusals: [StatusCode.ALREADY_EXISTS],
        });
        if ('value' in outcome) throw new Violation('I8', `workflow ${workflowId} was started a second time`);
        return;
      }
      case 'signal': {
        const input = jsonPayloads(step.text);
        const signal: Message = {
          type: 'signal',
          target: {},
          signalName: SIGNAL,
          input,
          identity: 'client',
          requestId,
        };
        const isDone = (): boolean => this.#isSignalled(step.text);
        await this.#sure('signal', signal, { isDone });
        if (!isDone())
          throw new Violation('I1', `signal ${step.text} of ${workflowId} was acknowledged and is not committed`);
        return;
      }
      case 'update':
        await this.#update(step);
        return;
      case 'terminate':
        await this.#sure('terminate', { type: 'terminate', target: {}, identity: 'client', requestId });
        return;
      case 'query':
        await this.#query(requestId);
        return;
      case 'describe':
        await this.#describe();
        return;
      case 'history':
        await this.#history();
        return;
      case 'list':
        await this.#list();
        return;
      case 'find':
        await this.#find();
        return;
    }
  }

  // ---------------------------------------------------------------- writes

  #startMessage(requestId: string): Message {
    const { workflowId, type, input } = this.plan;
    return {
      priority: tenantOf(workflowId),
      ...{ type: 'start', runId: untimedRunId(this.#random.uuid()), requestId, identity: 'client', workflowType: type },
      ...{ taskQueue: TASK_QUEUE, input: jsonPayloads(input) },
      reusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      conflictPolicy: WorkflowIdConflictPolicy.FAIL,
    };
  }

  async #start(): Promise<void> {
    const { workflowId } = this.plan;
    const isStarted = (): boolean => this.#world.truth.workflows.has(workflowId);
    const outcome = await this.#sure('start', this.#startMessage(`${workflowId}/start`), { isDone: isStarted });
    if (!('value' in outcome) || outcome.value.type !== 'started')
      throw new Violation('door', `start of ${workflowId}`);
    const { runId } = outcome.value.response;
    if (this.runId !== undefined && this.runId !== runId) {
      throw new Violation('I5', `workflow ${workflowId} was started as run ${this.runId}, a repeat says ${runId}`);
    }
    if (this.#world.truth.run(runId)?.workflowId !== workflowId) {
      throw new Violation('I1', `the start of ${workflowId} as run ${runId} was acknowledged and is not committed`);
    }
    this.runId = runId;
  }

  #isSignalled(text: string): boolean {
    const { truth } = this.#world;
    const { workflowId } = this.plan;
    const data = JSON.stringify(text);
    if (truth.signals.has(`${workflowId} ${SIGNAL} ${data}`)) return true;
    return (truth.workflows.get(workflowId) ?? []).some(({ runId }) =>
      truth
        .buffered(workflowId, runId)
        .some(
          (event) =>
            event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED && jsonOf(event.attributes.input) === text,
        ),
    );
  }

  /** What its workflow says to it, however often it takes to ask. */
  async #update({ id, until }: Extract<Step, { do: 'update' }>): Promise<void> {
    const { workflowId } = this.plan;
    const ask = { updateId: id, updateName: UPDATE, args: jsonPayloads(id), identity: 'client' };
    const answered = await this.#until<UpdateWorkflowExecutionResponse>(
      'update',
      (engine, done) => {
        engine.update(this.#to, { type: 'update', callId: this.#random.uuid(), until, target: {}, ...ask }, done);
      },
      { isDone: () => this.#world.truth.updates.has(`${workflowId} ${id}`) },
    );
    // No refusal is an answer here.
    if (!('value' in answered)) return;
    const { value: answer } = answered;
    const { stage, outcome } = answer;
    const told = jsonOf(outcome?.success);
    const isRight = isBad(id)
      ? outcome?.failure !== undefined
      : told === id || (told === undefined && until === 'accepted' && stage === Stage.ACCEPTED);
    if (!isRight) throw new Violation('I5', `update ${id} of ${workflowId} was answered ${JSON.stringify(answer)}`);
    this.#world.updates.answered({ workflowId, updateId: id }, answer);
  }

  // ---------------------------------------------------------------- reads

  get #then(): Then {
    const run = this.#world.truth.workflows.get(this.plan.workflowId)?.at(-1);
    return { run, events: run?.events.length ?? 0 };
  }

  async #describe(): Promise<void> {
    const { truth } = this.#world;
    await this.#read<DescribeWorkflowExecutionResponse>(
      'describe',
      (engine, done) => engine.describe(this.#to, undefined, done),
      ({ workflowExecutionInfo: info }, then) => {
        const run = truth.run(info.runId);
        const wrong = (what: string): Violation =>
          new Violation('linearizable reads', `run ${info.runId} is described ${what}`);
        if (run === undefined) throw wrong('and is not committed');
        if (info.historyLength > run.events.length)
          throw wrong(`with ${info.historyLength} events, ${run.events.length} are committed`);
        if (this.#isOlder(run, then)) throw wrong(`when ${then.run?.runId} had followed it`);
        if (run === then.run && info.historyLength < then.events)
          throw wrong(`with ${info.historyLength} events, it had ${then.events} before`);
        if (info.status !== WorkflowExecutionStatus.RUNNING && run.closed === undefined)
          throw wrong('as closed, and is open');
      },
    );
  }

  async #history(): Promise<void> {
    const { truth } = this.#world;
    const query = { fromEventId: 1, maximumBytes: 10_000_000, waitNewEvent: false, closeEventOnly: false };
    await this.#read<GetWorkflowExecutionHistoryResponse>(
      'history',
      (engine, done) => void engine.history(this.#to, query, done),
      (answer, then) => {
        const run = truth.run(answer.runId);
        const events = answer.events.flatMap((bytes) => decode(bytes) as HistoryEvent[]);
        const wrong = (what: string): Violation =>
          new Violation('linearizable reads', `a history of run ${answer.runId} ${what}`);
        if (run === undefined) throw wrong('is shown, which is not committed');
        if (!same(events, run.events.slice(0, events.length))) throw wrong('is not the committed one');
        if (this.#isOlder(run, then)) throw wrong(`is shown when ${then.run?.runId} had followed it`);
        if (run === then.run && events.length < then.events)
          throw wrong(`ends at ${events.length}, it had ${then.events} before`);
      },
    );
  }

  async #query(requestId: string): Promise<void> {
    const { truth } = this.#world;
    let tries = 0;
    let signals: readonly string[] = [];
    await this.#read<QueryWorkflowResponse>(
      'query',
      (engine, done) => {
        tries += 1;
        const there = signalsOf(this.#then.run?.events ?? []);
        const queryId = `${requestId}/${tries}`;
        engine.query(this.#to, { type: 'query', queryId, target: {}, queryType: 'seen' }, (error, value) => {
          signals = there;
          done(error, value);
        });
      },
      (answer, then) => {
        const seen = jsonOf(answer.queryResult) as string[] | undefined;
        if (seen === undefined) return;
        const { workflowId } = this.plan;
        const run = truth.workflows.get(workflowId)?.at(-1);
        const missing = run === then.run ? signals.find((text) => !seen.includes(text)) : undefined;
        if (missing !== undefined) {
          throw new Violation(
            'linearizable reads',
            `a query of ${workflowId} does not show ${missing}, which was there before`,
          );
        }
        const invented = seen.find((text) => !truth.signals.has(`${workflowId} ${SIGNAL} ${JSON.stringify(text)}`));
        if (invented !== undefined)
          throw new Violation('I1', `a query of ${workflowId} shows ${invented}, which is not committed`);
      },
    );
  }

  async #list(): Promise<void> {
    const { truth } = this.#world;
    let runsThen: readonly string[] = [];
    let entriesThen = 0;
    await this.#read<ListWorkflowExecutionsResponse>(
      'list',
      (engine, done) => {
        // Of the attempt that is answered: one that was given up may reach its node, and begin, only now.
        const runs = [...truth.runs.keys()];
        const { entries } = truth;
        const request = { namespace: NAMESPACE, query: '', pageSize: 1_000, nextPageToken: undefined };
        engine.list(request, (error, value) => {
          runsThen = runs;
          entriesThen = entries;
          done(error, value);
        });
      },
      ({ executions, nextPageToken }) => {
        const unknown = executions.find(({ runId }) => truth.run(runId) === undefined);
        if (unknown !== undefined)
          throw new Violation('I1', `a list shows run ${unknown.runId}, which is not committed`);
        const listed = new Set(executions.map(({ runId }) => runId));
        if (listed.size !== executions.length) throw new Violation('list', 'a list shows a run twice');
        const { deletions } = truth.watches;
        for (const runId of listed) deletions.shown(runId, entriesThen, 'a list');
        // Activities without a workflow have a list of their own.
        const isMissing = (runId: string): boolean =>
          !listed.has(runId) && !deletions.isGone(runId) && !isActivityAddress(truth.run(runId)?.workflowId ?? '');
        const missing = nextPageToken === undefined ? runsThen.find(isMissing) : undefined;
        if (missing !== undefined) {
          throw new Violation(
            'linearizable reads',
            `a list asked for after run ${missing} of ${truth.run(missing)?.workflowId} began does not show it`,
          );
        }
      },
    );
  }

  async #find(): Promise<void> {
    const { workflowId } = this.plan;
    const request = {
      ...{ namespace: NAMESPACE, query: `WorkflowId = '${workflowId}'`, pageSize: 100, nextPageToken: undefined },
    };
    await this.#read<ListWorkflowExecutionsResponse>(
      'list',
      (engine, done) => engine.list(request, done),
      ({ executions }, then) => {
        const other = executions.find((info) => info.workflowId !== workflowId);
        if (other !== undefined)
          throw new Violation('list', `a list of ${workflowId} shows ${other.runId} of ${other.workflowId}`);
        const { run } = then;
        if (run !== undefined && !executions.some(({ runId }) => runId === run.runId))
          throw new Violation('linearizable reads', `a list of ${workflowId} does not show run ${run.runId}`);
      },
    );
  }

  /** Another run of the chain had begun before the read did. */
  #isOlder(run: TrueRun, then: Then): boolean {
    const runs = this.#world.truth.workflows.get(this.plan.workflowId) ?? [];
    return then.run !== undefined && runs.indexOf(run) < runs.indexOf(then.run);
  }

  // ---------------------------------------------------------------- the end

  #ended(result: AwaitWorkflowResultResponse): void {
    const { workflowId, type, input } = this.plan;
    const run = this.#world.truth.run(result.runId);
    const [event] = decode(result.closeEvent) as HistoryEvent[];
    if (run?.closed === undefined || !same(run.closed, event)) {
      throw new Violation('I1', `the end of ${workflowId} in run ${result.runId} was told and is not committed`);
    }
    const status = type === 'patient' ? WorkflowExecutionStatus.TERMINATED : WorkflowExecutionStatus.COMPLETED;
    const value =
      event?.eventType === EventType.WORKFLOW_EXECUTION_COMPLETED ? jsonOf(event.attributes.result) : undefined;
    if (result.status !== status || !same(value ?? null, expectedResult(type, input) ?? null)) {
      throw new Violation(
        'end',
        `workflow ${workflowId} ended with status ${result.status} and ${JSON.stringify(value)}`,
      );
    }
    this.result = result;
  }

  // ---------------------------------------------------------------- calls

  /** Until it is answered, whatever it takes. */
  #sure(what: string, message: Message, write: Write = {}): Promise<Outcome<Reply>> {
    return this.#until<Reply>(what, (engine, done) => engine.submit(this.#to, message, done), write);
  }

  async #until<T>(
    what: string,
    go: (engine: Engine, done: Done<T>) => void,
    { refusals = [], isDone }: Write,
  ): Promise<Outcome<T>> {
    let untouched = isDone?.() === false;
    for (let tries = 1; ; tries += 1) {
      if (tries === 2) this.#world.reached('request repeated');
      const outcome = await this.#once<T>(what, CALL_MS, go);
      if ('value' in outcome || refusals.includes(outcome.refused.code)) return outcome;
      this.#mustPass(what, outcome.refused);
      untouched &&= isNotApplied(outcome.refused);
      if (untouched) this.#world.reached('refused as not applied');
      await this.#pause(PAUSE_MS * Math.min(tries, 8));
      if (untouched && isDone?.() === true)
        throw new Violation('I5', `${what} of ${this.plan.workflowId} was refused as not applied, and was applied`);
    }
  }

  /** A few times; what comes of it is checked. */
  async #read<T>(
    what: string,
    go: (engine: Engine, done: Done<T>) => void,
    check: (answer: T, then: Then) => void,
  ): Promise<void> {
    for (let tries = 0; tries < READ_TRIES; tries += 1) {
      const then = this.#then;
      const outcome = await this.#once<T>(what, CALL_MS, go);
      if ('value' in outcome) {
        check(outcome.value, then);
        return;
      }
      // Of a workflow that closed before it could be asked anything.
      if (what === 'query' && outcome.refused.code === StatusCode.FAILED_PRECONDITION) return;
      this.#mustPass(what, outcome.refused);
      await this.#pause(PAUSE_MS);
    }
  }

  #mustPass(what: string, { code, message }: Status): void {
    if (code === StatusCode.NOT_FOUND && this.runId !== undefined) {
      throw new Violation(
        'linearizable reads',
        `${what} of ${this.plan.workflowId}: it is not found, and the start of its run ${this.runId} was acknowledged`,
      );
    }
    // Two workflow tasks in a row were lost on their way: as on a Temporal server, an update is refused until one is completed.
    if (what === 'update' && code === StatusCode.FAILED_PRECONDITION && losesTasks(this.#then.run)) return;
    if (!PASSING.has(code))
      throw new Violation('door', `${what} of ${this.plan.workflowId} was refused: ${code} ${message}`);
  }

  #once<T>(what: string, timeoutMs: number, go: (engine: Engine, done: Done<T>) => void): Promise<Outcome<T>> {
    const { kernel } = this.#world;
    const name = `${what} of ${this.plan.workflowId}`;
    return new Promise((resolve) => {
      let over = false;
      const settle = (outcome: Outcome<T>): void => {
        if (over) return;
        over = true;
        kernel.note(
          'refused' in outcome
            ? `${name} is refused: ${outcome.refused.code} ${outcome.refused.message}`
            : `${name} is answered`,
        );
        resolve(outcome);
      };
      kernel.after(timeoutMs, 'client waits no longer', () => {
        settle({ refused: { code: StatusCode.DEADLINE_EXCEEDED, message: `no answer within ${timeoutMs} ms` } });
      });
      this.#world.ask<T>(undefined, name, go, (error, value) => {
        // An answer without a value is one all the same.
        settle(error === undefined ? { value: value as T } : { refused: error });
      });
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#world.kernel.after(ms, 'client pauses', resolve);
    });
  }
}
