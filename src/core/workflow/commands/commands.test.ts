// One completed workflow task after another, each with a command: the status the worker gets and the history that results, as
// recorded from the reference server.
import { describe, expect, it } from 'vitest';
import type { Command } from '../../../wire/command.ts';
import { WorkflowTaskFailedCause as Cause, CommandType, EventType } from '../../../wire/enums.ts';
import { StatusCode } from '../../../wire/status.ts';
import { LONGEST_MS } from '../durations.ts';
import { command, payloads, World } from '../testing.ts';

const HEAD = ['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED'];
const LONG_ID = 'x'.repeat(1_001);
const huge = { payloads: [{ data: new Uint8Array(2 * 1024 * 1024 + 1) }] };

/** Untyped, as a worker of any kind may send it. */
const raw = (commandType: number, attributes: object | null): Command =>
  ({ commandType, attributes }) as unknown as Command;

function answered(commands: Command[]) {
  const world = new World();
  world.start();
  const { ref } = world.takeWorkflowTask();
  const decision = world.send(world.completeMessage(ref, commands));
  return { world, decision, events: world.types().slice(HEAD.length) };
}

describe('a command without its attributes', () => {
  it.each(Object.entries(CommandType).filter(([name]) => name !== 'UNSPECIFIED'))(
    'of type %s fails the task by name',
    (name, commandType) => {
      const { decision, world } = answered([{ commandType } as unknown as Command]);
      const message = (decision.ok && decision.refusal?.message) || '';
      const letters = name.replaceAll('_', '').toLowerCase();
      expect(message.toLowerCase()).toMatch(
        new RegExp(`^bad[a-z]+: ${letters}commandattributes is not set on ${letters}command\\.$`),
      );
      expect(world.history().find(({ eventType }) => eventType === EventType.WORKFLOW_TASK_FAILED)).toBeDefined();
    },
  );
});

