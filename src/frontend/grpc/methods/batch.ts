// Batch jobs: one operation on many executions.

import type { BatchOperationInfo, ListBatchOperationsResponse } from '../../../wire/batch.ts';
import { unimplemented } from '../../statuses.ts';
import { Refused } from '../../validate/check.ts';
import { type Message, nameIn, native, part, rpc, text } from '../rpc.ts';

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
  const operations = Object.fromEntries(masked.map((name) => [name, operation(part(request, name))]));
  return { ...request, ...operations, visibilityQuery: text(request, 'visibilityQuery') || undefined };
}

const start = native('startBatchOperation', body, nothing);

/** A reset's `postResetOperations` are refused, not left out: who asks for them relies on them. */
export const StartBatchOperation = rpc((services, caller, request, call) => {
  const { postResetOperations } = part(request, 'resetOperation');
  if (Array.isArray(postResetOperations) && postResetOperations.length > 0)
    throw new Refused(unimplemented('This server has no operations after a reset yet.'));
  start.run(services, caller, request, call);
});

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
