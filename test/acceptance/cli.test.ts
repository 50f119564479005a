// The `tenuto` command as its users meet it: real processes against a real node, every verb, what it prints for people and for programs,
// and its exit codes.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import {
  type Finished,
  MAIN,
  type RunOptions,
  runNode,
  type ServerProcess,
  startServer,
  temporaryDir,
  tenuto,
  until,
} from '../support/processes.ts';
import { inhabit, TASK_QUEUE, type World } from './world.ts';

/** Makes standard output a terminal as far as the program can tell. */
const TERMINAL = 'data:text/javascript,Object.defineProperty(process.stdout,"isTTY",{value:true})';
const ESCAPE = '\u001b[';

const atFileEnd = undoneAtFileEnd();

let dataDir = '';
let node: ServerProcess;
let world: World;

beforeAll(async () => {
  dataDir = join(temporaryDir(atFileEnd), 'data');
  const args = ['start-dev', '--data-dir', dataDir, '--port', '0', '--namespace', 'other', '--shard-count', '8'];
  node = await startServer(args, { atEnd: atFileEnd });
  world = await inhabit({ address: node.address }, atFileEnd);
});

const cli = (args: readonly string[], options: RunOptions = {}): Promise<Finished> =>
  tenuto(args, { ...options, env: { TENUTO_ADDRESS: node.address, ...options.env } });
const workflow = (...args: string[]): Promise<Finished> => cli(['workflow', ...args]);

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await workflow(...args, '-o', 'json');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const start = (type: string, workflowId: string, ...more: string[]): Promise<Finished> =>
  workflow('start', '--type', type, '-t', TASK_QUEUE, '-w', workflowId, ...more);

describe('tenuto operator search-attribute', () => {
  const attribute = (...args: string[]): Promise<Finished> => cli(['operator', 'search-attribute', ...args]);

  it('registers what workflows are then started with, found, ordered and counted by', async () => {
    const made = await attribute('create', '--name', 'City', '--name', 'Amount', '--type', 'Keyword', '--type', 'int');
    expect(made).toMatchObject({ code: 0, stdout: 'search attributes of default registered: City, Amount\n' });
    for (const [id, city, amount] of [
      ['p', 'Rome', 3],
      ['q', 'Oslo', 5],
      ['r', 'Rome', 1],
    ] as const) {
      const flags = ['--search-attribute', `City="${city}"`, '--search-attribute', `Amount=${amount}`];
      expect((await start('approval', `found-${id}`, ...flags)).code).toBe(0);
    }
    const { stdout } = await workflow('list', '-q', "City = 'Rome' ORDER BY Amount", '-o', 'jsonl');
    const ids = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { workflowId: string }).workflowId);
    expect(ids).toEqual(['found-r', 'found-p']);
    expect((await json('count', '-q', 'City IS NOT NULL GROUP BY City')).groups).toEqual(
      expect.arrayContaining([
        { count: 2, groupValues: [['Rome']] },
        { count: 1, groupValues: [['Oslo']] },
      ]),
    );
    expect((await json('describe', '-w', 'found-p')).searchAttributes).toMatchObject({ City: ['Rome'], Amount: [3] });
    const table = await workflow('count', '-q', 'City IS NOT NULL GROUP BY City');
    expect(table.stdout).toMatch(/Rome\s+.*2/);
  });

  it('lists and removes them', async () => {
    await attribute('create', '--name', 'Brief', '--type', 'Text');
    const listed = async () =>
      JSON.parse((await attribute('list', '-o', 'json')).stdout) as Record<
        'customAttributes' | 'systemAttributes',
        object
      >;
    expect((await listed()).customAttributes).toMatchObject({ Brief: 'Text' });
    expect((await listed()).systemAttributes).toMatchObject({ WorkflowType: 'Keyword', BuildIds: 'KeywordList' });
    expect((await attribute('list')).stdout).toMatch(/Brief\s+.*Text\s+.*registered/);
    expect((await attribute('remove', '--name', 'Brief')).code).toBe(0);
    expect((await listed()).customAttributes).not.toHaveProperty('Brief');
    const refused = await workflow('list', '-q', "Brief = 'x'");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("column name 'Brief' is not a valid search attribute");
  });

  it.each([
    [
      'a type there is not',
      ['create', '--name', 'X', '--type', 'Number'],
      2,
      /--type Number is none of Text, Keyword, Int/,
    ],
    ['more types than names', ['create', '--name', 'X', '--type', 'Int', '--type', 'Int'], 2, /1 names and 2 types/],
    ['a name of the server’s own', ['create', '--name', 'RunId', '--type', 'Int'], 2, /RunId is reserved by system/],
    ['another type', ['create', '--name', 'City', '--type', 'Int'], 4, /City of namespace default is a Keyword/],
  ])('refuses %s', async (_what, args, code, message) => {
    const finished = await attribute(...args);
    expect(finished.stderr).toMatch(message);
    expect(finished.code).toBe(code);
  });
});

