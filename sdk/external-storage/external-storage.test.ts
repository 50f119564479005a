// Payload offload against a real server and worker: large values pass, histories stay small, what is missing is named, and a sweep deletes
// what no workflow needs any more, and nothing else.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Client } from '../client/index.ts';
import { ApplicationFailure, type DataConverter, ExternalStorage, encodeUtf8, historyToJSON } from '../common/index.ts';
import { TestWorkflowEnvironment } from '../testing/index.ts';
import { Worker } from '../worker/index.ts';
import {
  BlobStorageDriver,
  FileSystemStorageDriver,
  type S3Operations,
  S3StorageDriver,
  sweepExternalStorage,
} from './index.ts';
import { isKey, newKey, ownerOfKey } from './keys.ts';
import { sweep } from './sweep.ts';

const WORKFLOWS = `
import * as wf from 'tenuto/workflow';
const { grow, measure } = wf.proxyActivities({ startToCloseTimeout: '1 minute', retry: { maximumAttempts: 1 } });
export const go = wf.defineSignal('go');
export async function large(n) { return await grow(n); }
export async function echo(text) { return text; }
export async function parent(n) {
  const text = await wf.executeChild('large', { args: [n] });
  await wf.condition(() => false);
  return text.length;
}
export async function waits() {
  let got;
  wf.setHandler(go, (text) => { got = text; });
  wf.setHandler(wf.defineQuery('got'), () => got);
  await wf.condition(() => got !== undefined);
  await wf.condition(() => false);
}
export async function fails(n) { await measure('x'.repeat(n)); }
`;

let environment: TestWorkflowEnvironment;
let folder: string;
let directory: string;
let driver: FileSystemStorageDriver;
let dataConverter: DataConverter;
let client: Client;
let worker: Worker;
let running: Promise<void>;
const taskQueue = 'offload';
const MIB = 1024 * 1024;

beforeAll(async () => {
  environment = await TestWorkflowEnvironment.createLocal();
  folder = mkdtempSync(join(tmpdir(), 'tenuto-offload-'));
  directory = join(folder, 'payloads');
  driver = new FileSystemStorageDriver({ directory });
  // After the codec: what is stored is what it made.
  const marker = { encode: async (payloads: never[]) => payloads, decode: async (payloads: never[]) => payloads };
  dataConverter = { payloadCodecs: [marker], externalStorage: new ExternalStorage({ drivers: [driver] }) };
  client = new Client({ connection: environment.connection, dataConverter });
  writeFileSync(join(folder, 'workflows.ts'), WORKFLOWS);
  worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue,
    workflowsPath: join(folder, 'workflows.ts'),
    dataConverter,
    activities: {
      grow: async (n: number) => 'y'.repeat(n),
      measure: async (text: string) => {
        throw ApplicationFailure.create({ message: String(text.length), details: [text], nonRetryable: true });
      },
    },
  });
  running = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await environment.teardown();
  rmSync(folder, { recursive: true });
});

const start = (type: string, workflowId: string, ...args: unknown[]) =>
  client.workflow.start(type, { workflowId, taskQueue, args });
const stored = async (): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of driver.list()) keys.push(key);
  return keys;
};
const storedFor = async (workflowId: string): Promise<string[]> =>
  (await stored()).filter((key) => ownerOfKey(key)?.workflowId === workflowId);

describe('a value over the threshold', () => {
  it('of 50 MiB passes from activity to workflow to client, and its history stays small', {
    timeout: 60_000,
  }, async () => {
    const handle = await start('large', 'fifty', 50 * MIB);
    expect((await handle.result()) as string).toHaveLength(50 * MIB);
    expect(JSON.stringify(historyToJSON(await handle.fetchHistory())).length).toBeLessThan(20_000);
    expect(await storedFor('fifty')).toHaveLength(2);
  });

  it('may be an argument, a signal, a query’s answer, a detail of a failure', async () => {
    const text = 'zü😀'.repeat(MIB / 4);
    expect(await (await start('echo', 'argument', text)).result()).toBe(text);
    const handle = await start('waits', 'signalled');
    await handle.signal('go', text);
    await vi.waitFor(async () => expect(await handle.query('got')).toBe(text));
    const failed = await (await start('fails', 'failed', MIB)).result().catch((error: unknown) => error);
    expect(failed).toMatchObject({ cause: { cause: { message: String(MIB) } } });
    expect((failed as { cause: { cause: ApplicationFailure } }).cause.cause.details?.[0]).toHaveLength(MIB);
  });

  it('that is smaller stays where it is', async () => {
    await (await start('echo', 'small', 'small')).result();
    expect(await storedFor('small')).toEqual([]);
  });
});

