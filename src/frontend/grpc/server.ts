// The services on grpc-js: every method takes and gives bytes, so that only this door's own codecs run, and only for methods that are called. What
// becomes of a call is dispatch.ts's. Loaded by the first connection (door.ts).

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  type ConnectionInjector,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { Clock } from '../../ports/clock.ts';
import { Dispatcher } from './dispatch.ts';
import type { GrpcDoorContext } from './door.ts';
import { registerHealth } from './health.ts';
import { JsonApi } from './json/api.ts';
import { services as serviceTable } from './methods/index.ts';
import { TEST_SERVICE, testService } from './methods/test-service.ts';
import { Pollers } from './pollers.ts';
import { type Codec, codecOf } from './proto/codec.ts';
import { apiService, methodTypes } from './proto/descriptors.ts';
import { decodeMessage, encodeMessage } from './proto/message.ts';
import { registerReflection } from './reflection/index.ts';
import type { Rpc, RpcServices } from './rpc.ts';

type Unary = ServerUnaryCall<Buffer, Buffer>;

/** As the reference server: a larger request is refused with RESOURCE_EXHAUSTED. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** Streams at once of one connection; a further one waits at the client (I9). */
const MAX_STREAMS = 16_384;
/** Between two looks whether a drain is done, and for workers that went, ms. */
const DRAIN_LOOK_MS = 10;
const SWEEP_EVERY_MS = 2_500;

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

interface MethodCodecs {
  request: Codec;
  response: Codec;
}

export class GrpcServer {
  readonly #context: GrpcDoorContext;
  readonly #server = new Server(SERVER_OPTIONS);
  readonly #injector: ConnectionInjector;
  readonly #pollers: Pollers;
  readonly #dispatcher: Dispatcher;
  readonly #json: JsonApi;
  #draining = false;

  constructor(context: GrpcDoorContext) {
    this.#context = context;
    const { services, scheduler, tls } = context;
    const { workers: registry, clock, random } = services;
    this.#pollers = new Pollers({ registry, clock, random });
    const own: RpcServices = Object.assign(Object.create(services) as typeof services, {
      pollers: this.#pollers,
      reference: context.reference,
    });
    this.#dispatcher = new Dispatcher(context, own, scheduler);
    this.#json = new JsonApi(this.#dispatcher, serviceTable);
    const { timeSkipping } = services;
    const served = new Map(serviceTable);
    if (timeSkipping !== undefined) served.set(TEST_SERVICE, testService(timeSkipping));
    for (const [service, methods] of served) {
      for (const [name, rpc] of methods) this.#register(service, name, rpc);
    }
    registerHealth(this.#server, [...served.keys()], () => context.notReady());
    registerReflection(this.#server, [...served.keys()]);
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(
            tls.clientCa ?? null,
            [{ cert_chain: tls.cert, private_key: tls.key }],
            tls.clientCa !== undefined,
          );
    this.#injector = this.#server.createConnectionInjector(credentials);
    this.#sweep();
  }

  accept(socket: Socket): void {
    this.#injector.injectConnection(socket);
    socket.resume();
  }

  /** A request of the JSON API over HTTP (json/api.ts). */
  answerHttp(request: IncomingMessage, response: ServerResponse): void {
    this.#json.answer(request, response);
  }

  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    this.#pollers.close();
    this.#dispatcher.answerWaiting();
    const { clock } = this.#context.services;
    const until = clock.monotonic() + graceMs;
    while (this.#dispatcher.open > 0 && clock.monotonic() < until) {
      await new Promise<void>((resolve) => this.#context.scheduler.after(DRAIN_LOOK_MS, resolve));
    }
    this.#injector.drain(0);
    this.#server.forceShutdown();
  }

  #sweep(): void {
    this.#context.scheduler.after(SWEEP_EVERY_MS, () => {
      if (this.#draining) return;
      this.#pollers.sweep();
      this.#sweep();
    });
  }

  #register(service: string, name: string, rpc: Rpc): void {
    let codecs: MethodCodecs | undefined;
    const handle = (call: Unary, done: sendUnaryData<Buffer>): void => {
      codecs ??= codecsOf(service, name);
      this.#handle(name, rpc, codecs, call, done);
    };
    this.#server.register(`/${service}/${name}`, handle, asIs, asIs, 'unary');
  }

  #handle(name: string, rpc: Rpc, codecs: MethodCodecs, unary: Unary, done: sendUnaryData<Buffer>): void {
    const { services, metrics } = this.#context;
    metrics.messageIn(unary.request.length);
    const call = this.#dispatcher.dispatch(
      {
        name,
        rpc,
        timeoutMs: timeoutOf(unary, services.clock),
        header: (key) => unary.metadata.get(key)[0]?.toString(),
        decode: () => decodeMessage(codecs.request, unary.request),
      },
      { answered: (body) => done(null, encodeMessage(codecs.response, body)), failed: done },
    );
    if (call !== undefined) unary.once('cancelled', () => call.giveUp());
  }
}

function codecsOf(service: string, name: string): MethodCodecs {
  const { request, response } = methodTypes(apiService(service), name);
  return { request: codecOf(request), response: codecOf(response) };
}

function timeoutOf(unary: Unary, clock: Clock): number | undefined {
  const deadline = unary.getDeadline();
  const epochMs = typeof deadline === 'number' ? deadline : deadline.getTime();
  return Number.isFinite(epochMs) ? Math.max(1, epochMs - clock.now()) : undefined;
}
