import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Payload } from '../../src/wire/common.ts';
import {
  arrayFromPayloads,
  CompositePayloadConverter,
  decodeMessage,
  decodeUtf8,
  defaultPayloadConverter,
  encodeMessage,
  encodeUtf8,
  fromPayloadsAtIndex,
  JsonPayloadConverter,
  mapFromPayloads,
  mapToPayloads,
  type PayloadCodec,
  RawValue,
  toPayloads,
} from './index.ts';

const readable = (payload: Payload): [encoding: string, data: string | undefined] => [
  decodeUtf8(payload.metadata?.encoding ?? new Uint8Array()),
  payload.data && decodeUtf8(payload.data),
];

describe('the default converter', () => {
  it.each([
    [undefined, 'binary/null', undefined],
    [null, 'json/plain', 'null'],
    [Uint8Array.of(104, 105), 'binary/plain', 'hi'],
    ['é', 'json/plain', '"é"'],
    [{ a: [1, true] }, 'json/plain', '{"a":[1,true]}'],
    [new Date(0), 'json/plain', '"1970-01-01T00:00:00.000Z"'],
  ])('writes %o as %s', (value, encoding, data) => {
    expect(readable(defaultPayloadConverter.toPayload(value))).toEqual([encoding, data]);
  });

  it('reads back every JSON value and every byte string', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.uint8Array(), fc.constant(undefined)), (value) => {
        // -0 is no JSON.
        const expected = value instanceof Uint8Array || value === undefined ? value : JSON.parse(JSON.stringify(value));
        expect(defaultPayloadConverter.fromPayload(defaultPayloadConverter.toPayload(value))).toEqual(expected);
      }),
    );
  });

  it.each([1n, Symbol('s'), () => {}, { toJSON: () => undefined }])('refuses %o', (value) => {
    expect(() => defaultPayloadConverter.toPayload(value)).toThrow(/Unable to convert .* to payload/);
  });

  it.each([
    [{}, 'Missing payload metadata'],
    [{ metadata: {} }, 'Missing payload encoding'],
    [{ metadata: { encoding: encodeUtf8('binary/encrypted') } }, 'Unknown encoding: binary/encrypted'],
    [{ metadata: { encoding: encodeUtf8('json/plain') } }, 'Got payload with no data'],
    [{ metadata: { encoding: encodeUtf8('json/plain') }, data: encodeUtf8('{') }, 'is not JSON'],
  ] as [Payload, string][])('says what is wrong with %o', (payload, message) => {
    expect(() => defaultPayloadConverter.fromPayload(payload)).toThrow(message);
  });

  it('takes byte strings of another realm, and gives out copies', () => {
    const foreign = runInNewContext('Uint8Array.of(1, 2)');
    expect(foreign).not.toBeInstanceOf(Uint8Array);
    const payload = defaultPayloadConverter.toPayload(foreign);
    const value = defaultPayloadConverter.fromPayload<Uint8Array>(payload);
    expect(value).toBeInstanceOf(Uint8Array);
    expect([...value]).toEqual([1, 2]);
    value[0] = 9;
    expect(payload.data?.[0]).toBe(1);
  });
});

describe('lists, maps and raw values', () => {
  it('no values are no payloads; a missing payload reads as undefined', () => {
    expect(toPayloads(defaultPayloadConverter)).toBeUndefined();
    expect(arrayFromPayloads(defaultPayloadConverter, undefined)).toEqual([]);
    const payloads = toPayloads(defaultPayloadConverter, 1, 'two');
    expect(arrayFromPayloads(defaultPayloadConverter, payloads)).toEqual([1, 'two']);
    expect(fromPayloadsAtIndex(defaultPayloadConverter, 2, payloads)).toBeUndefined();
  });

  it('maps keep their keys', () => {
    const map = mapToPayloads(defaultPayloadConverter, { a: 1, b: undefined });
    expect(mapFromPayloads(defaultPayloadConverter, map)).toEqual({ a: 1, b: undefined });
  });

  it('a raw value passes through', () => {
    const payload: Payload = { metadata: { encoding: encodeUtf8('x/y') }, data: Uint8Array.of(1) };
    expect(defaultPayloadConverter.toPayload(RawValue.fromPayload(payload))).toBe(payload);
  });

  it('a composite needs a converter', () => {
    expect(() => new CompositePayloadConverter()).toThrow('Must provide at least one PayloadConverterWithEncoding');
    expect(new CompositePayloadConverter(new JsonPayloadConverter()).toPayload(1).data).toEqual(encodeUtf8('1'));
  });
});

/** Appends its mark to data and to a metadata field, so that order and number of applications show. */
class Marker implements PayloadCodec {
  readonly mark: string;

  constructor(mark: string) {
    this.mark = mark;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => ({
      ...payload,
      data: encodeUtf8(decodeUtf8(payload.data ?? new Uint8Array()) + this.mark),
    }));
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      const text = decodeUtf8(payload.data ?? new Uint8Array());
      if (!text.endsWith(this.mark)) throw new Error(`not encoded by ${this.mark}: ${text}`);
      return { ...payload, data: encodeUtf8(text.slice(0, -this.mark.length)) };
    });
  }
}

describe('codecs over messages', () => {
  const p = (value: unknown) => defaultPayloadConverter.toPayload(value);
  const message = {
    workflowId: 'w',
    token: Uint8Array.of(1, 2, 3),
    input: { payloads: [p(1), p('two')] },
    header: { fields: { trace: p('plain') } },
    searchAttributes: { indexedFields: { Customer: p('plain') } },
    memo: { fields: { note: p('n') } },
    commands: [
      { attributes: { details: { data: { payloads: [p('marker')] } } } },
      {
        attributes: {
          failure: { message: 'm', cause: { applicationFailureInfo: { details: { payloads: [p('d')] } } } },
        },
      },
    ],
    userMetadata: { summary: p('s') },
  };

  it('leave a message alone, synchronously, when there are none', () => {
    expect(encodeMessage([], message)).toBe(message);
    expect(decodeMessage([], message)).toBe(message);
  });

  it('reach every payload but headers and search attributes, in order, and come off in reverse', async () => {
    const codecs = [new Marker('-a'), new Marker('-b')];
    const encoded = await encodeMessage(codecs, message);
    const text = (payload: Payload | undefined) => decodeUtf8(payload?.data ?? new Uint8Array());
    expect(encoded.input.payloads.map(text)).toEqual(['1-a-b', '"two"-a-b']);
    expect(text(encoded.memo.fields.note)).toBe('"n"-a-b');
    expect(text(encoded.userMetadata.summary)).toBe('"s"-a-b');
    expect(text(encoded.commands[0]?.attributes.details?.data.payloads[0])).toBe('"marker"-a-b');
    expect(text(encoded.commands[1]?.attributes.failure?.cause.applicationFailureInfo.details.payloads[0])).toBe(
      '"d"-a-b',
    );
    expect(text(encoded.header.fields.trace)).toBe('"plain"');
    expect(text(encoded.searchAttributes.indexedFields.Customer)).toBe('"plain"');
    expect(encoded.token).toBe(message.token);
    expect(text(message.memo.fields.note)).toBe('"n"');
    expect(await decodeMessage(codecs, encoded)).toEqual(message);
  });

  it('must return as many payloads as they got', async () => {
    const broken: PayloadCodec = { encode: async () => [], decode: async () => [] };
    await expect(encodeMessage([broken], message)).rejects.toThrow(/returned 0 payloads for/);
  });
});
