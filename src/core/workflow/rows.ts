// The rows of one actor as values: what load reads and decide writes. Values are replaced, never mutated.
// `RunFacts`, the facts of activities, and timers, children, external requests and updates are exactly what events determine (I4): fold.ts
// computes them from events alone; everything else here (attempts, sticky queue, deadlines) lives only in rows.

import type {
  Header,
  Memo,
  Payloads,
  Priority,
  ResetPointInfo,
  RetryPolicy,
  SearchAttributes,
  UpdateRequest,
  UserMetadata,
  VersioningOverride,
  WorkerDeploymentVersion,
  WorkerVersionStamp,
} from '../../wire/common.ts';
import type {
  ContinueAsNewVersioningBehavior,
  ParentClosePolicy,
  SuggestContinueAsNewReason,
  VersioningBehavior,
  WorkflowExecutionStatus,
  WorkflowTaskFailedCause,
} from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type { WorkflowExecutionStartedEventAttributes } from '../../wire/event-attributes.ts';
import type { Failure } from '../../wire/failure.ts';
import type { FlowControl } from '../../wire/flow-control.ts';
import type { VersionKey } from '../deployment/versioned-queue.ts';
import type { ScheduledBy } from '../schedule/message.ts';
import type { StartId } from './message.ts';
import type { RowTable } from './outcome.ts';
import type { StateIndex } from './published.ts';

/** `chain`, id '': one per workflow id. */
export interface ChainRow {
  /** Empty: it was deleted, and callbacks of earlier runs still wait; to everybody else the id is free. */
  currentRunId: string;
  /** The client's start that began the current chain of runs, and its answer. */
  start: RequestRow & { requestId: string };
}

/** `chain`, id `r` + request id: a start that began a run which is no longer the current one, and its first answer. Kept `requestIdTtl` at least. */
export interface RequestRow {
  type: 'start';
  runId: string;
  /** Epoch ms. */
  at: number;
  /** Whether the request created the run, and the run's status once it is no longer the current one. */
  started?: boolean | undefined;
  status?: WorkflowExecutionStatus | undefined;
}

/** A run that another was reset from, and the last event they have in common. */
export interface FormerRun {
  runId: string;
  lastEventId: number;
}

/** `chain`, id `q` + number: requests applied to one run, one after the other (request-ids.ts). Kept `requestIdTtl` at least after the last of them. */
export interface RequestChunkRow {
  runId: string;
  /** Epoch ms of the last. */
  at: number;
  /** Fingerprints of their ids, end to end. */
  ids: Uint8Array;
}

/** Who waits for the end of a chain of runs: the run that asked for it as a child. */
export interface ParentLink {
  namespace: string;
  workflowId: string;
  runId: string;
  initiatedEventId: number;
  /** Of the chain, as the parent knows it. */
  firstRunId: string;
}

/** `run`, id `start`: what a run was started with; never rewritten. */
export interface StartRow {
  /** Without `input` unless the run may be retried (a retry starts with the same input). */
  attributes: WorkflowExecutionStartedEventAttributes;
  startTime: number;
  userMetadata?: UserMetadata | undefined;
  /** The runs it was reset from, the last one first: their children and requests are its own. */
  former?: readonly FormerRun[] | undefined;
  /** The schedule that started its chain: it hears of the end. */
  scheduledBy?: ScheduledBy | undefined;
  /** Whom the end of its chain is told, where that is not the parent its Started event names: at most one. It began by a reset. */
  reportsTo?: readonly ParentLink[] | undefined;
}

/** Who holds a workflow back, and why. */
export interface WorkflowPause {
  /** Epoch ms. */
  at: number;
  identity: string;
  reason: string;
}

/** What a run's events say of worker deployment versions; absent: nothing. */
export interface VersioningFacts {
  /** As the last completed task's worker said; UNSPECIFIED before the first, and of workers that name no version. */
  behavior: VersioningBehavior;
  /** That worker's version; before the first task the one that was inherited. */
  version?: WorkerDeploymentVersion | undefined;
  override?: VersioningOverride | undefined;
  /** Where the first task of a run that continues another goes, if not where every new run does. */
  initial?: ContinueAsNewVersioningBehavior | undefined;
  /** Versions that completed tasks of it. */
  used?: readonly WorkerDeploymentVersion[] | undefined;
}

