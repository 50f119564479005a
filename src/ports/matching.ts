// Between shards and matching: a task's durability is its shard's row; matching pairs worker credit with tasks and holds
// nothing durable. Both sides are synchronous and in one process. Across nodes claims travel (cluster/matching): the other nodes are one more
// `BacklogSource` to the matcher, and a claim of theirs is one whose delivery is answered later.

import type { VersionKey } from '../core/deployment/versioned-queue.ts';
import type { Taker } from '../core/workflow/message.ts';
import type { StartedActivityTask, StartedWorkflowTask, TaskOffer } from '../core/workflow/outcome.ts';
import type { EventBatches } from '../wire/history.ts';
import type { PollerInfo, TaskQueueConfig } from '../wire/task-queue.ts';
import type { WorkflowQuery } from '../wire/workflow-task.ts';

export type TaskKind = 'workflow' | 'activity';

/** A finished task frame, ready for a worker's connection. */
export type Delivery =
  | {
      kind: 'workflow';
      namespace: string;
      workflowId: string;
      started: StartedWorkflowTask;
      history: EventBatches;
      nextEventId: number | undefined;
      /** Its entry is not durable yet (I1). */
      ahead: boolean;
    }
  | { kind: 'activity'; namespace: string; workflowId: string; started: StartedActivityTask }
  | {
      kind: 'query';
      namespace: string;
      workflowId: string;
      runId: string;
      workflowType: string;
      queryId: string;
      query: WorkflowQuery;
      history: EventBatches;
      firstEventId: number;
      nextEventId: number | undefined;
      previousStartedEventId: number;
      startedEventId: number;
    };

/** One credit of one worker, taken for one task. Exactly one of the methods that end it must be called: deliver or release. */
export interface Claim {
  readonly taker: Omit<Taker, 'startId' | 'requestId'> & { requestId?: string | undefined };
  /** The worker understands tasks pushed ahead of their commit. */
  readonly ahead: boolean;
  /** Taken as a sticky task. */
  readonly sticky: boolean;
  /**
   * False when the connection is gone or refuses more: the shard undoes the start. A `LateDelivery` when the worker is connected to another node,
   * which has yet to say. Never throws.
   */
  deliver(task: Delivery): boolean | LateDelivery;
  /** The entry under an ahead task is durable: said to the worker's session, wherever it is connected by now. */
  durable(token: Uint8Array): void;
  /** The entry under an ahead task was lost, or may be: what waits for it at the session waits in vain. */
  over(token: Uint8Array): void;
  /** The task turned out not to start: the credit goes back. */
  release(): void;
}

/**
 * `refused`: the worker never got it, and never will: the shard undoes the start. `unknown`: perhaps it did, and nobody can say any more: the start
 * stands, and the session's next `resume` or the task's timeouts decide.
 */
export type LateAnswer = 'taken' | 'refused' | 'unknown';

/** A task on its way to a worker of another node. Until it is answered the start counts as being delivered. */
export interface LateDelivery {
  /** The link broke before an answer came: what the worker itself says it holds is better knowledge now. */
  readonly inDoubt: boolean;
  /** `heard` is called once, never before this returns. */
  whenAnswered(heard: (answer: LateAnswer) => void): void;
  /** The shard has settled it otherwise: `heard` is not called any more. */
  forget(): void;
}

/** What shards see. */
export interface Matching {
  /**
   * A worker for this task now, or undefined: then the task is backlog of its shard, and matching will pull it.
   * While its queue has backlog anywhere, a new task is not matched ahead of it.
   */
  claim(offer: TaskOffer): Claim | undefined;
  /** The worker of this session would take an eager task of this queue now: `claim` gives it that task in the same turn. */
  takesEager(session: string, queue: QueueKey): boolean;
  /** A worker for a direct query, sticky worker first. */
  claimQuery(namespace: string, taskQueue: string, stickyQueue: string | undefined): Claim | undefined;
  /** What a fairness key weighs by the queue's configuration, whatever its tasks say. */
  weightOf(queue: QueueKey, fairnessKey: string): number | undefined;
  /** Whether the fairness key's rate limit lets a waiting task be given to a worker now; if so, it counts as given. */
  mayDispatch(queue: QueueKey, fairnessKey: string): boolean;
  /** The worker behind this sticky queue lives (polled within 10 s). */
  stickyAlive(namespace: string, stickyQueue: string): boolean;
  /** A source's backlog of a queue changed from or to empty, or its size moved; called by shards, cheap. */
  backlogChanged(source: BacklogSource, queue: QueueKey): void;
  /** Tell the worker of this session; nothing happens if it is gone. */
  cancelActivity(session: string, token: Uint8Array, reason: 'cancelRequested' | 'notFound' | 'timedOut'): void;
}

