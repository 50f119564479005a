// What callers of updates hear: of one that nobody has looked at, and where one that is over is told of.

import { expect, it } from 'vitest';
import { describe } from '../../../core/workflow/describe.ts';
import { workflowNotFound } from '../../../core/workflow/rejections.ts';
import { World } from '../../../core/workflow/testing.ts';
import { called, NO_WAIT } from './calling.test-support.ts';
import { UpdateWorkflowExecution } from './updates.ts';

const ADMITTED = 1;
const COMPLETED = 3;
const UPDATE = {
  ...{ workflowExecution: { workflowId: 'w' }, waitPolicy: { lifecycleStage: COMPLETED } },
  request: { meta: { updateId: 'u' }, input: { name: 'update' }, requestId: 'r' },
};

it('an update that nobody has looked at names the run it waits in, also to who named none', () => {
  const world = new World();
  world.start({ runId: 'the-run' });
  const call = called(UpdateWorkflowExecution, UPDATE, {
    // Waits; asked after, nothing of it is in a history.
    update: (_to, message, done) => {
      if (message.type === 'pollUpdate') done(workflowNotFound('w').status, undefined);
      return NO_WAIT;
    },
    describe: (_to, _runId, done) => done(undefined, describe(world.state)),
  });
  expect(call.isOpen).toBe(true);
  call.expire();
  const updateRef = { workflowExecution: { workflowId: 'w', runId: 'the-run' }, updateId: 'u' };
  expect(call.answer).toEqual({ updateRef, stage: ADMITTED });
});

it.each([
  ['completed well', { success: {} }, 'workflowEvent'],
  ['failed, or was rejected', { failure: { message: 'no' } }, 'workflow'],
])('the link of an update that %s is to where it is told of', (_how, outcome, kind) => {
  const { answer } = called(
    UpdateWorkflowExecution,
    UPDATE,
    {
      update: (_to, _message, done) => {
        done(undefined, { runId: 'the-run', updateId: 'u', stage: COMPLETED, outcome });
        return NO_WAIT;
      },
    },
    { isNamed: true },
  );
  expect(answer?.link).toMatchObject({ [kind]: { namespace: 'default', workflowId: 'w', runId: 'the-run' } });
});
