// The client that users make: one connection, all sub-clients.

import type { QueryRejectCondition } from '../common/enums.ts';
import type { WorkflowService } from '../connection/index.ts';
import { ActivityClient } from './activity-client.ts';
import { BaseClient, type BaseClientOptions, type LoadedBaseClientOptions } from './base-client.ts';
import type { ClientInterceptors } from './interceptors.ts';
import { ScheduleClient } from './schedule-client.ts';
import { WorkflowClient } from './workflow-client.ts';

export interface ClientPlugin {
  readonly name: string;
  /** Called when a client is made. */
  configureClient?(options: Omit<ClientOptions, 'plugins'>): Omit<ClientOptions, 'plugins'>;
}

export interface ClientOptions extends BaseClientOptions {
  /** Change these options, from first to last. */
  plugins?: readonly ClientPlugin[] | undefined;
  interceptors?: ClientInterceptors | undefined;
  workflow?: {
    /** Which workflows refuse queries. Default: none. */
    queryRejectCondition?: QueryRejectCondition | undefined;
  };
}

export interface LoadedClientOptions extends LoadedBaseClientOptions {
  readonly interceptors: ClientInterceptors;
}

/**
 * A client of one namespace. Cheap: make as many as needed over one connection.
 *
 * ```ts
 * const connection = await Connection.connect({ address: 'localhost:7280' });
 * const client = new Client({ connection, namespace: 'default' });
 * const result = await client.workflow.execute(orderWorkflow, { workflowId: 'order-1', taskQueue: 'orders', args: [order] });
 * ```
 */
export class Client extends BaseClient {
  readonly options: LoadedClientOptions;
  /** Starts workflows and talks to them. */
  readonly workflow: WorkflowClient;
  /** Starts workflows at given times. */
  readonly schedule: ScheduleClient;
  /** Starts activities without a workflow, and completes any from outside of their worker. */
  readonly activity: ActivityClient;

  constructor({ plugins = [], ...given }: ClientOptions = {}) {
    const options = plugins.reduce((before, plugin) => plugin.configureClient?.(before) ?? before, given);
    super(options);
    const { interceptors = {} } = options;
    this.options = { ...this.base, interceptors };
    const shared: BaseClientOptions = {
      connection: this.connection,
      namespace: this.base.namespace,
      identity: this.base.identity,
      dataConverter: {
        ...this.base.loadedDataConverter,
      },
    };
    this.workflow = new WorkflowClient({
      ...shared,
      interceptors: interceptors.workflow,
      queryRejectCondition: options.workflow?.queryRejectCondition,
    });
    this.schedule = new ScheduleClient({ ...shared, interceptors: interceptors.schedule });
    this.activity = new ActivityClient({ ...shared, interceptors: interceptors.activity });
  }

  /** Calls of the workflow service that no client wraps. */
  get workflowService(): WorkflowService {
    return this.connection.workflowService;
  }
}
