// A batch job: one operation on each execution that a filter finds, or that a list names. What it is to do never changes; how far it has come
// does, by these pure steps. A page of executions is kept before any of them is touched, and what came of them is counted in the step that moves on
// past them: so each is counted once, whatever crashes in between. Two leaders may be at the same step for a while, each holding itself for the only
// one: the second to note it finds that the job has moved on, and changes nothing. Driven by src/shard/jobs.

import type { BatchOperationInfo, BatchTarget } from '../../wire/batch.ts';
import { BatchOperationState } from '../../wire/enums.ts';
import { type BatchOperation, operationType } from './operations.ts';

/** Operations per second when none are said, as in Temporal. */
export const DEFAULT_PER_SECOND = 50;
export const MAX_PER_SECOND = 5_000;
/** Executions one request may name. */
export const MAX_EXECUTIONS = 1_000;
/** Executions kept at a time: those the job is about to come to. */
export const PAGE = 1_000;
/** Executions between two notes of how far it has come. */
const MAX_SLICE = 500;

export interface JobOrder {
  jobId: string;
  /** A repeat of the same request is answered like the first. */
  requestId: string;
  reason: string;
  identity: string;
  operation: BatchOperation;
  target: { query: string } | { executions: BatchTarget[] };
  perSecond: number;
}

export interface JobSpec extends JobOrder {
  /** Epoch ms. */
  startTime: number;
}

/** The executions at hand, and which comes next. */
export interface JobPage {
  targets: BatchTarget[];
  at: number;
  /** Of the page after it; absent: it is the last one. */
  next?: Uint8Array | undefined;
}

export interface JobProgress {
  state: BatchOperationState;
  total: number;
  complete: number;
  failure: number;
  page?: JobPage | undefined;
  closeTime?: number | undefined;
  closeReason?: string | undefined;
}

export interface Job {
  spec: JobSpec;
  progress: JobProgress;
}

export const isRunning = ({ state }: JobProgress): boolean => state === BatchOperationState.RUNNING;

export function firstProgress({ target }: JobSpec): JobProgress {
  const begun = { state: BatchOperationState.RUNNING, complete: 0, failure: 0 };
  if ('query' in target) return { ...begun, total: 0 };
  return { ...begun, total: target.executions.length, page: { targets: target.executions, at: 0 } };
}

/** Whether the executions at hand are used up, and more are to be found. */
export const needsPage = ({ page }: JobProgress): boolean =>
  page === undefined || (page.at >= page.targets.length && page.next !== undefined);

/** Executions that are over. It only grows: a step that began at it is noted only while the job is still there. */
export const countedIn = ({ complete, failure }: JobProgress): number => complete + failure;

/**
 * The next page, found when so many were `counted`.
 *
 * @param total how many there are in all, when they have just been counted.
 */
export function withPage(
  progress: JobProgress,
  counted: number,
  page: Omit<JobPage, 'at'>,
  total = progress.total,
): JobProgress {
  if (!isRunning(progress) || countedIn(progress) !== counted || !needsPage(progress)) return progress;
  return { ...progress, total, page: { ...page, at: 0 } };
}

/** The next executions to come to: about a second's work. */
export const nextSlice = ({ page }: JobProgress, { perSecond }: JobSpec): readonly BatchTarget[] =>
  page === undefined ? [] : page.targets.slice(page.at, page.at + Math.max(1, Math.min(perSecond, MAX_SLICE)));

/** What came of the next executions after the `counted` ones. A job that was stopped meanwhile counts them, too: they happened. */
export function settled(
  progress: JobProgress,
  counted: number,
  came: { complete: number; failure: number },
  now: number,
): JobProgress {
  // Another leader's step has counted them.
  if (countedIn(progress) !== counted) return progress;
  const { page } = progress;
  const complete = progress.complete + came.complete;
  const failure = progress.failure + came.failure;
  const at = (page?.at ?? 0) + came.complete + came.failure;
  const further = { ...progress, complete, failure, total: Math.max(progress.total, complete + failure) };
  if (!isRunning(progress)) return further;
  const isOver = page === undefined || (at >= page.targets.length && page.next === undefined);
  // Of those counted at the beginning some may have closed by themselves before their turn.
  if (isOver) return closed({ ...further, total: complete + failure }, BatchOperationState.COMPLETED, now);
  return { ...further, page: { ...page, at } };
}

/** Ended before it was through. */
export const ended = (progress: JobProgress, closeReason: string, now: number): JobProgress => ({
  ...closed(progress, BatchOperationState.FAILED, now),
  closeReason,
});

/** What it was about to come to is nobody's business any more. */
function closed({ page: _, ...progress }: JobProgress, state: BatchOperationState, closeTime: number): JobProgress {
  return { ...progress, state, closeTime };
}

export const infoOf = ({ spec, progress }: Job): BatchOperationInfo => ({
  operationType: operationType(spec.operation),
  jobId: spec.jobId,
  state: progress.state,
  startTime: spec.startTime,
  closeTime: progress.closeTime,
  totalOperationCount: progress.total,
  completeOperationCount: progress.complete,
  failureOperationCount: progress.failure,
  identity: spec.identity,
  reason: spec.reason,
  query: 'query' in spec.target ? spec.target.query : undefined,
  closeReason: progress.closeReason,
});
