// A server for integration tests: embedded in this process, or one that runs already.

import type { ServerOptions, TimeSkipping } from '../../src/server.ts';
import type { NexusEndpoint } from '../../src/wire/nexus.ts';
import type { AsyncCompletionClient } from '../client/async-completion-client.ts';
import { Client, type ClientOptions, type ClientPlugin } from '../client/client.ts';
import type { WorkflowClient } from '../client/workflow-client.ts';
import {
  encodeSearchAttributeIndexedValueType,
  type SearchAttributeKey,
  type SearchAttributeType,
} from '../common/search-attributes.ts';
import { type Duration, msToNumber } from '../common/time.ts';
import { Connection } from '../connection/connection.ts';
import type { ConnectionOptions, ConnectionPlugin } from '../connection/options.ts';
import { TimeSkippingClient } from './time-skipping-client.ts';

export interface LocalTestWorkflowEnvironmentOptions {
  /** Of its connections and its client, where they have hooks of these. */
  plugins?: readonly (ConnectionPlugin | ClientPlugin)[] | undefined;
  /** Options of `Server.create`. Default: data in memory, no ports, namespace `default`. */
  server?: (ServerOptions & TestServerOptions) | undefined;
  client?: Omit<ClientOptions, 'connection'> | undefined;
}

export interface TestServerOptions {
  /** Search attributes that the client's namespace begins with. */
  searchAttributes?: readonly SearchAttributeKey<SearchAttributeType>[] | undefined;
}

export interface ExistingServerTestWorkflowEnvironmentOptions {
  /** Default: `TENUTO_ADDRESS` or 127.0.0.1:7280. */
  address?: string | undefined;
  namespace?: string | undefined;
  /** Of its connections and its client, where they have hooks of these. */
  plugins?: readonly (ConnectionPlugin | ClientPlugin)[] | undefined;
  connectionOptions?: Omit<ConnectionOptions, 'address'> | undefined;
  client?: Omit<ClientOptions, 'connection' | 'namespace'> | undefined;
}

export interface NexusEndpointIdentifier {
  id: string;
  /** Grows with each change. */
  version: number;
  raw: NexusEndpoint;
}

/**
 * ```ts
 * const env = await TestWorkflowEnvironment.createLocal();
 * const worker = await Worker.create({ connection: env.nativeConnection, taskQueue: 'test', workflowsPath, activities });
 * await worker.runUntil(env.client.workflow.execute(myWorkflow, { workflowId: 'w', taskQueue: 'test' }));
 * await env.teardown();
 * ```
 */
export class TestWorkflowEnvironment {
  readonly client: Client;
  /** For clients. */
  readonly connection: Connection;
  /** For workers. */
  readonly nativeConnection: Connection;
  readonly namespace: string;
  /** Made by {@link createTimeSkipping}. */
  readonly supportsTimeSkipping: boolean;
  readonly #time: TimeSkipping | undefined;
  /** With what its connections were made. */
  readonly connectionOptions: ConnectionOptions;
  /** With what it was made. */
  readonly options: LocalTestWorkflowEnvironmentOptions | ExistingServerTestWorkflowEnvironmentOptions;
  readonly #address: string | undefined;
  readonly #close: () => Promise<void>;

  private constructor(
    connection: Connection,
    nativeConnection: Connection,
    client: Client,
    close: () => Promise<void>,
    time: TimeSkipping | undefined,
    connectionOptions: ConnectionOptions,
    options: LocalTestWorkflowEnvironmentOptions | ExistingServerTestWorkflowEnvironmentOptions,
  ) {
    this.options = options;
    this.connectionOptions = connectionOptions;
    this.#address = connectionOptions.address === undefined ? undefined : String(connectionOptions.address);
    this.connection = connection;
    this.nativeConnection = nativeConnection;
    this.client = client;
    this.supportsTimeSkipping = time !== undefined;
    this.#time = time;
    this.namespace = client.options.namespace;
    this.#close = close;
  }

  /** Starts a server within this process, reached without a socket. */
  static async createLocal(options: LocalTestWorkflowEnvironmentOptions = {}): Promise<TestWorkflowEnvironment> {
    return await TestWorkflowEnvironment.#embed(options, {});
  }

  /**
   * The same, with a server whose time jumps to what is due next whenever nothing goes on and the environment's client waits for a result: a workflow
   * that sleeps a month is tested in a moment. Otherwise time stands still but for {@link sleep}, or passes as it does.
   */
  static async createTimeSkipping(options: LocalTestWorkflowEnvironmentOptions = {}): Promise<TestWorkflowEnvironment> {
    return await TestWorkflowEnvironment.#embed(options, { timeSkipping: true });
  }

