// Random lives of one actor. After every message: the actor rebuilt from rows is the live one (I4), event ids have no gap (I5), what
// events determine equals the fold of the history; at the end each accepted signal and each attempt's answer is there once (I5, I6).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../wire/codec.ts';
import type { Command } from '../../wire/command.ts';
import { EventType, WorkflowIdConflictPolicy } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import { decide } from './decide.ts';
import { foldEvents } from './fold.ts';
import type { Limits } from './limits.ts';
import type { Message, TaskRef } from './message.ts';
import type { Outcome, TaskOffer } from './outcome.ts';
import { type RelationStep, relationMessage } from './relation-steps.test-support.ts';
import { packRow, unpackRow } from './row-codec.ts';
import type { ActorState, RunState } from './state.ts';
import { load, nextDeadline, startedTasks, waitingOffers } from './state.ts';
import { applicationFailure, command, payloads, WORKER, WORKFLOW_ID, World } from './testing.ts';

/** What may happen next; numbers pick among what is there. */
type Step =
  | { do: 'start'; conflict: number; retry: boolean; runTimeout: number; delay: number }
  | { do: 'signal' | 'signalWithStart' | 'repeatSignal' | 'cancel' | 'terminate' | 'query' | 'undo' | 'timer' | 'late' }
  | { do: 'take'; pick: number; sticky: boolean }
  | { do: 'complete'; commands: number[]; sticky: boolean; force: boolean }
  | { do: 'callbackAnswered'; how: number }
  | { do: 'failTask' | 'pause' | 'unpause' | 'delete' }
  | { do: 'activity'; pick: number; how: number; byId: boolean }
  | RelationStep
  | { do: 'reset'; pick: number; exclude: boolean }
  | { do: 'pass'; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('start' as const),
      conflict: fc.integer({ min: 1, max: 3 }),
      retry: fc.boolean(),
      runTimeout: fc.constantFrom(0, 0, 20_000),
      delay: fc.constantFrom(0, 0, 2_000),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'signal' as const,
        'signal' as const,
        'signalWithStart' as const,
        'repeatSignal' as const,
        'cancel' as const,
        'query' as const,
        'undo' as const,
        'timer' as const,
        'late' as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('terminate' as const) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('take' as const), pick: fc.nat(9), sticky: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('complete' as const),
      commands: fc.array(fc.nat(25), { maxLength: 4 }),
      sticky: fc.boolean(),
      force: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('failTask' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('callbackAnswered' as const), how: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'unpause' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('activity' as const), pick: fc.nat(9), how: fc.nat(9), byId: fc.boolean() }),
  },
  { weight: 7, arbitrary: fc.record({ do: fc.constant('other' as const), how: fc.nat(14), pick: fc.nat(11) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 500, 1_000, 5_000, 30_000, 700_000),
    }),
  },
);

/** A run that is reset has events of another, so what is counted over all histories is counted without. */
const stepOrReset: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: step },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('reset' as const), pick: fc.nat(9), exclude: fc.boolean() }),
  },
);

/** Bounds so tight that lives run into them. */
const limits: fc.Arbitrary<Partial<Limits>> = fc.constantFrom(
  {},
  {},
  { bufferedEvents: 1 },
  { historyEvents: 30 },
  { pendingActivities: 1, requestIds: 5, requestRows: 4, bufferedQueries: 1, signalsPerRun: 4 },
  { pendingChildren: 1, pendingSignals: 1, pendingCancels: 1 },
);

/** The rows of request ids, to be compared. */
const applied = (state: ActorState): unknown[] =>
  [...state.applied.entries()].map(([number, { runId, at, ids }]) => [
    number,
    runId,
    at,
    Buffer.from(ids).toString('hex'),
  ]);

/** Plays steps on a world and remembers what was promised. */
class Player {
  readonly world: World;
  readonly signals: string[] = [];
  /** Answers given, by attempt: each at most once. */
  readonly answered = new Map<string, number>();
  readonly #old: Message[] = [];
  readonly #repeatable: [name: string, at: number][] = [];
  #n = 0;

  constructor(limits: Partial<Limits> = {}) {
    this.world = new World(limits);
  }

