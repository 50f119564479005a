// Messages, as their generated code would have them: types by name in a root.

import protobuf from 'protobufjs/light.js';

export interface ProtoInput {
  name: string;
  age: number;
}
export interface ProtoResult {
  sentence: string;
}

export const root = protobuf.Root.fromJSON({
  nested: {
    foo: {
      nested: {
        ProtoInput: { fields: { name: { type: 'string', id: 1 }, age: { type: 'int32', id: 2 } } },
        ProtoResult: { fields: { sentence: { type: 'string', id: 1 } } },
      },
    },
  },
});

/** Makes messages of plain objects. */
const typed = <T extends object>(name: string): { create(value: T): T } => ({
  create: (value) => root.lookupType(name).create(value) as unknown as T,
});

export const foo = { input: typed<ProtoInput>('foo.ProtoInput'), result: typed<ProtoResult>('foo.ProtoResult') };
