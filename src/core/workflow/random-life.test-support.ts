// Plays random steps (random-steps.test-support.ts) on one actor: makes messages of them, plays the flow-control keys, workers and clients around
// it, and remembers what was promised. A speculative task that waits may be kept at any moment, as by a shard that has no room for it.

import type { Command } from '../../wire/command.ts';
import { EventType, VersioningBehavior, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '../../wire/enums.ts';
import type { ProtocolMessage } from '../../wire/protocol-message.ts';
import { versionKey } from '../deployment/versioned-queue.ts';
import type { Claimant } from '../flow/message.ts';
import type { Limits } from './limits.ts';
import type { Message, StartMessage, TaskRef } from './message.ts';
import type { Outcome, TaskOffer } from './outcome.ts';
import { isPaused } from './paused.ts';
import { behavior, KEY, QUEUE_KEY, randomCommand, version } from './random-commands.test-support.ts';
import { EXTRAS, type StartExtra, type Step } from './random-steps.test-support.ts';
import { relationMessage } from './relation-steps.test-support.ts';
import { type ActorState, isOpen, type StartedTaskRef, startedTasks, waitingOffers } from './state.ts';
import { applicationFailure, payloads, places, message as said, WORKER, World } from './testing.ts';

/** A permit of flow control that was asked for. */
interface Asked {
  address: string;
  claimant: Claimant;
  /** Its key has answered: once. */
  answered: boolean;
  /** Given back, or refused: the key knows nothing of it any more. */
  isOver: boolean;
}

/** A world that notes what its actor asks of flow-control keys. */
export class WatchedWorld extends World {
  readonly permits = new Map<string, Asked>();
  current: string | undefined;

  constructor(limits: Partial<Limits>) {
    super(limits);
    this.routes = { target: () => this.current, ramping: () => undefined, serves: () => true };
  }

  override apply(outcome: Outcome): void {
    super.apply(outcome);
    for (const effect of outcome.effects) {
      if (effect.type !== 'send') continue;
      const { message, workflowId: address } = effect;
      if (message.type === 'flowAcquire') {
        const { permit, claimant } = message;
        if (this.permits.has(permit)) throw new Error(`permit ${permit} is asked for twice`);
        this.permits.set(permit, { address, claimant, answered: false, isOver: false });
      } else if (message.type === 'flowRelease') {
        const asked = this.permits.get(message.permit);
        if (asked === undefined) continue;
        if (asked.address !== address)
          throw new Error(`permit ${message.permit} of ${asked.address} goes back to ${address}`);
        asked.isOver = true;
      }
    }
  }

  /** Which permits its keys count for it. */
  get outstanding(): string[] {
    return [...this.permits].filter(([, { isOver }]) => !isOver).map(([permit]) => permit);
  }
}

/** Schedules and keys of flow control are actors of other kinds: a workflow knows none of what they are sent. */
export const STRAY = [
  'createSchedule',
  'updateSchedule',
  'patchSchedule',
  'deleteSchedule',
  'describeSchedule',
  'scheduleTimes',
  'scheduledStarted',
  'scheduledRefused',
  'scheduledClosed',
  'flowAcquire',
  'flowRelease',
  'flowReserve',
  'setFlowLimits',
  'describeFlow',
] as const;

/** The run was not deleted yet. */
export const isKept = ({ rows }: World, runId: string): boolean => rows.has(JSON.stringify(['run', runId, '']));

export class Player {
  readonly world: WatchedWorld;
  readonly signals: string[] = [];
  /** Answers given, by attempt: each at most once. */
  readonly answered = new Map<string, number>();
  readonly #old: Message[] = [];
  readonly #repeatable: [name: string, at: number][] = [];
  #n = 0;

  constructor(limits: Partial<Limits> = {}) {
    this.world = new WatchedWorld(limits);
  }

  message(step: Step): Message | undefined {
    const { world } = this;
    this.#n += 1;
    const n = this.#n;
    const speculative = world.state.run?.speculative;
    if (speculative !== undefined && speculative.startId === undefined && step.do !== 'take' && n % 5 === 0) {
      const { runId = '' } = world.state.run ?? {};
      return { type: 'keepTask', runId, scheduledEventId: speculative.scheduledEventId };
    }
    const refs = startedTasks(world.state);
    // Else most of a life would be spent dead.
    const { run } = world.state;
    if (step.do === 'take' && (run === undefined || !isOpen(run))) {
      const extras = step.sticky ? [EXTRAS[step.pick % EXTRAS.length] ?? 'fair'] : [];
      return this.#start({ do: 'start', conflict: 1, retry: step.pick % 3 === 0, runTimeout: 0, delay: 0, extras });
    }
    switch (step.do) {
      case 'start':
        return this.#start(step);
      case 'signal':
        return world.signalMessage(`s${n}`, { requestId: `r${n}` });
      case 'repeatSignal': {
        const [name, at] = this.#repeatable.at(-1) ?? ['', 0];
        // Past its time a request id is forgotten, as documented.
        return at + world.limits.requestIdTtl <= world.now
          ? undefined
          : world.signalMessage(name, { requestId: `r${name.slice(1)}` });
      }
      case 'signalWithStart':
        return world.startMessage({
          runId: `run-${n}`,
          requestId: `sws-${n}`,
          conflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          signal: { signalName: `s${n}`, identity: 'client', requestId: '' },
        });
      case 'cancel':
        return { type: 'requestCancel', target: {}, identity: 'client', requestId: `c${n}` };
      case 'terminate':
        return { type: 'terminate', target: {}, identity: 'client', requestId: `t${n}` };
      case 'pause':
      case 'unpause':
        return { type: `${step.do}Workflow`, target: {}, identity: 'client', reason: 'why', requestId: `p${n}` };
      case 'delete':
        return { type: 'deleteExecution', target: {}, identity: 'client' };
      case 'deleteRun': {
        const runId = pickOf([...world.histories.keys()], step.pick);
        if (runId === undefined || world.state.chain === undefined) return undefined;
        if (isKept(world, runId)) world.adopt(runId);
        return { type: 'deleteRun', runId };
      }
      case 'query':
        return this.#query(step.how, step.pick);
      case 'update':
        return this.#update(step.how, `u${step.pick}`, step.pick);
      case 'timer':
        return { type: 'timer' };
      case 'late':
        return this.#old[n % Math.max(1, this.#old.length)];
      case 'undo': {
        const ref = refs[n % Math.max(1, refs.length)];
        return ref === undefined ? undefined : { type: 'undoStart', ...ref };
      }
      case 'callbackAnswered': {
        const [callback] = [...world.state.callbacks].sort().filter(([, { state }]) => state === 'scheduled');
        if (callback === undefined) return undefined;
        const [callbackId, { attempt }] = callback;
        const failure = step.how === 0 ? undefined : { message: 'no', retryable: step.how > 1 };
        return { type: 'callbackAnswered', callbackId, attempt, failure };
      }
      case 'pass':
        world.now += step.ms;
        return { type: 'timer' };
      case 'crash':
        world.reload();
        return undefined;
      case 'deploy':
        world.current = step.how < 2 ? undefined : versionKey(version(step.how));
        return step.how % 2 === 0 ? { type: 'reroute' } : undefined;
      case 'updateOptions': {
        const { how } = step;
        const pin = { pinned: { version: version(how), behavior: 1 as const } };
        const versioningOverride = how < 2 ? 'unset' : how === 2 ? { autoUpgrade: true } : pin;
        const priority =
          how % 3 === 0 ? { priorityKey: 1 + (how % 5), fairnessKey: how > 3 ? 'tenant' : '' } : undefined;
        return { type: 'updateOptions', target: {}, versioningOverride, priority, identity: 'operator' };
      }
      case 'flow':
        return this.#flow(step.how, step.pick);
      case 'scheduled':
        return {
          type: 'startScheduled',
          by: { workflowId: 'tenuto-sys-schedule:s', incarnation: 'i', action: n },
          ...{ identity: '', workflowType: 'order', taskQueue: 'orders' },
          reusePolicy: pickOf(Object.values(WorkflowIdReusePolicy), step.reuse + 1) ?? 1,
          flowControl: step.flow ? KEY : undefined,
        };
      case 'stray':
        // Of their fields none is read.
        return { type: pickOf(STRAY, step.how) } as Message;
      case 'take':
        return this.#take(step);
      case 'complete': {
        const task = refs.find(({ kind }) => kind === 'workflow');
        return task === undefined ? this.#toward(step, 'workflow') : this.#complete(task, step);
      }
      case 'failTask': {
        const task = refs.find(({ kind }) => kind === 'workflow');
        if (task === undefined) return undefined;
        return { type: 'failWorkflowTask', task, identity: WORKER, cause: 14, failure: applicationFailure('bug') };
      }
      case 'reset':
        return this.#reset(step);
      case 'other':
        return relationMessage(world, step, n) ?? (step.how >= 12 ? this.#toward(step, 'activity') : undefined);
      case 'activity':
        return (
          this.#activity(
            step,
            refs.filter(({ kind }) => kind === 'activity'),
          ) ?? this.#toward(step, 'activity')
        );
    }
  }

  /** What a step is about is not there: what brings it nearer happens instead, or most of a life would be spent waiting. */
  #toward({ do: kind }: Step, wanted: TaskOffer['kind']): Message | undefined {
    const { world } = this;
    const { run } = world.state;
    if (run === undefined || !isOpen(run)) return kind === 'complete' ? this.message(A_START) : undefined;
    if (isPaused(run)) return this.message({ do: 'unpause' });
    const offer = waitingOffers(world.state).find((one) => one.kind === wanted);
    if (offer === undefined) return undefined;
    return this.#takeOffer(offer, offer.sticky !== undefined);
  }

  #start({ conflict, retry, runTimeout, delay, extras = [] }: Extract<Step, { do: 'start' }>): StartMessage {
    const n = this.#n;
    const has = (extra: StartExtra): boolean => extras.includes(extra);
    const isCalled = retry || has('callback');
    return this.world.startMessage({
      runId: `run-${n}`,
      requestId: `start-${n}`,
      conflictPolicy: conflict as WorkflowIdConflictPolicy,
      retryPolicy: retry ? { maximumAttempts: 3, initialInterval: 500 } : undefined,
      workflowRunTimeout: runTimeout,
      workflowStartDelay: has('cron') ? 0 : delay,
      cronSchedule: has('cron') ? '@every 30s' : undefined,
      completionCallbacks: isCalled ? [{ nexus: { url: `https://example.test/${n}` } }] : undefined,
      flowControl: has('flow') ? KEY : has('queueFlow') ? QUEUE_KEY : undefined,
      eagerFor: has('eager') ? 'session-1' : undefined,
      priority: has('fair') ? { priorityKey: 1 + (n % 5), fairnessKey: `f${n % 3}` } : undefined,
      versioningOverride: has('pinned') ? { pinned: { version: version(n), behavior: 1 } } : undefined,
      update: has('update') ? { ...this.#ask(`u${n % 4}`, 'completed'), updateName: 'add' } : undefined,
      onConflict: { attachRequestId: true, attachCompletionCallbacks: true },
    });
  }

  #ask<Goal extends string>(updateId: string, until: Goal) {
    return { callId: `call-${this.#n}`, until, updateId, identity: 'client' };
  }

  #update(how: number, updateId: string, pick: number): Message {
    const { world } = this;
    if (how < 3) return world.updateMessage(updateId, { callId: `call-${this.#n}`, until: 'accepted' });
    if (how === 3) return { type: 'pollUpdate', target: {}, ...this.#ask(updateId, pick % 2 ? 'now' : 'completed') };
    const calls = [...world.state.updates.values()].flatMap((update) => update.calls);
    return { type: 'updateAbandoned', callId: pickOf(calls, pick)?.callId ?? 'nobody' };
  }

  #query(how: number, pick: number): Message {
    const { world } = this;
    const queryId = pickOf([...world.state.queries.keys()], pick) ?? 'nobody';
    if (how === 0) return { type: 'queryAnswered', queryId, result: { answer: payloads('yes') } };
    if (how === 1) return { type: 'queryLost', queryId };
    if (how === 2) return { type: 'queryAbandoned', queryId };
    return { type: 'query', queryId: `q${this.#n}`, target: {}, queryType: 'state' };
  }

  #take({ pick, sticky }: Extract<Step, { do: 'take' }>): Message | undefined {
    const { world } = this;
    const offers = waitingOffers(world.state);
    const offer: TaskOffer | undefined = offers.find(({ speculative }) => speculative === true) ?? pickOf(offers, pick);
    return offer === undefined ? undefined : this.#takeOffer(offer, sticky);
  }

  #takeOffer(offer: TaskOffer, sticky: boolean): Message {
    const { runId, scheduledEventId, attempt } = offer;
    const taker = this.world.taker();
    return offer.kind === 'workflow'
      ? { type: 'startWorkflowTask', runId, scheduledEventId, attempt, taker, sticky }
      : { type: 'startActivityTask', runId, scheduledEventId, attempt, taker };
  }

  #complete(task: StartedTaskRef, step: Extract<Step, { do: 'complete' }>): Message {
    const { world } = this;
    const { answers = 0, version: by = 0, commands, sticky, force } = step;
    const messages = answersTo(world.state, answers);
    const placed = messages.filter(({ id }) => !id.endsWith('/reject') && answers < 12);
    const issued = commands.map((n) => randomCommand(world, n, this.#n)).filter(isCommand);
    const riding = [...world.state.queries.values()].filter(({ mode }) => mode === 'riding');
    const results = riding.slice(answers % 2).map(({ queryId }) => [queryId, { answer: payloads('yes') }]);
    return world.completeMessage(task, [...places(...placed), ...issued], {
      sticky,
      forceCreateNewWorkflowTask: force,
      messages,
      queryResults: Object.fromEntries(results),
      ...(by > 1 && { deploymentVersion: version(by), versioningBehavior: behavior(by) }),
      ...(by === 1 && { versioningBehavior: VersioningBehavior.UNSPECIFIED }),
    });
  }

  /** What a key says of a permit: it answers each once, perhaps when nobody wants it any more; and it asks those who have one to end. */
  #flow(how: number, pick: number): Message | undefined {
    const { permits } = this.world;
    const open = [...permits].filter(([, { answered }]) => !answered);
    if (how < 18) {
      const [permit, asked] = pickOf(open, pick) ?? [];
      if (permit === undefined || asked === undefined) return undefined;
      asked.answered = true;
      const about = { permit, claimant: asked.claimant, from: asked.address };
      if (how < 15) return { type: 'flowGranted', ...about };
      asked.isOver = true;
      return { type: 'flowRefused', ...about, message: 'full' };
    }
    const [permit, asked] = pickOf([...permits], pick) ?? [];
    if (permit === undefined || asked === undefined) return undefined;
    const about = { permit, claimant: asked.claimant, from: asked.address };
    return {
      type: 'flowEnd',
      ...about,
      how: how === 18 ? 'terminate' : 'cancel',
      reason: 'another one takes its place',
    };
  }

  #reset({ pick, exclude, earlier = 0 }: Extract<Step, { do: 'reset' }>): Message | undefined {
    const { world } = this;
    const { chain } = world.state;
    if (chain === undefined) return undefined;
    const others = [...world.histories.keys()].filter((id) => id !== chain.currentRunId && isKept(world, id));
    const runId = earlier === 0 ? chain.currentRunId : pickOf(others, pick);
    if (runId === undefined) return undefined;
    if (runId !== chain.currentRunId) world.adopt(runId);
    const ends = world.history(runId).filter(({ eventType }) => TASK_ENDS.includes(eventType));
    const end = pickOf(ends, pick);
    if (end === undefined) return undefined;
    return world.resetMessage({
      target: { runId },
      runId: `reset-${this.#n}`,
      requestId: `reset-${this.#n}`,
      workflowTaskFinishEventId: end.eventId,
      exclude: exclude ? [1, 4] : [],
    });
  }

  #activity(step: Extract<Step, { do: 'activity' }>, refs: TaskRef[]): Message | undefined {
    const { world } = this;
    const task = pickOf(refs, step.pick);
    const pending = [...(world.state.run?.activities.values() ?? [])];
    const { activityId = '', cancelRequestedEventId = 0 } = pickOf(pending, step.pick)?.facts ?? {};
    if (task === undefined && (!step.byId || activityId === '')) return undefined;
    const activity = step.byId || task === undefined ? { activityId } : { task };
    const identity = WORKER;
    if (step.how === 7 || (step.how > 4 && cancelRequestedEventId !== 0)) {
      return { type: 'cancelActivityTask', activity, identity };
    }
    if (step.how < 4) return { type: 'completeActivityTask', activity, identity, result: payloads(step.how) };
    if (step.how < 7) return { type: 'failActivityTask', activity, identity, failure: applicationFailure('no') };
    return { type: 'heartbeatActivityTask', activity, identity, details: payloads(step.how) };
  }

  play(step: Step, check: (world: World) => void): void {
    const message = this.message(step);
    if (message === undefined) return;
    const decision = this.world.send(message);
    if (decision.ok) {
      if (step.do === 'signal' && message.type === 'signal') {
        this.signals.push(message.signalName);
        this.#repeatable.push([message.signalName, this.world.now]);
      }
      if (message.type === 'start' && message.signal !== undefined && step.do !== 'late')
        this.signals.push(message.signal.signalName);
      if (message.type === 'signalExternal' && wasTaken(decision)) this.signals.push(message.signalName);
      if ('task' in message || 'activity' in message || isAnswer(message)) this.#old.push(message);
      if (decision.refusal === undefined) this.#remember(message);
    }
    check(this.world);
  }

  /** An answer was accepted: it may never be again. */
  #remember(message: Message): void {
    const ref =
      'task' in message
        ? message.task
        : message.type !== 'start' && 'activity' in message && 'task' in message.activity
          ? message.activity.task
          : undefined;
    if (ref === undefined || message.type === 'heartbeatActivityTask') return;
    const key = `${ref.startId.term}.${ref.startId.seq}`;
    this.answered.set(key, (this.answered.get(key) ?? 0) + 1);
  }
}

