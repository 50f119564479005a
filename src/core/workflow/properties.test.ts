// Random lives of one actor. After every message: the actor rebuilt from rows is the live one (I4), event ids have no gap (I5), what
// events determine equals the fold of the history, and the keys of flow control count for it what it has or waits for; at the end each accepted
// signal and each attempt's answer is there once (I5, I6). All kinds of messages and commands take part, by name.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../wire/codec.ts';
import { CommandType, EventType } from '../../wire/enums.ts';
import type { HistoryEvent } from '../../wire/event.ts';
import { decide } from './decide.ts';
import { foldEvents } from './fold.ts';
import type { Message } from './message.ts';
import type { Outcome, TaskOffer } from './outcome.ts';
import { COMMANDS, randomCommand } from './random-commands.test-support.ts';
import { isKept, Player, STRAY, type WatchedWorld } from './random-life.test-support.ts';
import { limits, type Step, step, stepOrReset } from './random-steps.test-support.ts';
import { packRow, unpackRow } from './row-codec.ts';
import type { ActorState, RunState } from './state.ts';
import { adopt, isOpen, isPassivatable, load, nextDeadline, startedTasks, waitingOffers } from './state.ts';
import { command, WORKFLOW_ID, World } from './testing.ts';

const plain = (value: unknown): unknown => decode(encode(value));

/** The rows of request ids, to be compared. */
const applied = (state: ActorState): unknown[] =>
  [...state.applied.entries()].map(([number, { runId, at, ids }]) => [
    number,
    runId,
    at,
    Buffer.from(ids).toString('hex'),
  ]);

/** What the pace of requests says, as far as anybody can see it. */
const paceOf = ({ pace }: ActorState, now: number): number[] =>
  [0, 0.001, 0.01, 0.1].map((perMs) => pace?.level(now, perMs) ?? 0);

