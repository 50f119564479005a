// The API's descriptors, as @temporalio/proto carries them: a protobufjs Root. Loaded by the first request that needs them (1.4 MB of source),
// and resolved a message at a time. Also the one place that knows the shape of protobufjs' objects.

import { createRequire } from 'node:module';
import type { Enum, Field, Root, Service, Type } from 'protobufjs';

export type { Enum, Field, Root, Service, Type } from 'protobufjs';

let loaded: Root | undefined;

/** Tens of milliseconds the first time. */
export function apiRoot(): Root {
  if (loaded === undefined) {
    const require = createRequire(import.meta.url);
    // The module exports a Root; it has no typings of its own.
    loaded = require('@temporalio/proto/protos/json-module.js') as Root;
  }
  return loaded;
}

/** `name`: full, like `temporal.api.common.v1.Payload`. Throws for a name the API does not have. */
export const messageType = (name: string): Type => apiRoot().lookupType(name);

/** Undefined for a name that a stranger made up. */
export function findMessageType(name: string): Type | undefined {
  const found = apiRoot().lookup(name);
  return found !== null && 'fieldsById' in found ? (found as Type) : undefined;
}

export const enumType = (name: string): Enum => apiRoot().lookupEnum(name);

export const apiService = (name: string): Service => apiRoot().lookupService(name);

/** Without the leading dot. */
export const fullName = (type: Type | Enum | Service): string => type.fullName.slice(1);

/** The scalar type of a map's keys; undefined for a field that is none. protobufjs' typings have maps beside fields. */
export const keyTypeOf = (field: Field): string | undefined =>
  field.map ? (field as Field & { keyType?: string }).keyType : undefined;

/** Descriptors themselves are of proto2, whose fields are there or not whatever their value: the number of an enum's first value is a zero that is there. */
const isOfDescriptor = ({ parent }: Field): boolean =>
  /^\.google\.protobuf\.\w*Descriptor/.test(parent?.fullName ?? '');

/** Whether zero is written: a member of a oneof, what proto3 calls optional, and a field of a descriptor. */
export const hasPresence = (field: Field): boolean => field.partOf !== null || isOfDescriptor(field);

export const isMessage = (type: Type | Enum | null): type is Type => type !== null && 'fieldsById' in type;

/** Throws for a method the service does not have. */
export function methodTypes(service: Service, name: string): { request: Type; response: Type } {
  const method = service.methods[name];
  method?.resolve();
  const request = method?.resolvedRequestType;
  const response = method?.resolvedResponseType;
  if (!request || !response) throw new Error(`${name} is no method of ${fullName(service)}`);
  return { request, response };
}
