// Batch jobs: one operation on many executions.

import type { BatchOperationInfo, ListBatchOperationsResponse } from '../../../wire/batch.ts';
import { type Message, nameIn, native, part, text } from '../rpc.ts';
import { postResetOperations } from './executions.ts';

const nothing = (): object => ({});

/** An operation as the native door has it: masks as lists, queues by name. */
function operation(asked: Message): Message {
  const options = part(asked, 'activityOptions');
  return {
    ...asked,
    updateMask: asked.updateMask === undefined ? undefined : part(asked, 'updateMask').paths,
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

/** The method's answer. */
const described = (reply: Message): Message => {
  const { closeReason: _, ...info } = reply as unknown as BatchOperationInfo;
  return { ...info };
};

export const DescribeBatchOperation = native('describeBatchOperation', undefined, described);
export const StopBatchOperation = native('stopBatchOperation', undefined, nothing);
export const ListBatchOperations = native('listBatchOperations', undefined, (reply) => {
  const { operationInfo, nextPageToken } = reply as unknown as ListBatchOperationsResponse;
  return { operationInfo, nextPageToken };
});
