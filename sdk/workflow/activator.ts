// One execution from inside: its counters, pending promises and handlers. Jobs come in, intents go out; nothing here knows history.
//
// All jobs of an activation are applied before any continuation runs (the engine drains microtasks afterwards), and conditions are
// looked at after each: one that a signal made true wins against a timer that comes after it. Both as the official SDK does.

import type { Payload, Payloads } from '../../src/wire/common.ts';
import { StartChildWorkflowExecutionFailedCause } from '../../src/wire/enums.ts';
import type { Failure } from '../../src/wire/failure.ts';
import { isCancellation, TemporalFailure, WorkflowExecutionAlreadyStartedError } from '../common/failure.ts';
import type { FailureConverter } from '../common/failure-converter.ts';
import { HandlerUnfinishedPolicy, type Workflow } from '../common/interfaces.ts';
import { fromPayloads, fromPayloadsAtIndex, type PayloadConverter } from '../common/payload-converter.ts';
import { assertNever } from '../common/type-helpers.ts';
import { userMetadataToPayload } from '../common/user-metadata.ts';
import type { Activation, Intent, Job, Outcome, SinkInvocation } from './activation.ts';
import { CancellationScope, UpdateScope } from './cancellation-scope.ts';
import { ContinueAsNew } from './continue-as-new.ts';
import { DeterminismViolationError } from './errors.ts';
import { SDK_FLAGS, type SdkFlag } from './flags.ts';
import { describeHandlers, MessageHandlers } from './handlers.ts';
import type { SleepOptions, WorkflowInfo } from './interfaces.ts';
import { type RandomSource, seededRandom } from './random.ts';
import { UpdateHandlers } from './update-handlers.ts';

/** A promise the history will settle. `site` is where it was made. */
interface Pending<T> {
  resolve(value: T): void;
  reject(reason: Error): void;
  site: Error;
}

/** Thrown into a local activity's loop: wait, then schedule it again. */
export class LocalActivityBackoff extends Error {
  readonly nextAttempt: number;
  readonly backoffMs: number;
  readonly originalScheduledTime: number;

  constructor(nextAttempt: number, backoffMs: number, originalScheduledTime: number) {
    super('The local activity is tried again after a timer');
    this.nextAttempt = nextAttempt;
    this.backoffMs = backoffMs;
    this.originalScheduledTime = originalScheduledTime;
  }
}

/** What is numbered, each kind on its own. */
export type SeqKind = 'timer' | 'activity' | 'child' | 'signalExternal' | 'cancelExternal' | 'condition';

export interface ActivatorOptions {
  info: WorkflowInfo;
  randomSeed: string;
  /** Of this package. */
  sdkVersion: string;
  payloadConverter: PayloadConverter;
  failureConverter: FailureConverter;
  /** Source-mapped text of an error's stack, without the SDK's own frames. */
  mapStack: (stack: string) => string;
}

export class Activator {
  info: WorkflowInfo;
  /** Workflow time, epoch ms. */
  now: number;
  random: RandomSource;
  readonly payloadConverter: PayloadConverter;
  readonly failureConverter: FailureConverter;
  readonly rootScope: CancellationScope;
  readonly handlers: MessageHandlers;
  readonly updates: UpdateHandlers;
  /** For people, shown by the metadata query. */
  currentDetails = '';
  readonly #nextSeqs = { timer: 1, activity: 1, child: 1, signalExternal: 1, cancelExternal: 1, condition: 1 };
  readonly timers = new Map<number, Pending<void>>();
  readonly activities = new Map<number, Pending<unknown>>();
  readonly childStarts = new Map<number, Pending<string> & { workflowId: string; workflowType: string }>();
  readonly children = new Map<number, Pending<unknown>>();
  readonly externalSignals = new Map<number, Pending<void>>();
  readonly externalCancels = new Map<number, Pending<void>>();
  readonly blockedConditions = new Map<number, { fn: () => boolean; resolve: () => void; site: Error }>();
  intents: Intent[] = [];
  sinkCalls: SinkInvocation[] = [];
  usedFlags: SdkFlag[] = [];
  /** Set by an error that must fail the workflow task. */
  taskFailure: { error: unknown } | undefined;
  /** A closing intent was made. */
  completed = false;
  cancelled = false;
  readonly #mapStack: (stack: string) => string;
  readonly #knownPatches = new Set<string>();
  readonly #sentPatches = new Set<string>();
  readonly #flags = new Set<SdkFlag>();
  /** A query handler or a validator runs. */
  #readOnly: string | undefined;
  #violation: DeterminismViolationError | undefined;

