// Messages of protobufjs as payloads: what the official SDK's converters write and read, both ways.

import * as theirs from '@temporalio/common/lib/protobufs.js';
import protobuf from 'protobufjs/light.js';
import { describe, expect, it } from 'vitest';
import { PayloadConverterError, ValueError } from './errors.ts';
import {
  DefaultPayloadConverterWithProtobufs,
  ProtobufBinaryPayloadConverter,
  ProtobufJsonPayloadConverter,
} from './protobufs.ts';
import { decodeUtf8 } from './utf8.ts';

const root = protobuf.Root.fromJSON({
  nested: {
    shop: {
      nested: {
        Line: { fields: { name: { type: 'string', id: 1 }, picture: { type: 'bytes', id: 2 } } },
        Order: {
          fields: { id: { type: 'int64', id: 1 }, lines: { rule: 'repeated', type: 'Line', id: 2 } },
        },
      },
    },
  },
});
const order = root.lookupType('shop.Order').fromObject({
  id: 7,
  lines: [{ name: 'tea', picture: new Uint8Array([1, 2, 250]) }],
});
const plain = (message: unknown): unknown => root.lookupType('shop.Order').toObject(message as protobuf.Message);

describe.each([
  ['json/protobuf', ProtobufJsonPayloadConverter, theirs.ProtobufJsonPayloadConverter],
  ['binary/protobuf', ProtobufBinaryPayloadConverter, theirs.ProtobufBinaryPayloadConverter],
])('%s', (encoding, Ours, Theirs) => {
  const [ours, official] = [new Ours(root), new Theirs(root)];

  it('is written as the official SDK writes it, and read by either', () => {
    const payload = ours.toPayload(order);
    expect(payload).toEqual(official.toPayload(order));
    expect(decodeUtf8(payload?.metadata?.encoding ?? new Uint8Array())).toBe(encoding);
    expect(plain(ours.fromPayload(payload ?? {}))).toEqual(plain(order));
    expect(plain(official.fromPayload(official.toPayload(order) ?? {}))).toEqual(plain(order));
  });

  it('takes messages only', () => {
    for (const value of [undefined, null, 'text', { id: 7 }, { $type: 'shop.Order' }])
      expect(ours.toPayload(value)).toBeUndefined();
  });

  it('refuses what it cannot read, in words', () => {
    const { metadata, data } = ours.toPayload(order) ?? {};
    expect(() => ours.fromPayload({ metadata })).toThrow(ValueError);
    expect(() => ours.fromPayload({ data })).toThrow('without metadata.messageType');
    expect(() => new Ours().fromPayload({ metadata, data })).toThrow(PayloadConverterError);
    const other = new Ours(protobuf.Root.fromJSON({ nested: {} }));
    expect(() => other.fromPayload({ metadata, data })).toThrow('knows no message shop.Order');
    expect(() => new Ours({})).toThrow(TypeError);
  });
});

it('bytes out of JSON are no part of a buffer that others share', () => {
  const converter = new ProtobufJsonPayloadConverter(root);
  const read = converter.fromPayload<{ lines: { picture: Uint8Array }[] }>(converter.toPayload(order) ?? {});
  const picture = read.lines[0]?.picture;
  expect(picture?.constructor).toBe(Uint8Array);
  expect(picture?.buffer.byteLength).toBe(3);
});

it('the default converter takes messages and everything else, and reads both forms', () => {
  const converter = new DefaultPayloadConverterWithProtobufs({ protobufRoot: root });
  const binary = new ProtobufBinaryPayloadConverter(root).toPayload(order) ?? {};
  for (const payload of [converter.toPayload(order), binary])
    expect(plain(converter.fromPayload(payload))).toEqual(plain(order));
  for (const value of [undefined, { a: [1] }, 'text'])
    expect(converter.fromPayload(converter.toPayload(value))).toEqual(value);
});
