// The load from above: schedules that fire each second, batch jobs that signal, workflows that are sent back, while nodes come and go. Each call is
// repeated under its request id until it is answered. Afterwards every second of every schedule has one run, every batch job counts exactly what it did,
// and every run that a reset began has the signals of the one before it, in order. No worker is needed: what is in these histories, operations put there.

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Connection } from 'tenuto/client';
import type { Method, Methods } from '../../../src/wire/api.ts';
import { BatchOperationState, EventType, ScheduleOverlapPolicy } from '../../../src/wire/enums.ts';
import { chainOf } from './ledger.ts';

const namespace = 'default';
const identity = 'operations';
const TASK_QUEUE = 'operations-that-nobody-works-on';
const SCHEDULES = 12;
const SECOND_MS = 1_000;
/** Executions of each batch job, at five a second. */
const BATCH = 10;
const PER_SECOND = 5;
const SIGNALS = 4;
const BETWEEN_MS = 1_000;
const AGAIN_MS = 100;
/** ms after the last fault within which what is due is taken. */
const SETTLE_MS = 60_000;
/** The event after the first workflow task's scheduling: all that comes later is done again. */
const RESET_POINT = 3;

export interface OperationsReport {
  readonly fired: number;
  readonly batches: number;
  readonly resets: number;
}

export class Operations {
  readonly #connection: Connection;
  readonly #client: Client;
  readonly #stop = new AbortController();
  readonly #lanes: Promise<void>[];
  readonly #schedules: string[] = [];
  readonly #batches: string[] = [];
  readonly #resets: string[] = [];
  #fired = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#client = new Client({ connection });
    this.#lanes = [this.#schedule(), this.#lane((n) => this.#batch(n)), this.#lane((n) => this.#reset(n))];
    // Awaited by `stop`, which may be long after.
    for (const lane of this.#lanes) lane.catch(() => {});
  }

  get report(): OperationsReport {
    return { fired: this.#fired, batches: this.#batches.length, resets: this.#resets.length };
  }

  /** Nothing more is begun; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#lanes);
  }

  /** Returns what is wrong; empty: all is as it must be. */
  async check(): Promise<string[]> {
    const problems: string[] = [];
    const looked = async (what: string, look: () => Promise<string | undefined>): Promise<void> => {
      const problem = await look().catch((error: unknown) => `cannot be read: ${chainOf(error)}`);
      if (problem !== undefined) problems.push(`${what}: ${problem}`);
    };
    // Each may wait: all do at once.
    await Promise.all([
      ...this.#schedules.map((id) => looked(`schedule ${id}`, () => this.#checkSchedule(id))),
      ...this.#batches.map((id) => looked(`batch job ${id}`, () => this.#checkBatch(id))),
      ...this.#resets.map((id) => looked(`reset of ${id}`, () => this.#checkReset(id))),
    ]);
    return problems;
  }

  // ---------------------------------------------------------------- what is done

  async #schedule(): Promise<void> {
    for (let i = 0; i < SCHEDULES && !this.#stop.signal.aborted; i += 1) {
      const scheduleId = `each-second-${i}`;
      const workflow = { workflowId: `second-${i}`, workflowType: 'operated', taskQueue: TASK_QUEUE };
      const schedule = {
        spec: { interval: [{ interval: SECOND_MS }] },
        action: { startWorkflow: workflow },
        policies: { overlapPolicy: ScheduleOverlapPolicy.ALLOW_ALL },
      };
      await this.#insist('createSchedule', { namespace, scheduleId, schedule, identity, requestId: scheduleId });
      this.#schedules.push(scheduleId);
    }
  }

