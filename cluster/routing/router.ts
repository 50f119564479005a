// The engine as doors see it on a node of a cluster: each call goes to the shard's owner, here or one hop away. In front of the local engine, which it
// also serves to the other nodes. Built by the composition root; a single node does without.

import { scheduleAddress } from '../../src/core/schedule/address.ts';
import type { Message, PollUpdateMessage, QueryMessage, UpdateMessage } from '../../src/core/workflow/message.ts';
import type { Reply } from '../../src/core/workflow/outcome.ts';
import type { Clock, Scheduler } from '../../src/ports/clock.ts';
import type { DeploymentAnswer, DeploymentAsk } from '../../src/ports/deployments.ts';
import type {
  ActorAddress,
  AttributesChange,
  CountRequest,
  Done,
  Engine,
  HistoryQuery,
  ListRequest,
  RegisteredAttributes,
  UpdateWithStartMessage,
  Waiting,
} from '../../src/ports/engine.ts';
import type { JobAnswer, JobAsk } from '../../src/ports/jobs.ts';
import type { NamespaceAnswer, NamespaceAsk } from '../../src/ports/namespaces.ts';
import type { EndpointAnswer, EndpointAsk } from '../../src/ports/nexus-endpoints.ts';
import type { WorkerAnswer, WorkerAsk } from '../../src/ports/workers.ts';
import type { QueryWorkflowResponse } from '../../src/wire/execution.ts';
import type { DescribeWorkflowExecutionResponse, WorkflowExecutionInfo } from '../../src/wire/execution-info.ts';
import type { AwaitWorkflowResultResponse, GetWorkflowExecutionHistoryResponse } from '../../src/wire/history.ts';
import type { Status } from '../../src/wire/status.ts';
import type {
  UpdateWithStartWorkflowExecutionResponse,
  UpdateWorkflowExecutionResponse,
} from '../../src/wire/update.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../../src/wire/visibility.ts';
import type { QueryResult } from '../../src/wire/workflow-task.ts';
import type { Rpc, RpcCall } from '../link/rpc.ts';
import type { Address } from '../link/transport.ts';
import { encodeBody, readAnswer } from './answers.ts';
import { Gathering, type Piece } from './gather.ts';
import { DEFAULT_ROUTING_LIMITS, type RoutingLimits } from './limits.ts';
import { mergeCounts, mergePages, type PlaceOf } from './merge.ts';
import { isForwarded } from './message-checks.ts';
import * as operations from './operations.ts';
import { LearnedView, type OwnershipView, type RemoteOwner } from './ownership.ts';
import { Parking, Watchers } from './parking.ts';
import { type RouteContext, RoutedCall } from './routed-call.ts';
import { counted, encodeShards, page } from './search.ts';
import { serveForwarded } from './serve.ts';
import { exhausted, misunderstood, retryable, unavailable } from './statuses.ts';

export interface RouterOptions {
  /** This node's name on its links. */
  self: string;
  local: Engine;
  view: OwnershipView;
  rpc: Rpc;
  clock: Clock;
  scheduler: Scheduler;
  limits?: Partial<RoutingLimits> | undefined;
  shardOf(namespace: string, workflowId: string): number;
  /** Where an execution stands in a list: as the shards order it (src/shard/search.ts). */
  pageTokenOf(request: CountRequest): (info: WorkflowExecutionInfo, shard: number) => Uint8Array;
  /** A link to this node is wanted; nothing happens if there is one. May throw: then the node is not reached. */
  connect(node: string, address: Address): void;
  /** Why this node will hear of no owner while it stays so. Default: it never is. */
  cutOff?(): string | undefined;
}

const NOTHING: Waiting = { abandon: () => undefined };

