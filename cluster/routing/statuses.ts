// What routing refuses by itself, and how it reads the refusals of others.

import { type Status, StatusCode } from '../../src/wire/status.ts';

export const unavailable = (message: string, applied: 'no' | 'maybe'): Status => ({
  code: StatusCode.UNAVAILABLE,
  message,
  detail: { kind: 'Unavailable', applied },
});

export const exhausted = (cause: string, message: string): Status => ({
  code: StatusCode.RESOURCE_EXHAUSTED,
  message,
  detail: { kind: 'ResourceExhausted', cause },
});

/** A bug of one of two nodes: what came over the link is not what the method answers. */
export const misunderstood = (node: string, method: string, what: string): Status => ({
  code: StatusCode.INTERNAL,
  message: `Node ${node} answered ${method} with something else (${what}): are both of neighbouring versions? It may have been applied.`,
});

/** Of a refusal that another attempt may cure: whether the refused one may have been applied. Undefined: it is an answer. */
export const retryable = (status: Status): 'no' | 'maybe' | undefined =>
  status.detail?.kind === 'Unavailable' ? status.detail.applied : undefined;
