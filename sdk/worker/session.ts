// A worker's standing with the servers: one random worker id kept over reconnects and on every node, so that each can give it the tasks that were
// started for it; its slots as credit, split among the nodes; and its answers, which go to any of them. What one node knows is in node-session.ts.
//
// A node that uses up its share gets more from those that do not: credit is taken back there before it is given here, so that it is never twice.

import type { ActivityTask, CancelActivityPush } from '../../src/wire/activity-task.ts';
import type { Methods } from '../../src/wire/api.ts';
import type { WorkerDeploymentVersion } from '../../src/wire/common.ts';
import type { RegisterWorkerRequest } from '../../src/wire/worker-session.ts';
import type { WorkflowTask } from '../../src/wire/workflow-task.ts';
import type { Logger } from '../common/logger.ts';
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS } from '../connection/linker.ts';
import { type AnswerMethod, type AnswerOwner, Answers } from './answers.ts';
import type { CreditMove, Share } from './credit.ts';
import { NodeSession, type NodeSessionOwner } from './node-session.ts';
import { tokenKey, type WorkerConnection, type WorkerNode } from './ports.ts';
import { RecentTokens } from './recent-tokens.ts';
import { Lane, type LaneOptions, type TaskInfo } from './slots/lane.ts';
import type { ActivitySlotInfo, NexusSlotInfo, SlotInfo, WorkflowSlotInfo } from './slots/tuner.ts';

export type TaskKind = 'workflow' | 'activity';
const KINDS = ['workflow', 'activity'] as const;
/** How often a window of credit that scales is looked at, ms. */
const LOOK_MS = 1_000;
/** After nodes had no credit to give back, or did not answer, ms. */
const FRUITLESS_PAUSE_MS = 250;

export interface SessionHandlers {
  workflowTask(task: WorkflowTask, from: NodeSession): void;
  activityTask(task: ActivityTask, from: NodeSession): void;
  cancelActivity(push: CancelActivityPush): void;
  durable(tokens: Uint8Array[]): void;
  over(tokens: Uint8Array[]): void;
  /** Every task's token from its arrival until its answer was taken or refused. */
  heldTokens(): Uint8Array[];
  /** The registration was refused for good, or an answer can never be sent: the worker stops. */
  fatal(error: unknown): void;
}

export interface SessionOptions {
  connection: WorkerConnection;
  workerId: string;
  namespace: string;
  taskQueue: string;
  identity: string;
  buildId: string | undefined;
  /** The version whose tasks it takes; absent: those of workers without one. */
  deploymentVersion?: WorkerDeploymentVersion | undefined;
  /** Absent: keeps no execution warm. */
  stickyQueue: string | undefined;
  stickyScheduleToStartTimeout: number;
  workflowLane: LaneOptions<WorkflowSlotInfo>;
  /** Of a worker of Nexus services: of their tasks. */
  activityLane: LaneOptions<ActivitySlotInfo | NexusSlotInfo>;
  maxActivitiesPerSecond: number | undefined;
  maxTaskQueueActivitiesPerSecond: number | undefined;
  /** It takes Nexus tasks, as activity tasks, and no others. */
  nexus?: true;
  logger: Logger;
}

export class Session implements NodeSessionOwner {
  private readonly options: SessionOptions;
  private readonly handlers: SessionHandlers;
  private readonly lanes: { workflow: Lane<WorkflowSlotInfo>; activity: Lane<ActivitySlotInfo | NexusSlotInfo> };
  private maxActivitiesPerSecond: number | undefined;
  private readonly answers: Answers;
  private readonly nodes = new Map<WorkerNode, NodeSession>();
  /** Whose share is whose. */
  private readonly sessions = new Map<Share, NodeSession>();
  /** Kept where there are several nodes. */
  private recent: RecentTokens | undefined;
  private stopServing: (() => void) | undefined;
  private state: 'new' | 'open' | 'draining' | 'closed' = 'new';
  private rateTimer: NodeJS.Timeout | undefined;
  private moveTimer: NodeJS.Timeout | undefined;
  private lookTimer: NodeJS.Timeout | undefined;
  private moving = false;
  private readonly takingBack = new Set<TaskKind>();
  private firstRegistered: (() => void) | undefined;
  /** Monotonic ms: since when no node can be reached. */
  private lostAt: number | undefined;

