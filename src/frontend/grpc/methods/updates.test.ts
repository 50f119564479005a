// What update-with-start says of its two operations when one of them is refused.

import { expect, it } from 'vitest';
import { updateCutOff, workflowNotFound } from '../../../core/workflow/rejections.ts';
import { type Status, StatusCode } from '../../../wire/status.ts';
import type { Caller } from '../../door.ts';
import { DEFAULT_DOOR_LIMITS } from '../../limits.ts';
import { apiRoot } from '../proto/descriptors.ts';
import type { RpcCall, RpcServices } from '../rpc.ts';
import type { RpcError } from '../status.ts';
import { ExecuteMultiOperation, UpdateWorkflowExecution } from './updates.ts';

function statusesOf(refusal: Status, more: object = {}): readonly object[] {
  let failed: RpcError | undefined;
  const call = {
    ...{ fail: (error: RpcError) => void (failed = error), waits: () => {}, atDeadline: () => {} },
    ...{ isOpen: () => true, header: () => undefined },
  };
  const services = {
    limits: DEFAULT_DOOR_LIMITS,
    random: { uuid: () => 'id' },
    namespaces: { get: () => ({ name: 'default' }) },
    attributes: {
      stamped: (_namespace: string, given: unknown, then: (e: undefined, g: unknown) => void) => then(undefined, given),
    },
    engine: { updateWithStart: (...given: unknown[]) => (given.at(-1) as (error: Status) => void)(refusal) },
  };
  const caller = { mayUse: () => true } as unknown as Caller;
  const startWorkflow = {
    namespace: 'default',
    workflowId: 'w',
    workflowType: { name: 'T' },
    taskQueue: { name: 'q' },
    ...more,
  };
  const updateWorkflow = {
    ...{ namespace: 'default', workflowExecution: { workflowId: 'w' }, waitPolicy: { lifecycleStage: 2 } },
    request: { meta: { updateId: 'u' }, input: { name: 'update' } },
  };
  const request = { namespace: 'default', operations: [{ startWorkflow }, { updateWorkflow }] };
  ExecuteMultiOperation.run(services as unknown as RpcServices, caller, request, call as unknown as RpcCall);
  const [{ value } = {}] = (failed?.anys ?? []) as { value?: Uint8Array }[];
  const type = apiRoot().lookupType('temporal.api.errordetails.v1.MultiOperationExecutionFailure');
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

it('an update that nobody has looked at names the run it waits in, also to who named none', () => {
  const late: (() => void)[] = [];
  const answers: object[] = [];
  const call = {
    ...{ reply: (answer: object) => void answers.push(answer), refuse: () => {}, waits: () => {} },
    ...{ atDeadline: (then: () => void) => void late.push(then), isOpen: () => true, header: () => undefined },
  };
  const services = {
    limits: DEFAULT_DOOR_LIMITS,
    random: { uuid: () => 'id' },
    namespaces: { get: () => ({ name: 'default' }) },
    engine: {
      // Waits; asked after, nothing of it is in a history.
      update: (_to: object, message: { type: string }, then: (error: Status) => void) => {
        if (message.type === 'pollUpdate') then(workflowNotFound('w').status);
        return { abandon: () => {} };
      },
      describe: (_to: object, _runId: undefined, then: (e: undefined, d: object) => void) => {
        then(undefined, { workflowExecutionInfo: { runId: 'the-run' } });
      },
    },
  };
  const request = {
    ...{ namespace: 'default', workflowExecution: { workflowId: 'w' }, waitPolicy: { lifecycleStage: 2 } },
    request: { meta: { updateId: 'u' }, input: { name: 'update' } },
  };
  const caller = { mayUse: () => true } as unknown as Caller;
  UpdateWorkflowExecution.run(services as unknown as RpcServices, caller, request, call as unknown as RpcCall);
  expect(answers).toEqual([]);
  for (const then of late) then();
  const updateRef = { workflowExecution: { workflowId: 'w', runId: 'the-run' }, updateId: 'u' };
  expect(answers).toEqual([{ updateRef, stage: 1 }]);
});

it.each([
  ['completed well', { outcome: { success: {} } }, 'workflowEvent'],
  ['failed, or was rejected', { outcome: { failure: { message: 'no' } } }, 'workflow'],
])('the link of an update that %s is to where it is told of', (_how, answer, kind) => {
  let link: object | undefined;
  const call = {
    ...{ reply: (answered: { link?: object }) => void (link = answered.link), waits: () => {}, atDeadline: () => {} },
    ...{ isOpen: true, header: (name: string) => (name === 'client-name' ? 'somebody' : undefined) },
  };
  const response = { runId: 'the-run', updateId: 'u', stage: 3, ...answer };
  const services = {
    limits: DEFAULT_DOOR_LIMITS,
    random: { uuid: () => 'id' },
    namespaces: { get: () => ({ name: 'default' }) },
    engine: {
      update: (_to: object, _message: object, then: (e: undefined, r: object) => void) => {
        then(undefined, response);
        return { abandon: () => {} };
      },
    },
  };
  const request = {
    ...{ namespace: 'default', workflowExecution: { workflowId: 'w' }, waitPolicy: { lifecycleStage: 3 } },
    request: { meta: { updateId: 'u' }, input: { name: 'update' }, requestId: 'r' },
  };
  const caller = { mayUse: () => true } as unknown as Caller;
  UpdateWorkflowExecution.run(services as unknown as RpcServices, caller, request, call as unknown as RpcCall);
  expect(link).toMatchObject({ [kind]: { namespace: 'default', workflowId: 'w', runId: 'the-run' } });
});