describe('a command that cannot be applied fails the task', () => {
  const activity = (over: object) =>
    raw(CommandType.SCHEDULE_ACTIVITY_TASK, { ...command.activity('a1').attributes, ...over });
  const timer = (over: object) => raw(CommandType.START_TIMER, { ...command.timer('t1', 1_000).attributes, ...over });
  const continueAsNew = (over: object) => raw(CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION, over);
  const child = (over: object) =>
    raw(CommandType.START_CHILD_WORKFLOW_EXECUTION, { ...command.child('c').attributes, ...over });
  const signalOther = (over: object) =>
    raw(CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, { ...command.signalOther('w', 's').attributes, ...over });
  const BAD_ACTIVITY = Cause.BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;
  const BAD_TIMER = Cause.BAD_START_TIMER_ATTRIBUTES;
  const BAD_CHILD = Cause.BAD_START_CHILD_EXECUTION_ATTRIBUTES;
  const BAD_SIGNAL = Cause.BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
  const BAD_CANCEL = Cause.BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
  it.each<[string, Command[], Cause]>([
    ['activity id missing', [activity({ activityId: '' })], BAD_ACTIVITY],
    ['activity id too long', [activity({ activityId: LONG_ID })], BAD_ACTIVITY],
    ['activity type missing', [activity({ activityType: undefined })], BAD_ACTIVITY],
    ['activity queue missing', [activity({ taskQueue: undefined })], BAD_ACTIVITY],
    ['activity queue reserved', [activity({ taskQueue: { name: '/_sys/x' } })], BAD_ACTIVITY],
    ['activity without a timeout', [activity({ startToCloseTimeout: undefined })], BAD_ACTIVITY],
    [
      'activity with schedule-to-start alone',
      [activity({ startToCloseTimeout: undefined, scheduleToStartTimeout: 1_000 })],
      BAD_ACTIVITY,
    ],
    ['negative timeout', [activity({ heartbeatTimeout: -1 })], BAD_ACTIVITY],
    ['bad retry policy', [activity({ retryPolicy: { maximumAttempts: -1 } })], BAD_ACTIVITY],
    ['bad priority', [activity({ priority: { priorityKey: -5 } })], BAD_ACTIVITY],
    ['activity attributes missing', [raw(CommandType.SCHEDULE_ACTIVITY_TASK, null)], BAD_ACTIVITY],
    [
      'the same activity id twice',
      [command.activity('a'), command.activity('a')],
      Cause.SCHEDULE_ACTIVITY_DUPLICATE_ID,
    ],
    ['timer id missing', [timer({ timerId: '' })], Cause.BAD_START_TIMER_ATTRIBUTES],
    ['timer id too long', [timer({ timerId: LONG_ID })], Cause.BAD_START_TIMER_ATTRIBUTES],
    ['negative timer', [timer({ startToFireTimeout: -1 })], Cause.BAD_START_TIMER_ATTRIBUTES],
    ['timer attributes missing', [raw(CommandType.START_TIMER, null)], Cause.BAD_START_TIMER_ATTRIBUTES],
    ['the same timer id twice', [command.timer('t', 1), command.timer('t', 1)], Cause.START_TIMER_DUPLICATE_ID],
    ['unknown timer cancelled', [command.cancelTimer('ghost')], Cause.BAD_CANCEL_TIMER_ATTRIBUTES],
    ['timer id to cancel missing', [command.cancelTimer('')], Cause.BAD_CANCEL_TIMER_ATTRIBUTES],
    ['unknown activity cancelled', [command.cancelActivity(99)], Cause.BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES],
    ['activity 0 cancelled', [command.cancelActivity(0)], Cause.BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES],
    [
      'completion attributes missing',
      [raw(CommandType.COMPLETE_WORKFLOW_EXECUTION, null)],
      Cause.BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES,
    ],
    ['failure missing', [raw(CommandType.FAIL_WORKFLOW_EXECUTION, {})], Cause.BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES],
    [
      'cancellation attributes missing',
      [raw(CommandType.CANCEL_WORKFLOW_EXECUTION, null)],
      Cause.BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES,
    ],
    [
      'continue as new: type too long',
      [continueAsNew({ workflowType: { name: LONG_ID } })],
      Cause.BAD_CONTINUE_AS_NEW_ATTRIBUTES,
    ],
    [
      'continue as new: negative timeout',
      [continueAsNew({ workflowRunTimeout: -1 })],
      Cause.BAD_CONTINUE_AS_NEW_ATTRIBUTES,
    ],
    [
      'continue as new: bad retry',
      [continueAsNew({ retryPolicy: { maximumAttempts: -1 } })],
      Cause.BAD_CONTINUE_AS_NEW_ATTRIBUTES,
    ],
    [
      'continue as new: attributes missing',
      [raw(CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION, null)],
      Cause.BAD_CONTINUE_AS_NEW_ATTRIBUTES,
    ],
    ['marker name missing', [command.marker('')], Cause.BAD_RECORD_MARKER_ATTRIBUTES],
    ['marker name too long', [command.marker(LONG_ID)], Cause.BAD_RECORD_MARKER_ATTRIBUTES],
    [
      'empty search attributes',
      [raw(CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, { searchAttributes: {} })],
      Cause.BAD_SEARCH_ATTRIBUTES,
    ],
    [
      'memo missing',
      [raw(CommandType.MODIFY_WORKFLOW_PROPERTIES, {})],
      Cause.BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES,
    ],
    ['child: workflow id missing', [child({ workflowId: '' })], BAD_CHILD],
    ['child: workflow id too long', [child({ workflowId: LONG_ID })], BAD_CHILD],
    ['child: type missing', [child({ workflowType: undefined })], BAD_CHILD],
    ['child: queue too long', [child({ taskQueue: { name: LONG_ID } })], BAD_CHILD],
    ['child: queue reserved', [child({ taskQueue: { name: '/_sys/x' } })], BAD_CHILD],
    ['child: negative run timeout', [child({ workflowRunTimeout: -1 })], BAD_CHILD],
    ['child: negative execution timeout', [child({ workflowExecutionTimeout: -1 })], BAD_CHILD],
    ['child: negative task timeout', [child({ workflowTaskTimeout: -1 })], BAD_CHILD],
    ['child: bad retry policy', [child({ retryPolicy: { backoffCoefficient: 0.2 } })], BAD_CHILD],
    ['child: bad priority', [child({ priority: { priorityKey: -1 } })], BAD_CHILD],
    ['child: cron that is none', [child({ cronSchedule: 'x' })], BAD_CHILD],
    ['child: attributes missing', [raw(CommandType.START_CHILD_WORKFLOW_EXECUTION, null)], BAD_CHILD],
    ['signal to another: execution missing', [signalOther({ execution: undefined })], BAD_SIGNAL],
    ['signal to another: workflow id missing', [signalOther({ execution: { workflowId: '' } })], BAD_SIGNAL],
    [
      'signal to another: run id malformed',
      [signalOther({ execution: { workflowId: 'w', runId: 'nope' } })],
      BAD_SIGNAL,
    ],
    ['signal to another: name missing', [signalOther({ signalName: '' })], BAD_SIGNAL],
    ['signal to another: attributes missing', [raw(CommandType.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, null)], BAD_SIGNAL],
    ['cancel of another: workflow id missing', [command.cancelOther('')], BAD_CANCEL],
    ['cancel of another: run id malformed', [command.cancelOther('w', { runId: 'nope' })], BAD_CANCEL],
    [
      'cancel of another: attributes missing',
      [raw(CommandType.REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION, null)],
      BAD_CANCEL,
    ],
    ['a child before a bad command is not asked for', [command.child('c'), command.timer('', 1)], BAD_TIMER],
    [
      'a protocol message: not in this version',
      [raw(CommandType.PROTOCOL_MESSAGE, {})],
      Cause.BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE,
    ],
    [
      'a Nexus operation: not in this version',
      [raw(CommandType.SCHEDULE_NEXUS_OPERATION, {})],
      Cause.BAD_SCHEDULE_NEXUS_OPERATION_ATTRIBUTES,
    ],
    ['a valid command before a bad one leaves nothing', [command.timer('t', 1), command.activity('')], BAD_ACTIVITY],
  ])('%s', (_name, commands, cause) => {
    const { world, decision, events } = answered(commands);
    if (!decision.ok) throw new Error('refused without trace');
    expect(decision.refusal?.code).toBe(StatusCode.INVALID_ARGUMENT);
    expect(events).toEqual(['WORKFLOW_TASK_FAILED']);
    const failed = world.lastOf(EventType.WORKFLOW_TASK_FAILED).attributes;
    expect(failed.cause).toBe(cause);
    expect(failed.failure?.message).toBe(decision.refusal?.message);
    expect(world.state.run?.activities.size).toBe(0);
    expect(world.state.run?.timers.size).toBe(0);
    expect(world.state.run?.children.size).toBe(0);
    expect(decision.effects.filter(({ type }) => type === 'send')).toEqual([]);
    // The next attempt waits, transient.
    expect(world.offer('workflow').attempt).toBe(2);
  });
});

