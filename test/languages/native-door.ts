// The native door beside a program of another language: its worker, what its client starts there, and the histories that it finds afterwards.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from 'tenuto/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from 'tenuto/worker';
import { EventType } from '../../src/wire/enums.ts';

/** A program leaves at least so many executions. */
const FEWEST_EXECUTIONS = 40;
const CLOSING: readonly number[] = [
  EventType.WORKFLOW_EXECUTION_COMPLETED,
  EventType.WORKFLOW_EXECUTION_FAILED,
  EventType.WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.WORKFLOW_EXECUTION_CANCELED,
  EventType.WORKFLOW_EXECUTION_TERMINATED,
  EventType.WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
];

// That its server goes away is what happens here.
Runtime.install({ logger: new DefaultLogger('ERROR') });

export class NativeDoor {
  readonly #connection: Connection;
  readonly #workerConnection: NativeConnection;
  readonly #client: Client;
  readonly #worker: Worker;
  readonly #running: Promise<void>;

  private constructor(connection: Connection, workerConnection: NativeConnection, worker: Worker) {
    this.#connection = connection;
    this.#workerConnection = workerConnection;
    this.#client = new Client({ connection });
    this.#worker = worker;
    this.#running = worker.run();
  }

  /** With a worker on `taskQueue`: workflow and activity of the names that the programs use. */
  static async open(address: string, taskQueue: string): Promise<NativeDoor> {
    const connection = await Connection.connect({ address });
    const workerConnection = await NativeConnection.connect({ address });
    const worker = await Worker.create({
      connection: workerConnection,
      taskQueue,
      workflowsPath: fileURLToPath(new URL('native-workflows.ts', import.meta.url)),
      activities: { greet: async (name: string) => `Hello, ${name}!` },
    });
    return new NativeDoor(connection, workerConnection, worker);
  }

  /** The program's worker serves what this client starts, signals, queries and updates. */
  async useWorkerOf(taskQueue: string): Promise<void> {
    const { workflow } = this.#client;
    const id = `${taskQueue}-native`;
    const said = await workflow.execute<(name: string) => Promise<string>>('hello', {
      ...{ taskQueue, workflowId: `${id}-hello`, args: ['native client'] },
    });
    assert.equal(said, 'Hello, native client!');
    const counter = await workflow.start('counter', { taskQueue, workflowId: `${id}-counter` });
    await counter.signal('add', 2);
    assert.equal(await counter.executeUpdate('addUpdate', { args: [3] }), 5);
    await assert.rejects(counter.executeUpdate('addUpdate', { args: [-1] }));
    assert.equal(await counter.query('sum'), 5);
    await counter.signal('finish');
    assert.equal(await counter.result(), 5);
  }

  /** Every execution of the program is there, at its end, and its events are numbered without a gap. Returns how many there are. */
  async findHistoriesOf(taskQueue: string): Promise<number> {
    const { workflow } = this.#client;
    let found = 0;
    for await (const { workflowId, runId, status } of workflow.list({
      query: `TaskQueue STARTS_WITH '${taskQueue}'`,
    })) {
      found += 1;
      const which = `${workflowId}, run ${runId}`;
      assert.notEqual(status.name, 'RUNNING', `${which} is still running`);
      const { events } = await workflow.getHandle(workflowId, runId).fetchHistory();
      events.forEach(({ eventId }, at) => {
        assert.equal(Number(eventId), at + 1, `${which}: its events are not numbered 1, 2, 3 …`);
      });
      const last = events.at(-1)?.eventType ?? 0;
      assert.ok(CLOSING.includes(last), `${which}: its last event is of type ${last}`);
    }
    assert.ok(found >= FEWEST_EXECUTIONS, `the native door finds only ${found} executions on ${taskQueue}`);
    return found;
  }

  async close(): Promise<void> {
    this.#worker.shutdown();
    await this.#running;
    await this.#workerConnection.close();
    await this.#connection.close();
  }
}
