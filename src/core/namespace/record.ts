// What is registered of a namespace, and how it changes. Pure; used by src/shard/namespaces, bounds by src/frontend.

import { NamespaceState } from '../../wire/enums.ts';
import type { NamespaceChange, NamespaceRecord } from '../../wire/namespace.ts';

/** ms closed executions are kept at least, as in Temporal. */
export const MIN_RETENTION_MS = 3_600_000;
/** Bytes of description, owner and data together, roughly: all namespaces of a cluster are read at once. */
export const MAX_RECORD_BYTES = 4_096;
/** Namespaces of one cluster. */
export const MAX_NAMESPACES = 1_000;
/** Where a namespace's settings are searched for before any is known: no namespace has this name. */
export const REGISTRY = '';

export const isGone = ({ state }: NamespaceRecord): boolean => state === NamespaceState.DELETED;

/** Data is merged, as on the Temporal server. */
export function changed(record: NamespaceRecord, change: NamespaceChange): NamespaceRecord {
  const { description, ownerEmail, data, retention } = change;
  return {
    ...record,
    ...(description !== undefined && { description }),
    ...(ownerEmail !== undefined && { ownerEmail }),
    ...(retention !== undefined && { retention }),
    ...(data !== undefined && { data: { ...record.data, ...data } }),
  };
}

export const deprecated = (record: NamespaceRecord): NamespaceRecord => ({
  ...record,
  state: NamespaceState.DEPRECATED,
});

/** Nobody finds it any more; its name is taken until its executions are gone. */
export const deleted = (record: NamespaceRecord): NamespaceRecord => ({ ...record, state: NamespaceState.DELETED });

/** Rough: texts in bytes, and what each entry costs. */
export function recordBytes({ name, description, ownerEmail, data }: NamespaceRecord): number {
  const texts = [name, description, ownerEmail, ...Object.entries(data).flat()];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 4, 0);
}
