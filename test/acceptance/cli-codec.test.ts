// The command with a codec server: what only its keys can read is shown, and what is sent is what workers expect.

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import type { Payload, PayloadCodec } from '../../sdk/common/index.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { type Finished, type ServerProcess, startServer, temporaryDir, tenuto, until } from '../support/processes.ts';
import { connect, startWorker, TASK_QUEUE } from './world.ts';

const atFileEnd = undoneAtFileEnd();

const FLIPPED = 'binary/flipped';
const flip = (bytes: Uint8Array | undefined): Uint8Array => (bytes ?? new Uint8Array()).map((byte) => byte ^ 0xff);

/** No secret, but nobody reads it by chance. What is not flipped is not its affair. */
const codec: PayloadCodec = {
  encode: async (payloads) =>
    payloads.map(({ data, metadata }) => ({
      metadata: { encoding: Buffer.from(FLIPPED), inner: metadata?.encoding ?? new Uint8Array() },
      data: flip(data),
    })),
  decode: async (payloads) =>
    payloads.map((payload) => {
      const { encoding, inner } = payload.metadata ?? {};
      if (Buffer.from(encoding ?? []).toString() !== FLIPPED) return payload;
      return { metadata: { encoding: inner ?? new Uint8Array() }, data: flip(payload.data) };
    }),
};

type JsonPayload = { metadata: Record<string, string>; data: string };
const fromJson = ({ metadata, data }: JsonPayload): Payload => ({
  metadata: Object.fromEntries(Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text, 'base64')])),
  data: Buffer.from(data, 'base64'),
});
const base64 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('base64');
const toJson = ({ metadata = {}, data }: Payload): JsonPayload => ({
  metadata: Object.fromEntries(Object.entries(metadata).map(([name, bytes]) => [name, base64(bytes)])),
  data: base64(data),
});

let node: ServerProcess;
let endpoint: string;
let asked: IncomingMessage[];

