// The refusals doors make themselves, with Temporal's texts where it has one. The engine's come as Status values.

import { workflowNotFound as unknownWorkflow } from '../core/workflow/rejections.ts';
import { type Status, StatusCode } from '../wire/status.ts';

export const namespaceNotFound = (namespace: string): Status => ({
  code: StatusCode.NOT_FOUND,
  message: `Namespace ${namespace} is not found.`,
  detail: { kind: 'NamespaceNotFound', namespace },
});

/** Of a workflow id too long for any workflow: cut. */
export const workflowNotFound = (workflowId: string): Status => unknownWorkflow(workflowId.slice(0, 100)).status;

export const permissionDenied = (reason: string): Status => ({
  code: StatusCode.PERMISSION_DENIED,
  message: 'Request unauthorized.',
  detail: { kind: 'PermissionDenied', reason },
});

export const unauthenticated = (message: string): Status => ({ code: StatusCode.UNAUTHENTICATED, message });

export const exhausted = (message: string, cause: string): Status => ({
  code: StatusCode.RESOURCE_EXHAUSTED,
  message,
  detail: { kind: 'ResourceExhausted', cause },
});

/** `applied` is 'no' only when the request was never handed to the engine. */
export const unavailable = (message: string, applied: 'no' | 'maybe'): Status => ({
  code: StatusCode.UNAVAILABLE,
  message,
  detail: { kind: 'Unavailable', applied },
});

/** What a request of several steps is answered when a later one is refused for now: the first ones are done. */
export const partlyDone = (status: Status): Status =>
  status.code === StatusCode.UNAVAILABLE || status.code === StatusCode.RESOURCE_EXHAUSTED
    ? unavailable(`A part of what was asked for is done, for the rest: ${status.message}`, 'maybe')
    : status;

export const unimplemented = (message: string): Status => ({ code: StatusCode.UNIMPLEMENTED, message });

/** Methods that only look. */
const ASKS = /^(describe|list|count|get|read|poll|scan)/i;

export function deadlineExceeded(method: string, timeoutMs: number): Status {
  const code = StatusCode.DEADLINE_EXCEEDED;
  if (/^query/i.test(method)) {
    const within = `none has answered within ${timeoutMs} ms`;
    return { code, message: `query timed out before a worker could process it: ${within}` };
  }
  const late = `${method} was not done within ${timeoutMs} ms`;
  return { code, message: ASKS.test(method) ? `${late}.` : `${late}; what it asked for may still be applied.` };
}
