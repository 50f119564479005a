// Small questions about single requests: which may be repeated, where they belong, how long the server may take, and what is said of those that cannot be sent.

import type { Method } from '../../src/wire/api.ts';
import type { Route } from './request-table.ts';
import { RpcError, StatusCode } from './rpc-error.ts';
import type { Transport, TransportFactory } from './transport.ts';

/**
 * Not sent twice: credit would count double, and a registration must list the tokens held *now*, which is the business of
 * `onReconnected`.
 */
export const SENT_ONCE: ReadonlySet<Method> = new Set([
  'grantCredit',
  'registerWorker',
  'unregisterWorker',
  'withdrawCredit',
]);

/** Waits of their own length: a link that is being left is not waited for. */
export const LONG_WAITS: ReadonlySet<Method> = new Set(['awaitWorkflowResult', 'getWorkflowExecutionHistory']);

export const ANY_ROUTE: Route = { kind: 'any' };

/** The server is told a little less, so that its answer (a long poll's empty one, say) is here before the caller gives up. */
export function serverTimeout(timeoutMs: number): number {
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

export function givenUp(method: Method, signal: AbortSignal): RpcError {
  const message = `${method} was given up by its caller`;
  return new RpcError(StatusCode.CANCELLED, message, undefined, { cause: signal.reason });
}
