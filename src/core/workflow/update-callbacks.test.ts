// Callbacks of updates: attached with the request, called when their update has completed or never will, once for each request.
import { expect, describe as group, it } from 'vitest';
import { CallbackState, EventType, ResetReapplyExcludeType } from '../../wire/enums.ts';
import type { ProtocolMessage } from '../../wire/protocol-message.ts';
import { completionTold } from './callbacks.ts';
import { describe } from './describe.ts';
import type { Effect, Outcome } from './outcome.ts';
import { command, message, payloads, places, World } from './testing.ts';
import { CUT_OFF } from './update-outcomes.ts';

const HOOK = { nexus: { url: 'https://example.test/hook' } };
const OTHER = { nexus: { url: 'https://example.test/other' } };
const LINK = { batchJob: { jobId: 'j' } };
const ASKED = { requestId: 'q1', completionCallbacks: [HOOK], links: [LINK] };

const callings = ({ effects }: Pick<Outcome, 'effects'>) =>
  effects.filter((effect): effect is Extract<Effect, { type: 'deliverCallback' }> => effect.type === 'deliverCallback');
const called = (outcome: Pick<Outcome, 'effects'>) => callings(outcome).map(({ callback }) => callback.nexus?.url);
const infos = (world: World, runId?: string) => describe(world.state, runId)?.callbacks ?? [];

const idle = (limits = {}) => {
  const world = new World(limits);
  world.start();
  world.work();
  return world;
};

const work = (world: World, messages: ProtocolMessage[], commands: Parameters<World['work']> = []): Outcome =>
  world.accept(
    world.completeMessage(
      world.takeWorkflowTask().ref,
      [...places(...messages.filter(({ id }) => !id.endsWith('/reject'))), ...commands],
      { messages },
    ),
  );

const accepted = (limits = {}) => {
  const world = idle(limits);
  world.update('u', { ...ASKED, until: 'accepted' });
  work(world, [message.accept('u')]);
  return world;
};

/** What is told of the event that ended it. */
const told = (world: World, outcome: Pick<Outcome, 'effects'>, runId?: string) =>
  callings(outcome).map(({ updateId, closeEventId }) => {
    const event = world.history(runId).find(({ eventId }) => eventId === closeEventId);
    return event && completionTold(updateId, event);
  });

function answer(world: World, outcome: Outcome): void {
  for (const { callbackId, attempt } of callings(outcome))
    world.accept({ type: 'callbackAnswered', callbackId, attempt });
}

