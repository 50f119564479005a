import { DefaultFailureConverter } from '@temporalio/common';

/** Messages and stacks are encrypted with the rest. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
