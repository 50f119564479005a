// Shapes of what is asked about batch jobs: from clients, and, taken apart already, from other nodes.

import type { JobOrder } from '../../core/batch/job.ts';
import type { BatchOperation } from '../../core/batch/operations.ts';
import type { JobAnswer, JobAsk } from '../../ports/jobs.ts';
import type { BatchOperationInfo, BatchOperations, BatchTarget } from '../../wire/batch.ts';
import { bytes, type Check, defaulted, enumeration, integer, list, object, optional, string } from './check.ts';
import * as common from './common.ts';

export const batchTarget = object<BatchTarget>({ workflowId: defaulted(string, ''), runId: optional(string) });

const by = { identity: optional(string) };

/** Which of them are set, and how many, is the method's to say. */
export const batchOperations = {
  terminationOperation: optional(
    object<NonNullable<BatchOperations['terminationOperation']>>({ details: optional(common.payloads), ...by }),
  ),
  deletionOperation: optional(object<NonNullable<BatchOperations['deletionOperation']>>(by)),
  cancellationOperation: optional(object<NonNullable<BatchOperations['cancellationOperation']>>(by)),
  signalOperation: optional(
    object<NonNullable<BatchOperations['signalOperation']>>({
      signal: defaulted(string, ''),
      input: optional(common.payloads),
      header: optional(common.header),
      ...by,
    }),
  ),
};

// ---------------------------------------------------------------- between nodes

const kind = object<{ type: string }>({ type: string });
const unknown = (what: string, type: string): Error =>
  new Error(`${what} ${type.slice(0, 64)} is none of this version`);

const terminated = object<{ details?: JobOrderDetails }>({ details: optional(common.payloads) });
type JobOrderDetails = Extract<BatchOperation, { type: 'terminate' }>['details'];
const signalled = object<Omit<Extract<BatchOperation, { type: 'signal' }>, 'type'>>({
  signalName: string,
  input: optional(common.payloads),
  header: optional(common.header),
});

const operation: Check<BatchOperation> = (value) => {
  const { type } = kind(value);
  switch (type) {
    case 'terminate':
      return { type, ...terminated(value) };
    case 'cancel':
    case 'delete':
      return { type };
    case 'signal':
      return { type, ...signalled(value) };
    default:
      throw unknown('the batch operation', type);
  }
};

const byQuery = object<{ query: string }>({ query: string });
const byName = object<{ executions: BatchTarget[] }>({ executions: list(batchTarget) });
const either = object<{ query?: unknown }>({ query: (value) => value });
const target: Check<JobOrder['target']> = (value) =>
  either(value).query === undefined ? byName(value) : byQuery(value);

const order = object<JobOrder>({
  jobId: string,
  requestId: string,
  reason: string,
  identity: string,
  operation,
  target,
  perSecond: integer,
});

const startAsk = object<{ order: JobOrder }>({ order });
const describeAsk = object<{ jobId: string }>({ jobId: string });
const listAsk = object<{ pageSize: number; after?: Uint8Array | undefined }>({
  pageSize: integer,
  after: optional(bytes),
});
const stopAsk = object<{ jobId: string; reason: string; identity: string }>({
  jobId: string,
  reason: string,
  identity: string,
});

export const jobAsk: Check<JobAsk> = (value) => {
  const { type } = kind(value);
  switch (type) {
    case 'start':
      return { type, ...startAsk(value) };
    case 'describe':
      return { type, ...describeAsk(value) };
    case 'list':
      return { type, ...listAsk(value) };
    case 'stop':
      return { type, ...stopAsk(value) };
    default:
      throw unknown('the question about batch jobs', type);
  }
};

const info = object<BatchOperationInfo>({
  operationType: enumeration(),
  jobId: string,
  state: enumeration(),
  startTime: integer,
  closeTime: optional(integer),
  totalOperationCount: integer,
  completeOperationCount: integer,
  failureOperationCount: integer,
  identity: string,
  reason: string,
  closeReason: optional(string),
});

export const jobAnswer = object<JobAnswer>({ jobs: list(info), next: optional(bytes) });
