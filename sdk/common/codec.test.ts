// Codecs over payloads: what they may give.

import proto from '@temporalio/proto';
import { expect, it } from 'vitest';
import { decode, encode } from '../../src/wire/codec.ts';
import { decodePayloads, encodePayloads } from './codec.ts';
import { defaultPayloadConverter } from './payload-converter.ts';

const { Payload } = proto.temporal.api.common.v1;

it('a codec may give messages of protobufjs: they go on as payloads, not as the JSON that these say they are', async () => {
  const message = (payload: object) => Payload.decode(Payload.encode(payload).finish());
  const codec = {
    encode: async (payloads: object[]) => payloads.map(message),
    decode: async (payloads: object[]) => payloads.map(message),
  };
  const payload = defaultPayloadConverter.toPayload({ a: 1 });
  for (const through of [encodePayloads, decodePayloads]) {
    const [given = {}] = await through([codec], [payload]);
    expect(defaultPayloadConverter.fromPayload(decode(encode(given)) as object)).toEqual({ a: 1 });
  }
});
