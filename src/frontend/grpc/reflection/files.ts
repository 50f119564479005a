// The API's descriptors as files of protobuf, for reflection: one file for each package, since the packages do not depend on each other in circles. Made
// from the protobufjs Root when a client first asks; bytes of google.protobuf.FileDescriptorProto.

import { codecNamed } from '../proto/codec.ts';
import {
  apiRoot,
  type Enum,
  type Field,
  hasPresence,
  isMessage,
  keyTypeOf,
  type Service,
  type Type,
} from '../proto/descriptors.ts';
import { encodeMessage } from '../proto/message.ts';
import { isEnum, isService, type Nested, nestedIn } from './nested.ts';

export interface DescriptorFile {
  readonly name: string;
  readonly bytes: Buffer;
  /** Full names of what is in it: messages, enums, services, their methods and fields. */
  readonly symbols: readonly string[];
  /** Names of the files it needs. */
  readonly dependencies: readonly string[];
}

/** What a client of this door can meet; the packages of other products are left out. */
const PACKAGES = ['temporal.api', 'google.protobuf', 'google.rpc', 'grpc.health'];
const LEFT_OUT = ['temporal.api.cloud'];

const within = (names: readonly string[], name: string): boolean =>
  names.some((one) => name === one || name.startsWith(`${one}.`));

/** FieldDescriptorProto.Type by protobuf's names. */
const TYPES: Readonly<Record<string, number>> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
};
const MESSAGE = 11;
const ENUM = 14;
const OPTIONAL = 1;
const REPEATED = 3;

const pascal = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const fileOf = (packageName: string): string => `${packageName.replaceAll('.', '/')}.proto`;

/** The package something is in: what is outermost of the messages around it is in a namespace. */
function packageOf(item: Nested): string {
  let at: Nested | null = item;
  while (at !== null && (isMessage(at as Type) || isEnum(at) || isService(at))) at = at.parent;
  return at?.fullName.slice(1) ?? '';
}

export function descriptorFiles(): DescriptorFile[] {
  return packagesIn(apiRoot()).map(describe);
}

/** What protobuf's compilers tell each other is no message of the API, and is of another syntax. */
const isOfCompilers = (packageName: string, name: string): boolean =>
  packageName === 'google.protobuf' && /Descriptor|Options|Option$|FeatureSet|CodeInfo|Edition/.test(name);

/** Without those that other files add to a message: they are options of compilers. */
const fieldsOf = (type: Type): Field[] => type.fieldsArray.filter(({ name }) => !name.includes('.'));

function packagesIn(namespace: Nested): Nested[] {
  const inner = nestedIn(namespace).filter((item) => !isMessage(item as Type) && !isEnum(item) && !isService(item));
  const own = namespace.fullName.slice(1);
  const isOne = within(PACKAGES, own) && !within(LEFT_OUT, own) && inner.length < nestedIn(namespace).length;
  return [...(isOne ? [namespace] : []), ...inner.flatMap(packagesIn)];
}

function describe(namespace: Nested): DescriptorFile {
  const packageName = namespace.fullName.slice(1);
  const needed = new Set<string>();
  const symbols: string[] = [];
  const maker = new Maker(packageName, needed, symbols);
  const items = nestedIn(namespace).filter(({ name }) => !isOfCompilers(packageName, name));
  const file = {
    name: fileOf(packageName),
    package: packageName,
    messageType: items.filter((item): item is Type => isMessage(item as Type)).map((type) => maker.message(type)),
    enumType: items.filter(isEnum).map((type) => maker.enum(type)),
    service: items.filter(isService).map((service) => maker.service(service)),
    syntax: 'proto3',
  };
  const dependencies = [...needed].map(fileOf).sort();
  const bytes = encodeMessage(codecNamed('google.protobuf.FileDescriptorProto'), { ...file, dependency: dependencies });
  return { name: file.name, bytes, symbols, dependencies };
}

class Maker {
  readonly #package: string;
  readonly #needed: Set<string>;
  readonly #symbols: string[];

  constructor(packageName: string, needed: Set<string>, symbols: string[]) {
    this.#package = packageName;
    this.#needed = needed;
    this.#symbols = symbols;
  }

  message(type: Type): object {
    this.#symbols.push(type.fullName.slice(1));
    const oneofs = type.oneofsArray;
    const nested = nestedIn(type);
    return {
      name: type.name,
      field: fieldsOf(type).map((field) =>
        this.#field(
          field.resolve(),
          oneofs.map(({ name }) => name),
        ),
      ),
      nestedType: [
        ...nested.filter((item): item is Type => isMessage(item as Type)).map((item) => this.message(item)),
        ...fieldsOf(type)
          .filter((field) => keyTypeOf(field) !== undefined)
          .map((field) => this.#entry(field.resolve())),
      ],
      enumType: nested.filter(isEnum).map((item) => this.enum(item)),
      oneofDecl: oneofs.map(({ name }) => ({ name: snake(name) })),
    };
  }

  enum({ name, fullName, values }: Enum): object {
    this.#symbols.push(fullName.slice(1));
    const value = Object.entries(values).map(([label, number]) => ({ name: label, number }));
    // Zero comes first, or it is no enum of proto3.
    return { name, value: value.sort((a, b) => Number(b.number === 0) - Number(a.number === 0)) };
  }

  service(service: Service): object {
    const own = service.fullName.slice(1);
    this.#symbols.push(own);
    const method = service.methodsArray.map((one) => {
      one.resolve();
      this.#symbols.push(`${own}.${one.name}`);
      this.#need(one.resolvedRequestType);
      this.#need(one.resolvedResponseType);
      return {
        name: one.name,
        inputType: one.resolvedRequestType?.fullName,
        outputType: one.resolvedResponseType?.fullName,
        clientStreaming: one.requestStream === true,
        serverStreaming: one.responseStream === true,
      };
    });
    return { name: service.name, method };
  }

  #field(field: Field, oneofs: readonly string[]): object {
    const { id: number, resolvedType, partOf } = field;
    const isMap = keyTypeOf(field) !== undefined;
    const common = { name: snake(field.name), number, jsonName: field.name };
    const label = isMap || field.repeated ? REPEATED : OPTIONAL;
    if (isMap) {
      const typeName = `${field.parent?.fullName}.${entryName(field)}`;
      return { ...common, label, type: MESSAGE, typeName };
    }
    this.#need(resolvedType);
    return {
      ...common,
      label,
      ...typeOf(field),
      oneofIndex: hasPresence(field) && partOf !== null ? oneofs.indexOf(partOf.name) : undefined,
    };
  }

  /** A map is a list of messages of key and value. */
  #entry(field: Field): object {
    this.#need(field.resolvedType);
    return {
      name: entryName(field),
      field: [
        { name: 'key', number: 1, label: OPTIONAL, type: TYPES[keyTypeOf(field) ?? 'string'], jsonName: 'key' },
        { name: 'value', number: 2, label: OPTIONAL, ...typeOf(field), jsonName: 'value' },
      ],
      options: { mapEntry: true },
    };
  }

  #need(type: Type | Enum | null): void {
    if (type === null) return;
    const other = packageOf(type);
    if (other !== this.#package) this.#needed.add(other);
  }
}

const entryName = ({ name }: Field): string => `${pascal(name)}Entry`;

function typeOf({ type, resolvedType }: Field): { type: number | undefined; typeName?: string | undefined } {
  if (resolvedType === null) return { type: TYPES[type] };
  return { type: isMessage(resolvedType) ? MESSAGE : ENUM, typeName: resolvedType.fullName };
}
