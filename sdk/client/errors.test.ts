// Every error of a call about a workflow says which workflow, and which run where that is known.
import { describe, expect, it } from 'vitest';
import { EventType, WorkflowExecutionStatus } from '../../src/wire/enums.ts';
import { StatusCode } from '../../src/wire/status.ts';
import { closing, setUp, target } from './client.test-support.ts';
import type { Client } from './index.ts';

const WORKFLOW = { workflowId: 'order-1', runId: 'run-7' };
const handle = (client: Client) => client.workflow.getHandle('order-1', 'run-7');
const failed = closing({
  eventType: EventType.WORKFLOW_EXECUTION_TERMINATED,
  attributes: { reason: 'enough', identity: 'me' },
});
const CALLS: readonly (readonly [what: string, call: (client: Client) => Promise<unknown>])[] = [
  ['signal', (client) => handle(client).signal('s')],
  ['query', (client) => handle(client).query('q')],
  ['cancel', (client) => handle(client).cancel()],
  ['terminate', (client) => handle(client).terminate()],
  ['describe', (client) => handle(client).describe()],
  ['fetchHistory', (client) => handle(client).fetchHistory()],
  ['result', (client) => handle(client).result()],
];

/** The same answer whatever is asked. */
const always = (answer: unknown) => new Proxy({}, { get: () => () => answer });

describe('a call that the server refuses', () => {
  it.each(CALLS)('%s: names the workflow and the run', async (_, call) => {
    for (const [status, name] of [
      [{ code: StatusCode.NOT_FOUND, message: 'gone', detail: { kind: 'NotFound' } }, 'WorkflowNotFoundError'],
      [{ code: StatusCode.FAILED_PRECONDITION, message: 'not now' }, 'ServiceError'],
    ] as const) {
      const { client, fails } = setUp(always(status));
      expect(await fails(call(client))).toMatchObject({ name, ...WORKFLOW });
    }
  });

  it('start: names the workflow, and the run that has its id', async () => {
    const taken = {
      code: StatusCode.ALREADY_EXISTS,
      message: 'taken',
      detail: { kind: 'WorkflowExecutionAlreadyStarted', runId: 'run-3', startRequestId: 'r' },
    };
    for (const status of [taken, { code: StatusCode.INVALID_ARGUMENT, message: 'no' }]) {
      const { client, fails } = setUp(always(status));
      const error = await fails(client.workflow.start('order', target));
      expect(error).toMatchObject({ workflowId: 'order-1' });
      if (status === taken) expect(error).toMatchObject({ runId: 'run-3' });
    }
  });

  it('list: names no workflow, since it is about none', async () => {
    const { client, fails } = setUp(always({ code: StatusCode.INVALID_ARGUMENT, message: 'no filter' }));
    const error = await fails(client.workflow.list({ query: 'x' })[Symbol.asyncIterator]().next());
    expect(error).toMatchObject({ name: 'ServiceError' });
    expect(error).not.toHaveProperty('workflowId');
  });
});

describe('a workflow that did not complete', () => {
  it('is named with the run that ended, and how', async () => {
    const { client, fails } = setUp({ awaitWorkflowResult: () => ({ ...(failed({}) as object), runId: 'run-9' }) });
    const error = await fails(client.workflow.getHandle('order-1').result());
    expect(error).toMatchObject({ name: 'WorkflowFailedError', workflowId: 'order-1', runId: 'run-9' });
    expect(error).toMatchObject({ status: 'TERMINATED', cause: { message: 'enough' } });
  });
});

describe('a query', () => {
  it('that is refused or fails names its workflow', async () => {
    const { COMPLETED } = WorkflowExecutionStatus;
    for (const [answer, name] of [
      [{ queryRejected: { status: COMPLETED } }, 'QueryRejectedError'],
      [{ code: StatusCode.INVALID_ARGUMENT, message: 'no handler' }, 'QueryNotRegisteredError'],
    ] as const) {
      const { client, fails } = setUp(always(answer));
      expect(await fails(handle(client).query('q'))).toMatchObject({ name, ...WORKFLOW });
    }
  });
});

describe('an activity completed from outside', () => {
  it('is named by its ids, if it was', async () => {
    const { client, fails } = setUp(always({ code: StatusCode.NOT_FOUND, message: 'gone' }));
    const ids = { workflowId: 'order-1', activityId: 'a' };
    expect(await fails(client.activity.complete(ids, 1))).toMatchObject({ name: 'ActivityNotFoundError', ...ids });
    const byToken = await fails(client.activity.complete(Uint8Array.of(1), 1));
    expect(byToken).toMatchObject({ name: 'ActivityNotFoundError' });
    expect(byToken).not.toHaveProperty('workflowId');
  });
});
