// What the command shows of one workflow: its published state, its events, and how it ended.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeAll, expect, it } from 'vitest';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type Finished, MAIN, type ServerProcess, startServer, tenuto, until } from '../support/processes.ts';
import { inhabit, TASK_QUEUE } from './world.ts';

const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0', '--shard-count', '8', '--search-attribute', 'City=Keyword'], {
    atEnd: atFileEnd,
  });
  await inhabit({ address: node.address }, atFileEnd);
});

const workflow = (...args: string[]): Promise<Finished> =>
  tenuto(['workflow', ...args], { env: { TENUTO_ADDRESS: node.address } });
const start = (type: string, workflowId: string, ...more: string[]): Promise<Finished> =>
  workflow('start', '--type', type, '-t', TASK_QUEUE, '-w', workflowId, ...more);
const text = async (...args: string[]): Promise<string> => (await workflow(...args)).stdout;
const json = async (...args: string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await text(...args, '-o', 'json')) as Record<string, unknown>;

it('state prints what a workflow publishes, once and as it changes', { timeout: 60_000 }, async () => {
  await start('packing', 'parcel', '-i', '["tea", "cake"]');
  await until(async () => ((await text('state', '-w', 'parcel')).includes('step') ? true : undefined));
  expect(await text('state', '-w', 'parcel')).toBe('packed  {"done":2,"last":"cake"}\nstep    packed\n');
  expect(await json('state', '-w', 'parcel', '--key', 'packed')).toEqual({ packed: { done: 2, last: 'cake' } });
  const following = text('state', '-w', 'parcel', '--key', 'step', '--follow');
  await workflow('signal', '-w', 'parcel', '--name', 'ship');
  // How far it had come when the watch began is not for this test to say.
  expect(await following).toMatch(/^(step {2}packed\n)?step {2}shipped\n$/);
  const changes = (await text('state', '-w', 'parcel', '--follow', '-o', 'jsonl')).trim().split('\n');
  expect(changes.map((line) => JSON.parse(line))).toContainEqual({
    ...{ key: 'step', value: 'shipped' },
    ...{ runId: expect.any(String), eventId: expect.any(Number) },
  });
});

it('state says what there is where a key is not', { timeout: 60_000 }, async () => {
  await start('packing', 'other parcel', '-i', '[]');
  await until(async () => ((await text('state', '-w', 'other parcel')).includes('step') ? true : undefined));
  expect(await workflow('state', '-w', 'other parcel', '--key', 'stepp')).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/^tenuto: other parcel publishes no state stepp\n {2}It publishes step so far/),
  });
  await start('approval', 'silent');
  expect(await text('state', '-w', 'silent')).toBe('silent publishes nothing\n');
  expect((await workflow('state', '-w', 'nobody')).code).toBe(3);
});

it('show tells events of a type apart, and what their payloads say', { timeout: 60_000 }, async () => {
  await start('packing', 'shown', '-i', '["tea"]');
  await workflow('signal', '-w', 'shown', '--name', 'ship', '-i', '"now"');
  await workflow('result', '-w', 'shown');
  const shown = await text('show', '-w', 'shown', '--detailed');
  expect(shown).toMatch(/MarkerRecorded {2}tenuto_state {2}packed=\{"done":1,"last":"tea"\} {2}step="packed"\n/);
  expect(shown).toMatch(/WorkflowPropertiesModified {2}note="fragile"\n/);
  expect(shown).toMatch(/"input": \[\s+\[\s+"tea"\s+\]\s+\]/);
  expect(shown).toMatch(/"input": \[\s+"now"\s+\]/);
  // Tools read histories: they are as they are exchanged.
  expect(await json('show', '-w', 'shown')).toMatchObject({
    events: expect.arrayContaining([
      expect.objectContaining({
        workflowExecutionSignaledEventAttributes: expect.objectContaining({
          input: { payloads: [{ metadata: { encoding: expect.any(String) }, data: 'Im5vdyI=' }] },
        }),
      }),
    ]),
  });
});

it('describe says how a closed workflow ended', { timeout: 60_000 }, async () => {
  await workflow('execute', '--type', 'echo', '-t', TASK_QUEUE, '-w', 'good', '-i', '{"a":1}');
  expect(await text('describe', '-w', 'good')).toMatch(/\n\nResult \{\n {2}"a": 1\n\}\n$/);
  expect(await json('describe', '-w', 'good')).toMatchObject({ status: 'COMPLETED', result: { a: 1 } });
  await workflow('execute', '--type', 'breaks', '-t', TASK_QUEUE, '-w', 'bad');
  expect(await text('describe', '-w', 'bad')).toMatch(
    /\n\nFAILED bad: .*\n {2}because ActivityFailure: .*\n {2}because ApplicationFailure: out of order\n$/,
  );
  expect(await json('describe', '-w', 'bad')).toMatchObject({
    status: 'FAILED',
    failure: { name: 'ActivityFailure', cause: { message: 'out of order' } },
  });
  const first = JSON.parse(await text('start', '--type', 'itinerary', '-t', TASK_QUEUE, '-w', 'trip', '-o', 'json'));
  await workflow('signal', '-w', 'trip', '--name', 'goOn');
  const described = await until(async () => {
    const said = await json('describe', '-w', 'trip', '-r', first.runId);
    return said.status === 'CONTINUED_AS_NEW' ? said : undefined;
  });
  expect(described.continuedInRun).toBe((await json('describe', '-w', 'trip')).runId);
});

it('describe says how an attribute is registered whose lack holds a workflow up', { timeout: 60_000 }, async () => {
  await start('upsertNobody', 'held up');
  const described = await until(async () => {
    const said = await text('describe', '-w', 'held up');
    return said.includes('BAD_SEARCH_ATTRIBUTES') ? said : undefined;
  });
  expect(described).toMatch(/\n`tenuto operator search-attribute list` says which there are, .*registers one\.\n/);
  await workflow('terminate', '-w', 'held up');
});

it('names the flag of a duration that is none', async () => {
  expect(await start('echo', 'late', '--execution-timeout', '5x')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/'--execution-timeout <duration>' argument '5x' is invalid.*'30s'/s),
  });
});

it('ends quietly when nobody reads its help to the end', async () => {
  const help = spawn(process.execPath, [MAIN, 'workflow', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  help.stdout.destroy();
  let said = '';
  help.stderr.setEncoding('utf8').on('data', (more: string) => {
    said += more;
  });
  expect(await once(help, 'close')).toEqual([0, null]);
  expect(said).toBe('');
});
