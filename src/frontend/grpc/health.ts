// grpc.health.v1.Health: what load balancers and orchestrators ask. A service is serving while the node does.

import type { handleServerStreamingCall, handleUnaryCall, Server } from '@grpc/grpc-js';
import { StatusCode } from '../../wire/status.ts';
import { codecNamed } from './proto/codec.ts';
import { decodeMessage, encodeMessage } from './proto/message.ts';
import { rpcError } from './status.ts';

const PATH = '/grpc.health.v1.Health/';
const SERVING = 1;
const NOT_SERVING = 2;

const asIs = (bytes: Buffer): Buffer => bytes;

/** `services`: names that are answered for; the empty name is the whole server's. */
export function registerHealth(server: Server, services: readonly string[], notReady: () => string | undefined): void {
  const statusOf = (bytes: Buffer): Buffer | undefined => {
    const { service = '' } = decodeMessage(codecNamed('grpc.health.v1.HealthCheckRequest'), bytes);
    if (service !== '' && !services.includes(String(service))) return undefined;
    const status = notReady() === undefined ? SERVING : NOT_SERVING;
    return encodeMessage(codecNamed('grpc.health.v1.HealthCheckResponse'), { status });
  };
  const unknown = () => rpcError({ code: StatusCode.NOT_FOUND, message: 'unknown service' });
  const check: handleUnaryCall<Buffer, Buffer> = (call, done) => {
    const answer = statusOf(call.request);
    if (answer === undefined) done(unknown());
    else done(null, answer);
  };
  const watch: handleServerStreamingCall<Buffer, Buffer> = (call) => {
    const answer = statusOf(call.request);
    if (answer === undefined) call.emit('error', unknown());
    // Said once: the stream stays open, and breaks when the node goes.
    else call.write(answer);
  };
  server.register(`${PATH}Check`, check, asIs, asIs, 'unary');
  server.register(`${PATH}Watch`, watch, asIs, asIs, 'serverStream');
}
