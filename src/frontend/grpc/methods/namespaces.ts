// Namespaces as their clients know them: registered, described, listed, updated, deprecated and deleted.

import type { NamespaceDescription } from '../../../wire/namespace.ts';
import { type Message, native, number, part, text } from '../rpc.ts';

const ARCHIVAL_DISABLED = 1;
/** Its one cluster, as far as clients are told. */
export const CLUSTER_NAME = 'tenuto';

function describe(namespace: NamespaceDescription): Message {
  const { name, id, state, description, ownerEmail, data, workflowExecutionRetentionTtl } = namespace;
  return {
    namespaceInfo: {
      ...{ name, id, state, description, ownerEmail, data },
      capabilities: {
        syncUpdate: true,
        asyncUpdate: true,
        standaloneActivities: true,
        standaloneActivityStartDelay: true,
        standaloneActivityOperatorCommands: true,
      },
    },
    config: {
      workflowExecutionRetentionTtl,
      historyArchivalState: ARCHIVAL_DISABLED,
      visibilityArchivalState: ARCHIVAL_DISABLED,
    },
    replicationConfig: { activeClusterName: CLUSTER_NAME, clusters: [{ clusterName: CLUSTER_NAME }] },
  };
}

/** The method's answer. */
const described = (reply: Message): Message => describe(reply as unknown as NamespaceDescription);
const nothing = (): object => ({});

export const RegisterNamespace = native('registerNamespace', undefined, nothing);
export const DescribeNamespace = native('describeNamespace', undefined, described);
export const UpdateNamespace = native(
  'updateNamespace',
  (request) => {
    const { description, ownerEmail, data } = part(request, 'updateInfo');
    const retention = number(part(request, 'config'), 'workflowExecutionRetentionTtl') || undefined;
    return {
      namespace: text(request, 'namespace'),
      // An empty text is one that was not given.
      updateInfo: { description: description || undefined, ownerEmail: ownerEmail || undefined, data },
      config: { workflowExecutionRetentionTtl: retention },
    };
  },
  described,
);
export const DeprecateNamespace = native('deprecateNamespace', undefined, nothing);
export const DeleteNamespace = native('deleteNamespace');
export const ListNamespaces = native('listNamespaces', undefined, (reply) => {
  const { namespaces, nextPageToken } = reply as unknown as {
    namespaces: NamespaceDescription[];
    nextPageToken?: Uint8Array;
  };
  return { namespaces: namespaces.map(describe), nextPageToken };
});
