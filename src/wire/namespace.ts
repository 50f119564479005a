// Namespaces on the wire: what is registered of them. Named as in the Temporal API's namespace.v1; durations are integer ms.

import type { Empty } from './common.ts';
import type { NamespaceState } from './enums.ts';

export interface NamespaceRecord {
  name: string;
  id: string;
  state: NamespaceState;
  description: string;
  ownerEmail: string;
  /** For whoever registered it. */
  data: Record<string, string>;
  /** ms closed executions are kept. */
  retention: number;
  /** Epoch ms; absent of one that a node's configuration names. */
  registeredTime?: number | undefined;
}

/** Fields that are left out stay as they are; `data` is merged, key by key. */
export interface NamespaceChange {
  description?: string | undefined;
  ownerEmail?: string | undefined;
  data?: Record<string, string> | undefined;
  retention?: number | undefined;
}

export interface RegisterNamespaceRequest {
  namespace: string;
  description?: string | undefined;
  ownerEmail?: string | undefined;
  data?: Record<string, string> | undefined;
  /** ms, at least 1 h. */
  workflowExecutionRetentionPeriod?: number | undefined;
}

export interface DescribeNamespaceRequest {
  /** Name, or `id`. */
  namespace?: string | undefined;
  id?: string | undefined;
}

export interface NamespaceDescription {
  name: string;
  id: string;
  /** ms */
  workflowExecutionRetentionTtl: number;
  state: NamespaceState;
  description: string;
  ownerEmail: string;
  data: Record<string, string>;
  registeredTime?: number | undefined;
  /** What its search attributes are called, by the names their values are kept under. Not in lists. */
  customSearchAttributeAliases?: Record<string, string> | undefined;
}

export interface ListNamespacesRequest {
  /** Default 100, at most 1,000. */
  pageSize?: number | undefined;
  nextPageToken?: Uint8Array | undefined;
}

export interface ListNamespacesResponse {
  /** By name; only those the connection may use, or all for an operator. */
  namespaces: NamespaceDescription[];
  nextPageToken?: Uint8Array | undefined;
}

export interface UpdateNamespaceRequest {
  namespace: string;
  updateInfo?:
    | {
        description?: string | undefined;
        ownerEmail?: string | undefined;
        data?: Record<string, string> | undefined;
      }
    | undefined;
  config?:
    | {
        workflowExecutionRetentionTtl?: number | undefined;
        /**
         * Renames search attributes, by the names their values are kept under (describe shows them): values that were set are found by the new name. An
         * empty name takes an attribute away until it is given another.
         */
        customSearchAttributeAliases?: Record<string, string> | undefined;
      }
    | undefined;
}

export interface DeleteNamespaceRequest {
  /** Name, or `namespaceId`. */
  namespace?: string | undefined;
  namespaceId?: string | undefined;
}

export interface DeleteNamespaceResponse {
  /** Its name, which is free again once its executions are gone. */
  deletedNamespace: string;
}

export interface NamespaceMethods {
  describeNamespace: { request: DescribeNamespaceRequest; response: NamespaceDescription };
  /** For operators, like all that changes namespaces. */
  registerNamespace: { request: RegisterNamespaceRequest; response: Empty };
  listNamespaces: { request: ListNamespacesRequest; response: ListNamespacesResponse };
  updateNamespace: { request: UpdateNamespaceRequest; response: NamespaceDescription };
  deprecateNamespace: { request: { namespace: string }; response: Empty };
  deleteNamespace: { request: DeleteNamespaceRequest; response: DeleteNamespaceResponse };
}