export interface QueueKey {
  namespace: string;
  /** A normal queue's name, or a sticky queue's. */
  name: string;
  kind: TaskKind;
}

export interface QueueBacklog {
  count: number;
  oldest: number | undefined;
  /** 1 (first) .. 5. */
  priority?: number | undefined;
}

/** The same of one priority. */
export interface PriorityBacklog {
  priority: number;
  count: number;
  oldest: number | undefined;
}

/** A node's shards as matching sees them. */
export interface BacklogSource {
  /** How many tasks wait (zero when none), and of the best one its time (epoch ms) and its priority. */
  backlog(queue: QueueKey): QueueBacklog;
  /**
   * Starts up to `claims.length` waiting tasks, best first (priority, fairness, age), one for each claim; a claim that finds no task is
   * released. Asynchronous inside; claims are settled in any order.
   */
  pull(queue: QueueKey, claims: Claim[]): void;
  /** What waits, by priority: read for who asks, the counts of several priorities approximately. Absent: nothing is known by priority. */
  byPriority?(queue: QueueKey): Promise<PriorityBacklog[]>;
  /** How many direct queries wait for a worker of this queue. */
  waitingQueries(queue: QueueKey): number;
  /** Queries that wait for a worker of this queue. */
  pullQueries(queue: QueueKey, claim: () => Claim | undefined): void;
  /** Tasks started for this worker's session whose token it does not hold are delivered again, same attempt. */
  resume(worker: ResumingWorker): void;
}

/** One registration of a worker, as the shards see it when it asks for what it is owed. */
export interface ResumingWorker {
  session: string;
  /** Latin-1 strings of the tokens it still holds. */
  held: ReadonlySet<string>;
  /** Owed whatever its credit says; undefined when it has registered again or gone since: what it holds now is not known here. */
  claim(kind: TaskKind): Claim | undefined;
  /** The entry under a workflow task it holds is on disk: the notice of it may have been lost with a connection. */
  durable(token: Uint8Array): void;
  /** Workflow tasks it holds and that are over: lost with an undurable entry, timed out or answered. */
  over(tokens: Uint8Array[]): void;
}

/** What room there is in the answer of a call. */
export interface SeatRequest {
  /** Unlike any worker's: what `eagerFor` names. */
  session: string;
  namespace: string;
  identity: string;
  buildId: string | undefined;
  /** On the Started events of its tasks; absent: a fresh one. */
  requestId?: string | undefined;
  workflowTasks: number;
  activities: number;
  /** Its worker has the execution in its cache: a workflow task comes with the events since the last one. */
  warm: boolean;
}

/** Room in the answer of one call, for tasks that its own turn schedules (eager tasks): started for it past the worker's polls. */
export interface AnswerSeat {
  readonly session: string;
  /** Takes nothing more. `heard` is called once, with what was delivered, as soon as nothing is on its way: perhaps before this returns. */
  settled(heard: (tasks: readonly Delivery[]) => void): void;
  /** The call is over: what is on its way finds nobody. */
  close(): void;
}

/** A queue's workers on this node. */
export interface QueueCredit {
  workers: number;
  /** Tasks they would take now. */
  credit: number;
}

/** What one node says of one kind of tasks. */
export interface LocalStats {
  backlog: PriorityBacklog[];
  tasksAddRate: number;
  tasksDispatchRate: number;
  /** What workers here last said of the queue's rate. */
  workersRate?: number | undefined;
}

