import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Client, Connection } from '../client/index.ts';
import { FakeServer } from '../connection/fake-server.test-support.ts';
import { configuredReplay, configuredWorker, runWithin, type WorkerPlugin } from './plugins.ts';
import { bundleWorkflowCode } from './runtime/bundle.ts';
import type { Worker } from './worker.ts';

const adding = (name: string): WorkerPlugin => ({
  name,
  configureWorker: async (options) => ({ ...options, taskQueue: `${options.taskQueue} ${name}` }),
  configureReplayWorker: (options) => ({ ...options, replayName: `${options.replayName} ${name}` }),
});

it('options pass through the plugins from first to last', async () => {
  const plugins = [adding('a'), { name: 'idle' }, adding('b')];
  expect(await configuredWorker({ taskQueue: 'q', plugins })).toMatchObject({ taskQueue: 'q a b' });
  expect(await configuredReplay({ replayName: 'r', plugins })).toMatchObject({ replayName: 'r a b' });
  expect(await configuredWorker({ taskQueue: 'q' })).toEqual({ taskQueue: 'q' });
});

it('the first plugin is the outermost around a run, and one may keep it from running', async () => {
  const told: string[] = [];
  const around = (name: string): WorkerPlugin => ({
    name,
    async runWorker(worker, next) {
      told.push(`${name} in`);
      await next(worker);
      told.push(`${name} out`);
    },
  });
  // Only handed on.
  const worker = {} as Worker;
  const run = async (given: Worker): Promise<void> => {
    told.push(given === worker ? 'run' : 'another');
  };
  await runWithin([around('a'), { name: 'idle' }, around('b')], worker, run);
  expect(told).toEqual(['a in', 'b in', 'run', 'b out', 'a out']);
  await runWithin([{ name: 'never', runWorker: async () => {} }], worker, run);
  expect(told).toHaveLength(5);
});

it('a bundle is made of what its plugins say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenuto-plugin-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'workflows.ts'), 'export async function fromPlugin() {}');
  const plugin = {
    name: 'path',
    configureBundler: (options: object) => ({ ...options, workflowsPath: join(folder, 'workflows.ts') }),
  };
  expect((await bundleWorkflowCode({ workflowsPath: './nowhere', plugins: [plugin] })).code).toContain('fromPlugin');
});

it('a client is made of what its plugins say', async () => {
  const connection = Connection.fromTransport(new FakeServer().connect);
  const inNamespace = (namespace: string) => ({
    name: namespace,
    configureClient: (options: object) => ({ ...options, namespace }),
  });
  const client = new Client({ connection, plugins: [inNamespace('one'), inNamespace('two')] });
  expect([client.options.namespace, client.workflow.options.namespace]).toEqual(['two', 'two']);
  await connection.close();
});
