// Summary and details that people read beside an execution, activity or timer.

import type { UserMetadata as WireUserMetadata } from '../../src/wire/common.ts';
import { convertOptionalToPayload, type PayloadConverter } from './payload-converter.ts';

export interface UserMetadata {
  /** One line. */
  staticSummary?: string | undefined;
  /** May span several lines. */
  staticDetails?: string | undefined;
}

export function userMetadataToPayload(
  payloadConverter: PayloadConverter,
  staticSummary: string | undefined,
  staticDetails: string | undefined,
): WireUserMetadata | undefined {
  const summary = convertOptionalToPayload(payloadConverter, staticSummary);
  const details = convertOptionalToPayload(payloadConverter, staticDetails);
  return summary === undefined && details === undefined ? undefined : { summary, details };
}