  constructor(options: SessionOptions, handlers: SessionHandlers) {
    this.options = options;
    this.handlers = handlers;
    const { workflowLane, activityLane, maxActivitiesPerSecond } = options;
    this.maxActivitiesPerSecond = maxActivitiesPerSecond;
    const onSlot = (): void => this.grantByRate();
    this.lanes = {
      workflow: new Lane(workflowLane, undefined, onSlot),
      activity: new Lane(activityLane, maxActivitiesPerSecond, onSlot),
    };
    this.answers = new Answers({
      anyNode: (but) => this.anyRegistered(but),
      settled: (owner) => this.recent?.add(owner.key, performance.now()),
    });
  }

  get workerId(): string {
    return this.options.workerId;
  }

  get logger(): Logger {
    return this.options.logger;
  }

  /** Tasks pushed and not answered yet. */
  running(kind: TaskKind): number {
    return this.lanes[kind].credit.running;
  }

  /** Slots there are now, in use or not, and what hands them out. */
  slots(kind: TaskKind): { readonly total: number; readonly kind: string } {
    return this.lanes[kind].slots;
  }

  /** As polls, of which each credit stands for one. */
  openCredit(kind: TaskKind): { currentPollers: number; isAutoscaling: boolean } {
    const { credit, isScaled } = this.lanes[kind];
    return { currentPollers: Math.max(0, credit.outstanding), isAutoscaling: isScaled };
  }

  /** Registers on the nodes there are; resolves once one has it, or the session was closed. Tasks may arrive before. Later registrations happen by themselves. */
  start(): Promise<void> {
    this.state = 'open';
    const { connection, workerId, namespace, taskQueue } = this.options;
    // Of those that can be given the first task of a workflow.
    if (this.options.nexus === undefined) connection.ownWorkers?.set(workerId, { namespace, taskQueue });
    const registered = new Promise<void>((resolve) => {
      this.firstRegistered = resolve;
    });
    this.stopServing = this.options.connection.serveNodes((nodes) => this.serve(nodes));
    for (const kind of KINDS) this.lanes[kind].supply();
    if (KINDS.some((kind) => this.lanes[kind].isScaled)) {
      this.lookTimer = setInterval(() => this.look(), LOOK_MS);
      this.lookTimer.unref();
    }
    return registered;
  }

  /** Ends a task of `kind`: the answer is sent, again if need be, until it is taken or refused. */
  answer<M extends AnswerMethod>(
    kind: TaskKind,
    method: M,
    request: Omit<Methods[M]['request'], 'credit'>,
    owner: AnswerOwner,
  ): void {
    const { from } = owner;
    const to = this.freed(kind, from, owner.key);
    const back = to === from && this.state === 'open' ? 1 : 0;
    if (to !== undefined && to !== from) to.grant(kind, 1);
    this.answers.add(method, request, back, owner);
  }

  /** Ends a task without an answer (the server forgot it, or someone else completes it): only the credit goes back. */
  release(kind: TaskKind, { from, key }: Pick<AnswerOwner, 'from' | 'key'>): void {
    this.freed(kind, from, key)?.grant(kind, 1);
  }

  /** No new tasks from here on; held ones may be answered. Resolves when the servers know, or cannot be asked. */
  async drain(): Promise<void> {
    if (this.state !== 'open' && this.state !== 'new') return;
    this.state = 'draining';
    this.options.connection.ownWorkers?.delete(this.options.workerId);
    clearTimeout(this.rateTimer);
    clearTimeout(this.moveTimer);
    clearInterval(this.lookTimer);
    for (const kind of KINDS) this.lanes[kind].reserveNoMore();
    await Promise.all([...this.nodes.values()].map((session) => session.drain()));
    for (const kind of KINDS) this.lanes[kind].slots.stop();
  }

