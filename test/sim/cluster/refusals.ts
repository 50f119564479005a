// What clients of a simulated cluster make of refusals.

import { type Status, StatusCode } from '../../../src/wire/status.ts';

/** Refusals that say nothing about the request itself. */
export const PASSING: ReadonlySet<number> = new Set([
  StatusCode.UNAVAILABLE,
  StatusCode.DEADLINE_EXCEEDED,
  StatusCode.RESOURCE_EXHAUSTED,
  StatusCode.DATA_LOSS,
]);

/** Refusals that say that nothing was done. */
export const isNotApplied = ({ code, detail }: Status): boolean =>
  code === StatusCode.RESOURCE_EXHAUSTED || (detail?.kind === 'Unavailable' && detail.applied === 'no');
