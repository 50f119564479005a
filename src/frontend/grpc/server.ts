// The services on their transport: every method takes and gives bytes there, and codecs are made for methods that are called. What becomes of a call is
// dispatch.ts's. Loaded by the first connection (door.ts).

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Dispatcher } from './dispatch.ts';
import type { GrpcDoorContext } from './door.ts';
import { registerHealth } from './health.ts';
import { JsonApi } from './json/api.ts';
import { services as serviceTable } from './methods/index.ts';
import { TEST_SERVICE, testService } from './methods/test-service.ts';
import { Pollers } from './pollers.ts';
import { type Codec, codecOf } from './proto/codec.ts';
import { apiService, methodTypes } from './proto/descriptors.ts';
import { decodeMessage } from './proto/message.ts';
import { registerReflection } from './reflection/index.ts';
import type { Rpc, RpcServices } from './rpc.ts';
import { frameOf } from './transport/frames.ts';
import { Transport } from './transport/transport.ts';
import type { WireCall } from './transport/wire-call.ts';

/** As the reference server: a larger request is refused with RESOURCE_EXHAUSTED. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** Streams at once of one connection; a further one waits at the client (I9). */
const MAX_STREAMS = 16_384;
/** Between two looks whether a drain is done, and for workers that went, ms. */
const DRAIN_LOOK_MS = 10;
const SWEEP_EVERY_MS = 2_500;

const TRANSPORT = {
  maxMessageBytes: MAX_REQUEST_BYTES,
  maxStreams: MAX_STREAMS,
  pingEveryMs: 60_000,
  pingTimeoutMs: 20_000,
} as const;

interface MethodCodecs {
  request: Codec;
  response: Codec;
}

export class GrpcServer {
  readonly #context: GrpcDoorContext;
  readonly #transport: Transport;
  readonly #pollers: Pollers;
  readonly #dispatcher: Dispatcher;
  readonly #json: JsonApi;
  #draining = false;

  constructor(context: GrpcDoorContext) {
    this.#context = context;
    const { services, scheduler, tls } = context;
    const onFault = (error: unknown, method: string): void => context.onFault(error, method);
    this.#transport = new Transport({ ...TRANSPORT, tls, scheduler, onFault });
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
    registerHealth(this.#transport, [...served.keys()], () => context.notReady());
    registerReflection(this.#transport, [...served.keys()]);
    this.#sweep();
  }

  accept(socket: Socket): void {
    this.#transport.accept(socket);
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
    this.#transport.close();
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
    this.#transport.unary(`/${service}/${name}`, (call, request) => {
      codecs ??= codecsOf(service, name);
      this.#handle(name, rpc, codecs, call, request);
    });
  }

  #handle(name: string, rpc: Rpc, { request, response }: MethodCodecs, wire: WireCall, bytes: Buffer): void {
    this.#context.metrics.messageIn(bytes.length);
    const call = this.#dispatcher.dispatch(
      {
        name,
        rpc,
        timeoutMs: wire.timeoutMs,
        header: (key) => wire.header(key),
        decode: () => decodeMessage(request, bytes),
      },
      {
        answered: (body) => wire.answer(frameOf(response, body)),
        failed: (error) => wire.end(error),
      },
    );
    if (call !== undefined) wire.whenGone(() => call.giveUp());
  }
}

function codecsOf(service: string, name: string): MethodCodecs {
  const { request, response } = methodTypes(apiService(service), name);
  return { request: codecOf(request), response: codecOf(response) };
}