  /** Resolves when no answer is open. */
  answersTaken(): Promise<void> {
    return this.answers.taken();
  }

  /** Forgets everything; open answers are given up. */
  close(): void {
    this.state = 'closed';
    this.options.connection.ownWorkers?.delete(this.options.workerId);
    for (const session of this.nodes.values()) session.close();
    this.nodes.clear();
    this.stopServing?.();
    this.firstRegistered?.();
    clearTimeout(this.rateTimer);
    clearTimeout(this.moveTimer);
    clearInterval(this.lookTimer);
    for (const kind of KINDS) this.lanes[kind].slots.stop();
    this.answers.close();
  }

  // ---------------------------------------------------------------- NodeSessionOwner

  registration(session: NodeSession): RegisterWorkerRequest {
    const { options, lanes } = this;
    const now = performance.now();
    // Their slots are free by now, and counted here.
    this.answers.creditVoid(session);
    return {
      workerId: options.workerId,
      namespace: options.namespace,
      taskQueue: options.taskQueue,
      identity: options.identity,
      buildId: options.buildId,
      nexus: options.nexus,
      ...(options.deploymentVersion !== undefined && { deploymentVersion: options.deploymentVersion }),
      stickyQueue: options.stickyQueue,
      stickyScheduleToStartTimeout: options.stickyScheduleToStartTimeout,
      workflowCredit: lanes.workflow.credit.register(session.shares.workflow, now),
      activityCredit: lanes.activity.credit.register(session.shares.activity, now),
      maxActivitiesPerSecond: this.maxActivitiesPerSecond,
      maxTaskQueueActivitiesPerSecond: options.maxTaskQueueActivitiesPerSecond,
      heldTokens: this.handlers.heldTokens(),
    };
  }

  heldTokens(): Uint8Array[] {
    return this.handlers.heldTokens();
  }

  registered(session: NodeSession): void {
    this.firstRegistered?.();
    this.firstRegistered = undefined;
    this.options.logger.debug('The worker is registered', { node: session.node.name, address: session.node.address });
    this.answers.sendAll();
    this.grantByRate();
    this.moveSoon();
  }

  /** Said once for each time that no node is left, however many attempts it takes until one is back. */
  lost(session: NodeSession, reason: string): void {
    this.voidCredit(session);
    const { logger, workerId } = this.options;
    const { address } = session.node;
    if ([...this.nodes.values()].some(({ state }) => state !== 'away')) {
      logger.info('Lost a node: the worker goes on with the others', { address, reason, workerId });
      this.answers.sendAll();
      return;
    }
    if (this.lostAt !== undefined) return;
    this.lostAt = performance.now();
    const retryEveryMs = `${BACKOFF_FIRST_MS} doubling to ${BACKOFF_MAX_MS}`;
    const text = 'Lost the server: tasks in hand go on, and the worker connects again until it is back';
    logger.warn(text, { address, reason, retryEveryMs, workerId });
  }

  back(session: NodeSession): void {
    if (this.lostAt === undefined) return;
    const { logger, workerId } = this.options;
    const awayMs = Math.round(performance.now() - this.lostAt);
    this.lostAt = undefined;
    const { address } = session.node;
    logger.info('The server is back: registering the worker again', { address, awayMs, workerId });
  }

  refused(session: NodeSession, error: unknown): void {
    if ([...this.nodes.values()].every((other) => other === session || other.state !== 'registered')) {
      this.handlers.fatal(error);
      return;
    }
    // One of several: what the others take cannot be wrong in itself.
    const { name, address } = session.node;
    this.options.logger.error('A node refuses the worker, which goes on with the others', {
      node: name,
      address,
      error,
    });
    session.state = 'away';
    this.voidCredit(session);
  }

  // ---------------------------------------------------------------- nodes

