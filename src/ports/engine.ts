// What the doors ask of the engine. Implemented by src/shard (one node) and later by the cluster's router in front of it.
// Callbacks, not promises: on the hot path everything is synchronous between a socket's read and the batch it joins (DESIGN §10).

import type { Registered } from '../core/visibility/index.ts';
import type { Message, PollUpdateMessage, StartMessage, UpdateAsk, UpdateMessage } from '../core/workflow/message.ts';
import type { Reply } from '../core/workflow/outcome.ts';
import type { IndexedValueType } from '../wire/enums.ts';
import type { QueryWorkflowResponse } from '../wire/execution.ts';
import type { DescribeWorkflowExecutionResponse } from '../wire/execution-info.ts';
import type {
  AwaitWorkflowResultResponse,
  EventBatches,
  GetWorkflowExecutionHistoryResponse,
} from '../wire/history.ts';
import type { Status } from '../wire/status.ts';
import type { UpdateWithStartWorkflowExecutionResponse, UpdateWorkflowExecutionResponse } from '../wire/update.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../wire/visibility.ts';
import type { QueryResult } from '../wire/workflow-task.ts';
import type { DeploymentAnswer, DeploymentAsk } from './deployments.ts';
import type { JobAnswer, JobAsk } from './jobs.ts';
import type { NamespaceAnswer, NamespaceAsk } from './namespaces.ts';
import type { EndpointAnswer, EndpointAsk } from './nexus-endpoints.ts';
import type { WorkerAnswer, WorkerAsk } from './workers.ts';

export interface ActorAddress {
  namespace: string;
  workflowId: string;
}

/** Called exactly once, after commit (I1). */
export type Done<T> = (error: Status | undefined, value: T | undefined) => void;

/** A waiting call that its caller may give up. */
export interface Waiting {
  abandon(): void;
}

export type UpdateWithStartMessage = StartMessage & { update: UpdateAsk };

export interface HistoryQuery {
  runId?: string | undefined;
  /** 1-based. */
  fromEventId: number;
  maximumBytes: number;
  waitNewEvent: boolean;
  closeEventOnly: boolean;
  /** After the last event those of a workflow task that are not in history yet: what its worker must see (rule 6). */
  withUnwritten?: boolean | undefined;
  /** Only the events that hold what the run publishes, as far as nothing newer replaces all of it; waits for such. */
  stateOnly?: boolean | undefined;
  /** No events: the answer comes once the run has been through more state transitions than this, or is closed. */
  changedSince?: number | undefined;
}

/** Only executions of these shards are meant; absent: of all shards there are rows of. */
export type SearchedShards = ReadonlySet<number> | undefined;

/** What a count is about, and the fields its filter may name besides the server's own. */
export interface CountRequest {
  namespace: string;
  query: string;
  attributes?: RegisteredAttributes | undefined;
  shards?: SearchedShards;
  /** What is looked for; absent: executions. */
  of?: 'schedules' | 'flowKeys' | 'activities' | undefined;
}

export interface ListRequest extends CountRequest {
  pageSize: number;
  nextPageToken: Uint8Array | undefined;
}

/** Search attributes of a namespace by name. */
export type RegisteredAttributes = Readonly<Record<string, Registered>>;

/** Repeating an addition is harmless. */
export interface AttributesChange {
  add: Readonly<Record<string, IndexedValueType>>;
  /** `everything`: the namespace is deleted. */
  remove: readonly string[] | 'everything';
  /** By the name under which values are kept: the name from now on. Empty: none, until another change gives it one. */
  rename?: Readonly<Record<string, string>> | undefined;
}

export interface Engine {
  /** Delivers a message to its actor. RESOURCE_EXHAUSTED when the mailbox is full, UNAVAILABLE when the shard cannot serve. */
  submit(to: ActorAddress, message: Message, done: Done<Reply>): void;
  query(to: ActorAddress, message: Extract<Message, { type: 'query' }>, done: Done<QueryWorkflowResponse>): Waiting;
  /** Answered when the update has come as far as the message says; when given up, it may come further. */
  update(
    to: ActorAddress,
    message: UpdateMessage | PollUpdateMessage,
    done: Done<UpdateWorkflowExecutionResponse>,
  ): Waiting;
  updateWithStart(
    to: ActorAddress,
    message: UpdateWithStartMessage,
    done: Done<UpdateWithStartWorkflowExecutionResponse>,
  ): Waiting;
  /** The worker's answer to a direct query, by the id in its token. */
  answerQuery(to: ActorAddress, queryId: string, result: QueryResult, done: Done<undefined>): void;
  describe(to: ActorAddress, runId: string | undefined, done: Done<DescribeWorkflowExecutionResponse>): void;
  history(to: ActorAddress, query: HistoryQuery, done: Done<GetWorkflowExecutionHistoryResponse>): Waiting;
  /** History for the worker that holds this task: includes the events of a transient attempt at the end. */
  taskHistory(
    to: ActorAddress,
    task: { runId: string; scheduledEventId: number; fromEventId: number; maximumBytes: number },
    done: Done<{ events: EventBatches; firstEventId: number; nextEventId: number | undefined }>,
  ): void;
  awaitResult(
    to: ActorAddress,
    runId: string | undefined,
    followRuns: boolean,
    done: Done<AwaitWorkflowResultResponse>,
  ): Waiting;
  list(request: ListRequest, done: Done<ListWorkflowExecutionsResponse>): void;
  count(request: CountRequest, done: Done<CountWorkflowExecutionsResponse>): void;
  /** The attributes a namespace has registered, by name. */
  searchAttributes(namespace: string, done: Done<RegisteredAttributes>): void;
  /** Answers with those registered afterwards. ALREADY_EXISTS when a name has another type. */
  changeSearchAttributes(namespace: string, change: AttributesChange, done: Done<RegisteredAttributes>): void;
  /** Batch jobs of a namespace. */
  jobs(namespace: string, asked: JobAsk, done: Done<JobAnswer>): void;
  /** The namespaces that were registered. */
  namespaces(asked: NamespaceAsk, done: Done<NamespaceAnswer>): void;
  /** The Nexus endpoints that were registered. */
  nexusEndpoints(asked: EndpointAsk, done: Done<EndpointAnswer>): void;
  /** Worker deployments of all namespaces. */
  deployments(asked: DeploymentAsk, done: Done<DeploymentAnswer>): void;
  /** Workers of a namespace, as they said of themselves. */
  workers(namespace: string, asked: WorkerAsk, done: Done<WorkerAnswer>): void;
}
