// Worker deployments: the native door's methods under the names of the API. Configuration of computing ("compute") is a cloud's: there is none here.

import type { VersionTaskQueue } from '../../../wire/deployment.ts';
import { invalid } from '../../validate/check.ts';
import * as rules from '../../validate/rules.ts';
import { reading } from '../altered-call.ts';
import { native, rpc, runNative, text } from '../rpc.ts';
import { statistics } from './task-queues.ts';

export const CreateWorkerDeployment = native('createWorkerDeployment');
export const CreateWorkerDeploymentVersion = native('createWorkerDeploymentVersion');
export const ListWorkerDeployments = native('listWorkerDeployments');
export const DescribeWorkerDeployment = native('describeWorkerDeployment');
export const DescribeWorkerDeploymentVersion = native('describeWorkerDeploymentVersion', undefined, (reply) => {
  const shown = ({ stats, ...queue }: VersionTaskQueue): object => ({ ...queue, ...(stats && statistics(stats)) });
  return { ...reply, versionTaskQueues: reply.versionTaskQueues.map(shown) };
});
export const SetWorkerDeploymentCurrentVersion = native('setWorkerDeploymentCurrentVersion');
export const SetWorkerDeploymentRampingVersion = native('setWorkerDeploymentRampingVersion');
export const SetWorkerDeploymentManager = native('setWorkerDeploymentManager');
export const UpdateWorkerDeploymentVersionMetadata = native('updateWorkerDeploymentVersionMetadata');
export const DeleteWorkerDeploymentVersion = native('deleteWorkerDeploymentVersion');
export const DeleteWorkerDeployment = native('deleteWorkerDeployment');

/** There is nothing that could be valid, as on a server without any provider of computing. */
export const ValidateWorkerDeploymentVersionComputeConfig = rpc((services, caller, request) => {
  rules.namespace(services, caller, text(request, 'namespace'));
  throw invalid('This server has no provider of computing: there is no compute configuration to validate.');
});

/** NOT_FOUND for a version that is not there. */
export const UpdateWorkerDeploymentVersionComputeConfig = rpc((services, caller, request, call) => {
  const refused = reading(call, () => call.refuse(invalid('This server has no provider of computing.').status));
  const { namespace, deploymentVersion } = request;
  runNative('describeWorkerDeploymentVersion', services, caller, { namespace, deploymentVersion }, refused);
});
