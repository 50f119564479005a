// Where the value of a search attribute is kept. An attribute that was renamed is kept under the name it was first registered with; a payload that came
// by another name says so, stamped by the door it came in. So indexes, filters and folds need no registry. Used by core, shard and the doors.

import type { Payload } from './common.ts';

const decoder = new TextDecoder();

/** The name under which the value of this attribute is kept: nearly always its own. */
export function keptAs(name: string, payload: Payload | undefined): string {
  const field = payload?.metadata?.field;
  return field === undefined ? name : decoder.decode(field);
}

/** What is kept under this name: what it is called, and its payload. */
export function keptUnder(
  fields: Readonly<Record<string, Payload>>,
  field: string,
): readonly [name: string, payload: Payload] | undefined {
  const own = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (own !== undefined && keptAs(field, own) === field) return [field, own];
  for (const name of Object.keys(fields)) {
    const payload = fields[name];
    if (payload?.metadata?.field !== undefined && keptAs(name, payload) === field) return [name, payload];
  }
  return undefined;
}
