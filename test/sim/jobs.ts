// Activities without a workflow in the simulation: a client starts each, repeats the request until it is answered, and waits for the outcome.
// Each ends exactly once, with a result that an execution of its own has made, however often it is asked for.

import { defaultPayloadConverter, toPayloads } from '../../sdk/common/payload-converter.ts';
import type { ActivityExecutionOutcome } from '../../src/wire/activity.ts';
import { activityAddress } from '../../src/wire/activity-address.ts';
import { BatchOperationState, RetryState } from '../../src/wire/enums.ts';
import { StatusCode } from '../../src/wire/status.ts';
import type { Caller } from './caller.ts';
import { type Process, Violation } from './kernel.ts';
import { NAMESPACE, TASK_QUEUE } from './names.ts';
import { SeededRandom } from './random.ts';
import type { Effect, Service } from './service.ts';

export interface JobJournal {
  readonly activityId: string;
  /** `call` or `work` of the service; `cancel`: a call that is asked to stop. */
  readonly kind: 'call' | 'work' | 'cancel';
  /** Asked to stop by a batch job that finds it. */
  readonly byBatch: boolean;
  readonly pauseMs: number;
  runId: string | undefined;
  outcome: ActivityExecutionOutcome | undefined;
}

const JOBS = 8;
/** ms between two looks at a batch job. */
const LOOK_MS = 200;
/** Only every so many seeds have some: those that have found a bug (seeds.ts), or find a planted one (bugs.ts), go on meaning the same history. */
const PERIOD = 9;
const PHASE = 2;
/** Of those every other stops them by batch jobs. */
const BATCHES = { period: 2 * PERIOD, phase: PHASE + PERIOD };

/** Of a random stream of their own, so that the rest of a plan is what it was. */
export function makeJobs(seed: number): JobJournal[] {
  if (seed % PERIOD !== PHASE) return [];
  const random = new SeededRandom(`jobs ${seed}`);
  return Array.from({ length: JOBS }, (_, i) => ({
    activityId: `job-${i}`,
    kind: random.chance(0.2) ? 'cancel' : random.chance(0.5) ? 'call' : 'work',
    byBatch: seed % BATCHES.period === BATCHES.phase,
    pauseMs: random.between(0, 3_000),
    runId: undefined,
    outcome: undefined,
  }));
}

const payloads = (...args: unknown[]) => ({ payloads: toPayloads(defaultPayloadConverter, ...args) ?? [] });

const jobTarget = ({ activityId }: JobJournal) => ({ namespace: NAMESPACE, activityId });

const jobStart = (job: JobJournal, identity: string) => ({
  ...jobTarget(job),
  activityType: job.kind === 'work' ? 'work' : 'call',
  taskQueue: TASK_QUEUE,
  input: job.kind === 'work' ? payloads(job.activityId, 5) : payloads(job.activityId),
  startToCloseTimeout: 2_000,
  heartbeatTimeout: job.kind === 'work' ? 1_000 : undefined,
  retryPolicy: { initialInterval: 100, maximumInterval: 1_000 },
  identity,
  requestId: `${job.activityId}/start`,
});

const dataOf = ({ result }: ActivityExecutionOutcome): Uint8Array | undefined => result?.payloads?.[0]?.data;

/** Bytes come as one kind of array or another. */
const textOf = (outcome: ActivityExecutionOutcome): string =>
  JSON.stringify([outcome.failure?.message, Buffer.from(dataOf(outcome) ?? []).toString()]);

/** The same answer however often it is asked. */
function keepOutcome(job: JobJournal, outcome: ActivityExecutionOutcome): void {
  const [before, now] = [job.outcome, outcome].map((one) => one && textOf(one));
  if (before !== undefined && before !== now)
    throw new Violation('I6', `${job.activityId} ended as ${before}, then ${now}`);
  job.outcome = outcome;
}

/** Starts it, waits for its outcome, and asks for that once more. */
export async function runJob(process: Process, caller: Caller, job: JobJournal): Promise<void> {
  if (job.outcome !== undefined) return;
  await caller.wait(job.pauseMs);
  const { runId } = await caller.sure('startActivityExecution', jobStart(job, process.name));
  if (job.runId !== undefined && job.runId !== runId)
    throw new Violation('I5', `${job.activityId} was started as run ${job.runId}, a repeat says ${runId}`);
  job.runId = runId;
  if (job.kind === 'cancel' && job.byBatch) await cancelByBatch(caller, job);
  else if (job.kind === 'cancel') {
    const cancel = { ...jobTarget(job), identity: process.name, requestId: `${job.activityId}/cancel` };
    // It was over before.
    await caller.unless([StatusCode.FAILED_PRECONDITION], 'requestCancelActivityExecution', cancel);
  }
  for (let asked = 0; asked < 2; ) {
    const { outcome } = await caller.sure('pollActivityExecution', { ...jobTarget(job), runId });
    if (outcome === undefined) continue;
    keepOutcome(job, outcome);
    asked += 1;
  }
}

/** One that has ended before counts, too. */
async function cancelByBatch(caller: Caller, { activityId }: JobJournal): Promise<void> {
  const batch = { namespace: NAMESPACE, jobId: `${activityId}-batch` };
  const what = { visibilityQuery: `ActivityId = '${activityId}'`, cancelActivitiesOperation: { reason: 'enough' } };
  await caller.sure('startBatchOperation', { ...batch, reason: 'of the simulation', requestId: batch.jobId, ...what });
  for (;;) {
    const told = await caller.sure('describeBatchOperation', batch);
    if (told.state === BatchOperationState.RUNNING) await caller.wait(LOOK_MS);
    else {
      if (told.completeOperationCount !== 1 || told.totalOperationCount !== 1)
        throw new Violation('end', `batch job ${batch.jobId} is about one activity and says ${JSON.stringify(told)}`);
      return;
    }
  }
}

export function checkJobs(jobs: readonly JobJournal[], service: Service): void {
  for (const { activityId, kind, outcome } of jobs) {
    const data = outcome && dataOf(outcome);
    if (data === undefined) {
      // It stopped, or failed where it would have been tried again.
      const wasStopped = outcome?.failure?.canceledFailureInfo !== undefined;
      if (kind === 'cancel' && (wasStopped || outcome?.retryState === RetryState.CANCEL_REQUESTED)) continue;
      throw new Violation('I6', `${activityId} ended without a result: ${JSON.stringify(outcome)}`);
    }
    // What the service made.
    const { key, execution } = JSON.parse(Buffer.from(data).toString()) as Effect;
    const made = service.done.get(execution);
    if (key !== activityId || made?.key !== activityId)
      throw new Violation(
        'I6',
        `${activityAddress(activityId)} has the result of execution ${execution}: ${made?.key}`,
      );
  }
}
