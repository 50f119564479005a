// Every method of the native door by its name on the wire. One file per group.

import type { Method } from '../../wire/api.ts';
import type { MethodDefinition } from '../door.ts';
import * as activityControl from './activity-control.ts';
import * as activityTask from './activity-task.ts';
import * as batch from './batch.ts';
import * as callService from './call-service.ts';
import * as cluster from './cluster-admin.ts';
import * as control from './control.ts';
import * as deployment from './deployment.ts';
import * as executionOptions from './execution-options.ts';
import * as flowControl from './flow-control.ts';
import * as info from './info.ts';
import * as namespaces from './namespaces.ts';
import * as nexusEndpoints from './nexus-endpoints.ts';
import * as nexusTask from './nexus-task.ts';
import * as read from './read.ts';
import * as reset from './reset.ts';
import * as schedule from './schedule.ts';
import * as scheduleList from './schedule-list.ts';
import * as searchAttributes from './search-attributes.ts';
import * as standaloneActivity from './standalone-activity.ts';
import * as standaloneControl from './standalone-control.ts';
import * as standaloneList from './standalone-list.ts';
import * as standaloneRead from './standalone-read.ts';
import * as start from './start.ts';
import * as taskQueue from './task-queue.ts';
import * as update from './update.ts';
import * as visibility from './visibility.ts';
import * as worker from './worker.ts';
import * as workerRegistry from './worker-registry.ts';
import * as workflowTask from './workflow-task.ts';

