/**
 * What handlers of Nexus operations use. Services are defined, and handlers made, with `nexus-rpc`; workers get them as `nexusServices`. Names and
 * shapes are those of `@temporalio/nexus`.
 *
 * @module
 */
export { getClient, log, metricMeter, type OperationInfo, operationInfo } from './context.ts';
export {
  startWorkflow,
  type WorkflowHandle,
  WorkflowRunOperationHandler,
  type WorkflowRunOperationStartHandler,
  type WorkflowStartOptions,
} from './workflow-run.ts';