group('a callback of an update', () => {
  it('is on the event that accepts it, with its links, and is called with what comes of it', () => {
    const world = idle();
    world.update('u', ASKED);
    const { task, ref } = world.takeWorkflowTask();
    expect(task.messages?.[0]?.body.value).toMatchObject(ASKED);
    const messages = [message.accept('u')];
    expect(called(world.accept(world.completeMessage(ref, places(...messages), { messages })))).toEqual([]);
    const event = world.lastOf(EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED);
    expect(event).toMatchObject({ attributes: { acceptedRequest: ASKED }, links: [LINK] });
    const trigger = { updateWorkflowExecutionCompleted: { updateId: 'u' } };
    expect(infos(world)).toMatchObject([{ callback: HOOK, trigger, state: CallbackState.STANDBY }]);
    world.reload();
    world.signal('go on');
    const outcome = work(world, [message.respond('u')]);
    expect(called(outcome)).toEqual([HOOK.nexus.url]);
    expect(told(world, outcome)).toEqual([{ state: 'succeeded', result: payloads('ok').payloads[0] }]);
    answer(world, outcome);
    world.reload();
    expect(infos(world)).toMatchObject([{ state: CallbackState.SUCCEEDED }]);
    // The next one has a number of its own.
    world.update('v', { ...ASKED, requestId: 'q2' });
    const next = work(world, [message.accept('v'), message.respond('v', { failure: { message: 'no' } })]);
    expect(told(world, next)).toEqual([{ state: 'failed', failure: { message: 'no' } }]);
    answer(world, next);
    expect(infos(world).map(({ state }) => state)).toEqual([CallbackState.SUCCEEDED, CallbackState.SUCCEEDED]);
  });

  it('that is rejected is not called, nor kept', () => {
    const world = idle();
    world.update('u', ASKED);
    expect(called(work(world, [message.reject('u')]))).toEqual([]);
    expect(infos(world)).toEqual([]);
  });

  it.each([
    ['is completed', command.complete()],
    ['goes on as another run', command.continueAsNew()],
  ])('that does not complete before its workflow %s is told so', (_how, closing) => {
    const world = accepted({ continueAsNewMinInterval: 0 });
    const runId = world.state.run?.runId;
    world.signal('go on');
    const outcome = world.work(closing);
    expect(called(outcome)).toEqual([HOOK.nexus.url]);
    expect(told(world, outcome, runId)).toEqual([{ state: 'failed', failure: CUT_OFF.failure }]);
    expect(world.lastOf(EventType.WORKFLOW_EXECUTION_STARTED).attributes.completionCallbacks).toBeUndefined();
  });

  it('is attached once for each request, before the update is accepted and after', () => {
    const world = idle();
    world.update('u', ASKED);
    const again = {
      ...ASKED,
      callId: 'again',
      requestId: 'q2',
      completionCallbacks: [OTHER],
      until: 'accepted',
    } as const;
    world.update('u', again);
    world.update('u', { ...again, callId: 'and again' });
    work(world, [message.accept('u')]);
    const attached = { updateId: 'u', attachedRequestId: 'q2', attachedCompletionCallbacks: [OTHER] };
    expect(world.lastOf(EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED).attributes).toEqual({
      workflowUpdateOptions: [attached],
    });
    world.update('u', { ...again, callId: 'once more' });
    world.update('u', { ...again, callId: 'third', requestId: 'q3' });
    const events = world
      .history()
      .filter(({ eventType }) => eventType === EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED);
    expect(events).toHaveLength(2);
    world.signal('go on');
    const urls = [HOOK, OTHER, OTHER].map(({ nexus }) => nexus.url);
    expect(called(work(world, [message.respond('u')]))).toEqual(urls);
    // Complete: the answer says it.
    const rows = infos(world).length;
    world.update('u', { ...again, callId: 'late', requestId: 'q4' });
    expect(infos(world)).toHaveLength(rows);
  });

  it('is refused beyond as many as a run may have', () => {
    const world = idle({ callbacksPerRun: 1 });
    world.update('u', ASKED);
    for (const updateId of ['u', 'v']) {
      const refused = world.refuse(world.updateMessage(updateId, { ...ASKED, callId: 'x', requestId: 'q2' }));
      expect(refused.message).toContain('cannot attach more than 1 callbacks');
    }
  });

  it('goes with a reset where its update does, and is told where it does not', () => {
    const reapplied = accepted();
    const before = reapplied.state.run?.runId;
    expect(called(reapplied.accept(reapplied.resetMessage()))).toEqual([]);
    expect(infos(reapplied, before)).toEqual([]);
    expect(called(work(reapplied, [message.accept('u'), message.respond('u')]))).toEqual([HOOK.nexus.url]);

    const excluded = accepted();
    const runId = excluded.state.run?.runId;
    const exclude = [ResetReapplyExcludeType.UPDATE];
    const outcome = excluded.accept(excluded.resetMessage({ exclude }));
    expect(called(outcome)).toEqual([HOOK.nexus.url]);
    expect(told(excluded, outcome, runId)).toEqual([{ state: 'failed', failure: CUT_OFF.failure }]);
  });

  it('goes with its run when that is deleted', () => {
    const world = accepted();
    const runId = world.state.run?.runId ?? '';
    world.terminate();
    world.accept({ type: 'deleteRun', runId });
    expect([...world.rows.values()]).toEqual([]);
  });
});
