// Shapes of what is asked about batch jobs: from clients, and, taken apart already, from other nodes.

import type { JobOrder } from '../../core/batch/job.ts';
import type { BatchOperation, BatchResetPoint } from '../../core/batch/operations.ts';
import type { JobAnswer, JobAsk } from '../../ports/jobs.ts';
import type {
  BatchActivities,
  BatchExecution,
  BatchOperationInfo,
  BatchOperations,
  BatchTarget,
  ResetOptions,
} from '../../wire/batch.ts';
import { activities, askedChange, jitter, optionsChange } from './activity-choice.ts';
import {
  boolean,
  bytes,
  type Check,
  defaulted,
  enumeration,
  integer,
  list,
  object,
  optional,
  string,
} from './check.ts';
import * as common from './common.ts';
import { executionOptions, executionOptionsChange } from './execution-options.ts';
import { afterwards, postResetOperation } from './post-reset.ts';

export const batchTarget = object<BatchTarget>({ workflowId: defaulted(string, ''), runId: optional(string) });

export const batchExecution = object<BatchExecution>({
  type: defaulted(enumeration(), 0),
  businessId: defaulted(string, ''),
  runId: optional(string),
});

const by = { identity: optional(string) };
const something = object<object>({});
const byAndWhy = object<NonNullable<BatchOperations['cancelActivitiesOperation']>>({ ...by, reason: optional(string) });
const ofActivities = {
  ...by,
  activityId: optional(string),
  type: optional(string),
  matchAll: optional(boolean),
};

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
  resetOperation: optional(
    object<NonNullable<BatchOperations['resetOperation']>>({
      options: optional(
        object<ResetOptions>({
          firstWorkflowTask: optional(something),
          lastWorkflowTask: optional(something),
          workflowTaskId: optional(integer),
          buildId: optional(string),
          currentRunOnly: optional(boolean),
          resetReapplyType: optional(enumeration()),
          resetReapplyExcludeTypes: optional(list(enumeration())),
        }),
      ),
      resetType: optional(integer),
      resetReapplyType: optional(enumeration()),
      postResetOperations: optional(list(postResetOperation)),
      ...by,
    }),
  ),
  updateWorkflowOptionsOperation: optional(
    object<NonNullable<BatchOperations['updateWorkflowOptionsOperation']>>({
      workflowExecutionOptions: optional(executionOptions),
      updateMask: optional(list(string)),
      ...by,
    }),
  ),
  pauseWorkflowOperation: optional(object<NonNullable<BatchOperations['pauseWorkflowOperation']>>(by)),
  unpauseWorkflowOperation: optional(object<NonNullable<BatchOperations['unpauseWorkflowOperation']>>(by)),
  pauseActivitiesOperation: optional(object<BatchActivities>(ofActivities)),
  unpauseActivitiesOperation: optional(
    object<NonNullable<BatchOperations['unpauseActivitiesOperation']>>({
      ...ofActivities,
      resetAttempts: optional(boolean),
      resetHeartbeat: optional(boolean),
      jitter: optional(integer),
    }),
  ),
  resetActivitiesOperation: optional(
    object<NonNullable<BatchOperations['resetActivitiesOperation']>>({
      ...ofActivities,
      resetAttempts: optional(boolean),
      resetHeartbeat: optional(boolean),
      keepPaused: optional(boolean),
      restoreOriginalOptions: optional(boolean),
      jitter: optional(integer),
    }),
  ),
  updateActivityOptionsOperation: optional(
    object<NonNullable<BatchOperations['updateActivityOptionsOperation']>>({ ...ofActivities, ...askedChange }),
  ),
  cancelActivitiesOperation: optional(byAndWhy),
  terminateActivitiesOperation: optional(byAndWhy),
  deleteActivitiesOperation: optional(something),
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

const at = object<{ at: string }>({ at: string });
const ofEvent = object<{ eventId: number }>({ eventId: integer });
const ofBuild = object<{ buildId: string; currentRunOnly: boolean }>({ buildId: string, currentRunOnly: boolean });
const point: Check<BatchResetPoint> = (value) => {
  const { at: where } = at(value);
  switch (where) {
    case 'firstWorkflowTask':
    case 'lastWorkflowTask':
      return { at: where };
    case 'event':
      return { at: where, ...ofEvent(value) };
    case 'build':
      return { at: where, ...ofBuild(value) };
    default:
      throw unknown('the point of a reset', where);
  }
};

/** Of one kind, without its name, which has been read. */
type Rest<T extends BatchOperation['type']> = Omit<Extract<BatchOperation, { type: T }>, 'type'>;

const resets = object<Rest<'reset'>>({ point, exclude: list(enumeration()), afterwards });
const activitiesPaused = object<Rest<'pauseActivities'>>({ activities });
const activitiesUnpaused = object<Rest<'unpauseActivities'>>({
  ...{ activities, ...jitter },
  ...{ resetAttempts: boolean, resetHeartbeats: boolean },
});
const activitiesReset = object<Rest<'resetActivities'>>({
  ...{ activities, ...jitter },
  ...{ resetHeartbeats: boolean, keepPaused: boolean, restoreOriginalOptions: boolean },
});
const because = object<{ reason: string }>({ reason: string });
const activitiesChanged = object<Rest<'updateActivityOptions'>>({ activities, change: optionsChange });

const operation: Check<BatchOperation> = (value) => {
  const { type } = kind(value);
  switch (type) {
    case 'terminate':
      return { type, ...terminated(value) };
    case 'cancel':
    case 'delete':
    case 'pauseWorkflow':
    case 'unpauseWorkflow':
    case 'deleteStandalone':
      return { type };
    case 'cancelStandalone':
    case 'terminateStandalone':
      return { type, ...because(value) };
    case 'signal':
      return { type, ...signalled(value) };
    case 'reset':
      return { type, ...resets(value) };
    case 'updateOptions':
      return { type, ...executionOptionsChange(value) };
    case 'pauseActivities':
      return { type, ...activitiesPaused(value) };
    case 'unpauseActivities':
      return { type, ...activitiesUnpaused(value) };
    case 'resetActivities':
      return { type, ...activitiesReset(value) };
    case 'updateActivityOptions':
      return { type, ...activitiesChanged(value) };
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
    case 'forget':
      return { type };
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
  query: optional(string),
  closeReason: optional(string),
});

export const jobAnswer = object<JobAnswer>({ jobs: list(info), next: optional(bytes) });
