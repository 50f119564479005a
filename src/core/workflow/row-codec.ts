// Rows as storage holds them. The rows that most turns rewrite are lists by position, a third of the bytes of the same map with its names;
// the others stay maps. A position keeps its meaning for ever: a new field goes to the end of its list, and reads as absent from older rows.
// Called by src/shard, which turns the lists into MessagePack; load (state.ts) sees only what comes back (I4).

import type { ResetPointInfo, WorkerVersionStamp } from '../../wire/common.ts';
import { inputRowOf } from './activity-rows.ts';
import { FINGERPRINT_BYTES } from './fingerprint.ts';
import { packChain, packStart, unpackChain, unpackStart } from './first-rows.ts';
import type { RowTable } from './outcome.ts';
import { listOf, put, trimmed } from './row-lists.ts';
import type {
  ActivityFacts,
  ActivityRow,
  ChainRow,
  RequestChunkRow,
  RunFacts,
  RunRow,
  StartRow,
  WorkflowTaskRow,
} from './rows.ts';
import { chunkOf, START_ROW_ID } from './rows.ts';

/** A row's value as plain data for MessagePack. */
export function packRow(table: RowTable, id: string, value: object): object {
  // The table and the id determine the value's type: only decide makes row values.
  if (table === 'run') return id === START_ROW_ID ? packStart(value as StartRow) : packRun(value as RunRow);
  if (table === 'activity' && inputRowOf(id) === undefined) return packActivity(value as ActivityRow);
  if (table === 'chain' && id === '') return packChain(value as ChainRow);
  if (table === 'chain' && chunkOf(id) !== undefined) return packChunk(value as RequestChunkRow);
  return value;
}

/** The value that `packRow` was given. Throws when `packed` is not of its making: the row is damaged. */
export function unpackRow(table: RowTable, id: string, packed: unknown): object {
  if (table === 'run') return id === START_ROW_ID ? unpackStart(listOf(packed)) : unpackRun(listOf(packed));
  if (table === 'activity' && inputRowOf(id) === undefined) return unpackActivity(listOf(packed));
  if (table === 'chain' && id === '') return unpackChain(listOf(packed));
  if (table === 'chain' && chunkOf(id) !== undefined) return unpackChunk(listOf(packed));
  if (typeof packed !== 'object' || packed === null) throw new Error(`a ${table} row holds no map`);
  return packed;
}

const packChunk = ({ runId, at, ids }: RequestChunkRow): unknown[] => [runId, at, ids];

function unpackChunk([runId, at, ids]: unknown[]): RequestChunkRow {
  if (!(ids instanceof Uint8Array) || ids.length % FINGERPRINT_BYTES !== 0) {
    throw new Error('a row of request ids holds no fingerprints');
  }
  return { runId: String(runId), at: Number(at), ids };
}

const packRun = (row: RunRow): unknown[] =>
  trimmed([
    packFacts(row.facts),
    row.nextAttempt,
    row.transitions,
    row.bufferedBytes,
    row.nextBufferedId,
    row.counts.activity,
    row.counts.timer,
    row.counts.buffered,
    row.task === undefined ? undefined : packTask(row.task),
    row.sticky?.queue,
    row.sticky?.scheduleToStartTimeout,
    row.firstTaskAt,
    row.runExpiration,
    row.executionExpiration,
    row.counts.child,
    row.counts.signal,
    row.counts.cancel,
    row.taskFailure,
    row.counts.update,
    row.permit,
    row.counts.operation,
    row.pausedTypes,
    row.standalone,
    row.lastCallback,
  ]);

function unpackRun(list: unknown[]): RunRow {
  const [facts, nextAttempt, transitions, bufferedBytes, nextBufferedId, activity, timer, buffered, task] = list;
  const row: RunRow = {
    facts: unpackFacts(listOf(facts)),
    nextAttempt: Number(nextAttempt),
    bufferedBytes: Number(bufferedBytes),
    nextBufferedId: Number(nextBufferedId),
    counts: { activity: Number(activity), timer: Number(timer), buffered: Number(buffered) },
    transitions: Number(transitions),
  };
  if (task !== undefined && task !== null) row.task = unpackTask(listOf(task));
  const queue = list[9];
  if (typeof queue === 'string') row.sticky = { queue, scheduleToStartTimeout: Number(list[10]) };
  put(row, 'firstTaskAt', list[11]);
  put(row, 'runExpiration', list[12]);
  put(row, 'executionExpiration', list[13]);
  put(row.counts, 'child', list[14]);
  put(row.counts, 'signal', list[15]);
  put(row.counts, 'cancel', list[16]);
  put(row, 'taskFailure', list[17]);
  put(row.counts, 'update', list[18]);
  put(row, 'permit', list[19]);
  put(row.counts, 'operation', list[20]);
  put(row, 'pausedTypes', list[21]);
  put(row, 'standalone', list[22]);
  put(row, 'lastCallback', list[23]);
  return row;
}