export class Router implements Engine {
  readonly #options: RouterOptions;
  readonly #limits: RoutingLimits;
  readonly #local: Engine;
  readonly #view: LearnedView;
  readonly #context: RouteContext;
  readonly #parking: Parking;
  readonly #unsubscribe: () => void;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_ROUTING_LIMITS, ...options.limits };
    this.#local = options.local;
    this.#view = new LearnedView(options.view, options.clock, options.self);
    this.#parking = new Parking(options.scheduler, this.#limits);
    const watchers = new Watchers();
    this.#context = {
      local: options.local,
      view: this.#view,
      parking: this.#parking,
      clock: options.clock,
      limits: this.#limits,
      cutOff: () => options.cutOff?.(),
      ask: (owner, method, body, timeoutMs, done) => this.#ask(owner, method, body, timeoutMs, done),
      watch: (shard, watcher) => watchers.watch(shard, watcher),
      unwatch: (shard, watcher) => watchers.unwatch(shard, watcher),
    };
    this.#unsubscribe = options.view.subscribe((shard) => {
      watchers.changed(shard);
      this.#parking.wake(shard);
    });
    options.rpc.onReachable = () => this.#parking.wakeAll();
    serveForwarded({
      rpc: options.rpc,
      context: this.#context,
      shardOf: options.shardOf,
      placeOf: (request) => this.#placeOf(request),
    });
  }

  /** Calls that wait for a shard's owner. */
  get waiting(): number {
    return this.#parking.size;
  }

  /** Looks no more at the view: calls that wait end by their own time. */
  close(): void {
    this.#unsubscribe();
  }

  // ---------------------------------------------------------------- Engine

  submit(to: ActorAddress, message: Message, done: Done<Reply>): void {
    const shard = this.#shardOf(to);
    if (this.#view.ownerOf(shard) !== 'local') {
      if (isForwarded(message)) new RoutedCall(this.#context, shard, operations.submit(to, message), done).begin();
      else
        done(
          unavailable(`Shard ${shard} is not served by this node, and a ${message.type} does not travel.`, 'no'),
          undefined,
        );
      return;
    }
    // The way of nearly every call: no operation, no timer, one closure.
    this.#local.submit(to, message, (error, reply) => {
      const applied = error && retryable(error);
      if (error === undefined || applied === undefined || !isForwarded(message)) done(error, reply);
      else new RoutedCall(this.#context, shard, operations.submit(to, message), done).beginAfter(error, applied);
    });
  }

  query(to: ActorAddress, message: QueryMessage, done: Done<QueryWorkflowResponse>): Waiting {
    return this.#route(operations.query(to, message), done);
  }

  update(
    to: ActorAddress,
    message: UpdateMessage | PollUpdateMessage,
    done: Done<UpdateWorkflowExecutionResponse>,
  ): Waiting {
    return this.#route(operations.update(to, message), done);
  }

  updateWithStart(
    to: ActorAddress,
    message: UpdateWithStartMessage,
    done: Done<UpdateWithStartWorkflowExecutionResponse>,
  ): Waiting {
    return this.#route(operations.updateWithStart(to, message), done);
  }

  answerQuery(to: ActorAddress, queryId: string, result: QueryResult, done: Done<undefined>): void {
    this.#route(operations.answerQuery(to, queryId, result), done);
  }

  describe(to: ActorAddress, runId: string | undefined, done: Done<DescribeWorkflowExecutionResponse>): void {
    this.#route(operations.describe(to, runId), done);
  }

  history(to: ActorAddress, query: HistoryQuery, done: Done<GetWorkflowExecutionHistoryResponse>): Waiting {
    return this.#route(operations.history(to, query), done);
  }

  taskHistory(to: ActorAddress, task: operations.TaskHistoryQuery, done: Done<operations.TaskHistoryAnswer>): void {
    this.#route(operations.taskHistory(to, task), done);
  }

  awaitResult(
    to: ActorAddress,
    runId: string | undefined,
    followRuns: boolean,
    done: Done<AwaitWorkflowResultResponse>,
  ): Waiting {
    return this.#route(operations.awaitResult(to, runId, followRuns ? 'followRuns' : 'thisRun'), done);
  }

  list(request: ListRequest, done: Done<ListWorkflowExecutionsResponse>): void {
    new Gathering<ListWorkflowExecutionsResponse>({
      what: 'list',
      context: this.#context,
      askLocal: (shards, settle) => this.#local.list({ ...request, shards }, this.#localPiece(shards, settle)),
      askRemote: (owner, shards, settle) => this.#askPiece(owner, 'list', request, shards, page, settle),
      done: (error, pages) => {
        if (pages === undefined) done(error, undefined);
        else done(undefined, mergePages(pages, request.pageSize, this.#placeOf(request)));
      },
    }).begin();
  }

  count(request: CountRequest, done: Done<CountWorkflowExecutionsResponse>): void {
    new Gathering<CountWorkflowExecutionsResponse>({
      what: 'count',
      context: this.#context,
      askLocal: (shards, settle) => this.#local.count({ ...request, shards }, this.#localPiece(shards, settle)),
      askRemote: (owner, shards, settle) => this.#askPiece(owner, 'count', request, shards, counted, settle),
      done: (error, counts) => {
        const merged = counts && mergeCounts(counts, this.#limits.groups);
        if (counts !== undefined && merged === undefined) {
          done(
            exhausted('GROUPS', `GROUP BY has more than ${this.#limits.groups} groups: narrow the query`),
            undefined,
          );
        } else done(error, merged);
      },
    }).begin();
  }

  searchAttributes(namespace: string, done: Done<RegisteredAttributes>): void {
    this.#route(operations.searchAttributes(namespace), done);
  }

  changeSearchAttributes(namespace: string, change: AttributesChange, done: Done<RegisteredAttributes>): void {
    this.#route(operations.changeSearchAttributes(namespace, change), done);
  }

  jobs(namespace: string, asked: JobAsk, done: Done<JobAnswer>): void {
    this.#route(operations.jobs(namespace, asked), done);
  }

  namespaces(asked: NamespaceAsk, done: Done<NamespaceAnswer>): void {
    this.#route(operations.namespaces(asked), done);
  }

  nexusEndpoints(asked: EndpointAsk, done: Done<EndpointAnswer>): void {
    this.#route(operations.nexusEndpoints(asked), done);
  }

  workers(namespace: string, asked: WorkerAsk, done: Done<WorkerAnswer>): void {
    this.#route(operations.workers(namespace, asked), done);
  }

  deployments(asked: DeploymentAsk, done: Done<DeploymentAnswer>): void {
    this.#route(operations.deployments(asked), done);
  }

  // ---------------------------------------------------------------- inside

  #shardOf({ namespace, workflowId }: ActorAddress): number {
    return this.#options.shardOf(namespace, workflowId);
  }

  #placeOf(request: CountRequest): PlaceOf {
    const { shardOf, pageTokenOf } = this.#options;
    const tokenOf = pageTokenOf(request);
    // A schedule is listed by its id, all else by its actor's.
    const addressOf = request.of === 'schedules' ? scheduleAddress : (id: string): string => id;
    return (info) => tokenOf(info, shardOf(request.namespace, addressOf(info.workflowId)));
  }

  #route<T>(operation: operations.Operation<T>, done: Done<T>): Waiting {
    const shard = this.#shardOf(operation.to);
    if (operation.waits === 'forAnswer' && this.#view.ownerOf(shard) === 'local') {
      const recover = (error: Status, applied: 'no' | 'maybe'): void =>
        new RoutedCall(this.#context, shard, operation, done).beginAfter(error, applied);
      const waiting = operation.local(this.#local, (error, value) => {
        const applied = error && retryable(error);
        if (error === undefined || applied === undefined) done(error, value);
        else recover(error, applied);
      });
      return waiting ?? NOTHING;
    }
    const call = new RoutedCall(this.#context, shard, operation, done);
    call.begin();
    return call;
  }

  #ask(
    owner: RemoteOwner,
    method: string,
    body: Uint8Array,
    timeoutMs: number,
    done: Parameters<RouteContext['ask']>[4],
  ): RpcCall {
    const { rpc, connect } = this.#options;
    if (!rpc.reaches(owner.node)) {
      try {
        connect(owner.node, owner.address);
      } catch (error) {
        // An address that may not be dialled, or this node is leaving.
        const why = error instanceof Error ? error.message : String(error);
        done(unavailable(`Node ${owner.node} cannot be reached: ${why}`, 'no'), undefined, 'us');
        return NOTHING;
      }
    }
    return rpc.call(owner.node, method, body, timeoutMs, done);
  }

  #localPiece<T>(shards: ReadonlySet<number>, settle: (piece: Piece<T>) => void): Done<T> {
    return (error, value) => {
      if (error !== undefined) settle({ type: 'refused', status: error, silent: undefined });
      else if (value === undefined) settle({ type: 'later', why: undefined });
      // A shard that left meanwhile may have lacked rows already.
      else if ([...shards].some((shard) => this.#view.ownerOf(shard) !== 'local'))
        settle({ type: 'later', why: 'it has just left this node' });
      else settle({ type: 'value', value });
    };
  }

  #askPiece<T>(
    owner: RemoteOwner,
    method: 'list' | 'count',
    request: ListRequest | CountRequest,
    shards: ReadonlySet<number>,
    check: (value: unknown) => T,
    settle: (piece: Piece<T>) => void,
  ): void {
    const { shards: _, ...asked } = request;
    const body = encodeBody({ request: asked, shards: encodeShards(shards, this.#view.shardCount) });
    this.#ask(owner, operations.linkMethod(method), body, this.#limits.searchMs, (error, bytes, speaker) => {
      if (error !== undefined) {
        settle({ type: 'refused', status: error, silent: speaker === 'us' ? owner.node : undefined });
        return;
      }
      const answered = readAnswer(bytes ?? new Uint8Array(0), check);
      if (answered.type === 'value') settle({ type: 'value', value: answered.value });
      else if (answered.type === 'redirect') settle({ type: 'later', why: `node ${owner.node} does not serve it` });
      else settle({ type: 'refused', status: misunderstood(owner.node, method, answered.what), silent: undefined });
    });
  }
}
