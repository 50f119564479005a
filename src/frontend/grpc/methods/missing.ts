// Methods the API has and this door does not do, as the reference server does not: each says so in words, and why.

import { StatusCode, type StatusDetail } from '../../../wire/status.ts';
import { Refused } from '../../validate/check.ts';
import * as rules from '../../validate/rules.ts';
import { type Rpc, rpc, text } from '../rpc.ts';
import { REFERENCE_VERSION } from './info.ts';

export interface MissingRpc extends Rpc {
  readonly reason: string;
}

const refuse = (code: StatusCode, reason: string, detail?: StatusDetail): MissingRpc => ({
  ...rpc((services, caller, request) => {
    if (detail?.kind !== 'NotFound' && code !== StatusCode.UNAVAILABLE) {
      rules.namespace(services, caller, text(request, 'namespace'));
    }
    throw new Refused({ code, message: reason, detail });
  }),
  reason,
});

/** Methods that the API has and the reference server does not know. */
const unknown = (what: string): MissingRpc =>
  refuse(
    StatusCode.UNIMPLEMENTED,
    `This server has no ${what}, nor has the Temporal server of version ${REFERENCE_VERSION}.`,
  );

/** What the reference server has behind a switch that is off, and answers so. */
const switchedOff = (what: string): MissingRpc =>
  refuse(StatusCode.UNIMPLEMENTED, `${what} are not enabled on this server.`);

/** The reference server has its switch off, and answers the same once it is on: nothing configures workers there. */
const workerCommand = (name: string): MissingRpc => refuse(StatusCode.UNIMPLEMENTED, `${name} command is not enabled.`);

const all = (names: readonly string[], method: MissingRpc): Record<string, MissingRpc> =>
  Object.fromEntries(names.map((name) => [name, method]));

const oldVersioning = refuse(
  StatusCode.PERMISSION_DENIED,
  'Worker versioning by version sets and rules is disabled: use worker deployments.',
  { kind: 'PermissionDenied', reason: '' },
);

/** The first form of deployments, which the reference server has switched off. */
const oldDeployments = refuse(
  StatusCode.UNIMPLEMENTED,
  'Deployments are deprecated and no longer supported, use Worker Deployments instead',
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
      StatusCode.INVALID_ARGUMENT,
      'Namespace is not configured for visibility archival.',
    ),
    ...all(
      [
        'DescribeDeployment',
        'ListDeployments',
        'GetDeploymentReachability',
        'GetCurrentDeployment',
        'SetCurrentDeployment',
      ],
      oldDeployments,
    ),
    ...all(
      [
        'StartNexusOperationExecution',
        'DescribeNexusOperationExecution',
        'PollNexusOperationExecution',
        'ListNexusOperationExecutions',
        'CountNexusOperationExecutions',
        'RequestCancelNexusOperationExecution',
        'TerminateNexusOperationExecution',
        'DeleteNexusOperationExecution',
      ],
      refuse(StatusCode.UNIMPLEMENTED, 'Standalone Nexus operation is disabled'),
    ),
    ...all(
      ['CreateWorkflowRule', 'DescribeWorkflowRule', 'DeleteWorkflowRule', 'ListWorkflowRules', 'TriggerWorkflowRule'],
      switchedOff('Workflow rules'),
    ),
    FetchWorkerConfig: workerCommand('FetchWorkerConfig'),
    UpdateWorkerConfig: workerCommand('UpdateWorkerConfig'),
    PollWorkflowExecutionTimeSkipping: unknown('time skipping of single executions'),
  },
  'temporal.api.operatorservice.v1.OperatorService': {
    // Clusters do not replicate to each other: none can be connected, and none is.
    AddOrUpdateRemoteCluster: refuse(StatusCode.UNAVAILABLE, 'This server cannot reach other clusters.'),
    RemoveRemoteCluster: refuse(StatusCode.NOT_FOUND, 'No such cluster is connected.', { kind: 'NotFound' }),
  },
};
