// The services on grpc-js: every method takes and gives bytes, so that only this door's own codecs run, and only for methods that are called. What
// becomes of a call is dispatch.ts's. Loaded by the first connection (door.ts).

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  type ConnectionInjector,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { Clock } from '../../ports/clock.ts';
import type { MethodCodecs, ServiceCalls } from './calls.ts';
import type { GrpcDoorContext } from './door.ts';
import { registerHealth } from './health.ts';
import { JsonApi } from './json/api.ts';
import { services as serviceTable } from './methods/index.ts';
import { decodeMessage, encodeMessage } from './proto/message.ts';
import { registerReflection } from './reflection/index.ts';
import type { Rpc } from './rpc.ts';
import type { RpcError } from './status.ts';

type Unary = ServerUnaryCall<Buffer, Buffer>;

/** As the reference server: a larger request is refused with RESOURCE_EXHAUSTED. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** Streams at once of one connection; a further one waits at the client (I9). */
const MAX_STREAMS = 16_384;
const DETAILS = 'grpc-status-details-bin';

const asIs = (bytes: Buffer): Buffer => bytes;

const SERVER_OPTIONS = {
  'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
  'grpc.max_send_message_length': -1,
  'grpc.max_concurrent_streams': MAX_STREAMS,
  // A client that vanished without a word is noticed.
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // No channelz: its bookkeeping costs every call, and nobody can ask for it here.
  'grpc.enable_channelz': 0,
} as const;

export class GrpcServer {
  readonly #context: GrpcDoorContext;
  readonly #server = new Server(SERVER_OPTIONS);
  readonly #injector: ConnectionInjector;
  readonly #calls: ServiceCalls;
  readonly #json: JsonApi;

  constructor(context: GrpcDoorContext, calls: ServiceCalls) {
    this.#context = context;
    this.#calls = calls;
    const { tls } = context;
    this.#json = new JsonApi(calls.dispatcher, serviceTable);
    for (const [service, methods] of calls.table) {
      for (const [name, rpc] of methods) this.#register(service, name, rpc);
    }
    registerHealth(this.#server, calls.health, serviceError);
    registerReflection(this.#server, calls.health.services);
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(
            tls.clientCa ?? null,
            [{ cert_chain: tls.cert, private_key: tls.key }],
            tls.clientCa !== undefined,
          );
    this.#injector = this.#server.createConnectionInjector(credentials);
  }

  accept(socket: Socket): void {
    this.#injector.injectConnection(socket);
    socket.resume();
  }

  /** A request of the JSON API over HTTP (json/api.ts). */
  answerHttp(request: IncomingMessage, response: ServerResponse): void {
    this.#json.answer(request, response);
  }

  /** Once calls have ended, or had the time to. */
  close(): void {
    this.#injector.drain(0);
    this.#server.forceShutdown();
  }

  #register(service: string, name: string, rpc: Rpc): void {
    let codecs: MethodCodecs | undefined;
    const handle = (call: Unary, done: sendUnaryData<Buffer>): void => {
      codecs ??= this.#calls.codecsOf(service, name);
      this.#handle(name, rpc, codecs, call, done);
    };
    this.#server.register(`/${service}/${name}`, handle, asIs, asIs, 'unary');
  }

  #handle(name: string, rpc: Rpc, codecs: MethodCodecs, unary: Unary, done: sendUnaryData<Buffer>): void {
    const { services, metrics } = this.#context;
    metrics.messageIn(unary.request.length);
    const call = this.#calls.dispatcher.dispatch(
      {
        name,
        rpc,
        timeoutMs: timeoutOf(unary, services.clock),
        header: (key) => unary.metadata.get(key)[0]?.toString(),
        decode: () => decodeMessage(codecs.request, unary.request),
      },
      {
        answered: (body) => done(null, encodeMessage(codecs.response, body)),
        failed: (error) => done(serviceError(error)),
      },
    );
    if (call !== undefined) unary.once('cancelled', () => call.giveUp());
  }
}

/** As grpc-js sends it. */
function serviceError(error: RpcError): ServiceError {
  const metadata = new Metadata();
  metadata.set(DETAILS, error.bytes);
  return Object.assign(error, { metadata });
}

function timeoutOf(unary: Unary, clock: Clock): number | undefined {
  const deadline = unary.getDeadline();
  const epochMs = typeof deadline === 'number' ? deadline : deadline.getTime();
  return Number.isFinite(epochMs) ? Math.max(1, epochMs - clock.now()) : undefined;
}
