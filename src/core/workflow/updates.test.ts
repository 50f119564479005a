// Updates: what each stage writes and whom it answers, the speculative task, bounds, repeats, and what becomes of them when a run ends.
import { describe, expect, it } from 'vitest';
import type { Command } from '../../wire/command.ts';
import {
  UpdateWorkflowExecutionLifecycleStage as Stage,
  WorkflowExecutionStatus,
  WorkflowIdConflictPolicy,
} from '../../wire/enums.ts';
import { MessageType, type ProtocolMessage } from '../../wire/protocol-message.ts';
import { StatusCode } from '../../wire/status.ts';
import type { Limits } from './limits.ts';
import type { Outcome, StartedWorkflowTask } from './outcome.ts';
import { UPDATE_CUT_OFF } from './rejections.ts';
import { isPassivatable } from './state.ts';
import { applicationFailure, command, message, payloads, places, SESSION, World } from './testing.ts';

const FIRST_TASK = [
  'WORKFLOW_EXECUTION_STARTED',
  'WORKFLOW_TASK_SCHEDULED',
  'WORKFLOW_TASK_STARTED',
  'WORKFLOW_TASK_COMPLETED',
];
const TASK = ['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_COMPLETED'];
const ACCEPTED = 'WORKFLOW_EXECUTION_UPDATE_ACCEPTED';
const COMPLETED = 'WORKFLOW_EXECUTION_UPDATE_COMPLETED';

const idle = (limits: Partial<Limits> = {}) => {
  const world = new World(limits);
  world.start();
  world.accept(world.completeMessage(world.takeWorkflowTask().ref, [], { sticky: true }));
  return world;
};

function answer(world: World, task: StartedWorkflowTask, messages: ProtocolMessage[], commands: Command[] = []) {
  const placed = messages.filter(({ id }) => !id.endsWith('/reject'));
  return world.send(world.completeMessage(task.ref, [...places(...placed), ...commands], { messages, sticky: true }));
}

/** Takes the task that carries the updates and answers it. */
const work = (world: World, messages: ProtocolMessage[], commands: Command[] = []) =>
  answer(world, world.takeWorkflowTask(), messages, commands);

const answers = ({ effects }: World) =>
  effects.flatMap((effect) => (effect.type === 'answerUpdate' ? [[effect.callId, effect.answer]] : []));

const outcomeOf = (decision: ReturnType<World['send']>): Outcome => {
  if (!decision.ok) throw new Error(decision.status.message);
  return decision;
};

const run = (world: World) => world.state.chain?.currentRunId ?? '';

