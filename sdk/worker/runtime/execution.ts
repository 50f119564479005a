// One execution: replays its history stretch by stretch, comparing what the code asks for with what the history says it did, and
// then lets it work on the live workflow task. Throws NonDeterminismError and TaskFailure; after either it must be thrown away.

import type { Command } from '../../../src/wire/command.ts';
import type { WorkerDeploymentVersion, WorkflowTaskCompletedMetadata } from '../../../src/wire/common.ts';
import { EventType, WorkflowTaskFailedCause } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { Failure } from '../../../src/wire/failure.ts';
import type { ProtocolMessage } from '../../../src/wire/protocol-message.ts';
import type { WorkflowQuery } from '../../../src/wire/workflow-task.ts';
import type { Activation, Intent, Job, LocalActivityIntent } from '../../workflow/activation.ts';
import type { LocalActivityResult, SinkCall } from '../thread-protocol.ts';
import { type Draft, isCommandEvent, isEventOf } from './drafts.ts';
import { HistoryBuffer, type StartedEvent, type Stretch } from './history.ts';
import { isPatch, isPatchesCommand, isPatchesUpsert, isStateCommand, isStateEvent } from './kinds-of-command.ts';
import { Machines } from './machines.ts';
import { decodeLocalActivityMarker, decodePatchMarker } from './markers.ts';
import { describeCommand, describeEvent, describePosition, NonDeterminismError } from './nondeterminism.ts';
import type { QueryAnswer, RealmExecution } from './realm/host.ts';
import type { Realm } from './realm.ts';
import { release, releaseArgument } from './release.ts';
import { SdkMetadataLog } from './sdk-metadata.ts';

/** The workflow's code failed the workflow task. */
export class TaskFailure extends Error {
  override readonly name = 'TaskFailure';
  readonly taskCause: WorkflowTaskFailedCause;
  readonly failure: Failure;

  constructor(failure: Failure, taskCause: WorkflowTaskFailedCause) {
    super(failure.message);
    this.failure = failure;
    this.taskCause = taskCause;
  }
}

export interface ExecutionIdentity {
  namespace: string;
  taskQueue: string;
  workflowId: string;
  runId: string;
  sdkVersion: string;
  /** Of this worker, as the history will have it. */
  buildId?: string | undefined;
  version?: WorkerDeploymentVersion | undefined;
  failureErrorTypes?: readonly string[] | undefined;
}

/** Where in its history an execution stands. */
interface Whereabouts {
  /** The WorkflowTaskStarted that was worked on last. */
  startedEventId: number;
  nextEventId: number;
}

/** `more`: further pages of history are needed. `live`: the task is being worked on. `tail`: there is no task to work on. */
export type Progress = 'more' | 'live' | 'tail';

