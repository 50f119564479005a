// What the clients of workflows and of activities share: connection, namespace, identity, data conversion.

import type { DataConverter, LoadedDataConverter } from '../common/data-converter.ts';
import { loadDataConverter } from '../common/load-data-converter.ts';
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
    this.base = {
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

  protected get dataConverter(): LoadedDataConverter {
    return this.base.loadedDataConverter;
  }
}
