// `tenuto workflow trace` and the messages that start what they are for, as their users meet them.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type Finished, type ServerProcess, startServer, temporaryDir, tenuto, until } from '../support/processes.ts';
import { inhabit, TASK_QUEUE } from './world.ts';

const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
beforeAll(async () => {
  const dataDir = join(temporaryDir(atFileEnd), 'data');
  node = await startServer(['start-dev', '--data-dir', dataDir, '--port', '0', '--shard-count', '8'], {
    atEnd: atFileEnd,
  });
  await inhabit({ address: node.address }, atFileEnd);
});

const workflow = (...args: string[]): Promise<Finished> =>
  tenuto(['workflow', ...args], { env: { TENUTO_ADDRESS: node.address } });
const begin = ['--type', 'approval', '-t', TASK_QUEUE];

it('a signal starts the workflow it is for, once', async () => {
  const signal = [
    'signal-with-start',
    ...begin,
    '-w',
    'signalled',
    '--signal-name',
    'approve',
    '--signal-input',
    '"yes"',
  ];
  const { code, stdout } = await workflow(...signal, '-o', 'json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ workflowId: 'signalled', type: 'approval' });
  expect((await workflow('result', '-w', 'signalled')).stdout).toBe('completed signalled\n"yes"\n');
});

it('trace shows what a workflow does, for people and for programs', async () => {
  await workflow('start', ...begin, '-w', 'traced');
  expect((await workflow('trace', '-w', 'traced')).stdout).toMatch(/^approval traced RUNNING\n/);
  await workflow('signal', '-w', 'traced', '--name', 'approve', '-i', '"yes"');
  await workflow('result', '-w', 'traced');
  expect((await workflow('trace', '-w', 'traced', '--follow')).stdout).toMatch(/^approval traced COMPLETED \d+ ms\n/);
  const { stdout } = await workflow('trace', '-w', 'traced', '-o', 'json');
  expect(JSON.parse(stdout)).toMatchObject({ workflowId: 'traced', status: 'COMPLETED', steps: expect.any(Array) });
  expect((await workflow('trace', '-w', 'nobody')).code).toBe(3);
});

it('trace looks into children, but for those of a status that is folded', async () => {
  const env = { TENUTO_ADDRESS: node.address };
  await tenuto(['operator', 'search-attribute', 'create', '--name', 'City', '--type', 'Keyword'], { env });
  const started = await workflow('start', '--type', 'itinerary', '-t', TASK_QUEUE, '-w', 'trip', '-o', 'json');
  const { runId } = JSON.parse(started.stdout);
  await workflow('signal', '-w', 'trip', '--name', 'goOn');
  const trace = async (...flags: string[]): Promise<string> =>
    (await workflow('trace', '-w', 'trip', '-r', runId, ...flags)).stdout;
  await until(async () => ((await trace()).includes('CONTINUED_AS_NEW') ? true : undefined));
  await workflow('signal', '-w', 'trip/luggage', '--name', 'approve', '-i', '"yes"');
  await workflow('result', '-w', 'trip/luggage');
  expect(await trace('--concurrency', '2')).toMatch(/approval trip\/luggage COMPLETED \d+ ms$/m);
  expect(await trace('--fold', 'failed,completed')).toMatch(/approval trip\/luggage COMPLETED \d+ ms …$/m);
  expect(await trace('--fold', 'completed', '--no-fold', '--depth', '-1')).toMatch(/COMPLETED \d+ ms$/m);
  const folded = JSON.parse(await trace('--fold', 'timedout', '--fold', 'Completed', '-o', 'json'));
  expect(folded.steps).toContainEqual(
    expect.objectContaining({ execution: expect.objectContaining({ folded: true, steps: [] }) }),
  );
  const refused = await workflow('trace', '-w', 'trip', '--fold', 'finished');
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('not finished') });
});

it('start takes a cron schedule', async () => {
  expect((await workflow('start', ...begin, '-w', 'nightly', '--cron', '0 3 * * *')).code).toBe(0);
  const { stdout } = await workflow('show', '-w', 'nightly', '--detailed');
  expect(stdout).toContain('"cronSchedule": "0 3 * * *"');
  expect((await workflow('start', ...begin, '-w', 'never', '--cron', 'sometimes')).code).toBe(2);
});

