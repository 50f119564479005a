// Calls about worker deployments, workers and versions of executions, as `client.workflowService` of `@temporalio/client` has them. Their requests and
// answers are those of the wire.

import type { Methods } from '../../src/wire/api.ts';

/** ms; each is answered at once. */
const TIMEOUT_MS = 10_000;

/** The connection it speaks through. */
export interface ServiceHost {
  readonly identity: string;
  request<M extends keyof Methods>(
    method: M,
    body: Methods[M]['request'],
    options: { timeoutMs: number },
  ): Promise<Methods[M]['response']>;
}

export class DeploymentService {
  protected readonly host: ServiceHost;

  constructor(host: ServiceHost) {
    this.host = host;
  }

  /** Makes a deployment before its workers do. @throws RpcError ALREADY_EXISTS */
  async createWorkerDeployment(
    request: Methods['createWorkerDeployment']['request'],
  ): Promise<Methods['createWorkerDeployment']['response']> {
    return await this.host.request(
      'createWorkerDeployment',
      { identity: this.host.identity, ...request },
      { timeoutMs: TIMEOUT_MS },
    );
  }

  /** Makes a version before its workers do. @throws RpcError NOT_FOUND, ALREADY_EXISTS */
  async createWorkerDeploymentVersion(
    request: Methods['createWorkerDeploymentVersion']['request'],
  ): Promise<Methods['createWorkerDeploymentVersion']['response']> {
    return await this.host.request(
      'createWorkerDeploymentVersion',
      { identity: this.host.identity, ...request },
      { timeoutMs: TIMEOUT_MS },
    );
  }

  /** By name, page by page. */
  async listWorkerDeployments(
    request: Methods['listWorkerDeployments']['request'],
  ): Promise<Methods['listWorkerDeployments']['response']> {
    return await this.host.request('listWorkerDeployments', request, { timeoutMs: TIMEOUT_MS });
  }

  /** With all its versions. @throws RpcError NOT_FOUND */
  async describeWorkerDeployment(
    request: Methods['describeWorkerDeployment']['request'],
  ): Promise<Methods['describeWorkerDeployment']['response']> {
    return await this.host.request('describeWorkerDeployment', request, { timeoutMs: TIMEOUT_MS });
  }

  /** With its task queues, its metadata and how far it has drained. @throws RpcError NOT_FOUND */
  async describeWorkerDeploymentVersion(
    request: Methods['describeWorkerDeploymentVersion']['request'],
  ): Promise<Methods['describeWorkerDeploymentVersion']['response']> {
    return await this.host.request('describeWorkerDeploymentVersion', request, { timeoutMs: TIMEOUT_MS });
  }

  /** New workflows, and those that are not pinned, go to this version from now on; without a build id to workers that name no version. @throws RpcError FAILED_PRECONDITION when workers of the version do not poll every task queue of the current one, when the conflict token is old, or when another identity manages the deployment; NOT_FOUND for an unknown version */
  async setWorkerDeploymentCurrentVersion(
    request: Methods['setWorkerDeploymentCurrentVersion']['request'],
  ): Promise<Methods['setWorkerDeploymentCurrentVersion']['response']> {
    return await this.host.request(
      'setWorkerDeploymentCurrentVersion',
      { identity: this.host.identity, ...request },
      { timeoutMs: TIMEOUT_MS },
    );
  }

  /** A share of them, 0..100 percent, chosen by their workflow ids. @throws as {@link setWorkerDeploymentCurrentVersion}; INVALID_ARGUMENT for another share */
  async setWorkerDeploymentRampingVersion(
    request: Methods['setWorkerDeploymentRampingVersion']['request'],
  ): Promise<Methods['setWorkerDeploymentRampingVersion']['response']> {
    return await this.host.request(
      'setWorkerDeploymentRampingVersion',
      { identity: this.host.identity, ...request },
      { timeoutMs: TIMEOUT_MS },
    );
  }

  /** From now on only this identity changes the routing; an empty one ends that. @throws RpcError NOT_FOUND, FAILED_PRECONDITION */
  async setWorkerDeploymentManager(
    request: Methods['setWorkerDeploymentManager']['request'],
  ): Promise<Methods['setWorkerDeploymentManager']['response']> {
    return await this.host.request(
      'setWorkerDeploymentManager',
      { identity: this.host.identity, ...request },
      { timeoutMs: TIMEOUT_MS },
    );
  }

  /** Sets and removes entries, 64 KiB together. @throws RpcError NOT_FOUND, INVALID_ARGUMENT */
  async updateWorkerDeploymentVersionMetadata(
    request: Methods['updateWorkerDeploymentVersionMetadata']['request'],
  ): Promise<Methods['updateWorkerDeploymentVersionMetadata']['response']> {
    return await this.host.request(
      'updateWorkerDeploymentVersionMetadata',
      { identity: this.host.identity, ...request },
      { timeoutMs: TIMEOUT_MS },
    );
  }

  /** Forgets a version. @throws RpcError FAILED_PRECONDITION while it is current, ramping, draining or polled; NOT_FOUND */
  async deleteWorkerDeploymentVersion(
    request: Methods['deleteWorkerDeploymentVersion']['request'],
  ): Promise<Methods['deleteWorkerDeploymentVersion']['response']> {
    return await this.host.request(
      'deleteWorkerDeploymentVersion',
      { identity: this.host.identity, ...request },
      { timeoutMs: TIMEOUT_MS },
    );
  }

  /** Forgets a deployment without versions. @throws RpcError FAILED_PRECONDITION */
  async deleteWorkerDeployment(
    request: Methods['deleteWorkerDeployment']['request'],
  ): Promise<Methods['deleteWorkerDeployment']['response']> {
    return await this.host.request(
      'deleteWorkerDeployment',
      { identity: this.host.identity, ...request },
      { timeoutMs: TIMEOUT_MS },
    );
  }

  /** Workers that live, by instance key, page by page. @throws RpcError INVALID_ARGUMENT for a filter that cannot be understood */
  async listWorkers(request: Methods['listWorkers']['request']): Promise<Methods['listWorkers']['response']> {
    return await this.host.request('listWorkers', request, { timeoutMs: TIMEOUT_MS });
  }

  /** What a worker said of itself last. @throws RpcError NOT_FOUND for one that is gone */
  async describeWorker(request: Methods['describeWorker']['request']): Promise<Methods['describeWorker']['response']> {
    return await this.host.request('describeWorker', request, { timeoutMs: TIMEOUT_MS });
  }

  /** Sets, or takes back, a running workflow's `versioningOverride`; `updateMask` names it. @throws RpcError FAILED_PRECONDITION for a version whose workers do not serve its task queue, NOT_FOUND for a workflow that does not run */
  async updateWorkflowExecutionOptions(
    request: Methods['updateWorkflowExecutionOptions']['request'],
  ): Promise<Methods['updateWorkflowExecutionOptions']['response']> {
    return await this.host.request(
      'updateWorkflowExecutionOptions',
      { identity: this.host.identity, ...request },
      { timeoutMs: TIMEOUT_MS },
    );
  }
}
