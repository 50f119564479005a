// What the clients of workflows and of activities share: connection, namespace, identity, data conversion.

import type { DataConverter, LoadedDataConverter } from '../common/data-converter.ts';
import { loadDataConverter } from '../common/load-data-converter.ts';
import type { WorkflowService } from '../connection/api-service.ts';
import type { Metadata } from '../connection/call-context.ts';
import { Connection } from '../connection/connection.ts';
import { environmentVariable } from '../connection/host.ts';

export interface BaseClientOptions {
  /** Default: a lazy connection to `TENUTO_ADDRESS` or 127.0.0.1:7280. Share one among clients and workers. */
  connection?: Connection | undefined;
  /** Default: `TENUTO_NAMESPACE` or `default`. */
  namespace?: string | undefined;
  /** Who this is, in histories. Default: the connection's. */
  identity?: string | undefined;
  /** How arguments and results become payloads. Must be the workers' own. */
  dataConverter?: DataConverter | undefined;
}

export interface LoadedBaseClientOptions {
  readonly connection: Connection;
  /** As it was given. */
  readonly dataConverter: DataConverter;
  readonly namespace: string;
  readonly identity: string;
  readonly loadedDataConverter: LoadedDataConverter;
}

export class BaseClient {
  /** The connection underneath; `client.connection.close()` ends it. */
  readonly connection: Connection;
  protected readonly base: LoadedBaseClientOptions;

  /** @throws ValueError when a data converter's module cannot be loaded. */
  constructor(options: BaseClientOptions = {}) {
    this.connection = options.connection ?? Connection.lazy();
    const { dataConverter = {} } = options;
    this.base = {
      ...{ connection: this.connection, dataConverter },
      namespace: options.namespace ?? environmentVariable('TENUTO_NAMESPACE') ?? 'default',
      identity: options.identity ?? this.connection.identity,
      loadedDataConverter: loadDataConverter(options.dataConverter),
    };
  }

  /** Fails calls made within `fn` with DEADLINE_EXCEEDED (see `isGrpcDeadlineError`) after `deadline`, epoch ms or Date. */
  withDeadline<R>(deadline: number | Date, fn: () => Promise<R>): Promise<R> {
    return this.connection.withDeadline(deadline, fn);
  }

  /** Gives calls made within `fn` up with CANCELLED (see `isGrpcCancelledError`) when `abortSignal` aborts. */
  withAbortSignal<R>(abortSignal: AbortSignal, fn: () => Promise<R>): Promise<R> {
    return this.connection.withAbortSignal(abortSignal, fn);
  }

  /** Sends metadata with calls made within `fn`: see `Connection.withMetadata`. */
  withMetadata<R>(metadata: Metadata, fn: () => Promise<R>): Promise<R> {
    return this.connection.withMetadata(metadata, fn);
  }

  /** Temporal's workflow service in its own messages: see `Connection.workflowService`. */
  get workflowService(): WorkflowService {
    return this.connection.workflowService;
  }

  protected get dataConverter(): LoadedDataConverter {
    return this.base.loadedDataConverter;
  }
}
