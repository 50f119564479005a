import { describe, expect, it } from 'vitest';
import { EventType } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import { StatusCode } from '../../src/wire/status.ts';
import {
  ApplicationFailure,
  CancelledFailure,
  DefaultFailureConverter,
  defaultPayloadConverter,
  TerminatedFailure,
  TimeoutFailure,
} from '../common/index.ts';
import { closing, completed, payloads, setUp, started, target } from './client.test-support.ts';

describe('result', () => {
  it('is what the workflow returned, awaited with one request without time limit', async () => {
    const { client, server, run } = setUp({
      startWorkflowExecution: started,
      awaitWorkflowResult: completed({ paid: 7 }),
    });
    expect(await run(client.workflow.execute('order', target))).toEqual({ paid: 7 });
    expect(server.last).toMatchObject({
      method: 'awaitWorkflowResult',
      timeoutMs: 0,
      body: { namespace: 'ns', workflowId: 'order-1', runId: 'run-1', followRuns: true },
    });
  });

  it('survives a lost connection, and a server that limits the wait', async () => {
    let calls = 0;
    const { client, server, run } = setUp({
      awaitWorkflowResult: (body, { link }) => {
        calls++;
        if (calls === 1) link.drop();
        else if (calls === 2) return { code: StatusCode.DEADLINE_EXCEEDED, message: 'waited long enough' };
        else return completed('done')(body);
        return undefined;
      },
    });
    expect(await run(client.workflow.getHandle('order-1').result())).toBe('done');
    expect(server.links).toHaveLength(2);
  });

  it('honours the deadline of its caller', async () => {
    const { client, fails } = setUp({});
    const error = await fails(client.withDeadline(Date.now() + 100, () => client.workflow.getHandle('w').result()));
    expect(error).toMatchObject({ name: 'ServiceError', cause: { code: StatusCode.DEADLINE_EXCEEDED } });
  });

  it('follows runs, also when the server stopped at one of them', async () => {
    const { client, server, run } = setUp({
      awaitWorkflowResult: (body) => (body.runId === 'run-2' ? completed('end')(body) : completed('no', 'run-2')(body)),
    });
    expect(await run(client.workflow.getHandle('order-1', 'run-1').result())).toBe('end');
    expect(server.requests.map(({ body }) => body.runId)).toEqual(['run-1', 'run-2']);
  });

  it('stops at the first run when asked to', async () => {
    const continued = closing({
      eventType: EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
      attributes: {
        newExecutionRunId: 'run-2',
        workflowType: { name: 'x' },
        taskQueue: { name: 'q' },
        workflowTaskCompletedEventId: 4,
      },
    });
    const { client, fails } = setUp({ awaitWorkflowResult: continued });
    const handle = client.workflow.getHandle('order-1', undefined, { followRuns: false });
    expect(await fails(handle.result())).toMatchObject({ newExecutionRunId: 'run-2' });
  });

  it.each([
    [
      'failed',
      {
        eventType: EventType.WORKFLOW_EXECUTION_FAILED,
        attributes: {
          failure: new DefaultFailureConverter().errorToFailure(
            ApplicationFailure.create({ message: 'no tea', type: 'OutOfStock', cause: new Error('empty shelf') }),
            defaultPayloadConverter,
          ),
          retryState: 5,
          workflowTaskCompletedEventId: 8,
        },
      },
      ApplicationFailure,
      {
        message: 'Workflow execution failed',
        retryState: 'RETRY_POLICY_NOT_SET',
        cause: { type: 'OutOfStock', cause: { message: 'empty shelf' } },
      },
    ],
    [
      'cancelled',
      {
        eventType: EventType.WORKFLOW_EXECUTION_CANCELED,
        attributes: { details: payloads('d'), workflowTaskCompletedEventId: 8 },
      },
      CancelledFailure,
      { message: 'Workflow execution cancelled', cause: { details: ['d'] } },
    ],
    [
      'terminated',
      { eventType: EventType.WORKFLOW_EXECUTION_TERMINATED, attributes: { reason: 'enough' } },
      TerminatedFailure,
      { message: 'enough', retryState: 'NON_RETRYABLE_FAILURE' },
    ],
    [
      'timed out',
      { eventType: EventType.WORKFLOW_EXECUTION_TIMED_OUT, attributes: { retryState: 3 } },
      TimeoutFailure,
      { message: 'Workflow execution timed out', retryState: 'TIMEOUT' },
    ],
  ] as [string, Partial<HistoryEvent>, new (...args: never[]) => Error, object][])(
    'of a workflow that %s is an error with the reason',
    async (_how, event, cause, expected) => {
      const { client, fails } = setUp({ awaitWorkflowResult: closing(event) });
      const error = (await fails(client.workflow.getHandle('order-1').result())) as Error;
      expect(error).toMatchObject({ name: 'WorkflowFailedError', ...expected });
      expect(error.cause).toBeInstanceOf(cause);
    },
  );

  it('of an unknown workflow is WorkflowNotFoundError', async () => {
    const status = { code: StatusCode.NOT_FOUND, message: 'no such workflow' };
    const { client, fails } = setUp({ awaitWorkflowResult: () => status });
    expect(await fails(client.workflow.getHandle('w', 'r').result())).toMatchObject({
      name: 'WorkflowNotFoundError',
      workflowId: 'w',
      runId: 'r',
    });
  });
});
