// What lies in a namespace of protobufjs' Root: messages, enums, services, and namespaces. The Root has them all in one list.

import type { Enum, Root, Service } from 'protobufjs';

export type Nested = Root['nestedArray'][number];

export const nestedIn = (item: Nested): readonly Nested[] =>
  'nestedArray' in item ? (item as { nestedArray: readonly Nested[] } & Nested).nestedArray : [];

export const isEnum = (item: Nested): item is Enum => 'valuesById' in item;

export const isService = (item: Nested): item is Service => 'methods' in item;
