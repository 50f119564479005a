// grpc.health.v1.Health: what load balancers and orchestrators ask. A service is serving while the node does.

import { StatusCode } from '../../wire/status.ts';
import { codecNamed } from './proto/codec.ts';
import { decodeMessage, encodeMessage } from './proto/message.ts';
import { Malformed } from './proto/reader.ts';
import { rpcError } from './status.ts';
import { framed } from './transport/frames.ts';
import type { Transport } from './transport/transport.ts';

export const HEALTH_SERVICE = 'grpc.health.v1.Health';
const PATH = `/${HEALTH_SERVICE}/`;
const SERVING = 1;
const NOT_SERVING = 2;

export interface HealthContext {
  /** Names that are answered for; the empty name is the whole server's. */
  readonly services: readonly string[];
  notReady(): string | undefined;
}

/** The answer to a check; throws RpcError for a service that is not here, and for bytes that are no request. */
export function checkHealth({ services, notReady }: HealthContext, request: Uint8Array): Buffer {
  const service = serviceIn(request);
  if (service !== '' && !services.includes(service)) {
    throw rpcError({ code: StatusCode.NOT_FOUND, message: 'unknown service' });
  }
  const status = notReady() === undefined ? SERVING : NOT_SERVING;
  return encodeMessage(codecNamed('grpc.health.v1.HealthCheckResponse'), { status });
}

function serviceIn(request: Uint8Array): string {
  try {
    return String(decodeMessage(codecNamed('grpc.health.v1.HealthCheckRequest'), request).service ?? '');
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw rpcError({ code: StatusCode.INTERNAL, message: `The request is malformed: ${error.message}.` });
  }
}

export function registerHealth(transport: Transport, context: HealthContext): void {
  transport.unary(`${PATH}Check`, (call, request) => call.answer(framed(checkHealth(context, request))));
  // Said once: the stream stays open, and breaks when the node goes.
  transport.unary(`${PATH}Watch`, (call, request) => call.send(framed(checkHealth(context, request))));
}
