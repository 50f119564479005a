// Headers as Node's HTTP/2 writes and reads them: whatever one side says the other understands, with tables that remember what was said before.

import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualTime } from '../../../../test/support/matching-world.ts';
import { HeaderDecoder } from './header-decoder.ts';
import { type AnswerHeader, HeaderEncoder } from './header-encoder.ts';
import { decodeHuffman } from './huffman.ts';
import { type SessionServer, serveSessions } from './raw-client.test-support.ts';

/** Of values as HTTP has them: no blanks around them, no control characters. */
const value = fc
  .oneof(
    fc.string({ maxLength: 40, unit: 'binary-ascii' }),
    fc.string({ maxLength: 40, unit: fc.integer({ min: 0x20, max: 0xff }).map((c) => String.fromCharCode(c)) }),
    fc.nat(9).map((n) => `value ${n}`),
    fc.integer({ min: 100, max: 5_000 }).map((n) => 'long'.repeat(n / 4)),
  )
  .map((text) => text.replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '.').trim());
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/).map((text) => `x-${text}`);
const fields = fc.dictionary(
  fc.oneof(
    name,
    fc.nat(9).map((n) => `x-name-${n}`),
  ),
  value,
  { maxKeys: 8 },
);

let server: SessionServer;
let session: ClientHttp2Session | undefined;
let heard: Record<string, string>[];
let answers: readonly (readonly AnswerHeader[])[];

beforeEach(async () => {
  heard = [];
  answers = [];
  server = await serveSessions(new VirtualTime(), 100, (stream) => {
    heard.push(Object.fromEntries(stream.headers.map((header) => [header.name, header.value])));
    stream.end([{ name: ':status', value: '200' }, ...(answers[heard.length - 1] ?? [])]);
  });
});

afterEach(() => {
  session?.destroy();
  server.close();
  expect(server.faults).toEqual([]);
});

/** One after the other, so that the tables are the same on both sides. */
async function call(headers: Record<string, string>): Promise<IncomingHttpHeaders> {
  if (session === undefined) throw new Error('not connected');
  const stream = session.request({ ':method': 'POST', ':path': '/', ...headers }, { endStream: true });
  stream.resume();
  return await new Promise((resolve, reject) => {
    stream.once('response', resolve);
    stream.once('error', reject);
  });
}

describe('requests', () => {
  it('of any headers are heard as they were said', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fields, { minLength: 1, maxLength: 12 }), async (requests) => {
        heard = [];
        session = connect(`http://127.0.0.1:${server.port}`);
        for (const request of requests) await call(request);
        session.destroy();
        expect(heard).toEqual(requests.map((request) => expect.objectContaining(request)));
      }),
      { numRuns: 60 },
    );
  });

  it('with every character, however it is coded', async () => {
    session = connect(`http://127.0.0.1:${server.port}`);
    const sent: string[] = [];
    for (let c = 0x20; c <= 0xff; c += 1) {
      if (c === 0x7f) continue;
      // Long enough to be coded, whatever the character's own code takes.
      sent.push(`${'a'.repeat(60)}${String.fromCharCode(c).repeat(3)}0`);
    }
    for (const text of sent) await call({ 'x-text': text });
    expect(heard.map((headers) => headers['x-text'])).toEqual(sent);
  });
});

describe('answers', () => {
  const KEPT: readonly AnswerHeader[] = Array.from({ length: 6 }, (_, n) => ({
    name: `x-kept-${n}`,
    value: 'kept '.repeat(20 * n + 1).trim(),
    isKept: true,
  }));
  const other = fc.tuple(name, value).map(([name, value]): AnswerHeader => ({ name, value }));
  const list = fc
    .array(fc.oneof(fc.constantFrom(...KEPT), other), { maxLength: 6 })
    .map((headers) => [...new Map(headers.map((header) => [header.name, header])).values()]);
  const large = fc.constant([{ name: 'x-large', value: 'large'.repeat(8_000) }]);

  it.each([4_096, 400, 0, 65_536])('are heard as they were said, with a table of %d bytes', async (headerTableSize) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(list, large), { minLength: 1, maxLength: 8 }), async (lists) => {
        heard = [];
        answers = lists;
        session = connect(`http://127.0.0.1:${server.port}`, { settings: { headerTableSize } });
        const got: IncomingHttpHeaders[] = [];
        for (const _ of lists) got.push(await call({}));
        session.destroy();
        const said = lists.map((headers) => Object.fromEntries(headers.map((header) => [header.name, header.value])));
        expect(got).toEqual(said.map((headers) => expect.objectContaining(headers)));
      }),
      { numRuns: 30 },
    );
  });
});

describe('a table that becomes smaller in the midst', () => {
  const LIST: readonly AnswerHeader[] = [
    { name: 'grpc-status', value: '0', isKept: true },
    { name: 'content-type', value: 'application/grpc', isKept: true },
  ];

  it.each([
    ['has room for what was kept', 200],
    ['has no room for it', 50],
    ['has none at all', 0],
  ])('%s', async (_, headerTableSize) => {
    answers = [LIST, LIST, LIST, LIST];
    session = connect(`http://127.0.0.1:${server.port}`);
    const expected = { 'grpc-status': '0', 'content-type': 'application/grpc' };
    expect(await call({})).toMatchObject(expected);
    await new Promise<void>((resolve) => session?.settings({ headerTableSize }, () => resolve()));
    for (let i = 0; i < 3; i += 1) expect(await call({})).toMatchObject(expected);
  });
});

it('says a kept header once, and finds it again when others have come', () => {
  const encoder = new HeaderEncoder();
  const decoder = new HeaderDecoder(1_000);
  const [one, two] = ['one', 'two'].map((value) => [{ name: 'kept', value, isKept: true }]) as [
    AnswerHeader[],
    AnswerHeader[],
  ];
  const heard = (list: readonly AnswerHeader[]): unknown => {
    const block = encoder.encode(list);
    return [block.length, decoder.decode(block, 0, block.length)?.map(({ value }) => value)];
  };
  expect([heard(one), heard(one), heard(one)]).toEqual([
    [expect.any(Number), ['one']],
    [1, ['one']],
    [1, ['one']],
  ]);
  expect([heard(two), heard(one), heard(two), heard(one)]).toEqual([
    [expect.any(Number), ['two']],
    [1, ['one']],
    [1, ['two']],
    [1, ['one']],
  ]);
});

it("reads the specification's own example of Huffman's code", () => {
  const bytes = Buffer.from('f1e3c2e5f23a6ba0ab90f4ff', 'hex');
  expect(decodeHuffman(bytes, 0, bytes.length)).toBe('www.example.com');
});