describe('flags that scripts for the temporal command pass', () => {
  const events = async (id: string): Promise<string> => (await workflow('show', '-w', id, '--detailed')).stdout;

  it('start with a priority, headers and arguments as base64', async () => {
    const flags = ['--name', 'echo', '-t', TASK_QUEUE, '-w', 'fair', '-i', 'ImhpIg==', '--input-base64'];
    const fair = ['--priority-key', '2', '--fairness-key', 'acme', '--fairness-weight', '2.5'];
    const { stdout, stderr } = await workflow('execute', ...flags, ...fair, '--headers', 'trace="1"');
    expect([stderr, stdout]).toEqual(['', expect.stringContaining('"hi"')]);
    const started = await events('fair');
    for (const said of ['"priorityKey": 2', '"fairnessKey": "acme"', '"fairnessWeight": 2.5', '"trace"'])
      expect(started).toContain(said);
  });

  it('signal under either name of a flag, with headers', async () => {
    const same = [...begin, '-w', 'headed', '--id-reuse-policy', 'TerminateIfRunning'];
    expect((await workflow('start', ...same)).code).toBe(0);
    expect((await workflow('start', ...same)).code).toBe(0);
    const signal = ['--type', 'approve', '--input', 'yes', '--input-meta', 'encoding=json/plain'];
    expect((await workflow('signal', '-w', 'headed', ...signal)).stderr).toContain('--input is not JSON');
    const good = ['--type', 'approve', '--input', '"yes"', '--headers', 'trace="2"'];
    expect((await workflow('signal', '-w', 'headed', ...good)).code).toBe(0);
    expect((await workflow('result', '-w', 'headed')).stdout).toBe('completed headed\n"yes"\n');
    expect(await events('headed')).toContain('"trace"');
    const asked = await workflow('metadata', '-w', 'headed', '--reject-condition', 'not_open');
    expect([asked.code, asked.stderr]).toEqual([1, expect.stringContaining('rejected')]);
  });

  it('refuse a run for an update that may start its workflow', async () => {
    const update = ['start-update-with-start', ...begin, '--update-name', 'x', '--update-wait-for-stage', 'accepted'];
    const refused = await workflow(...update, '-r', 'run');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--run-id cannot be set')]);
  });

  it('look at a workflow from behind, as the server says it, and by page', async () => {
    const shown = await workflow(
      'execute',
      '--type',
      'echo',
      '-t',
      TASK_QUEUE,
      '-w',
      'looked-at',
      '-i',
      '1',
      '--detailed',
    );
    expect([shown.code, shown.stdout]).toEqual([
      0,
      expect.stringMatching(/WorkflowExecutionStarted.*completed looked-at/s),
    ]);
    const [last] = (await workflow('show', '-w', 'looked-at', '--reverse')).stdout.split('\n');
    expect(last).toContain('WorkflowExecutionCompleted');
    expect((await workflow('show', '-w', 'looked-at', '--reverse', '--follow')).code).toBe(2);
    const raw = JSON.parse((await workflow('describe', '-w', 'looked-at', '--raw', '-o', 'json')).stdout);
    expect(raw).toMatchObject({ workflowExecutionInfo: { workflowId: 'looked-at', startTime: expect.any(Number) } });
    const points = JSON.parse((await workflow('describe', '-w', 'looked-at', '--reset-points', '-o', 'json')).stdout);
    expect(points).toEqual(expect.any(Array));
    const listed = await workflow('list', '-q', "WorkflowId = 'looked-at'", '--page-size', '1', '-o', 'json');
    expect(JSON.parse(listed.stdout)).toMatchObject([{ workflowId: 'looked-at' }]);
    expect((await workflow('list', '--archived')).stderr).toContain('there is no archive');
  });

  it('write a history again', async () => {
    const source = join(temporaryDir(atFileEnd), 'history.json');
    const { stdout } = await workflow('show', '-w', 'looked-at', '-o', 'json');
    writeFileSync(
      source,
      stdout.replaceAll(/EVENT_TYPE_[A-Z_]+/g, (name) =>
        name
          .slice(11)
          .toLowerCase()
          .replaceAll(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase()),
      ),
    );
    expect(JSON.parse((await workflow('fix-history-json', '-s', source)).stdout)).toEqual(JSON.parse(stdout));
    expect((await workflow('fix-history-json', '-s', '/no')).code).toBe(2);
  });

  it('ask a schedule for its times, and for all about it; and no remote clusters', async () => {
    const run = (...args: string[]) => tenuto(args, { env: { TENUTO_ADDRESS: node.address } });
    await run(
      'schedule',
      'create',
      '-s',
      'noon',
      '--cron',
      '0 12 * * *',
      ...begin,
      '--fairness-key',
      'acme',
      '--paused',
    );
    const range = ['--start-time', '2030-01-01T00:00:00Z', '--end-time', '2030-01-02T23:00:00Z'];
    const times = await run('schedule', 'list-matching-times', '-s', 'noon', ...range);
    expect(times.stdout).toBe('2030-01-01T12:00:00.000Z\n2030-01-02T12:00:00.000Z\n');
    expect((await run('schedule', 'list-matching-times', '-s', 'nobody', ...range)).code).toBe(3);
    expect((await run('schedule', 'list', '--long')).stdout).toContain('calendars');
    expect((await run('schedule', 'list', '--really-long')).stdout).toContain('noon');
    const remote = await run(
      'operator',
      'cluster',
      'upsert',
      '--frontend-address',
      'x:1',
      '--enable-connection',
      'false',
    );
    expect([remote.code, remote.stderr]).toEqual([1, expect.stringContaining('no remote cluster')]);
  });
});
