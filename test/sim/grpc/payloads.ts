// JSON in payloads, as the clients and workers of this door read and write it.

import { defaultPayloadConverter, toPayloads } from '../../../sdk/common/payload-converter.ts';
import type { Payloads } from '../../../src/wire/common.ts';

export const payloads = (...args: unknown[]): Payloads => ({
  payloads: toPayloads(defaultPayloadConverter, ...args) ?? [],
});

/** Undefined where there is none. */
export function valueIn(given: unknown, index = 0): unknown {
  const data = (given as Payloads | undefined)?.payloads?.[index]?.data;
  return data === undefined ? undefined : JSON.parse(Buffer.from(data).toString());
}