/** What the events of a run determine besides what is pending. */
export interface RunFacts {
  status: WorkflowExecutionStatus;
  closeTime?: number | undefined;
  nextRunId?: string | undefined;
  nextEventId: number;
  /** Estimated, see size.ts. */
  historyBytes: number;
  memo?: Memo | undefined;
  searchAttributes?: SearchAttributes | undefined;
  cancelRequested: boolean;
  signalCount: number;
  /** StartedEventId of the last completed workflow task; 0 before the first. */
  previousStartedEventId: number;
  resetPoints: ResetPointInfo[];
  /** Builds that have completed tasks of this run, where some of the reset points are of runs before it; absent: those of the reset points. */
  builds?: Pick<ResetPointInfo, 'buildId' | 'binaryChecksum'>[] | undefined;
  lastBuildId?: string | undefined;
  /** What the workflow has published; absent: nothing. */
  state?: StateIndex | undefined;
  versioning?: VersioningFacts | undefined;
  /** Set while its status is PAUSED, and when it closed so. */
  pause?: WorkflowPause | undefined;
  /** As a client has changed it; absent: that of its Started event. */
  priority?: Priority | undefined;
  /** Starts that have joined it by an event, the latest MAX_ATTACHED of them; an event that waits has the id 0. Absent: none has. */
  attached?: readonly { requestId: string; eventId: number }[] | undefined;
}

/** The workflow task that waits or runs; at most one. */
export interface WorkflowTaskRow {
  /** For a transient attempt (> 1) the id its Scheduled event would get; it is not in history. */
  scheduledEventId: number;
  /** 0 until started. Not 0 without `startId`: its start was undone, the Started event stays (see undo-start). */
  startedEventId: number;
  attempt: number;
  scheduledTime: number;
  originalScheduledTime: number;
  /** Start-to-close, ms. */
  timeout: number;
  /** The queue its Scheduled event names, when sticky. */
  stickyQueue?: string | undefined;
  /** Epoch ms: schedule-to-start ends for a sticky task. */
  stickyUntil?: number | undefined;
  /** Epoch ms: no worker gets it before (back-off after repeated failures). */
  notBefore?: number | undefined;
  startId?: StartId | undefined;
  startedTime?: number | undefined;
  session?: string | undefined;
  identity?: string | undefined;
  requestId?: string | undefined;
  workerVersion?: WorkerVersionStamp | undefined;
  takerStickyQueue?: string | undefined;
  takerStickyTimeout?: number | undefined;
  /**
   * It exists for updates alone and has no events yet: they are written when it is answered, or when something else happens meanwhile. In
   * memory only (I4): it is in no row.
   */
  speculative?: true | undefined;
  /** The task went to a worker expected to be warm. */
  warm?: boolean | undefined;
  historySizeBytes?: number | undefined;
  /** The version whose workers it was offered to. */
  version?: VersionKey | undefined;
  /** Its run's priority when it was offered; absent: that of the run's Started event. */
  runPriority?: Priority | undefined;
  /** Why the worker is advised to continue as new; absent: it is not. */
  suggestContinueAsNewReasons?: SuggestContinueAsNewReason[] | undefined;
}

/** Why the latest workflow task did not succeed, for people: retries beyond the first leave nothing in history. */
export interface TaskFailureRow {
  attempt: number;
  /** Epoch ms. */
  at: number;
  /** Absent: the worker did not answer in time. */
  cause?: WorkflowTaskFailedCause | undefined;
  /** At most TASK_FAILURE_TEXT characters. */
  message: string;
  /** Of the worker that had it. */
  identity: string;
  /** So many failed in a row that lists show it, until one succeeds. */
  reported?: true | undefined;
}