  private serve(nodes: readonly WorkerNode[]): void {
    if (this.state === 'closed') return;
    for (const [node, session] of this.nodes) {
      if (nodes.includes(node)) continue;
      this.nodes.delete(node);
      session.leave();
      this.voidCredit(session);
    }
    if (nodes.length > 1) this.recent ??= new RecentTokens(performance.now());
    for (const node of nodes) if (!this.nodes.has(node)) this.join(node);
    this.answers.sendAll();
  }

  private join(node: WorkerNode): void {
    const session = new NodeSession(node, this);
    this.nodes.set(node, session);
    for (const kind of KINDS) this.sessions.set(session.shares[kind], session);
    const { workerId } = this.options;
    session.subscriptions.push(
      node.onPush('workflowTask', (task, over) => {
        if (task.workerId !== workerId) return;
        if (!this.pushed('workflow', this.lanes.workflow, session, workflowTaskInfo(task), over)) return;
        this.handlers.workflowTask(task, session);
      }),
      node.onPush('activityTask', (task, over) => {
        if (task.workerId !== workerId) return;
        if (!this.pushed('activity', this.lanes.activity, session, activityTaskInfo(task), over)) return;
        this.handlers.activityTask(task, session);
      }),
      node.onPush('cancelActivity', (push) => {
        if (push.workerId === workerId) this.handlers.cancelActivity(push);
      }),
      node.onPush('durable', (push) => {
        if (push.workerId !== workerId) return;
        this.handlers.durable(push.tokens);
        this.handlers.over(push.over ?? []);
      }),
    );
    session.start();
    if (this.state === 'draining') void session.drain();
  }

  private anyRegistered(but: NodeSession | undefined): NodeSession | undefined {
    const registered = [...this.nodes.values()].filter(({ state }) => state === 'registered');
    return registered.find((session) => session !== but) ?? registered[0];
  }

  // ---------------------------------------------------------------- credit

  /** False for a task that was settled a moment ago. */
  private pushed<SI extends SlotInfo>(
    kind: TaskKind,
    lane: Lane<SI>,
    from: NodeSession,
    task: TaskInfo<SI>,
    over: 'current' | 'leaving',
  ): boolean {
    if (this.state === 'closed') return false;
    const share = from.shares[kind];
    const now = performance.now();
    // Until the node has answered a registration, and over a link that is being left, it spends what has become void.
    if (from.state === 'registered' && over === 'current') {
      lane.credit.pushed(share, now);
      if (share.outstanding <= 0) this.moveSoon();
    } else {
      lane.credit.pushedBeside(share, now);
    }
    if (lane.taken(task)) this.grantByRate();
    if (this.recent === undefined || !this.recent.has(tokenKey(task.token))) return true;
    this.release(kind, { from, key: tokenKey(task.token) });
    return false;
  }

  /** A slot is free: which node has its credit, still to be told of it. */
  private freed(kind: TaskKind, from: NodeSession, key: string): NodeSession | undefined {
    const to = this.lanes[kind].freed(from.shares[kind], key);
    if (kind === 'activity' && this.lanes.activity.credit.isRated) this.grantByRate();
    if (to === undefined || to === from.shares[kind]) return to && from;
    return this.sessions.get(to);
  }

  private voidCredit(session: NodeSession): void {
    this.answers.creditVoid(session);
    for (const kind of KINDS) {
      this.lanes[kind].credit.lost(session.shares[kind]);
      if (session.state === 'left') this.sessions.delete(session.shares[kind]);
    }
    this.grantByRate();
  }

  /** Activities per second from now on, on all nodes together; undefined: unlimited. */
  limitActivities(perSecond: number | undefined): void {
    this.maxActivitiesPerSecond = perSecond;
    this.lanes.activity.credit.limit(perSecond, performance.now());
    for (const session of this.nodes.values()) session.limitActivities(perSecond);
    // It waits for as long as the limit before would have it.
    clearTimeout(this.rateTimer);
    this.rateTimer = undefined;
    this.grantByRate();
  }

