// Small questions about single requests: which may be repeated, where they belong, how long the server may take, and what is said of those that cannot be sent.

import type { Method } from '../../src/wire/api.ts';
import { encode } from '../../src/wire/codec.ts';
import { FrameKind } from '../../src/wire/frame.ts';
import type { CallContext } from './call-context.ts';
import type { RequestOptions } from './options.ts';
import type { OpenRequest, Route } from './request-table.ts';
import { RpcError, StatusCode } from './rpc-error.ts';
import type { Transport, TransportFactory } from './transport.ts';

/**
 * Not sent twice: credit would count double, and a registration must list the tokens held *now*, which is the business of
 * `onReconnected`.
 */
const SENT_ONCE: ReadonlySet<Method> = new Set(['grantCredit', 'registerWorker', 'unregisterWorker', 'withdrawCredit']);

/**
 * Changes that nothing tells from their repeat: no request id, no task token. Somebody may have made the opposite one between the two, or the
 * repeat of a creation or a deletion would be told that it comes too late.
 */
const NAMELESS: ReadonlySet<string> = new Set<Method | `${Method}ById`>([
  'createNexusEndpoint',
  'deleteActivityExecution',
  'deleteNamespace',
  'deleteNexusEndpoint',
  'deleteWorkerDeployment',
  'deleteWorkerDeploymentVersion',
  'deleteWorkflowExecution',
  'deprecateNamespace',
  'drainNode',
  // Its request id is known as long as it lasts.
  'pauseActivity',
  'registerNamespace',
  'removeSearchAttributes',
  'replaceNode',
  'resetActivity',
  'resetActivityExecution',
  'respondActivityTaskCanceledById',
  'respondActivityTaskCompletedById',
  'respondActivityTaskFailedById',
  'setFlowLimits',
  'setWorkerDeploymentCurrentVersion',
  'setWorkerDeploymentManager',
  'setWorkerDeploymentRampingVersion',
  'unpauseActivity',
  'unpauseActivityExecution',
  'updateActivityExecutionOptions',
  'updateActivityOptions',
  'updateNamespace',
  'updateNexusEndpoint',
  'updateTaskQueueConfig',
  'updateWorkerDeploymentVersionMetadata',
  'updateWorkflowExecutionOptions',
]);

export function repeatOf(method: Method, body: object): OpenRequest['repeat'] {
  if (SENT_ONCE.has(method)) return 'once';
  return NAMELESS.has(method) || isNameless(method, body) ? 'unapplied' : 'again';
}

/** These have a request id here, and none in the API. */
const isNamelessInApi = (method: string): boolean =>
  NAMELESS.has(method) || ['deleteSchedule', 'pauseActivityExecution', 'terminateWorkflowExecution'].includes(method);

/** Where more than the method tells. */
function isNameless(method: Method, body: object): boolean {
  switch (method) {
    // To whichever attempt of that id there is.
    case 'respondActivityTaskCanceled':
    case 'respondActivityTaskCompleted':
    case 'respondActivityTaskFailed':
      return 'target' in body && !('token' in Object(body.target));
    // Of a workflow's activity, as above.
    case 'pauseActivityExecution':
      return 'workflowId' in body && body.workflowId !== '';
    case 'callService':
      return 'method' in body && isNamelessInApi(lowerFirst(String(body.method)));
    default:
      return false;
  }
}

/**
 * The body of a request that may have been applied and is sent again, where its id does not say enough: an update's counts within a run, and another may
 * have followed. Undefined: as it was.
 */
export const bodyInDoubt = (method: Method, body: object): (() => object) | undefined =>
  method === 'updateWorkflowExecution' ? () => ({ ...body, repeated: true }) : undefined;

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** Waits of their own length: a link that is being left is not waited for. */
export const LONG_WAITS: ReadonlySet<Method> = new Set([
  'awaitWorkflowResult',
  'getWorkflowExecutionHistory',
  'watchWorkflowState',
]);

export const ANY_ROUTE: Route = { kind: 'any' };

