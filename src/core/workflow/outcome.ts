// What a turn of the actor comes to: rows, events, effects and a reply; or a rejection, which changes nothing.
// The shard writes rows and events in one log entry and lets effects and reply leave once that entry is durable (I1).

import type { ActivityTask } from '../../wire/activity-task.ts';
import type { Callback, SearchAttributes } from '../../wire/common.ts';
import type { WorkflowExecutionStatus } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import type {
  QueryWorkflowResponse,
  StartWorkflowExecutionResponse,
  WorkflowExecutionOptions,
} from '../../wire/execution.ts';
import type { WorkflowExecutionInfo } from '../../wire/execution-info.ts';
import type { DescribeFlowKeyResponse } from '../../wire/flow-control.ts';
import type { DescribeScheduleResponse } from '../../wire/schedule.ts';
import type { Status } from '../../wire/status.ts';
import type { UpdateWorkflowExecutionResponse } from '../../wire/update.ts';
import type { WorkflowQuery, WorkflowTask } from '../../wire/workflow-task.ts';
import type { FlowVerdict } from '../flow/message.ts';
import type { BreakerBook, DestinationNote } from '../nexus/breakers.ts';
import type { EndpointBook } from '../nexus/endpoints.ts';
import type { ActivityOptions } from './rows.ts';
import type { SentMessage } from './sent-message.ts';

/**
 * The tables of one actor. `chain` belongs to the workflow id (runId ''), the others to a run.
 */
export type RowTable =
  | 'chain'
  | 'run'
  | 'activity'
  | 'timer'
  | 'child'
  | 'external'
  | 'update'
  | 'buffered'
  | 'callback'
  | 'operation';

/** `value: undefined` deletes. Values are MessagePack-able and never mutated once handed out. */
export interface RowChange {
  table: RowTable;
  runId: string;
  /**
   * Unique within (table, runId). `chain`: '', one row per remembered start ('r' + its request id), per 32 other request ids ('q' + a
   * number) and per callback that waits ('k' + run id and number); `run`: '' and 'start';
   * the others: a decimal number. So chain and run are ranges to read, like the others. Binary-safe text.
   */
  id: string;
  value: object | undefined;
}

export interface RunEvents {
  runId: string;
  /** Contiguous, ids already assigned (I5). */
  events: HistoryEvent[];
}

/** A task that waits for a worker. The same offer (by runId, kind, scheduledEventId, attempt) is what `withdrawTask` names. */
export interface TaskOffer {
  kind: 'workflow' | 'activity';
  namespace: string;
  workflowId: string;
  runId: string;
  /** Of the queue, where that is not the actor's own: a Nexus operation goes to another namespace's workers. */
  queueNamespace?: string | undefined;
  /** With the version whose workers are meant (core/deployment/versioned-queue.ts). */
  taskQueue: string;
  /** Ask this worker first; it counts as gone when its worker is, or at `until` (epoch ms). */
  sticky?: { queue: string; until: number } | undefined;
  scheduledEventId: number;
  attempt: number;
  /** Epoch ms: age for ordering. */
  scheduledTime: number;
  /** 1 (first) .. 5, default 3. */
  priority: number;
  fairnessKey: string;
  fairnessWeight: number;
  /** The worker of this session gets it, if it has room now and nothing waits before it; else it is a task like any other. */
  eagerFor?: string | undefined;
  /** It is in no row: it waits in memory, for a while, or is told by `keepTask` that there is no room. */
  speculative?: true | undefined;
}

export type Effect =
  | { type: 'offerTask'; offer: TaskOffer }
  /** The task no longer waits: started, timed out, cancelled, or its run closed. */
  | { type: 'withdrawTask'; offer: TaskOffer }
  /** This started task is over for the server: it leaves the session's list of started tasks. */
  | { type: 'taskSettled'; session: string; kind: 'workflow' | 'activity'; runId: string; scheduledEventId: number }
  /** A started task that was in memory only is in rows now: it joins the session's list of started tasks. */
  | { type: 'taskKept'; session: string; kind: 'workflow'; runId: string; scheduledEventId: number }
  /** Tell the worker that runs this activity. */
  | {
      type: 'cancelActivity';
      session: string;
      runId: string;
      scheduledEventId: number;
      attempt: number;
      startId: { term: number; seq: number };
      reason: 'cancelRequested' | 'notFound' | 'timedOut';
    }
  /** Hand this query to a worker by itself: to the sticky queue's worker if it lives, else to the normal queue with full history. */
  | {
      type: 'dispatchQuery';
      queryId: string;
      runId: string;
      taskQueue: string;
      stickyQueue?: string | undefined;
      query: WorkflowQuery;
    }
  /** Answer the caller that waits under this id. */
  | { type: 'answerQuery'; queryId: string; answer: { response: QueryWorkflowResponse } | { rejection: Status } }
  /** Answer the caller that waits for an update under this id; `outcomeAt`: with the outcome in that event. */
  | {
      type: 'answerUpdate';
      callId: string;
      answer:
        | { response: UpdateWorkflowExecutionResponse }
        | { rejection: Status }
        | { outcomeAt: number; runId: string; updateId: string };
    }
  /** A message to another actor, exactly once, whatever crashes: through the shard's outbox (DESIGN §5). */
  | { type: 'send'; namespace: string; workflowId: string; message: SentMessage }
  /** What a request to a Nexus destination has come to: noted by the node at once, for its breakers. */
  | { type: 'destinationNoted'; destination: string; note: DestinationNote }
  /** Call it: what comes of it is told by `callbackAnswered`. `closeEventId`: the event that says how its run ended. */
  | {
      type: 'deliverCallback';
      callbackId: string;
      runId: string;
      attempt: number;
      callback: Callback;
      /** It waited for this update, which has completed with that event, or was closed over. */
      updateId?: string | undefined;
      closeEventId: number;
      timeoutMs: number;
    }
  /** Wakes those who await the run. `nextRunId`: the chain goes on (continue-as-new, retry, cron). */
  | {
      type: 'runClosed';
      runId: string;
      status: WorkflowExecutionStatus;
      closeTime: number;
      nextRunId?: string | undefined;
    };