describe('an update of an idle workflow', () => {
  it('gets a speculative task: no row, no event, until it is accepted', () => {
    const world = idle();
    expect(outcomeOf(world.update('u'))).toMatchObject({ rows: [], events: [] });
    expect(world.effects).toEqual([
      { type: 'offerTask', offer: expect.objectContaining({ scheduledEventId: 5, speculative: true }) },
    ]);
    const started = world.takeWorkflowTask();
    expect(started).toMatchObject({
      speculative: true,
      lastEventId: 4,
      task: {
        startedEventId: 6,
        previousStartedEventId: 3,
        messages: [
          {
            id: 'u/request',
            protocolInstanceId: 'u',
            eventId: 5,
            body: {
              value: { meta: { updateId: 'u', identity: 'client' }, input: { name: 'add', args: payloads('u') } },
            },
          },
        ],
      },
    });
    expect(started.transientEvents.map(({ eventId }) => eventId)).toEqual([5, 6]);
    expect(world.types()).toEqual(FIRST_TASK);
    expect(isPassivatable(world.state)).toBe(false);

    answer(world, started, [message.accept('u'), message.respond('u')]);
    expect(world.types()).toEqual([...FIRST_TASK, ...TASK, ACCEPTED, COMPLETED]);
    expect(world.history().at(-1)?.attributes).toEqual({
      meta: { updateId: 'u', identity: 'client' },
      acceptedEventId: 8,
      outcome: { success: payloads('ok') },
    });
    const response = { runId: run(world), updateId: 'u', stage: Stage.COMPLETED, outcome: { success: payloads('ok') } };
    expect(answers(world)).toEqual([['call-u', { response }]]);
    expect(isPassivatable(world.state)).toBe(true);
  });

  it('that is rejected leaves nothing, and its worker goes back to the task before', () => {
    const world = idle();
    world.update('u');
    const decision = outcomeOf(work(world, [message.reject('u')]));
    expect(decision).toMatchObject({ rows: [], events: [], reply: { type: 'accepted', resetHistoryEventId: 3 } });
    expect(answers(world)).toEqual([
      [
        'call-u',
        {
          response: {
            runId: run(world),
            updateId: 'u',
            stage: Stage.COMPLETED,
            outcome: { failure: applicationFailure('no') },
          },
        },
      ],
    ]);
    expect(isPassivatable(world.state)).toBe(true);
    world.update('u');
    work(world, [message.accept('u')]);
    expect(world.types()).toEqual([...FIRST_TASK, ...TASK, ACCEPTED]);
  });

  it('rejected beside a command keeps the task', () => {
    const world = idle();
    world.update('u');
    work(world, [message.reject('u')], [command.timer('t', 1_000)]);
    expect(world.types()).toEqual([...FIRST_TASK, ...TASK, 'TIMER_STARTED']);
  });

  it('whose worker would see many events again keeps the task', () => {
    const world = new World();
    world.start();
    world.work(...Array.from({ length: 11 }, (_, i) => command.marker(`m${i}`)));
    world.update('u');
    work(world, [message.reject('u')]);
    expect(world.types().slice(-3)).toEqual(TASK);
  });

  it('that the worker says nothing of is rejected: it does not know updates', () => {
    const world = idle();
    world.update('u');
    work(world, []);
    expect(answers(world)[0]?.[1]).toMatchObject({
      response: { outcome: { failure: { applicationFailureInfo: { type: 'UnprocessedUpdate', nonRetryable: true } } } },
    });
    expect(world.types()).toEqual(FIRST_TASK);
  });

  it('waits for a worker that says it is at work, and is sent again to one that has not got it', () => {
    for (const sticky of [true, false]) {
      const world = idle();
      world.update('u');
      const { ref } = world.takeWorkflowTask();
      world.accept(world.completeMessage(ref, [], { forceCreateNewWorkflowTask: true, sticky }));
      expect(answers(world)).toEqual([]);
      const again = world.takeWorkflowTask();
      expect(again.task.messages ?? []).toHaveLength(sticky ? 0 : 1);
      answer(world, again, [message.accept('u'), message.respond('u')]);
      expect(answers(world)).toMatchObject([['call-u', { response: { stage: Stage.COMPLETED } }]]);
    }
  });

  it('whose task nobody takes is offered as one with events, after the time for which it may be in memory', () => {
    const world = idle();
    world.update('u');
    world.pass(4_999);
    expect(world.types()).toEqual(FIRST_TASK);
    world.pass(1);
    expect(world.types()).toEqual([
      ...FIRST_TASK,
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_TIMED_OUT',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    expect(world.takeWorkflowTask().task.messages).toHaveLength(1);
  });

  it('whose task waits gives it events as soon as something else happens, before that', () => {
    const world = idle();
    world.update('u');
    world.signal('s');
    expect(world.types()).toEqual([...FIRST_TASK, 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_EXECUTION_SIGNALED']);
    expect(world.effects.filter(({ type }) => type === 'offerTask')).toHaveLength(1);
    expect(world.takeWorkflowTask().task.messages).toHaveLength(1);
  });

  it('that nobody waits for takes its task with it, and what was to ride on that goes by itself', () => {
    const world = idle();
    world.update('u');
    world.send({ type: 'query', queryId: 'q', target: {}, queryType: 'state' });
    world.accept({ type: 'updateAbandoned', callId: 'call-u' });
    expect(world.state.run?.speculative).toBeUndefined();
    expect(world.effects.map(({ type }) => type)).toEqual(['withdrawTask', 'dispatchQuery']);
    expect(world.types()).toEqual(FIRST_TASK);
  });

  it('waits in a row, with a Scheduled event, where there is no room in memory', () => {
    const world = idle();
    world.update('u');
    world.accept({ type: 'keepTask', runId: run(world), scheduledEventId: 5 });
    expect(world.types()).toEqual([...FIRST_TASK, 'WORKFLOW_TASK_SCHEDULED']);
    expect(world.state.run?.speculative).toBeUndefined();
    expect(world.takeWorkflowTask().task.messages).toHaveLength(1);
    expect(world.types().slice(-1)).toEqual(['WORKFLOW_TASK_STARTED']);
  });

  it('goes with the task that waits already, or comes next', () => {
    const world = idle();
    world.signal('s');
    world.update('waiting');
    const started = world.takeWorkflowTask();
    expect(started.task.messages?.map(({ protocolInstanceId }) => protocolInstanceId)).toEqual(['waiting']);
    world.update('late');
    expect(world.effects).toEqual([]);
    answer(world, started, [message.accept('waiting')]);
    expect(world.takeWorkflowTask().task.messages?.map(({ protocolInstanceId }) => protocolInstanceId)).toEqual([
      'late',
    ]);
  });
});

describe('while a speculative task runs', () => {
  const running = () => {
    const world = idle();
    world.update('u');
    return { world, started: world.takeWorkflowTask() };
  };

  it('a signal gives it the events it was promised, and its session a task to resume', () => {
    const { world, started } = running();
    world.signal('s');
    expect(world.types()).toEqual([...FIRST_TASK, 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED']);
    expect(world.effects).toContainEqual({
      type: 'taskKept',
      session: SESSION,
      kind: 'workflow',
      runId: run(world),
      scheduledEventId: 5,
    });
    world.reload();
    answer(world, started, [message.reject('u')]);
    expect(world.types()).toEqual([...FIRST_TASK, ...TASK, 'WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_TASK_SCHEDULED']);
  });

  it('a crash loses both; the client asks again', () => {
    const { world, started } = running();
    world.reload();
    expect(answer(world, started, [message.accept('u')])).toMatchObject({ ok: false });
    expect(world.types()).toEqual(FIRST_TASK);
    world.update('u');
    work(world, [message.accept('u'), message.respond('u')]);
    expect(world.types()).toEqual([...FIRST_TASK, ...TASK, ACCEPTED, COMPLETED]);
  });

  it('its worker may fail it, or stay silent: then it has events and the update goes with the next', () => {
    for (const [how, event] of [
      ['fail', 'WORKFLOW_TASK_FAILED'],
      ['time out', 'WORKFLOW_TASK_TIMED_OUT'],
    ] as const) {
      const { world, started } = running();
      if (how === 'fail') world.failTask(started.ref);
      else world.pass(10_000);
      expect(world.types()).toEqual([...FIRST_TASK, ...TASK.slice(0, 2), event, 'WORKFLOW_TASK_SCHEDULED']);
      const again = world.takeWorkflowTask().task.messages;
      expect(again?.map(({ protocolInstanceId }) => protocolInstanceId)).toEqual(['u']);
    }
  });

  it('an answer that cannot be read makes it forgotten, and whoever waits for its update is told to send it again', () => {
    for (const [messages, commands] of [
      [[{ ...message.accept('u'), body: { type: '' } }], []],
      [[], [command.complete(), command.timer('t', 1)]],
    ] as const) {
      const { world, started } = running();
      const refused = { refusal: { code: StatusCode.INVALID_ARGUMENT } };
      expect(answer(world, started, [...messages], [...commands])).toMatchObject(refused);
      expect(answers(world)).toEqual([
        ['call-u', { rejection: expect.objectContaining({ code: StatusCode.UNAVAILABLE }) }],
      ]);
      expect(world.types()).toEqual(FIRST_TASK);
      expect(isPassivatable(world.state)).toBe(true);
      expect(answer(world, started, [message.accept('u')])).toMatchObject({ ok: false });
      world.update('u');
      work(world, [message.accept('u'), message.respond('u')]);
      expect(world.types()).toEqual([...FIRST_TASK, ...TASK, ACCEPTED, COMPLETED]);
    }
  });

  it('its frame may never be written: it waits like any other', () => {
    const { world, started } = running();
    world.accept({ type: 'undoStart', kind: 'workflow', ...started.ref });
    expect(world.types()).toEqual([...FIRST_TASK, 'WORKFLOW_TASK_SCHEDULED']);
    expect(world.takeWorkflowTask().task.messages).toHaveLength(1);
  });

  it('termination fails it, and the update is told that the workflow has closed', () => {
    const { world } = running();
    world.terminate();
    expect(world.types()).toEqual([
      ...FIRST_TASK,
      ...TASK.slice(0, 2),
      'WORKFLOW_TASK_FAILED',
      'WORKFLOW_EXECUTION_TERMINATED',
    ]);
    expect(answers(world)).toEqual([
      ['call-u', { rejection: expect.objectContaining({ code: StatusCode.NOT_FOUND }) }],
    ]);
  });
});

describe('an update before the first task', () => {
  it('waits for it and rides on it', () => {
    const world = new World();
    world.start();
    world.update('u');
    expect(world.effects).toEqual([]);
    work(world, [message.accept('u'), message.respond('u')]);
    expect(world.types()).toEqual([...FIRST_TASK, ACCEPTED, COMPLETED]);
  });

  it('cuts a start delay', () => {
    const world = new World();
    world.start({ workflowStartDelay: 60_000 });
    world.update('u');
    expect(world.types()).toEqual(['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED']);
    work(world, [message.reject('u')]);
    expect(world.types()).toEqual(FIRST_TASK);
  });
});

describe('the same update again', () => {
  it('is one update, however many wait for it and for what', () => {
    const world = idle();
    world.update('u');
    world.update('u', { callId: 'accepted', until: 'accepted' });
    const started = world.takeWorkflowTask();
    expect(started.task.messages).toHaveLength(1);
    answer(world, started, [message.accept('u')]);
    const accepted = { runId: run(world), updateId: 'u', stage: Stage.ACCEPTED };
    expect(answers(world)).toEqual([['accepted', { response: accepted }]]);

    world.update('u', { callId: 'late', until: 'accepted' });
    expect(answers(world)).toEqual([['late', { response: accepted }]]);
    world.reload();
    world.update('u', { callId: 'after the crash' });
    expect(answers(world)).toEqual([]);
    world.signal('s');
    work(world, [message.respond('u')]);
    expect(answers(world).map(([callId]) => callId)).toEqual(['after the crash']);
    expect(world.types().filter((type) => type === ACCEPTED)).toHaveLength(1);
  });

  it('once it is completed is answered from its event, also after the close', () => {
    const world = idle();
    world.update('u');
    work(world, [message.accept('u'), message.respond('u')]);
    const known = { outcomeAt: 9, runId: run(world), updateId: 'u' };
    world.update('u', { callId: 'again' });
    expect(answers(world)).toEqual([['again', known]]);
    world.terminate();
    world.reload();
    world.update('u', { callId: 'later' });
    expect(answers(world)).toEqual([['later', known]]);
    world.accept({ type: 'pollUpdate', callId: 'poll', until: 'completed', target: {}, updateId: 'u' });
    expect(answers(world)).toEqual([['poll', known]]);
  });

  it('of a worker that answers for a crashed node is accepted with the request it carries', () => {
    const world = new World();
    world.start();
    world.update('u');
    const started = world.takeWorkflowTask();
    world.reload();
    const request = { meta: { updateId: 'u', identity: 'client' }, input: { name: 'add' } };
    answer(world, started, [message.accept('u', request), message.respond('u')]);
    expect(world.types()).toEqual([...FIRST_TASK, ACCEPTED, COMPLETED]);
    world.update('u');
    expect(answers(world)).toEqual([['call-u', { outcomeAt: 6, runId: run(world), updateId: 'u' }]]);
  });
});

describe('a poll', () => {
  const poll = (world: World, until: 'now' | 'accepted' | 'completed') =>
    world.send({ type: 'pollUpdate', callId: `poll-${until}`, until, target: {}, updateId: 'u' });

  it('finds nothing of an update that nobody sent, or that is as if it had not been', () => {
    const world = idle();
    expect(poll(world, 'now')).toMatchObject({ ok: false, status: { code: StatusCode.NOT_FOUND } });
    world.update('u');
    work(world, [message.reject('u')]);
    expect(poll(world, 'completed')).toMatchObject({ ok: false, status: { message: 'update "u" not found' } });
  });

  it('says at once how far it has come, or waits', () => {
    const world = idle();
    world.update('u');
    poll(world, 'now');
    expect(answers(world)).toEqual([
      ['poll-now', { response: { runId: run(world), updateId: 'u', stage: Stage.ADMITTED } }],
    ]);
    poll(world, 'accepted');
    expect(answers(world)).toEqual([]);
    work(world, [message.accept('u')]);
    expect(answers(world).map(([callId]) => callId)).toEqual(['poll-accepted']);
  });
});

describe('a caller that goes away', () => {
  it('takes an update along that no worker has seen: nothing pins the workflow', () => {
    const world = idle();
    world.signal('s');
    world.update('u');
    world.accept({ type: 'updateAbandoned', callId: 'call-u' });
    expect(isPassivatable(world.state)).toBe(true);
    expect(world.takeWorkflowTask().task.messages).toBeUndefined();
  });

  it('leaves one that a worker has', () => {
    const world = idle();
    world.update('u');
    const started = world.takeWorkflowTask();
    world.accept({ type: 'updateAbandoned', callId: 'call-u' });
    answer(world, started, [message.accept('u')]);
    expect(world.types()).toEqual([...FIRST_TASK, ...TASK, ACCEPTED]);
    expect(answers(world)).toEqual([]);
  });
});

describe('bounds', () => {
  it('so many in flight, accepted ones too', () => {
    const world = idle({ updatesInFlight: 2 });
    world.update('a');
    work(world, [message.accept('a')]);
    world.update('b');
    expect(world.update('c')).toMatchObject({
      ok: false,
      status: { code: StatusCode.RESOURCE_EXHAUSTED, detail: { cause: 'UpdatesInFlight' } },
    });
    expect(world.update('b', { callId: 'again' }).ok).toBe(true);
    work(world, [message.respond('a'), message.reject('b')]);
    expect(world.update('c').ok).toBe(true);
  });

  it('so many in all; from nine tenths on the worker is told to continue as new', () => {
    const world = idle({ updatesPerRun: 2 });
    for (const id of ['a', 'b']) {
      world.update(id);
      work(world, [message.accept(id), message.respond(id)]);
    }
    expect(world.update('c')).toMatchObject({ ok: false, status: { code: StatusCode.FAILED_PRECONDITION } });
    expect(world.update('a').ok).toBe(true);
    world.signal('s');
    world.takeWorkflowTask();
    expect(world.last().attributes).toMatchObject({ suggestContinueAsNew: true });
  });

  it('so many bytes that are not accepted, so many callers, and no request too large', () => {
    const world = idle({ updatesInFlightBytes: 350, updateRequestBytes: 300, updateCalls: 2 });
    expect(world.update('u', { args: payloads('x'.repeat(300)) })).toMatchObject({
      ok: false,
      status: { code: StatusCode.INVALID_ARGUMENT },
    });
    world.update('a', { args: payloads('x'.repeat(100)) });
    expect(world.update('b', { args: payloads('x'.repeat(150)) })).toMatchObject({
      ok: false,
      status: { code: StatusCode.RESOURCE_EXHAUSTED },
    });
    expect(world.update('a', { callId: 'second' }).ok).toBe(true);
    expect(world.update('a', { callId: 'third' })).toMatchObject({
      ok: false,
      status: { detail: { cause: 'UpdateCalls' } },
    });
  });

  it('a workflow whose task keeps failing takes none', () => {
    const world = new World();
    world.start();
    for (let i = 0; i < 2; i += 1) world.failTask(world.takeWorkflowTask().ref);
    expect(world.update('u')).toMatchObject({ ok: false, status: { code: StatusCode.FAILED_PRECONDITION } });
  });
});

describe('a worker that breaks the protocol fails its task', () => {
  const table: [name: string, ProtocolMessage[], Command[]?][] = [
    ['completes what it has not accepted', [message.respond('u')]],
    ['accepts twice', [message.accept('u'), { ...message.accept('u'), id: 'again' }]],
    ['completes twice', [message.accept('u'), message.respond('u'), { ...message.respond('u'), id: 'again' }]],
    ['rejects what it has accepted', [message.accept('u'), message.reject('u')]],
    ['accepts what nobody knows', [message.accept('ghost')]],
    ['names no update', [{ ...message.accept('u'), protocolInstanceId: '' }]],
    ['refers to a message that is not there', [], places(message.accept('u'))],
  ];
  it.each(table)('when it %s', (_name, messages, commands = []) => {
    const world = idle();
    world.update('u');
    const { ref } = world.takeWorkflowTask();
    const decision = outcomeOf(
      world.send(world.completeMessage(ref, [...places(...messages), ...commands], { messages })),
    );
    expect(decision.refusal?.code).toBe(StatusCode.INVALID_ARGUMENT);
    expect(world.types()).toEqual([
      ...FIRST_TASK,
      ...TASK.slice(0, 2),
      'WORKFLOW_TASK_FAILED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    work(world, [message.accept('u'), message.respond('u')]);
    expect(answers(world)).toHaveLength(1);
  });

  it('but a message needs no command, nor one its update’s name if the request says it', () => {
    const world = idle();
    world.update('u');
    const { ref, task } = world.takeWorkflowTask();
    const body = task.messages?.[0]?.body;
    const request = body?.type === MessageType.REQUEST ? body.value : undefined;
    const accept = { ...message.accept('u', request), protocolInstanceId: '' };
    world.accept(world.completeMessage(ref, [], { messages: [accept] }));
    expect(world.types()).toEqual([...FIRST_TASK, ...TASK, ACCEPTED]);
  });
});

describe('a run that ends', () => {
  it('is refused over an update it has not seen, as over a signal: continue-as-new loses none', () => {
    for (const closing of [command.complete('done'), command.continueAsNew()]) {
      const world = idle();
      world.signal('s');
      const { ref } = world.takeWorkflowTask();
      world.update('u');
      const decision = outcomeOf(world.send(world.completeMessage(ref, [closing])));
      expect(decision.refusal?.message).toBe('UnhandledCommand');
      expect(world.takeWorkflowTask().task.messages).toHaveLength(1);
    }
  });

  it('is known as completed to those who wait for less, where one answer of the worker accepts and completes it', () => {
    const world = idle();
    world.update('u', { until: 'accepted' });
    work(world, [message.accept('u'), message.respond('u')]);
    const response = { runId: run(world), updateId: 'u', stage: Stage.COMPLETED, outcome: { success: payloads('ok') } };
    expect(answers(world)).toEqual([['call-u', { response }]]);
    expect(isPassivatable(world.state)).toBe(true);
  });

  it('tells those whose update no worker has accepted that the closing has cut it off', () => {
    const world = idle();
    world.update('u');
    world.terminate();
    const status = { code: StatusCode.NOT_FOUND, message: UPDATE_CUT_OFF, detail: { kind: 'NotFound' } };
    expect(answers(world)).toEqual([['call-u', { rejection: status }]]);
  });

  it.each<[string, Command]>([
    ['completes', command.complete()],
    ['fails', command.fail(applicationFailure('no'))],
    ['continues as new', command.continueAsNew()],
  ])('by the answer that accepts an update tells also those who only wait for that: it %s', (_, closing) => {
    const world = idle();
    world.update('u', { callId: 'accepted', until: 'accepted' });
    world.update('u', { callId: 'completed', until: 'completed' });
    work(world, [message.accept('u')], [closing]);
    const response = { stage: Stage.COMPLETED, outcome: { failure: { message: expect.any(String) as string } } };
    expect(answers(world)).toMatchObject([
      ['accepted', { response }],
      ['completed', { response }],
    ]);
  });

  it('gives an update that it accepted and did not complete a failure, to those who wait and who come later', () => {
    const world = idle();
    world.update('u');
    work(world, [message.accept('u')], [command.complete('done')]);
    expect(world.types().slice(-2)).toEqual([ACCEPTED, 'WORKFLOW_EXECUTION_COMPLETED']);
    const failure = expect.objectContaining({
      source: 'Server',
      applicationFailureInfo: { type: 'AcceptedUpdateCompletedWorkflow', nonRetryable: true },
    });
    const response = { runId: run(world), updateId: 'u', stage: Stage.COMPLETED, outcome: { failure } };
    expect(answers(world)).toEqual([['call-u', { response }]]);
    world.update('u', { callId: 'later' });
    expect(answers(world)).toEqual([['later', { response }]]);
  });

  it('refuses new updates; where another goes on, those in memory are to be sent again', () => {
    const world = new World();
    world.start({ workflowRunTimeout: 5_000, retryPolicy: { maximumAttempts: 3 } });
    world.update('u');
    world.pass(5_000);
    expect(answers(world)).toEqual([
      ['call-u', { rejection: expect.objectContaining({ code: StatusCode.UNAVAILABLE }) }],
    ]);
    expect(world.update('u').ok).toBe(true);
    world.terminate();
    expect(world.update('v')).toMatchObject({ ok: false, status: { message: 'workflow execution already completed' } });
  });

  it('keeps its updates to itself: the next run may have the same id', () => {
    const world = idle();
    world.update('u');
    work(world, [message.accept('u'), message.respond('u')], [command.continueAsNew()]);
    world.pass(1_000);
    world.update('u');
    work(world, [message.accept('u')]);
    expect(world.types()).toEqual([...FIRST_TASK, ACCEPTED]);
  });
});

describe('an update with start', () => {
  const ask = { callId: 'call', until: 'completed', updateId: 'u', updateName: 'add', identity: 'client' } as const;
  const withStart = (world: World, conflictPolicy: WorkflowIdConflictPolicy, requestId = 'request') =>
    world.send(world.startMessage({ conflictPolicy, requestId, update: ask }));

  it('starts the workflow and rides on its first task', () => {
    const world = new World();
    expect(withStart(world, WorkflowIdConflictPolicy.FAIL)).toMatchObject({
      reply: { type: 'started', response: { started: true } },
    });
    work(world, [message.accept('u'), message.respond('u')]);
    expect(world.types()).toEqual([...FIRST_TASK, ACCEPTED, COMPLETED]);
    expect(answers(world)).toHaveLength(1);
  });

  it('meets a running workflow as the conflict policy says', () => {
    const running = idle();
    expect(withStart(running, WorkflowIdConflictPolicy.FAIL)).toMatchObject({
      ok: false,
      status: { code: StatusCode.ALREADY_EXISTS },
    });
    expect(withStart(running, WorkflowIdConflictPolicy.USE_EXISTING)).toMatchObject({
      reply: { response: { started: false } },
    });
    expect(running.takeWorkflowTask().task.messages).toHaveLength(1);
    const replaced = idle();
    withStart(replaced, WorkflowIdConflictPolicy.TERMINATE_EXISTING);
    expect(replaced.takeWorkflowTask().task.messages).toHaveLength(1);
  });

  it('ends no run that has it, and is answered with its outcome by one that is over', () => {
    const { TERMINATE_EXISTING } = WorkflowIdConflictPolicy;
    const world = new World();
    withStart(world, TERMINATE_EXISTING);
    const first = run(world);
    expect(withStart(world, TERMINATE_EXISTING, 'second')).toMatchObject({ reply: { response: { started: false } } });
    work(world, [message.accept('u')]);
    expect(withStart(world, TERMINATE_EXISTING, 'third')).toMatchObject({ reply: { response: { started: false } } });
    world.signal('s');
    work(world, [message.respond('u')], [command.complete()]);
    const before = world.state;
    expect(withStart(world, WorkflowIdConflictPolicy.FAIL, 'fourth')).toMatchObject({
      reply: { response: { runId: first, started: false, status: WorkflowExecutionStatus.COMPLETED } },
    });
    expect(answers(world).at(-1)).toMatchObject(['call', { outcomeAt: expect.any(Number) }]);
    expect([run(world), world.state.chain]).toEqual([first, before.chain]);
  });

  it('begins another run where the one that had accepted it ended without its outcome', () => {
    const world = new World();
    withStart(world, WorkflowIdConflictPolicy.FAIL);
    work(world, [message.accept('u')]);
    world.terminate();
    expect(withStart(world, WorkflowIdConflictPolicy.FAIL, 'another')).toMatchObject({
      reply: { response: { started: true } },
    });
  });

  it('starts nothing when the update is refused', () => {
    const world = new World({ updatesInFlight: 0 });
    expect(withStart(world, WorkflowIdConflictPolicy.FAIL)).toMatchObject({ ok: false });
    expect(world.state.chain).toBeUndefined();
  });

  it('sent again is the same start and the same update, whatever the policy', () => {
    const world = new World();
    withStart(world, WorkflowIdConflictPolicy.FAIL);
    expect(withStart(world, WorkflowIdConflictPolicy.FAIL)).toMatchObject({ reply: { response: { started: true } } });
    expect(withStart(world, WorkflowIdConflictPolicy.FAIL, 'another')).toMatchObject({
      reply: { response: { started: false } },
    });
    const started = world.takeWorkflowTask();
    expect(started.task.messages).toHaveLength(1);
    answer(world, started, [message.accept('u')]);
    world.reload();
    withStart(world, WorkflowIdConflictPolicy.FAIL);
    world.signal('s');
    work(world, [message.respond('u')]);
    expect(world.types().filter((type) => type === ACCEPTED)).toHaveLength(1);
  });
});
