// The services on their transport: every method takes and gives bytes there, and codecs are made for methods that are called. What becomes of a call is
// dispatch.ts's. Loaded by the first connection (door.ts).

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { decodedBytes } from '../admission.ts';
import type { MethodCodecs, ServiceCalls } from './calls.ts';
import type { Incoming, Outgoing } from './dispatch.ts';
import type { GrpcDoorContext } from './door.ts';
import { registerHealth } from './health.ts';
import { JsonApi } from './json/api.ts';
import { services as serviceTable } from './methods/index.ts';
import { decodeMessage } from './proto/message.ts';
import { registerReflection } from './reflection/index.ts';
import type { Message, Rpc } from './rpc.ts';
import type { RpcError } from './status.ts';
import { frameOf } from './transport/frames.ts';
import { Transport } from './transport/transport.ts';
import type { WireCall } from './transport/wire-call.ts';

/** As the reference server: a larger request is refused with RESOURCE_EXHAUSTED. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** Streams at once of one connection; a further one waits at the client (I9). */
const MAX_STREAMS = 16_384;

const TRANSPORT = {
  maxMessageBytes: MAX_REQUEST_BYTES,
  maxStreams: MAX_STREAMS,
  pingEveryMs: 60_000,
  pingTimeoutMs: 20_000,
  // As the reference server.
  maxAgeMs: 5 * 60_000,
  maxStreamBytes: 320 * 1024 * 1024,
  maxArrivingBytes: 256 * 1024 * 1024,
  arrivalTimeoutMs: 60_000,
  maxUnreadBytes: 64 * 1024 * 1024,
} as const;
/** For what was answered, ms. */
const CLOSE_GRACE_MS = 1_000;

export class GrpcServer {
  readonly #context: GrpcDoorContext;
  readonly #transport: Transport;
  readonly #calls: ServiceCalls;
  readonly #json: JsonApi;

  constructor(context: GrpcDoorContext, calls: ServiceCalls) {
    this.#context = context;
    this.#calls = calls;
    const { tls, scheduler } = context;
    const onFault = (error: unknown, method: string): void => context.onFault(error, method);
    this.#transport = new Transport({ ...TRANSPORT, tls, scheduler, onFault });
    this.#json = new JsonApi(calls.dispatcher, serviceTable);
    for (const [service, methods] of calls.table) {
      for (const [name, rpc] of methods) this.#register(service, name, rpc);
    }
    registerHealth(this.#transport, calls.health);
    registerReflection(this.#transport, calls.health.services);
  }

  accept(socket: Socket): void {
    this.#transport.accept(socket);
  }

  /** A request of the JSON API over HTTP (json/api.ts). */
  answerHttp(request: IncomingMessage, response: ServerResponse): void {
    this.#json.answer(request, response);
  }

  /** Clients go to other nodes with what they call next. */
  retire(): void {
    this.#transport.retire();
  }

  /** Once calls have ended, or had the time to. */
  async close(): Promise<void> {
    await this.#transport.close(CLOSE_GRACE_MS);
  }

  #register(service: string, name: string, rpc: Rpc): void {
    let codecs: MethodCodecs | undefined;
    this.#transport.unary(`/${service}/${name}`, (call, request) => {
      codecs ??= this.#calls.codecsOf(service, name);
      this.#handle(name, rpc, codecs, call, request);
    });
  }

  #handle(name: string, rpc: Rpc, codecs: MethodCodecs, wire: WireCall, bytes: Buffer): void {
    this.#context.metrics.messageIn(bytes.length);
    const handled = new WireRpc(name, rpc, codecs, wire, bytes);
    const call = this.#calls.dispatcher.dispatch(handled, handled);
    if (call !== undefined) wire.whenGone(() => call.giveUp());
  }
}

/** A call that came in by gRPC. An object instead of functions: there is one for each call. */
class WireRpc implements Incoming, Outgoing {
  readonly name: string;
  readonly rpc: Rpc;
  readonly requestBytes: number;
  decodedBytes = 0;
  readonly #codecs: MethodCodecs;
  readonly #wire: WireCall;
  /** Until it is decoded: calls may wait long. */
  #request: Buffer | undefined;

  constructor(name: string, rpc: Rpc, codecs: MethodCodecs, wire: WireCall, request: Buffer) {
    this.name = name;
    this.rpc = rpc;
    this.requestBytes = request.length;
    this.#codecs = codecs;
    this.#wire = wire;
    this.#request = request;
  }

  get timeoutMs(): number | undefined {
    return this.#wire.timeoutMs;
  }

  header(name: string): string | undefined {
    return this.#wire.header(name);
  }

  decode(): Message {
    const request = this.#request ?? Buffer.alloc(0);
    this.#request = undefined;
    return decodeMessage(this.#codecs.request, request, (values) => {
      this.decodedBytes = decodedBytes(values);
    });
  }

  answered(body: object): void {
    this.#wire.answer(frameOf(this.#codecs.response, body));
  }

  failed(error: RpcError): void {
    this.#wire.end(error);
  }
}