describe('a payload that is not there', () => {
  it('is named to the client, and fails the task of a worker that needs it, not the run', async () => {
    const handle = await start('echo', 'missing', 'm'.repeat(MIB));
    await handle.result();
    const keys = await storedFor('missing');
    await driver.delete(keys);
    await expect(handle.result()).rejects.toThrow(
      new RegExp(`Payload w/_default/_missing/[0-9a-f-]+ is not in external storage 'file-system' \\(${directory}\\)`),
    );
    expect(existsSync(join(directory, 'w/_default/_missing'))).toBe(false);
  });

  it('that was changed is not taken', async () => {
    const handle = await start('echo', 'changed', 'm'.repeat(MIB));
    await handle.result();
    for (const key of await storedFor('changed')) writeFileSync(join(directory, key), encodeUtf8('other'));
    await expect(handle.result()).rejects.toThrow(/is not what was stored/);
  });

  it('is asked for where its storage is configured', async () => {
    const handle = await start('echo', 'elsewhere', 'm'.repeat(MIB));
    await handle.result();
    const message = "A payload is kept in external storage 'file-system', which is not configured here";
    await expect(environment.client.workflow.getHandle('elsewhere').result()).rejects.toThrow(message);
    const storage = new ExternalStorage({ drivers: [new FileSystemStorageDriver({ directory, name: 'another' })] });
    const other = new Client({ connection: environment.connection, dataConverter: { externalStorage: storage } });
    await expect(other.workflow.getHandle('elsewhere').result()).rejects.toThrow(message);
  });

  it.each([
    ['a path out of the directory', '../../etc/passwd'],
    ['an absolute path', '/etc/passwd'],
    ['nothing', ''],
  ])('is not looked for under %s', async (_, key) => {
    await expect(driver.retrieve({}, [{ claimData: { key, sha256: '' } }])).rejects.toThrow('names no key');
  });
});

