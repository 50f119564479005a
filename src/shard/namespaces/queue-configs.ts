// The configurations of task queues as rows, beside those of the namespaces: so every node hears of a change with the namespaces, once a second, and they
// are replicated, backed up and resharded as everything else is. Used by registry.ts, in its turns.

import {
  configured,
  isEmptyConfig,
  MAX_CONFIG_BYTES,
  MAX_CONFIGURED_QUEUES,
} from '../../core/matching/queue-config.ts';
import { key } from '../../ports/ids.ts';
import { decode, encode } from '../../wire/codec.ts';
import type { ConfiguredTaskQueue, UpdateTaskQueueConfigRequest } from '../../wire/task-queue.ts';
import type { Actor } from '../actor.ts';
import { after, queueConfigKey, queueConfigsPrefix } from '../keys.ts';
import type { Reader } from '../reader.ts';
import { type RowWrites, SettingRefusal } from '../settings-turns.ts';
import { exhausted } from '../status.ts';

export async function allConfigs(reader: Reader, actor: Actor): Promise<ConfiguredTaskQueue[]> {
  const prefix = queueConfigsPrefix(actor.base);
  const rows = await reader.range(key(prefix), after(prefix), MAX_CONFIGURED_QUEUES);
  // Written below and checksummed by the store.
  return rows.map(([, bytes]) => decode(bytes) as ConfiguredTaskQueue);
}

/** What is to be written, and the queue as it is then. Throws SettingRefusal. */
export async function configure(
  reader: Reader,
  actor: Actor,
  change: UpdateTaskQueueConfigRequest,
  now: number,
): Promise<{ rows: RowWrites; queue: ConfiguredTaskQueue }> {
  const { namespace, taskQueue, kind = 'activity' } = change;
  const all = await allConfigs(reader, actor);
  const is = (one: ConfiguredTaskQueue): boolean =>
    one.namespace === namespace && one.taskQueue === taskQueue && one.kind === kind;
  const before = all.find(is)?.config ?? {};
  const queue: ConfiguredTaskQueue = { namespace, taskQueue, kind, config: configured(before, change, now) };
  const rowKey = queueConfigKey(actor.base, { namespace, name: taskQueue, kind });
  if (isEmptyConfig(queue.config)) return { rows: [[rowKey, undefined]], queue };
  const row = encode(queue);
  const others = all.filter((one) => !is(one));
  const bytes = others.reduce((sum, one) => sum + encode(one).length, row.length);
  if (others.length >= MAX_CONFIGURED_QUEUES || bytes > MAX_CONFIG_BYTES) {
    const what = `There are ${others.length} configured task queues; all may be ${MAX_CONFIGURED_QUEUES} and have ${MAX_CONFIG_BYTES} bytes: take what is not needed away from some first.`;
    throw new SettingRefusal(exhausted('TASK_QUEUE_CONFIGS', what));
  }
  return { rows: [[rowKey, row]], queue };
}

/** Of a namespace that is gone. */
export async function forgotten(reader: Reader, actor: Actor, namespace: string): Promise<RowWrites> {
  const prefix = queueConfigsPrefix(actor.base, namespace);
  const rows = await reader.range(key(prefix), after(prefix), MAX_CONFIGURED_QUEUES);
  return rows.map(([k]) => [k, undefined]);
}
