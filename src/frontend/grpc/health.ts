// grpc.health.v1.Health: what load balancers and orchestrators ask. A service is serving while the node does.

import { StatusCode } from '../../wire/status.ts';
import { codecNamed } from './proto/codec.ts';
import { decodeMessage } from './proto/message.ts';
import { rpcError } from './status.ts';
import { frameOf } from './transport/frames.ts';
import type { Transport } from './transport/transport.ts';

const PATH = '/grpc.health.v1.Health/';
const SERVING = 1;
const NOT_SERVING = 2;

/** `services`: names that are answered for; the empty name is the whole server's. */
export function registerHealth(
  transport: Transport,
  services: readonly string[],
  notReady: () => string | undefined,
): void {
  /** Throws RpcError. */
  const statusOf = (bytes: Buffer): Buffer => {
    const { service = '' } = decodeMessage(codecNamed('grpc.health.v1.HealthCheckRequest'), bytes);
    if (service !== '' && !services.includes(String(service))) {
      throw rpcError({ code: StatusCode.NOT_FOUND, message: 'unknown service' });
    }
    const status = notReady() === undefined ? SERVING : NOT_SERVING;
    return frameOf(codecNamed('grpc.health.v1.HealthCheckResponse'), { status });
  };
  transport.unary(`${PATH}Check`, (call, request) => call.answer(statusOf(request)));
  // Said once: the stream stays open, and breaks when the node goes.
  transport.unary(`${PATH}Watch`, (call, request) => call.send(statusOf(request)));
}
