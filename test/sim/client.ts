// A client process: works through its workflows' steps over the real Connection, and repeats each request with the same request id until it
// is answered. What it has done is remembered outside, so a client that crashed goes on, repeating the step it does not know the end of.

import { defaultPayloadConverter, toPayloads } from '../../sdk/common/payload-converter.ts';
import type { Connection } from '../../sdk/connection/connection.ts';
import { RpcError } from '../../sdk/connection/rpc-error.ts';
import type { AwaitWorkflowResultResponse, Method, Methods } from '../../src/wire/api.ts';
import { UpdateWorkflowExecutionLifecycleStage as Stage, WorkflowIdReusePolicy } from '../../src/wire/enums.ts';
import { StatusCode } from '../../src/wire/status.ts';
import { type JobJournal, jobStart, jobTarget, keepOutcome } from './jobs.ts';
import { type Kernel, Process, Violation } from './kernel.ts';
import type { Network } from './network.ts';
import { NAMESPACE } from './node.ts';
import type { Step, WorkflowPlan } from './plan.ts';
import { connectionOver, TASK_QUEUE } from './worker.ts';

/** What clients know of one workflow; outlives them. */
export interface Journal {
  readonly plan: WorkflowPlan;
  done: number;
  runId: string | undefined;
  result: AwaitWorkflowResultResponse | undefined;
}

/** ms one try may take. */
const TRY_MS = 3_000;

export function startClient(
  world: { kernel: Kernel; network: Network },
  name: string,
  journals: Journal[],
  jobs: JobJournal[],
): Process {
  const { kernel, network } = world;
  const process = new Process(kernel, name);
  kernel.at(kernel.now, process, 'starts', () => {
    const connection = connectionOver(network, process);
    for (const journal of journals) {
      new Script(kernel, process, connection, journal).run().catch((error: unknown) => {
        if (process.alive) kernel.fail(error);
      });
    }
    for (const job of jobs) {
      runJob(process, connection, job).catch((error: unknown) => {
        if (process.alive) kernel.fail(error);
      });
    }
  });
  return process;
}

const payloads = (...args: unknown[]) => ({ payloads: toPayloads(defaultPayloadConverter, ...args) ?? [] });

class Script {
  readonly #kernel: Kernel;
  readonly #process: Process;
  readonly #connection: Connection;
  readonly #journal: Journal;

  constructor(kernel: Kernel, process: Process, connection: Connection, journal: Journal) {
    this.#kernel = kernel;
    this.#process = process;
    this.#connection = connection;
    this.#journal = journal;
  }