  async #batch(n: number): Promise<void> {
    const ids = Array.from({ length: BATCH }, (_, i) => `batch-${n}-of-${i}`);
    for (const workflowId of ids) await this.#start(workflowId);
    const jobId = `batch-${n}`;
    await this.#insist('startBatchOperation', {
      ...{ namespace, jobId, requestId: jobId, reason: 'chaos', maxOperationsPerSecond: PER_SECOND },
      ...{ visibilityQuery: `WorkflowId STARTS_WITH '${jobId}-of-'`, signalOperation: { signal: 'batched' } },
    });
    this.#batches.push(jobId);
  }

  async #reset(n: number): Promise<void> {
    const workflowId = `reset-${n}`;
    await this.#start(workflowId);
    for (let i = 0; i < SIGNALS; i += 1) await this.#signal(workflowId, i);
    await this.#insist('resetWorkflowExecution', {
      ...{ namespace, workflowId, reason: 'chaos', identity, requestId: `${workflowId}/reset` },
      workflowTaskFinishEventId: RESET_POINT,
    });
    for (let i = SIGNALS; i < 2 * SIGNALS; i += 1) await this.#signal(workflowId, i);
    this.#resets.push(workflowId);
  }

  async #start(workflowId: string): Promise<void> {
    const request = { namespace, workflowId, workflowType: 'operated', taskQueue: TASK_QUEUE, identity };
    await this.#insist('startWorkflowExecution', { ...request, requestId: workflowId });
  }

  async #signal(workflowId: string, i: number): Promise<void> {
    const signalName = `note-${i}`;
    const request = { namespace, workflowId, signalName, identity, requestId: `${workflowId}/${signalName}` };
    await this.#insist('signalWorkflowExecution', request);
  }

  async #lane(one: (n: number) => Promise<void>): Promise<void> {
    for (let n = 0; !this.#stop.signal.aborted; n += 1) {
      await one(n);
      await sleep(BETWEEN_MS);
    }
  }

  /** Until it is answered; gives up long after everything should be well again. */
  async #insist<M extends Method>(method: M, body: Methods[M]['request']): Promise<void> {
    const giveUpAtMs = performance.now() + SETTLE_MS;
    for (;;) {
      try {
        await this.#connection.request(method, body);
        return;
      } catch (error) {
        if (performance.now() > giveUpAtMs) throw error;
      }
      await sleep(AGAIN_MS);
    }
  }

  // ---------------------------------------------------------------- what must hold

  /** One run for each second from its making until it was paused. */
  async #checkSchedule(scheduleId: string): Promise<string | undefined> {
    const patch = { pause: 'the end' };
    await this.#insist('patchSchedule', { namespace, scheduleId, patch, identity, requestId: `${scheduleId}/end` });
    const giveUpAtMs = performance.now() + SETTLE_MS;
    const prefix = `second-${scheduleId.slice('each-second-'.length)}-`;
    for (;;) {
      const { info } = await this.#connection.request('describeSchedule', { namespace, scheduleId });
      const seconds: number[] = [];
      for await (const { workflowId } of this.#client.workflow.list({ query: `WorkflowId STARTS_WITH '${prefix}'` }))
        seconds.push(Date.parse(workflowId.slice(prefix.length)) / SECOND_MS);
      seconds.sort((a, b) => a - b);
      if (seconds.length === info.actionCount && info.bufferSize === 0) {
        this.#fired += seconds.length;
        return gap(seconds, info);
      }
      if (performance.now() > giveUpAtMs)
        return `counts ${info.actionCount} actions and ${info.bufferSize} that wait; ${seconds.length} runs are there`;
      await sleep(BETWEEN_MS);
    }
  }

  async #checkBatch(jobId: string): Promise<string | undefined> {
    const giveUpAtMs = performance.now() + SETTLE_MS;
    let job = await this.#connection.request('describeBatchOperation', { namespace, jobId });
    while (job.state === BatchOperationState.RUNNING && performance.now() < giveUpAtMs) {
      await sleep(AGAIN_MS);
      job = await this.#connection.request('describeBatchOperation', { namespace, jobId });
    }
    const { state, totalOperationCount: total, completeOperationCount: complete, failureOperationCount: failed } = job;
    if (state !== BatchOperationState.COMPLETED || total !== BATCH || complete !== BATCH || failed !== 0)
      return `state ${state}, ${complete} complete and ${failed} failed of ${total}, not all ${BATCH}`;
    for (let i = 0; i < BATCH; i += 1) {
      const { length } = await this.#signalsOf(`${jobId}-of-${i}`);
      if (length !== 1) return `execution ${i} has ${length} signals`;
    }
    return undefined;
  }

  async #checkReset(workflowId: string): Promise<string | undefined> {
    const found = await this.#signalsOf(workflowId);
    const wanted = Array.from({ length: 2 * SIGNALS }, (_, i) => `note-${i}`);
    return found.join() === wanted.join() ? undefined : `its last run has the signals ${found.join(' ')}`;
  }

  async #signalsOf(workflowId: string): Promise<string[]> {
    const { events } = await this.#client.workflow.getHandle(workflowId).fetchHistory();
    return events.flatMap((event) =>
      event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ? [String(event.attributes.signalName)] : [],
    );
  }
}

/** Why these are not all seconds since the making, each once. */
export function gap(
  seconds: readonly number[],
  { createTime, missedCatchupWindow }: { createTime: number; missedCatchupWindow: number },
): string | undefined {
  if (missedCatchupWindow > 0) return `${missedCatchupWindow} times were missed`;
  const first = Math.floor(createTime / SECOND_MS) + 1;
  const odd = seconds.findIndex((second, i) => second !== first + i);
  if (odd >= 0) return `run ${odd} is of second ${(seconds[odd] ?? 0) - first} after its making`;
  return seconds.length === 0 ? 'has never fired' : undefined;
}
