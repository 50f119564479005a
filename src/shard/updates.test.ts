// Updates on a shard: callers, the speculative task that no row holds, and what is left of both when workers, connections or the node go.
import { describe, expect, it } from 'vitest';
import type { StartMessage, UpdateMessage } from '../core/workflow/index.ts';
import { command, message, payloads, places } from '../core/workflow/testing.ts';
import type { UpdateWithStartMessage, Waiting } from '../ports/engine.ts';
import type { Delivery } from '../ports/matching.ts';
import { openMemoryStore } from '../store/index.ts';
import { MemoryDisk } from '../store/memory/backend.ts';
import { decode, encode } from '../wire/codec.ts';
import { EventType as E, UpdateWorkflowExecutionLifecycleStage as Stage } from '../wire/enums.ts';
import type { HistoryEvent } from '../wire/event.ts';
import type { ProtocolMessage } from '../wire/protocol-message.ts';
import { StatusCode } from '../wire/status.ts';
import type { UpdateWithStartWorkflowExecutionResponse, UpdateWorkflowExecutionResponse } from '../wire/update.ts';
import {
  type Answer,
  QUEUE as NAME,
  NAMESPACE,
  type TestWorker,
  typesOf,
  type WorkerOptions,
  World,
} from './testing.ts';

const QUEUE = { namespace: NAMESPACE, name: NAME, kind: 'workflow' } as const;
const TO = { namespace: NAMESPACE, workflowId: 'a' };
const FIRST = [
  E.WORKFLOW_EXECUTION_STARTED,
  E.WORKFLOW_TASK_SCHEDULED,
  E.WORKFLOW_TASK_STARTED,
  E.WORKFLOW_TASK_COMPLETED,
];
const TASK = [E.WORKFLOW_TASK_SCHEDULED, E.WORKFLOW_TASK_STARTED, E.WORKFLOW_TASK_COMPLETED];
const ACCEPTED = E.WORKFLOW_EXECUTION_UPDATE_ACCEPTED;
const COMPLETED = E.WORKFLOW_EXECUTION_UPDATE_COMPLETED;

/** A workflow whose first task is done, and its worker with so much credit left. */
async function idle(credit = 1, options: WorkerOptions = {}) {
  const disk = new MemoryDisk();
  const w = await new World(() => openMemoryStore({ disk, shardCount: 4 })).open();
  const worker = w.worker({ workflow: 1, ...options });
  await w.start('a');
  await w.send('a', w.completion(worker.take('workflow'), []));
  worker.credit.workflow = credit;
  return { w, worker };
}

let calls = 0;
const updateMessage = (updateId: string, over: Partial<UpdateMessage> = {}): UpdateMessage => {
  calls += 1;
  const ask = { callId: `call-${calls}`, until: 'completed' as const, updateId, updateName: 'add', args: payloads(1) };
  return { type: 'update', target: {}, identity: 'client', ...ask, ...over };
};

interface Asked extends Answer<UpdateWorkflowExecutionResponse> {
  waiting: Waiting;
}

async function ask(w: World, updateId: string, over: Partial<UpdateMessage> = {}): Promise<Asked> {
  let waiting: Waiting | undefined;
  const answer = await w.call<UpdateWorkflowExecutionResponse>((done) => {
    waiting = w.engine.update(TO, updateMessage(updateId, over), done);
  });
  if (waiting === undefined) throw new Error('the update does not wait');
  return Object.assign(answer, { waiting });
}

const answer = (w: World, task: Delivery, ...messages: ProtocolMessage[]) => {
  const commands = places(...messages.filter(({ id }) => !id.endsWith('/reject')));
  return w.send('a', { ...w.completion(task, commands), messages } as Parameters<World['send']>[1]);
};

/** Bytes alike, whichever class holds them. */
const plain = (value: unknown): unknown => decode(encode(value));

const updatesOf = (task: Delivery): string[] =>
  task.kind === 'workflow'
    ? (task.started.task.messages ?? []).map(({ protocolInstanceId }) => protocolInstanceId)
    : [];