  async run(): Promise<void> {
    const journal = this.#journal;
    for (;;) {
      const step = journal.plan.steps[journal.done];
      if (step === undefined) break;
      await this.#step(step);
      journal.done += 1;
    }
    while (journal.result === undefined) {
      const { workflowId } = journal.plan;
      // A wait may end empty-handed at its deadline: it is asked again.
      journal.result = await this.#call(
        'awaitWorkflowResult',
        { namespace: NAMESPACE, workflowId, runId: journal.runId, followRuns: true },
        'sure',
      );
    }
    this.#kernel.note(`${this.#process.name} has the result of ${journal.plan.workflowId}`);
  }

  async #step(step: Step): Promise<void> {
    const { plan } = this.#journal;
    const { workflowId } = plan;
    const target = { namespace: NAMESPACE, workflowId };
    const identity = this.#process.name;
    const requestId = `${workflowId}/${this.#journal.done}`;
    switch (step.do) {
      case 'pause':
        await new Promise<void>((resolve) => {
          this.#process.after(step.ms, resolve);
        });
        return;
      case 'start':
      case 'startAgain':
        await this.#start();
        return;
      case 'startOther':
        await this.#startOther(requestId);
        return;
      case 'signal': {
        const input = payloads(step.id);
        await this.#call(
          'signalWorkflowExecution',
          { ...target, signalName: 'add', input, identity, requestId },
          'sure',
        );
        return;
      }
      case 'update':
        await this.#update(step);
        return;
      case 'cancel':
        await this.#call('requestCancelWorkflowExecution', { ...target, identity, requestId }, 'sure');
        return;
      case 'terminate':
        await this.#call('terminateWorkflowExecution', { ...target, identity, requestId }, 'sure');
        return;
      case 'query':
        if (plan.type === 'pipeline' || plan.type === 'collector' || plan.type === 'ledger') {
          await this.#call('queryWorkflow', { ...target, queryType: 'seen' }, 'try');
        }
        return;
      case 'describe':
        await this.#call('describeWorkflowExecution', target, 'try');
        return;
      case 'history':
        await this.#history(step);
        return;
      case 'list':
        await this.#call('listWorkflowExecutions', { namespace: NAMESPACE, query: '' }, 'try');
        return;
    }
  }

  /** What its validator and its handler say, however often it takes to ask. */
  async #update({ id, until }: Extract<Step, { do: 'update' }>): Promise<void> {
    const { workflowId } = this.#journal.plan;
    const waitStage = until === 'accepted' ? Stage.ACCEPTED : Stage.COMPLETED;
    const args = payloads(id);
    const request = { namespace: NAMESPACE, workflowId, updateId: id, updateName: 'note', args, waitStage };
    const answer = await this.#tries('updateWorkflowExecution', { ...request, identity: this.#process.name });
    const { stage, outcome } = answer;
    const isBad = id.startsWith('bad');
    const isRight = isBad
      ? outcome?.failure?.applicationFailureInfo?.type === 'Bad'
      : outcome === undefined
        ? stage === Stage.ACCEPTED && until === 'accepted'
        : Buffer.from(outcome.success?.payloads?.[0]?.data ?? []).toString() === JSON.stringify(id);
    if (!isRight) throw new Violation('I5', `update ${id} of ${workflowId} was answered ${JSON.stringify(answer)}`);
  }

  #startRequest(requestId: string): Methods['startWorkflowExecution']['request'] {
    const { workflowId, type, args } = this.#journal.plan;
    return {
      namespace: NAMESPACE,
      workflowId,
      workflowType: type,
      taskQueue: TASK_QUEUE,
      input: payloads(...args),
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      retryPolicy: type === 'stubborn' ? { initialInterval: 200, maximumAttempts: 5 } : undefined,
      identity: this.#process.name,
      requestId,
    };
  }

  async #start(): Promise<void> {
    const journal = this.#journal;
    const { workflowId } = journal.plan;
    const answer = await this.#call('startWorkflowExecution', this.#startRequest(`${workflowId}/start`), 'sure');
    if (answer === undefined) return;
    if (journal.runId !== undefined && journal.runId !== answer.runId) {
      throw new Violation(
        'I5',
        `workflow ${workflowId} was started as run ${journal.runId}, a repeat says ${answer.runId}`,
      );
    }
    journal.runId = answer.runId;
  }

  async #startOther(requestId: string): Promise<void> {
    const { workflowId } = this.#journal.plan;
    try {
      await this.#tries('startWorkflowExecution', this.#startRequest(requestId));
    } catch (error) {
      if (error instanceof RpcError && error.code === StatusCode.ALREADY_EXISTS) return;
      throw error;
    }
    throw new Violation('I8', `workflow ${workflowId} was started a second time`);
  }

  async #history(step: Extract<Step, { do: 'history' }>): Promise<void> {
    const { workflowId } = this.#journal.plan;
    let fromEventId = 1;
    let runId: string | undefined;
    for (let page = 0; page < 20; page += 1) {
      const answer = await this.#call(
        'getWorkflowExecutionHistory',
        {
          namespace: NAMESPACE,
          workflowId,
          runId,
          fromEventId,
          maximumBytes: step.pageBytes,
          waitNewEvent: step.wait || undefined,
        },
        'try',
      );
      if (answer?.nextEventId === undefined) return;
      fromEventId = answer.nextEventId;
      runId = answer.runId;
    }
  }

  /** `sure`: until it is answered, whatever it takes. `try`: a few seconds, no matter what comes of it. */
  async #call<M extends Method>(
    method: M,
    body: Methods[M]['request'],
    how: 'sure' | 'try',
  ): Promise<Methods[M]['response'] | undefined> {
    if (how === 'sure') return this.#tries(method, body);
    try {
      return await this.#connection.request(method, body, { timeoutMs: TRY_MS });
    } catch (error) {
      if (error instanceof RpcError) return undefined;
      throw error;
    }
  }

  #tries<M extends Method>(method: M, body: Methods[M]['request']): Promise<Methods[M]['response']> {
    return tries(this.#process, this.#connection, method, body);
  }
}

async function runJob(process: Process, connection: Connection, job: JobJournal): Promise<void> {
  if (job.outcome !== undefined) return;
  const call = <M extends Method>(method: M, body: Methods[M]['request']) => tries(process, connection, method, body);
  await new Promise<void>((resolve) => {
    process.after(job.pauseMs, resolve);
  });
  const { runId } = await call('startActivityExecution', jobStart(job, payloads, process.name));
  if (job.runId !== undefined && job.runId !== runId)
    throw new Violation('I5', `${job.activityId} was started as run ${job.runId}, a repeat says ${runId}`);
  job.runId = runId;
  if (job.kind === 'cancel') {
    const requestId = `${job.activityId}/cancel`;
    try {
      await call('requestCancelActivityExecution', { ...jobTarget(job), identity: process.name, requestId });
    } catch (error) {
      // It was over before.
      if (!(error instanceof RpcError) || error.code !== StatusCode.FAILED_PRECONDITION) throw error;
    }
  }
  for (let asked = 0; asked < 2; ) {
    const { outcome } = await call('pollActivityExecution', { ...jobTarget(job), runId });
    if (outcome === undefined) continue;
    keepOutcome(job, outcome);
    asked += 1;
  }
}

async function tries<M extends Method>(
  process: Process,
  connection: Connection,
  method: M,
  body: Methods[M]['request'],
): Promise<Methods[M]['response']> {
  for (;;) {
    try {
      return await connection.request(method, body, { timeoutMs: TRY_MS });
    } catch (error) {
      if (!(error instanceof RpcError) || !PASSING.has(error.code)) throw error;
    }
    await new Promise<void>((resolve) => {
      process.after(100, resolve);
    });
  }
}

/** Refusals that say nothing about the request itself. DATA_LOSS passes when the backup is restored. */
const PASSING: ReadonlySet<number> = new Set([
  StatusCode.UNAVAILABLE,
  StatusCode.DEADLINE_EXCEEDED,
  StatusCode.RESOURCE_EXHAUSTED,
  StatusCode.DATA_LOSS,
  StatusCode.INTERNAL,
]);
