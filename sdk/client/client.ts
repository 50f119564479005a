// The client that users make: one connection, all sub-clients.

import type { QueryRejectCondition } from '../common/enums.ts';
import type { Connection } from '../connection/connection.ts';
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
  readonly plugins: readonly ClientPlugin[];
  readonly workflow: { readonly queryRejectCondition?: QueryRejectCondition | undefined };
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

  constructor({ plugins: own = [], ...given }: ClientOptions = {}) {
    const plugins = [...pluginsOf(given.connection), ...own];
    const options = plugins.reduce((before, plugin) => plugin.configureClient?.(before) ?? before, given);
    super(options);
    const { interceptors = {} } = options;
    this.options = { ...this.base, interceptors, plugins, workflow: { ...options.workflow } };
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

  /** @throws TypeError always: operations of Nexus are called by workflows here. */
  get nexus(): never {
    throw new TypeError(
      'Nexus operations without a workflow are not there, neither on this server nor on the Temporal server it follows: call them from a workflow, with createNexusServiceClient',
    );
  }

  /** @throws TypeError always: it was about version sets. */
  get taskQueue(): never {
    throw new TypeError(
      'client.taskQueue is about version sets, which this server has never had: use worker deployments (client.workflowService.setWorkerDeploymentCurrentVersion)',
    );
  }
}

/** Of the plugins a connection was made with, those that are of clients, too. */
const pluginsOf = (connection: Connection | undefined): ClientPlugin[] =>
  (connection?.plugins ?? []).filter((plugin): plugin is typeof plugin & ClientPlugin => 'configureClient' in plugin);
