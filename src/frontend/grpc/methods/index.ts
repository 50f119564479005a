// Every method of this door by service and name. What the API has and is not here is answered UNIMPLEMENTED (methods/missing.ts); the table of
// docs/reference/grpc.md is made from both.

import type { Rpc } from '../rpc.ts';
import * as activities from './activities.ts';
import * as activityTasks from './activity-tasks.ts';
import * as batch from './batch.ts';
import * as deployments from './deployments.ts';
import * as executions from './executions.ts';
import * as history from './history.ts';
import * as info from './info.ts';
import { missing } from './missing.ts';
import * as namespaces from './namespaces.ts';
import * as nexusEndpoints from './nexus-endpoints.ts';
import * as nexusTasks from './nexus-tasks.ts';
import * as schedules from './schedules.ts';
import * as standalone from './standalone.ts';
import * as start from './start.ts';
import * as taskQueues from './task-queues.ts';
import * as updateWithStart from './update-with-start.ts';
import * as updates from './updates.ts';
import * as visibility from './visibility.ts';
import * as workers from './workers.ts';
import * as workflowTasks from './workflow-tasks.ts';

export const WORKFLOW_SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';
export const OPERATOR_SERVICE = 'temporal.api.operatorservice.v1.OperatorService';

const workflowService: Readonly<Record<string, Rpc>> = {
  GetSystemInfo: info.GetSystemInfo,
  GetClusterInfo: info.GetClusterInfo,
  RegisterNamespace: namespaces.RegisterNamespace,
  DescribeNamespace: namespaces.DescribeNamespace,
  ListNamespaces: namespaces.ListNamespaces,
  UpdateNamespace: namespaces.UpdateNamespace,
  DeprecateNamespace: namespaces.DeprecateNamespace,
  DescribeTaskQueue: taskQueues.DescribeTaskQueue,
  ListTaskQueuePartitions: taskQueues.ListTaskQueuePartitions,
  UpdateTaskQueueConfig: taskQueues.UpdateTaskQueueConfig,
  StartWorkflowExecution: start.StartWorkflowExecution,
  SignalWithStartWorkflowExecution: start.SignalWithStartWorkflowExecution,
  SignalWorkflowExecution: start.SignalWorkflowExecution,
  RequestCancelWorkflowExecution: start.RequestCancelWorkflowExecution,
  TerminateWorkflowExecution: start.TerminateWorkflowExecution,
  DeleteWorkflowExecution: start.DeleteWorkflowExecution,
  PauseWorkflowExecution: start.PauseWorkflowExecution,
  UnpauseWorkflowExecution: start.UnpauseWorkflowExecution,
  DescribeWorkflowExecution: executions.DescribeWorkflowExecution,
  QueryWorkflow: executions.QueryWorkflow,
  UpdateWorkflowExecutionOptions: executions.UpdateWorkflowExecutionOptions,
  ResetWorkflowExecution: executions.ResetWorkflowExecution,
  GetWorkflowExecutionHistory: history.GetWorkflowExecutionHistory,
  GetWorkflowExecutionHistoryReverse: history.GetWorkflowExecutionHistoryReverse,
  UpdateWorkflowExecution: updates.UpdateWorkflowExecution,
  PollWorkflowExecutionUpdate: updates.PollWorkflowExecutionUpdate,
  ExecuteMultiOperation: updateWithStart.ExecuteMultiOperation,
  StartBatchOperation: batch.StartBatchOperation,
  DescribeBatchOperation: batch.DescribeBatchOperation,
  StopBatchOperation: batch.StopBatchOperation,
  ListBatchOperations: batch.ListBatchOperations,
  CreateSchedule: schedules.CreateSchedule,
  DescribeSchedule: schedules.DescribeSchedule,
  UpdateSchedule: schedules.UpdateSchedule,
  PatchSchedule: schedules.PatchSchedule,
  ListScheduleMatchingTimes: schedules.ListScheduleMatchingTimes,
  DeleteSchedule: schedules.DeleteSchedule,
  ListSchedules: schedules.ListSchedules,
  CountSchedules: schedules.CountSchedules,
  CreateWorkerDeployment: deployments.CreateWorkerDeployment,
  CreateWorkerDeploymentVersion: deployments.CreateWorkerDeploymentVersion,
  ListWorkerDeployments: deployments.ListWorkerDeployments,
  DescribeWorkerDeployment: deployments.DescribeWorkerDeployment,
  DescribeWorkerDeploymentVersion: deployments.DescribeWorkerDeploymentVersion,
  SetWorkerDeploymentCurrentVersion: deployments.SetWorkerDeploymentCurrentVersion,
  SetWorkerDeploymentRampingVersion: deployments.SetWorkerDeploymentRampingVersion,
  SetWorkerDeploymentManager: deployments.SetWorkerDeploymentManager,
  UpdateWorkerDeploymentVersionMetadata: deployments.UpdateWorkerDeploymentVersionMetadata,
  DeleteWorkerDeploymentVersion: deployments.DeleteWorkerDeploymentVersion,
  DeleteWorkerDeployment: deployments.DeleteWorkerDeployment,
  ValidateWorkerDeploymentVersionComputeConfig: deployments.ValidateWorkerDeploymentVersionComputeConfig,
  UpdateWorkerDeploymentVersionComputeConfig: deployments.UpdateWorkerDeploymentVersionComputeConfig,
  PauseActivity: activities.PauseActivity,
  UnpauseActivity: activities.UnpauseActivity,
  ResetActivity: activities.ResetActivity,
  UpdateActivityOptions: activities.UpdateActivityOptions,
  ListWorkflowExecutions: visibility.ListWorkflowExecutions,
  ScanWorkflowExecutions: visibility.ScanWorkflowExecutions,
  ListOpenWorkflowExecutions: visibility.ListOpenWorkflowExecutions,
  ListClosedWorkflowExecutions: visibility.ListClosedWorkflowExecutions,
  CountWorkflowExecutions: visibility.CountWorkflowExecutions,
  GetSearchAttributes: visibility.GetSearchAttributes,
  PollWorkflowTaskQueue: workflowTasks.PollWorkflowTaskQueue,
  RespondWorkflowTaskCompleted: workflowTasks.RespondWorkflowTaskCompleted,
  RespondWorkflowTaskFailed: workflowTasks.RespondWorkflowTaskFailed,
  RespondQueryTaskCompleted: workflowTasks.RespondQueryTaskCompleted,
  ResetStickyTaskQueue: workflowTasks.ResetStickyTaskQueue,
  ShutdownWorker: workers.ShutdownWorker,
  RecordWorkerHeartbeat: workers.RecordWorkerHeartbeat,
  ListWorkers: workers.ListWorkers,
  CountWorkers: workers.CountWorkers,
  DescribeWorker: workers.DescribeWorker,
  PollActivityTaskQueue: activityTasks.PollActivityTaskQueue,
  RespondActivityTaskCompleted: activityTasks.RespondActivityTaskCompleted,
  RespondActivityTaskCompletedById: activityTasks.RespondActivityTaskCompletedById,
  RespondActivityTaskFailed: activityTasks.RespondActivityTaskFailed,
  RespondActivityTaskFailedById: activityTasks.RespondActivityTaskFailedById,
  RespondActivityTaskCanceled: activityTasks.RespondActivityTaskCanceled,
  RespondActivityTaskCanceledById: activityTasks.RespondActivityTaskCanceledById,
  RecordActivityTaskHeartbeat: activityTasks.RecordActivityTaskHeartbeat,
  RecordActivityTaskHeartbeatById: activityTasks.RecordActivityTaskHeartbeatById,
  PollNexusTaskQueue: nexusTasks.PollNexusTaskQueue,
  RespondNexusTaskCompleted: nexusTasks.RespondNexusTaskCompleted,
  RespondNexusTaskFailed: nexusTasks.RespondNexusTaskFailed,
  StartActivityExecution: standalone.StartActivityExecution,
  DescribeActivityExecution: standalone.DescribeActivityExecution,
  PollActivityExecution: standalone.PollActivityExecution,
  ListActivityExecutions: standalone.ListActivityExecutions,
  CountActivityExecutions: standalone.CountActivityExecutions,
  RequestCancelActivityExecution: standalone.RequestCancelActivityExecution,
  TerminateActivityExecution: standalone.TerminateActivityExecution,
  DeleteActivityExecution: standalone.DeleteActivityExecution,
  PauseActivityExecution: standalone.PauseActivityExecution,
  UnpauseActivityExecution: standalone.UnpauseActivityExecution,
  ResetActivityExecution: standalone.ResetActivityExecution,
  UpdateActivityExecutionOptions: standalone.UpdateActivityExecutionOptions,
};

