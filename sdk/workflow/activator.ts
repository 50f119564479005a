// One execution from inside: its counters, pending promises and handlers. Jobs come in, intents go out; nothing here knows history.
//
// All jobs of an activation are applied before any continuation runs (the engine drains microtasks afterwards), and conditions are
// looked at after each: one that a signal made true wins against a timer that comes after it. Both as the official SDK does.

import type { Header, Payload, Payloads } from '../../src/wire/common.ts';
import type { Failure } from '../../src/wire/failure.ts';
import { ensureApplicationFailure, isCancellation, TemporalFailure } from '../common/failure.ts';
import type { FailureConverter } from '../common/failure-converter.ts';
import type { Workflow } from '../common/interfaces.ts';
import { fromPayloads, fromPayloadsAtIndex, type PayloadConverter } from '../common/payload-converter.ts';
import { SeldomMap } from '../common/seldom-map.ts';
import { assertNever } from '../common/type-helpers.ts';
import type { Activation, Intent, IntentKind, Job, Outcome, SinkInvocation } from './activation.ts';
import { runWith } from './async-context.ts';
import { CancellationScope, UpdateScope } from './cancellation-scope.ts';
import { Chance } from './chance.ts';
import { childStartError } from './child-start-failed.ts';
import { composeInterceptors } from './compose.ts';
import { ContinueAsNew } from './continue-as-new.ts';
import { definitionOptionsOf, isConfiguredFailure, type WorkflowDefinitionOptions } from './definition-options.ts';
import { DeterminismViolationError } from './errors.ts';
import { type EventGroupMarker, groupsOfUpdate, markersOf } from './event-groups.ts';
import { SDK_FLAGS, type SdkFlag } from './flags.ts';
import { describeHandlers, MessageHandlers } from './handlers.ts';
import type {
  WorkflowInboundCallsInterceptor,
  WorkflowInternalsInterceptor,
  WorkflowOutboundCallsInterceptor,
} from './interceptors.ts';
import type { WorkflowInfo } from './interfaces.ts';
import { LocalActivityBackoff } from './local-activity-backoff.ts';
import { NexusCalls } from './nexus-calls.ts';
import { type ActivatesPatch, Patches } from './patches.ts';
import { type Pending, take } from './pending.ts';
import { FIRST_SEQS, type SeqKind } from './seqs.ts';
import { stacksOf } from './stack-trace.ts';
import { infoDuring } from './task-info.ts';
import { unfinishedWarnings } from './unfinished-handlers.ts';
import { UpdateHandlers } from './update-handlers.ts';

export interface ActivatorOptions {
  info: WorkflowInfo;
  randomSeed: string;
  sdkVersion: string;
  payloadConverter: PayloadConverter;
  failureConverter: FailureConverter;
  /** Source-mapped text of an error's stack, without the SDK's own frames. */
  mapStack: (stack: string) => string;
  /** As in ExecutionInit. */
  failureErrorTypes: readonly string[];
  /** Whether the worker has a function for an activity of this type. */
  runsActivity: (type: string) => boolean;
  activatesPatch: ActivatesPatch;
}

/** The end of a run and the answers to updates are in no group; a continuation's groups are those where it was asked for. */
const UNGROUPED: ReadonlySet<IntentKind> = new Set<IntentKind>([
  ...(['complete', 'fail', 'cancelled', 'continueAsNew'] as const),
  ...(['acceptUpdate', 'rejectUpdate', 'completeUpdate', 'cancelSignalExternal'] as const),
]);

/** What a run begins with. */
interface Start {
  workflow: Workflow;
  input: Payloads | undefined;
  header: Header | undefined;
}

export class Activator {
  info: WorkflowInfo;
  /** Workflow time, epoch ms. */
  now: number;
  readonly chance: Chance;
  readonly payloadConverter: PayloadConverter;
  readonly failureConverter: FailureConverter;
  readonly rootScope: CancellationScope;
  readonly handlers: MessageHandlers;
  readonly updates: UpdateHandlers;
  /** By key what `setState` was given last. */
  readonly published = new SeldomMap<string, unknown>();
  /** For people, shown by the metadata query. */
  currentDetails = '';
  readonly #nextSeqs = { ...FIRST_SEQS };
  readonly timers = new SeldomMap<number, Pending<void>>();
  readonly activities = new SeldomMap<number, Pending<unknown>>();
  readonly childStarts = new SeldomMap<number, Pending<string> & { workflowId: string; workflowType: string }>();
  readonly children = new SeldomMap<number, Pending<unknown>>();
  readonly nexus = new NexusCalls();
  readonly patches: Patches;
  readonly externalSignals = new SeldomMap<number, Pending<void>>();
  readonly externalCancels = new SeldomMap<number, Pending<void>>();
  readonly blockedConditions = new SeldomMap<number, { fn: () => boolean; resolve: () => void; site: Error }>();
  /** Of the bundle's modules, in their order; set before the workflow's function begins. */
  inbound: readonly WorkflowInboundCallsInterceptor[] = [];
  outbound: readonly WorkflowOutboundCallsInterceptor[] = [];
  internals: readonly WorkflowInternalsInterceptor[] = [];
  intents: Intent[] = [];
  sinkCalls: SinkInvocation[] = [];
  usedFlags: SdkFlag[] = [];
  /** Set by an error that must fail the workflow task. */
  taskFailure: { error: unknown } | undefined;
  /** A closing intent was made. */
  completed = false;
  cancelled = false;
  #failed = false;
  readonly runsActivity: (type: string) => boolean;
  readonly #options: ActivatorOptions;
  readonly #flags = new Set<SdkFlag>();
  #definition: WorkflowDefinitionOptions = {};
  /** A query handler or a validator runs. */
  #readOnly: string | undefined;
  #violation: DeterminismViolationError | undefined;