describe('an update for which a worker is free', () => {
  it('shows a worker that reads page by page the events of its task, wherever a page begins', async () => {
    const { w, worker } = await idle();
    const asked = ask(w, 'u');
    const from = async (fromEventId: number): Promise<number[]> => {
      const query = { runId: undefined, fromEventId, maximumBytes: 1_000, waitNewEvent: false, closeEventOnly: false };
      const page: Answer<{ events: Uint8Array[] }> = await w.call((done) =>
        w.engine.history(TO, { ...query, withUnwritten: true }, done),
      );
      const events = (page.value?.events ?? []).flatMap((bytes) => decode(bytes) as HistoryEvent[]);
      return events.map(({ eventId }) => eventId).filter((id) => id >= fromEventId);
    };
    expect(await from(4)).toEqual([4, 5, 6]);
    expect(await from(5)).toEqual([5, 6]);
    expect(await from(6)).toEqual([6]);
    await w.send('a', w.completion(worker.take('workflow'), []));
    expect((await asked).value).toBeDefined();
  });

  it('reaches it without a commit, and costs none when it is rejected', async () => {
    const { w, worker } = await idle();
    const { commits } = w.engine.getStats();
    const asked = await ask(w, 'u');
    const task = worker.take('workflow');
    expect(updatesOf(task)).toEqual(['u']);
    expect(await answer(w, task, message.reject('u'))).toMatchObject({
      error: undefined,
      value: { type: 'accepted', resetHistoryEventId: 3 },
    });
    expect(asked.value).toMatchObject({ stage: Stage.COMPLETED, outcome: { failure: { message: 'no' } } });
    expect(w.engine.getStats().commits).toBe(commits);
    expect(typesOf(await w.history('a'))).toEqual(FIRST);
    w.engine.passivateAll();
    expect(w.engine.getStats()).toMatchObject({ actors: 0, openUpdates: 0 });
  });

  it('is answered once what it came to is durable, and from the history ever after', async () => {
    const { w, worker } = await idle();
    const asked = await ask(w, 'u');
    await answer(w, worker.take('workflow'), message.accept('u'), message.respond('u'));
    const outcome = { success: payloads('ok') };
    expect(asked.value).toMatchObject({ updateId: 'u', stage: Stage.COMPLETED, outcome });
    expect(typesOf(await w.history('a'))).toEqual([...FIRST, ...TASK, ACCEPTED, COMPLETED]);
    w.engine.passivateAll();
    expect(plain((await ask(w, 'u')).value)).toEqual(plain(asked.value));
    const runId = asked.value?.runId;
    await w.send('a', { type: 'terminate', target: {}, identity: 'client', requestId: 't' });
    await w.start('a');
    expect(plain((await ask(w, 'u', { target: { runId } })).value)).toEqual(plain(asked.value));
    await w.restart();
    expect(plain((await ask(w, 'u', { target: { runId } })).value)).toEqual(plain(asked.value));
  });

  it('may be asked ahead of the commit before it, and is told durable', async () => {
    const { w, worker } = await idle(1, { ahead: true });
    // The update comes while the turn before it is not durable.
    w.post('a', { type: 'heartbeatActivityTask', activity: { activityId: 'none' }, identity: 'me' });
    w.post('a', w.signalMessage('s'));
    await w.time.settle();
    await answer(w, worker.take('workflow'));
    worker.credit.workflow = 1;
    await ask(w, 'u');
    expect(updatesOf(worker.take('workflow'))).toEqual(['u']);
  });
});

