// Namespaces on a real node: registered, described, changed and deleted from the command line and the SDK, kept across kill -9, and apart from each other.

import { beforeAll, describe, expect, it } from 'vitest';
import { Client, Connection } from '../../sdk/client/index.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import {
  type Finished,
  restartServer,
  type ServerProcess,
  startServer,
  temporaryDir,
  tenuto,
  until,
} from '../support/processes.ts';

const HOUR = 3_600_000;
const atFileEnd = undoneAtFileEnd();

let node: ServerProcess;
let connection: Connection;
const settings = ['start', '--data-dir', temporaryDir(atFileEnd)];
beforeAll(async () => {
  node = await startServer([...settings, '--port', '0'], { atEnd: atFileEnd });
  connection = await Connection.connect({ address: node.address });
  atFileEnd(() => connection.close());
});

const run = (...args: string[]): Promise<Finished> => tenuto(args, { env: { TENUTO_ADDRESS: node.address } });
const namespace = (...args: string[]): Promise<Finished> => run('operator', 'namespace', ...args);
const clientOf = (name: string): Client => new Client({ connection, namespace: name });
const start = (name: string, workflowId = 'w') =>
  clientOf(name).workflow.start('nothing', { workflowId, taskQueue: 'nobody' });

describe('tenuto operator namespace', () => {
  it('creates one that can be used at once, and is there after kill -9', async () => {
    const created = await namespace(
      'create',
      'billing',
      '--retention',
      '2h',
      '--email',
      'b@example.com',
      '--data',
      'k=v',
    );
    expect(created).toMatchObject({ code: 0, stdout: 'namespace billing registered\n' });
    await start('billing');
    node.kill('SIGKILL');
    await node.ended;
    const port = node.address.slice(node.address.lastIndexOf(':') + 1);
    node = await restartServer([...settings, '--port', port], { atEnd: atFileEnd });
    const { stdout } = await namespace('describe', '-n', 'billing', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ name: 'billing', state: 'REGISTERED', retention: '2h', ownerEmail: 'b@example.com', data: { k: 'v' } },
    });
    const { id } = JSON.parse(stdout) as { id: string };
    const byId = await namespace('describe', '--namespace-id', id, '-o', 'json');
    expect(JSON.parse(byId.stdout)).toMatchObject({ name: 'billing', id });
    expect((await clientOf('billing').workflow.getHandle('w').describe()).status.name).toBe('RUNNING');
    await expect(clientOf('default').workflow.getHandle('w').describe()).rejects.toThrow();
  });

  it('lists and updates them; what is left out stays', async () => {
    expect(
      (await namespace('update', 'billing', '--description', 'invoices', '--retention', '3h', '-o', 'json')).code,
    ).toBe(0);
    expect((await namespace('update', 'default', '--description', 'the first')).code).toBe(0);
    const { stdout } = await namespace('list', '-o', 'jsonl');
    const listed = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(listed).toMatchObject([
      { name: 'billing', description: 'invoices', retention: '3h', data: { k: 'v' } },
      { name: 'default', description: 'the first', retention: '72h' },
    ]);
  });

  it.each([
    [['create', 'billing'], 4, 'already exists'],
    [['create', 'default'], 4, 'already exists'],
    [['create', 'a\u0007b'], 2, 'up to 200 characters that can be seen'],
    [['create', 'temporal-system'], 2, 'up to 200 characters'],
    [['create', 'short', '--retention', '59m'], 2, 'retention of 1 h'],
    [['create', 'long', '--description', 'x'.repeat(5_000)], 2, 'more than 4096 bytes'],
    [['create', 'odd', '--data', 'k'], 2, 'expected key=value'],
    [['describe', 'nobody'], 3, 'nobody is not found'],
    [['update', 'nobody'], 3, 'nobody is not found'],
    [['delete', 'nobody', '--yes'], 3, 'nobody is not found'],
    [['delete', 'billing'], 2, 'add --yes'],
    [['delete', 'default', '--yes'], 1, 'in this server’s configuration'.replace('’', "'")],
  ])('refuses %j', async (args, code, why) => {
    const refused = await namespace(...args);
    expect(refused.stderr).toContain(why);
    expect(refused.code).toBe(code);
  });

  it('cluster health, describe and system say what a server is', async () => {
    expect((await run('operator', 'cluster', 'health')).stdout).toBe('SERVING\n');
    expect(JSON.parse((await run('operator', 'cluster', 'describe', '-o', 'json')).stdout)).toMatchObject({
      ...{ store: 'leveldb', shardCount: 256 },
    });
    expect((await run('operator', 'cluster', 'system', '-o', 'json')).stdout).toContain('serverVersion');
    const away = await tenuto(['operator', 'cluster', 'health'], { env: { TENUTO_ADDRESS: '127.0.0.1:1' } });
    expect(away.code).toBe(5);
  });
});