  constructor(options: ActivatorOptions) {
    this.info = options.info;
    this.now = options.info.runStartTime.getTime();
    this.chance = new Chance(options.randomSeed);
    this.payloadConverter = options.payloadConverter;
    this.failureConverter = options.failureConverter;
    this.#options = options;
    this.runsActivity = options.runsActivity;
    this.patches = new Patches(this, options.activatesPatch);
    this.rootScope = CancellationScope.root();
    this.handlers = new MessageHandlers(
      {
        payloadConverter: options.payloadConverter,
        inbound: () => this.inbound,
        onSignalFailure: (error) => this.#leave(error),
      },
      {
        stacks: () => this.stacks(),
        workflowMetadata: () =>
          describeHandlers(this.info.workflowType, this.handlers, this.updates.handlers, this.currentDetails),
      },
      options.sdkVersion,
    );
    this.updates = new UpdateHandlers({
      payloadConverter: options.payloadConverter,
      inbound: () => this.inbound,
      isFailure: (error) => this.#isFailure(error),
      errorToFailure: (error) => this.errorToFailure(error),
      outcome: (error) => this.#outcome(error),
      accept: (id) => this.push({ kind: 'acceptUpdate', id }),
      reject: (id, failure) => this.push({ kind: 'rejectUpdate', id, failure }),
      complete: (id, outcome) => this.push({ kind: 'completeUpdate', id, outcome }),
      failTask: (error) => this.failTask(error),
      validate: (seed, fn) => this.#withoutTrace('An update validator', seed, fn),
      runInScope: (update, fn) =>
        runWith({ groups: groupsOfUpdate(update.id) }, () => new UpdateScope(this.rootScope, update).run(fn)),
    });
  }

  /** What the workflow's function says of itself. */
  get versioningBehavior(): WorkflowDefinitionOptions['versioningBehavior'] {
    return this.#definition.versioningBehavior;
  }

  /** Applies the jobs, in order; then starts `start`, the workflow's function, when this is the run's first activation. */
  activate(activation: Activation, start: Start | undefined): void {
    const activate = composeInterceptors(this.internals, 'activate', (input) =>
      this.#activate(input.activation, start),
    );
    activate({ activation, batchIndex: 0 });
  }