describe('a blob over its limit ends the workflow', () => {
  it.each<[string, Command, Cause]>([
    ['activity input', command.activity('a', { input: huge }), Cause.BAD_SCHEDULE_ACTIVITY_ATTRIBUTES],
    ['child input', command.child('c', { input: huge }), Cause.BAD_START_CHILD_EXECUTION_ATTRIBUTES],
    [
      'child memo',
      command.child('c', { memo: { fields: { a: huge.payloads[0] ?? {} } } }),
      Cause.BAD_START_CHILD_EXECUTION_ATTRIBUTES,
    ],
    [
      'input of a signal to another',
      command.signalOther('w', 's', { input: huge }),
      Cause.BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES,
    ],
    ['result', raw(CommandType.COMPLETE_WORKFLOW_EXECUTION, { result: huge }), Cause.BAD_SCHEDULE_ACTIVITY_ATTRIBUTES],
    [
      'memo',
      raw(CommandType.MODIFY_WORKFLOW_PROPERTIES, { upsertedMemo: { fields: { a: huge.payloads[0] } } }),
      Cause.BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES,
    ],
    [
      'search attribute',
      raw(CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, {
        searchAttributes: { indexedFields: { K: { data: new Uint8Array(2_100) } } },
      }),
      Cause.BAD_SEARCH_ATTRIBUTES,
    ],
  ])('%s', (_name, bad, cause) => {
    const { world, decision, events } = answered([bad]);
    expect(decision.ok && decision.refusal?.code).toBe(StatusCode.INVALID_ARGUMENT);
    expect(events).toEqual(['WORKFLOW_TASK_FAILED', 'WORKFLOW_EXECUTION_TERMINATED']);
    expect(world.lastOf(EventType.WORKFLOW_TASK_FAILED).attributes.cause).toBe(cause);
  });
});

