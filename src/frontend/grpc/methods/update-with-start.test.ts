// What update-with-start says of its two operations when one of them is refused.

import { expect, it } from 'vitest';
import { updateCutOff, workflowNotFound } from '../../../core/workflow/rejections.ts';
import { type Status, StatusCode } from '../../../wire/status.ts';
import { apiRoot } from '../proto/descriptors.ts';
import { called, NO_WAIT } from './calling.test-support.ts';
import { ExecuteMultiOperation } from './update-with-start.ts';

const FAILURE = 'temporal.api.errordetails.v1.MultiOperationExecutionFailure';

function statusesOf(refusal: Status, more: object = {}): readonly object[] {
  const startWorkflow = { workflowId: 'w', workflowType: { name: 'T' }, taskQueue: { name: 'q' }, ...more };
  const updateWorkflow = {
    ...{ workflowExecution: { workflowId: 'w' }, waitPolicy: { lifecycleStage: 2 } },
    request: { meta: { updateId: 'u' }, input: { name: 'update' } },
  };
  const { failed } = called(
    ExecuteMultiOperation,
    { operations: [{ startWorkflow }, { updateWorkflow }] },
    {
      updateWithStart: (_to, _message, done) => {
        done(refusal, undefined);
        return NO_WAIT;
      },
    },
  );
  const [{ value } = {}] = (failed?.anys ?? []) as { value?: Uint8Array }[];
  const type = apiRoot().lookupType(FAILURE);
  return type.toObject(type.decode(value ?? new Uint8Array())).statuses ?? [];
}

it('a start that an update was refused with is aborted', () => {
  const { status } = workflowNotFound('w');
  expect(statusesOf(status)).toMatchObject([
    { code: StatusCode.ABORTED },
    { code: StatusCode.NOT_FOUND, message: status.message },
  ]);
});

it('a start that is put off is none that an update can come with', () => {
  const [start, update] = statusesOf(workflowNotFound('w').status, { workflowStartDelay: 1_000 });
  expect(start).toMatchObject({ code: StatusCode.INVALID_ARGUMENT, message: 'WorkflowStartDelay is not supported.' });
  expect(update).toMatchObject({ code: StatusCode.ABORTED });
});

it('a start whose workflow closed before the update was done', () => {
  const { status } = updateCutOff();
  const [start, update] = statusesOf(status);
  expect(start).toEqual({});
  expect(update).toMatchObject({ code: StatusCode.NOT_FOUND, message: status.message });
});
