// A node with its gRPC door, and the official SDK's client and worker on it, unmodified.

import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { Client, type ClientOptions, Connection } from '@temporalio/client';
import { ApplicationFailure, type DataConverter } from '@temporalio/common';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { Server } from 'tenuto/server';
import { addressOf } from './grpc-door.ts';
import './runtime.ts';

export const TASK_QUEUE = 'compat';

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
  book: async (what: string): Promise<string> => {
    if (what === 'impossible') throw ApplicationFailure.nonRetryable('there is none');
    return what;
  },
  undo: async (_what: string): Promise<void> => {},
  /** Not there before the third time it is asked for. */
  poll: async (id: string): Promise<string> => {
    const tried = (attempts.get(id) ?? 0) + 1;
    attempts.set(id, tried);
    if (tried < 3) throw new Error('not yet');
    return `there at attempt ${tried}`;
  },
  /** Fails until `obeys` says otherwise. */
  obey: async (id: string): Promise<string> => {
    if (!obeys.has(id)) throw new Error('not allowed yet');
    return `attempt ${Context.current().info.attempt}`;
  },
  /** Until it is cancelled. */
  beat: async (): Promise<string> => {
    for (;;) {
      Context.current().heartbeat();
      await Context.current().sleep('20 milliseconds');
    }
  },
};

/** Ids whose `obey` succeeds. */
export const obeys = new Set<string>();

export interface WorldOptions {
  /** Of client and worker. */
  readonly dataConverter?: DataConverter;
  readonly client?: Pick<ClientOptions, 'interceptors'>;
  readonly worker?: Pick<WorkerOptions, 'interceptors' | 'maxConcurrentWorkflowTaskExecutions' | 'maxCachedWorkflows'>;
}

export class World {
  readonly server: Server;
  readonly client: Client;
  readonly #connection: Connection;
  /** For clients that start eagerly. */
  readonly native: NativeConnection;
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
    this.native = native;
    this.#worker = worker;
    this.#running = worker.run();
  }

  static async open({ dataConverter, client = {}, worker: more = {} }: WorldOptions = {}): Promise<World> {
    const server = await Server.create({ port: 0, grpcPort: 0, logLevel: 'error' });
    const address = addressOf(server);
    const connection = await Connection.connect({ address });
    const native = await NativeConnection.connect({ address });
    const worker = await Worker.create({
      connection: native,
      taskQueue: TASK_QUEUE,
      workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)),
      activities,
      ...(dataConverter && { dataConverter }),
      ...more,
    });
    const converted = { connection, ...client, ...(dataConverter && { dataConverter }) };
    return new World(server, new Client(converted), connection, native, worker);
  }

  async close(): Promise<void> {
    this.#worker.shutdown();
    await this.#running;
    await this.#connection.close();
    await this.native.close();
    await this.server.close();
  }
}
