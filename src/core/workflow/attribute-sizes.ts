// Bounds of a run's search attributes: how many, how long one value, how long all together. Texts are the Temporal server's. Shared by the commands
// and the door.

import type { Payload } from '../../wire/common.ts';
import type { Limits } from './limits.ts';

type AttributeLimits = Pick<Limits, 'searchAttributes' | 'searchAttributeValueBytes' | 'searchAttributesBytes'>;

/** What is too much of these; undefined: nothing. */
export function attributesTooLarge(fields: Record<string, Payload>, limits: AttributeLimits): string | undefined {
  const { searchAttributes, searchAttributeValueBytes, searchAttributesBytes } = limits;
  const entries = Object.entries(fields);
  if (entries.length > searchAttributes) {
    return `number of search attributes ${entries.length} exceeds limit ${searchAttributes}`;
  }
  let total = 0;
  for (const [name, payload] of entries) {
    const bytes = payload.data?.byteLength ?? 0;
    if (bytes > searchAttributeValueBytes) {
      return `search attribute ${name} value size ${bytes} exceeds size limit ${searchAttributeValueBytes}`;
    }
    total += name.length + bytes;
  }
  return total > searchAttributesBytes
    ? `total size of search attributes ${total} exceeds size limit ${searchAttributesBytes}`
    : undefined;
}
