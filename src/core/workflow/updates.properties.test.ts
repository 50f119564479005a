// Random lives of a workflow that takes updates, with crashes at any moment: an acknowledged update is in the history exactly once, a rejected one
// never (I5); each caller is answered once; rows are the state and the fold of the history (I4).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../wire/command.ts';
import {
  EventType,
  UpdateWorkflowExecutionLifecycleStage as Stage,
  type WorkflowIdConflictPolicy,
} from '../../wire/enums.ts';
import type { ProtocolMessage } from '../../wire/protocol-message.ts';
import { foldEvents } from './fold.ts';
import type { Limits } from './limits.ts';
import type { Message } from './message.ts';
import type { Outcome } from './outcome.ts';
import { isPassivatable, startedTask, startedTasks, waitingOffers } from './state.ts';
import { command, message, places, WORKER, World } from './testing.ts';

type Step =
  | { do: 'update' | 'poll'; id: number; accepted: boolean }
  | { do: 'withStart'; id: number }
  | { do: 'take' | 'keep' | 'undo' | 'fail' | 'signal' | 'leave' | 'crash' | 'terminate' | 'resend' }
  | { do: 'complete'; how: number[]; closing: number; sticky: boolean; silent: boolean }
  | { do: 'pass'; ms: number };

const id = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom('update' as const, 'poll' as const), id, accepted: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('withStart' as const), id }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('complete' as const),
      how: fc.array(fc.nat(3), { minLength: 6, maxLength: 6 }),
      closing: fc.nat(11),
      sticky: fc.boolean(),
      silent: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'keep' as const,
        'undo' as const,
        'fail' as const,
        'signal' as const,
        'leave' as const,
        'crash' as const,
        'resend' as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('terminate' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 1_000, 10_000) }) },
);

const limits: fc.Arbitrary<Partial<Limits>> = fc.constantFrom(
  {},
  { updatesInFlight: 2 },
  { updatesPerRun: 3 },
  { updateCalls: 2, bufferedEvents: 1 },
);

interface Call {
  updateId: string;
  until: 'accepted' | 'completed';
  answers: number;
}

/** A world, its clients and its worker. */
class Life {
  readonly world: World;
  readonly calls = new Map<string, Call>();
  /** By run and update: somebody was told that it is accepted, or completed with what its handler said. */
  readonly acknowledged = new Set<string>();
  /** Somebody was told that it is rejected, when it was in no history. */
  readonly rejected: string[] = [];
  #n = 0;
  #held: { ref: { runId: string }; updates: string[] } | undefined;

  constructor(bounds: Partial<Limits>) {
    this.world = new World(bounds);
    this.send(this.world.startMessage({ requestId: 'start' }));
  }

  play(next: Step): void {
    const { world } = this;
    this.#n += 1;
    const task = startedTasks(world.state)[0];
    switch (next.do) {
      case 'update':
      case 'poll':
        this.#ask(next.do, `u${next.id}`, next.accepted ? 'accepted' : 'completed');
        return;
      case 'withStart': {
        const callId = `call-${this.#n}`;
        const updateId = `u${next.id}`;
        this.calls.set(callId, { updateId, until: 'completed', answers: 0 });
        const update = { callId, until: 'completed', updateId, updateName: 'add', identity: 'client' } as const;
        const conflictPolicy = (1 + (this.#n % 3)) as WorkflowIdConflictPolicy;
        this.send(world.startMessage({ runId: `run-${this.#n}`, requestId: `s${this.#n}`, conflictPolicy, update }));
        return;
      }
      case 'take': {
        const [offer] = waitingOffers(world.state);
        if (offer === undefined) return;
        const { runId, scheduledEventId, attempt } = offer;
        const taker = world.taker();
        const decision = this.send({
          type: 'startWorkflowTask',
          runId,
          scheduledEventId,
          attempt,
          taker,
          sticky: false,
        });
        if (decision?.reply.type !== 'workflowTaskStarted') return;
        const updates = decision.reply.task.messages?.map(({ protocolInstanceId }) => protocolInstanceId) ?? [];
        this.#held = { ref: decision.reply.ref, updates };
        return;
      }
      case 'keep': {
        const { run } = world.state;
        if (run?.speculative === undefined) return;
        this.send({ type: 'keepTask', runId: run.runId, scheduledEventId: run.speculative.scheduledEventId });
        return;
      }
      case 'undo':
        if (task !== undefined) this.send({ type: 'undoStart', ...task });
        return;
      case 'fail':
        if (task !== undefined) this.send({ type: 'failWorkflowTask', task, identity: WORKER, cause: 14 });
        return;
      case 'signal':
        this.send(world.signalMessage(`s${this.#n}`));
        return;
      case 'leave': {
        const [callId] = [...this.calls].find(([, { answers }]) => answers === 0) ?? [];
        if (callId === undefined) return;
        this.calls.delete(callId);
        this.send({ type: 'updateAbandoned', callId });
        return;
      }
      case 'resend':
        if (task !== undefined) {
          const again = startedTask(world.state, task.kind, task.runId, task.scheduledEventId, task.session);
          expect(again?.type).toBe('workflowTaskStarted');
        }
        return;
      case 'crash':
        // Whoever waited is told to ask again.
        for (const [callId, { answers }] of this.calls) if (answers === 0) this.calls.delete(callId);
        world.reload();
        return;
      case 'terminate':
        this.send({ type: 'terminate', target: {}, identity: 'client', requestId: `t${this.#n}` });
        return;
      case 'pass':
        world.now += next.ms;
        this.send({ type: 'timer' });
        return;
      case 'complete':
        if (task !== undefined) this.#complete(task, next);
    }
  }

  #ask(type: 'update' | 'poll', updateId: string, until: Call['until']): void {
    const callId = `call-${this.#n}`;
    this.calls.set(callId, { updateId, until, answers: 0 });
    if (type === 'poll') this.send({ type: 'pollUpdate', callId, until, target: {}, updateId });
    else this.send(this.world.updateMessage(updateId, { callId, until }));
  }

  /** What a worker says of the updates it was sent, and of those that run. */
  #complete(task: Parameters<World['completeMessage']>[0], next: Extract<Step, { do: 'complete' }>): void {
    const { world } = this;
    const messages: ProtocolMessage[] = [];
    const sent = this.#held?.ref.runId === task.runId ? this.#held.updates : [];
    for (const updateId of next.silent ? [] : sent) {
      const how = next.how[Number(updateId.slice(1))] ?? 0;
      if (how === 0) messages.push(message.reject(updateId));
      else messages.push(message.accept(updateId, { meta: { updateId, identity: 'client' }, input: { name: 'add' } }));
      if (how === 2) messages.push(message.respond(updateId));
    }
    for (const row of world.state.run?.updates?.values() ?? []) {
      if (row.completedEventId !== undefined) continue;
      if (next.how[Number(row.updateId.slice(1))] === 3) messages.push(message.respond(row.updateId));
    }
    const placed = messages.filter(({ id: name }) => !name.endsWith('/reject'));
    const commands: Command[] = [...places(...placed)];
    if (next.closing === 0) commands.push(command.complete('done'));
    if (next.closing === 1) commands.push(command.continueAsNew());
    if (next.closing === 2) commands.push(command.timer(`t${this.#n}`, 500));
    this.send(world.completeMessage(task, commands, { messages, sticky: next.sticky }));
  }