  constructor(options: ActivatorOptions) {
    this.info = options.info;
    this.now = options.info.runStartTime.getTime();
    this.random = seededRandom(options.randomSeed);
    this.payloadConverter = options.payloadConverter;
    this.failureConverter = options.failureConverter;
    this.#mapStack = options.mapStack;
    this.rootScope = CancellationScope.root();
    this.handlers = new MessageHandlers(
      options.payloadConverter,
      {
        stacks: () => this.stacks(),
        workflowMetadata: () =>
          describeHandlers(this.info.workflowType, this.handlers, this.updates.handlers, this.currentDetails),
      },
      (error) => this.#leave(error),
      options.sdkVersion,
    );
    this.updates = new UpdateHandlers({
      payloadConverter: options.payloadConverter,
      errorToFailure: (error) => this.errorToFailure(error),
      accept: (id) => this.push({ kind: 'acceptUpdate', id }),
      reject: (id, failure) => this.push({ kind: 'rejectUpdate', id, failure }),
      complete: (id, outcome) => this.push({ kind: 'completeUpdate', id, outcome }),
      failTask: (error) => this.failTask(error),
      validate: (seed, fn) => this.#withoutTrace('An update validator', seed, fn),
      runInScope: (update, fn) => new UpdateScope(this.rootScope, update).run(fn),
    });
  }

  /** Applies the jobs, in order; then starts `start`, the workflow's function, when this is the run's first activation. */
  activate(activation: Activation, start: { workflow: Workflow; input: Payloads | undefined } | undefined): void {
    const { now, isReplaying, historyLength, historySize, continueAsNewSuggested, jobs } = activation;
    this.now = now;
    const { unsafe } = this.info;
    unsafe.isReplaying = isReplaying;
    this.info = { ...this.info, historyLength, historySize, continueAsNewSuggested };
    for (const job of jobs) {
      this.#apply(job);
      // Patches and seeds are not news to the workflow's code.
      if (job.kind !== 'patch' && job.kind !== 'randomSeed') this.tryUnblockConditions();
    }
    if (start !== undefined) this.#start(start.workflow, start.input);
  }

