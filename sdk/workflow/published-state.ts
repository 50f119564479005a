// State that a workflow publishes: small values by key that clients read from the server, and are told of, without a worker.

import { ValueError } from '../common/errors.ts';
import { encodeUtf8 } from '../common/utf8.ts';
import { assertInWorkflowContext } from './context.ts';

/** Bytes of a key. */
const MAX_KEY_BYTES = 128;

/**
 * Publishes `value` under `key`, with the workflow task that runs now: clients see it as soon as that is durable, all keys of one task
 * together. `handle.state(key)` and `handle.watchState()` read it from the server; no worker is asked, also after the workflow has closed.
 *
 * Changes nothing that a replay depends on: what a workflow publishes may change with its code. Each run publishes its own.
 *
 * @param key 1 to 128 bytes. A run may use 64 of them.
 * @param value Anything the payload converter takes, up to 8 KiB after codecs; more fails the workflow task.
 * @throws ValueError for such a key, IllegalStateError outside of a workflow, DeterminismViolationError in a query or a validator.
 */
export function setState(key: string, value: unknown): void {
  const activator = assertInWorkflowContext('setState()');
  if (typeof key !== 'string' || key === '' || key === '__proto__' || encodeUtf8(key).length > MAX_KEY_BYTES) {
    throw new ValueError(`A state key must be a text of 1 to ${MAX_KEY_BYTES} bytes other than __proto__`);
  }
  activator.push({ kind: 'publish', key, value: activator.payloadConverter.toPayload(value), site: new Error() });
  activator.published.set(key, value);
}

/** What this run published last under `key`; undefined before. The value itself, not a copy. */
export function getState<T = unknown>(key: string): T | undefined {
  // What was published under the key is the caller's own.
  return assertInWorkflowContext('getState()').published.get(key) as T | undefined;
}