/** `run`, id '': the row rewritten by most turns, so it holds nothing big. */
export interface RunRow {
  facts: RunFacts;
  task?: WorkflowTaskRow | undefined;
  /** Attempt the next workflow task gets. */
  nextAttempt: number;
  /** Absent once a workflow task has succeeded. */
  taskFailure?: TaskFailureRow | undefined;
  sticky?: { queue: string; scheduleToStartTimeout: number } | undefined;
  /** Epoch ms: the first workflow task is not scheduled before; absent once it was. */
  firstTaskAt?: number | undefined;
  /** It waits for its start delay and then for a permit of flow control, or has asked for that; absent: it needs none, or has it. */
  permit?: 'delayed' | 'asked' | undefined;
  /** Epoch ms. */
  runExpiration?: number | undefined;
  executionExpiration?: number | undefined;
  /** Bytes of the buffered events. */
  bufferedBytes: number;
  nextBufferedId: number;
  /** How many rows belong to this run: a vanished row is noticed by load. `signal` and `cancel` are external requests; absent: none. */
  counts: {
    activity: number;
    timer: number;
    buffered: number;
    child?: number | undefined;
    signal?: number | undefined;
    cancel?: number | undefined;
    update?: number | undefined;
    operation?: number | undefined;
  };
  transitions: number;
  /** Types of its pending activities that are paused, in order; absent: none is. Visibility shows them. */
  pausedTypes?: readonly string[] | undefined;
  /** Of an activity without a workflow; absent until there is something to say. */
  standalone?: StandaloneRow | undefined;
  /** The number of the callback that was attached last; absent: none was. */
  lastCallback?: number | undefined;
}

/** What an activity without a workflow shows beside its attempts, also once it has closed. No event says it. */
export interface StandaloneRow {
  /** ms, as a client changed it. */
  startDelay?: number | undefined;
  /** Of all attempts, as many as came here. */
  heartbeats?: number | undefined;
  /** Of the worker that had the last attempt. */
  version?: VersionKey | undefined;
  /** Id of the request that asked for its cancellation. */
  cancelRequest?: string | undefined;
  /** What its row said when it closed; absent before, and where it said nothing of the kind. */
  end?: ActivityEnd | undefined;
}

/** The last attempt is here only where it waited to begin: otherwise its Started event tells of it. */
export type ActivityEnd = Pick<
  ActivityRow,
  'options' | 'heartbeatDetails' | 'lastHeartbeatTime' | 'lastAttemptCompleteTime'
> &
  Partial<Pick<ActivityRow, 'attempt' | 'lastFailure' | 'lastStartedTime' | 'identity'>>;

/** What clients may change of a pending activity. */
export interface ActivityOptions {
  taskQueue: string;
  /** ms; 0: none. */
  scheduleToCloseTimeout: number;
  scheduleToStartTimeout: number;
  startToCloseTimeout: number;
  heartbeatTimeout: number;
  retryPolicy?: RetryPolicy | undefined;
  priority?: Priority | undefined;
}

/** What the events determine of a pending activity. */
export interface ActivityFacts extends ActivityOptions {
  scheduledEventId: number;
  scheduledTime: number;
  activityId: string;
  activityType: string;
  input?: Payloads | undefined;
  header?: Header | undefined;
  /** Event id of the cancel request; 0: none. */
  cancelRequestedEventId: number;
  /** No attempt begins without a permit of this key. */
  flowControl?: FlowControl | undefined;
}

/** Who holds an activity back, and why. */
export interface ActivityPause {
  /** Epoch ms. */
  at: number;
  identity: string;
  reason: string;
  /** Of the request: a repeat is known by it. */
  requestId: string;
}

