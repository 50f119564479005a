// Updates over links: they go to the shard's owner and wait there as long as they take, follow the shard when it moves, and are whole at both ends.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PollUpdateMessage, UpdateMessage } from '../../src/core/workflow/message.ts';
import type { UpdateWithStartMessage } from '../../src/ports/engine.ts';
import {
  UpdateWorkflowExecutionLifecycleStage as Stage,
  WorkflowExecutionStatus,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '../../src/wire/enums.ts';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import type { UpdateWorkflowExecutionResponse } from '../../src/wire/update.ts';
import { forwardedMessage, updateMessage, updateWithStartMessage } from './message-checks.ts';
import { at, RoutingWorld, type TestNode } from './routing.test-support.ts';
import { unavailable } from './statuses.ts';

let world: RoutingWorld;
let a: TestNode;
let b: TestNode;
let c: TestNode;

beforeEach(() => {
  world = new RoutingWorld();
  [a, b, c] = world.three();
});

afterEach(() => {
  world.end();
});

const to = { namespace: 'n', workflowId: 'w1-x' };
const ask = { callId: 'call', until: 'completed', updateId: 'u', updateName: 'add', identity: 'me' } as const;
const update: UpdateMessage = { type: 'update', target: { runId: 'run' }, ...ask };
const poll: PollUpdateMessage = { type: 'pollUpdate', target: {}, callId: 'call', updateId: 'u', until: 'now' };
const withStart: UpdateWithStartMessage = {
  type: 'start',
  runId: 'run-1',
  requestId: 'r',
  identity: 'me',
  workflowType: 'T',
  taskQueue: 'q',
  reusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
  conflictPolicy: WorkflowIdConflictPolicy.FAIL,
  update: ask,
};
const completed: UpdateWorkflowExecutionResponse = {
  runId: 'run',
  updateId: 'u',
  stage: Stage.COMPLETED,
  outcome: { success: { payloads: [{ data: new Uint8Array([1]) }] } },
};

function owned(by: TestNode, term = 1): void {
  for (const node of world.nodes) node.view.setAll(node === by ? 'local' : at(by.name, term));
}

function sent(node: TestNode, message: UpdateMessage | PollUpdateMessage) {
  const outcomes: { error: Status | undefined; value: UpdateWorkflowExecutionResponse | undefined }[] = [];
  const waiting = node.router.update(to, message, (error, value) => outcomes.push({ error, value }));
  return { outcomes, waiting };
}

describe('an update', () => {
  it.each([
    ['update', update],
    ['pollUpdate', poll],
  ])('of type %s goes to the owner as it is, and the answer comes back', (_type, message) => {
    owned(b);
    const { outcomes } = sent(a, message);
    world.time.advance(10);
    expect(b.engine.last).toMatchObject({ method: 'update', to, what: message });
    b.engine.last.done(undefined, completed);
    world.time.advance(10);
    expect(outcomes).toEqual([{ error: undefined, value: completed }]);
  });

  it('waits as long as it takes, and is given up with its caller', () => {
    owned(b);
    const { outcomes, waiting } = sent(a, update);
    world.time.advance(120_000);
    expect(outcomes).toEqual([]);
    waiting.abandon();
    world.time.advance(10);
    expect(b.engine.last.abandoned).toBe(true);
  });

  it('follows its shard: what was not accepted is in no other node’s memory', () => {
    owned(b);
    const { outcomes } = sent(a, update);
    world.time.advance(10);
    b.engine.last.done(unavailable('it moves', 'no'), undefined);
    owned(c, 2);
    world.time.advance(1_000);
    expect(c.engine.last.what).toMatchObject({ type: 'update', updateId: 'u' });
    c.engine.last.done(undefined, completed);
    world.time.advance(10);
    expect(outcomes).toEqual([{ error: undefined, value: completed }]);
  });

  it('that may have been accepted says so when it is sent again: its run may have gone on as another', () => {
    owned(b);
    sent(a, update);
    world.time.advance(10);
    expect(b.engine.last.what).not.toHaveProperty('repeated', true);
    b.engine.last.done(unavailable('it moves', 'maybe'), undefined);
    owned(c, 2);
    world.time.advance(1_000);
    expect(c.engine.last.what).toMatchObject({ type: 'update', updateId: 'u', repeated: true });
  });

  it.each(['another node', 'this node'] as const)(
    'that waited at %s when the shard left may have been accepted, whatever the last refusal says',
    (where) => {
      owned(where === 'another node' ? b : a);
      const { outcomes } = sent(a, update);
      const { outcomes: polled } = sent(a, poll);
      world.time.advance(1_000);
      expect(outcomes).toEqual([]);
      // The next owner is never there.
      c.view.setAll('unknown');
      for (const node of [a, b]) node.view.setAll(at('c', 2));
      world.time.advance(120_000);
      expect(outcomes).toMatchObject([{ error: { code: StatusCode.UNAVAILABLE, detail: { applied: 'maybe' } } }]);
      expect(polled).toMatchObject([{ error: { code: StatusCode.UNAVAILABLE, detail: { applied: 'no' } } }]);
    },
  );

  it.each([
    ['after it waited there may have been accepted', (b) => b.view.setAll('local'), 'maybe'],
    ['at once was not', (b) => b.view.setAll(at('c', 2)), 'no'],
  ] as [string, (node: TestNode) => void, string][])('that its node redirects %s', (_, before, applied) => {
    owned(b);
    before(b);
    const { outcomes } = sent(a, update);
    world.time.advance(1_000);
    c.view.setAll('unknown');
    b.view.setAll(at('c', 2));
    world.time.advance(120_000);
    expect(outcomes).toMatchObject([{ error: { code: StatusCode.UNAVAILABLE, detail: { applied } } }]);
  });

  it('with a start is one request: whoever does not know it does neither', () => {
    owned(b);
    const outcomes: unknown[] = [];
    a.router.updateWithStart(to, withStart, (error, value) => outcomes.push({ error, value }));
    world.time.advance(10);
    expect(b.engine.last).toMatchObject({ method: 'updateWithStart', what: withStart });
    const start = { runId: 'run-1', started: true, status: WorkflowExecutionStatus.RUNNING };
    b.engine.last.done(undefined, { start, update: completed });
    world.time.advance(10);
    expect(outcomes).toEqual([{ error: undefined, value: { start, update: completed } }]);
  });
});

describe('what is no update', () => {
  it.each([
    ['waits for nothing there is', { ...update, until: 'admitted' }],
    ['has no id', { ...update, updateId: undefined }],
    ['has a target of another shape', { ...update, target: 'run' }],
  ])('when it %s is refused', (_name, message) => {
    expect(() => updateMessage(message)).toThrow();
  });

  it('as a start without an update, or with half of one', () => {
    const { update: _update, ...start } = withStart;
    expect(() => updateWithStartMessage(start)).toThrow('no update');
    expect(() => updateWithStartMessage({ ...start, update: { updateId: 'u' } })).toThrow();
  });

  it('as a message to a task of a body that nobody knows', () => {
    const task = { runId: 'run', scheduledEventId: 2, attempt: 1, startId: { term: 3, seq: 4 } };
    const completion = { type: 'completeWorkflowTask', task, identity: '', commands: [], sticky: true };
    const message = { id: 'm', protocolInstanceId: 'u', body: { type: 'of.the.Future', value: {} } };
    expect(() => forwardedMessage({ ...completion, forceCreateNewWorkflowTask: false, messages: [message] })).toThrow(
      'of.the.Future',
    );
  });
});
