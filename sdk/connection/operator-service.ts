// What operators ask of a server about a namespace, as `connection.operatorService` of `@temporalio/client` has it.

import type {
  AddSearchAttributesRequest,
  ListSearchAttributesResponse,
  Methods,
  RemoveSearchAttributesRequest,
} from '../../src/wire/api.ts';

import type { DeleteNamespaceRequest, DeleteNamespaceResponse } from '../../src/wire/namespace.ts';
import type {
  CreateNexusEndpointRequest,
  DeleteNexusEndpointRequest,
  ListNexusEndpointsRequest,
  ListNexusEndpointsResponse,
  NexusEndpoint,
  UpdateNexusEndpointRequest,
} from '../../src/wire/nexus.ts';

/** ms; settings are read and written at once. */
const TIMEOUT_MS = 10_000;

type Request = <M extends keyof Methods>(
  method: M,
  body: Methods[M]['request'],
  options: { timeoutMs: number },
) => Promise<Methods[M]['response']>;

/** Search attributes of namespaces. Types are numbers: `encodeSearchAttributeIndexedValueType(SearchAttributeType.KEYWORD)`. */
export class OperatorService {
  readonly #request: Request;

  constructor(request: Request) {
    this.#request = request;
  }

  /**
   * Registers search attributes: what they name can be set and searched from now on, at every node. Repeating it is harmless.
   *
   * @throws RpcError INVALID_ARGUMENT for a name or type that cannot be, ALREADY_EXISTS for a name that has another type, RESOURCE_EXHAUSTED
   * beyond 1,000 of a namespace.
   */
  async addSearchAttributes(request: AddSearchAttributesRequest): Promise<void> {
    await this.#request('addSearchAttributes', request, { timeoutMs: TIMEOUT_MS });
  }

  /**
   * They can be neither set nor searched any more; values that executions have are still shown. Names that are not there are no error.
   *
   * @throws RpcError INVALID_ARGUMENT for an attribute of the server's own.
   */
  async removeSearchAttributes(request: RemoveSearchAttributesRequest): Promise<void> {
    await this.#request('removeSearchAttributes', request, { timeoutMs: TIMEOUT_MS });
  }

  /** Registered ones, and those every namespace has. */
  async listSearchAttributes(request: { namespace: string }): Promise<ListSearchAttributesResponse> {
    return await this.#request('listSearchAttributes', request, { timeoutMs: TIMEOUT_MS });
  }

  /**
   * Deletes a namespace, by name or id: nobody finds it any more, its executions end and go, then its name is free again. For operators.
   *
   * @throws RpcError NOT_FOUND, FAILED_PRECONDITION for one that the server's configuration names.
   */
  async deleteNamespace(request: DeleteNamespaceRequest): Promise<DeleteNamespaceResponse> {
    return await this.#request('deleteNamespace', request, { timeoutMs: TIMEOUT_MS });
  }

  /**
   * Registers a Nexus endpoint: workflows of any namespace call its services by its name. Known at every node within a second. For operators, like the
   * four that follow.
   *
   * @throws RpcError INVALID_ARGUMENT for a name or target that cannot be, ALREADY_EXISTS for a name that is taken, FAILED_PRECONDITION for a target
   * namespace that is not there, RESOURCE_EXHAUSTED beyond 1,000 of a cluster.
   */
  async createNexusEndpoint(request: CreateNexusEndpointRequest): Promise<{ endpoint: NexusEndpoint }> {
    return await this.#request('createNexusEndpoint', request, { timeoutMs: TIMEOUT_MS });
  }

  /** @throws RpcError NOT_FOUND. */
  async getNexusEndpoint(request: { id: string }): Promise<{ endpoint: NexusEndpoint }> {
    return await this.#request('getNexusEndpoint', request, { timeoutMs: TIMEOUT_MS });
  }

  /** The whole of it is set. @throws RpcError NOT_FOUND, FAILED_PRECONDITION for another version than it has. */
  async updateNexusEndpoint(request: UpdateNexusEndpointRequest): Promise<{ endpoint: NexusEndpoint }> {
    return await this.#request('updateNexusEndpoint', request, { timeoutMs: TIMEOUT_MS });
  }

  /** Operations that have not begun fail. @throws RpcError NOT_FOUND, FAILED_PRECONDITION for another version than it has. */
  async deleteNexusEndpoint(request: DeleteNexusEndpointRequest): Promise<void> {
    await this.#request('deleteNexusEndpoint', request, { timeoutMs: TIMEOUT_MS });
  }

  async listNexusEndpoints(request: ListNexusEndpointsRequest = {}): Promise<ListNexusEndpointsResponse> {
    return await this.#request('listNexusEndpoints', request, { timeoutMs: TIMEOUT_MS });
  }
}
