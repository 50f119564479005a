// grpc.health.v1.Health: what load balancers and orchestrators ask. A service is serving while the node does.

import type { handleServerStreamingCall, handleUnaryCall, Server, ServiceError } from '@grpc/grpc-js';
import { StatusCode } from '../../wire/status.ts';
import { codecNamed } from './proto/codec.ts';
import { decodeMessage, encodeMessage } from './proto/message.ts';
import { RpcError, rpcError } from './status.ts';

export const HEALTH_SERVICE = 'grpc.health.v1.Health';
const PATH = `/${HEALTH_SERVICE}/`;
const SERVING = 1;
const NOT_SERVING = 2;

const asIs = (bytes: Buffer): Buffer => bytes;

export interface HealthContext {
  /** Names that are answered for; the empty name is the whole server's. */
  readonly services: readonly string[];
  notReady(): string | undefined;
}

/** The answer to a check; throws RpcError for a service that is not here, Malformed. */
export function checkHealth({ services, notReady }: HealthContext, request: Uint8Array): Buffer {
  const { service = '' } = decodeMessage(codecNamed('grpc.health.v1.HealthCheckRequest'), request);
  if (service !== '' && !services.includes(String(service))) {
    throw rpcError({ code: StatusCode.NOT_FOUND, message: 'unknown service' });
  }
  const status = notReady() === undefined ? SERVING : NOT_SERVING;
  return encodeMessage(codecNamed('grpc.health.v1.HealthCheckResponse'), { status });
}

/** `failure`: how an error leaves. */
export function registerHealth(
  server: Server,
  context: HealthContext,
  failure: (error: RpcError) => ServiceError,
): void {
  const answered = (request: Buffer): { answer: Buffer } | { error: ServiceError } => {
    try {
      return { answer: checkHealth(context, request) };
    } catch (error) {
      if (error instanceof RpcError) return { error: failure(error) };
      throw error;
    }
  };
  const check: handleUnaryCall<Buffer, Buffer> = (call, done) => {
    const result = answered(call.request);
    if ('error' in result) done(result.error);
    else done(null, result.answer);
  };
  const watch: handleServerStreamingCall<Buffer, Buffer> = (call) => {
    const result = answered(call.request);
    if ('error' in result) call.emit('error', result.error);
    // Said once: the stream stays open, and breaks when the node goes.
    else call.write(result.answer);
  };
  server.register(`${PATH}Check`, check, asIs, asIs, 'unary');
  server.register(`${PATH}Watch`, watch, asIs, asIs, 'serverStream');
}
