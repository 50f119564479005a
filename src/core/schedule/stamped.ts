// Search attributes that the server itself sets, as payloads with their type.

import type { Payload } from '../../wire/common.ts';

const encoder = new TextEncoder();
const JSON_PLAIN = encoder.encode('json/plain');

export const stampedPayload = (value: string | boolean, type: 'Bool' | 'Keyword' | 'Datetime'): Payload => ({
  metadata: { encoding: JSON_PLAIN, type: encoder.encode(type) },
  data: encoder.encode(JSON.stringify(value)),
});
