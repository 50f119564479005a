// `tenuto dev` as somebody uses it who writes a workflow: a real command, files that change, executions that are under way meanwhile.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { Client } from '../../sdk/client/index.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { MAIN, type Running, runNode, temporaryDir, tenuto, until } from '../support/processes.ts';
import { connect } from './world.ts';

const atEnd = undoneAtFileEnd();

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
const PATIENCE_MS = 25_000;
let directory = '';
let dev: Running;
let client: Client;

const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
const words = (word: string): void => write('words.ts', `export const word = '${word}';\n`);
const activities = (greeting: string): void =>
  write('activities.ts', `export async function greet(name: string) { return '${greeting}, ' + name; }\n`);
/** What `waiting` does before it waits. */
const workflows = (first: string): void =>
  write(
    'workflows.ts',
    `import { condition, defineSignal, proxyActivities, setHandler, sleep } from 'tenuto/workflow';
import type * as activities from './activities';
import { word } from './words';
const { greet } = proxyActivities<typeof activities>({ startToCloseTimeout: '10s' });
const go = defineSignal('go');
export async function hello(name: string) { return word + ': ' + (await greet(name)); }
async function untilGo() { let gone = false; setHandler(go, () => { gone = true; }); await condition(() => gone); return word; }
export async function waiting() {
  ${first}
  return untilGo();
}
export const other = async () => untilGo();
`,
  );
const says = (pattern: RegExp): Promise<true> =>
  until(() => (pattern.test(dev.stdout()) ? true : undefined), PATIENCE_MS);
const hello = (workflowId: string): Promise<unknown> =>
  client.workflow.execute('hello', { workflowId, taskQueue: 'dev', args: ['you'] });

beforeAll(async () => {
  directory = temporaryDir(atEnd);
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(PACKAGE, join(directory, 'node_modules', 'tenuto'));
  words('one');
  activities('Hello');
  workflows("await greet('first');");
  const files = ['--workflows', join(directory, 'workflows.ts'), '--activities', join(directory, 'activities.ts')];
  const server = ['--port', '0', '--grpc-port', 'off', '-n', 'mine', '--search-attribute', 'City=Keyword'];
  dev = runNode(MAIN, ['dev', ...files, '--task-queue', 'dev', ...server], { atEnd });
  const [, address = ''] = await dev.says(/Tenuto is ready on (\S+),/);
  await dev.says(/Worker on task queue dev/);
  client = new Client({ connection: await connect({ address }, atEnd), namespace: 'mine' });
}, 60_000);

it('runs what is saved, without a restart', { timeout: 60_000 }, async () => {
  expect(await hello('first')).toBe('one: Hello, you');
  words('two');
  await says(/workflows loaded in \d+ ms/);
  expect(await hello('second')).toBe('two: Hello, you');
  activities('Bye');
  await says(/activities loaded in \d+ ms/);
  expect(await hello('third')).toBe('two: Bye, you');
});

it('has the namespace and the search attributes that it was told of', async () => {
  expect((await client.workflow.count("City = 'Rome'")).count).toBe(0);
});

it.each([
  ['a port that is none', ['--port', 'abc'], /--port takes a whole number from 0 to 65535, not abc/],
  ['an attribute of no type', ['--search-attribute', 'City=Town'], /--search-attribute Town is none of Text/],
  [
    'an attribute for the server of somebody else',
    ['--search-attribute', 'C=Int', '--address', 'h:1'],
    /for the server/,
  ],
])('refuses %s', async (_, flags, message) => {
  const refused = await tenuto(['dev', '--workflows', join(directory, 'workflows.ts'), '-t', 'q', ...flags]);
  expect(refused.stderr).toMatch(message);
  expect(refused.code).toBe(2);
});

it('names what would break, before it does, and lets it end with its own code', { timeout: 90_000 }, async () => {
  const fits = await client.workflow.start('other', { workflowId: 'fits', taskQueue: 'dev' });
  const breaks = await client.workflow.start('waiting', { workflowId: 'breaks', taskQueue: 'dev' });
  // The activity of the one is over: it waits.
  await until(async () => ((await breaks.describe()).historyLength === 10 ? true : undefined), PATIENCE_MS);
  workflows('await sleep(60_000);');
  await says(/1 would break, and keeps the code of before:/);
  words('three');
  await says(/(?:workflows loaded[\s\S]*){3}would break/);
  expect(dev.stdout()).toMatch(
    /breaks \(run \S+\): \[TMPRL1100\] .*event 5 of the history is ActivityTaskScheduled.*asks for StartTimer.* at \S*workflows\.ts:9:/,
  );
  await fits.signal('go');
  await breaks.signal('go');
  expect(await fits.result()).toBe('three');
  expect(await breaks.result()).toBe('two');
  const { events } = await breaks.fetchHistory();
  expect(events.filter(({ attributes }) => 'cause' in attributes)).toEqual([]);
});

it('goes on with the code of before while the files make no sense', { timeout: 60_000 }, async () => {
  words("' broken");
  await says(/workflows not loaded, the code of before goes on: Cannot bundle workflow code:\n.*words\.ts:1/);
  expect(await hello('still')).toBe('three: Bye, you');
  words('four');
  await until(
    async () => ((await hello(`mended ${performance.now()}`)) === 'four: Bye, you' ? true : undefined),
    PATIENCE_MS,
  );
});

it('ends cleanly', async () => {
  dev.kill('SIGTERM');
  expect(await dev.ended).toMatchObject({ code: 0 });
});
