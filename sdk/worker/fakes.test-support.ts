// A connection and workflow threads without anything behind them, for the worker's tests: what was sent is recorded, what comes back
// is said by the test.

import type { ActivityTask } from '../../src/wire/activity-task.ts';
import type { Method, Methods, Pushes, PushTopic } from '../../src/wire/api.ts';
import { encode } from '../../src/wire/codec.ts';
import { EventType } from '../../src/wire/enums.ts';
import { StatusCode } from '../../src/wire/status.ts';
import type { WorkflowTask } from '../../src/wire/workflow-task.ts';
import { defaultDataConverter, type LoadedDataConverter } from '../common/data-converter.ts';
import { type LogLevel, makeLogger } from '../common/logger.ts';
import { RpcError } from '../connection/rpc-error.ts';
import { type BusyLook, BusyMarker, BusyWatch, newBusyMark } from './busy-mark.ts';
import { compileWorkerOptions, type WorkerOptions } from './options.ts';
import type { ThreadEvents, ThreadFactory, ThreadPort, WorkerConnection, WorkerNode } from './ports.ts';
import type { LaneOptions } from './slots/lane.ts';
import { compilePollers } from './slots/poller-behavior.ts';
import type { SlotInfo } from './slots/tuner.ts';
import type { FromWorkflowThread, ToWorkflowThread } from './thread-protocol.ts';
import { WorkerEngine } from './worker-engine.ts';

export interface SentRequest<M extends Method = Method> {
  method: M;
  body: Methods[M]['request'];
  resolve(body: Methods[M]['response']): void;
  reject(error: unknown): void;
}

/** A connection and the one node behind it; `nodes` may be given more. */
export class FakeConnection implements WorkerConnection, WorkerNode {
  readonly sent: SentRequest[] = [];
  /** Methods the test answers itself; all others are answered with an empty message at once. */
  readonly manual = new Set<Method>();
  readonly name: string | undefined;
  readonly address: string;
  isLinked = true;
  private readonly handlers = new Map<PushTopic, Set<(body: never, over: 'current' | 'leaving') => void>>();
  private readonly linked = new Set<() => void>();
  private readonly disconnected = new Set<(reason: string) => void>();
  private readonly leads = new Set<() => void>();
  private readonly serving = new Set<(nodes: readonly WorkerNode[]) => void>();
  private nodes: readonly WorkerNode[] = [this];

  constructor(name?: string) {
    this.name = name;
    this.address = `ws://${name ?? 'fake'}:7280/`;
  }

  request<M extends Method>(
    method: M,
    body: Methods[M]['request'],
    options?: { answered?: () => void },
  ): Promise<Methods[M]['response']> {
    return new Promise((settled, reject) => {
      const resolve = (answer: Methods[M]['response']): void => {
        options?.answered?.();
        settled(answer);
      };
      // As a real connection, which encodes at once: later changes of the body are not seen.
      const request: SentRequest<M> = { method, body: structuredClone(body), resolve, reject };
      this.sent.push(request as unknown as SentRequest);
      if (!this.manual.has(method)) resolve({} as Methods[M]['response']);
    });
  }

  ask<M extends Method>(method: M, body: Methods[M]['request']): Promise<Methods[M]['response']> {
    return this.request(method, body);
  }

  serveNodes(handler: (nodes: readonly WorkerNode[]) => void): () => void {
    this.serving.add(handler);
    handler(this.nodes);
    return () => this.serving.delete(handler);
  }

  /** The nodes there are from now on. */
  serve(nodes: readonly WorkerNode[]): void {
    this.nodes = nodes;
    for (const handler of this.serving) handler(nodes);
  }

  onDisconnected(handler: (reason: string) => void): () => void {
    this.disconnected.add(handler);
    return () => this.disconnected.delete(handler);
  }

  /** The link is lost, with what was asked over it. */
  disconnect(reason: string): void {
    this.isLinked = false;
    const detail = { kind: 'Unavailable', applied: 'maybe' } as const;
    for (const { reject } of this.sent) reject(new RpcError(StatusCode.UNAVAILABLE, reason, detail));
    for (const handler of this.disconnected) handler(reason);
  }

  onPush<T extends PushTopic>(topic: T, handler: (body: Pushes[T], over: 'current' | 'leaving') => void): () => void {
    const handlers = this.handlers.get(topic) ?? new Set();
    this.handlers.set(topic, handlers);
    handlers.add(handler);
    return () => handlers.delete(handler);
  }

  onLinked(handler: () => void): () => void {
    this.linked.add(handler);
    return () => this.linked.delete(handler);
  }

  onLeads(handler: () => void): () => void {
    this.leads.add(handler);
    return () => this.leads.delete(handler);
  }

  /** It leads further shards. */
  lead(): void {
    for (const handler of this.leads) handler();
  }

  push<T extends PushTopic>(
    topic: T,
    body: Omit<Pushes[T], 'workerId'> & { workerId?: string },
    over: 'current' | 'leaving' = 'current',
  ): void {
    const full = { workerId: this.workerId, ...body };
    for (const handler of this.handlers.get(topic) ?? []) handler(full as never, over);
  }

  /** There is a link again; where there was one still, it is lost first. */
  reconnect(): void {
    if (this.isLinked) this.disconnect('the link was lost');
    this.isLinked = true;
    for (const handler of this.linked) handler();
  }

  get workerId(): string {
    return this.of('registerWorker')[0]?.body.workerId ?? '';
  }

  /** Requests of one method, in order. */
  of<M extends Method>(method: M): SentRequest<M>[] {
    return this.sent.filter((request) => request.method === method) as unknown as SentRequest<M>[];
  }