describe('a list of commands that makes no sense is refused and leaves the task started', () => {
  it.each<[string, Command[]]>([
    ['completed twice', [command.complete(), command.complete()]],
    ['a timer after the end', [command.complete(), command.timer('t', 1)]],
    ['unspecified type', [raw(0, {})]],
    ['unknown type', [raw(99, {})]],
  ])('%s', (_name, commands) => {
    const { world, decision, events } = answered(commands);
    expect(!decision.ok && decision.status.code).toBe(StatusCode.INVALID_ARGUMENT);
    expect(events).toEqual([]);
    expect(world.state.run?.row.task?.startId).toBeDefined();
  });
});

describe('valid commands', () => {
  it.each<[string, Command[], string[]]>([
    ['a timer without a timeout', [raw(CommandType.START_TIMER, { timerId: 't' })], ['TIMER_STARTED']],
    ['a timer of a million years', [command.timer('t', 4e16)], ['TIMER_STARTED']],
    [
      'a timer cancelled in its task',
      [command.timer('t', 1), command.cancelTimer('t')],
      ['TIMER_STARTED', 'TIMER_CANCELED'],
    ],
    [
      'an activity cancelled in its task',
      [command.activity('a'), command.cancelActivity(5)],
      [
        'ACTIVITY_TASK_SCHEDULED',
        'ACTIVITY_TASK_CANCEL_REQUESTED',
        'ACTIVITY_TASK_CANCELED',
        'WORKFLOW_TASK_SCHEDULED',
      ],
    ],
    [
      'a cancelled activity goes after later commands',
      [command.activity('a'), command.cancelActivity(5), command.timer('t', 1)],
      [
        'ACTIVITY_TASK_SCHEDULED',
        'ACTIVITY_TASK_CANCEL_REQUESTED',
        'TIMER_STARTED',
        'ACTIVITY_TASK_CANCELED',
        'WORKFLOW_TASK_SCHEDULED',
      ],
    ],
    [
      'an activity cancelled and the workflow completed',
      [command.activity('a'), command.cancelActivity(5), command.complete()],
      ['ACTIVITY_TASK_SCHEDULED', 'ACTIVITY_TASK_CANCEL_REQUESTED', 'WORKFLOW_EXECUTION_COMPLETED'],
    ],
    ['cancelled though nobody asked', [command.cancel()], ['WORKFLOW_EXECUTION_CANCELED']],
  ])('%s', (_name, commands, expected) => {
    const { decision, events } = answered(commands);
    expect(decision.ok && decision.refusal).toBeUndefined();
    expect(events).toEqual(['WORKFLOW_TASK_COMPLETED', ...expected]);
  });

  it.each([
    [
      'schedule-to-close alone fills the others',
      { startToCloseTimeout: undefined, scheduleToCloseTimeout: 60_000 },
      [60_000, 60_000, 60_000, undefined],
    ],
    [
      'everything within schedule-to-close',
      { startToCloseTimeout: 999_000, scheduleToCloseTimeout: 10_000, heartbeatTimeout: 500_000 },
      [10_000, 10_000, 10_000, 10_000],
    ],
    ['start-to-close alone', {}, [undefined, undefined, 30_000, undefined]],
  ])('timeouts of an activity: %s', (_name, over, expected) => {
    const { world } = answered([command.activity('a', over)]);
    const a = world.lastOf(EventType.ACTIVITY_TASK_SCHEDULED).attributes;
    expect([a.scheduleToCloseTimeout, a.scheduleToStartTimeout, a.startToCloseTimeout, a.heartbeatTimeout]).toEqual(
      expected,
    );
  });

  describe('that would take more than a hundred years take a hundred', () => {
    const LONG = 1e15;
    const [timeout, initialInterval, maximumInterval] = [LONGEST_MS, LONGEST_MS, LONGEST_MS];
    const retryPolicy = { initialInterval: LONG, maximumInterval: LONG };
    const attributesOf = (one: Command, eventType: Exclude<EventType, 0>): object =>
      answered([one]).world.lastOf(eventType).attributes;

    it('a timer', () => {
      const started = attributesOf(command.timer('t', LONG), EventType.TIMER_STARTED);
      expect(started).toMatchObject({ startToFireTimeout: timeout });
    });

    it('an activity', () => {
      const asked = { scheduleToCloseTimeout: LONG, heartbeatTimeout: LONG, retryPolicy };
      const scheduled = attributesOf(command.activity('a', asked), EventType.ACTIVITY_TASK_SCHEDULED);
      expect(scheduled).toMatchObject({
        ...{ scheduleToCloseTimeout: timeout, scheduleToStartTimeout: timeout },
        retryPolicy: { initialInterval, maximumInterval },
      });
    });

    it('a child', () => {
      const asked = { workflowExecutionTimeout: LONG, workflowRunTimeout: LONG, retryPolicy };
      const initiated = attributesOf(command.child('c', asked), EventType.START_CHILD_WORKFLOW_EXECUTION_INITIATED);
      expect(initiated).toMatchObject({
        ...{ workflowExecutionTimeout: timeout, workflowRunTimeout: timeout },
        retryPolicy: { initialInterval, maximumInterval },
      });
    });

    it('a continuation', () => {
      const asked = { workflowRunTimeout: LONG, backoffStartInterval: LONG };
      const started = attributesOf(
        raw(CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION, asked),
        EventType.WORKFLOW_EXECUTION_STARTED,
      );
      expect(started).toMatchObject({ workflowRunTimeout: timeout, firstWorkflowTaskBackoff: timeout });
    });
  });

  it('timeouts of an activity end with the run', () => {
    const world = new World();
    world.start({ workflowRunTimeout: 20_000 });
    world.work(command.activity('a'));
    const a = world.lastOf(EventType.ACTIVITY_TASK_SCHEDULED).attributes;
    expect([a.scheduleToCloseTimeout, a.scheduleToStartTimeout, a.startToCloseTimeout]).toEqual([
      20_000, 20_000, 20_000,
    ]);
  });
});

