// The S3 driver with the client of @aws-sdk/client-s3 against a server that checks what it is sent as S3 does (s3-server.test-support.ts).
import { S3 } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { encodeUtf8 } from '../common/index.ts';
import { S3StorageDriver } from './index.ts';
import { CREDENTIALS, REGION, S3Server } from './s3-server.test-support.ts';
import { sweep } from './sweep.ts';

const server = new S3Server('payloads');
const clients: S3[] = [];
let endpoint: string;

beforeAll(async () => {
  endpoint = await server.start();
});
afterEach(() => {
  server.objects.clear();
  server.refused.length = 0;
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await server.stop();
});

function driver(credentials = CREDENTIALS, bucket = 'payloads'): S3StorageDriver {
  const client = new S3({ endpoint, region: REGION, credentials, forcePathStyle: true, maxAttempts: 1 });
  clients.push(client);
  return new S3StorageDriver({ client, bucket, prefix: 'tenuto/' });
}

const target = (id: string) => ({ target: { kind: 'workflow', namespace: 'default', id } }) as const;
const payload = (data: Uint8Array) => ({ metadata: { encoding: encodeUtf8('binary/plain') }, data });

it('keeps payloads, and gives them back as they were', async () => {
  const s3 = driver();
  const payloads = [
    payload(encodeUtf8('text')),
    payload(new Uint8Array(3 * 1024 * 1024).fill(7)),
    payload(new Uint8Array()),
  ];
  // A workflow id of all that a key has to survive on its way.
  const claims = await s3.store(target("it's \\ gone/. Ünd +&=?*(!)~"), payloads);
  const got = await s3.retrieve({}, claims);
  expect(
    got.map(({ data }, i) => Buffer.compare(data ?? new Uint8Array(1), payloads[i]?.data ?? encodeUtf8('x'))),
  ).toEqual([0, 0, 0]);
  expect(got[0]).toEqual(payloads[0]);
  expect([...server.objects.keys()].every((key) => key.startsWith('tenuto/w/'))).toBe(true);
  expect(server.refused).toEqual([]);
});

it('names what is missing', async () => {
  const s3 = driver();
  const claims = await s3.store(target('a'), [payload(encodeUtf8('text'))]);
  server.objects.clear();
  await expect(s3.retrieve({}, claims)).rejects.toThrow(
    /is not in external storage 's3' \(bucket payloads, prefix tenuto\/\)/,
  );
});

it('is swept over several pages, and what is not under its prefix stays', async () => {
  const s3 = driver();
  await s3.store(
    target('gone'),
    Array.from({ length: 5 }, () => payload(encodeUtf8('text'))),
  );
  const kept = await s3.store(target('kept & well'), [payload(encodeUtf8('kept'))]);
  server.objects.set('elsewhere', { bytes: new Uint8Array(), at: new Date(0) });
  const count = async (query = '') => ({ count: query.includes('gone') ? 0 : 1, groups: [] });
  const client = { options: { namespace: 'default' }, workflow: { count } } as unknown as Parameters<typeof sweep>[0];
  expect(await sweep(client, s3, Date.now())).toEqual({ deleted: 5, kept: 1 });
  expect(await s3.retrieve({}, kept)).toHaveLength(1);
  expect(server.objects.has('elsewhere')).toBe(true);
  expect(server.refused).toEqual([]);
});

it.each([
  ['another secret', { ...CREDENTIALS, secretAccessKey: 'other' }, 'payloads', 'SignatureDoesNotMatch'],
  ['another key', { ...CREDENTIALS, accessKeyId: 'other' }, 'payloads', 'InvalidAccessKeyId'],
  ['another bucket', CREDENTIALS, 'others', 'NoSuchBucket'],
])('fails with what S3 says of %s', async (_, credentials, bucket, code) => {
  await expect(driver(credentials, bucket).store(target('a'), [payload(encodeUtf8('text'))])).rejects.toMatchObject({
    name: code,
  });
  expect(server.refused).toEqual([code]);
});
