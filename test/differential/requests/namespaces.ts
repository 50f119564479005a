// Of namespaces, search attributes, Nexus and other clusters.

import type { Pair } from '../pair.ts';
import type { Plain, Ref } from '../side.ts';
import { payload, seconds, taskQueue } from '../values.ts';
import { identity, namespace, simple, type Templates } from './template.ts';

async function endpoint(pair: Pair): Promise<Record<string, Ref>> {
  return await pair.prepare('CreateNexusEndpoint', { spec: endpointOf(pair) }, ['endpoint.id', 'endpoint.version']);
}

const endpointOf = (pair: Pair): Plain => ({
  ...{ name: pair.fresh('endpoint'), description: payload },
  target: { worker: { namespace, taskQueue: pair.fresh('queue') } },
});

export const NAMESPACES_REQUESTS: Templates = {
  RegisterNamespace: (pair) => {
    const name = pair.fresh('ns');
    const request = {
      namespace: name,
      description: 'text',
      ownerEmail: 'a@b',
      workflowExecutionRetentionPeriod: seconds(86_400),
    };
    return { request: { ...request, data: { key: 'value' } }, after: [['DescribeNamespace', { namespace: name }]] };
  },
  DescribeNamespace: simple({ namespace }),
  ListNamespaces: simple({ pageSize: 1_000_000, nextPageToken: Buffer.from('garbage') }),
  UpdateNamespace: async (pair) => {
    const name = pair.fresh('ns');
    await pair.prepare('RegisterNamespace', { namespace: name, workflowExecutionRetentionPeriod: seconds(86_400) });
    const updateInfo = { description: 'new', ownerEmail: 'c@d', data: { key: 'value' } };
    const config = { workflowExecutionRetentionTtl: seconds(172_800) };
    return { request: { namespace: name, updateInfo, config }, after: [['DescribeNamespace', { namespace: name }]] };
  },
  DeprecateNamespace: async (pair) => {
    const name = pair.fresh('ns');
    await pair.prepare('RegisterNamespace', { namespace: name, workflowExecutionRetentionPeriod: seconds(86_400) });
    return { request: { namespace: name }, after: [['DescribeNamespace', { namespace: name }]] };
  },
  DeleteNamespace: simple({ namespace: 'nobody' }),
  GetSearchAttributes: simple({}),
  GetClusterInfo: simple({}),
  GetSystemInfo: simple({}),
  AddSearchAttributes: (pair) => ({
    request: { namespace, searchAttributes: { [pair.fresh('Attr').replaceAll('-', '_')]: 2 } },
  }),
  RemoveSearchAttributes: simple({ namespace, searchAttributes: ['NoSuchAttribute'] }),
  ListSearchAttributes: simple({ namespace: 'nobody' }),
  AddOrUpdateRemoteCluster: simple({ frontendAddress: '127.0.0.1:9', enableRemoteClusterConnection: true }),
  RemoveRemoteCluster: simple({ clusterName: 'nobody' }),
  ListClusters: simple({ pageSize: 10 }),
  GetNexusEndpoint: async (pair) => ({ request: { id: (await endpoint(pair))['endpoint.id'] } }),
  CreateNexusEndpoint: (pair) => ({ request: { spec: endpointOf(pair) } }),
  UpdateNexusEndpoint: async (pair) => {
    const made = await endpoint(pair);
    return { request: { id: made['endpoint.id'], version: made['endpoint.version'], spec: endpointOf(pair) } };
  },
  DeleteNexusEndpoint: async (pair) => {
    const made = await endpoint(pair);
    return { request: { id: made['endpoint.id'], version: made['endpoint.version'] } };
  },
  ListNexusEndpoints: (pair) => ({ request: { pageSize: 10, name: pair.fresh('none') } }),
  PollNexusTaskQueue: (pair) => ({ request: { namespace, identity, taskQueue: taskQueue(pair.fresh('queue')) } }),
  RespondNexusTaskCompleted: simple({ namespace, identity, taskToken: Buffer.from('garbage'), response: {} }),
  RespondNexusTaskFailed: simple({
    namespace,
    identity,
    taskToken: Buffer.from('garbage'),
    error: { errorType: 'INTERNAL' },
  }),
  StartNexusOperationExecution: (pair) => ({
    request: {
      namespace,
      identity,
      requestId: 'r',
      operationId: pair.fresh('op'),
      endpoint: 'e',
      service: 's',
      operation: 'o',
    },
  }),
  DescribeNexusOperationExecution: (pair) => ({ request: { namespace, operationId: pair.fresh('op') } }),
  PollNexusOperationExecution: (pair) => ({ request: { namespace, operationId: pair.fresh('op') } }),
  ListNexusOperationExecutions: simple({ namespace, pageSize: 10 }),
  CountNexusOperationExecutions: simple({ namespace }),
  RequestCancelNexusOperationExecution: (pair) => ({ request: { namespace, operationId: pair.fresh('op') } }),
  TerminateNexusOperationExecution: (pair) => ({ request: { namespace, operationId: pair.fresh('op') } }),
  DeleteNexusOperationExecution: (pair) => ({ request: { namespace, operationId: pair.fresh('op') } }),
};