  send(sent: Message): Outcome | undefined {
    const decision = this.world.send(sent);
    const callId = 'callId' in sent ? sent.callId : sent.type === 'start' ? sent.update?.callId : undefined;
    if (!decision.ok) {
      if (callId !== undefined) this.calls.delete(callId);
      return undefined;
    }
    for (const effect of decision.effects) {
      if (effect.type !== 'answerUpdate') continue;
      const call = this.calls.get(effect.callId);
      if (call === undefined) continue;
      call.answers += 1;
      expect(call.answers, 'each call is answered once').toBe(1);
      this.#answered(call, effect.answer);
    }
    this.check();
    return decision;
  }

  #answered(call: Call, answer: Extract<Outcome['effects'][number], { type: 'answerUpdate' }>['answer']): void {
    if ('rejection' in answer) return;
    const { runId, updateId } = 'outcomeAt' in answer ? answer : answer.response;
    expect(updateId).toBe(call.updateId);
    const known = `${runId} ${updateId}`;
    if ('outcomeAt' in answer) this.acknowledged.add(known);
    else if (answer.response.stage === Stage.ACCEPTED) this.acknowledged.add(known);
    else {
      const type = answer.response.outcome?.failure?.applicationFailureInfo?.type;
      if (type === 'Boom' || type === 'UnprocessedUpdate') {
        expect(eventsOf(this.world, runId, updateId), `${known} was rejected`).toEqual([]);
      } else this.acknowledged.add(known);
    }
    if (call.until === 'completed' && 'response' in answer) expect(answer.response.stage).toBe(Stage.COMPLETED);
  }

  check(): void {
    const { world } = this;
    const { run } = world.state;
    const rebuilt = world.rebuilt().run;
    expect([...(rebuilt?.updates ?? [])]).toEqual([...(run?.updates ?? [])]);
    expect(rebuilt?.row).toEqual(run?.row);
    if (run !== undefined) {
      const folded = foldEvents(run.runId, world.history(run.runId)).updates;
      expect([...folded]).toEqual([...(run.updates ?? [])]);
    }
    for (const [runId, events] of world.histories) {
      const ids = events.map(({ eventId }) => eventId);
      expect(ids, runId).toEqual(ids.map((_, i) => i + 1));
    }
  }

  end(): void {
    for (const known of this.acknowledged) {
      const [runId = '', updateId = ''] = known.split(' ');
      const types = eventsOf(this.world, runId, updateId);
      expect(types[0], known).toBe(EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED);
    }
    for (const runId of this.world.histories.keys()) {
      for (let n = 0; n < 6; n += 1) {
        const types = eventsOf(this.world, runId, `u${n}`);
        expect([0, 1, 2]).toContain(types.length);
        expect(new Set(types).size, `u${n} of ${runId}`).toBe(types.length);
      }
    }
    // Nobody waits, no task runs: nothing is left in memory.
    for (const [callId, { answers }] of this.calls) if (answers === 0) this.send({ type: 'updateAbandoned', callId });
    this.send({ type: 'terminate', target: {}, identity: 'client', requestId: 'the end' });
    expect(isPassivatable(this.world.state)).toBe(true);
  }
}

/** Types of the events that an update has, in order. */
const eventsOf = (world: World, runId: string, updateId: string): number[] =>
  (world.histories.get(runId) ?? []).flatMap((event) => {
    if (event.eventType === EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
      return event.attributes.protocolInstanceId === updateId ? [event.eventType] : [];
    if (event.eventType === EventType.WORKFLOW_EXECUTION_UPDATE_COMPLETED)
      return event.attributes.meta?.updateId === updateId ? [event.eventType] : [];
    return [];
  });

describe('over random lives', { timeout: 60_000 }, () => {
  it('an acknowledged update is there exactly once, a rejected one never, and each caller is answered once', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), limits, (steps, bounds) => {
        const life = new Life(bounds);
        for (const next of steps) life.play(next);
        life.end();
      }),
      { numRuns: 500 },
    );
  });
});
