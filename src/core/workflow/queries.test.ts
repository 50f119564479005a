// Queries never write: where they wait, on what they ride, when they go by themselves.
import { describe, expect, it } from 'vitest';
import { QueryRejectCondition, WorkflowExecutionStatus } from '../../wire/enums.ts';
import { StatusCode } from '../../wire/status.ts';
import type { Effect } from './outcome.ts';
import { isPassivatable } from './state.ts';
import { applicationFailure, command, payloads, World } from './testing.ts';

const idle = () => {
  const world = new World();
  world.start();
  world.accept(world.completeMessage(world.takeWorkflowTask().ref, [], { sticky: true }));
  return world;
};
const kinds = (effects: Effect[]) => effects.map(({ type }) => type);

describe('a query', () => {
  it('of an idle workflow goes to a worker by itself, sticky queue first', () => {
    const world = idle();
    world.query('q1');
    expect(world.effects).toEqual([
      expect.objectContaining({ type: 'dispatchQuery', queryId: 'q1', taskQueue: 'orders', stickyQueue: 'sticky-1' }),
    ]);
    expect(isPassivatable(world.state)).toBe(false);
    world.accept({ type: 'queryAnswered', queryId: 'q1', result: { answer: payloads(42) } });
    expect(world.effects).toEqual([
      { type: 'answerQuery', queryId: 'q1', answer: { response: { queryResult: payloads(42) } } },
    ]);
    expect(isPassivatable(world.state)).toBe(true);
    expect(world.refuse({ type: 'queryAnswered', queryId: 'q1', result: {} }).code).toBe(StatusCode.NOT_FOUND);
  });

  it('writes no row and no event', () => {
    const world = idle();
    const decision = world.query('q1');
    expect(decision).toMatchObject({ ok: true, rows: [], events: [] });
  });

  it('before the first task waits for it and rides on it', () => {
    const world = new World();
    world.start();
    world.query('q1');
    expect(world.effects).toEqual([]);
    const { task, ref } = world.takeWorkflowTask();
    expect(task.queries).toEqual({ q1: { queryType: 'state', queryArgs: undefined, header: undefined } });
    const { effects } = world.accept(
      world.completeMessage(ref, [], { queryResults: { q1: { answer: payloads('rode') } } }),
    );
    expect(effects).toContainEqual({
      type: 'answerQuery',
      queryId: 'q1',
      answer: { response: { queryResult: payloads('rode') } },
    });
  });

  it('that missed its task goes by itself afterwards', () => {
    const world = idle();
    world.signal('s');
    const { ref } = world.takeWorkflowTask();
    world.query('q1');
    expect(kinds(world.complete(ref).effects)).toContain('dispatchQuery');
  });

  it('left unanswered by the task it rode on goes by itself, after the close too', () => {
    const world = idle();
    world.signal('s');
    world.query('q1');
    const { ref } = world.takeWorkflowTask();
    expect(kinds(world.complete(ref, command.complete()).effects)).toContain('dispatchQuery');
  });

  it('rides again when its task fails', () => {
    const world = idle();
    world.signal('s');
    world.query('q1');
    world.failTask(world.takeWorkflowTask().ref);
    expect(world.takeWorkflowTask().task.queries).toHaveProperty('q1');
  });

  it('fails at once while the task fails again and again', () => {
    const world = new World();
    world.start();
    world.failTask(world.takeWorkflowTask().ref);
    world.failTask(world.takeWorkflowTask().ref);
    const decision = world.query('q1');
    expect(decision).toMatchObject({
      ok: false,
      status: { code: StatusCode.FAILED_PRECONDITION, detail: { kind: 'WorkflowNotReady' } },
    });
  });

  it('whose worker vanished is asked again; whose caller left is forgotten', () => {
    const world = idle();
    world.query('q1');
    world.accept({ type: 'queryLost', queryId: 'q1' });
    expect(kinds(world.effects)).toEqual(['dispatchQuery']);
    world.accept({ type: 'queryAbandoned', queryId: 'q1' });
    expect(isPassivatable(world.state)).toBe(true);
  });

  it('that the worker could not answer is a typed failure', () => {
    const world = idle();
    world.query('q1');
    world.accept({
      type: 'queryAnswered',
      queryId: 'q1',
      result: { errorMessage: 'no handler', failure: applicationFailure('no handler') },
    });
    expect(world.effects).toMatchObject([
      {
        answer: {
          rejection: { code: StatusCode.INVALID_ARGUMENT, message: 'no handler', detail: { kind: 'QueryFailed' } },
        },
      },
    ]);
  });

  it('is bounded', () => {
    const world = new World({ bufferedQueries: 1 });
    world.start();
    world.query('q1');
    expect(world.query('q2')).toMatchObject({ ok: false, status: { code: StatusCode.RESOURCE_EXHAUSTED } });
  });
});

describe('a query of a closed workflow', () => {
  it('goes by itself', () => {
    const world = idle();
    world.signal('s');
    world.work(command.complete());
    world.query('q1');
    expect(kinds(world.effects)).toEqual(['dispatchQuery']);
  });

  it('that never ran a task is refused', () => {
    const world = new World();
    world.start();
    world.terminate();
    expect(world.query('q1')).toMatchObject({ ok: false, status: { detail: { kind: 'WorkflowNotReady' } } });
  });

  it.each([
    [QueryRejectCondition.NOT_OPEN, command.complete(), true],
    [QueryRejectCondition.NOT_COMPLETED_CLEANLY, command.complete(), false],
    [QueryRejectCondition.NOT_COMPLETED_CLEANLY, command.cancel(), true],
    [QueryRejectCondition.NONE, command.cancel(), false],
  ])('with reject condition %i', (rejectCondition, closing, rejected) => {
    const world = idle();
    world.signal('s');
    world.work(closing);
    world.query('q1', { rejectCondition });
    expect(kinds(world.effects)).toEqual([rejected ? 'answerQuery' : 'dispatchQuery']);
  });
});

it('a waiting query is answered when the run closes before any task', () => {
  const world = new World();
  world.start();
  world.query('q1');
  const { effects } = world.terminate();
  expect(effects).toContainEqual(expect.objectContaining({ type: 'answerQuery', queryId: 'q1' }));
  expect(world.state.run?.row.facts.status).toBe(WorkflowExecutionStatus.TERMINATED);
});