describe('a speculative task', () => {
  it('waits in memory when no worker is free, and leaves no trace when its update is rejected', async () => {
    const { w, worker } = await idle(0);
    const { commits } = w.engine.getStats();
    const asked = await ask(w, 'u');
    expect(w.engine.backlog(QUEUE)).toEqual({ count: 1, oldest: w.time.now(), priority: 3 });
    w.matching.grant(worker, 'workflow', 1);
    await w.time.settle();
    expect(w.engine.backlog(QUEUE).count).toBe(0);
    const task = worker.take('workflow');
    expect(updatesOf(task)).toEqual(['u']);
    expect((await answer(w, task, message.reject('u'))).value).toEqual({ type: 'accepted', resetHistoryEventId: 3 });
    expect(asked.done).toBe(true);
    expect(w.engine.getStats().commits).toBe(commits);
    expect(typesOf(await w.history('a'))).toEqual(FIRST);
    w.engine.passivateAll();
    expect(w.engine.getStats().actors).toBe(0);
  });

  it('that nobody takes for five seconds gets events, a row, and a time-out, as on the reference server', async () => {
    const { w, worker } = await idle(0);
    const asked = await ask(w, 'u');
    await w.time.advance(4_999);
    expect(typesOf(await w.history('a'))).toEqual(FIRST);
    await w.time.advance(1);
    const kept = [...FIRST, E.WORKFLOW_TASK_SCHEDULED, E.WORKFLOW_TASK_TIMED_OUT, E.WORKFLOW_TASK_SCHEDULED];
    expect(typesOf(await w.history('a'))).toEqual(kept);
    expect(w.engine.backlog(QUEUE).count).toBe(1);
    w.matching.grant(worker, 'workflow', 1);
    await w.time.settle();
    await answer(w, worker.take('workflow'), message.accept('u'), message.respond('u'));
    expect(asked.value?.stage).toBe(Stage.COMPLETED);
  });

  it('that waits becomes backlog, once, when something happens that a row has to hold', async () => {
    const { w, worker } = await idle(0);
    const asked = await ask(w, 'u');
    await w.send('a', w.signalMessage('s'));
    expect(typesOf(await w.history('a'))).toEqual([...FIRST, E.WORKFLOW_TASK_SCHEDULED, E.WORKFLOW_EXECUTION_SIGNALED]);
    expect(w.engine.backlog(QUEUE).count).toBe(1);
    // Nothing is left of its five seconds.
    await w.time.advance(60_000);
    expect(w.engine.backlog(QUEUE).count).toBe(1);
    w.matching.grant(worker, 'workflow', 2);
    await w.time.settle();
    expect(worker.received).toHaveLength(1);
    await answer(w, worker.take('workflow'), message.accept('u'), message.respond('u'));
    expect(asked.value?.stage).toBe(Stage.COMPLETED);
  });

  it('that waits is lost with the node, without a trace', async () => {
    const { w, worker } = await idle(0);
    const asked = await ask(w, 'u');
    await w.restart();
    expect(asked.done).toBe(false);
    const again = w.worker({ session: worker.session, workflow: 1 });
    await w.time.advance(60_000);
    expect(again.received).toEqual([]);
    expect(typesOf(await w.history('a'))).toEqual(FIRST);
    // Its caller asks again.
    const anew = await ask(w, 'u');
    await answer(w, again.take('workflow'), message.accept('u'), message.respond('u'));
    expect(anew.value?.stage).toBe(Stage.COMPLETED);
  });

  it('that waits ends with its workflow', async () => {
    const { w, worker } = await idle(0);
    const asked = await ask(w, 'u');
    await w.send('a', { type: 'terminate', target: {}, identity: 'client', requestId: 't' });
    expect(asked.error?.code).toBe(StatusCode.NOT_FOUND);
    expect(typesOf(await w.history('a'))).toEqual([...FIRST, E.WORKFLOW_EXECUTION_TERMINATED]);
    expect(w.engine.backlog(QUEUE).count).toBe(0);
    w.matching.grant(worker, 'workflow', 1);
    await w.time.settle();
    expect(worker.received).toEqual([]);
  });

  it('waits when its frame could not be written', async () => {
    const { w, worker } = await idle();
    worker.connected = false;
    const other = w.worker({ session: 'session-2', queue: 'elsewhere' });
    expect(other.received).toEqual([]);
    worker.connected = true;
    const deliveries: Delivery[] = [];
    worker.onTask = (task) => deliveries.push(task);
    // Lent its credit, and gone before the frame.
    const claim = w.matching.claim.bind(w.matching);
    w.matching.claim = (offer) => {
      const lent = claim(offer);
      return lent && { ...lent, deliver: () => false };
    };
    await ask(w, 'u');
    w.matching.claim = claim;
    expect(deliveries).toEqual([]);
    expect(typesOf(await w.history('a'))).toEqual([...FIRST, E.WORKFLOW_TASK_SCHEDULED]);
    w.matching.grant(worker, 'workflow', 1);
    await w.time.settle();
    expect(updatesOf(worker.take('workflow'))).toEqual(['u']);
  });

  it('ends by its timeout when its worker is silent, without a timer row', async () => {
    const { w, worker } = await idle();
    const asked = await ask(w, 'u');
    worker.take('workflow');
    worker.credit.workflow = 1;
    await w.time.advance(9_999);
    expect(worker.received).toEqual([]);
    await w.time.advance(1);
    expect(typesOf(await w.history('a'))).toEqual([
      ...FIRST,
      E.WORKFLOW_TASK_SCHEDULED,
      E.WORKFLOW_TASK_STARTED,
      E.WORKFLOW_TASK_TIMED_OUT,
    ]);
    const again = worker.take('workflow');
    await answer(w, again, message.accept('u'), message.respond('u'));
    expect(asked.value?.stage).toBe(Stage.COMPLETED);
  });

  it('that a signal made an ordinary one survives the node, and is told durable to the worker that holds it', async () => {
    const { w, worker } = await idle();
    await ask(w, 'u');
    const task = worker.take('workflow');
    await w.send('a', w.signalMessage('s'));
    await w.restart();
    const again = w.worker({ session: worker.session });
    const held = await w.call((done) => {
      w.engine.resume(w.matching.resuming(again));
      done(undefined, undefined);
    });
    expect(held.done).toBe(true);
    await w.time.settle();
    // Not listed, so it comes again, with what it rests on and without the update, which is lost.
    expect(updatesOf(again.take('workflow'))).toEqual([]);
    await answer(
      w,
      task,
      message.accept('u', { meta: { updateId: 'u' }, input: { name: 'add' } }),
      message.respond('u'),
    );
    expect((await ask(w, 'u')).value).toMatchObject({ stage: Stage.COMPLETED });
  });

  it('is lost with the node, and its worker is told so', async () => {
    const { w, worker } = await idle();
    const asked = await ask(w, 'u');
    const task = worker.take('workflow');
    await w.restart();
    expect(asked.done).toBe(false);
    expect((await answer(w, task, message.accept('u'))).error?.code).toBe(StatusCode.NOT_FOUND);
    expect(typesOf(await w.history('a'))).toEqual(FIRST);
  });
});