/** Everything the door needs for the pushed task except its history bytes, worker and token. */
export interface StartedWorkflowTask {
  type: 'workflowTaskStarted';
  task: Omit<WorkflowTask, 'workerId' | 'token' | 'history' | 'nextEventId' | 'namespace' | 'workflowId' | 'ahead'>;
  ref: { runId: string; scheduledEventId: number; attempt: number; startId: { term: number; seq: number } };
  /** History from task.firstEventId to this id is in the event rows… */
  lastEventId: number;
  /** …and these follow it: Scheduled and Started of a transient attempt. */
  transientEvents: HistoryEvent[];
  /** In memory only: it is in no list of started tasks, and gone when the node is. */
  speculative?: true | undefined;
}

export interface StartedActivityTask {
  type: 'activityTaskStarted';
  task: Omit<ActivityTask, 'workerId' | 'token' | 'namespace' | 'workflowId' | 'activityRunId'>;
  ref: { runId: string; scheduledEventId: number; attempt: number; startId: { term: number; seq: number } };
}

export type Reply =
  | { type: 'started'; response: StartWorkflowExecutionResponse }
  | { type: 'heartbeat'; cancelRequested: boolean; activityPaused: boolean; activityReset: boolean }
  /** `runId`: the run that the reset began. */
  | { type: 'reset'; runId: string }
  | StartedWorkflowTask
  | StartedActivityTask
  /** Options of the activities that were changed, as they are now; of several, the first's. */
  | { type: 'activityOptions'; options: ActivityOptions & { startDelay?: number | undefined } }
  | ({ type: 'executionOptions' } & WorkflowExecutionOptions)
  /**
   * For queries and updates: the answer comes as an effect, of this turn or a later one. `resetHistoryEventId`: the completed task left no
   * events, its worker goes back to this one. `runId`: the run that a signal came to.
   */
  | { type: 'accepted'; resetHistoryEventId?: number | undefined; runId?: string | undefined }
  | { type: 'scheduleChanged'; conflictToken: Uint8Array }
  | { type: 'scheduleDescribed'; response: DescribeScheduleResponse }
  | { type: 'scheduleTimes'; startTime: number[] }
  | { type: 'flowReserved'; verdict: FlowVerdict }
  | { type: 'flowDescribed'; response: DescribeFlowKeyResponse };

/** What visibility shows of a run from now on, and what of it was shown before. */
export interface VisibilityChange {
  info: WorkflowExecutionInfo;
  /** Undefined: the run begins. */
  before: { status: WorkflowExecutionStatus; searchAttributes: SearchAttributes | undefined } | undefined;
  /** The run that was its workflow id's current one until this one began. */
  previous: { runId: string; startTime: number } | undefined;
  /** It was deleted: nothing is shown from now on, and its events go. */
  gone?: true | undefined;
  /** Of one that is gone: requests that were applied to its workflow id are remembered until then, epoch ms. */
  forgetAt?: number | undefined;
}

/** What the list of schedules, or of flow-control keys, shows from now on; without `info`: nothing any more. The place in the list is for ever. */
export interface VisibleSchedule {
  /** Absent: schedules. */
  of?: 'schedules' | 'flowKeys' | undefined;
  startTime: number;
  runId: string;
  info: WorkflowExecutionInfo | undefined;
}

export interface Outcome {
  ok: true;
  rows: RowChange[];
  events: RunEvents[];
  effects: Effect[];
  reply: Reply;
  /** New value of what visibility shows for each run this turn changed. */
  visibility: VisibilityChange[];
  /**
   * A completion that was refused but changed the state all the same (UNHANDLED_COMMAND, a bad command): rows and events are
   * committed, the caller gets this status.
   */
  refusal?: Status | undefined;
  /** Opaque to the shard: what `evolve` puts into the volatile part of the state. */
  volatile?: object | undefined;
  /** Of a schedule's actor, or a flow-control key's. */
  schedule?: VisibleSchedule | undefined;
}

export interface Rejection {
  ok: false;
  status: Status;
}

export type Decision = Outcome | Rejection;

/** What every turn is given besides its message. */
export interface TurnContext {
  /** Shard time, epoch ms; never falls (I7). */
  now: number;
  /** A fresh UUID: the id of the next run, should this turn begin one. Always the same one, but perhaps made when it is first read: not to be copied along. */
  readonly spareRunId: string;
  limits: import('./limits.ts').Limits;
  /** The namespaces there are, and the id that events name each with. */
  namespaces: ReadonlyMap<string, { readonly id: string }>;
  /** Nexus endpoints; absent: none. */
  endpoints?: EndpointBook | undefined;
  /** Which Nexus destinations are left alone for now; absent: none. */
  breakers?: BreakerBook | undefined;
  /** Where tasks of runs that are not pinned go; absent: to workers that name no version. */
  routes?: import('../deployment/routes.ts').Routes | undefined;
}
