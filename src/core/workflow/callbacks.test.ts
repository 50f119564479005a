// Callbacks of a run's end: when they are called, what becomes of an attempt, and what of it survives a rebuilt actor.
import { expect, describe as group, it } from 'vitest';
import { CallbackState, EventType, WorkflowExecutionStatus, WorkflowIdConflictPolicy } from '../../wire/enums.ts';
import { describe } from './describe.ts';
import type { Effect, Outcome } from './outcome.ts';
import { command, World } from './testing.ts';

const HOOK = { nexus: { url: 'https://example.test/hook', header: { a: 'b' } } };
const OTHER = { nexus: { url: 'https://example.test/other' } };

type Calling = Extract<Effect, { type: 'deliverCallback' }>;
const callings = ({ effects }: Pick<Outcome, 'effects'>): Calling[] =>
  effects.filter((effect) => effect.type === 'deliverCallback');

function only(outcome: Pick<Outcome, 'effects'>): Calling {
  const [calling, ...more] = callings(outcome);
  if (calling === undefined || more.length > 0) throw new Error('not one callback is called');
  return calling;
}

const infos = (world: World, runId?: string) => describe(world.state, runId)?.callbacks ?? [];
const states = (world: World, runId?: string) => infos(world, runId).map(({ state }) => state);

function closed(world = new World()): { world: World; calling: Calling } {
  world.start({ completionCallbacks: [HOOK] });
  return { world, calling: only(world.work(command.complete('done'))) };
}

const answer = (world: World, { callbackId, attempt }: Calling, retryable?: boolean): Outcome =>
  world.accept({
    type: 'callbackAnswered',
    callbackId,
    attempt,
    failure: retryable === undefined ? undefined : { message: 'status 500', retryable },
  });