  message(step: Step): Message | undefined {
    const { world } = this;
    this.#n += 1;
    const refs = startedTasks(world.state);
    switch (step.do) {
      case 'start':
        return world.startMessage({
          runId: `run-${this.#n}`,
          requestId: `start-${this.#n}`,
          conflictPolicy: step.conflict as WorkflowIdConflictPolicy,
          retryPolicy: step.retry ? { maximumAttempts: 3, initialInterval: 500 } : undefined,
          workflowRunTimeout: step.runTimeout,
          workflowStartDelay: step.delay,
          completionCallbacks: step.retry ? [{ nexus: { url: `https://example.test/${this.#n}` } }] : undefined,
          onConflict: { attachRequestId: true, attachCompletionCallbacks: true },
        });
      case 'signal':
        return world.signalMessage(`s${this.#n}`, { requestId: `r${this.#n}` });
      case 'repeatSignal': {
        const [name, at] = this.#repeatable.at(-1) ?? ['', 0];
        // Past its time a request id is forgotten, as documented.
        return at + world.limits.requestIdTtl <= world.now
          ? undefined
          : world.signalMessage(name, { requestId: `r${name.slice(1)}` });
      }
      case 'signalWithStart':
        return world.startMessage({
          runId: `run-${this.#n}`,
          requestId: `sws-${this.#n}`,
          conflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          signal: { signalName: `s${this.#n}`, identity: 'client', requestId: '' },
        });
      case 'cancel':
        return { type: 'requestCancel', target: {}, identity: 'client', requestId: `c${this.#n}` };
      case 'terminate':
        return { type: 'terminate', target: {}, identity: 'client', requestId: `t${this.#n}` };
      case 'pause':
      case 'unpause':
        return { type: `${step.do}Workflow`, target: {}, identity: 'client', reason: 'why', requestId: `p${this.#n}` };
      case 'delete':
        return { type: 'deleteExecution', target: {}, identity: 'client' };
      case 'query':
        return { type: 'query', queryId: `q${this.#n}`, target: {}, queryType: 'state' };
      case 'timer':
        return { type: 'timer' };
      case 'late':
        return this.#old[this.#n % Math.max(1, this.#old.length)];
      case 'undo': {
        const ref = refs[this.#n % Math.max(1, refs.length)];
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
      case 'take': {
        const offers = waitingOffers(world.state);
        const offer = offers[step.pick % Math.max(1, offers.length)];
        if (offer === undefined) return undefined;
        const { runId, scheduledEventId, attempt } = offer;
        const taker = world.taker();
        return offer.kind === 'workflow'
          ? { type: 'startWorkflowTask', runId, scheduledEventId, attempt, taker, sticky: step.sticky }
          : { type: 'startActivityTask', runId, scheduledEventId, attempt, taker };
      }
      case 'complete': {
        const task = refs.find(({ kind }) => kind === 'workflow');
        if (task === undefined) return undefined;
        const over = { sticky: step.sticky, forceCreateNewWorkflowTask: step.force };
        return world.completeMessage(task, step.commands.map((n) => this.#command(n)).filter(isCommand), over);
      }
      case 'failTask': {
        const task = refs.find(({ kind }) => kind === 'workflow');
        if (task === undefined) return undefined;
        return { type: 'failWorkflowTask', task, identity: WORKER, cause: 14, failure: applicationFailure('bug') };
      }
      case 'reset': {
        const ends = world.history().filter(({ eventType }) => TASK_ENDS.includes(eventType));
        const end = ends[step.pick % Math.max(1, ends.length)];
        if (end === undefined) return undefined;
        return world.resetMessage({
          runId: `reset-${this.#n}`,
          requestId: `reset-${this.#n}`,
          workflowTaskFinishEventId: end.eventId,
          exclude: step.exclude ? [1, 4] : [],
        });
      }
      case 'other':
        return relationMessage(world, step, this.#n);
      case 'activity':
        return this.#activity(
          step,
          refs.filter(({ kind }) => kind === 'activity'),
        );
    }
  }

  #command(n: number): Command | undefined {
    const { run } = this.world.state;
    const unique = `${this.#n}-${n}`;
    if (n < 4)
      return command.activity(unique, {
        scheduleToCloseTimeout: n === 3 ? 4_000 : 0,
        heartbeatTimeout: n === 2 ? 1_500 : 0,
        // Some with an input that is stored apart.
        ...(n === 2 ? { input: payloads(this.#n % 5 === 0 ? LARGE : 'small') } : {}),
      });
    if (n < 7) return command.timer(unique, n * 400);
    if (n === 7) return this.#n % 3 === 0 ? command.marker('m') : command.publish({ [`k${this.#n % 5}`]: this.#n });
    if (n === 8) return command.cancelActivity([...(run?.activities.keys() ?? [])].at(-1) ?? 0);
    if (n === 9) return command.cancelTimer([...(run?.timers.values() ?? [])].at(-1)?.timerId ?? '');
    if (n === 10) return command.complete('ok');
    if (n === 11) return command.fail(applicationFailure('workflow failed'));
    if (n === 12) return command.continueAsNew();
    if (n === 13) return command.cancelActivity(run?.row.facts.nextEventId ?? 0);
    if (n === 14) return command.cancelTimer(`${this.#n}-4`);
    if (n < 19) return command.child(unique, { parentClosePolicy: (n % 3) + 1 } as object);
    if (n < 21) return command.signalOther('other', unique);
    if (n < 23) return command.cancelOther(`other-${unique}`);
    if (n === 24) return command.nexus({ scheduleToCloseTimeout: this.#n % 2 ? 8_000 : 0, startToCloseTimeout: 5_000 });
    if (n === 25) return command.cancelNexus([...(run?.operations.keys() ?? [])].at(-1) ?? 0);
    return undefined;
  }

  #activity(step: Extract<Step, { do: 'activity' }>, refs: TaskRef[]): Message | undefined {
    const { world } = this;
    const task = refs[step.pick % Math.max(1, refs.length)];
    const pending = [...(world.state.run?.activities.values() ?? [])];
    const { activityId = '' } = pending[step.pick % Math.max(1, pending.length)]?.facts ?? {};
    if (task === undefined && (!step.byId || activityId === '')) return undefined;
    const activity = step.byId || task === undefined ? { activityId } : { task };
    const identity = WORKER;
    if (step.how < 4) return { type: 'completeActivityTask', activity, identity, result: payloads(step.how) };
    if (step.how < 7) return { type: 'failActivityTask', activity, identity, failure: applicationFailure('no') };
    if (step.how < 8) return { type: 'cancelActivityTask', activity, identity };
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

/** Asked from outside, and not refused. */
const wasTaken = ({ effects }: Outcome): boolean =>
  effects.some(
    (effect) =>
      effect.type === 'send' && effect.message.type === 'externalAnswered' && effect.message.refusal === undefined,
  );

/** Of another workflow, to something the actor asked for. */
const isAnswer = ({ type }: Message): boolean =>
  type === 'childStarted' || type === 'childStartFailed' || type === 'childClosed' || type === 'externalAnswered';

const LARGE = 'x'.repeat(4_200);

const TASK_ENDS: readonly number[] = [
  EventType.WORKFLOW_TASK_STARTED,
  EventType.WORKFLOW_TASK_COMPLETED,
  EventType.WORKFLOW_TASK_FAILED,
  EventType.WORKFLOW_TASK_TIMED_OUT,
];

const isCommand = (value: Command | undefined): value is Command => value !== undefined;

const plain = (value: unknown): unknown => decode(encode(value));

/** What storage would give back, through its codec. */
function fromStorage(world: World): ReturnType<typeof load> {
  const { chain } = world.state;
  const rows = [...world.rows.values()]
    .filter(({ table, runId }) => table === 'chain' || runId === chain?.currentRunId)
    .map((row) => ({ ...row, value: unpackRow(row.table, row.id, plain(packRow(row.table, row.id, row.value))) }));
  return load('default', WORKFLOW_ID, rows);
}

const comparable = (run: RunState | undefined): unknown =>
  run === undefined
    ? undefined
    : plain({
        runId: run.runId,
        start: run.start,
        row: run.row,
        activities: [...run.activities.entries()].sort(([a], [b]) => a - b),
        timers: [...run.timers.entries()].sort(([a], [b]) => a - b),
        children: [...run.children.entries()].sort(([a], [b]) => a - b),
        externals: [...run.externals.entries()].sort(([a], [b]) => a - b),
        buffered: [...run.buffered.entries()],
        activityIds: [...run.activityIds.entries()].sort(),
        timerIds: [...run.timerIds.entries()].sort(),
      });

/** Events that wait in the buffer have happened, too. */
const withBuffered = (run: RunState, history: HistoryEvent[]): HistoryEvent[] =>
  history.concat([...run.buffered.values()].map(({ event }) => event));

function checkFold(world: World, run: RunState): void {
  const history = world.history(run.runId);
  const { facts } = foldEvents(run.runId, history);
  const all = foldEvents(run.runId, withBuffered(run, history));
  const live = run.row.facts;
  if (live.closeTime === undefined) {
    const waiting = [...world.state.callbacks.values()].filter(({ runId }) => runId === run.runId);
    waiting.sort((a, b) => a.number - b.number);
    expect(plain(waiting.map(({ callback }) => callback))).toEqual(plain(all.callbacks));
  }
  expect(plain({ ...all.facts, nextEventId: facts.nextEventId, historyBytes: facts.historyBytes })).toEqual(
    plain(live),
  );
  expect(plain([...all.timers].sort(([a], [b]) => a - b))).toEqual(plain([...run.timers].sort(([a], [b]) => a - b)));
  expect(plain([...all.children].sort(([a], [b]) => a - b))).toEqual(
    plain([...run.children].sort(([a], [b]) => a - b)),
  );
  expect(plain([...all.externals].sort(([a], [b]) => a - b))).toEqual(
    plain([...run.externals].sort(([a], [b]) => a - b)),
  );
  expect(plain([...all.operations].sort(([a], [b]) => a - b))).toEqual(
    plain([...run.operations].map(([id, row]) => [id, row.facts] as const).sort(([a], [b]) => a - b)),
  );
  expect(plain([...all.activities].sort(([a], [b]) => a - b))).toEqual(
    plain([...run.activities].map(([id, row]) => [id, row.facts] as const).sort(([a], [b]) => a - b)),
  );
}

function checkIds(world: World): void {
  for (const [runId, events] of world.histories) {
    events.forEach((event, i) => {
      if (event.eventId !== i + 1) throw new Error(`${runId}: event ${i + 1} has id ${event.eventId}`);
    });
  }
}

/** What was asked of other workflows is answered once at most: by event type and Initiated event. */
function checkAnswers(world: World): void {
  for (const [runId, events] of world.histories) {
    const seen = new Set<string>();
    for (const { eventType, eventId, attributes } of events) {
      if (!('initiatedEventId' in attributes)) continue;
      const what = eventType === EventType.CHILD_WORKFLOW_EXECUTION_STARTED ? 'start' : 'end';
      const id = `${what} of ${attributes.initiatedEventId}`;
      if (seen.has(id)) throw new Error(`${runId}: event ${eventId} is the second ${id}`);
      seen.add(id);
    }
  }
}

/** Matching's and the sessions' view of the tasks, kept from effects alone. */
class Ledger {
  readonly waiting = new Set<string>();
  readonly started = new Set<string>();

  take({ effects, reply }: Outcome): void {
    for (const effect of effects) {
      if (effect.type === 'offerTask') this.waiting.add(offerKey(effect.offer));
      else if (effect.type === 'withdrawTask') {
        expect(this.waiting.delete(offerKey(effect.offer)), 'what is withdrawn was offered').toBe(true);
      } else if (effect.type === 'taskSettled') {
        expect(this.started.delete(taskKey(effect)), 'what is settled was started').toBe(true);
      }
    }
    if (reply.type === 'workflowTaskStarted') this.started.add(taskKey({ kind: 'workflow', ...reply.ref }));
    if (reply.type === 'activityTaskStarted') this.started.add(taskKey({ kind: 'activity', ...reply.ref }));
  }
}

const offerKey = ({ kind, runId, scheduledEventId, attempt }: TaskOffer): string =>
  `${kind} ${runId} ${scheduledEventId} ${attempt}`;
const taskKey = ({
  kind,
  runId,
  scheduledEventId,
}: {
  kind: string;
  runId: string;
  scheduledEventId: number;
}): string => `${kind} ${runId} ${scheduledEventId}`;

describe('over random messages', { timeout: 60_000 }, () => {
  /** A task that was under way when the workflow was paused schedules a Nexus operation: its task was on offer. */
  const IN_A_PAUSE: Step[] = [
    { do: 'take', pick: 0, sticky: false },
    { do: 'pause' },
    { do: 'complete', commands: [24], sticky: false, force: false },
  ];

  it('offers and settlements tell exactly which tasks wait and which are started', () => {
    fc.assert(
      fc.property(fc.array(stepOrReset, { maxLength: 60, size: 'max' }), limits, (steps, bounds) => {
        const player = new Player(bounds);
        const ledger = new Ledger();
        for (const next of [{ do: 'start', conflict: 1, retry: true, runTimeout: 0, delay: 0 } as const, ...steps]) {
          const message = player.message(next);
          if (message === undefined) continue;
          const { world } = player;
          const decision = world.decide(message);
          if (!decision.ok) continue;
          world.apply(decision);
          ledger.take(decision);
          expect([...ledger.waiting].sort()).toEqual(waitingOffers(world.state).map(offerKey).sort());
          expect([...ledger.started].sort()).toEqual(startedTasks(world.state).map(taskKey).sort());
        }
      }),
      { numRuns: 300, examples: [[IN_A_PAUSE, {}]] },
    );
  });

  it('an actor rebuilt from rows is the live actor, and the rows are the fold of the history (I4)', () => {
    fc.assert(
      fc.property(fc.array(stepOrReset, { maxLength: 60, size: 'max' }), limits, (steps, bounds) => {
        const player = new Player(bounds);
        player.play({ do: 'start', conflict: 1, retry: false, runTimeout: 0, delay: 0 }, () => undefined);
        for (const next of steps) {
          player.play(next, (world) => {
            const rebuilt = fromStorage(world);
            expect(comparable(rebuilt.run)).toEqual(comparable(world.state.run));
            expect([...rebuilt.requests.keys()].sort()).toEqual([...world.state.requests.keys()].sort());
            expect(applied(rebuilt)).toEqual(applied(world.state));
            expect(plain([...rebuilt.callbacks].sort())).toEqual(plain([...world.state.callbacks].sort()));
            expect(nextDeadline(rebuilt)).toBe(nextDeadline(world.state));
            expect(waitingOffers(rebuilt)).toEqual(waitingOffers(world.state));
            if (world.state.run !== undefined) checkFold(world, world.state.run);
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('dropping and rebuilding the actor at any moment changes no decision (I4)', () => {
    fc.assert(
      fc.property(fc.array(stepOrReset, { maxLength: 50, size: 'max' }), limits, (steps, bounds) => {
        const player = new Player(bounds);
        player.play({ do: 'start', conflict: 1, retry: true, runTimeout: 0, delay: 0 }, () => undefined);
        for (const next of steps) {
          if (next.do === 'query') continue; // Volatile by design.
          const message = player.message(next);
          if (message === undefined) continue;
          const { world } = player;
          const context = world.context();
          const live = decide(world.state, message, context);
          const rebuilt = decide(fromStorage(world), message, context);
          expect(plain(rebuilt)).toEqual(plain(live));
          if (live.ok) world.apply(live);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('deciding leaves the state untouched', () => {
    fc.assert(
      fc.property(fc.array(stepOrReset, { maxLength: 40, size: 'max' }), limits, (steps, bounds) => {
        const player = new Player(bounds);
        player.play({ do: 'start', conflict: 1, retry: true, runTimeout: 0, delay: 0 }, () => undefined);
        for (const next of steps) {
          const message = player.message(next);
          if (message === undefined) continue;
          const before = comparable(player.world.state.run);
          const decision = player.world.decide(message);
          expect(comparable(player.world.state.run)).toEqual(before);
          if (decision.ok) player.world.apply(decision);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('ids have no gap, each signal is there once, each attempt and request is answered at most once (I5, I6)', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), limits, (steps, bounds) => {
        const player = new Player(bounds);
        player.play({ do: 'start', conflict: 1, retry: false, runTimeout: 0, delay: 0 }, () => undefined);
        for (const next of steps) player.play(next, checkIds);
        const { world } = player;
        checkAnswers(world);
        const buffered = [...(world.state.run?.buffered.values() ?? [])].map(({ event }) => event);
        const seen = [...world.histories.values(), buffered]
          .flat()
          .flatMap((event) =>
            event.eventType === EventType.WORKFLOW_EXECUTION_SIGNALED ? [event.attributes.signalName] : [],
          );
        expect(seen.sort()).toEqual([...player.signals].sort());
        for (const times of player.answered.values()) expect(times).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  it('timers fire at their time or later, and a deadline that fired is gone (I7)', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), limits, (steps, bounds) => {
        const player = new Player(bounds);
        for (const next of steps) {
          player.play(next, (world) => {
            for (const event of world.history()) {
              if (event.eventType !== EventType.TIMER_FIRED) continue;
              const started = world.history()[event.attributes.startedEventId - 1];
              if (started?.eventType !== EventType.TIMER_STARTED)
                throw new Error('a timer fired that was never started');
              expect(event.eventTime).toBeGreaterThanOrEqual(
                started.eventTime + (started.attributes.startToFireTimeout ?? 0),
              );
            }
            const due = nextDeadline(world.state);
            if (due === undefined || due > world.now) return;
            world.accept({ type: 'timer' });
            const after = nextDeadline(world.state);
            expect(after === undefined || after > world.now, 'still due after firing').toBe(true);
          });
        }
      }),
      { numRuns: 200 },
    );
  });
});