describe('a caller', () => {
  it('that gives up leaves nothing behind', async () => {
    const { w, worker } = await idle(0);
    const asked = await ask(w, 'u');
    asked.waiting.abandon();
    await w.time.settle();
    expect(w.engine.getStats().openUpdates).toBe(0);
    expect(w.engine.backlog(QUEUE).count).toBe(0);
    w.matching.grant(worker, 'workflow', 1);
    await w.time.settle();
    expect(worker.received).toEqual([]);
    expect(typesOf(await w.history('a'))).toEqual(FIRST);
    w.engine.passivateAll();
    expect(w.engine.getStats().actors).toBe(0);
  });

  it('is refused at the bound of the node', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 4 }), { bounds: { waitingUpdates: 1 } }).open();
    await w.start('a');
    await ask(w, 'u');
    expect((await ask(w, 'v')).error?.code).toBe(StatusCode.RESOURCE_EXHAUSTED);
  });

  it('of an update with start gets both answers at once, or one refusal', async () => {
    const disk = new MemoryDisk();
    const w = await new World(() => openMemoryStore({ disk, shardCount: 4 })).open();
    const worker: TestWorker = w.worker({ workflow: 1 });
    const { type: _type, target: _target, ...update } = updateMessage('u');
    const begun = w.begin<UpdateWithStartWorkflowExecutionResponse>((done) =>
      w.engine.updateWithStart(TO, { ...w.startMessage(), update }, done),
    );
    await w.time.settle();
    expect(begun.done).toBe(false);
    await answer(w, worker.take('workflow'), message.accept('u'), message.respond('u'));
    expect(begun.value).toMatchObject({ start: { started: true }, update: { stage: Stage.COMPLETED } });
    const refused = await w.call<UpdateWithStartWorkflowExecutionResponse>((done) =>
      w.engine.updateWithStart(TO, { ...w.startMessage(), update: { ...update, updateId: 'v' } }, done),
    );
    expect(refused.error?.code).toBe(StatusCode.ALREADY_EXISTS);
    expect(w.engine.getStats().openUpdates).toBe(0);
  });
});

