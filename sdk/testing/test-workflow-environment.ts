// A server for integration tests: embedded in this process, or one that runs already.

import type { ServerOptions, TimeSkipping } from '../../src/server.ts';
import { Client, type ClientOptions } from '../client/client.ts';
import {
  encodeSearchAttributeIndexedValueType,
  type SearchAttributeKey,
  type SearchAttributeType,
} from '../common/search-attributes.ts';
import { type Duration, msToNumber } from '../common/time.ts';
import { Connection } from '../connection/connection.ts';
import type { ConnectionOptions } from '../connection/options.ts';
import { TimeSkippingClient } from './time-skipping-client.ts';

export interface LocalTestWorkflowEnvironmentOptions {
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
  connectionOptions?: Omit<ConnectionOptions, 'address'> | undefined;
  client?: Omit<ClientOptions, 'connection' | 'namespace'> | undefined;
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
  readonly #close: () => Promise<void>;

  private constructor(
    connection: Connection,
    nativeConnection: Connection,
    client: Client,
    close: () => Promise<void>,
    time: TimeSkipping | undefined,
  ) {
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
    const embedded = await Server.create({ ...server, ...more });
    const connect = (): Connection => Connection.fromTransport(() => embedded.connect());
    const environment = await TestWorkflowEnvironment.#create(
      connect(),
      connect(),
      options.client ?? {},
      () => embedded.close(),
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
    const { address, namespace, connectionOptions, client } = options;
    const connect = (): Connection => Connection.lazy({ ...connectionOptions, address });
    return await TestWorkflowEnvironment.#create(connect(), connect(), { ...client, namespace }, async () => {});
  }

  static async #create(
    connection: Connection,
    nativeConnection: Connection,
    options: Omit<ClientOptions, 'connection'>,
    close: () => Promise<void>,
    time?: TimeSkipping,
  ): Promise<TestWorkflowEnvironment> {
    const connected = { ...options, connection };
    const client = time === undefined ? new Client(connected) : new TimeSkippingClient(connected, time);
    const environment = new TestWorkflowEnvironment(connection, nativeConnection, client, close, time);
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