export interface LocalQueue {
  pollers: PollerInfo[];
  workflow: LocalStats;
  activity: LocalStats;
  /** The same at every node, within a second. */
  configs: Partial<Record<TaskKind, TaskQueueConfig>>;
}

/** What several nodes say, and who said nothing in time. */
export interface QueueDescriptions {
  queues: LocalQueue[];
  silent: string[];
}

/** What a matcher tells of itself to the part that matches across nodes. Each is cheap, and called in the midst of other work: act later. */
export interface MatchingPeers {
  /** What waits in this node's shards has changed. */
  backlogChanged(queue: QueueKey): void;
  /** Workers came, went, granted or were given a task. Called once; again after `creditOf` has been asked. */
  creditChanged(queue: QueueKey): void;
  /** A direct query has found no worker here. */
  queryWaits(queue: QueueKey): void;
  /** Of the cluster, this one too, as far as is known. */
  nodes(): number;
  /** What the others tell of a task queue. */
  describe(namespace: string, taskQueue: string): Promise<QueueDescriptions>;
  /** The worker of this session is not connected here. */
  cancelActivity(session: string, token: Uint8Array, reason: 'cancelRequested' | 'notFound' | 'timedOut'): void;
}

/** What doors see: how workers come, grant and go. Implemented by src/matching. */
export interface WorkerRegistry {
  register(worker: WorkerSession): void;
  /** Gives back its credit and whatever was claimed and not delivered. */
  unregister(session: string, connection: object): void;
  /** It takes no more tasks, but may still answer what it has and be told of cancellations; its sticky queue ends at once. */
  leave(session: string, connection: object): void;
  /** Adds to its credit. Nothing happens when it has registered on another connection since: what was granted here is void. */
  grant(session: string, kind: TaskKind, n: number, connection: object): void;
  /** Takes back up to `n` of its credit that no task has used; how much. */
  withdraw(session: string, kind: TaskKind, n: number, connection: object): number;
  /** What it is owed is sent again, as when it registers; its credit stays. `held`: latin-1 strings of the tokens it still holds. */
  resume(session: string, held: ReadonlySet<string>, connection: object): void;
  /** The worker answered a direct query: its vanishing loses it no more. */
  queryAnswered(session: string, queryId: string): void;
  pollers(namespace: string, taskQueue: string): PollerInfo[];
  /** Room for tasks in the answer of a call to a shard of this node; one that is led elsewhere finds it not, and its tasks go to workers that poll. */
  openSeat(request: SeatRequest): AnswerSeat;
}

/** By identity: an old connection's end must not unregister a newer one's session. */
export interface WorkerConnection {
  /** Monotonic ms: what an older one says late does not take a session away from a newer one. */
  readonly openedAt: number;
}

export interface WorkerSession {
  session: string;
  connection: WorkerConnection;
  namespace: string;
  taskQueue: string;
  identity: string;
  buildId: string | undefined;
  /** The deployment version it belongs to; `taskQueue` names it too, unless it takes sticky tasks alone. */
  version?: VersionKey | undefined;
  /** The same as `taskQueue`: it takes tasks of its sticky queue and no others (a long poll of one queue). */
  stickyQueue: string | undefined;
  stickyScheduleToStartTimeout: number;
  /** Absent: both kinds. A long poll takes one, and is no poller of the other. */
  only?: TaskKind | undefined;
  workflowCredit: number;
  activityCredit: number;
  /** May change: a grant, also one of 0, says that it may have. */
  maxActivitiesPerSecond: number | undefined;
  maxTaskQueueActivitiesPerSecond: number | undefined;
  /** Latin-1 strings of the tokens the worker still holds. */
  heldTokens: ReadonlySet<string>;
  ahead: boolean;
  /** False while the connection's buffer is over its bound: take no task for it now. A grant of 0 says that this may have changed. */
  ready(): boolean;
  /** Writes a task frame; false when the connection cannot take it. */
  push(task: Delivery): boolean;
  pushDurable(token: Uint8Array): void;
  pushOver(tokens: Uint8Array[]): void;
  pushCancel(token: Uint8Array, reason: 'cancelRequested' | 'notFound' | 'timedOut'): void;
}
