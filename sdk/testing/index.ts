/**
 * For tests of workflows and activities: a server within the process, and a context for activities by themselves. Names are those of
 * `@temporalio/testing`.
 *
 * @module
 */
export {
  defaultActivityInfo,
  MockActivityEnvironment,
  type MockActivityEnvironmentOptions,
} from './mock-activity-environment.ts';
export {
  type ExistingServerTestWorkflowEnvironmentOptions,
  type LocalTestWorkflowEnvironmentOptions,
  type NexusEndpointIdentifier,
  TestWorkflowEnvironment,
} from './test-workflow-environment.ts';