/** `activity`, id = scheduledEventId. */
export interface ActivityRow {
  facts: ActivityFacts;
  /** Stored without input and header, which have a row of their own (activity-rows.ts). */
  apart?: true | undefined;
  attempt: number;
  /** Epoch ms this attempt was (or will be) put on its queue. */
  scheduledTime: number;
  /** Waits out its retry interval until scheduledTime. */
  inBackoff: boolean;
  startId?: StartId | undefined;
  startedTime?: number | undefined;
  /** Of the attempt before, while none runs; of activities without a workflow alone. */
  lastStartedTime?: number | undefined;
  session?: string | undefined;
  identity?: string | undefined;
  requestId?: string | undefined;
  workerVersion?: WorkerVersionStamp | undefined;
  lastHeartbeatTime?: number | undefined;
  heartbeatDetails?: Payloads | undefined;
  lastFailure?: Failure | undefined;
  lastAttemptCompleteTime?: number | undefined;
  /** Retry interval before this attempt, ms. */
  retryInterval?: number | undefined;
  /** Epoch ms from which schedule-to-close counts, where it is not the time of its event: it was reset, or its run was. */
  countsFrom?: number | undefined;
  /** No attempt begins until it is unpaused; one that runs may end. */
  pause?: ActivityPause | undefined;
  /** As a client has changed them; absent: those of its event. */
  options?: ActivityOptions | undefined;
  /** It was reset while an attempt runs: the next one is the first again, and for `heartbeats` it gets no details of this one. */
  reset?: 'attempts' | 'heartbeats' | undefined;
  /** The version whose workers this attempt was offered to. */
  version?: VersionKey | undefined;
  /** Its run's priority when this attempt was offered: it keeps its place. Absent: that of the run's Started event. */
  runPriority?: Priority | undefined;
  /** Of flow control, for this attempt: asked for, or given. `from`: the actor of its key. */
  permit?: { id: string; from: string; held: boolean } | undefined;
}

/** `timer`, id = startedEventId. */
export interface TimerRow {
  timerId: string;
  startedEventId: number;
  fireTime: number;
}

/** `child`, id = initiatedEventId: a child that was asked for and has not closed. */
export interface ChildRow {
  initiatedEventId: number;
  /** 0 until its Started event has an id. */
  startedEventId: number;
  /** First run of its chain; absent until it is known to have started. */
  runId?: string | undefined;
  namespace: string;
  namespaceId: string;
  workflowId: string;
  workflowType: string;
  parentClosePolicy: ParentClosePolicy;
}

/** `external`, id = initiatedEventId: a signal or cancel request to another workflow that is not answered yet. */
export interface ExternalRow {
  kind: 'signal' | 'cancel';
  initiatedEventId: number;
  /** '': that of this workflow. */
  namespace: string;
  namespaceId: string;
  workflowId: string;
  /** '': its current run. */
  runId: string;
  control: string;
}

/**
 * `update`, id = acceptedEventId: an accepted update. It stays when the update completes and when the run closes: a repeat is known by it. Or,
 * with the id of its Admitted event, one that the run has from before a reset and that no worker has answered yet.
 */
export interface UpdateRow {
  updateId: string;
  /** Of an admitted one, that of its Admitted event. */
  acceptedEventId: number;
  /** Set while it is admitted only: what the next workflow task carries. */
  admitted?: UpdateRequest | undefined;
  /** Of the client that sent it. */
  identity?: string | undefined;
  /** By which its client knows it again, where that is not its name. */
  requestId?: string | undefined;
  /** Event with its outcome; absent until there is one. */
  completedEventId?: number | undefined;
}

/** `buffered`, id = running number: an event that waits for the workflow task to end. Its eventId is 0. */
export interface BufferedRow {
  event: HistoryEvent;
}

/** A row as storage holds it. */
export interface StoredRow {
  table: RowTable;
  runId: string;
  id: string;
  value: object;
}

export const START_ROW_ID = 'start';
export const REQUEST_ROW_PREFIX = 'r';
const CHUNK_ROW_PREFIX = 'q';
/** In base 36: enough for ever, and in the order of the numbers. */
const CHUNK_DIGITS = 8;

export const chunkRowId = (number: number): string =>
  CHUNK_ROW_PREFIX + number.toString(36).padStart(CHUNK_DIGITS, '0');

/** Of a `chain` row: the number in its id, if it is one of request ids. */
export const chunkOf = (id: string): number | undefined =>
  id.startsWith(CHUNK_ROW_PREFIX) ? Number.parseInt(id.slice(CHUNK_ROW_PREFIX.length), 36) : undefined;
