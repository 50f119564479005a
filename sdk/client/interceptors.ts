// Hooks around a workflow client's calls: the first interceptor is the outermost; each goes on by calling `next`.

import type { UpdateOutcome } from '../../src/wire/common.ts';
import type { DescribeWorkflowExecutionResponse } from '../../src/wire/execution-info.ts';
import type { QueryRejectCondition } from '../common/enums.ts';
import type { Headers, Next } from '../common/interceptors.ts';
import type { ActivityClientInterceptor } from './activity-interceptors.ts';
import type { CompiledScheduleOptions } from './schedule-types.ts';
import type { WorkflowExecution } from './types.ts';
import type { WorkflowUpdateStage } from './update-stage.ts';
import type { WorkflowOptionsUpdate, WorkflowOptionsUpdateResult } from './workflow-execution-options.ts';
import type { CompiledWorkflowOptions } from './workflow-options.ts';

export type { Headers, Next } from '../common/interceptors.ts';

export interface WorkflowStartInput {
  readonly workflowType: string;
  readonly headers: Headers;
  readonly options: CompiledWorkflowOptions;
}

export interface WorkflowStartOutput {
  readonly runId: string;
  /** Always false: tasks are pushed to workers, a start has none to hand back. */
  readonly eagerlyStarted: boolean;
  /** Of the workflow that a singleton with `useExisting` met; absent: the one that was asked for. */
  readonly workflowId?: string | undefined;
}

export interface WorkflowSignalInput {
  readonly signalName: string;
  readonly args: readonly unknown[];
  readonly workflowExecution: WorkflowExecution;
  readonly headers: Headers;
}

export interface WorkflowSignalWithStartInput {
  readonly workflowType: string;
  readonly signalName: string;
  readonly signalArgs: readonly unknown[];
  readonly headers: Headers;
  readonly options: CompiledWorkflowOptions;
}

export interface WorkflowQueryInput {
  readonly queryType: string;
  readonly args: readonly unknown[];
  readonly workflowExecution: WorkflowExecution;
  readonly queryRejectCondition?: QueryRejectCondition | undefined;
  readonly headers: Headers;
}

export interface WorkflowTerminateInput {
  readonly workflowExecution: WorkflowExecution;
  readonly reason?: string | undefined;
  readonly details?: readonly unknown[] | undefined;
  readonly firstExecutionRunId?: string | undefined;
}

export interface WorkflowCancelInput {
  readonly workflowExecution: WorkflowExecution;
  readonly reason?: string | undefined;
  readonly firstExecutionRunId?: string | undefined;
}

export interface WorkflowUpdateOptionsInput {
  readonly workflowExecution: WorkflowExecution;
  readonly options: WorkflowOptionsUpdate;
}

export interface WorkflowDescribeInput {
  readonly workflowExecution: WorkflowExecution;
}

export interface WorkflowStartUpdateInput {
  readonly updateName: string;
  readonly args: readonly unknown[];
  readonly workflowExecution: WorkflowExecution;
  readonly firstExecutionRunId?: string | undefined;
  readonly headers: Headers;
  readonly options: { readonly updateId: string; readonly waitForStage: WorkflowUpdateStage };
}

export interface WorkflowStartUpdateOutput {
  readonly updateId: string;
  readonly workflowRunId: string;
  /** Absent while it is not completed. */
  readonly outcome?: UpdateOutcome | undefined;
}

export interface WorkflowStartUpdateWithStartInput {
  readonly workflowType: string;
  readonly workflowStartOptions: CompiledWorkflowOptions;
  readonly workflowStartHeaders: Headers;
  readonly updateName: string;
  readonly updateArgs: readonly unknown[];
  readonly updateOptions: { readonly updateId: string; readonly waitForStage: WorkflowUpdateStage };
  readonly updateHeaders: Headers;
}

export interface WorkflowStartUpdateWithStartOutput {
  readonly workflowExecution: { readonly workflowId: string; readonly runId: string };
  readonly updateId: string;
  /** Absent while it is not completed. */
  readonly updateOutcome?: UpdateOutcome | undefined;
}