  /** Grants what may be granted: what a rate limit lets through now, and what a node has left behind. */
  private grantByRate(): void {
    if (this.state !== 'open') return;
    const now = performance.now();
    for (const kind of KINDS) {
      for (const [share, count] of this.lanes[kind].credit.due(now)) this.sessions.get(share)?.grant(kind, count);
    }
    if (this.rateTimer !== undefined) return;
    const waitMs = this.lanes.activity.credit.dueIn(now);
    if (waitMs === undefined) return;
    this.rateTimer = setTimeout(
      () => {
        this.rateTimer = undefined;
        this.grantByRate();
      },
      Math.max(1, waitMs),
    );
  }

  private moveSoon(atLeastMs = 0): void {
    if (this.nodes.size < 2 || this.moveTimer !== undefined || this.moving || this.state !== 'open') return;
    const now = performance.now();
    const due = KINDS.flatMap((kind) => this.lanes[kind].credit.move(now)?.inMs ?? []);
    if (due.length === 0) return;
    this.moveTimer = setTimeout(
      () => {
        this.moveTimer = undefined;
        void this.moveCredit();
      },
      Math.max(atLeastMs, Math.min(...due)),
    );
  }

  private async moveCredit(): Promise<void> {
    const now = performance.now();
    const moves = KINDS.flatMap((kind) => {
      const move = this.lanes[kind].credit.move(now);
      return move === undefined ? [] : [{ kind, move }];
    });
    this.moving = true;
    const moved = await Promise.all(moves.map(({ kind, move }) => this.moveOne(kind, move)));
    this.moving = false;
    this.moveSoon(moved.some((count) => count > 0) ? 0 : FRUITLESS_PAUSE_MS);
  }

  /** How much was taken back. */
  private async moveOne(kind: TaskKind, { from, to, count }: CreditMove): Promise<number> {
    const taken = (await this.sessions.get(from)?.withdraw(kind, count)) ?? 0;
    if (taken === 0 || this.state === 'closed') return taken;
    const now = performance.now();
    const { credit } = this.lanes[kind];
    credit.withdrawn(from, taken, now);
    // As much as is still free: by now a node may have sent tasks beyond its credit.
    const given = credit.hand(to, taken, now);
    if (given > 0) this.sessions.get(to)?.grant(kind, given);
    this.grantByRate();
    return taken;
  }

  /** Windows that have become smaller: what is out beyond them is taken back. */
  private look(): void {
    for (const kind of KINDS) {
      const lane = this.lanes[kind];
      // What is being taken back still counts as open.
      if (this.takingBack.has(kind) || !lane.shrunk()) continue;
      const surplus = lane.credit.surplus();
      if (surplus !== undefined) void this.takeBack(kind, surplus);
    }
  }

  private async takeBack(kind: TaskKind, { from, count }: { from: Share; count: number }): Promise<void> {
    this.takingBack.add(kind);
    const taken = (await this.sessions.get(from)?.withdraw(kind, count)) ?? 0;
    this.takingBack.delete(kind);
    if (this.state !== 'open') return;
    this.lanes[kind].credit.withdrawn(from, taken, performance.now());
    this.lanes[kind].supply();
  }
}

/** A sticky task has only the events that its worker does not have. */
function workflowTaskInfo(task: WorkflowTask): TaskInfo<WorkflowSlotInfo> {
  return {
    token: task.token,
    waitedMs: task.startedTime - task.scheduledTime,
    info: () => ({ type: 'workflow', workflowType: task.workflowType, isSticky: task.firstEventId > 1 }),
  };
}

function activityTaskInfo(task: ActivityTask): TaskInfo<ActivitySlotInfo | NexusSlotInfo> {
  const { token, activityType, nexus } = task;
  const waitedMs = task.startedTime - task.currentAttemptScheduledTime;
  if (nexus === undefined) return { token, waitedMs, info: () => ({ type: 'activity', activityType }) };
  const { service = '', operation = '' } = nexus.startOperation ?? nexus.cancelOperation ?? {};
  return { token, waitedMs, info: () => ({ type: 'nexus', service, operation }) };
}
