// Every method of this door by service and name, and what becomes of its calls, whatever they come in by: gRPC and the JSON API (server.ts), or the
// native door, whose clients send this API's messages as they are (`callService`). Loaded by the first call.

import type { StatusCode } from '../../wire/status.ts';
import { decodedBytes } from '../admission.ts';
import type { Call, Caller } from '../door.ts';
import { unimplemented } from '../statuses.ts';
import { Dispatcher } from './dispatch.ts';
import type { GrpcDoorContext } from './door.ts';
import { checkHealth, HEALTH_SERVICE } from './health.ts';
import { services as serviceTable } from './methods/index.ts';
import { TEST_SERVICE, testService } from './methods/test-service.ts';
import { Pollers } from './pollers.ts';
import { type Codec, codecOf } from './proto/codec.ts';
import { apiService, methodTypes } from './proto/descriptors.ts';
import { decodeMessage, encodeMessage } from './proto/message.ts';
import type { Rpc, RpcServices } from './rpc.ts';
import { RpcError } from './status.ts';

const DRAIN_LOOK_MS = 10;
/** Between two looks for workers that went, ms. */
const SWEEP_EVERY_MS = 2_500;

const NATIVE_CLIENT = 'tenuto-native';

export interface MethodCodecs {
  request: Codec;
  response: Codec;
}

export interface NamedRequest {
  readonly service: string;
  readonly method: string;
  /** Protobuf. */
  readonly request: Uint8Array;
}

export class ServiceCalls {
  /** With the test service where time is skipped. */
  readonly table: ReadonlyMap<string, ReadonlyMap<string, Rpc>>;
  readonly dispatcher: Dispatcher;
  readonly #context: GrpcDoorContext;
  readonly #pollers: Pollers;
  /** By service and method: methods that are refused in the same words are one Rpc. */
  readonly #codecs = new Map<string, MethodCodecs>();
  #closed = false;

  constructor(context: GrpcDoorContext) {
    this.#context = context;
    const { services, scheduler } = context;
    const { workers: registry, clock, random, timeSkipping } = services;
    this.#pollers = new Pollers({ registry, clock, random });
    const own: RpcServices = Object.assign(Object.create(services) as typeof services, {
      pollers: this.#pollers,
      reference: context.reference,
    });
    this.dispatcher = new Dispatcher(context, own, scheduler);
    const table = new Map(serviceTable);
    if (timeSkipping !== undefined) table.set(TEST_SERVICE, testService(timeSkipping));
    this.table = table;
    this.#sweep();
  }

  /** Names of services whose health is told. */
  get health(): { readonly services: readonly string[]; notReady(): string | undefined } {
    return { services: [...this.table.keys()], notReady: () => this.#context.notReady() };
  }

  codecsOf(service: string, name: string): MethodCodecs {
    const key = `${service}/${name}`;
    let codecs = this.#codecs.get(key);
    if (codecs === undefined) {
      const { request, response } = methodTypes(apiService(service), name);
      codecs = { request: codecOf(request), response: codecOf(response) };
      this.#codecs.set(key, codecs);
    }
    return codecs;
  }

  /** A call by name, of a client of the native door. The answer is the response's bytes. */
  call({ service, method, request }: NamedRequest, caller: Caller, call: Call): void {
    if (service === HEALTH_SERVICE && method === 'Check') {
      this.#checkHealth(request, call);
      return;
    }
    const rpc = this.table.get(service)?.get(method);
    if (rpc === undefined) {
      const text = `${service.slice(0, 200)}/${method.slice(0, 100)} is not known to this server.`;
      call.refuse(unimplemented(text));
      return;
    }
    const codecs = this.codecsOf(service, method);
    let ofValues = 0;
    this.dispatcher.dispatch(
      {
        name: method,
        ...{ rpc, caller, requestBytes: request.length },
        timeoutMs: Number.isFinite(call.timeoutMs) ? call.timeoutMs : undefined,
        // Clients are told more that name themselves: of those of the native door it is known that they are new.
        header: (name) => caller.metadata?.get(name) ?? (name === 'client-name' ? NATIVE_CLIENT : undefined),
        decode: () =>
          decodeMessage(codecs.request, request, (values) => {
            ofValues = decodedBytes(values);
          }),
        get decodedBytes() {
          return ofValues;
        },
      },
      {
        answered: (body) => call.reply({ response: encodeMessage(codecs.response, body) }),
        failed: (error) => refuse(call, error),
        waits: (open) => call.waits({ abandon: () => open.giveUp() }),
      },
    );
  }

  #checkHealth(request: Uint8Array, call: Call): void {
    try {
      call.reply({ response: checkHealth(this.health, request) });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      refuse(call, error);
    }
  }

  /** Ends polls, answers what can be answered with what there is, and waits for the others up to `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#closed = true;
    this.#pollers.close();
    this.dispatcher.answerWaiting();
    const { clock } = this.#context.services;
    const until = clock.monotonic() + graceMs;
    while (this.dispatcher.open > 0 && clock.monotonic() < until) {
      await new Promise<void>((resolve) => this.#context.scheduler.after(DRAIN_LOOK_MS, resolve));
    }
  }

  #sweep(): void {
    this.#context.scheduler.after(SWEEP_EVERY_MS, () => {
      if (this.#closed) return;
      this.#pollers.sweep();
      this.#sweep();
    });
  }
}

function refuse(call: Call, error: RpcError): void {
  // A status code by construction.
  const code = error.code as StatusCode;
  call.refuse({ code, message: error.message, detail: error.detail, rpcStatus: error.bytes });
}
