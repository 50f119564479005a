// A node with its gRPC door, and the official SDK's client and worker on it, unmodified.

import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Server } from 'tenuto/server';

export const TASK_QUEUE = 'compat';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const attempts = new Map<string, number>();

export const activities = {
  greet: async (name: string): Promise<string> => `Hello, ${name}!`,
  /** Fails until it is tried for the `succeedOn`-th time. */
  flaky: async (succeedOn: number): Promise<number> => {
    const tried = (attempts.get('flaky') ?? 0) + 1;
    attempts.set('flaky', tried);
    if (tried < succeedOn) throw new Error(`attempt ${tried}`);
    return tried;
  },
};

export class World {
  readonly server: Server;
  readonly client: Client;
  readonly #connection: Connection;
  readonly #native: NativeConnection;
  readonly #worker: Worker;
  readonly #running: Promise<void>;

  private constructor(
    server: Server,
    client: Client,
    connection: Connection,
    native: NativeConnection,
    worker: Worker,
  ) {
    this.server = server;
    this.client = client;
    this.#connection = connection;
    this.#native = native;
    this.#worker = worker;
    this.#running = worker.run();
  }

  static async open(): Promise<World> {
    const server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error' });
    const address = server.grpcAddress;
    if (address === undefined) throw new Error('the server has no gRPC door');
    const connection = await Connection.connect({ address });
    const native = await NativeConnection.connect({ address });
    const worker = await Worker.create({
      connection: native,
      taskQueue: TASK_QUEUE,
      workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)),
      activities,
    });
    return new World(server, new Client({ connection }), connection, native, worker);
  }

  async close(): Promise<void> {
    this.#worker.shutdown();
    await this.#running;
    await this.#connection.close();
    await this.#native.close();
    await this.server.close();
  }
}
