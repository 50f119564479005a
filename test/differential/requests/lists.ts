// Of lists of executions, and of what is done to many of them.

import type { Plain } from '../side.ts';
import { on, open } from './made.ts';
import { identity, namespace, queryOf, simple, type Template, type Templates } from './template.ts';

const lists =
  (more: Plain = {}): Template =>
  (pair) => ({ request: { namespace, query: queryOf(pair), pageSize: 10, ...more } });

export const LISTS_REQUESTS: Templates = {
  ListOpenWorkflowExecutions: (pair) => ({
    request: {
      namespace,
      maximumPageSize: 10,
      executionFilter: { workflowId: pair.fresh('nobody') },
      startTimeFilter: {},
    },
  }),
  ListClosedWorkflowExecutions: (pair) => ({
    request: {
      namespace,
      maximumPageSize: 10,
      executionFilter: { workflowId: pair.fresh('nobody') },
      startTimeFilter: {},
    },
  }),
  ListWorkflowExecutions: lists(),
  ListArchivedWorkflowExecutions: lists(),
  ScanWorkflowExecutions: lists(),
  CountWorkflowExecutions: lists(),
  StartBatchOperation: (pair) => {
    const jobId = pair.fresh('job');
    const request = {
      namespace,
      jobId,
      visibilityQuery: queryOf(pair),
      reason: 'why',
      terminationOperation: { identity },
    };
    return { request };
  },
  StopBatchOperation: (pair) => ({ request: { namespace, identity, jobId: pair.fresh('job'), reason: 'why' } }),
  DescribeBatchOperation: (pair) => ({ request: { namespace, jobId: pair.fresh('job') } }),
  ListBatchOperations: simple({ namespace, pageSize: 1, nextPageToken: Buffer.from('garbage') }),
  CreateWorkflowRule: simple({ namespace, spec: { id: 'r' } }),
  DescribeWorkflowRule: simple({ namespace, ruleId: 'r' }),
  DeleteWorkflowRule: simple({ namespace, ruleId: 'r' }),
  ListWorkflowRules: simple({ namespace }),
  TriggerWorkflowRule: on(open, 'execution', () => ({ id: 'r' })),
};
