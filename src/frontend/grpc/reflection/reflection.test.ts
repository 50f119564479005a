// Reflection against protobufjs' own reading of descriptors: a client that knows nothing but what it is told here has every message and method.

import { createRequire } from 'node:module';
import { Root } from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { StatusCode } from '../../../wire/status.ts';
import { services } from '../methods/index.ts';
import { apiRoot, apiService, messageType } from '../proto/descriptors.ts';
import { Reader } from '../proto/reader.ts';
import { Reflection } from './index.ts';
import { type Answer, readAsk, writeAnswer } from './messages.ts';

// Adds `Root.fromDescriptor`, and has the messages of descriptors.
const descriptor = createRequire(import.meta.url)('protobufjs/ext/descriptor') as {
  FileDescriptorProto: { decode(bytes: Uint8Array): object };
  FileDescriptorSet: { create(set: object): object };
};

const reflection = new Reflection([...services.keys()]);
const filesOf = (answer: Answer): readonly Uint8Array[] => (answer.kind === 'files' ? answer.files : []);

function rootOf(files: readonly Uint8Array[]): Root {
  const file = files.map((bytes) => descriptor.FileDescriptorProto.decode(bytes));
  // protobufjs' typings do not have what its extension adds.
  const fromDescriptor = (Root as unknown as { fromDescriptor(set: object): Root }).fromDescriptor;
  const root = fromDescriptor(descriptor.FileDescriptorSet.create({ file }));
  root.resolveAll();
  return root;
}

describe.each([...services])('%s', (service, methods) => {
  const root = rootOf(filesOf(reflection.answer({ kind: 'fileContainingSymbol', name: service })));

  it('is told of whole, with every message its methods lead to', () => {
    const told = root.lookupService(service);
    expect(told.methodsArray.map(({ name }) => name).sort()).toEqual([...methods.keys()].sort());
    for (const { name } of apiService(service).methodsArray) {
      const method = told.methods[name];
      expect(method?.resolvedRequestType?.fullName).toBe(
        apiService(service).methods[name]?.resolvedRequestType?.fullName,
      );
    }
  });

  it('has the fields of its messages', () => {
    for (const { resolvedRequestType: type } of root.lookupService(service).methodsArray) {
      if (type === null) throw new Error('a method has no request');
      const real = messageType(type.fullName.slice(1));
      const shown = (of: typeof real) =>
        of.fieldsArray.map((field) => [field.id, field.name, field.type.split('.').pop(), field.repeated, field.map]);
      expect(shown(type)).toEqual(shown(real));
    }
  });
});

it('says the zeros that matter to a strict client: the number of an enum’s first value, and the first oneof of a message', () => {
  const own = (name: string): object => {
    const [bytes] = filesOf(reflection.answer({ kind: 'fileByFilename', name }));
    if (bytes === undefined) throw new Error(`there is no ${name}`);
    return descriptor.FileDescriptorProto.decode(bytes);
  };
  interface Told {
    enumType: { name: string; value: object[] }[];
    messageType: { name: string; field: { name: string }[]; oneofDecl: object[] }[];
  }
  const { enumType, messageType } = own('google/protobuf.proto') as Told;
  // What was not written is of the prototype alone.
  const [nothing] = enumType.find(({ name }) => name === 'NullValue')?.value ?? [];
  expect({ ...nothing }).toMatchObject({ name: 'NULL_VALUE', number: 0 });
  const value = messageType.find(({ name }) => name === 'Value');
  expect(value?.oneofDecl).toHaveLength(1);
  expect(value?.field.map((field) => ({ ...field }))).toContainEqual(expect.objectContaining({ oneofIndex: 0 }));
});

it('writes what a client reads: a message encoded by what was told is read by what is there', () => {
  const root = rootOf(filesOf(reflection.answer({ kind: 'fileByFilename', name: 'temporal/api/common/v1.proto' })));
  const name = 'temporal.api.common.v1.Payload';
  const given = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('1') };
  const bytes = root.lookupType(name).encode(given).finish();
  expect(apiRoot().lookupType(name).decode(bytes)).toMatchObject({ data: given.data });
});

const text = (field: number, value: string): Buffer =>
  Buffer.concat([Buffer.from([(field << 3) | 2, value.length]), Buffer.from(value)]);

describe('a request', () => {
  it.each([
    [text(3, 'a.proto'), { kind: 'fileByFilename', name: 'a.proto' }],
    [text(4, 'a.B'), { kind: 'fileContainingSymbol', name: 'a.B' }],
    [text(6, 'a.B'), { kind: 'allExtensionNumbersOfType', name: 'a.B' }],
    [Buffer.concat([text(1, 'host'), text(7, '*')]), { kind: 'listServices' }],
    [Buffer.alloc(0), { kind: 'nothing' }],
  ])('%o', (bytes, ask) => {
    expect(readAsk(bytes)).toEqual(ask);
  });

  it('comes back with its answer', () => {
    const request = text(7, '*');
    const reader = new Reader(writeAnswer(request, reflection.answer(readAsk(request))));
    expect(reader.uint32() >>> 3).toBe(2);
    expect(Buffer.from(reader.bytes())).toEqual(request);
    expect(reader.uint32() >>> 3).toBe(6);
  });

  it('for what is not there is answered, in the stream', () => {
    const code = StatusCode.NOT_FOUND;
    expect(reflection.answer({ kind: 'fileContainingSymbol', name: 'acme.Nothing' })).toMatchObject({
      kind: 'error',
      code,
    });
    expect(reflection.answer({ kind: 'fileByFilename', name: '../../etc/passwd' })).toMatchObject({
      kind: 'error',
      code,
    });
  });
});
