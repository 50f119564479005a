// What calls of the API's services send: ids that their callers leave out are made up, so that a repeat counts once.

import proto from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import type { CallServiceRequest } from '../../src/wire/server.ts';
import { apiService, type WorkflowService } from './api-service.ts';

const SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';
const { workflowservice } = proto.temporal.api;
const UUID = /^[0-9a-f-]{36}$/;

function recorded() {
  const sent: CallServiceRequest[] = [];
  const service = apiService<WorkflowService>(SERVICE, async (request) => {
    sent.push(request);
    return { response: new Uint8Array(0) };
  });
  return { service, last: () => sent.at(-1)?.request ?? new Uint8Array(0) };
}

const meta = { identity: 'me' };

describe('a call without ids', () => {
  it('of a start gets a request id', async () => {
    const { service, last } = recorded();
    await service.startWorkflowExecution({ workflowId: 'w' });
    expect(workflowservice.v1.StartWorkflowExecutionRequest.decode(last()).requestId).toMatch(UUID);
    await service.startWorkflowExecution({ workflowId: 'w', requestId: 'mine' });
    expect(workflowservice.v1.StartWorkflowExecutionRequest.decode(last()).requestId).toBe('mine');
  });

  it('of an update gets an update id', async () => {
    const { service, last } = recorded();
    await service.updateWorkflowExecution({ request: { meta, input: { name: 'u' } } });
    const { request } = workflowservice.v1.UpdateWorkflowExecutionRequest.decode(last());
    expect(request).toMatchObject({
      meta: { identity: 'me', updateId: expect.stringMatching(UUID) },
      input: { name: 'u' },
    });
    await service.updateWorkflowExecution({ request: { meta: { updateId: 'mine' } } });
    expect(workflowservice.v1.UpdateWorkflowExecutionRequest.decode(last()).request?.meta?.updateId).toBe('mine');
    // The server says what is missing.
    await service.updateWorkflowExecution({ namespace: 'n' });
    expect(workflowservice.v1.UpdateWorkflowExecutionRequest.decode(last()).request).toBeNull();
  });

  it('of both at once gets both', async () => {
    const { service, last } = recorded();
    const operations = [{ startWorkflow: { workflowId: 'w' } }, { updateWorkflow: { request: { meta } } }];
    await service.executeMultiOperation({ namespace: 'n', operations });
    const sent = workflowservice.v1.ExecuteMultiOperationRequest.decode(last());
    expect(sent.namespace).toBe('n');
    expect(sent.operations[0]?.startWorkflow).toMatchObject({
      workflowId: 'w',
      requestId: expect.stringMatching(UUID),
    });
    expect(sent.operations[1]?.updateWorkflow?.request?.meta?.updateId).toMatch(UUID);
  });
});