const goesOn = (w: World, task: Delivery, ...updates: string[]) => {
  const messages = updates.flatMap((id) => [message.accept(id), message.respond(id)]);
  const commands = [...places(...messages), command.continueAsNew()];
  return w.send('a', { ...w.completion(task, commands), messages } as Parameters<World['send']>[1]);
};

describe('an update that comes again', () => {
  it('after its run has gone on as another is told what it came to, not done again, if it says so', async () => {
    const { w, worker } = await idle();
    const first = await ask(w, 'u');
    await goesOn(w, worker.take('workflow'), 'u');
    expect(first.value).toMatchObject({ stage: Stage.COMPLETED });
    const told = plain(first.value);
    expect(plain((await ask(w, 'u', { repeated: true })).value)).toEqual(told);
    await w.restart();
    expect(plain((await ask(w, 'u', { repeated: true })).value)).toEqual(told);
    // Without a word it is a new one, of the run that goes on.
    const next = w.worker({ workflow: 2 });
    const fresh = ask(w, 'u');
    await w.time.settle();
    expect(updatesOf(next.take('workflow'))).toEqual(['u']);
    expect((await fresh).done).toBe(false);
    // The run that goes on knows one of that id: so a repeat is of that one.
    const joined = await ask(w, 'u', { repeated: true });
    expect(joined.done).toBe(false);
  });

  it('is done once, though the first try never arrived', async () => {
    const { w, worker } = await idle();
    const asked = await ask(w, 'u', { repeated: true });
    expect(updatesOf(worker.take('workflow'))).toEqual(['u']);
    expect(asked.done).toBe(false);
  });
});

describe('an update with start that comes again', () => {
  const start = (w: World, message: StartMessage) =>
    w.begin<UpdateWithStartWorkflowExecutionResponse>((done) =>
      w.engine.updateWithStart(TO, message as UpdateWithStartMessage, done),
    );

  it.each(['after its update was done', 'before'] as const)(
    '%s, when its run has gone on as another, is done once all the same',
    async (when) => {
      const disk = new MemoryDisk();
      const w = await new World(() => openMemoryStore({ disk, shardCount: 4 })).open();
      const worker = w.worker({ workflow: 1 });
      const { type: _type, target: _target, ...update } = updateMessage('u');
      const asked = { ...w.startMessage(), update };
      const begun = start(w, asked);
      await w.time.settle();
      const task = worker.take('workflow');
      const isDone = when === 'after its update was done';
      await goesOn(w, task, ...(isDone ? ['u'] : []));
      // The start is durable, whatever becomes of the update.
      if (isDone) expect(begun.value).toMatchObject({ update: { stage: Stage.COMPLETED } });
      else expect(begun.error?.detail).toEqual({ kind: 'Unavailable', applied: 'maybe' });
      worker.credit.workflow = 1;
      const again = start(w, asked);
      await w.time.settle();
      if (!isDone) {
        expect(again.done).toBe(false);
        await answer(w, worker.take('workflow'), message.accept('u'), message.respond('u'));
      }
      expect(again.value).toMatchObject({
        start: { started: true, runId: asked.runId },
        update: { stage: Stage.COMPLETED },
      });
      expect(again.value?.update.runId === asked.runId).toBe(isDone);
    },
  );

  it('is not told what an update of that id came to in a chain before', async () => {
    const { w, worker } = await idle();
    await ask(w, 'u');
    await goesOn(w, worker.take('workflow'), 'u');
    await w.send('a', { type: 'terminate', target: {}, identity: 'client', requestId: 't' });
    const { type: _type, target: _target, ...update } = updateMessage('u');
    const asked = { ...w.startMessage(), update };
    await w.time.advance(1);
    start(w, asked);
    await w.time.settle();
    // The start is durable, the update was in memory.
    await w.restart();
    const next = w.worker({ workflow: 1 });
    const again = start(w, asked);
    await w.time.settle();
    expect(again.done).toBe(false);
    await answer(w, next.take('workflow'), message.accept('u'), message.respond('u'));
    expect(again.value?.update.runId).toBe(asked.runId);
  });
});
