// A client process: works through its workflows' steps over the real Connection, and repeats each request with the same request id until it
// is answered. What it has done is remembered outside, so a client that crashed goes on, repeating the step it does not know the end of.

import { defaultPayloadConverter, toPayloads } from '../../sdk/common/payload-converter.ts';
import { RpcError } from '../../sdk/connection/rpc-error.ts';
import type { Method, Methods } from '../../src/wire/api.ts';
import { UpdateWorkflowExecutionLifecycleStage as Stage, WorkflowIdReusePolicy } from '../../src/wire/enums.ts';
import type { AwaitWorkflowResultResponse } from '../../src/wire/history.ts';
import { StatusCode } from '../../src/wire/status.ts';
import { type CalledJournal, runCalled } from './called.ts';
import { Caller } from './caller.ts';
import { type DeployJournal, runDeploys } from './deploys.ts';
import { type JobJournal, runJob } from './jobs.ts';
import { type Kernel, Process, Violation } from './kernel.ts';
import { NAMESPACE, TASK_QUEUE } from './names.ts';
import type { Network } from './network.ts';
import type { CallbackWatch } from './operations/callback-watch.ts';
import { type OperationJournal, OperationScript } from './operations/script.ts';
import type { Step, WorkflowPlan } from './plan.ts';
import { tenantOf } from './tenants.ts';
import type { Truth } from './truth.ts';
import { connectionOver } from './worker.ts';

/** What clients know of one workflow; outlives them. */
export interface Journal {
  readonly plan: WorkflowPlan;
  done: number;
  runId: string | undefined;
  result: AwaitWorkflowResultResponse | undefined;
}

/** What one client is to do, and has done. */
export interface ClientJournals {
  journals: Journal[];
  operations: OperationJournal[];
  jobs: JobJournal[];
  called: CalledJournal[];
  deploys: DeployJournal | undefined;
}

export function startClient(
  world: { kernel: Kernel; network: Network; truth: Truth; callbacks: CallbackWatch },
  name: string,
  { journals, operations, jobs, called, deploys }: ClientJournals,
): Process {
  const { kernel, network, truth, callbacks } = world;
  const process = new Process(kernel, name);
  kernel.at(kernel.now, process, 'starts', () => {
    const caller = new Caller(process, connectionOver(network, process));
    const failed = (error: unknown): void => {
      if (process.alive) kernel.fail(error);
    };
    for (const journal of journals) new Script(kernel, process, caller, journal).run().catch(failed);
    for (const job of jobs) runJob(process, caller, job).catch(failed);
    for (const one of called) runCalled(process, caller, callbacks, one).catch(failed);
    if (deploys !== undefined) runDeploys(process, caller, deploys).catch(failed);
    for (const journal of operations) new OperationScript({ process, caller, truth }, journal).run().catch(failed);
  });
  return process;
}

const payloads = (...args: unknown[]) => ({ payloads: toPayloads(defaultPayloadConverter, ...args) ?? [] });

class Script {
  readonly #kernel: Kernel;
  readonly #process: Process;
  readonly #caller: Caller;
  readonly #journal: Journal;

  constructor(kernel: Kernel, process: Process, caller: Caller, journal: Journal) {
    this.#kernel = kernel;
    this.#process = process;
    this.#caller = caller;
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
      case 'hold':
        await this.#pausing('pauseWorkflowExecution', { ...target, identity, requestId });
        return;
      case 'letGo':
        await this.#pausing('unpauseWorkflowExecution', { ...target, identity, requestId });
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

  /** What has closed by itself cannot be paused, and was not. */
  async #pausing(
    method: 'pauseWorkflowExecution' | 'unpauseWorkflowExecution',
    body: Methods['pauseWorkflowExecution']['request'],
  ): Promise<void> {
    await this.#caller.unless([StatusCode.NOT_FOUND], method, body);
  }

  /** What its validator and its handler say, however often it takes to ask. */
  async #update({ id, until }: Extract<Step, { do: 'update' }>): Promise<void> {
    const { workflowId } = this.#journal.plan;
    const waitStage = until === 'accepted' ? Stage.ACCEPTED : Stage.COMPLETED;
    const args = payloads(id);
    const request = { namespace: NAMESPACE, workflowId, updateId: id, updateName: 'note', args, waitStage };
    const answer = await this.#caller.sure('updateWorkflowExecution', { ...request, identity: this.#process.name });
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
    const { workflowId, type, args, flow, upgrades } = this.#journal.plan;
    return {
      namespace: NAMESPACE,
      workflowId,
      workflowType: type,
      taskQueue: TASK_QUEUE,
      input: payloads(...args),
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      retryPolicy: type === 'stubborn' ? { initialInterval: 200, maximumAttempts: 5 } : undefined,
      priority: tenantOf(workflowId),
      identity: this.#process.name,
      requestId,
      flowControl: flow,
      ...(upgrades && { versioningOverride: { autoUpgrade: true } }),
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
      await this.#caller.sure('startWorkflowExecution', this.#startRequest(requestId));
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

  #call<M extends Method>(
    method: M,
    body: Methods[M]['request'],
    how: 'sure' | 'try',
  ): Promise<Methods[M]['response'] | undefined> {
    return how === 'sure' ? this.#caller.sure(method, body) : this.#caller.try(method, body);
  }
}
