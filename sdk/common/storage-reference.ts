// A reference to a payload in external storage, as a payload: a driver's name and a claim, in the form of Temporal's SDK.

import type { Payload } from '../../src/wire/common.ts';
import { ValueError } from './errors.ts';
import { isRecord } from './type-helpers.ts';
import { decodeUtf8 } from './utf8.ts';

export const MESSAGE_TYPE_KEY = 'messageType';
export const REFERENCE_ENCODING = 'json/protobuf';
export const REFERENCE_TYPE = 'temporal.api.sdk.v1.ExternalStorageReference';

export function isReference({ metadata }: Payload): boolean {
  const [encoding, type] = [metadata?.encoding, metadata?.[MESSAGE_TYPE_KEY]];
  if (encoding === undefined || type === undefined) return false;
  return decodeUtf8(encoding) === REFERENCE_ENCODING && decodeUtf8(type) === REFERENCE_TYPE;
}

/** @throws ValueError for a reference that is none. */
export function readReference({ data }: Payload): { driverName: string; claimData: Record<string, string> } {
  let reference: unknown;
  try {
    reference = JSON.parse(decodeUtf8(data ?? new Uint8Array()));
  } catch (error) {
    throw new ValueError('A reference to external storage is no JSON', error);
  }
  const { driverName, claimData = {} } = isRecord(reference) ? reference : {};
  if (typeof driverName !== 'string' || driverName === '' || !isRecord(claimData)) {
    throw new ValueError('A reference to external storage names no driver, or has no claim');
  }
  const texts = Object.entries(claimData).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { driverName, claimData: Object.fromEntries(texts) };
}
