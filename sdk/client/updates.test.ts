// Updates of a client against a fake server: what is sent, sent again and polled, and what refusals become.

import { describe, expect, it } from 'vitest';
import type { Payload } from '../../src/wire/common.ts';
import { UpdateWorkflowExecutionLifecycleStage as Stage } from '../../src/wire/enums.ts';
import { StatusCode } from '../../src/wire/status.ts';
import { encodeUtf8, type PayloadCodec, WorkflowNotFoundError } from '../common/index.ts';
import { payloads, setUp, target, values } from './client.test-support.ts';
import {
  ServiceError,
  WithStartWorkflowOperation,
  type WorkflowClientInterceptor,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from './index.ts';

const accepted = () => ({ runId: 'run-1', updateId: 'u', stage: Stage.ACCEPTED });
const completed = (value: unknown) => () => ({
  runId: 'run-1',
  updateId: 'u',
  stage: Stage.COMPLETED,
  outcome: { success: payloads(value) },
});
const failed = (message: string) => () => ({
  runId: 'run-1',
  updateId: 'u',
  stage: Stage.COMPLETED,
  outcome: { failure: { message, source: 'TypeScriptSDK', applicationFailureInfo: { type: 'No' } } },
});

describe('executeUpdate', () => {
  it('says what it is, and gives what comes back', async () => {
    const { client, server, run } = setUp({ updateWorkflowExecution: completed(7) });
    const handle = client.workflow.getHandle('order-1', 'run-1', { firstExecutionRunId: 'run-0' });
    const options = { args: ['tea', 2], updateId: 'u' } as { args: [string, number]; updateId: string };
    expect(await run(handle.executeUpdate<number, [string, number]>('add', options))).toBe(7);
    const { body, method } = server.last;
    expect(method).toBe('updateWorkflowExecution');
    expect(body).toMatchObject({
      namespace: 'ns',
      workflowId: 'order-1',
      runId: 'run-1',
      firstExecutionRunId: 'run-0',
      updateId: 'u',
      updateName: 'add',
      waitStage: Stage.COMPLETED,
      identity: 'me',
    });
    expect(values(body.args)).toEqual(['tea', 2]);
  });

  it('keeps its update id over a reconnect, so that nothing is applied twice', async () => {
    let calls = 0;
    const { client, server, run } = setUp({
      updateWorkflowExecution: (_body, { link }) => {
        if (calls++ > 0) return completed('once')();
        link.drop();
        return undefined;
      },
    });
    expect(await run(client.workflow.getHandle('order-1').executeUpdate('add'))).toBe('once');
    const ids = server.requests.map(({ body }) => body.updateId);
    expect(ids).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), ids[0]]);
    // Its run may have gone on as another meanwhile.
    expect(server.requests.map(({ body }) => body.repeated)).toEqual([undefined, true]);
  });

  it('rejects with what the handler threw', async () => {
    const { client, fails } = setUp({ updateWorkflowExecution: failed('out of tea') });
    const error = await fails(client.workflow.getHandle('order-1').executeUpdate('add'));
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(error).toMatchObject({ workflowId: 'order-1', cause: { message: 'out of tea', type: 'No' } });
  });

  it.each([
    [StatusCode.NOT_FOUND, WorkflowNotFoundError],
    [StatusCode.RESOURCE_EXHAUSTED, ServiceError],
    [StatusCode.DEADLINE_EXCEEDED, WorkflowUpdateRPCTimeoutOrCancelledError],
    [StatusCode.CANCELLED, WorkflowUpdateRPCTimeoutOrCancelledError],
  ])('rejects for status %i with %o', async (code, type) => {
    const { client, fails } = setUp({ updateWorkflowExecution: () => ({ code, message: 'no' }) });
    const sent = client.withDeadline(Date.now() + 500, () => client.workflow.getHandle('order-1').executeUpdate('add'));
    expect(await fails(sent)).toBeInstanceOf(type);
  });
});

describe('startUpdate', () => {
  it('gives a handle at once, which polls for the outcome once it is asked', async () => {
    const { client, server, run } = setUp({
      updateWorkflowExecution: accepted,
      pollWorkflowExecutionUpdate: completed('later'),
    });
    const update = await run(
      client.workflow.getHandle('order-1').startUpdate<string, []>('add', { waitForStage: 'ACCEPTED' }),
    );
    expect(update).toMatchObject({ updateId: 'u', workflowId: 'order-1', workflowRunId: 'run-1' });
    expect(server.last.body).toMatchObject({ waitStage: Stage.ACCEPTED });
    expect(await run(update.result())).toBe('later');
    expect(server.last.body).toMatchObject({
      workflowId: 'order-1',
      runId: 'run-1',
      updateId: 'u',
      waitStage: Stage.COMPLETED,
    });
    expect(await run(update.result())).toBe('later');
    expect(server.requests).toHaveLength(2);
  });

  it('of an update that is rejected gives a handle whose result says so', async () => {
    const { client, run, fails } = setUp({ updateWorkflowExecution: failed('no') });
    const update = await run(client.workflow.getHandle('order-1').startUpdate('add', { waitForStage: 'ACCEPTED' }));
    expect(await fails(update.result())).toMatchObject({ name: 'WorkflowUpdateFailedError', cause: { message: 'no' } });
  });
});

