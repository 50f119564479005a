// The package as a user gets it: packed, installed into an empty project, used from JavaScript and type-checked from TypeScript.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const INSTALL_TIMEOUT_MS = 120_000;

let project: string;

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'tenuto-package-'));
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], {
    cwd: root,
  });
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [{ filename: string }];
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', join(project, filename)], {
    cwd: project,
  });
}, INSTALL_TIMEOUT_MS);

afterAll(() => rmSync(project, { recursive: true, force: true }));

const WORKFLOWS = `
import { proxyActivities } from 'tenuto/workflow';
const { greet } = proxyActivities({ startToCloseTimeout: '10s' });
export async function hello(name) { return greet(name); }
`;

it('has its pages with it: what its README names of them is there', () => {
  const installed = join(project, 'node_modules', 'tenuto');
  const named = [...readFileSync(join(installed, 'README.md'), 'utf8').matchAll(/\]\((docs\/[^)#\s]+)/g)];
  expect(named.map(([, page = '']) => page).filter((page) => !existsSync(join(installed, page)))).toEqual([]);
  expect(named.length).toBeGreaterThan(20);
});

it('runs a workflow from JavaScript', { timeout: 60_000 }, async () => {
  writeFileSync(join(project, 'workflows.js'), WORKFLOWS);
  writeFileSync(
    join(project, 'main.js'),
    `
import { Client, Connection } from 'tenuto/client';
import { Server } from 'tenuto/server';
import { NativeConnection, Worker } from 'tenuto/worker';
import { fileURLToPath } from 'node:url';
const server = await Server.create({ port: 0 });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: server.address }),
  taskQueue: 'hello',
  workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
  activities: { greet: async (name) => 'Hello, ' + name + '!' },
});
const client = new Client({ connection: await Connection.connect({ address: server.address }) });
const result = await worker.runUntil(client.workflow.execute('hello', { workflowId: 'h', taskQueue: 'hello', args: ['world'] }));
console.log(result);
await client.connection.close();
await server.close();
process.exit(0);
`,
  );
  const { stdout } = await run(process.execPath, ['main.js'], { cwd: project });
  expect(stdout.trim()).toBe('Hello, world!');
});

it('type-checks from TypeScript with strict settings', { timeout: 60_000 }, async () => {
  writeFileSync(
    join(project, 'user.ts'),
    `
import { Client } from 'tenuto/client';
import { proxyActivities, defineSignal, setHandler, condition, sleep } from 'tenuto/workflow';
import { Worker } from 'tenuto/worker';
import { Context } from 'tenuto/activity';
import { ApplicationFailure } from 'tenuto/common';
import { Server } from 'tenuto/server';
export const embedded = (): Promise<Server> => Server.create({ port: 0 });
const activities = { charge: async (cents: number): Promise<string> => Context.current().info.activityId + cents };
const { charge } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });
export const approve = defineSignal<[boolean]>('approve');
export async function order(cents: number): Promise<string> {
  let approved: boolean | undefined;
  setHandler(approve, (value) => { approved = value; });
  await condition(() => approved !== undefined, '1 day');
  await sleep('1s');
  if (!approved) throw ApplicationFailure.nonRetryable('no');
  return charge(cents);
}
export async function client(c: Client, worker: Worker): Promise<string> {
  const handle = await c.workflow.start(order, { workflowId: 'o', taskQueue: 'q', args: [5] });
  await handle.signal(approve, true);
  // @ts-expect-error the argument is a number
  await c.workflow.start(order, { workflowId: 'o', taskQueue: 'q', args: ['5'] });
  worker.shutdown();
  return handle.result();
}
`,
  );
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', '', 'user.ts'];
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await expect(run(process.execPath, [tsc, ...options], { cwd: project })).resolves.toMatchObject({ stderr: '' });
});

it('prints its version and help', async () => {
  const bin = join(project, 'node_modules', '.bin', 'tenuto');
  expect((await run(bin, ['--version'])).stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  expect((await run(bin, ['workflow', '--help'])).stdout).toContain('signal');
});
