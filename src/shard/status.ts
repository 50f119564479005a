// The refusals a shard gives of itself; those of workflows come from the core.

import type { Message } from '../core/workflow/message.ts';
import { type Status, StatusCode } from '../wire/status.ts';

export const exhausted = (cause: string, message: string): Status => ({
  code: StatusCode.RESOURCE_EXHAUSTED,
  message,
  detail: { kind: 'ResourceExhausted', cause },
});

export const unavailable = (message: string, applied: 'no' | 'maybe'): Status => ({
  code: StatusCode.UNAVAILABLE,
  message,
  detail: { kind: 'Unavailable', applied },
});

/** The same refusal where something may be durable that the request asked for. */
export const perhaps = (why: Status): Status =>
  why.detail?.kind === 'Unavailable' ? unavailable(why.message, 'maybe') : why;

/**
 * The same of a message whose own turn writes nothing. It may repeat one that is durable, or be an update that a later turn accepts; of what has no id
 * it is known that nothing was applied.
 */
export const perhapsFor = (message: Message | undefined, why: Status): Status => {
  const hasId =
    message?.type === 'update' || (message !== undefined && 'requestId' in message && message.requestId !== '');
  return hasId ? perhaps(why) : why;
};

export const dataLoss = (message: string): Status => ({ code: StatusCode.DATA_LOSS, message });

/** A bug of the server, met while it decided; nothing was applied. */
export const fault = (workflowId: string, message: string): Status => ({
  code: StatusCode.INTERNAL,
  message: `The server failed to handle ${message} of workflow ${workflowId}: nothing was applied. Please report this, with the server's log.`,
});

export const notFound = (message: string): Status => ({
  code: StatusCode.NOT_FOUND,
  message,
  detail: { kind: 'NotFound' },
});

export const invalid = (message: string): Status => ({ code: StatusCode.INVALID_ARGUMENT, message });

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
