// The two messages of server reflection, by hand: the API's descriptors do not have them. As in grpc/reflection/v1/reflection.proto, whose v1alpha has the
// same fields.

import { Malformed, Reader, WireType } from '../proto/reader.ts';
import { Writer } from '../proto/writer.ts';

export type Ask =
  | { kind: 'fileByFilename'; name: string }
  | { kind: 'fileContainingSymbol'; name: string }
  | { kind: 'fileContainingExtension'; name: string }
  | { kind: 'allExtensionNumbersOfType'; name: string }
  | { kind: 'listServices' }
  | { kind: 'nothing' };

export type Answer =
  | { kind: 'files'; files: readonly Uint8Array[] }
  | { kind: 'extensions'; type: string }
  | { kind: 'services'; names: readonly string[] }
  | { kind: 'error'; code: number; message: string };

/** Throws Malformed. */
export function readAsk(bytes: Uint8Array): Ask {
  const reader = new Reader(bytes);
  let ask: Ask = { kind: 'nothing' };
  while (!reader.done) {
    const tag = reader.uint32();
    if ((tag & 7) !== WireType.BYTES) {
      reader.skip(tag & 7);
      continue;
    }
    switch (tag >>> 3) {
      case 3:
        ask = { kind: 'fileByFilename', name: reader.string() };
        break;
      case 4:
        ask = { kind: 'fileContainingSymbol', name: reader.string() };
        break;
      case 5:
        ask = { kind: 'fileContainingExtension', name: extendedType(reader) };
        break;
      case 6:
        ask = { kind: 'allExtensionNumbersOfType', name: reader.string() };
        break;
      case 7:
        reader.string();
        ask = { kind: 'listServices' };
        break;
      case 0:
        throw new Malformed('a field has number 0');
      default:
        reader.skip(WireType.BYTES);
    }
  }
  return ask;
}

function extendedType(reader: Reader): string {
  const outer = reader.enter();
  let name = '';
  while (!reader.done) {
    const tag = reader.uint32();
    if (tag === ((1 << 3) | WireType.BYTES)) name = reader.string();
    else reader.skip(tag & 7);
  }
  reader.leave(outer);
  return name;
}

const tag = (field: number): number => (field << 3) | WireType.BYTES;

export function writeAnswer(request: Uint8Array, answer: Answer): Buffer {
  const writer = new Writer();
  writer.uint32(tag(2));
  writer.bytes(request);
  switch (answer.kind) {
    case 'files':
      nested(writer, 4, () => {
        for (const file of answer.files) {
          writer.uint32(tag(1));
          writer.bytes(file);
        }
      });
      break;
    case 'extensions':
      nested(writer, 5, () => text(writer, 1, answer.type));
      break;
    case 'services':
      nested(writer, 6, () => {
        for (const name of answer.names) nested(writer, 1, () => text(writer, 1, name));
      });
      break;
    case 'error':
      nested(writer, 7, () => {
        writer.uint32(1 << 3);
        writer.int32(answer.code);
        text(writer, 2, answer.message);
      });
      break;
  }
  return writer.finish();
}

function text(writer: Writer, field: number, value: string): void {
  writer.uint32(tag(field));
  writer.string(value);
}

function nested(writer: Writer, field: number, write: () => void): void {
  writer.uint32(tag(field));
  const start = writer.open();
  write();
  writer.close(start);
}