describe('getUpdateHandle', () => {
  it('asks the run that it names, or that of the workflow handle', async () => {
    const { client, server, run } = setUp({ pollWorkflowExecutionUpdate: completed(1) });
    const handle = client.workflow.getHandle('order-1', 'run-1');
    await run(handle.getUpdateHandle('u').result());
    expect(server.last.body).toMatchObject({ runId: 'run-1', updateId: 'u' });
    await run(handle.getUpdateHandle('u', { workflowRunId: 'run-2' }).result());
    expect(server.last.body).toMatchObject({ runId: 'run-2' });
  });
});

describe('an update with start', () => {
  const operation = (over: object = {}) =>
    new WithStartWorkflowOperation('order', {
      ...target,
      args: ['x'],
      workflowIdConflictPolicy: 'USE_EXISTING',
      ...over,
    });

  it('sends both in one request, and gives a handle to the workflow', async () => {
    const start = { runId: 'run-1', started: true, status: 1 };
    const { client, server, run } = setUp({
      updateWithStartWorkflowExecution: () => ({ start, update: completed('both')() }),
    });
    const startWorkflowOperation = operation();
    const sent = client.workflow.executeUpdateWithStart('add', {
      args: ['tea'],
      updateId: 'u',
      startWorkflowOperation,
    });
    expect(await run(sent)).toBe('both');
    expect(await startWorkflowOperation.workflowHandle()).toMatchObject({
      workflowId: 'order-1',
      firstExecutionRunId: 'run-1',
    });
    const { body } = server.last;
    expect(body).toMatchObject({
      workflowType: 'order',
      workflowIdConflictPolicy: 2,
      update: { updateId: 'u', updateName: 'add' },
    });
    expect(values((body.update as { args: unknown }).args)).toEqual(['tea']);
  });

  it('rejects both promises with the same, and is good for one call', async () => {
    const { client, fails } = setUp({
      updateWithStartWorkflowExecution: () => ({
        code: StatusCode.ALREADY_EXISTS,
        message: 'running',
        detail: { kind: 'WorkflowExecutionAlreadyStarted', runId: 'run-9' },
      }),
    });
    const startWorkflowOperation = operation();
    const error = await fails(client.workflow.executeUpdateWithStart('add', { startWorkflowOperation }));
    expect(error).toMatchObject({ name: 'WorkflowExecutionAlreadyStartedError', workflowId: 'order-1' });
    expect(await fails(startWorkflowOperation.workflowHandle())).toBe(error);
    expect(await fails(client.workflow.executeUpdateWithStart('add', { startWorkflowOperation }))).toMatchObject({
      name: 'IllegalStateError',
    });
    const unsaid = operation({ workflowIdConflictPolicy: undefined });
    expect(
      await fails(client.workflow.executeUpdateWithStart('add', { startWorkflowOperation: unsaid })),
    ).toBeInstanceOf(TypeError);
  });
});

describe('around updates', () => {
  it('interceptors see and change them', async () => {
    const seen: string[] = [];
    const interceptor: WorkflowClientInterceptor = {
      async startUpdate(input, next) {
        seen.push(`${input.updateName} ${input.options.waitForStage}`);
        return next({ ...input, args: ['changed'], headers: { trace: { data: encodeUtf8('1') } as Payload } });
      },
      async startUpdateWithStart(input, next) {
        seen.push(`${input.workflowType} with ${input.updateName}`);
        return next(input);
      },
    };
    const { client, server, run } = setUp(
      {
        updateWorkflowExecution: completed(1),
        updateWithStartWorkflowExecution: () => ({ start: { runId: 'r' }, update: completed(1)() }),
      },
      { interceptors: { workflow: [interceptor] } },
    );
    await run(client.workflow.getHandle('order-1').executeUpdate('add'));
    expect(values(server.last.body.args)).toEqual(['changed']);
    expect(server.last.body.header).toMatchObject({ fields: { trace: {} } });
    const startWorkflowOperation = new WithStartWorkflowOperation('order', {
      ...target,
      workflowIdConflictPolicy: 'FAIL',
    });
    await run(client.workflow.executeUpdateWithStart('add', { startWorkflowOperation }));
    expect(seen).toEqual(['add COMPLETED', 'order with add']);
  });

  it('codecs see arguments, results and failures', async () => {
    const flip = (payload: Payload): Payload => ({ ...payload, data: payload.data?.map((byte) => byte ^ 1) });
    const codec: PayloadCodec = {
      encode: async (all) => all.map(flip),
      decode: async (all) => all.map(flip),
    };
    const { client, server, run } = setUp(
      {
        updateWorkflowExecution: (body) => ({
          runId: 'r',
          updateId: 'u',
          stage: Stage.COMPLETED,
          // As it came: encoded once, decoded once.
          outcome: { success: body.args },
        }),
      },
      { dataConverter: { payloadCodecs: [codec] } },
    );
    const handle = client.workflow.getHandle('order-1');
    expect(await run(handle.executeUpdate<string, [string]>('add', { args: ['secret'] }))).toBe('secret');
    expect(JSON.stringify(server.last.body.args)).not.toContain('secret');
  });
});
