// Batch jobs: one operation on every execution that a filter finds, or that a list names. Errors are those of the Temporal server.

import { DEFAULT_PER_SECOND, MAX_EXECUTIONS, MAX_PER_SECOND } from '../../core/batch/job.ts';
import { parseQuery, QueryError, schemaOf } from '../../core/visibility/index.ts';
import type { JobAnswer, JobAsk } from '../../ports/jobs.ts';
import type {
  BatchOperationInfo,
  BatchTarget,
  ListBatchOperationsRequest,
  ListBatchOperationsResponse,
  StartBatchOperationRequest,
  StopBatchOperationRequest,
} from '../../wire/batch.ts';
import { type Call, type Caller, method, type Services } from '../door.ts';
import { batchOperations, batchTarget } from '../validate/batch.ts';
import { bytes, defaulted, finite, integer, invalid, list, object, optional, string } from '../validate/check.ts';
import * as rules from '../validate/rules.ts';
import { MISSING, wanted } from './batch-operations.ts';
import { checkQuery, understood } from './visibility.ts';

const EMPTY = Object.freeze({});
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;

/** Executions are paged through in order of their start: only that does not change while they are operated on. */
function checkFilter(services: Services, namespace: string, query: string, call: Call, go: () => void): void {
  checkQuery(query);
  understood(services, { namespace, query }, call, (types) => {
    try {
      const { groupBy, order } = parseQuery(query, schemaOf(types));
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

function checkExecutions(services: Services, executions: readonly BatchTarget[]): void {
  if (executions.length > MAX_EXECUTIONS) {
    throw invalid(`A batch job takes ${MAX_EXECUTIONS} executions by name, not ${executions.length}: use a query.`);
  }
  for (const { workflowId, runId } of executions) {
    rules.workflowId(services.limits, workflowId);
    rules.runId(runId);
  }
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
    maxOperationsPerSecond: optional(finite),
    requestId: optional(string),
    ...batchOperations,
  }),
  (services, caller, request, call) => {
    checkJob(services, caller, request);
    const { namespace, jobId, reason, visibilityQuery: query = '', executions = [] } = request;
    if (reason === '' || (query === '' && executions.length === 0)) throw invalid(MISSING);
    if (query !== '' && executions.length > 0) throw invalid('A batch job takes a query or executions, not both.');
    rules.within(services.limits, 'Reason', reason);
    const { operation, identity } = wanted(services, request);
    checkExecutions(services, executions);
    const perSecond = request.maxOperationsPerSecond || DEFAULT_PER_SECOND;
    if (perSecond < 0) throw invalid('MaxOperationsPerSecond cannot be negative.');
    const order = {
      ...{ jobId, reason, identity, operation, requestId: request.requestId || services.random.uuid() },
      target: query === '' ? { executions } : { query },
      perSecond: Math.min(MAX_PER_SECOND, Math.max(1, Math.round(perSecond))),
    };
    const start = (): void => ask(services, namespace, { type: 'start', order }, call, () => EMPTY);
    if (query === '') start();
    else checkFilter(services, namespace, query, call, start);
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
