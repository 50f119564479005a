// Batch jobs: one operation on many executions.

import type { BatchOperationInfo, ListBatchOperationsResponse } from '../../../wire/batch.ts';
import { unimplemented } from '../../statuses.ts';
import { invalid, Refused } from '../../validate/check.ts';
import { type Message, native, number, part, rpc, text } from '../rpc.ts';

const nothing = (): object => ({});

/** What may be done to many executions at once; what else this API names cannot. */
const UNKNOWN = [
  'resetOperation',
  'updateWorkflowOptionsOperation',
  'unpauseActivitiesOperation',
  'resetActivitiesOperation',
  'updateActivityOptionsOperation',
  'cancelActivitiesOperation',
  'terminateActivitiesOperation',
  'deleteActivitiesOperation',
];

const start = native(
  'startBatchOperation',
  (request) => ({ ...request, visibilityQuery: text(request, 'visibilityQuery') || undefined }),
  nothing,
);

export const StartBatchOperation = rpc((services, caller, request, call) => {
  const reset = part(request, 'resetOperation');
  if (request.resetOperation !== undefined && reset.options === undefined && number(reset, 'resetType') === 0)
    throw invalid('Reset type not set on request.');
  const asked = UNKNOWN.find((name) => request[name] !== undefined);
  if (asked !== undefined) throw new Refused(unimplemented(`This server has no batch operation ${asked} yet.`));
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