const definitions: Record<Method, MethodDefinition> = {
  getServerInfo: info.getServerInfo,
  describeCluster: info.describeCluster,
  callService: callService.callService,
  describeNamespace: namespaces.describeNamespace,
  registerNamespace: namespaces.registerNamespace,
  listNamespaces: namespaces.listNamespaces,
  updateNamespace: namespaces.updateNamespace,
  deprecateNamespace: namespaces.deprecateNamespace,
  deleteNamespace: namespaces.deleteNamespace,
  describeTaskQueue: taskQueue.describeTaskQueue,
  updateTaskQueueConfig: taskQueue.updateTaskQueueConfig,
  startWorkflowExecution: start.startWorkflowExecution,
  signalWithStartWorkflowExecution: start.signalWithStartWorkflowExecution,
  signalWorkflowExecution: control.signalWorkflowExecution,
  requestCancelWorkflowExecution: control.requestCancelWorkflowExecution,
  terminateWorkflowExecution: control.terminateWorkflowExecution,
  resetWorkflowExecution: reset.resetWorkflowExecution,
  queryWorkflow: read.queryWorkflow,
  updateWorkflowExecution: update.updateWorkflowExecution,
  pollWorkflowExecutionUpdate: update.pollWorkflowExecutionUpdate,
  updateWithStartWorkflowExecution: update.updateWithStartWorkflowExecution,
  describeWorkflowExecution: read.describeWorkflowExecution,
  getWorkflowExecutionHistory: read.getWorkflowExecutionHistory,
  watchWorkflowState: read.watchWorkflowState,
  awaitWorkflowResult: read.awaitWorkflowResult,
  listWorkflowExecutions: visibility.listWorkflowExecutions,
  countWorkflowExecutions: visibility.countWorkflowExecutions,
  listSearchAttributes: searchAttributes.listSearchAttributes,
  addSearchAttributes: searchAttributes.addSearchAttributes,
  removeSearchAttributes: searchAttributes.removeSearchAttributes,
  startBatchOperation: batch.startBatchOperation,
  describeBatchOperation: batch.describeBatchOperation,
  listBatchOperations: batch.listBatchOperations,
  stopBatchOperation: batch.stopBatchOperation,
  registerWorker: worker.registerWorker,
  unregisterWorker: worker.unregisterWorker,
  grantCredit: worker.grantCredit,
  withdrawCredit: worker.withdrawCredit,
  resumeWorker: worker.resumeWorker,
  respondWorkflowTaskCompleted: workflowTask.respondWorkflowTaskCompleted,
  respondWorkflowTaskFailed: workflowTask.respondWorkflowTaskFailed,
  respondQueryTaskCompleted: workflowTask.respondQueryTaskCompleted,
  getWorkflowTaskHistory: workflowTask.getWorkflowTaskHistory,
  respondActivityTaskCompleted: activityTask.respondActivityTaskCompleted,
  respondActivityTaskFailed: activityTask.respondActivityTaskFailed,
  respondActivityTaskCanceled: activityTask.respondActivityTaskCanceled,
  recordActivityTaskHeartbeat: activityTask.recordActivityTaskHeartbeat,
  clusterStatus: cluster.clusterStatus,
  clusterShards: cluster.clusterShards,
  clusterHealth: cluster.clusterHealth,
  drainNode: cluster.drainNode,
  rebalanceCluster: cluster.rebalanceCluster,
  replaceNode: cluster.replaceNode,
  pauseActivity: activityControl.pauseActivity,
  unpauseActivity: activityControl.unpauseActivity,
  resetActivity: activityControl.resetActivity,
  updateActivityOptions: activityControl.updateActivityOptions,
  updateWorkflowExecutionOptions: executionOptions.updateWorkflowExecutionOptions,
  createSchedule: schedule.createSchedule,
  describeSchedule: schedule.describeSchedule,
  updateSchedule: schedule.updateSchedule,
  patchSchedule: schedule.patchSchedule,
  deleteSchedule: schedule.deleteSchedule,
  listScheduleMatchingTimes: schedule.listScheduleMatchingTimes,
  listSchedules: scheduleList.listSchedules,
  countSchedules: scheduleList.countSchedules,
  respondNexusTask: nexusTask.respondNexusTask,
  createNexusEndpoint: nexusEndpoints.createNexusEndpoint,
  getNexusEndpoint: nexusEndpoints.getNexusEndpoint,
  updateNexusEndpoint: nexusEndpoints.updateNexusEndpoint,
  deleteNexusEndpoint: nexusEndpoints.deleteNexusEndpoint,
  listNexusEndpoints: nexusEndpoints.listNexusEndpoints,
  recordWorkerHeartbeat: workerRegistry.recordWorkerHeartbeat,
  listWorkers: workerRegistry.listWorkers,
  countWorkers: workerRegistry.countWorkers,
  describeWorker: workerRegistry.describeWorker,
  createWorkerDeployment: deployment.createWorkerDeployment,
  createWorkerDeploymentVersion: deployment.createWorkerDeploymentVersion,
  listWorkerDeployments: deployment.listWorkerDeployments,
  describeWorkerDeployment: deployment.describeWorkerDeployment,
  describeWorkerDeploymentVersion: deployment.describeWorkerDeploymentVersion,
  setWorkerDeploymentCurrentVersion: deployment.setWorkerDeploymentCurrentVersion,
  setWorkerDeploymentRampingVersion: deployment.setWorkerDeploymentRampingVersion,
  setWorkerDeploymentManager: deployment.setWorkerDeploymentManager,
  updateWorkerDeploymentVersionMetadata: deployment.updateWorkerDeploymentVersionMetadata,
  deleteWorkerDeploymentVersion: deployment.deleteWorkerDeploymentVersion,
  deleteWorkerDeployment: deployment.deleteWorkerDeployment,
  listFlowKeys: flowControl.listFlowKeys,
  describeFlowKey: flowControl.describeFlowKey,
  setFlowLimits: flowControl.setFlowLimits,
  deleteWorkflowExecution: control.deleteWorkflowExecution,
  pauseWorkflowExecution: control.pauseWorkflowExecution,
  unpauseWorkflowExecution: control.unpauseWorkflowExecution,
  startActivityExecution: standaloneActivity.startActivityExecution,
  describeActivityExecution: standaloneRead.describeActivityExecution,
  pollActivityExecution: standaloneRead.pollActivityExecution,
  listActivityExecutions: standaloneList.listActivityExecutions,
  countActivityExecutions: standaloneList.countActivityExecutions,
  requestCancelActivityExecution: standaloneActivity.requestCancelActivityExecution,
  terminateActivityExecution: standaloneActivity.terminateActivityExecution,
  deleteActivityExecution: standaloneActivity.deleteActivityExecution,
  pauseActivityExecution: standaloneControl.pauseActivityExecution,
  unpauseActivityExecution: standaloneControl.unpauseActivityExecution,
  resetActivityExecution: standaloneControl.resetActivityExecution,
  updateActivityExecutionOptions: standaloneControl.updateActivityExecutionOptions,
};

/** A Map, so that a hostile method name like `constructor` finds nothing. */
export const methods: ReadonlyMap<string, MethodDefinition> = new Map(Object.entries(definitions));
