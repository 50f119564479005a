// Methods the API has and this door does not do: each says so in words, and why. `refused`: the reference server refuses them too. `notYet`: the
// engine cannot do what they ask for.

import { StatusCode, type StatusDetail } from '../../../wire/status.ts';
import { Refused } from '../../validate/check.ts';
import * as rules from '../../validate/rules.ts';
import { type Rpc, rpc, text } from '../rpc.ts';

export type MissingState = 'refused' | 'notYet';

export interface MissingRpc extends Rpc {
  readonly state: MissingState;
  readonly reason: string;
}

const refuse = (state: MissingState, code: StatusCode, reason: string, detail?: StatusDetail): MissingRpc => ({
  ...rpc((services, caller, request) => {
    if (state === 'refused') rules.namespace(services, caller, text(request, 'namespace'));
    throw new Refused({ code, message: reason, detail });
  }),
  state,
  reason,
});

const notYet = (what: string): MissingRpc =>
  refuse('notYet', StatusCode.UNIMPLEMENTED, `This server has no ${what} yet.`);

const all = (names: readonly string[], method: MissingRpc): Record<string, MissingRpc> =>
  Object.fromEntries(names.map((name) => [name, method]));

const oldVersioning = refuse(
  'refused',
  StatusCode.PERMISSION_DENIED,
  'Worker versioning by version sets and rules is disabled: use worker deployments.',
  { kind: 'PermissionDenied', reason: '' },
);

export const missing: Readonly<Record<string, Readonly<Record<string, MissingRpc>>>> = {
  'temporal.api.workflowservice.v1.WorkflowService': {
    ...all(
      [
        'UpdateWorkerBuildIdCompatibility',
        'GetWorkerBuildIdCompatibility',
        'UpdateWorkerVersioningRules',
        'GetWorkerVersioningRules',
        'GetWorkerTaskReachability',
      ],
      oldVersioning,
    ),
    ListArchivedWorkflowExecutions: refuse(
      'refused',
      StatusCode.INVALID_ARGUMENT,
      'Namespace is not configured for visibility archival.',
    ),
    DeleteWorkflowExecution: notYet('deletion of single executions'),
    ...all(
      [
        'DescribeDeployment',
        'ListDeployments',
        'GetDeploymentReachability',
        'GetCurrentDeployment',
        'SetCurrentDeployment',
        'SetWorkerDeploymentCurrentVersion',
        'DescribeWorkerDeployment',
        'DescribeWorkerDeploymentVersion',
        'DeleteWorkerDeployment',
        'DeleteWorkerDeploymentVersion',
        'SetWorkerDeploymentRampingVersion',
        'ListWorkerDeployments',
        'CreateWorkerDeployment',
        'CreateWorkerDeploymentVersion',
        'UpdateWorkerDeploymentVersionComputeConfig',
        'ValidateWorkerDeploymentVersionComputeConfig',
        'UpdateWorkerDeploymentVersionMetadata',
        'SetWorkerDeploymentManager',
      ],
      notYet('worker deployments'),
    ),
    ...all(
      [
        'PollNexusTaskQueue',
        'RespondNexusTaskCompleted',
        'RespondNexusTaskFailed',
        'StartNexusOperationExecution',
        'DescribeNexusOperationExecution',
        'PollNexusOperationExecution',
        'ListNexusOperationExecutions',
        'CountNexusOperationExecutions',
        'RequestCancelNexusOperationExecution',
        'TerminateNexusOperationExecution',
        'DeleteNexusOperationExecution',
      ],
      notYet('Nexus'),
    ),
    UpdateWorkflowExecutionOptions: notYet('changes of the options of running workflows'),
    ...all(
      ['CreateWorkflowRule', 'DescribeWorkflowRule', 'DeleteWorkflowRule', 'ListWorkflowRules', 'TriggerWorkflowRule'],
      notYet('workflow rules'),
    ),
    ...all(
      [
        'RecordWorkerHeartbeat',
        'ListWorkers',
        'CountWorkers',
        'DescribeWorker',
        'FetchWorkerConfig',
        'UpdateWorkerConfig',
      ],
      notYet('list of workers'),
    ),
    UpdateTaskQueueConfig: notYet('configuration of task queues by clients'),
    ...all(['PauseWorkflowExecution', 'UnpauseWorkflowExecution'], notYet('pausing of workflows')),
    PollWorkflowExecutionTimeSkipping: notYet('time skipping'),
  },
  'temporal.api.operatorservice.v1.OperatorService': {
    ...all(['AddOrUpdateRemoteCluster', 'RemoveRemoteCluster'], notYet('replication to other clusters')),
    ...all(
      ['GetNexusEndpoint', 'CreateNexusEndpoint', 'UpdateNexusEndpoint', 'DeleteNexusEndpoint', 'ListNexusEndpoints'],
      notYet('Nexus'),
    ),
  },
};
