/**
 * Payload converters for messages of Protocol Buffers, as protobufjs makes them: what Temporal's SDK has at `@temporalio/common/lib/protobufs`.
 *
 * ```ts
 * import { DefaultPayloadConverterWithProtobufs } from 'tenuto/common/protobufs';
 * import { root } from './protos.js';
 *
 * export const payloadConverter = new DefaultPayloadConverterWithProtobufs({ protobufRoot: root });
 * ```
 *
 * A value is a message when it has a `$type`: made with `Type.create`, or an instance of a class that the root knows. The payload names its type
 * (`metadata.messageType`), so other SDKs read it, and this one reads theirs.
 *
 * @module
 */
import protojson from 'protobufjs/ext/protojson.js';
import protobuf from 'protobufjs/light.js';
import {
  BinaryPayloadConverter,
  CompositePayloadConverter,
  decodeUtf8,
  type EncodingType,
  encodeUtf8,
  encodingTypes,
  isRecord,
  JsonPayloadConverter,
  METADATA_ENCODING_KEY,
  METADATA_MESSAGE_TYPE_KEY,
  type Payload,
  PayloadConverterError,
  type PayloadConverterWithEncoding,
  UndefinedPayloadConverter,
  ValueError,
} from './index.ts';

/** Whichever copy of protobufjs it is of: of a class with that name, which protobufjs keeps through minifiers. */
const isOfClass = (value: unknown, className: string): boolean =>
  isRecord(value) && (value.constructor as { className?: string }).className === className;

const typeOf = (value: unknown): protobuf.Type | undefined =>
  isRecord(value) && isOfClass(value.$type, 'Type') ? (value.$type as unknown as protobuf.Type) : undefined;

abstract class ProtobufPayloadConverter implements PayloadConverterWithEncoding {
  abstract readonly encodingType: EncodingType;
  protected readonly root: protobuf.Root | undefined;

  /**
   * @param root Knows the types of the payloads that are read; without one messages are written only.
   * @throws TypeError for what is no `Root` of protobufjs.
   */
  constructor(root?: unknown) {
    if (root !== undefined && root !== null && !isOfClass(root, 'Root'))
      throw new TypeError('root must be a Root of protobufjs');
    // Its class was just looked at.
    this.root = (root ?? undefined) as protobuf.Root | undefined;
  }

  /** Undefined for what is no message. */
  toPayload(value: unknown): Payload | undefined {
    const type = typeOf(value);
    if (type === undefined) return undefined;
    return {
      metadata: {
        [METADATA_ENCODING_KEY]: encodeUtf8(this.encodingType),
        [METADATA_MESSAGE_TYPE_KEY]: encodeUtf8(type.fullName.replace(/^\./, '')),
      },
      data: this.write(type, value as protobuf.Message),
    };
  }

  /** @throws ValueError for a payload without data or type, PayloadConverterError for a type that the root does not know. */
  fromPayload<T>({ metadata, data }: Payload): T {
    const named = metadata?.[METADATA_MESSAGE_TYPE_KEY];
    if (data === undefined || data === null) throw new ValueError('A payload without data');
    if (named === undefined) throw new ValueError(`A payload without metadata.${METADATA_MESSAGE_TYPE_KEY}`);
    const name = decodeUtf8(named);
    if (this.root === undefined)
      throw new PayloadConverterError(`A message ${name} cannot be read: the converter has no root`);
    const type = this.root.lookup(name, protobuf.Type);
    if (!isOfClass(type, 'Type')) throw new PayloadConverterError(`The converter's root knows no message ${name}`);
    return this.read(type as protobuf.Type, data) as T;
  }

  protected abstract write(type: protobuf.Type, message: protobuf.Message): Uint8Array;
  protected abstract read(type: protobuf.Type, data: Uint8Array): unknown;
}

/** Messages as bytes of Protocol Buffers. */
export class ProtobufBinaryPayloadConverter extends ProtobufPayloadConverter {
  readonly encodingType = encodingTypes.METADATA_ENCODING_PROTOBUF;

  protected write(type: protobuf.Type, message: protobuf.Message): Uint8Array {
    return type.encode(message).finish();
  }

  protected read(type: protobuf.Type, data: Uint8Array): unknown {
    // No Buffer, whatever came: a message's bytes would be parts of it.
    return type.decode(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
}

/** Messages as JSON, by the mapping of Protocol Buffers. Unknown fields are left out when it is read. */
export class ProtobufJsonPayloadConverter extends ProtobufPayloadConverter {
  readonly encodingType = encodingTypes.METADATA_ENCODING_PROTOBUF_JSON;

  protected write(type: protobuf.Type, message: protobuf.Message): Uint8Array {
    return encodeUtf8(JSON.stringify(protojson.toJson(type, message)));
  }

  protected read(type: protobuf.Type, data: Uint8Array): unknown {
    return withPlainBytes(protojson.fromJson(type, JSON.parse(decodeUtf8(data)), { ignoreUnknownFields: true }));
  }
}

/** protobufjs reads bytes out of JSON as parts of Node's shared buffers: each would keep many others in memory. */
function withPlainBytes(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return value.constructor === Uint8Array ? value : new Uint8Array(value as Uint8Array);
  if (Array.isArray(value)) for (const [n, one] of value.entries()) value[n] = withPlainBytes(one);
  else if (isRecord(value)) for (const [key, one] of Object.entries(value)) value[key] = withPlainBytes(one);
  return value;
}

export interface DefaultPayloadConverterWithProtobufsOptions {
  readonly protobufRoot: unknown;
}

/** The default converter that takes messages as well; they are written as JSON, and read in both forms. */
export class DefaultPayloadConverterWithProtobufs extends CompositePayloadConverter {
  constructor({ protobufRoot }: DefaultPayloadConverterWithProtobufsOptions) {
    super(
      new UndefinedPayloadConverter(),
      new BinaryPayloadConverter(),
      new ProtobufJsonPayloadConverter(protobufRoot),
      new ProtobufBinaryPayloadConverter(protobufRoot),
      new JsonPayloadConverter(),
    );
  }
}