  /** The latest request of a method. @throws Error when there is none. */
  last<M extends Method>(method: M): SentRequest<M> {
    const request = this.of(method).at(-1);
    if (request === undefined) throw new Error(`${method} was not sent; sent: ${this.sent.map((r) => r.method)}`);
    return request;
  }
}

export class FakeThread implements ThreadPort {
  readonly received: ToWorkflowThread[] = [];
  readonly batches: number[] = [];
  terminated = false;
  private readonly events: ThreadEvents;
  private readonly mark = newBusyMark();
  private readonly marker = new BusyMarker(this.mark);
  private readonly watch = new BusyWatch(this.mark);

  constructor(events: ThreadEvents) {
    this.events = events;
  }

  post(messages: ToWorkflowThread[]): void {
    this.batches.push(messages.length);
    this.received.push(...structuredClone(messages));
  }

  terminate(): void {
    this.terminated = true;
  }

  /** CPU time the process spends for each ms. */
  cpuShare = 1;

  busy(now: number): BusyLook | undefined {
    return this.watch.look(now, now * this.cpuShare);
  }

  /** As the thread does, busy and idle are said in shared memory. */
  say(...messages: FromWorkflowThread[]): void {
    for (const message of messages) {
      if (message.type === 'busy') this.marker.busy(message.runId, message.values);
      else if (message.type === 'idle') this.marker.idle();
      else this.events.onMessages([message]);
    }
  }

  die(message: string): void {
    this.events.onExit(new Error(message));
  }

  of<T extends ToWorkflowThread['type']>(type: T): Extract<ToWorkflowThread, { type: T }>[] {
    return this.received.filter((message) => message.type === type) as Extract<ToWorkflowThread, { type: T }>[];
  }
}

export class FakeThreads {
  readonly all: FakeThread[] = [];

  readonly factory: ThreadFactory = (events) => {
    const thread = new FakeThread(events);
    this.all.push(thread);
    queueMicrotask(() => thread.say({ type: 'ready' }));
    return thread;
  };

  /** The latest thread. */
  get last(): FakeThread {
    const thread = this.all.at(-1);
    if (thread === undefined) throw new Error('no thread was started');
    return thread;
  }
}

export interface Harness {
  connection: FakeConnection;
  threads: FakeThreads;
  engine: WorkerEngine;
  logs: { level: LogLevel; message: string; meta: Record<string | symbol, unknown> }[];
  fatal: unknown[];
}

/** An engine over fakes, registered. */
export async function startEngine(
  options: Partial<WorkerOptions> = {},
  converter: LoadedDataConverter = defaultDataConverter,
): Promise<Harness> {
  const connection = new FakeConnection();
  const threads = new FakeThreads();
  const logs: Harness['logs'] = [];
  const fatal: unknown[] = [];
  const compiled = compileWorkerOptions(
    { taskQueue: 'q', workflowBundle: { code: '' }, workflowThreadPoolSize: 1, ...options },
    { cores: 2, heapLimit: 2 ** 31, debug: false },
  );
  const engine = new WorkerEngine({
    options: compiled,
    identity: 'me',
    buildId: 'build',
    connection,
    converter,
    threads: compiled.slots.workflow !== undefined ? threads.factory : undefined,
    client: undefined,
    logger: makeLogger((level, message, meta) => logs.push({ level, message, meta })),
    fatal: (error) => fatal.push(error),
  });
  await engine.prepare();
  await engine.open();
  return { connection, threads, engine, logs, fatal };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function workflowTask(token: string, fields: Partial<WorkflowTask> = {}): Omit<WorkflowTask, 'workerId'> {
  return {
    token: bytes(token),
    namespace: 'default',
    workflowId: 'wf',
    runId: 'run',
    workflowType: 'Type',
    attempt: 1,
    previousStartedEventId: 0,
    startedEventId: 3,
    scheduledTime: 0,
    startedTime: 0,
    history: [
      encode([
        {
          eventId: 2,
          eventTime: 0,
          eventType: EventType.WORKFLOW_TASK_SCHEDULED,
          attributes: { startToCloseTimeout: 2000 },
        },
        { eventId: 3, eventTime: 0, eventType: EventType.WORKFLOW_TASK_STARTED, attributes: {} },
      ]),
    ],
    firstEventId: 1,
    ...fields,
  };
}

export function activityTask(token: string, fields: Partial<ActivityTask> = {}): Omit<ActivityTask, 'workerId'> {
  return {
    token: bytes(token),
    namespace: 'default',
    workflowId: 'wf',
    runId: 'run',
    workflowType: 'Type',
    activityId: '1',
    activityType: 'act',
    attempt: 1,
    scheduledTime: 0,
    currentAttemptScheduledTime: 0,
    startedTime: 0,
    scheduleToCloseTimeout: 0,
    startToCloseTimeout: 10_000,
    heartbeatTimeout: 0,
    ...fields,
  };
}

/** What a thread says when it has finished a task. */
export function completed(token: string, fields: { runId?: string; sticky?: boolean } = {}): FromWorkflowThread {
  const { runId = 'run', sticky = true } = fields;
  return { type: 'completed', runId, request: { token: bytes(token), commands: [], sticky }, sinkCalls: [] };
}

export const notFound = new RpcError(StatusCode.NOT_FOUND, 'gone', { kind: 'NotFound' });

/** Lets everything that waits on promises only go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** So many slots of a kind of task, all of them open as credit. */
export function fixedLane<SI extends SlotInfo>(numSlots: number): LaneOptions<SI> {
  return {
    supplier: { type: 'fixed-size', numSlots },
    pollers: compilePollers('workflowTaskPollerBehavior', undefined, 'fixed'),
    context: { slotType: 'activity', taskQueue: 'q', workerIdentity: 'me', workerBuildId: 'b', isSticky: false },
    logger: makeLogger(() => {}),
  };
}