/** Implement any of these. */
export interface WorkflowClientInterceptor {
  /** @deprecated Implement {@link startWithDetails}; this is called only where that is missing. Returns the run id. */
  start?(input: WorkflowStartInput, next: (input: WorkflowStartInput) => Promise<string>): Promise<string>;
  /** Around every start. Most likely {@link signalWithStart} needs the same. */
  startWithDetails?(
    input: WorkflowStartInput,
    next: Next<WorkflowClientInterceptor, 'startWithDetails'>,
  ): Promise<WorkflowStartOutput>;
  signal?(input: WorkflowSignalInput, next: Next<WorkflowClientInterceptor, 'signal'>): Promise<void>;
  /** Returns the run id. */
  signalWithStart?(
    input: WorkflowSignalWithStartInput,
    next: Next<WorkflowClientInterceptor, 'signalWithStart'>,
  ): Promise<string>;
  startUpdate?(
    input: WorkflowStartUpdateInput,
    next: Next<WorkflowClientInterceptor, 'startUpdate'>,
  ): Promise<WorkflowStartUpdateOutput>;
  startUpdateWithStart?(
    input: WorkflowStartUpdateWithStartInput,
    next: Next<WorkflowClientInterceptor, 'startUpdateWithStart'>,
  ): Promise<WorkflowStartUpdateWithStartOutput>;
  query?(input: WorkflowQueryInput, next: Next<WorkflowClientInterceptor, 'query'>): Promise<unknown>;
  terminate?(input: WorkflowTerminateInput, next: Next<WorkflowClientInterceptor, 'terminate'>): Promise<object>;
  cancel?(input: WorkflowCancelInput, next: Next<WorkflowClientInterceptor, 'cancel'>): Promise<object>;
  updateOptions?(
    input: WorkflowUpdateOptionsInput,
    next: Next<WorkflowClientInterceptor, 'updateOptions'>,
  ): Promise<WorkflowOptionsUpdateResult>;
  describe?(
    input: WorkflowDescribeInput,
    next: Next<WorkflowClientInterceptor, 'describe'>,
  ): Promise<DescribeWorkflowExecutionResponse>;
}

export interface CreateScheduleInput {
  readonly options: CompiledScheduleOptions;
  readonly headers: Headers;
}

export interface CreateScheduleOutput {
  readonly conflictToken: Uint8Array;
}

/** Around a schedule client's calls. */
export interface ScheduleClientInterceptor {
  create?(input: CreateScheduleInput, next: Next<ScheduleClientInterceptor, 'create'>): Promise<CreateScheduleOutput>;
}

/**
 * Around operations of Nexus that a client calls itself, which this server does not have (`client.nexus` says so): taken, and never called.
 * Operations that workflows call have interceptors of the workflow, those that a worker handles have interceptors of the worker.
 */
export type NexusClientInterceptor = {
  [M in 'startOperation' | 'getResult' | 'describe' | 'cancel' | 'terminate' | 'list' | 'count']?: (
    input: never,
    next: never,
  ) => unknown;
};

/** Interceptors of all of a client's parts. */
export interface ClientInterceptors {
  nexus?: NexusClientInterceptor[] | undefined;
  activity?: ActivityClientInterceptor[] | undefined;
  schedule?: ScheduleClientInterceptor[] | undefined;
  workflow?: WorkflowClientInterceptor[] | undefined;
}

/** Gives interceptors that implement only the older `start` a `startWithDetails`. */
export function adaptStart(interceptor: WorkflowClientInterceptor): WorkflowClientInterceptor {
  const { start } = interceptor;
  if (start === undefined || interceptor.startWithDetails !== undefined) return interceptor;
  const adapted: WorkflowClientInterceptor = Object.create(interceptor);
  adapted.startWithDetails = async (input, next) => {
    let eagerlyStarted = false;
    let workflowId: string | undefined;
    const runId = await start.call(interceptor, input, async (changed) => {
      const output = await next(changed);
      eagerlyStarted = output.eagerlyStarted;
      workflowId = output.workflowId;
      return output.runId;
    });
    return workflowId === undefined ? { runId, eagerlyStarted } : { runId, eagerlyStarted, workflowId };
  };
  return adapted;
}
