// How a trace travels: one header with the W3C fields. Name and form are those of Temporal's interceptors, so that both sides of a
// migration stay in one trace.

import type { Headers } from '../common/interceptors.ts';
import { defaultPayloadConverter } from '../common/payload-converter.ts';
import { isRecord } from '../common/type-helpers.ts';

const HEADER = '_tracer-data';

/** `traceparent` and whatever else propagators write. */
export type Carrier = Record<string, string>;

export function withCarrier(headers: Headers, carrier: Carrier): Headers {
  if (Object.keys(carrier).length === 0) return headers;
  return { ...headers, [HEADER]: defaultPayloadConverter.toPayload(carrier) };
}

/** Empty for what is no carrier: headers come from whoever calls. */
export function carrierOf({ [HEADER]: payload }: Headers): Carrier {
  if (payload === undefined) return {};
  try {
    const value = defaultPayloadConverter.fromPayload<unknown>(payload);
    if (!isRecord(value)) return {};
    return Object.fromEntries(
      Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
  } catch {
    return {};
  }
}