describe('tenuto', () => {
  it('says its version, and how it is used', async () => {
    expect((await cli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = await cli(['--help']);
    expect(help.code).toBe(0);
    for (const group of ['server', 'workflow', 'operator', 'cluster', 'data', 'task-queue'])
      expect(help.stdout).toContain(`  ${group}`);
    expect(await cli(['help', 'workflow', 'start'])).toEqual(await cli(['workflow', 'start', '--help']));
    const verbs = (await cli(['workflow', '--help'])).stdout;
    for (const verb of 'start execute signal query update cancel terminate describe show list count result stack metadata'.split(
      ' ',
    )) {
      expect(verbs).toContain(`  ${verb} `);
    }
  });

  it.each([
    ['a verb there is not', ['workflow', 'dance'], /unknown command 'dance'/],
    ['a flag there is not', ['workflow', 'list', '--loud'], /unknown option '--loud'/],
    ['a flag that is needed', ['workflow', 'describe'], /required option '-w, --workflow-id <id>' not specified/],
    ['an output there is not', ['workflow', 'list', '-o', 'xml'], /Allowed choices are table, json, jsonl, none/],
    ['an output there is not, of data', ['data', 'stats', '.', '-o', 'xml'], /Allowed choices are table, json/],
    ['input that is not JSON', ['workflow', 'start', '--type', 't', '-t', 'q', '-i', 'hello'], /--input is not JSON/],
    [
      'an input file there is not',
      ['workflow', 'start', '--type', 't', '-t', 'q', '--input-file', 'no'],
      /--input-file no/,
    ],
    ['a number that is none', ['workflow', 'list', '--limit', 'few'], /--limit takes a whole number from 1, not few/],
    ['a filter that is none', ['workflow', 'list', '-q', 'Status is good'], /filter|query/i],
    [
      'a port there cannot be',
      ['workflow', 'list', '--address', '127.0.0.1:99999'],
      /^tenuto: Invalid address '127.0.0.1:99999': ports end at 65535\n$/,
    ],
    [
      'a memo that is none',
      ['workflow', 'start', '--type', 't', '-t', 'q', '--memo', 'x'],
      /--memo x: expected key=JSON/,
    ],
    ['a profile there is not', ['workflow', 'list', '--profile', 'nowhere'], /profile nowhere/],
  ])('refuses %s with exit code 2', async (_, args, message) => {
    const { code, stdout, stderr } = await cli(args);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('tenuto server check', () => {
  const check = (...args: string[]): Promise<Finished> => tenuto(['server', 'check', ...args]);

  it('tells a node that is ready from one that is not there', async () => {
    expect(await check('--address', node.address)).toEqual({ code: 0, stdout: 'ready\n', stderr: '' });
    expect(await check('--address', node.address, '--live')).toMatchObject({ code: 0, stdout: 'ok\n' });
    const own = await tenuto(['server', 'check'], { env: { TENUTO_PORT: node.address.split(':')[1] ?? '' } });
    expect(own).toMatchObject({ code: 0, stdout: 'ready\n' });
    const nobody = await check('--address', '127.0.0.1:1');
    expect(nobody).toMatchObject({ code: 5, stdout: '' });
    expect(nobody.stderr).toMatch(/^tenuto: no answer from 127\.0\.0\.1:1: .*ECONNREFUSED.*\n$/);
  });

  it('says why a node is not ready, and waits for no answer for ever', async () => {
    const silent = await listening(() => {});
    expect(await check('--address', silent, '--timeout', '100ms')).toEqual({
      code: 5,
      stdout: '',
      stderr: `tenuto: no answer from ${silent}: nothing within 100 ms\n`,
    });
    const draining = await listening((_request, response) => response.writeHead(503).end('not ready: it drains\n'));
    expect(await check('--address', draining)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'tenuto: not ready: it drains\n',
    });
  });
});

/** An HTTP server for the running test. */
async function listening(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atFileEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  // A listening TCP server has an address of this kind.
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('tenuto workflow', () => {
  it('start returns the ids at once; result waits for the end', async () => {
    const started = await json('start', '--type', 'approval', '-t', TASK_QUEUE, '-w', 'approved');
    expect(started).toMatchObject({ workflowId: 'approved', type: 'approval', taskQueue: TASK_QUEUE });
    const result = workflow('result', '-w', 'approved');
    expect((await workflow('query', '-w', 'approved', '--type', 'state')).stdout).toBe('waiting\n');
    expect(await json('query', '-w', 'approved', '--name', 'state')).toEqual({ queryResult: 'waiting' });
    expect((await workflow('stack', '-w', 'approved')).stdout).toMatch(/condition|approval/);
    expect(await json('stack', '-w', 'approved')).toHaveProperty('stackTrace');
    const signalled = await workflow('signal', '-w', 'approved', '--name', 'approve', '-i', '"yes"');
    expect(signalled).toMatchObject({ code: 0, stdout: 'signalled approved: approve\n' });
    expect(await result).toMatchObject({ code: 0, stdout: 'completed approved\n"yes"\n' });
    expect(await json('result', '-w', 'approved', '-r', String(started.runId))).toEqual({
      workflowId: 'approved',
      status: 'COMPLETED',
      result: 'yes',
    });
    const rejected = await workflow('query', '-w', 'approved', '--type', 'state', '--reject-condition', 'not_open');
    expect(rejected.code).toBe(1);
    expect(rejected.stderr).toMatch(/rejected/i);
  });

  it('execute prints the result, from inline input and from a file', async () => {
    const file = join(temporaryDir(atFileEnd), 'input.json');
    writeFileSync(file, '{"from":"a file"}');
    const execute = ['execute', '--type', 'echo', '-t', TASK_QUEUE];
    const inline = await workflow(...execute, '-i', '{"from":"the command line"}', '-w', 'inline');
    expect(inline.code).toBe(0);
    expect(inline.stdout).toMatch(
      /^running inline \(run [0-9a-f-]{36}\)\ncompleted inline\n\{\n {2}"from": "the command line"\n\}\n$/,
    );
    expect(await json(...execute, '--input-file', file, '-w', 'file')).toMatchObject({ result: { from: 'a file' } });
  });

  it('execute of one that fails says why and exits with 1', async () => {
    const args = ['execute', '--type', 'fails', '-t', TASK_QUEUE, '-i', '"no money"', '-w'];
    const failed = await workflow(...args, 'failed');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/^tenuto: failed: .*\n {2}because ApplicationFailure: no money\n$/);
    const asJson = await workflow(...args, 'failed 2', '-o', 'json');
    expect(asJson.code).toBe(1);
    expect(JSON.parse(asJson.stdout)).toEqual({
      workflowId: 'failed 2',
      runId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status: 'FAILED',
      failure: {
        name: 'ApplicationFailure',
        message: 'no money',
        type: 'Refused',
        nonRetryable: true,
        details: [],
      },
    });
  });

  it('execute of one whose activity fails keeps every cause', async () => {
    const args = ['execute', '--type', 'breaks', '-t', TASK_QUEUE, '-w', 'broken', '-o', 'json'];
    const { failure } = JSON.parse((await workflow(...args)).stdout) as { failure: object };
    expect(failure).toMatchObject({
      name: 'ActivityFailure',
      activityType: 'breakDown',
      retryState: 'MAXIMUM_ATTEMPTS_REACHED',
      cause: { name: 'ApplicationFailure', message: 'out of order', type: 'Broken', details: [{ part: 7 }] },
    });
    expect((await workflow('show', '-w', 'broken')).stdout).toMatch(
      /ActivityTaskFailed {2}out of order\n(.*\n)*\nFAILED broken: .*\n.*because ActivityFailure: .*\n.*because ApplicationFailure: out of order\n$/,
    );
  });

  it('start takes all of its options', async () => {
    const options = [
      ...['--execution-timeout', '1h', '--run-timeout', '30m', '--task-timeout', '20s', '--start-delay', '1h'],
      ...['--memo', 'customer={"id":7}', '--memo', 'vip=true', '--static-summary', 'one line'],
      ...['--static-details', 'more of them', '--maximum-attempts', '3', '--id-reuse-policy', 'RejectDuplicate'],
    ];
    expect((await start('echo', 'optional', ...options)).code).toBe(0);
    expect(await json('describe', '-w', 'optional')).toMatchObject({
      status: 'RUNNING',
      type: 'echo',
      memo: { customer: { id: 7 }, vip: true },
      executionTimeoutMs: 3_600_000,
      runTimeoutMs: 1_800_000,
      taskTimeoutMs: 20_000,
      historyLength: 1,
    });
    const [started] = (await json('show', '-w', 'optional')).events as Record<string, Record<string, unknown>>[];
    expect(started?.workflowExecutionStartedEventAttributes).toMatchObject({
      firstWorkflowTaskBackoff: '3600s',
      retryPolicy: { maximumAttempts: 3 },
    });
    const again = await start('echo', 'optional');
    expect(again.code).toBe(4);
    expect(again.stderr).toMatch(/already started: optional/);
    expect((await start('echo', 'optional', '--id-conflict-policy', 'UseExisting')).code).toBe(0);
    expect(
      (await start('echo', 'optional', '--id-conflict-policy', 'TerminateExisting', '--start-delay', '1h')).code,
    ).toBe(0);
    expect((await workflow('terminate', '-w', 'optional', '--reason', 'over')).stdout).toBe('terminated optional\n');
    expect((await start('echo', 'optional', '--id-reuse-policy', 'RejectDuplicate')).code).toBe(4);
    expect((await workflow('show', '-w', 'optional', '--detailed')).stdout).toMatch(/Terminated.*\n(.*\n)*.*over/);
  });

  it('cancel asks, terminate ends; both say so in the history', async () => {
    await start('approval', 'to cancel');
    const cancelled = await workflow('cancel', '-w', 'to cancel', '--reason', 'too slow');
    expect(cancelled).toMatchObject({ code: 0, stdout: 'cancellation of to cancel requested\n' });
    expect((await workflow('result', '-w', 'to cancel')).code).toBe(1);
    expect((await workflow('show', '-w', 'to cancel', '--detailed')).stdout).toContain('too slow');
    // As with Temporal: asked of a closed one it is answered and forgotten.
    expect((await workflow('cancel', '-w', 'to cancel')).code).toBe(0);
    expect((await workflow('terminate', '-w', 'to cancel')).code).toBe(3);
  });

  it('describe shows the state, and what is pending', async () => {
    await start('beating', 'described', '-i', '1');
    const described = await until(async () => {
      const text = (await workflow('describe', '-w', 'described')).stdout;
      return /Pending activities: 1/.test(text) ? text : undefined;
    });
    expect(described).toMatch(/^workflowId +described\n/);
    expect(described).toMatch(/^status +RUNNING$/m);
    expect(described).toMatch(/slowly +STARTED +1 /);
    expect(await json('result', '-w', 'described')).toMatchObject({ result: 1 });
  });

  it('describe says when nobody listens', async () => {
    expect((await workflow('start', '--type', 'echo', '-t', 'deserted', '-w', 'lonely')).code).toBe(0);
    const text = (await workflow('describe', '-w', 'lonely')).stdout;
    expect(text).toMatch(/^state +SCHEDULED$(.*\n)*No worker listens on task queue deserted\.\n/m);
    await workflow('terminate', '-w', 'lonely');
  });

  it('describe shows how the last workflow task failed', async () => {
    await start('noSuchWorkflow', 'stuck');
    const text = await until(async () => {
      const { stdout } = await workflow('describe', '-w', 'stuck');
      return /^nextAttempt/m.test(stdout) ? stdout : undefined;
    });
    expect(text).toMatch(/^attempt +4$(.*\n)*Its last failure\nattempt +3\n/m);
    expect(text).toMatch(/^cause +WORKFLOW_WORKER_UNHANDLED_FAILURE\nmessage +.*noSuchWorkflow/m);
    expect(await json('describe', '-w', 'stuck')).toMatchObject({
      pendingWorkflowTask: { attempt: 4, lastFailure: { attempt: 3, cause: 'WORKFLOW_WORKER_UNHANDLED_FAILURE' } },
    });
    await workflow('terminate', '-w', 'stuck', '--reason', 'no such type');
    expect((await workflow('show', '-w', 'stuck')).stdout).toMatch(
      /WorkflowTaskFailed {2}WORKFLOW_WORKER_UNHANDLED_FAILURE {2}.*noSuchWorkflow.*\n(.*\n)*\nTERMINATED stuck: no such type\n/,
    );
    expect((await workflow('terminate', '-w', 'stuck')).stderr).toContain(
      'stuck: workflow execution already completed',
    );
  });

  it('list and count show what was acknowledged, filtered and limited', async () => {
    for (const id of ['l1', 'l2', 'l3']) expect((await start('hello', id, '-i', '"you"', '-n', 'other')).code).toBe(0);
    const list = (...args: string[]) => workflow('list', '-n', 'other', ...args);
    const table = (await list()).stdout.trimEnd().split('\n');
    expect(table[0]).toMatch(/^ ?status +workflowId +type +runId +startTime +closeTime/);
    expect(table.slice(1).map((line) => line.trim().split(/\s+/)[1])).toEqual(['l3', 'l2', 'l1']);
    expect(JSON.parse((await list('-o', 'json', '--limit', '2')).stdout)).toMatchObject([
      { workflowId: 'l3', status: 'RUNNING', type: 'hello' },
      { workflowId: 'l2' },
    ]);
    const lines = (await list('-o', 'jsonl')).stdout.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { workflowId: string }).workflowId)).toEqual(['l3', 'l2', 'l1']);
    expect((await list('-o', 'none')).stdout).toBe('');
    await workflow('terminate', '-w', 'l2', '-n', 'other');
    expect((await list('-q', `ExecutionStatus = 'Terminated'`)).stdout).toMatch(/TERMINATED +l2/);
    const count = (...args: string[]) => json('count', '-n', 'other', ...args);
    expect(await count()).toEqual({ count: 3 });
    expect(await count('-q', `ExecutionStatus = 'Running' AND WorkflowType = 'hello'`)).toEqual({ count: 2 });
    expect((await workflow('count', '-n', 'other', '-q', 'GROUP BY ExecutionStatus')).stdout).toMatch(
      /Running +2 *\n(.*\n)*.*total +3/,
    );
  });

  it('show --follow prints events as they happen, and ends with the workflow', async () => {
    await start('approval', 'followed');
    const following = runNode(MAIN, ['workflow', 'show', '-w', 'followed', '--follow'], {
      env: { TENUTO_ADDRESS: node.address },
    });
    await following.says(/WorkflowTaskCompleted/);
    expect(following.stdout()).not.toContain('Signaled');
    await world.client.workflow.getHandle('followed').signal('approve', 'live');
    await following.says(/ +5 .*WorkflowExecutionSignaled {2}approve/);
    expect(await following.ended).toEqual({ code: 0, signal: null });
    const [listed = ''] = following.stdout().split('\n\n', 1);
    const ids = listed.split('\n').map((line) => Number(line.trim().split(' ')[0]));
    expect(ids).toEqual(ids.map((_, i) => i + 1));
    expect(following.stdout()).toMatch(/WorkflowExecutionCompleted\n\nResult "live"\n$/);
    const events = (await json('show', '-w', 'followed')).events as unknown[];
    expect(events).toHaveLength(ids.length);
    expect((await workflow('show', '-w', 'followed', '-o', 'jsonl')).stdout.trimEnd().split('\n')).toHaveLength(
      ids.length,
    );
  });

  it('gives up when told to', async () => {
    await start('approval', 'endless');
    const { code, stderr } = await workflow('result', '-w', 'endless', '--command-timeout', '300ms');
    expect(code).toBe(5);
    expect(stderr).toBe('tenuto: not done within 300ms (--command-timeout)\n');
  });

  it('names what is not there with exit code 3', async () => {
    for (const verb of ['describe', 'show', 'result', 'cancel', 'terminate', 'stack']) {
      const { code, stderr } = await workflow(verb, '-w', 'nobody');
      expect(`${verb} ${code}`).toBe(`${verb} 3`);
      expect(stderr).toBe(
        'tenuto: workflow not found for ID: nobody\n  Is it in another namespace (-n), or is its retention over?\n',
      );
    }
  });
});

describe('tenuto workflow, at the edges', () => {
  it('says once what was wrong with a request', async () => {
    const { code, stderr } = await workflow('list', '--query', 'Foo = 3');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^tenuto: Failed to list workflows: invalid query: invalid expression: column name .Foo. is not a valid search attribute.*\n {2}`tenuto operator search-attribute list`.*\n$/,
    );
  });

  it('says once that there is no such query', async () => {
    await start('approval', 'unasked');
    const { code, stderr } = await workflow('query', '-w', 'unasked', '--name', 'nothing');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tenuto: unasked: Workflow did not register a handler for nothing\..*\n$/);
  });

  it('ends quietly when its reader has gone', async () => {
    await start('approval', 'long history');
    // A stream whose reader is gone fails like this at the next write.
    const preload = [
      'data:text/javascript,process.stdout.write=()=>{process.stdout.emit("error",Object.assign(new Error("write EPIPE"),{code:"EPIPE"}));return false}',
    ];
    const { code, stdout, stderr } = await cli(['workflow', 'show', '-w', 'long history'], { preload });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('tenuto task-queue describe', () => {
  it('shows who listens and what waits', async () => {
    const args = ['task-queue', 'describe', '-t', TASK_QUEUE];
    const table = (await cli(args)).stdout;
    expect(table).toMatch(/^ workflow +0 /m);
    expect(table).toMatch(/Pollers: 2\n/);
    const { pollers } = JSON.parse((await cli([...args, '-o', 'json'])).stdout) as { pollers: unknown[] };
    expect(pollers).toMatchObject([
      { kind: 'workflow', credit: 40 },
      { kind: 'activity', credit: 100 },
    ]);
  });
});

describe('tenuto task-queue config', () => {
  const queue = ['-t', 'configured'];

  it('sets limits and weights with their reasons, takes them away, and says what holds', async () => {
    const set = ['task-queue', 'config', 'set', ...queue];
    const limits = ['--queue-rps-limit', '12.5', '--queue-rps-limit-reason', 'the bank asks for it'];
    expect((await cli([...set, ...limits, '--fairness-key-weight', 'big=3'])).stdout).toMatch(/weight of big +3/);
    const get = ['task-queue', 'config', 'get', ...queue];
    expect((await cli(get)).stdout).toMatch(/^ queue rate limit +12.5\/s +the bank asks for it +cli:/m);
    expect((await cli(['task-queue', 'describe', ...queue])).stdout).toMatch(/12.5\/s \(api\)/);
    await cli([...set, '--queue-rps-limit', 'default', '--fairness-key-weight', 'big=default']);
    const { queueRateLimit, fairnessWeightOverrides } = JSON.parse((await cli([...get, '-o', 'json'])).stdout);
    expect([queueRateLimit.requestsPerSecond, fairnessWeightOverrides]).toEqual([undefined, undefined]);
  });

  it('refuses what is no rate, and the rate of workflow tasks', async () => {
    const set = ['task-queue', 'config', 'set', ...queue, '--queue-rps-limit'];
    expect((await cli([...set, '-1'])).stderr).toContain('a number from 0 on');
    expect((await cli([...set, '1', '--task-queue-type', 'workflow'])).stderr).toContain('activity task queues');
  });
});

describe('colours', () => {
  it.each([
    ['on a terminal', [], { preload: [TERMINAL] }, true],
    ['not in a pipe', [], {}, false],
    ['not on a terminal with NO_COLOR', [], { preload: [TERMINAL], env: { NO_COLOR: '1' } }, false],
    ['not on a terminal with --color never', ['--color', 'never'], { preload: [TERMINAL] }, false],
    ['in a pipe with --color always', ['--color', 'always'], {}, true],
    ['never in JSON', ['-o', 'json'], { preload: [TERMINAL] }, false],
  ])('%s', async (_, args, options, coloured) => {
    const { stdout } = await cli(['workflow', 'list', '--limit', '1', ...args], options);
    expect(stdout).toContain('workflowId');
    expect(stdout.includes(ESCAPE)).toBe(coloured);
  });
});

describe('profiles', () => {
  it('come from a config file, and give way to the environment and to flags', async () => {
    const home = temporaryDir(atFileEnd);
    mkdirSync(join(home, 'tenuto'));
    const file = join(home, 'tenuto', 'config.yaml');
    writeFileSync(
      file,
      `profiles:
  default: { address: '${node.address}', namespace: other }
  nowhere: { address: '${node.address}', namespace: nowhere }
  odd: { adress: x }
`,
    );
    const count = (args: string[], env: Record<string, string>) =>
      tenuto(['workflow', 'count', '-o', 'json', ...args], { env });
    const counted = { code: 0, stdout: '{\n  "count": 3\n}\n' };
    expect(await count([], { XDG_CONFIG_HOME: home })).toMatchObject(counted);
    expect(await count(['--config-file', file], {})).toMatchObject(counted);
    expect(await count([], { TENUTO_CONFIG_FILE: file })).toMatchObject(counted);
    for (const nowhere of [
      await count(['--config-file', file, '--profile', 'nowhere'], {}),
      await count([], { TENUTO_CONFIG_FILE: file, TENUTO_PROFILE: 'nowhere' }),
      await count([], { TENUTO_CONFIG_FILE: file, TENUTO_NAMESPACE: 'nowhere' }),
    ]) {
      expect(nowhere.code).toBe(3);
    }
    const winning = await count(['-n', 'other'], { TENUTO_CONFIG_FILE: file, TENUTO_NAMESPACE: 'nowhere' });
    expect(winning).toMatchObject(counted);
    const odd = await count(['--profile', 'odd'], { TENUTO_CONFIG_FILE: file });
    expect(odd.code).toBe(2);
    expect(odd.stderr).toMatch(/profile odd has an unknown key adress/);
  });
});

describe('tenuto data', () => {
  it('refuses a directory that a node uses, except for a backup, which is whole', async () => {
    for (const verb of ['verify', 'stats']) {
      expect(await cli(['data', verb, dataDir])).toEqual({
        code: 5,
        stdout: '',
        stderr: `tenuto: ${dataDir} is in use by another server (process ${node.pid})
  Stop that one first, or look at a copy: \`tenuto data backup ${dataDir} COPY\` works beside a running node.
`,
      });
    }
    const into = temporaryDir(atFileEnd);
    const backup = join(into, 'backup');
    const live = await cli(['data', 'backup', dataDir, backup, '-o', 'json']);
    expect(live.stderr).toBe('');
    expect(JSON.parse(live.stdout)).toMatchObject({ backup, of: dataDir, node: 'running' });
    expect((await cli(['data', 'backup', dataDir, backup])).code).toBe(2);
    expect((await cli(['data', 'verify', backup])).code).toBe(0);

    const restored = join(into, 'restored');
    expect((await cli(['data', 'restore', backup, restored, '-o', 'json'])).code).toBe(0);
    const counted = (await world.client.workflow.count()).count;
    const second = await startServer(['start-dev', '--data-dir', restored, '--port', '0'], { atEnd: atFileEnd });
    const again = await tenuto(['workflow', 'count', '--address', second.address, '-o', 'json']);
    expect(JSON.parse(again.stdout)).toEqual({ count: counted });
  });

  it('verifies, measures and copies one of a stopped node', async () => {
    const into = temporaryDir(atFileEnd);
    const data = join(into, 'data');
    const server = await startServer(['start-dev', '--data-dir', data, '--port', '0', '--shard-count', '4'], {
      atEnd: atFileEnd,
    });
    const args = ['--address', server.address, '--type', 'echo', '-t', 'q'];
    for (const id of ['a', 'b', 'c']) await tenuto(['workflow', 'start', ...args, '-w', id]);
    server.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);

    const verified = await cli(['data', 'verify', data]);
    expect(verified.code).toBe(0);
    expect(verified.stdout).toMatch(/^sound +true$/m);
    const stats = JSON.parse((await cli(['data', 'stats', data, '-o', 'json'])).stdout) as Record<string, unknown>;
    expect(stats).toMatchObject({ shardCount: 4, format: 4 });
    const copied = await cli(['data', 'backup', data, join(into, 'backup'), '-o', 'json']);
    expect(JSON.parse(copied.stdout)).toMatchObject({ node: 'stopped' });
    expect((await cli(['data', 'verify', join(into, 'backup')])).code).toBe(0);
    for (const verb of ['verify', 'stats']) {
      const absent = await cli(['data', verb, join(into, 'nothing')]);
      expect(absent.code).not.toBe(0);
      expect(absent.stderr).toContain(join(into, 'nothing'));
    }
    expect(existsSync(join(into, 'nothing'))).toBe(false);
  });
});