group('a callback', () => {
  it('is on the Started event and stands by until its run closes, which is what it is told', () => {
    const world = new World();
    world.start({ completionCallbacks: [HOOK] });
    expect(world.history()[0]?.attributes).toMatchObject({ completionCallbacks: [HOOK] });
    expect(infos(world)).toMatchObject([{ callback: HOOK, state: CallbackState.STANDBY, attempt: 0 }]);
    const calling = only(world.work(command.complete('done')));
    expect(calling).toMatchObject({ callback: HOOK, attempt: 1, closeEventId: world.last().eventId });
    expect(states(world)).toEqual([CallbackState.SCHEDULED]);
  });

  it.each([
    ['terminated', (world: World) => world.terminate()],
    ['failed', (world: World) => world.work(command.fail({ message: 'no' }))],
    ['cancelled', (world: World) => world.work(command.cancel())],
  ])('is called when its run was %s', (_how, end) => {
    const world = new World();
    world.start({ completionCallbacks: [HOOK] });
    expect(only(end(world)).attempt).toBe(1);
  });

  it('is done once it has answered; repeats of the answer change nothing', () => {
    const { world, calling } = closed();
    answer(world, calling);
    expect(infos(world)).toMatchObject([{ state: CallbackState.SUCCEEDED, attempt: 1 }]);
    expect(answer(world, calling).rows).toEqual([]);
    expect(answer(world, calling, true).rows).toEqual([]);
    expect(world.due()).toBe(Number.POSITIVE_INFINITY);
  });

  it('is called again after 1 s, 2 s, 4 s…, as long as it may succeed', () => {
    const { world, calling } = closed();
    answer(world, calling, true);
    expect(infos(world)).toMatchObject([
      {
        state: CallbackState.BACKING_OFF,
        lastAttemptFailure: { message: 'status 500' },
        nextAttemptScheduleTime: world.now + 1_000,
      },
    ]);
    world.pass(1_000);
    answer(world, only(world), true);
    expect(world.due()).toBe(world.now + 2_000);
    world.pass(2_000);
    const third = only(world);
    expect(third.attempt).toBe(3);
    answer(world, third, false);
    expect(infos(world)).toMatchObject([{ state: CallbackState.FAILED, attempt: 3 }]);
    expect(world.due()).toBe(Number.POSITIVE_INFINITY);
  });

  it('is given up after so many attempts', () => {
    const world = new World({ callbackAttempts: 2 });
    const { calling } = closed(world);
    answer(world, calling, true);
    world.pass(1_000);
    answer(world, only(world), true);
    expect(states(world)).toEqual([CallbackState.FAILED]);
  });

  it('is called again when nothing came of an attempt: its node was killed', () => {
    const { world, calling } = closed();
    world.reload();
    expect(states(world)).toEqual([CallbackState.SCHEDULED]);
    world.pass(15_000);
    expect(states(world)).toEqual([CallbackState.BACKING_OFF]);
    world.pass(1_000);
    expect(only(world).attempt).toBe(2);
    // The answer to the lost attempt comes late.
    expect(answer(world, calling).rows).toEqual([]);
  });

  it('follows its chain of runs: continued as new, and retried', () => {
    const world = new World({ continueAsNewMinInterval: 0 });
    world.start({ completionCallbacks: [HOOK], retryPolicy: { maximumAttempts: 2 } });
    const first = world.state.run?.runId;
    expect(callings(world.work(command.continueAsNew()))).toEqual([]);
    expect(infos(world, first)).toEqual([]);
    expect(world.history()[0]?.attributes).toMatchObject({ completionCallbacks: [HOOK] });
    expect(callings(world.work(command.fail({ message: 'no' })))).toEqual([]);
    world.pass(5_000);
    expect(states(world)).toEqual([CallbackState.STANDBY]);
    const calling = only(world.work(command.complete()));
    expect(calling.runId).toBe(world.state.run?.runId);
    expect(world.state.callbacks.size).toBe(1);
  });

  it('of a run that is reset is the new run’s', () => {
    const world = new World();
    world.start({ completionCallbacks: [HOOK] });
    world.work(command.timer('t', 60_000));
    const outcome = world.accept(world.resetMessage());
    expect(callings(outcome)).toEqual([]);
    expect(states(world)).toEqual([CallbackState.STANDBY]);
    expect(world.state.callbacks.size).toBe(1);
    expect(only(world.work(command.complete())).attempt).toBe(1);
  });

  it('of a closed run is called while another run has its workflow id', () => {
    const { world, calling } = closed();
    const runId = calling.runId;
    world.start({ runId: 'second' });
    answer(world, calling, true);
    world.pass(1_000);
    expect(only(world)).toMatchObject({ runId, attempt: 2 });
    world.adopt(runId);
    answer(world, only(world));
    expect(states(world, runId)).toEqual([CallbackState.SUCCEEDED]);
    expect(world.state.run?.row.facts.status).toBe(WorkflowExecutionStatus.RUNNING);
  });

  it('goes with its run when that is deleted', () => {
    const { world, calling } = closed();
    world.accept({ type: 'deleteRun', runId: calling.runId });
    expect([...world.rows.values()]).toEqual([]);
    expect(answer(world, calling).rows).toEqual([]);
  });
});

group('a start that meets a running workflow', () => {
  const USE = { conflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING, completionCallbacks: [OTHER] };
  const ALL = { attachRequestId: true, attachCompletionCallbacks: true, attachLinks: true };

  it('attaches what its options say, as an event', () => {
    const world = new World();
    world.start({ completionCallbacks: [HOOK] });
    const link = { workflow: { namespace: 'default', workflowId: 'caller', runId: 'r' } };
    const { reply } = world.start({ ...USE, requestId: 'mine', links: [link], onConflict: ALL });
    expect(reply).toMatchObject({ response: { started: false, attachedRequestId: 'mine' } });
    const event = world.lastOf(EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED);
    expect(event).toMatchObject({
      attributes: { attachedRequestId: 'mine', attachedCompletionCallbacks: [OTHER] },
      links: [link],
    });
    expect(callings(world.work(command.complete())).map(({ callback }) => callback)).toEqual([HOOK, OTHER]);
    // A repeat of the request attaches nothing more.
    expect(world.start({ ...USE, requestId: 'mine', onConflict: ALL }).rows).toEqual([]);
  });

  it('attaches nothing without them, and no more callbacks than may be', () => {
    const world = new World({ callbacksPerRun: 2 });
    world.start({ completionCallbacks: [HOOK, HOOK] });
    expect(world.start({ ...USE, requestId: 'a' }).events).toEqual([]);
    const message = world.startMessage({ ...USE, requestId: 'b', onConflict: ALL });
    expect(world.refuse(message).message).toContain('cannot attach more than 2 callbacks');
  });
});