const packFacts = (facts: RunFacts): unknown[] =>
  trimmed([
    facts.status,
    facts.nextEventId,
    facts.historyBytes,
    facts.cancelRequested,
    facts.signalCount,
    facts.previousStartedEventId,
    facts.resetPoints.map(packPoint),
    facts.lastBuildId,
    facts.closeTime,
    facts.nextRunId,
    facts.memo,
    facts.searchAttributes,
    facts.state,
    facts.versioning,
    facts.pause,
    facts.priority,
    facts.builds?.map(({ buildId, binaryChecksum }) => trimmed([buildId, binaryChecksum])),
    facts.attached?.flatMap(({ requestId, eventId }) => [requestId, eventId]),
  ]);

function unpackFacts(list: unknown[]): RunFacts {
  const [status, nextEventId, historyBytes, cancelRequested, signalCount, previousStartedEventId, resetPoints] = list;
  const facts: RunFacts = {
    status: status as RunFacts['status'],
    nextEventId: Number(nextEventId),
    historyBytes: Number(historyBytes),
    cancelRequested: cancelRequested === true,
    signalCount: Number(signalCount),
    previousStartedEventId: Number(previousStartedEventId),
    resetPoints: listOf(resetPoints).map((point) => unpackPoint(listOf(point))),
  };
  put(facts, 'lastBuildId', list[7]);
  put(facts, 'closeTime', list[8]);
  put(facts, 'nextRunId', list[9]);
  put(facts, 'memo', list[10]);
  put(facts, 'searchAttributes', list[11]);
  put(facts, 'state', list[12]);
  put(facts, 'versioning', list[13]);
  put(facts, 'pause', list[14]);
  put(facts, 'priority', list[15]);
  if (list[16] !== undefined && list[16] !== null) {
    facts.builds = listOf(list[16]).map((one) => {
      const [buildId, binaryChecksum] = listOf(one);
      const build: NonNullable<RunFacts['builds']>[number] = {};
      put(build, 'buildId', buildId);
      put(build, 'binaryChecksum', binaryChecksum);
      return build;
    });
  }
  if (list[17] !== undefined && list[17] !== null) {
    const flat = listOf(list[17]);
    facts.attached = flat.flatMap((requestId, i) =>
      i % 2 === 0 ? [{ requestId: String(requestId), eventId: Number(flat[i + 1]) }] : [],
    );
  }
  return facts;
}

const packPoint = (point: ResetPointInfo): unknown[] =>
  trimmed([
    point.buildId,
    point.runId,
    point.firstWorkflowTaskCompletedId,
    point.createTime,
    point.resettable,
    point.expireTime,
    point.binaryChecksum,
  ]);

function unpackPoint(list: unknown[]): ResetPointInfo {
  const point: ResetPointInfo = {};
  put(point, 'buildId', list[0]);
  put(point, 'runId', list[1]);
  put(point, 'firstWorkflowTaskCompletedId', list[2]);
  put(point, 'createTime', list[3]);
  put(point, 'resettable', list[4]);
  put(point, 'expireTime', list[5]);
  put(point, 'binaryChecksum', list[6]);
  return point;
}

const packStamp = (stamp: WorkerVersionStamp): unknown[] => trimmed([stamp.buildId, stamp.useVersioning]);

function unpackStamp(packed: unknown): WorkerVersionStamp | undefined {
  if (packed === undefined || packed === null) return undefined;
  const [buildId, useVersioning] = listOf(packed);
  const stamp: WorkerVersionStamp = {};
  put(stamp, 'buildId', buildId);
  put(stamp, 'useVersioning', useVersioning);
  return stamp;
}

const packTask = (task: WorkflowTaskRow): unknown[] =>
  trimmed([
    task.scheduledEventId,
    task.startedEventId,
    task.attempt,
    task.scheduledTime,
    task.originalScheduledTime,
    task.timeout,
    task.startId?.term,
    task.startId?.seq,
    task.startedTime,
    task.session,
    task.identity,
    task.requestId,
    task.takerStickyQueue,
    task.takerStickyTimeout,
    task.historySizeBytes,
    task.warm,
    task.stickyQueue,
    task.stickyUntil,
    task.workerVersion && packStamp(task.workerVersion),
    task.notBefore,
    task.suggestContinueAsNewReasons,
    task.version,
    task.runPriority,
  ]);

