// Batch jobs: one operation on many executions.

import { StatusCode } from '../../../wire/status.ts';
import { altered } from '../altered-call.ts';
import { type Message, mask, nameIn, native, nothing, part, type Rpc, text } from '../rpc.ts';
import { postResetOperations } from './executions.ts';
import { refuseTimeSkipping } from './start.ts';

/** An operation as the native door has it: masks as lists, queues by name. */
function operation(asked: Message): Message {
  const options = part(asked, 'activityOptions');
  refuseTimeSkipping(part(asked, 'workflowExecutionOptions'));
  return {
    ...asked,
    updateMask: mask(asked, 'updateMask'),
    activityOptions:
      asked.activityOptions === undefined ? undefined : { ...options, taskQueue: nameIn(options, 'taskQueue') },
  };
}

const MASKED = ['updateWorkflowOptionsOperation', 'updateActivityOptionsOperation'];

function body(request: Message): Message {
  const masked = MASKED.filter((name) => request[name] !== undefined);
  const operations: Message = Object.fromEntries(masked.map((name) => [name, operation(part(request, name))]));
  const reset = part(request, 'resetOperation');
  if (request.resetOperation !== undefined)
    operations.resetOperation = { ...reset, postResetOperations: postResetOperations(reset) };
  return { ...request, ...operations, visibilityQuery: text(request, 'visibilityQuery') || undefined };
}

export const StartBatchOperation = native('startBatchOperation', body, nothing);

const plainDescribe = native('describeBatchOperation', undefined, ({ closeReason: _, ...info }) => info);

/** A job that is not there is a workflow that is not, as the reference server has it. */
export const DescribeBatchOperation: Rpc = {
  ...plainDescribe,
  run: (services, caller, request, call) =>
    plainDescribe.run(
      services,
      caller,
      request,
      altered(call, {
        refuse: (status) => {
          const isMissing = status.code === StatusCode.NOT_FOUND && status.detail?.kind === 'NotFound';
          const message = `workflow not found for ID: ${text(request, 'jobId').slice(0, 100)}`;
          call.refuse(isMissing ? { ...status, message } : status);
        },
      }),
    ),
};
export const StopBatchOperation = native('stopBatchOperation', undefined, nothing);
export const ListBatchOperations = native('listBatchOperations', undefined, (reply) => ({
  operationInfo: reply.operationInfo,
  nextPageToken: reply.nextPageToken,
}));