describe('a sweep', () => {
  const future = Date.now() + 3_600_000;
  /** As if the server had removed these workflows. */
  const without = (...gone: string[]): Parameters<typeof sweep>[0] => {
    const count = async (query = '') => {
      const own = await client.workflow.count(query);
      const names = gone.map((id) => `WorkflowId = ${quotedForFilter(id)} OR RootWorkflowId = ${quotedForFilter(id)}`);
      return names.includes(query) ? { ...own, count: 0 } : own;
    };
    return { options: client.options, workflow: Object.assign(Object.create(client.workflow), { count }) };
  };
  const quotedForFilter = (id: string): string => `'${id.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

  it('deletes the payloads of workflows that are gone, with their folders', async () => {
    const handle = await start('echo', "it's \\gone/. Ünd", 'm'.repeat(MIB));
    await handle.result();
    expect(await storedFor(handle.workflowId)).toHaveLength(2);
    const gone = without(handle.workflowId);
    expect((await sweep(gone, driver, Date.now() - 60_000)).deleted).toBe(0);
    expect((await sweep(client, driver, future)).deleted).toBe(0);
    expect((await sweep(gone, driver, future)).deleted).toBe(2);
    expect(await storedFor(handle.workflowId)).toEqual([]);
    expect(await storedFor('fifty')).toHaveLength(2);
  });

  it('keeps what a child gave its parent for as long as the parent exists', async () => {
    const handle = await start('parent', 'tree', MIB);
    // The child's result is the tree's, its activity's is its own.
    await vi.waitFor(async () => expect(await storedFor('tree')).toHaveLength(1));
    const children = (await stored())
      .map((key) => ownerOfKey(key)?.workflowId)
      .filter((id) => /^[0-9a-f-]{36}$/.test(id ?? ''));
    expect(children).toHaveLength(1);
    expect((await sweep(without(children[0] ?? ''), driver, future)).deleted).toBe(1);
    expect(await storedFor('tree')).toHaveLength(1);
    // One filter asks for the workflow and for its tree: the child alone would keep it.
    const { count } = await client.workflow.count("RootWorkflowId = 'tree'");
    expect(count).toBe(2);
    await handle.terminate();
  });

  it('leaves what belongs to nobody it knows, and refuses to be hasty', async () => {
    const [claim] = await driver.store({}, [{ data: new Uint8Array(9) }]);
    await sweep(client, driver, future);
    const [kept] = await driver.retrieve({}, claim === undefined ? [] : [claim]);
    expect(kept?.data).toHaveLength(9);
    await expect(sweepExternalStorage(client, driver, { minAge: '1 second' })).rejects.toThrow('at least a minute');
  });
});

describe('a bucket', () => {
  /** As @aws-sdk/client-s3 answers, two objects to a page. */
  function bucket(): S3Operations & { objects: Map<string, Uint8Array> } {
    const objects = new Map<string, Uint8Array>();
    return {
      objects,
      putObject: async ({ Key, Body }) => objects.set(Key, Body),
      getObject: async ({ Key }) => {
        const bytes = objects.get(Key);
        if (bytes === undefined)
          throw Object.assign(new Error('The specified key does not exist.'), { name: 'NoSuchKey' });
        return { Body: { transformToByteArray: async () => bytes } };
      },
      listObjectsV2: async ({ Prefix, ContinuationToken = '' }) => {
        const keys = [...objects.keys()].filter((key) => key.startsWith(Prefix)).sort();
        const rest = keys.filter((key) => key > ContinuationToken);
        const page = rest.slice(0, 2);
        return {
          Contents: page.map((Key) => ({ Key, LastModified: new Date(1000) })),
          ...(rest.length > 2 ? { NextContinuationToken: page.at(-1) } : {}),
        };
      },
      deleteObjects: async ({ Delete }) => {
        for (const { Key } of Delete.Objects) objects.delete(Key);
        return {};
      },
    };
  }

  it('keeps payloads under its prefix, names what is missing, and is swept', async () => {
    const fake = bucket();
    fake.objects.set('elsewhere', new Uint8Array());
    const s3 = new S3StorageDriver({ client: fake, bucket: 'b', prefix: 'p/' });
    const target = (id: string) => ({ target: { kind: 'workflow', namespace: 'default', id } }) as const;
    const payload = { metadata: { encoding: encodeUtf8('binary/plain') }, data: encodeUtf8('text') };
    const claims = await s3.store(target('argument'), [payload, payload]);
    const orphans = await s3.store(target('nobody'), [payload, payload, payload]);
    expect([...fake.objects.keys()].filter((key) => key.startsWith('p/w/_default/_'))).toHaveLength(5);
    expect(await sweep(client, s3, Date.now())).toEqual({ deleted: 3, kept: 2 });
    expect(await s3.retrieve({}, claims)).toEqual([payload, payload]);
    await expect(s3.retrieve({}, orphans)).rejects.toThrow(/not in external storage 's3' \(bucket b, prefix p\/\)/);
    expect(fake.objects.has('elsewhere')).toBe(true);
  });
});

describe('a key', () => {
  it.each([
    ['plain', 'order-1'],
    ['empty', ''],
    ['of dots and slashes', '../../x'],
    ['in capitals', 'ORDER'],
    ['of 1,000 bytes', 'é'.repeat(500)],
  ])('says whose it is: %s', (_, workflowId) => {
    const key = newKey({ namespace: 'a/b', workflowId });
    expect(isKey(key)).toBe(true);
    expect(ownerOfKey(key)).toEqual({ namespace: 'a/b', workflowId });
    expect(Math.max(...key.split('/').map((part) => part.length))).toBeLessThan(255);
    expect(key).not.toMatch(/\.|[A-Z]/);
  });

  it.each(['unowned/x', 'w', 'w/x/y/z', 'other/_a/_b/c', 'w/_%/_%zz/u'])('%s has no owner', (key) => {
    expect(ownerOfKey(key)).toBeUndefined();
  });
});

describe('an ExternalStorage', () => {
  it.each([
    ['no driver', { drivers: [] }, 'needs a driver'],
    ['two drivers without a selector', { drivers: [1, 2] }, 'needs a driverSelector'],
    ['a negative threshold', { drivers: [1], payloadSizeThreshold: -1 }, 'payloadSizeThreshold'],
  ])('with %s is refused', (_, { drivers, ...rest }, message) => {
    const made = drivers.map((n) => new FileSystemStorageDriver({ directory: folder, name: String(n) }));
    expect(() => new ExternalStorage({ drivers: made, ...rest })).toThrow(message);
  });

  it('stores nothing where its driver cannot, and says why', async () => {
    const broken = new BlobStorageDriver('broken', 'test', {
      place: 'nowhere',
      put: () => Promise.reject(new Error('the disk is full')),
      get: async () => undefined,
      list: async function* () {},
      delete: async () => {},
    });
    const externalStorage = new ExternalStorage({ drivers: [broken], payloadSizeThreshold: 0 });
    const other = new Client({ connection: environment.connection, dataConverter: { externalStorage } });
    const started = other.workflow.start('echo', { workflowId: 'never', taskQueue, args: ['a'] });
    await expect(started).rejects.toThrow('the disk is full');
    await expect(client.workflow.getHandle('never').describe()).rejects.toThrow();
  });

  it('leaves no half-written file', async () => {
    expect(readdirSync(join(directory, '.unfinished'))).toEqual([]);
    expect(readFileSync(join(directory, (await storedFor('argument'))[0] ?? '')).length).toBeGreaterThan(MIB);
  });
});