  #activate(activation: Readonly<Activation>, start: Start | undefined): void {
    const { now, isReplaying, jobs } = activation;
    this.now = now;
    const { unsafe } = this.info;
    unsafe.isReplaying = isReplaying;
    unsafe.isReplayingHistoryEvents = isReplaying;
    this.info = infoDuring(activation, this.info);
    for (const job of jobs) {
      this.#apply(job);
      // Patches and seeds are not news to the workflow's code.
      if (job.kind !== 'patch' && job.kind !== 'randomSeed') this.tryUnblockConditions();
    }
    if (start !== undefined) this.#start(start.workflow, start.input, start.header);
  }

  #start(workflow: Workflow, input: Payloads | undefined, header: Header | undefined): void {
    const run = async (): Promise<unknown> => {
      this.#definition = definitionOptionsOf(workflow);
      const args = fromPayloads(this.payloadConverter, input);
      // The caller's arguments are whatever was sent.
      const fn = workflow as (...args: unknown[]) => Promise<unknown>;
      if (this.inbound.length === 0) return fn(...args);
      const execute = composeInterceptors(this.inbound, 'execute', async (call) => fn(...call.args));
      return execute({ args, headers: header?.fields ?? {} });
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

  /**
   * Nothing more happens in this activation: updates nobody has come for are rejected, and handlers the end of the workflow cuts off
   * warned about. Not earlier: the handler that lets the workflow end may well return after it.
   */
  conclude(): void {
    this.updates.rejectBuffered();
    const conclude = composeInterceptors(this.internals, 'concludeActivation', (input) => input);
    this.intents = conclude({ commands: this.intents }).commands;
    if (!this.completed || this.#failed || this.taskFailure !== undefined) return;
    const { isReplaying } = this.info.unsafe;
    this.sinkCalls.push(...unfinishedWarnings(this.handlers.running, this.updates.running, isReplaying));
  }

  /**
   * Begins to answer a query. The answer is what the returned function gives, or throws, once microtasks were drained: interceptors may
   * wait for each other. Leaves no trace in the execution.
   */
  query(queryId: string, name: string, input: Payloads | undefined, header: Header | undefined): () => Payload {
    const end = this.#beginWithoutTrace('A query handler', name);
    let answer: { result: unknown } | { error: unknown } | undefined;
    try {
      const result = this.handlers.query(queryId, name, input, header);
      if (result instanceof Promise) {
        result.then(
          (value: unknown) => {
            answer = { result: value };
          },
          (error: unknown) => {
            answer = { error };
          },
        );
      } else answer = { result };
    } catch (error) {
      answer = { error };
    }
    return () => {
      try {
        if (answer === undefined) throw new Error(`Query '${name}' waits for something that does not come in a query`);
        if ('error' in answer) throw answer.error;
        const payload = this.payloadConverter.toPayload(answer.result);
        // The code may have caught it, or lost it in a promise.
        if (this.#violation !== undefined) throw this.#violation;
        return payload;
      } finally {
        end();
      }
    };
  }

  #withoutTrace(who: string, seed: string, fn: () => void): void {
    const end = this.#beginWithoutTrace(who, seed);
    try {
      fn();
      if (this.#violation !== undefined) throw this.#violation;
    } finally {
      end();
    }
  }

  /** Until the returned function is called the code may change nothing, and chance is drawn from elsewhere. */
  #beginWithoutTrace(who: string, seed: string): () => void {
    const { unsafe } = this.info;
    const backToOwnChance = this.chance.aside(seed);
    const replaying = unsafe.isReplayingHistoryEvents;
    this.#readOnly = who;
    this.#violation = undefined;
    unsafe.isReplayingHistoryEvents = false;
    return () => {
      this.#readOnly = undefined;
      backToOwnChance();
      unsafe.isReplayingHistoryEvents = replaying;
    };
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

  /**
   * @param eventGroups Of its own, beside those around the running code.
   * @throws DeterminismViolationError inside a query handler or a validator.
   */
  push(intent: Intent, eventGroups?: readonly EventGroupMarker[]): void {
    this.#refuseReadOnly(intent.kind);
    const eventGroupMarkers = UNGROUPED.has(intent.kind) ? undefined : markersOf(eventGroups);
    this.intents.push(eventGroupMarkers === undefined ? intent : { ...intent, eventGroupMarkers });
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

  /** Stacks of everything the workflow waits for. */
  stacks(): string[] {
    const waiting = [
      this.timers.values(),
      this.activities.values(),
      this.childStarts.values(),
      this.children.values(),
      this.nexus.starts.values(),
      this.nexus.results.values(),
      this.externalSignals.values(),
      this.externalCancels.values(),
      this.blockedConditions.values(),
    ];
    return stacksOf(waiting, this.#options.mapStack);
  }

  #apply(job: Job): void {
    switch (job.kind) {
      case 'patch':
        this.patches.inHistory.add(job.id);
        return;
      case 'randomSeed':
        this.chance.reseed(job.seed);
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
      case 'nexusStarted':
        this.nexus.started(job.seq, job.token);
        return;
      case 'nexusResolved':
        this.#settle(this.nexus.ended(job.seq, job.outcome.kind), job.outcome);
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
    const error = childStartError(pending, cause);
    if (error === undefined) {
      this.failTask(new Error(`Child workflow '${pending.workflowId}' could not be started: cause ${String(cause)}`));
      return;
    }
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
    else if (error instanceof ContinueAsNew) this.#continue(error);
    else if (this.#isFailure(error)) this.#close({ kind: 'fail', failure: this.#outcome(error) });
    else this.failTask(error);
  }

  /** Whether an error ends the workflow, or an update, rather than failing its task. */
  #isFailure(error: unknown): boolean {
    if (error instanceof TemporalFailure) return true;
    return isConfiguredFailure(error, this.#definition, this.#options.failureErrorTypes);
  }

  /** An error that ends something: what is none of Temporal's own says its class. */
  #outcome(error: unknown): Failure {
    return this.errorToFailure(error instanceof TemporalFailure ? error : ensureApplicationFailure(error));
  }

  #continue({ command, eventGroupMarkers }: ContinueAsNew): void {
    this.#close({ kind: 'continueAsNew', attributes: command, eventGroupMarkers });
  }

  #close(intent: Intent): void {
    this.push(intent);
    this.completed = true;
    this.#failed = intent.kind === 'fail';
  }
}