describe('a namespace', () => {
  it('is described by its id, and found by nobody once it is deleted', async () => {
    await connection.request('registerNamespace', { namespace: 'brief', workflowExecutionRetentionPeriod: HOUR });
    const { id } = await connection.request('describeNamespace', { namespace: 'brief' });
    expect(await connection.request('describeNamespace', { id })).toMatchObject({ name: 'brief' });
    const handle = await start('brief');
    expect(await connection.request('deleteNamespace', { namespaceId: id })).toEqual({
      deletedNamespace: 'brief',
    });
    await expect(handle.describe()).rejects.toThrow('brief');
    await expect(connection.request('describeNamespace', { id })).rejects.toMatchObject({ code: 5 });
    const again = connection.request('registerNamespace', {
      namespace: 'brief',
      workflowExecutionRetentionPeriod: HOUR,
    });
    await expect(again).rejects.toMatchObject({ code: 6 });
  });

  it('without executions is gone at once, and its name free', async () => {
    const empty = { namespace: 'empty', workflowExecutionRetentionPeriod: HOUR };
    await connection.request('registerNamespace', empty);
    await connection.request('deleteNamespace', { namespace: 'empty' });
    await until(() =>
      connection.request('registerNamespace', empty).then(
        () => true,
        () => undefined,
      ),
    );
  });

  it('that is deprecated takes no new workflows, and serves those it has', async () => {
    await connection.request('registerNamespace', { namespace: 'old', workflowExecutionRetentionPeriod: HOUR });
    const handle = await start('old');
    await connection.request('deprecateNamespace', { namespace: 'old' });
    await expect(start('old', 'another')).rejects.toMatchObject({
      cause: { code: 9, details: 'Namespace old has invalid state: Deprecated. Must be Registered.' },
    });
    await handle.signal('go');
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });

  it('has search attributes of its own', async () => {
    await connection.request('registerNamespace', { namespace: 'tagged', workflowExecutionRetentionPeriod: HOUR });
    const create = ['operator', 'search-attribute', 'create', '--name', 'City', '--type', 'Keyword', '-n', 'tagged'];
    expect((await run(...create)).code).toBe(0);
    expect((await run('workflow', 'count', '-q', "City = 'Rome'", '-n', 'tagged')).code).toBe(0);
    expect((await run('workflow', 'count', '-q', "City = 'Rome'", '-n', 'billing')).code).toBe(2);
    const { workflow } = clientOf('tagged');
    const inRome = (workflowId: string, name: string) =>
      workflow.start('nothing', { workflowId, taskQueue: 'nobody', searchAttributes: { [name]: ['Rome'] } });
    await inRome('before', 'City');
    const rename = ['operator', 'search-attribute', 'rename', '-n', 'tagged', '--new-name', 'Town'];
    expect((await run(...rename, '--existing-name', 'City')).stdout).toContain('City of tagged is Town now');
    expect((await run(...rename, '--existing-name', 'City')).code).toBe(2);
    await inRome('since', 'Town');
    const { stdout } = await run('workflow', 'list', '-q', "Town = 'Rome'", '-n', 'tagged', '-o', 'json');
    const list = JSON.parse(stdout) as { workflowId: string }[];
    expect(list.map(({ workflowId }) => workflowId)).toEqual(['since', 'before']);
    expect((await workflow.getHandle('before').describe()).searchAttributes).toEqual({ Town: ['Rome'] });
    expect((await run('workflow', 'count', '-q', "City = 'Rome'", '-n', 'tagged')).code).toBe(2);
    const { customSearchAttributeAliases } = await connection.request('describeNamespace', { namespace: 'tagged' });
    expect(customSearchAttributeAliases).toEqual({ City: 'Town' });
  });
});

it('start-dev registers search attributes in its namespaces before it is ready', async () => {
  const flags = ['-n', 'billing', '--search-attribute', 'City=Keyword', '--search-attribute', 'Tags=keyword_list'];
  const dev = await startServer(['start-dev', '--port', '0', ...flags], { atEnd: atFileEnd });
  for (const namespace of ['default', 'billing']) {
    const list = ['operator', 'search-attribute', 'list', '-n', namespace, '-o', 'json'];
    const { stdout } = await tenuto(list, { env: { TENUTO_ADDRESS: dev.address } });
    expect(JSON.parse(stdout)).toMatchObject({ customAttributes: { City: 'Keyword', Tags: 'KeywordList' } });
  }
  const wrong = await tenuto(['server', 'start-dev', '--port', '0', '--search-attribute', 'City']);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('City: expected Name=Type')]);
});
