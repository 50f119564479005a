import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { IllegalStateError } from '../common/errors.ts';
import { makeLogger } from '../common/logger.ts';
import { defaultPayloadConverter, toPayloadsMessage } from '../common/payload-converter.ts';
import { CombinedWorkerRunError, GracefulShutdownPeriodExpiredError, PromiseCompletionTimeoutError } from './errors.ts';
import { FakeServer } from './fake-server.test-support.ts';
import { activityTask, bytes } from './fakes.test-support.ts';
import { Runtime } from './process-runtime.ts';
import { Worker } from './worker.ts';

const servers: FakeServer[] = [];
function serve(...handlers: ConstructorParameters<typeof FakeServer>): FakeServer {
  const server = new FakeServer(...handlers);
  servers.push(server);
  return server;
}

beforeAll(() => {
  Runtime.install({ logger: makeLogger(() => {}), shutdownSignals: ['SIGUSR2'] });
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.connection.close();
});

const create = (server: FakeServer, act: () => unknown, options = {}) =>
  Worker.create({ connection: server.connection, taskQueue: 'q', activities: { act }, ...options });

describe('a worker', () => {
  it('runs activities until it is shut down', async () => {
    const server = serve();
    const worker = await create(server, async () => 42);
    expect(worker.getState()).toBe('INITIALIZED');
    const running = worker.run();
    expect(worker.getState()).toBe('RUNNING');
    expect(await server.received('registerWorker')).toMatchObject({
      workflowCredit: 0,
      activityCredit: 100,
      identity: 'me',
    });
    server.push('activityTask', activityTask('t'));
    expect(await server.received('respondActivityTaskCompleted')).toMatchObject({
      result: toPayloadsMessage(defaultPayloadConverter, [42]),
      credit: 1,
    });
    worker.shutdown();
    await running;
    expect(worker.getState()).toBe('STOPPED');
    expect(server.of('unregisterWorker')).toHaveLength(1);
    await expect(worker.run()).rejects.toThrow(IllegalStateError);
  });

  it('keeps its activity and its worker id over a lost connection', async () => {
    const server = serve();
    let end: (value: string) => void = () => {};
    const act = () =>
      new Promise((resolve) => {
        end = resolve;
      });
    const worker = await create(server, act);
    const running = worker.run();
    await server.received('registerWorker');
    server.push('activityTask', activityTask('t'));
    await expect.poll(() => worker.getStatus().numInFlightActivities).toBe(1);
    server.drop();
    const again = await server.received('registerWorker', 2);
    expect(again.workerId).toBe(server.of('registerWorker')[0]?.workerId);
    expect(again).toMatchObject({ activityCredit: 99 });
    expect(again.heldTokens.map((token) => Buffer.from(token).toString())).toEqual(['t']);
    end('done');
    await server.received('respondActivityTaskCompleted');
    worker.shutdown();
    await running;
  });

  it('runs until a promise is settled, and passes its outcome on', async () => {
    const server = serve();
    const ok = await create(server, async () => {});
    expect(await ok.runUntil(async () => 'value')).toBe('value');
    const bad = await create(server, async () => {});
    await expect(bad.runUntil(Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    const stopped = await create(server, async () => {});
    const until = stopped.runUntil(new Promise(() => {}));
    stopped.shutdown();
    await expect(until).rejects.toThrow(PromiseCompletionTimeoutError);
  });

  it('fails when the server refuses it, together with the promise it should have run until', async () => {
    const refuse = (): never => {
      throw new Error('no such queue');
    };
    const server = serve({ registerWorker: refuse });
    const worker = await create(server, async () => {});
    await expect(worker.run()).rejects.toThrow('no such queue');
    expect(worker.getState()).toBe('FAILED');
    const both = await create(server, async () => {});
    await expect(both.runUntil(Promise.reject(new Error('mine')))).rejects.toThrow(CombinedWorkerRunError);
  });

  it('gives up waiting for its activities after the force time', async () => {
    const server = serve();
    const worker = await create(server, () => new Promise(() => {}), { shutdownForceTime: 30 });
    const running = worker.run();
    await server.received('registerWorker');
    server.push('activityTask', activityTask('t'));
    await expect.poll(() => worker.getStatus().numInFlightActivities).toBe(1);
    worker.shutdown();
    await expect(running).rejects.toThrow(GracefulShutdownPeriodExpiredError);
  });

  it('shuts down on a signal', async () => {
    const server = serve();
    const worker = await create(server, async () => {});
    const running = worker.run();
    await server.received('registerWorker');
    process.emit('SIGUSR2', 'SIGUSR2');
    await running;
    expect(worker.getState()).toBe('STOPPED');
    expect(process.listenerCount('SIGUSR2')).toBe(0);
  });

  it('fails the attempt, not the process, when an activity throws in a timer', async () => {
    const server = serve();
    const act = () =>
      new Promise(() =>
        setTimeout(() => {
          throw new Error('from a timer');
        }, 1),
      );
    const worker = await create(server, act);
    // The test runner watches for uncaught errors, too.
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      const running = worker.run();
      await server.received('registerWorker');
      server.push('activityTask', activityTask('t'));
      const { failure, target } = await server.received('respondActivityTaskFailed');
      expect(failure.message).toBe('from a timer');
      expect(target).toEqual({ token: bytes('t') });
      worker.shutdown();
      await running;
    } finally {
      for (const listener of others) process.on('uncaughtException', listener);
    }
  });

  it.each([
    [{ taskQueue: '' }, 'taskQueue must be a non-empty string'],
    [{ activities: {} }, 'A worker needs workflows'],
    [{ taskQueue: '__temporal_x' }, 'reserved prefix'],
    [{ activities: { __temporal_x: () => 1 } }, 'reserved prefix'],
    [{ useVersioning: true }, 'use workerDeploymentOptions'],
    [
      { maxConcurrentActivityTaskExecutions: 0 },
      'maxConcurrentActivityTaskExecutions must be an integer of at least 1',
    ],
    [{ maxActivitiesPerSecond: -1 }, 'maxActivitiesPerSecond must be a positive number'],
    [{ shutdownGraceTime: -1 }, 'shutdownGraceTime must not be negative'],
  ])('is not made with %j', async (options, message) => {
    await expect(create(serve(), async () => {}, options)).rejects.toThrow(message);
  });

  it('is not made for a namespace the server does not know', async () => {
    const unknown = (): never => {
      throw new Error('no such namespace');
    };
    await expect(create(serve({ describeNamespace: unknown }), async () => {})).rejects.toThrow('no such namespace');
  });
});