const A_START: Step = { do: 'start', conflict: 1, retry: false, runTimeout: 0, delay: 0 };

/** What a worker says of the updates it was sent, and of those that run. */
function answersTo({ run, updates }: ActorState, answers: number): ProtocolMessage[] {
  if (run === undefined || !isOpen(run)) return [];
  const messages: ProtocolMessage[] = [];
  for (const { updateId, stage, runId } of updates.values()) {
    if (stage !== 'sent' || runId !== run.runId) continue;
    const how = (Number(updateId.slice(1)) + answers) % 4;
    if (how === 0) messages.push(said.reject(updateId));
    if (how > 1)
      messages.push(said.accept(updateId, { meta: { updateId, identity: 'client' }, input: { name: 'add' } }));
    if (how === 3) messages.push(said.respond(updateId));
  }
  for (const { updateId, admitted, completedEventId } of run.updates?.values() ?? []) {
    if (admitted === undefined && completedEventId === undefined && answers % 3 === 0)
      messages.push(said.respond(updateId));
  }
  return messages;
}

const pickOf = <T>(among: readonly T[], pick: number): T | undefined => among[pick % Math.max(1, among.length)];

/** Asked from outside, and not refused. */
const wasTaken = ({ effects }: Outcome): boolean =>
  effects.some(
    (effect) =>
      effect.type === 'send' && effect.message.type === 'externalAnswered' && effect.message.refusal === undefined,
  );

/** Of another workflow, to something the actor asked for. */
const isAnswer = ({ type }: Message): boolean =>
  type === 'childStarted' || type === 'childStartFailed' || type === 'childClosed' || type === 'externalAnswered';

const TASK_ENDS: readonly number[] = [
  EventType.WORKFLOW_TASK_STARTED,
  EventType.WORKFLOW_TASK_COMPLETED,
  EventType.WORKFLOW_TASK_FAILED,
  EventType.WORKFLOW_TASK_TIMED_OUT,
];

const isCommand = (value: Command | undefined): value is Command => value !== undefined;