/** What storage would give back, through its codec. */
function fromStorage(world: World, message?: Message): ReturnType<typeof load> {
  const { chain } = world.state;
  const stored = (wanted: string | undefined) =>
    [...world.rows.values()]
      .filter(({ table, runId }) => table === 'chain' || runId === wanted)
      .map((row) => ({ ...row, value: unpackRow(row.table, row.id, plain(packRow(row.table, row.id, row.value))) }));
  const state = load('default', WORKFLOW_ID, stored(chain?.currentRunId));
  // As the shard does before a message that names an earlier run.
  const earlier = message?.type === 'deleteRun' ? message.runId : message?.type === 'reset' ? message.target.runId : '';
  if (earlier !== undefined && earlier !== '' && isKept(world, earlier)) adopt(state, earlier, stored(earlier));
  return state;
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
        operations: [...run.operations.entries()].sort(([a], [b]) => a - b),
        updates: [...(run.updates?.entries() ?? [])].sort(([a], [b]) => a - b),
        callbacks: [...(run.callbacks?.entries() ?? [])].sort(([a], [b]) => a - b),
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

/** The keys of flow control count for a workflow what it has, and what it waits for: else a permit is lost, or never asked for. */
function checkPermits({ state: { run }, outstanding }: WatchedWorld): void {
  const wanted: string[] = [];
  if (run !== undefined && isOpen(run)) {
    const { flowControl } = run.start.attributes;
    if (flowControl !== undefined && run.row.permit !== 'delayed') wanted.push(flowControl.permit);
    for (const { permit } of run.activities.values()) if (permit !== undefined) wanted.push(permit.id);
  }
  expect(outstanding.sort()).toEqual(wanted.sort());
}

/** Matching's and the sessions' view of the tasks, kept from effects alone. */
class Ledger {
  readonly waiting = new Set<string>();
  readonly started = new Set<string>();
  /** In memory alone: a speculative task has no row. */
  #volatile = '';

  /** The node with the actor is gone, and what was in memory there. */
  crash(): void {
    this.waiting.delete(this.#volatile);
  }

  take({ effects, reply }: Outcome): void {
    for (const effect of effects) {
      if (effect.type === 'offerTask') {
        const key = offerKey(effect.offer);
        this.waiting.add(key);
        if (effect.offer.speculative === true) this.#volatile = key;
        else if (this.#volatile === key) this.#volatile = '';
      } else if (effect.type === 'withdrawTask') {
        expect(this.waiting.delete(offerKey(effect.offer)), 'what is withdrawn was offered').toBe(true);
      } else if (effect.type === 'taskKept') this.started.add(taskKey(effect));
      else if (effect.type === 'taskSettled') {
        expect(this.started.delete(taskKey(effect)), 'what is settled was started').toBe(true);
      }
    }
    if (reply.type === 'workflowTaskStarted' && reply.speculative !== true)
      this.started.add(taskKey({ kind: 'workflow', ...reply.ref }));
    if (reply.type === 'activityTaskStarted') this.started.add(taskKey({ kind: 'activity', ...reply.ref }));
  }
}

/** Of started tasks a session's list has all but those that are in memory only. */
const listed = (state: ActorState) =>
  startedTasks(state).filter(({ kind }) => kind !== 'workflow' || state.run?.speculative === undefined);

const offerKey = ({ kind, runId, scheduledEventId, attempt, taskQueue }: TaskOffer): string =>
  `${kind} ${runId} ${scheduledEventId} ${attempt} of ${taskQueue}`;
const taskKey = ({
  kind,
  runId,
  scheduledEventId,
}: {
  kind: string;
  runId: string;
  scheduledEventId: number;
}): string => `${kind} ${runId} ${scheduledEventId}`;

/** Every kind of message there is: the compiler misses one that is new. */
const MESSAGES: Record<Message['type'], true> = {
  ...{ start: true, signal: true, requestCancel: true, terminate: true, reset: true, timer: true },
  ...{ startWorkflowTask: true, startActivityTask: true, undoStart: true, completeWorkflowTask: true },
  ...{ failWorkflowTask: true, completeActivityTask: true, failActivityTask: true, cancelActivityTask: true },
  ...{ heartbeatActivityTask: true, query: true, queryAnswered: true, queryLost: true, queryAbandoned: true },
  ...{ update: true, pollUpdate: true, updateAbandoned: true, keepTask: true, deleteRun: true, startChild: true },
  ...{ signalExternal: true, cancelExternal: true, parentClosed: true, childStarted: true, childStartFailed: true },
  ...{ childClosed: true, externalAnswered: true, pauseActivity: true, unpauseActivity: true, resetActivity: true },
  ...{ updateActivityOptions: true, updateOptions: true, reroute: true, startScheduled: true, callbackAnswered: true },
  ...{ answerNexusTask: true, nexusOperationEnded: true, deleteExecution: true, pauseWorkflow: true },
  ...{ unpauseWorkflow: true, createSchedule: true, updateSchedule: true, patchSchedule: true, deleteSchedule: true },
  ...{ describeSchedule: true, scheduleTimes: true, scheduledStarted: true, scheduledRefused: true },
  ...{ scheduledClosed: true, flowAcquire: true, flowRelease: true, flowReserve: true, setFlowLimits: true },
  ...{ describeFlow: true, flowGranted: true, flowRefused: true, flowEnd: true },
};
const STRAYS: ReadonlySet<string> = new Set(STRAY);

describe('random lives', { timeout: 60_000 }, () => {
  const lives = fc.sample(fc.array(stepOrReset, { minLength: 60, maxLength: 60 }), { numRuns: 300, seed: 65 });

  it('have messages of every kind in them, each taken by its actor at least once, but those of other kinds of actors', () => {
    const missing = new Set(Object.keys(MESSAGES));
    for (const steps of lives) {
      const player = new Player();
      for (const next of steps) {
        const message = player.message(next);
        if (message === undefined) continue;
        const decision = player.world.send(message);
        if (STRAYS.has(message.type)) expect(decision.ok, message.type).toBe(false);
        if (decision.ok || STRAYS.has(message.type)) missing.delete(message.type);
      }
      if (missing.size === 0) break;
    }
    expect([...missing]).toEqual([]);
  });

  it('have commands of every kind in them', () => {
    const { UNSPECIFIED, PROTOCOL_MESSAGE, ...all } = CommandType;
    const world = new World();
    world.start();
    world.work(command.nexus(), command.timer('t', 1), command.activity('a'));
    const numbers = [...Array(COMMANDS + 1).keys()];
    const issued: Set<number | undefined> = new Set(numbers.map((n) => randomCommand(world, n, 1)?.commandType));
    expect(Object.entries(all).filter(([, type]) => !issued.has(type))).toEqual([]);
    // Answers to updates have places of their own.
    expect([UNSPECIFIED, PROTOCOL_MESSAGE].some((type) => issued.has(type))).toBe(false);
  });
});

/** `TENUTO_RUNS=5000` for a campaign. */
const runs = (usual: number): number => Number(process.env.TENUTO_RUNS ?? usual);

describe('over random messages', { timeout: 60_000 * Math.ceil(runs(150) / 150) }, () => {
  /** A task that was under way when the workflow was paused schedules a Nexus operation: its task was on offer. */
  const IN_A_PAUSE: Step[] = [
    { do: 'take', pick: 0, sticky: false },
    { do: 'pause' },
    { do: 'complete', commands: [24], sticky: false, force: false },
  ];
  /** A speculative task that waits is in no row. */
  const IN_MEMORY: Step[] = [
    { do: 'take', pick: 0, sticky: false },
    { do: 'complete', commands: [0], sticky: false, force: false },
    { do: 'pass', ms: 1 },
    { do: 'update', how: 0, pick: 0 },
    { do: 'crash' },
    { do: 'take', pick: 0, sticky: false },
  ];

  it('offers and settlements tell exactly which tasks wait and which are started', () => {
    fc.assert(
      fc.property(fc.array(stepOrReset, { maxLength: 60, size: 'max' }), limits, (steps, bounds) => {
        const player = new Player(bounds);
        const ledger = new Ledger();
        for (const next of [{ do: 'start', conflict: 1, retry: true, runTimeout: 0, delay: 0 } as const, ...steps]) {
          const message = player.message(next);
          const { world } = player;
          if (message === undefined) {
            if (next.do === 'crash') ledger.crash();
            continue;
          }
          const decision = world.decide(message);
          if (!decision.ok) continue;
          world.apply(decision);
          ledger.take(decision);
          expect([...ledger.waiting].sort()).toEqual(waitingOffers(world.state).map(offerKey).sort());
          expect([...ledger.started].sort()).toEqual(listed(world.state).map(taskKey).sort());
        }
      }),
      {
        numRuns: runs(150),
        examples: [
          [IN_A_PAUSE, {}],
          [IN_MEMORY, {}],
        ],
      },
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
            expect(paceOf(rebuilt, world.now)).toEqual(paceOf(world.state, world.now));
            expect(plain([...rebuilt.callbacks].sort())).toEqual(plain([...world.state.callbacks].sort()));
            expect(nextDeadline(rebuilt)).toBe(nextDeadline(world.state));
            const inRows = waitingOffers(world.state).filter(({ speculative }) => speculative !== true);
            expect(waitingOffers(rebuilt)).toEqual(inRows);
            if (world.state.run !== undefined) checkFold(world, world.state.run);
          });
        }
      }),
      { numRuns: runs(150) },
    );
  });

  it('dropping and rebuilding the actor at any moment changes no decision (I4)', () => {
    fc.assert(
      fc.property(fc.array(stepOrReset, { maxLength: 50, size: 'max' }), limits, (steps, bounds) => {
        const player = new Player(bounds);
        player.play({ do: 'start', conflict: 1, retry: true, runTimeout: 0, delay: 0 }, () => undefined);
        for (const next of steps) {
          const message = player.message(next);
          if (message === undefined) continue;
          const { world } = player;
          const context = world.context();
          const live = decide(world.state, message, context);
          // While it holds queries or updates, volatile by design, it is not dropped.
          if (isPassivatable(world.state)) {
            const rebuilt = decide(fromStorage(world, message), message, context);
            expect(plain(rebuilt)).toEqual(plain(live));
          }
          if (live.ok) world.apply(live);
        }
      }),
      { numRuns: runs(150) },
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
      { numRuns: runs(150) },
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
      { numRuns: runs(150) },
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
      { numRuns: runs(200) },
    );
  });

  it('a key of flow control is asked for each permit once, and gets back each that nobody has or waits for', () => {
    fc.assert(
      fc.property(fc.array(stepOrReset, { maxLength: 60, size: 'max' }), limits, (steps, bounds) => {
        const player = new Player(bounds);
        player.play(
          { do: 'start', conflict: 1, retry: true, runTimeout: 0, delay: 0, extras: ['queueFlow'] },
          () => undefined,
        );
        for (const next of steps) player.play(next, () => checkPermits(player.world));
      }),
      { numRuns: runs(150) },
    );
  });
});
