// JSON that knows dates and big numbers, and Protocol Buffers: bundled with the workflows, and used by clients and activities too.

import {
  CompositePayloadConverter,
  METADATA_ENCODING_KEY,
  type Payload,
  PayloadConverterError,
  type PayloadConverterWithEncoding,
  UndefinedPayloadConverter,
} from '@temporalio/common';
import { decode, encode } from '@temporalio/common/lib/encoding.js';
import { ProtobufBinaryPayloadConverter, ProtobufJsonPayloadConverter } from '@temporalio/common/lib/protobufs.js';
import { root } from './protos.ts';

const isTagged = (value: unknown): value is { $date?: number; $bigint?: string } =>
  typeof value === 'object' && value !== null && ('$date' in value || '$bigint' in value);

/** Dates as `{ $date }`, big numbers as `{ $bigint }`. */
export class ExtendedJsonPayloadConverter implements PayloadConverterWithEncoding {
  readonly encodingType = 'json/extended';

  toPayload(value: unknown): Payload | undefined {
    if (value === undefined) return undefined;
    const text = JSON.stringify(value, function (this: Record<string, unknown>, key, shown: unknown) {
      const own = this[key];
      if (own instanceof Date) return { $date: own.getTime() };
      return typeof own === 'bigint' ? { $bigint: String(own) } : shown;
    });
    if (text === undefined) throw new PayloadConverterError(`cannot be told in JSON: ${String(value)}`);
    return {
      metadata: { [METADATA_ENCODING_KEY]: encode(this.encodingType), format: encode('extended') },
      data: encode(text),
    };
  }

  fromPayload<T>(content: Payload): T {
    return JSON.parse(decode(content.data ?? new Uint8Array()), (_, value: unknown) => {
      if (!isTagged(value)) return value;
      return value.$date === undefined ? BigInt(value.$bigint ?? 0) : new Date(value.$date);
    }) as T;
  }
}

export const payloadConverter = new CompositePayloadConverter(
  new UndefinedPayloadConverter(),
  new ProtobufJsonPayloadConverter(root),
  new ProtobufBinaryPayloadConverter(root),
  new ExtendedJsonPayloadConverter(),
);