const operatorService: Readonly<Record<string, Rpc>> = {
  AddSearchAttributes: visibility.AddSearchAttributes,
  RemoveSearchAttributes: visibility.RemoveSearchAttributes,
  ListSearchAttributes: visibility.ListSearchAttributes,
  DeleteNamespace: namespaces.DeleteNamespace,
  CreateNexusEndpoint: nexusEndpoints.CreateNexusEndpoint,
  GetNexusEndpoint: nexusEndpoints.GetNexusEndpoint,
  UpdateNexusEndpoint: nexusEndpoints.UpdateNexusEndpoint,
  DeleteNexusEndpoint: nexusEndpoints.DeleteNexusEndpoint,
  ListNexusEndpoints: nexusEndpoints.ListNexusEndpoints,
  ListClusters: info.ListClusters,
};

const whole = (service: string, implemented: Readonly<Record<string, Rpc>>): ReadonlyMap<string, Rpc> =>
  new Map([...Object.entries(missing[service] ?? {}), ...Object.entries(implemented)]);

export const services: ReadonlyMap<string, ReadonlyMap<string, Rpc>> = new Map([
  [WORKFLOW_SERVICE, whole(WORKFLOW_SERVICE, workflowService)],
  [OPERATOR_SERVICE, whole(OPERATOR_SERVICE, operatorService)],
]);

/** Methods that do what their name says. */
export const implemented: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [WORKFLOW_SERVICE, new Set(Object.keys(workflowService))],
  [OPERATOR_SERVICE, new Set(Object.keys(operatorService))],
]);
