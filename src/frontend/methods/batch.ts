// Batch jobs: one operation on every execution that a filter finds, or that a list names. Errors are those of the Temporal server.

import { DEFAULT_PER_SECOND, MAX_EXECUTIONS, MAX_PER_SECOND } from '../../core/batch/job.ts';
import { searchedFor } from '../../core/batch/operations.ts';
import { parseQuery, QueryError, searchedSchema } from '../../core/visibility/index.ts';
import type { JobAnswer, JobAsk } from '../../ports/jobs.ts';
import { activityAddress } from '../../wire/activity-address.ts';
import type {
  BatchExecution,
  BatchOperationInfo,
  BatchTarget,
  ListBatchOperationsRequest,
  ListBatchOperationsResponse,
  StartBatchOperationRequest,
  StopBatchOperationRequest,
} from '../../wire/batch.ts';
import { ExecutionType } from '../../wire/enums.ts';
import { type Call, type Caller, method, type Services } from '../door.ts';
import { batchExecution, batchOperations, batchTarget } from '../validate/batch.ts';
import { bytes, defaulted, finite, integer, invalid, list, object, optional, string } from '../validate/check.ts';
import * as rules from '../validate/rules.ts';
import { MISSING, wanted } from './batch-operations.ts';
import { checkQuery, understood } from './visibility.ts';

const EMPTY = Object.freeze({});
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;

interface Sought {
  namespace: string;
  query: string;
  of?: 'activities';
}

/** Executions are paged through in order of their start: only that does not change while they are operated on. */
function checkFilter(services: Services, sought: Sought, call: Call, go: () => void): void {
  const { query, of } = sought;
  checkQuery(query);
  understood(services, sought, call, (types) => {
    try {
      const { groupBy, order } = parseQuery(query, searchedSchema(of, types));
      if (groupBy !== undefined || order.length > 0)
        throw new QueryError('The query of a batch job takes neither ORDER BY nor GROUP BY');
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      call.refuse(invalid(`invalid query: ${error.message}`).status);
      return;
    }
    go();
  });
}

/** Those that were named, by the addresses of their actors. Throws Refused. */
function named(services: Services, executions: readonly BatchTarget[], of: 'activities' | undefined): BatchTarget[] {
  if (executions.length > MAX_EXECUTIONS) {
    throw invalid(`A batch job takes ${MAX_EXECUTIONS} executions by name, not ${executions.length}: use a query.`);
  }
  return executions.map(({ workflowId, runId }) => {
    if (of === undefined) rules.workflowId(services.limits, workflowId);
    else rules.present(services.limits, 'ActivityId', workflowId);
    rules.runId(runId);
    return { workflowId: of === undefined ? workflowId : activityAddress(workflowId), runId };
  });
}

/** The newer way to name them: each must be what the operation is for. */
function meant(executions: readonly BatchExecution[], of: 'activities' | undefined): BatchTarget[] {
  const [type, what] =
    of === undefined
      ? [ExecutionType.WORKFLOW, 'for workflows']
      : [ExecutionType.ACTIVITY, 'for activities without a workflow'];
  return executions.map((execution, i) => {
    if (execution.type !== type) {
      throw invalid(`target_executions[${i}] has type ${execution.type}, and the operation is ${what}: type ${type}.`);
    }
    return { workflowId: execution.businessId, runId: execution.runId };
  });
}

function ask(services: Services, namespace: string, asked: JobAsk, call: Call, reply: (answer: JobAnswer) => object) {
  services.engine.jobs(namespace, asked, (error, answer) => {
    if (error !== undefined) call.refuse(error);
    else if (answer !== undefined) call.reply(reply(answer));
  });
}

function checkJob(services: Services, caller: Caller, { namespace, jobId }: { namespace: string; jobId: string }) {
  rules.namespace(services, caller, namespace);
  rules.present(services.limits, 'JobId', jobId);
}

export const startBatchOperation = method(
  object<StartBatchOperationRequest & { requestId?: string | undefined }>({
    namespace: defaulted(string, ''),
    jobId: defaulted(string, ''),
    reason: defaulted(string, ''),
    visibilityQuery: optional(string),
    executions: optional(list(batchTarget)),
    targetExecutions: optional(list(batchExecution)),
    maxOperationsPerSecond: optional(finite),
    requestId: optional(string),
    ...batchOperations,
  }),
  (services, caller, request, call) => {
    checkJob(services, caller, request);
    const { namespace, jobId, reason, visibilityQuery: query = '', executions = [], targetExecutions = [] } = request;
    const ways = [query !== '', executions.length > 0, targetExecutions.length > 0].filter((isGiven) => isGiven).length;
    if (reason === '' || ways === 0) throw invalid(MISSING);
    if (ways > 1) throw invalid('A batch job takes a query, executions or target executions, and not two of them.');
    rules.within(services.limits, 'Reason', reason);
    const { operation, identity } = wanted(services, request);
    const of = searchedFor(operation);
    const targets = named(services, executions.length > 0 ? executions : meant(targetExecutions, of), of);
    const perSecond = request.maxOperationsPerSecond || DEFAULT_PER_SECOND;
    if (perSecond < 0) throw invalid('MaxOperationsPerSecond cannot be negative.');
    const order = {
      ...{ jobId, reason, identity, operation, requestId: request.requestId || services.random.uuid() },
      target: query === '' ? { executions: targets } : { query },
      perSecond: Math.min(MAX_PER_SECOND, Math.max(1, Math.round(perSecond))),
    };
    const start = (): void => ask(services, namespace, { type: 'start', order }, call, () => EMPTY);
    if (query === '') start();
    else checkFilter(services, { namespace, query, ...(of && { of }) }, call, start);
  },
);

const only = ({ jobs }: JobAnswer): BatchOperationInfo => {
  const [job] = jobs;
  if (job === undefined) throw new Error('an engine described no batch job');
  return job;
};

export const describeBatchOperation = method(
  object<{ namespace: string; jobId: string }>({ namespace: defaulted(string, ''), jobId: defaulted(string, '') }),
  (services, caller, request, call) => {
    checkJob(services, caller, request);
    ask(services, request.namespace, { type: 'describe', jobId: request.jobId }, call, only);
  },
);

export const listBatchOperations = method(
  object<ListBatchOperationsRequest>({
    namespace: defaulted(string, ''),
    pageSize: optional(integer),
    nextPageToken: optional(bytes),
  }),
  (services, caller, { namespace, pageSize = 0, nextPageToken }, call) => {
    rules.namespace(services, caller, namespace);
    if (pageSize < 0) throw invalid('PageSize cannot be negative.');
    const after = nextPageToken?.length === 0 ? undefined : nextPageToken;
    const asked = { type: 'list', pageSize: Math.min(pageSize || DEFAULT_PAGE, MAX_PAGE), after } as const;
    ask(services, namespace, asked, call, ({ jobs, next }): ListBatchOperationsResponse => {
      return { operationInfo: jobs, nextPageToken: next };
    });
  },
);

export const stopBatchOperation = method(
  object<StopBatchOperationRequest>({
    namespace: defaulted(string, ''),
    jobId: defaulted(string, ''),
    reason: defaulted(string, ''),
    identity: optional(string),
  }),
  (services, caller, request, call) => {
    checkJob(services, caller, request);
    const { namespace, jobId, reason, identity = '' } = request;
    rules.present(services.limits, 'Reason', reason);
    ask(services, namespace, { type: 'stop', jobId, reason, identity }, call, () => EMPTY);
  },
);
