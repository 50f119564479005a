// Shapes of what is asked about namespaces, as other nodes send it.

import type { NamespaceAnswer, NamespaceAsk } from '../../ports/namespaces.ts';
import type { NamespaceChange, NamespaceRecord } from '../../wire/namespace.ts';
import type { UpdateTaskQueueConfigRequest } from '../../wire/task-queue.ts';
import { type Check, enumeration, finite, integer, list, object, optional, record, string } from './check.ts';
import { configuredTaskQueue, updateTaskQueueConfig } from './task-queue.ts';

const namespaceRecord = object<NamespaceRecord>({
  name: string,
  id: string,
  state: enumeration(),
  description: string,
  ownerEmail: string,
  data: record(string),
  retention: finite,
  registeredTime: optional(finite),
});

const change = object<NamespaceChange>({
  description: optional(string),
  ownerEmail: optional(string),
  data: optional(record(string)),
  retention: optional(finite),
});

const kind = object<{ type: string }>({ type: string });
const listed = object<{ since?: number | undefined }>({ since: optional(integer) });
const registered = object<{ record: NamespaceRecord }>({ record: namespaceRecord });
const based = { name: string, base: optional(namespaceRecord) };
const updated = object<{ name: string; change: NamespaceChange; base?: NamespaceRecord | undefined }>({
  change,
  ...based,
});
const deprecated = object<{ name: string; base?: NamespaceRecord | undefined }>(based);
const deleted = object<{ name: string }>({ name: string });

const queueChanged = object<{ change: UpdateTaskQueueConfigRequest }>({ change: updateTaskQueueConfig });

export const namespaceAsk: Check<NamespaceAsk> = (value) => {
  const { type } = kind(value);
  switch (type) {
    case 'list':
      return { type, ...listed(value) };
    case 'register':
      return { type, ...registered(value) };
    case 'update':
      return { type, ...updated(value) };
    case 'deprecate':
      return { type, ...deprecated(value) };
    case 'delete':
      return { type, ...deleted(value) };
    case 'configureQueue':
      return { type, ...queueChanged(value) };
    default:
      throw new Error(`the question about namespaces ${type.slice(0, 64)} is none of this version`);
  }
};

export const namespaceAnswer = object<NamespaceAnswer>({
  revision: integer,
  records: optional(list(namespaceRecord)),
  queues: optional(list(configuredTaskQueue)),
});