  static async #embed(
    options: LocalTestWorkflowEnvironmentOptions,
    more: ServerOptions,
  ): Promise<TestWorkflowEnvironment> {
    // Loaded only here: the client and worker of a test against another server need none of it.
    const { Server } = await import('../../src/server.ts');
    const { searchAttributes = [], ...server } = options.server ?? {};
    const { plugins = [], client } = options;
    const embedded = await Server.create({ ...server, ...more });
    const given: ConnectionOptions = { plugins: plugins.filter(isOfConnections) };
    const connect = (): Connection => Connection.fromTransport(() => embedded.connect(), given);
    const environment = await TestWorkflowEnvironment.#create(
      connect(),
      connect(),
      { ...client, plugins: [...plugins.filter(isOfClientsAlone), ...(client?.plugins ?? [])] },
      () => embedded.close(),
      { address: embedded.address, ...given },
      options,
      embedded.timeSkipping,
    );
    try {
      await environment.#register(searchAttributes);
    } catch (err) {
      await environment.teardown();
      throw err;
    }
    return environment;
  }

  /** Connects to a server that runs already. @throws RpcError when it cannot be reached. */
  static async createFromExistingServer(
    options: ExistingServerTestWorkflowEnvironmentOptions = {},
  ): Promise<TestWorkflowEnvironment> {
    const { address, namespace, connectionOptions, client, plugins = [] } = options;
    const ofConnections = [...plugins.filter(isOfConnections), ...(connectionOptions?.plugins ?? [])];
    const given: ConnectionOptions = { ...connectionOptions, address, plugins: ofConnections };
    const connect = (): Connection => Connection.lazy(given);
    const ofClients = [...plugins.filter(isOfClientsAlone), ...(client?.plugins ?? [])];
    const clientOptions = { ...client, namespace, plugins: ofClients };
    return await TestWorkflowEnvironment.#create(connect(), connect(), clientOptions, async () => {}, given, options);
  }

  static async #create(
    connection: Connection,
    nativeConnection: Connection,
    clientOptions: Omit<ClientOptions, 'connection'>,
    close: () => Promise<void>,
    connectionOptions: ConnectionOptions,
    options: LocalTestWorkflowEnvironmentOptions | ExistingServerTestWorkflowEnvironmentOptions,
    time?: TimeSkipping,
  ): Promise<TestWorkflowEnvironment> {
    const connected = { ...clientOptions, connection };
    const client = time === undefined ? new Client(connected) : new TimeSkippingClient(connected, time);
    const environment = new TestWorkflowEnvironment(
      connection,
      nativeConnection,
      client,
      close,
      time,
      connectionOptions,
      options,
    );
    try {
      await connection.ensureConnected();
    } catch (err) {
      await environment.teardown();
      throw err;
    }
    return environment;
  }

  async #register(keys: readonly SearchAttributeKey<SearchAttributeType>[]): Promise<void> {
    if (keys.length === 0) return;
    await this.connection.request('addSearchAttributes', {
      namespace: this.namespace,
      searchAttributes: Object.fromEntries(
        keys.map(({ name, type }) => [name, encodeSearchAttributeIndexedValueType(type)]),
      ),
    });
  }

  /** @deprecated `client.workflow`. */
  get workflowClient(): WorkflowClient {
    return this.client.workflow;
  }

  /** @deprecated `client.activity`. */
  get asyncCompletionClient(): AsyncCompletionClient {
    return this.client.activity;
  }

  /** `host:port` of the server, for clients of other processes; undefined for an embedded one without a port. */
  get address(): string | undefined {
    return this.#address;
  }

  /**
   * A Nexus endpoint whose operations go to a task queue of this environment's namespace.
   *
   * @throws RpcError ALREADY_EXISTS for a name that is taken.
   */
  async createNexusEndpoint(name: string, taskQueue: string): Promise<NexusEndpointIdentifier> {
    const target = { worker: { namespace: this.namespace, taskQueue } };
    const { endpoint } = await this.connection.request('createNexusEndpoint', { spec: { name, target } });
    return { id: endpoint.id, version: endpoint.version, raw: endpoint };
  }

  /** @throws RpcError NOT_FOUND, FAILED_PRECONDITION for another version than it has. */
  async deleteNexusEndpoint({ id, version }: Pick<NexusEndpointIdentifier, 'id' | 'version'>): Promise<void> {
    await this.connection.request('deleteNexusEndpoint', { id, version });
  }

  /** Waits in the environment's time: where that can be skipped, it is. */
  sleep(duration: Duration): Promise<void> {
    const ms = msToNumber(duration);
    const time = this.#time;
    return new Promise((resolve) => {
      if (time === undefined) setTimeout(resolve, ms);
      else {
        time.unlock();
        time.sleepUntil(time.now() + ms, () => {
          time.lock();
          resolve();
        });
      }
    });
  }

  /** The environment's time, epoch milliseconds. */
  async currentTimeMs(): Promise<number> {
    return this.#time?.now() ?? Date.now();
  }

  /** Closes the connections, then the embedded server. Shut workers down before. */
  async teardown(): Promise<void> {
    await this.connection.close();
    await this.nativeConnection.close();
    await this.#close();
  }
}

type Plugin = ConnectionPlugin | ClientPlugin;

const isOfConnections = (plugin: Plugin): plugin is ConnectionPlugin =>
  'configureConnection' in plugin || 'configureNativeConnection' in plugin;
/** A client takes the others from its connection. */
const isOfClientsAlone = (plugin: Plugin): plugin is ClientPlugin => !isOfConnections(plugin);
