// Pausing a workflow: nothing of it begins, all that happens is kept, and unpausing shows it.
import { describe, expect, it } from 'vitest';
import { EventType, WorkflowExecutionStatus } from '../../wire/enums.ts';
import { StatusCode } from '../../wire/status.ts';
import { foldEvents } from './fold.ts';
import { describe as described, waitingOffers } from './index.ts';
import type { Effect } from './outcome.ts';
import { command, message, places, World } from './testing.ts';

type Kind = 'pauseWorkflow' | 'unpauseWorkflow';
const asked = (type: Kind, requestId: string) =>
  ({ type, target: {}, identity: 'ann', reason: 'a look', requestId }) as const;
const pause = (w: World, id = 'p') => w.accept(asked('pauseWorkflow', id));
const unpause = (w: World, id = 'u') => w.accept(asked('unpauseWorkflow', id));
const offered = (effects: readonly Effect[]) => effects.filter(({ type }) => type === 'offerTask').length;
const status = (w: World) => described(w.state)?.workflowExecutionInfo.status;

/** A run whose first workflow task has come back with these commands. */
function idle(...commands: Parameters<World['work']>): World {
  const w = new World();
  w.start();
  w.work(...commands);
  return w;
}

/** What is in the rows is what the events say (I4). */
function sound(w: World): void {
  expect(w.rebuilt().run?.row).toEqual(w.state.run?.row);
  if ((w.state.run?.row.counts.buffered ?? 0) > 0) return;
  const folded = foldEvents(w.state.run?.runId ?? '', w.history());
  expect(JSON.parse(JSON.stringify(folded.facts))).toEqual(JSON.parse(JSON.stringify(w.state.run?.row.facts)));
}