/** Of a call: what it says itself, 0 for none, or the connection's; and never past the deadline it is made under. */
export function timeLimitMs(
  options: RequestOptions | undefined,
  usualMs: number,
  context: CallContext | undefined,
): number {
  const ownMs = options?.timeoutMs || (options?.timeoutMs === 0 ? Number.POSITIVE_INFINITY : usualMs);
  return context?.deadline === undefined ? ownMs : Math.min(ownMs, Math.max(0, Number(context.deadline) - Date.now()));
}

/** The server is told a little less, so that its answer (a long poll's empty one, say) is here before the caller gives up. */
function serverTimeout(timeoutMs: number): number {
  if (timeoutMs === Number.POSITIVE_INFINITY) return 0;
  return Math.max(1, Math.ceil(timeoutMs - Math.min(1_000, timeoutMs / 20)));
}

/** To the owner of the workflow id that a call names. */
export function routeOf(body: object): Route {
  if (!('workflowId' in body) || !('namespace' in body)) return ANY_ROUTE;
  const { namespace, workflowId } = body;
  if (typeof namespace !== 'string' || typeof workflowId !== 'string') return ANY_ROUTE;
  return { kind: 'owner', namespace, workflowId };
}

const SIGNALS: ReadonlySet<Method> = new Set(['signalWorkflowExecution', 'signalWithStartWorkflowExecution']);

/** Names the workflow that a request signals. */
export function signalledBy(method: Method, body: object): string | undefined {
  const route = SIGNALS.has(method) ? routeOf(body) : ANY_ROUTE;
  return route.kind === 'owner' ? `${route.namespace}\0${route.workflowId}` : undefined;
}

/** @param timeoutMs the caller's; Infinity: none */
export function requestFrame(
  { id, method, timeoutMs, metadata }: Pick<OpenRequest, 'id' | 'method' | 'timeoutMs' | 'metadata'>,
  body: object,
): Uint8Array {
  return encode([FrameKind.REQUEST, id, method, serverTimeout(timeoutMs), body, ...metadata]);
}

export function once(transport: Transport): TransportFactory {
  let left: Transport | undefined = transport;
  return () => {
    const given = left;
    left = undefined;
    if (given !== undefined) return given;
    throw new RpcError(StatusCode.FAILED_PRECONDITION, 'the transport was closed and cannot be opened again');
  };
}

export function exhausted(message: string): RpcError {
  return new RpcError(StatusCode.RESOURCE_EXHAUSTED, message, { kind: 'ResourceExhausted', cause: 'client' });
}

/** Its time is over. `linkError`: why there is no link, if there is none. */
export function unanswered(request: OpenRequest, target: string, linkError: Error | undefined): RpcError {
  const { method, timeoutMs, link, lastRefusal } = request;
  const refusal = lastRefusal && RpcError.fromStatus(lastRefusal);
  const cause = refusal ?? (link === undefined ? linkError : undefined);
  const why = cause?.message ?? (link === undefined ? 'there is no connection' : undefined);
  const message = `${method} had no answer from ${target} within ${Math.round(timeoutMs)} ms`;
  const text = why === undefined ? message : `${message}: ${why}`;
  return new RpcError(StatusCode.DEADLINE_EXCEEDED, text, undefined, { cause });
}

export function givenUp(method: Method, signal: AbortSignal): RpcError {
  const message = `${method} was given up by its caller`;
  return new RpcError(StatusCode.CANCELLED, message, undefined, { cause: signal.reason });
}

export const notApplied = (message: string): RpcError =>
  new RpcError(StatusCode.UNAVAILABLE, message, { kind: 'Unavailable', applied: 'no' });

/** @param cause why there was no answer */
export const perhapsApplied = (method: Method, cause: Error): RpcError => {
  const message = `${method} was sent and not answered: it may have been done, or not: ${cause.message}`;
  return new RpcError(StatusCode.UNAVAILABLE, message, { kind: 'Unavailable', applied: 'maybe' }, { cause });
};

/** Such a server would do it with the token that the link said hello with. */
export function knowsNoMetadata(method: Method, address: string): RpcError {
  const message = `${method} has metadata, which the server at ${address} does not know: upgrade it, or leave metadata and setApiKey out`;
  return new RpcError(StatusCode.UNIMPLEMENTED, message);
}