it('the 2,001st pending activity fails the task in the reference server’s words', () => {
  const world = new World();
  world.start();
  const commands = Array.from({ length: 2_001 }, (_, i) => command.activity(`a${i}`));
  const outcome = world.accept(world.completeMessage(world.takeWorkflowTask().ref, commands));
  expect(outcome.refusal?.message).toBe(
    'PendingActivitiesLimitExceeded: the number of pending activities, 2000, has reached the per-workflow limit of 2000',
  );
  expect(world.lastOf(EventType.WORKFLOW_TASK_FAILED).attributes.cause).toBe(Cause.PENDING_ACTIVITIES_LIMIT_EXCEEDED);
});

describe('what a command says for people and tools stands on its event', () => {
  const userMetadata = { summary: payloads('a summary').payloads[0] };
  const eventGroupMarkers = [{ label: { id: 'g' } }, { inboundEvent: { inboundEventId: 1 } }];
  const said = { userMetadata, eventGroupMarkers };

  it.each<[string, Command[], number]>([
    [
      'that leaves the workflow open',
      [
        ...[command.timer('t', 1), command.cancelTimer('t'), command.activity('a'), command.marker('m')],
        ...[
          command.child('c'),
          command.signalOther('w', 's'),
          command.cancelOther('w'),
          command.upsert({ indexedFields: { BuildIds: payloads(['b']).payloads[0] ?? {} } }),
        ],
        raw(CommandType.MODIFY_WORKFLOW_PROPERTIES, { upsertedMemo: { fields: {} } }),
      ],
      9,
    ],
    ['complete', [command.complete()], 1],
    ['fail', [command.fail({ message: 'no' })], 1],
    ['cancel', [command.cancel()], 1],
    ['continue as new', [command.continueAsNew()], 1],
  ])('%s', (_, commands, events) => {
    const { world } = answered(commands.map((given) => ({ ...given, ...said })));
    const marked = [...world.histories.values()]
      .flat()
      .filter(({ eventGroupMarkers: markers }) => markers !== undefined);
    expect(marked).toHaveLength(events);
    for (const event of marked) expect(event).toMatchObject(said);
  });

  it('a list without markers is none', () => {
    const { world } = answered([{ ...command.timer('t', 1), eventGroupMarkers: [] }]);
    expect(world.last()).not.toHaveProperty('eventGroupMarkers');
  });
});