export class Execution {
  readonly identity: ExecutionIdentity;
  readonly history = new HistoryBuffer();
  readonly #realm: Realm;
  readonly #metadata: SdkMetadataLog;
  #inside: RealmExecution | undefined;
  #machines: Machines | undefined;
  /** Of the last activation: what the next one within the same task repeats. */
  #situation: Activation = {
    jobs: [],
    now: 0,
    isReplaying: true,
    historyLength: 0,
    historySize: 0,
    continueAsNewSuggested: false,
  };
  #sinkCalls: SinkCall[] = [];
  /** Updates of the live task that its activation has not been told yet. */
  #messages: readonly ProtocolMessage[] = [];
  /** Of the last live task, when its answer left the workflow as it was: the server may have forgotten it. */
  #traceless: Whereabouts | undefined;
  #before: Whereabouts | undefined;

  constructor(realm: Realm, identity: ExecutionIdentity) {
    this.#realm = realm;
    this.identity = identity;
    this.#metadata = new SdkMetadataLog(identity.sdkVersion);
  }

  /** The workflow has returned, failed, or continued as new. */
  get closed(): boolean {
    return this.#inside?.completed ?? false;
  }

  /** Of the tree of parents; undefined for its top. */
  rootWorkflowId: string | undefined;

  /** Id of the WorkflowTaskStarted event that was worked on last. */
  get startedEventId(): number {
    return this.#situation.historyLength;
  }

  /** Whether a task that begins with this event goes on from here; from the task before, when the server has forgotten the last. */
  follows(firstEventId: number, first: HistoryEvent | undefined): boolean {
    if (first?.eventType !== EventType.WORKFLOW_TASK_COMPLETED) return false;
    const { startedEventId } = first.attributes;
    if (firstEventId === this.history.nextEventId) return startedEventId === this.startedEventId;
    const traceless = this.#traceless;
    if (traceless === undefined || firstEventId !== traceless.startedEventId + 1) return false;
    if (startedEventId !== traceless.startedEventId) return false;
    this.history.rewind(traceless.nextEventId);
    this.#situation = { ...this.#situation, historyLength: traceless.startedEventId };
    return true;
  }

  /** A live task begins: the updates it carries. */
  begin(messages: readonly ProtocolMessage[] | undefined): void {
    this.#messages = messages ?? [];
  }

  /** Goes on as far as the history at hand allows. */
  advance(): Progress {
    for (;;) {
      const stretch = this.history.next();
      if (stretch === undefined) return 'more';
      this.#work(stretch);
      if (!stretch.replaying) return 'live';
    }
  }

  /** All of the history is there and it ends without a task to work on: compares what is left, without going on. */
  replayTail(): void {
    for (const event of this.history.takeTail()) if (isCommandEvent(event)) this.#meet(event);
    this.#expectNothingLeft(undefined);
  }

  /** Local activities to start; empty when the task can be answered (unless some still run). */
  takeStarts(): LocalActivityIntent[] {
    return this.closed ? [] : (this.#machines?.localActivities.takeStarts() ?? []);
  }

  takeCancellations(): number[] {
    return this.#machines?.localActivities.takeCancellations() ?? [];
  }

  /** Local activities that still run and hold the task open. */
  get pendingLocalActivities(): number {
    return this.closed ? 0 : (this.#machines?.localActivities.pending ?? 0);
  }

  /** Running local activities of an execution that is given up. */
  abandon(): number[] {
    return this.#machines?.localActivities.abandon() ?? [];
  }

  localActivityResolved(seq: number, result: LocalActivityResult): void {
    const resolved = this.#machines?.localActivities.resolved(seq, release(result), this.#situation.now);
    if (resolved === undefined) return;
    this.#situation = { ...this.#situation, now: Math.max(resolved.now, this.#situation.now) };
    this.#activate([resolved.job]);
  }

  /** Answers the live task. */
  complete(): {
    commands: Command[];
    messages: ProtocolMessage[] | undefined;
    sdkMetadata: WorkflowTaskCompletedMetadata | undefined;
    versioningBehavior: string | undefined;
  } {
    const { commands, messages } = this.#machines?.drafts.send() ?? { commands: [], messages: [] };
    if (commands.length === 0) this.#traceless = this.#before;
    messages.push(...(this.#machines?.updates.takeRejections() ?? []));
    const sdkMetadata = this.#metadata.take(this.#inside?.takeUsedFlags() ?? []);
    const versioningBehavior = this.#inside?.versioningBehavior;
    return { commands, messages: messages.length === 0 ? undefined : messages, sdkMetadata, versioningBehavior };
  }

  query(id: string, { queryType, queryArgs, header }: WorkflowQuery): QueryAnswer {
    const inside = this.#inside;
    if (inside === undefined) {
      return { ok: false, failure: {}, message: 'Workflow has not completed its first workflow task yet' };
    }
    const answer = this.#realm.run(inside, () => {
      const answer = inside.query(id, queryType, queryArgs, header);
      this.#realm.drain();
      const result = answer();
      // A query's log lines would be written again with every query.
      inside.takeSinkCalls();
      return result;
    });
    return this.#mapped(release(answer));
  }

  /** It leaves memory. @returns what an interceptor has against it. */
  dispose(): string | undefined {
    const inside = this.#inside;
    if (inside?.disposes !== true) return undefined;
    try {
      this.#realm.run(inside, () => {
        inside.dispose();
        this.#realm.drain();
      });
      return undefined;
    } catch (error) {
      return String(error);
    }
  }

  takeSinkCalls(): SinkCall[] {
    const calls = this.#sinkCalls;
    this.#sinkCalls = [];
    return calls;
  }

  /** The failure of the task that an error inside the realm (one that nobody awaited) means. */
  failureOf(error: unknown): TaskFailure {
    const inside = this.#inside;
    const failure: Failure =
      inside === undefined ? { message: String(error) } : this.#mapped(release(inside.toFailure(error)));
    return new TaskFailure(failure, WorkflowTaskFailedCause.WORKFLOW_WORKER_UNHANDLED_FAILURE);
  }

  #work({ events, started, replaying }: Stretch): void {
    const jobs = this.#jobsOf(events);
    this.#expectNothingLeft(started);
    const patches: Job[] = [];
    const updates = this.#machines?.updates;
    let worker: Pick<Activation, 'buildId' | 'version'> = this.identity;
    if (replaying) {
      const consequences = this.history.peek();
      worker = workerOf(consequences);
      for (const event of consequences) {
        const patch = event.eventType === EventType.MARKER_RECORDED ? decodePatchMarker(event.attributes) : undefined;
        if (patch !== undefined) patches.push({ kind: 'patch', id: patch.id });
      }
      jobs.push(...(updates?.replayedJobs(consequences) ?? []));
    } else {
      jobs.push(...(updates?.jobsOf(this.#messages) ?? []));
      this.#messages = [];
      this.#traceless = undefined;
      // Its Scheduled event has the id that the next one would have without it.
      this.#before = { startedEventId: this.startedEventId, nextEventId: started.eventId - 1 };
    }
    const { suggestContinueAsNewReasons, targetWorkerDeploymentVersionChanged } = started.attributes;
    this.#situation = {
      jobs: [],
      buildId: worker.buildId,
      version: worker.version,
      now: Math.max(started.eventTime, this.#situation.now),
      isReplaying: replaying,
      historyLength: started.eventId,
      historySize: started.attributes.historySizeBytes ?? 0,
      continueAsNewSuggested: started.attributes.suggestContinueAsNew ?? false,
      suggestReasons: suggestContinueAsNewReasons,
      targetVersionChanged: targetWorkerDeploymentVersionChanged,
    };
    this.#activate([...patches, ...inOrder(jobs)]);
    // What a replay relies on, the history either knows or must not learn.
    if (replaying) this.#inside?.takeUsedFlags();
  }

  /** Compares command events with what the code asked for, and collects what the other events tell it. */
  #jobsOf(events: readonly HistoryEvent[]): Job[] {
    const jobs: Job[] = [];
    for (const event of events) {
      if (isCommandEvent(event)) {
        this.#meet(event);
        continue;
      }
      switch (event.eventType) {
        case EventType.WORKFLOW_EXECUTION_STARTED:
          this.#begin(event);
          break;
        case EventType.WORKFLOW_TASK_COMPLETED:
          this.#metadata.seen(event.attributes.sdkMetadata);
          break;
        case EventType.WORKFLOW_TASK_FAILED:
          if (event.attributes.cause === WorkflowTaskFailedCause.RESET_WORKFLOW && event.attributes.newRunId) {
            jobs.push({ kind: 'randomSeed', seed: event.attributes.newRunId });
          }
          break;
        case EventType.WORKFLOW_EXECUTION_UPDATE_ADMITTED:
          this.#machines?.updates.admitted(event.attributes.request);
          break;
        default: {
          const job = this.#machines?.jobOf(event);
          if (job !== undefined) jobs.push(job);
        }
      }
    }
    return jobs;
  }

  #begin(event: Extract<HistoryEvent, { eventType: typeof EventType.WORKFLOW_EXECUTION_STARTED }>): void {
    const { namespace, workflowId, runId, taskQueue, sdkVersion, failureErrorTypes = [] } = this.identity;
    const inside = this.#realm.createExecution({
      namespace,
      taskQueue: event.attributes.taskQueue?.name ?? taskQueue,
      workflowId,
      runId,
      started: event.attributes,
      startTime: event.eventTime,
      sdkVersion,
      failureErrorTypes,
    });
    this.rootWorkflowId = event.attributes.rootWorkflowExecution?.workflowId || undefined;
    this.#inside = inside;
    this.#machines = new Machines(event.attributes, runId);
    this.#situation = { ...this.#situation, now: event.eventTime };
    this.#guarded(inside, () => inside.load());
  }

  /** One activation, and those that it makes necessary: outcomes known at once, such as of what is cancelled before it began. */
  #activate(jobs: readonly Job[]): void {
    const inside = this.#inside;
    const machines = this.#machines;
    if (inside === undefined || machines === undefined)
      throw new RangeError('The history does not begin with its start');
    let next = [...jobs];
    do {
      // It is copied on its way into the realm.
      const activation = this.#situation;
      activation.jobs = next;
      this.#guarded(inside, () => {
        inside.activate(activation);
        this.#realm.drain();
        while (inside.hasConditions() && inside.tryUnblockConditions() > 0) this.#realm.drain();
        inside.conclude();
      });
      for (const intent of inside.takeIntents()) machines.apply(this.#released(intent));
      next = machines.takeJobs();
    } while (next.length > 0);
    this.#situation.jobs = [];
  }

  /** Runs the execution's code. @throws TaskFailure for what the code throws or has thrown. */
  #guarded(inside: RealmExecution, fn: () => void): void {
    const failure = this.#realm.run(inside, () => {
      try {
        fn();
        return inside.taskFailure();
      } catch (error) {
        return inside.toFailure(error);
      }
    });
    for (const { args, info, ...call } of inside.takeSinkCalls()) {
      const copied = args.map((arg) => releaseArgument(arg));
      this.#sinkCalls.push(
        info === undefined ? { ...call, args: copied } : { ...call, args: copied, info: releaseArgument(info) },
      );
    }
    if (failure !== undefined) {
      throw new TaskFailure(this.#mapped(release(failure)), WorkflowTaskFailedCause.WORKFLOW_WORKER_UNHANDLED_FAILURE);
    }
  }

  #released(intent: Intent): Intent {
    const released = release(intent);
    if (released.kind === 'fail' || released.kind === 'rejectUpdate') this.#mapped(released.failure);
    else if (released.kind === 'completeUpdate' && released.outcome.failure) this.#mapped(released.outcome.failure);
    // Only the stack of `site` is read, and only for messages: it may stay an object of the realm.
    if (intent.site !== undefined) released.site = intent.site;
    return released;
  }

  /** Stacks in a failure (a copy that is ours) become those of the sources. */
  #mapped<T>(value: T): T {
    const visit = (failure: Failure | undefined): void => {
      if (failure === undefined) return;
      if (failure.stackTrace?.includes(this.#realm.bundleFile)) {
        failure.stackTrace = this.#realm.stackMapper.map(failure.stackTrace);
      }
      visit(failure.cause);
    };
    const holder = value as { failure?: Failure } & Failure;
    visit('ok' in (holder as object) ? holder.failure : holder);
    return value;
  }

  /** A command event meets the command that led to it. @throws NonDeterminismError when that is another, or none. */
  #meet(event: HistoryEvent): void {
    const machines = this.#machines;
    if (machines === undefined) throw new RangeError('The history does not begin with its start');
    const { drafts } = machines;
    const draft = drafts.next();
    if (event.eventType === EventType.MARKER_RECORDED) {
      const marker = decodeLocalActivityMarker(event.attributes);
      if (marker !== undefined && !isOwnMarker(draft, event)) {
        const resolved = machines.localActivities.replayed(marker);
        if (resolved === undefined) throw this.#mismatch(event, draft);
        this.#situation = { ...this.#situation, now: Math.max(resolved.now, this.#situation.now) };
        this.#activate([resolved.job]);
        return;
      }
      const patch = decodePatchMarker(event.attributes);
      if (patch !== undefined && !isPatch(draft, patch.id)) {
        // A deprecated patch may have left the code; its marker and search attribute stay behind.
        if (!patch.deprecated) throw this.#mismatch(event, draft);
        this.#forgottenPatch = true;
        return;
      }
    }
    // What is published replays into nothing: code may publish something else than it did.
    if (isStateEvent(event) && !(draft !== undefined && isStateCommand(draft.command))) return;
    if (draft !== undefined && isStateCommand(draft.command) && !isStateEvent(event)) {
      drafts.settle(draft);
      this.#meet(event);
      return;
    }
    if (draft !== undefined && isEventOf(draft.command, event)) {
      drafts.settle(draft, event.eventId);
      return;
    }
    if (isPatchesUpsert(event) && this.#forgottenPatch) {
      this.#forgottenPatch = false;
      return;
    }
    // Histories of older SDKs have no search attribute for patches.
    if (draft !== undefined && isPatchesCommand(draft.command)) {
      drafts.settle(draft);
      this.#meet(event);
      return;
    }
    throw this.#mismatch(event, draft);
  }

  /** The upsert of a deprecated patch that the code has forgotten may follow. */
  #forgottenPatch = false;

  #mismatch(event: HistoryEvent, draft: Draft | undefined): NonDeterminismError {
    const found = `event ${event.eventId} of the history is ${describeEvent(event)}`;
    const asked =
      draft === undefined
        ? "the workflow's code asks for nothing at this point"
        : `the workflow's code asks for ${describeCommand(draft.command)}${this.#siteOf(draft)}`;
    return new NonDeterminismError(`${found}, but ${asked}`, event.eventId);
  }

  #expectNothingLeft(started: StartedEvent | undefined): void {
    const drafts = this.#machines?.drafts;
    for (let draft = drafts?.next(); draft !== undefined; draft = drafts?.next()) {
      if (!isPatchesCommand(draft.command) && !isStateCommand(draft.command)) {
        const end = started === undefined ? 'its end' : `event ${started.eventId} (WorkflowTaskStarted)`;
        throw new NonDeterminismError(
          `the history has no event for what the workflow's code asks for: ${describeCommand(draft.command)}` +
            `${this.#siteOf(draft)}; expected before ${end}`,
          started?.eventId,
        );
      }
      drafts?.settle(draft);
    }
  }

  #siteOf(draft: Draft): string {
    return describePosition(this.#realm.stackMapper.top(draft.site?.stack ?? ''));
  }
}

/** Patches and seeds before everything, signals and updates before what the workflow waited for: the order of Temporal's core. */
function inOrder(jobs: readonly Job[]): Job[] {
  const rank = ({ kind }: Job): number => (kind === 'randomSeed' ? 0 : kind === 'signal' || kind === 'update' ? 1 : 2);
  return [...jobs].sort((a, b) => rank(a) - rank(b));
}

/** A marker of a local activity that ran in this very execution, not in one before it. */
function isOwnMarker(draft: Draft | undefined, event: HistoryEvent): boolean {
  return draft?.sent === true && isEventOf(draft.command, event);
}

/** The worker that completed a task, by the events it led to. */
function workerOf(consequences: readonly HistoryEvent[]): Pick<Activation, 'buildId' | 'version'> {
  for (const event of consequences) {
    if (event.eventType !== EventType.WORKFLOW_TASK_COMPLETED) continue;
    const { deploymentVersion: version, workerVersion } = event.attributes;
    return { buildId: version?.buildId ?? workerVersion?.buildId, version };
  }
  return {};
}