describe('a paused workflow', () => {
  it('keeps signals, and sees them in one task when it is unpaused', () => {
    const w = idle();
    pause(w);
    expect(status(w)).toBe(WorkflowExecutionStatus.PAUSED);
    expect(described(w.state)?.pauseInfo).toEqual({ identity: 'ann', reason: 'a look', pausedTime: w.now });
    expect(offered(w.accept(w.signalMessage('one')).effects)).toBe(0);
    w.signal('two');
    expect(waitingOffers(w.state)).toEqual([]);
    sound(w);
    expect(offered(unpause(w).effects)).toBe(1);
    expect(w.types().slice(4)).toEqual([
      'WORKFLOW_EXECUTION_PAUSED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_EXECUTION_UNPAUSED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    expect(w.history().filter(({ workerMayIgnore }) => workerMayIgnore).length).toBe(2);
    expect(status(w)).toBe(WorkflowExecutionStatus.RUNNING);
    w.work(command.complete());
    sound(w);
  });

  it('keeps its waiting task, which no worker gets before the end of the pause', () => {
    const w = new World();
    w.start();
    const offer = w.offer('workflow');
    expect(pause(w).effects.map(({ type }) => type)).toContain('withdrawTask');
    const { runId, scheduledEventId, attempt } = offer;
    const late = {
      type: 'startWorkflowTask',
      runId,
      scheduledEventId,
      attempt,
      taker: w.taker(),
      sticky: false,
    } as const;
    expect(w.refuse(late).code).toBe(StatusCode.NOT_FOUND);
    w.pass(60_000);
    expect(offered(unpause(w).effects)).toBe(1);
    expect(w.types()).toEqual([
      'WORKFLOW_EXECUTION_STARTED',
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_EXECUTION_PAUSED',
      'WORKFLOW_EXECUTION_UNPAUSED',
    ]);
    w.work(command.complete());
  });

  it('lets a task end that a worker has, and gives it no other', () => {
    const w = new World();
    w.start();
    const { ref } = w.takeWorkflowTask();
    pause(w);
    sound(w);
    const { effects } = w.complete(ref, command.activity('a'), command.timer('t', 1_000));
    expect(offered(effects)).toBe(0);
    expect(w.types().at(-1)).toBe('WORKFLOW_EXECUTION_PAUSED');
    w.pass(2_000);
    expect(w.types().at(-1)).toBe('TIMER_FIRED');
    // The activity and the workflow task.
    expect(offered(unpause(w).effects)).toBe(2);
    sound(w);
  });

  it('may not close over the pause: the task is done again afterwards', () => {
    const w = new World();
    w.start();
    const { ref } = w.takeWorkflowTask();
    pause(w);
    w.send(w.completeMessage(ref, [command.complete()]));
    expect(w.types().slice(-2)).toEqual(['WORKFLOW_TASK_FAILED', 'WORKFLOW_EXECUTION_PAUSED']);
    unpause(w);
    w.work(command.complete());
    expect(status(w)).toBe(WorkflowExecutionStatus.COMPLETED);
  });

  it('starts no attempt of an activity; one that runs may end, also badly', () => {
    const w = idle(command.activity('a'), command.activity('b', { retryPolicy: { initialInterval: 1_000 } }));
    const running = w.takeActivity(w.state.run?.activityIds.get('b'));
    pause(w);
    expect(waitingOffers(w.state)).toEqual([]);
    w.failActivity(running.ref);
    w.pass(5_000);
    expect(waitingOffers(w.state)).toEqual([]);
    expect(offered(unpause(w).effects)).toBe(3);
    w.completeActivity(w.takeActivity(w.state.run?.activityIds.get('b')).ref);
    sound(w);
  });

  it('answers queries by themselves, and refuses updates', () => {
    const w = idle();
    w.signal('for a task');
    w.query('before');
    expect(pause(w).effects.map(({ type }) => type)).toContain('dispatchQuery');
    const now = w.query('now');
    expect(now.ok && now.effects.map(({ type }) => type)).toEqual(['dispatchQuery']);
    expect(w.update('u')).toMatchObject({
      status: { code: StatusCode.FAILED_PRECONDITION, message: 'Workflow is paused. Cannot update the workflow.' },
    });
    unpause(w);
    w.update('u');
    w.work(...places(message.accept('u'), message.respond('u')));
  });

  it('is paused once by a request, and not by another', () => {
    const w = idle();
    expect(w.refuse(asked('unpauseWorkflow', 'u')).code).toBe(StatusCode.FAILED_PRECONDITION);
    pause(w);
    expect(pause(w).events).toEqual([]);
    expect(w.refuse(asked('pauseWorkflow', 'q')).code).toBe(StatusCode.FAILED_PRECONDITION);
    unpause(w);
    expect(unpause(w).events).toEqual([]);
    // Late repeats of what was done long ago change nothing.
    expect(pause(w).events).toEqual([]);
    expect(status(w)).toBe(WorkflowExecutionStatus.RUNNING);
  });

  it('is open: it can be terminated, deleted, times out, and is met by a start', () => {
    const w = idle();
    pause(w);
    expect(w.refuse(w.startMessage()).code).toBe(StatusCode.ALREADY_EXISTS);
    w.terminate();
    expect(described(w.state)?.pauseInfo).toBeUndefined();
    expect(w.refuse(asked('unpauseWorkflow', 'late')).code).toBe(StatusCode.NOT_FOUND);
    sound(w);
    const timed = new World();
    timed.start({ workflowRunTimeout: 10_000 });
    pause(timed);
    timed.pass(10_000);
    expect(timed.last().eventType).toBe(EventType.WORKFLOW_EXECUTION_TIMED_OUT);
  });

  it('keeps a task in back-off, and one for a sticky worker, for afterwards', () => {
    const w = new World();
    w.start();
    for (let i = 0; i < 4; i += 1) {
      w.failTask(w.takeWorkflowTask().ref);
      if (i < 3) w.pass(60_000);
    }
    pause(w);
    w.pass(60_000);
    expect(waitingOffers(w.state)).toEqual([]);
    unpause(w);
    w.pass(0);
    w.work(command.complete());
    expect(status(w)).toBe(WorkflowExecutionStatus.COMPLETED);
  });
});

describe('what lists showed before a turn', () => {
  it('is named with the turn, also where its end takes the pause away', () => {
    const w = idle();
    pause(w);
    const { visibility } = w.terminate();
    expect(visibility[0]?.before?.status).toBe(WorkflowExecutionStatus.PAUSED);
    expect(visibility[0]?.before?.searchAttributes?.indexedFields).toHaveProperty('TemporalPauseInfo');
    expect(visibility[0]?.info.searchAttributes?.indexedFields).not.toHaveProperty('TemporalPauseInfo');
  });

  it('is not made again where nothing of it has changed', () => {
    const w = idle();
    w.signal('more');
    const { visibility } = w.work(command.complete());
    expect(visibility[0]?.before?.status).toBe(WorkflowExecutionStatus.RUNNING);
    expect(visibility[0]?.info.searchAttributes?.indexedFields).toHaveProperty('BuildIds');
    expect(visibility[0]?.before?.searchAttributes).toBe(visibility[0]?.info.searchAttributes);
  });
});