beforeAll(async () => {
  node = await startServer(['start-dev', '--port', '0', '--shard-count', '8'], { atEnd: atFileEnd });
  const connection = await connect({ address: node.address }, atFileEnd);
  await startWorker(connection, atFileEnd, { dataConverter: { payloadCodecs: [codec] } });
  const server = createServer(async (request, response) => {
    asked.push(request);
    let body = '';
    for await (const part of request) body += part;
    if (request.headers.authorization === 'nobody') response.writeHead(403).end('who are you?\n');
    else if (request.headers.authorization === 'liar') response.end('{"payloads":[]}');
    else {
      const given = (JSON.parse(body) as { payloads: JsonPayload[] }).payloads.map(fromJson);
      const done = await (request.url === '/encode' ? codec.encode(given) : codec.decode(given));
      response.end(JSON.stringify({ payloads: done.map(toJson) }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atFileEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  // A listening TCP server has an address of this kind.
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked = [];
});

const cli = (args: readonly string[], env: Record<string, string> = {}): Promise<Finished> =>
  tenuto(args, { env: { TENUTO_ADDRESS: node.address, ...env } });
const workflow = (...args: string[]): Promise<Finished> =>
  cli(['workflow', ...args], { TENUTO_CODEC_ENDPOINT: endpoint });
const start = (type: string, id: string, ...more: string[]): string[] => [
  '--type',
  type,
  '-t',
  TASK_QUEUE,
  '-w',
  id,
  ...more,
];

it('encodes what is sent and decodes what is shown', { timeout: 60_000 }, async () => {
  const flags = ['--codec-header', 'X-Team=shop', '--codec-auth', 'Bearer 7'];
  const executed = await workflow(
    'execute',
    ...start('echo', 'sealed', '-i', '{"a":"secret"}', '--memo', 'note="hush"'),
    ...flags,
  );
  expect([executed.stderr, executed.stdout]).toEqual(['', expect.stringContaining('"a": "secret"')]);
  expect(asked.map(({ url }) => url)).toEqual(['/encode', '/encode', '/decode']);
  expect(asked[0]?.headers).toMatchObject({
    ...{ 'content-type': 'application/json', 'x-namespace': 'default', 'x-team': 'shop', authorization: 'Bearer 7' },
  });
  expect((await workflow('describe', '-w', 'sealed')).stdout).toContain('"a": "secret"');
  const shown = await workflow('show', '-w', 'sealed', '--detailed');
  expect(shown.stdout).toMatch(/"input": \[\s+\{\s+"a": "secret"/);
  const history = (await workflow('show', '-w', 'sealed', '-o', 'json')).stdout;
  expect(history).toContain(Buffer.from('{"a":"secret"}').toString('base64'));
  const plain = await cli(['workflow', 'show', '-w', 'sealed', '--detailed']);
  expect(plain.stdout).toContain(`"encoding": "${FLIPPED}"`);
  expect(plain.stdout).not.toContain('secret');
  // Who cannot read it is told so, and all the rest.
  expect(plain).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining(`Result {\n  "encoding": "${FLIPPED}"`),
  });
  const described = await cli(['workflow', 'describe', '-w', 'sealed']);
  expect(described).toMatchObject({ code: 0, stderr: '' });
  expect(described.stdout).toMatch(/memo +\{"note":\{"encoding":"binary\/flipped","data":"\S+"\}\}\n.*\nResult \{/s);
  expect(await cli(['workflow', 'list', '-o', 'json'])).toMatchObject({ code: 0, stderr: '' });
});

it('encodes the signals of a batch job, and takes its endpoint from a profile', { timeout: 60_000 }, async () => {
  await cli(['workflow', 'start', ...start('approval', 'asked')]);
  const configFile = join(temporaryDir(), 'config.yaml');
  const env = { TENUTO_CONFIG_FILE: configFile };
  const set = (prop: string, value: string) => cli(['config', 'set', '--prop', prop, '--value', value], env);
  expect((await set('codecEndpoint', `${endpoint}/`)).code).toBe(0);
  expect((await set('codecAuth', 'Bearer 8')).code).toBe(0);
  expect((await cli(['config', 'get'], env)).stdout).toMatch(/codecAuth +\(set\)/);
  const signal = ['workflow', 'signal', '-q', "WorkflowId = 'asked'", '--name', 'approve', '-i', '"yes"', '--yes'];
  expect((await cli(signal, env)).code).toBe(0);
  await until(async () =>
    (await cli(['workflow', 'describe', '-w', 'asked'], env)).stdout.includes('Result "yes"') ? true : undefined,
  );
  expect(asked[0]).toMatchObject({ url: '/encode', headers: { authorization: 'Bearer 8' } });
});

it.each([
  ['refuses', ['--codec-auth', 'nobody'], 5, /codec server at .*\/encode refused with 403: who are you\?\n {2}Without/],
  ['answers with something else', ['--codec-auth', 'liar'], 5, /did not answer with 1 payloads, as it was given/],
  ['is not there', ['--codec-endpoint', 'http://127.0.0.1:1'], 5, /\/encode gave no answer: /],
  ['has no URL', ['--codec-endpoint', 'codec:8081'], 2, /--codec-endpoint takes a URL, .* not codec:8081/],
  ['is told a header that is none', ['--codec-header', 'X'], 2, /--codec-header X: expected name=value/],
])('says what is wrong where the codec server %s', async (_, flags, code, message) => {
  const failed = await workflow('start', ...start('echo', 'never', '-i', '1'), ...flags);
  expect(failed.stderr).toMatch(message);
  expect(failed.code).toBe(code);
});

it('says that headers are for a codec server, where none is named', async () => {
  const failed = await cli(['workflow', 'list', '--codec-auth', 'x']);
  expect([failed.code, failed.stderr]).toEqual([2, expect.stringContaining('none is named')]);
});