  #start(workflow: Workflow, input: Payloads | undefined): void {
    const run = async (): Promise<unknown> => {
      const args = fromPayloads(this.payloadConverter, input);
      // The caller's arguments are whatever was sent.
      return (workflow as (...args: unknown[]) => Promise<unknown>)(...args);
    };
    run()
      .then(
        (result) => this.#complete(result),
        (error: unknown) => this.#leave(error),
      )
      .catch((error: unknown) => this.failTask(error));
  }

  /** Lets conditions that hold go on. @returns how many did. */
  tryUnblockConditions(): number {
    let unblocked = 0;
    for (;;) {
      const before = unblocked;
      for (const [seq, condition] of this.blockedConditions) {
        if (!condition.fn()) continue;
        this.blockedConditions.delete(seq);
        condition.resolve();
        unblocked++;
      }
      if (unblocked === before) return unblocked;
    }
  }

  /** @throws what the query's handler throws. Leaves no trace in the execution. */
  query(name: string, input: Payloads | undefined): Payload {
    return this.#withoutTrace('A query handler', name, () =>
      this.payloadConverter.toPayload(this.handlers.query(name, input)),
    );
  }

  #withoutTrace<T>(who: string, seed: string, fn: () => T): T {
    const { random } = this;
    this.#readOnly = who;
    this.#violation = undefined;
    this.random = seededRandom(seed);
    try {
      const result = fn();
      // The code may have caught it, or lost it in a promise.
      if (this.#violation !== undefined) throw this.#violation;
      return result;
    } finally {
      this.#readOnly = undefined;
      this.random = random;
    }
  }

  /** Whether no signal or update handler still runs. */
  get allHandlersFinished(): boolean {
    return this.handlers.running.size === 0 && this.updates.running.size === 0;
  }

  /** Number of the next timer, activity… @throws DeterminismViolationError inside a query handler or a validator. */
  takeSeq(kind: SeqKind): number {
    this.#refuseReadOnly(kind);
    return this.#nextSeqs[kind]++;
  }

  errorToFailure(error: unknown): Failure {
    return this.failureConverter.errorToFailure(error, this.payloadConverter);
  }

  failureToError(failure: Failure): Error {
    return this.failureConverter.failureToError(failure, this.payloadConverter);
  }

  /** @throws DeterminismViolationError inside a query handler or a validator. */
  push(intent: Intent): void {
    this.#refuseReadOnly(intent.kind);
    this.intents.push(intent);
  }

  #refuseReadOnly(what: string): void {
    if (this.#readOnly === undefined) return;
    this.#violation ??= new DeterminismViolationError(
      `${this.#readOnly} may not change its workflow (it tried: ${what})`,
    );
    throw this.#violation;
  }

  failTask(error: unknown): void {
    this.taskFailure ??= { error };
  }

  /** Notes that a behaviour which older histories lack was relied on. */
  useFlag(flag: SdkFlag): void {
    if (this.#flags.has(flag)) return;
    this.#flags.add(flag);
    this.usedFlags.push(flag);
  }

  /** Whether the patched code is to run; sends the marker the first time. */
  patch(id: string, deprecated: boolean): boolean {
    const use = !this.info.unsafe.isReplaying || this.#knownPatches.has(id);
    if (use && !this.#sentPatches.has(id)) {
      this.push({ kind: 'patch', id, deprecated, site: new Error() });
      this.#sentPatches.add(id);
    }
    return use;
  }

  /** Starts a timer in `scope`; rejects when the scope is cancelled. At least 1 ms. */
  timer(scope: CancellationScope, ms: number, options?: SleepOptions, seq = this.takeSeq('timer')): Promise<void> {
    const site = new Error();
    return new Promise<void>((resolve, reject) => {
      if (scope.consideredCancelled) {
        scope.cancelRequested.catch(reject);
        return;
      }
      if (scope.cancellable) {
        scope.cancelRequested.catch((reason: Error) => {
          if (!this.timers.delete(seq)) return;
          this.push({ kind: 'cancelTimer', seq, site: new Error() });
          reject(reason);
        });
      }
      this.push({
        kind: 'startTimer',
        seq,
        ms: Math.max(1, ms),
        site,
        userMetadata: userMetadataToPayload(this.payloadConverter, options?.summary, undefined),
      });
      this.timers.set(seq, { resolve, reject, site });
    });
  }

  /** Stacks of everything the workflow waits for. */
  stacks(): string[] {
    const sites = new Set<Error>();
    const waiting: Iterable<{ site: Error }>[] = [
      this.timers.values(),
      this.activities.values(),
      this.childStarts.values(),
      this.children.values(),
      this.externalSignals.values(),
      this.externalCancels.values(),
      this.blockedConditions.values(),
    ];
    for (const group of waiting) for (const { site } of group) sites.add(site);
    const stacks = new Set([...sites].map((site) => this.#mapStack(site.stack ?? '').replace(/^Error.*\n?/, '')));
    return [...stacks].filter((stack) => stack !== '');
  }

  #apply(job: Job): void {
    switch (job.kind) {
      case 'patch':
        this.#knownPatches.add(job.id);
        return;
      case 'randomSeed':
        this.random = seededRandom(job.seed);
        return;
      case 'signal':
        this.useFlag(SDK_FLAGS.singleBatch);
        this.handlers.signal(job);
        return;
      case 'update':
        this.updates.receive(job);
        return;
      case 'cancel':
        this.cancelled = true;
        this.rootScope.cancel();
        return;
      case 'timerFired':
        take(this.timers, job.seq)?.resolve();
        return;
      case 'activityResolved':
        this.#settle(take(this.activities, job.seq), job.outcome);
        return;
      case 'localActivityBackoff':
        take(this.activities, job.seq)?.reject(
          new LocalActivityBackoff(job.nextAttempt, job.backoffMs, job.originalScheduledTime),
        );
        return;
      case 'childStarted':
        take(this.childStarts, job.seq)?.resolve(job.runId);
        return;
      case 'childStartFailed':
        this.#childStartFailed(job);
        return;
      case 'childStartCancelled': {
        const error = this.failureToError(job.failure);
        take(this.childStarts, job.seq)?.reject(error);
        take(this.children, job.seq)?.reject(error);
        return;
      }
      case 'childResolved':
        this.#settle(take(this.children, job.seq), job.outcome);
        return;
      case 'externalSignalled':
        this.#settleVoid(take(this.externalSignals, job.seq), job.failure);
        return;
      case 'externalCancelRequested':
        this.#settleVoid(take(this.externalCancels, job.seq), job.failure);
        return;
      default:
        assertNever('Unknown job', job);
    }
  }

  #childStartFailed({ seq, cause }: Extract<Job, { kind: 'childStartFailed' }>): void {
    const pending = take(this.childStarts, seq);
    const result = take(this.children, seq);
    if (pending === undefined) return;
    if (cause !== StartChildWorkflowExecutionFailedCause.WORKFLOW_ALREADY_EXISTS) {
      this.failTask(new Error(`Child workflow '${pending.workflowId}' could not be started: cause ${String(cause)}`));
      return;
    }
    const { workflowId, workflowType } = pending;
    const error = new WorkflowExecutionAlreadyStartedError(
      'Workflow execution already started',
      workflowId,
      workflowType,
    );
    pending.reject(error);
    result?.reject(error);
  }

  #settle(pending: Pending<unknown> | undefined, outcome: Outcome): void {
    if (pending === undefined) return;
    if (outcome.kind === 'failed') {
      pending.reject(this.failureToError(outcome.failure));
      return;
    }
    const payloads = outcome.result?.payloads;
    pending.resolve(payloads === undefined ? undefined : fromPayloadsAtIndex(this.payloadConverter, 0, payloads));
  }

  #settleVoid(pending: Pending<void> | undefined, failure: Failure | undefined): void {
    if (failure === undefined) pending?.resolve();
    else pending?.reject(this.failureToError(failure));
  }

  #complete(result: unknown): void {
    this.#close({ kind: 'complete', result: this.payloadConverter.toPayload(result) });
  }

  /** An error left the workflow's function or a signal handler. */
  #leave(error: unknown): void {
    if (this.cancelled && isCancellation(error)) this.#close({ kind: 'cancelled' });
    else if (error instanceof ContinueAsNew) this.#close({ kind: 'continueAsNew', attributes: error.command });
    else if (error instanceof TemporalFailure) this.#close({ kind: 'fail', failure: this.errorToFailure(error) });
    else this.failTask(error);
  }

  #close(intent: Intent): void {
    this.push(intent);
    this.completed = true;
    if (intent.kind === 'fail') return;
    const isMissed = (running: { unfinishedPolicy: HandlerUnfinishedPolicy }): boolean =>
      running.unfinishedPolicy === HandlerUnfinishedPolicy.WARN_AND_ABANDON;
    const wait = 'Wait for allHandlersFinished() before returning, or set unfinishedPolicy: ABANDON.';
    const signals = [...this.handlers.running.values()].filter(isMissed).map(({ name }) => name);
    if (signals.length > 0) {
      this.#warn(`The workflow ended while signal handlers were still running: [${signals.join(', ')}]. ${wait}`);
    }
    const updates = [...this.updates.running].filter(([, running]) => isMissed(running));
    if (updates.length > 0) {
      const named = updates.map(([id, { name }]) => `${name} (${id})`).join(', ');
      this.#warn(
        `[TMPRL1102] The workflow ended while update handlers were still running: [${named}]. Their clients get ` +
          `AcceptedUpdateCompletedWorkflow instead of a result. ${wait}`,
      );
    }
  }

  #warn(message: string): void {
    this.sinkCalls.push({
      iface: LOGGER_SINK,
      fn: 'warn',
      args: [message, { sdkComponent: 'worker' }],
      replaying: this.info.unsafe.isReplaying,
    });
  }
}

/** The sink that `log` writes to. */
export const LOGGER_SINK = '__temporal_logger';

function take<T>(map: Map<number, T>, seq: number): T | undefined {
  const value = map.get(seq);
  map.delete(seq);
  return value;
}