function unpackTask(list: unknown[]): WorkflowTaskRow {
  const [scheduledEventId, startedEventId, attempt, scheduledTime, originalScheduledTime, timeout, term, seq] = list;
  const task: WorkflowTaskRow = {
    scheduledEventId: Number(scheduledEventId),
    startedEventId: Number(startedEventId),
    attempt: Number(attempt),
    scheduledTime: Number(scheduledTime),
    originalScheduledTime: Number(originalScheduledTime),
    timeout: Number(timeout),
  };
  if (typeof term === 'number') task.startId = { term, seq: Number(seq) };
  put(task, 'startedTime', list[8]);
  put(task, 'session', list[9]);
  put(task, 'identity', list[10]);
  put(task, 'requestId', list[11]);
  put(task, 'takerStickyQueue', list[12]);
  put(task, 'takerStickyTimeout', list[13]);
  put(task, 'historySizeBytes', list[14]);
  put(task, 'warm', list[15]);
  put(task, 'stickyQueue', list[16]);
  put(task, 'stickyUntil', list[17]);
  put(task, 'workerVersion', unpackStamp(list[18]));
  put(task, 'notBefore', list[19]);
  put(task, 'suggestContinueAsNewReasons', list[20]);
  put(task, 'version', list[21]);
  put(task, 'runPriority', list[22]);
  return task;
}

const packActivity = (row: ActivityRow): unknown[] =>
  trimmed([
    packActivityFacts(row.facts),
    row.attempt,
    row.scheduledTime,
    row.inBackoff,
    row.startId?.term,
    row.startId?.seq,
    row.startedTime,
    row.session,
    row.identity,
    row.requestId,
    row.workerVersion && packStamp(row.workerVersion),
    row.lastHeartbeatTime,
    row.heartbeatDetails,
    row.lastFailure,
    row.lastAttemptCompleteTime,
    row.retryInterval,
    row.apart,
    row.countsFrom,
    row.pause,
    row.options,
    row.reset,
    row.version,
    row.permit,
    row.lastStartedTime,
    row.runPriority,
  ]);

function unpackActivity(list: unknown[]): ActivityRow {
  const [facts, attempt, scheduledTime, inBackoff, term, seq] = list;
  const row: ActivityRow = {
    facts: unpackActivityFacts(listOf(facts)),
    attempt: Number(attempt),
    scheduledTime: Number(scheduledTime),
    inBackoff: inBackoff === true,
  };
  if (typeof term === 'number') row.startId = { term, seq: Number(seq) };
  put(row, 'startedTime', list[6]);
  put(row, 'session', list[7]);
  put(row, 'identity', list[8]);
  put(row, 'requestId', list[9]);
  put(row, 'workerVersion', unpackStamp(list[10]));
  put(row, 'lastHeartbeatTime', list[11]);
  put(row, 'heartbeatDetails', list[12]);
  put(row, 'lastFailure', list[13]);
  put(row, 'lastAttemptCompleteTime', list[14]);
  put(row, 'retryInterval', list[15]);
  put(row, 'apart', list[16]);
  put(row, 'countsFrom', list[17]);
  put(row, 'pause', list[18]);
  put(row, 'options', list[19]);
  put(row, 'reset', list[20]);
  put(row, 'version', list[21]);
  put(row, 'permit', list[22]);
  put(row, 'lastStartedTime', list[23]);
  put(row, 'runPriority', list[24]);
  return row;
}

const packActivityFacts = (facts: ActivityFacts): unknown[] =>
  trimmed([
    facts.scheduledEventId,
    facts.scheduledTime,
    facts.activityId,
    facts.activityType,
    facts.taskQueue,
    facts.scheduleToCloseTimeout,
    facts.scheduleToStartTimeout,
    facts.startToCloseTimeout,
    facts.heartbeatTimeout,
    facts.cancelRequestedEventId,
    facts.input,
    facts.retryPolicy,
    facts.header,
    facts.priority,
    facts.flowControl,
  ]);

function unpackActivityFacts(list: unknown[]): ActivityFacts {
  const [scheduledEventId, scheduledTime, activityId, activityType, taskQueue] = list;
  const facts: ActivityFacts = {
    scheduledEventId: Number(scheduledEventId),
    scheduledTime: Number(scheduledTime),
    activityId: String(activityId),
    activityType: String(activityType),
    taskQueue: String(taskQueue),
    scheduleToCloseTimeout: Number(list[5]),
    scheduleToStartTimeout: Number(list[6]),
    startToCloseTimeout: Number(list[7]),
    heartbeatTimeout: Number(list[8]),
    cancelRequestedEventId: Number(list[9]),
  };
  put(facts, 'input', list[10]);
  put(facts, 'retryPolicy', list[11]);
  put(facts, 'header', list[12]);
  put(facts, 'priority', list[13]);
  put(facts, 'flowControl', list[14]);
  return facts;
}
