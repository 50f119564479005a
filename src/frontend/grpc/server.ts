// The services on grpc-js: every method takes and gives bytes, so that only this door's own codecs run, and only for methods that are called. Decodes,
// authenticates, admits, runs, encodes; turns refusals into statuses. Loaded by the first connection (door.ts).

import type { Socket } from 'node:net';
import {
  type ConnectionInjector,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type { Clock } from '../../ports/clock.ts';
import { type Status, StatusCode } from '../../wire/status.ts';
import { deadlineExceeded, permissionDenied, unauthenticated, unavailable, unimplemented } from '../statuses.ts';
import { Refused } from '../validate/check.ts';
import { type CallTiming, OpenRpc, OpenRpcs } from './call.ts';
import { accessOf, RpcCaller } from './caller.ts';
import { clientRefusal } from './client-version.ts';
import type { GrpcDoorContext } from './door.ts';
import { registerHealth } from './health.ts';
import { services as serviceTable } from './methods/index.ts';
import { REFERENCE_VERSION } from './methods/info.ts';
import { Pollers } from './pollers.ts';
import { type Codec, codecOf } from './proto/codec.ts';
import { apiService } from './proto/descriptors.ts';
import { decodeMessage, encodeMessage } from './proto/message.ts';
import { Malformed } from './proto/reader.ts';
import type { Rpc, RpcServices } from './rpc.ts';
import { RpcError, rpcError } from './status.ts';

type Unary = ServerUnaryCall<Buffer, Buffer>;

/** As the reference server: a larger request is refused with RESOURCE_EXHAUSTED. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** Streams at once of one connection; a further one waits at the client (I9). */
const MAX_STREAMS = 16_384;
/** An answer with what there is leaves this long before the client's deadline, ms. */
const BEFORE_DEADLINE_MS = 500;
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
  readonly #services: RpcServices;
  readonly #open: OpenRpcs;
  #draining = false;

  constructor(context: GrpcDoorContext) {
    this.#context = context;
    const { services, scheduler, tls } = context;
    const { workers: registry, clock, random } = services;
    this.#pollers = new Pollers({ registry, clock, random });
    this.#services = Object.assign(Object.create(services) as typeof services, { pollers: this.#pollers });
    this.#open = new OpenRpcs(clock, scheduler, (call) =>
      call.expire(deadlineExceeded('The request', Math.round(call.timeoutMs))),
    );
    for (const [service, methods] of serviceTable) {
      for (const [name, rpc] of methods) this.#register(service, name, rpc);
    }
    registerHealth(this.#server, [...serviceTable.keys()], () => context.notReady());
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }]);
    this.#injector = this.#server.createConnectionInjector(credentials);
    this.#sweep();
  }

  accept(socket: Socket): void {
    this.#injector.injectConnection(socket);
    socket.resume();
  }

  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    this.#pollers.close();
    this.#open.answerWaiting();
    const { clock } = this.#context.services;
    const until = clock.monotonic() + graceMs;
    while (this.#open.size > 0 && clock.monotonic() < until) {
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
    const { services, metrics, namespaces, admission } = this.#context;
    metrics.messageIn(unary.request.length);
    const startedAt = services.clock.monotonic();
    const refuse = (refusal: Status): void => {
      metrics.callEnded(name, refusal.code, services.clock.monotonic() - startedAt);
      done(rpcError(refusal));
    };
    const header = (key: string): string | undefined => unary.metadata.get(key)[0]?.toString();
    const access = accessOf(namespaces, header('authorization'));
    if (access === undefined) {
      const given = header('authorization') !== undefined;
      refuse(
        given
          ? permissionDenied('the token opens no namespace of this node')
          : unauthenticated('A token is asked for.'),
      );
      return;
    }
    const reason = this.#context.notReady();
    const mistaken = clientRefusal(header, REFERENCE_VERSION);
    if (mistaken !== undefined) {
      refuse(mistaken);
      return;
    }
    const refusal =
      reason === undefined ? admission.admit(rpc.callClass) : unavailable(`The node does not serve: ${reason}.`, 'no');
    if (refusal !== undefined) {
      refuse(refusal);
      return;
    }
    const ended = (code: StatusCode): void => {
      admission.ended();
      this.#open.remove(call);
      metrics.callEnded(name, code, services.clock.monotonic() - startedAt);
    };
    const call = new OpenRpc(timing(rpc, unary, services), header, {
      answered: (body) => {
        let bytes: Buffer;
        try {
          bytes = encodeMessage(codecs.response, body);
        } catch (error) {
          this.#context.onFault(error, name);
          ended(StatusCode.INTERNAL);
          done(rpcError({ code: StatusCode.INTERNAL, message: `${name} failed inside the server.` }));
          return;
        }
        ended(StatusCode.OK);
        done(null, bytes);
      },
      refused: (why) => {
        ended(why.code);
        done(rpcError(why));
      },
      failed: (error) => {
        // A status code by construction.
        ended(error.code as StatusCode);
        done(error);
      },
      gone: () => ended(StatusCode.CANCELLED),
    });
    this.#open.add(call);
    unary.once('cancelled', () => call.giveUp());
    try {
      rpc.run(this.#services, new RpcCaller(access, this.#pollers), decodeMessage(codecs.request, unary.request), call);
    } catch (error) {
      if (error instanceof Refused) call.refuse(error.status);
      else if (error instanceof Malformed) {
        call.refuse({ code: StatusCode.INTERNAL, message: `The request is malformed: ${error.message}.` });
      } else {
        call.refuse({ code: StatusCode.INTERNAL, message: `${name} failed inside the server.` });
        this.#context.onFault(error, name);
      }
    }
  }
}

function codecsOf(service: string, name: string): MethodCodecs {
  const method = apiService(service).methods[name];
  method?.resolve();
  if (method === undefined || method.resolvedRequestType === null || method.resolvedResponseType === null) {
    throw new RpcError(status.UNIMPLEMENTED, unimplemented(`${name} is no method of ${service}`).message);
  }
  return { request: codecOf(method.resolvedRequestType), response: codecOf(method.resolvedResponseType) };
}

function timing(rpc: Rpc, unary: Unary, { clock }: { clock: Clock }): CallTiming {
  const now = clock.monotonic();
  const deadline = unary.getDeadline();
  const epochMs = typeof deadline === 'number' ? deadline : deadline.getTime();
  const given = Number.isFinite(epochMs) ? Math.max(1, epochMs - clock.now()) : undefined;
  const timeoutMs = given ?? rpc.defaultTimeoutMs;
  // What grpc-js answers at the deadline itself is DEADLINE_EXCEEDED: an answer with what there is comes before it.
  const early = rpc.answersEarly ? BEFORE_DEADLINE_MS : -BEFORE_DEADLINE_MS;
  const before = given === undefined ? timeoutMs : Math.max(given / 2, given - early);
  const dueAt = now + Math.min(before, rpc.softTimeoutMs ?? Number.POSITIVE_INFINITY);
  // An answer that is late all the same has a little more time than its client: that one's own end is then the answer.
  return { timeoutMs, dueAt, endsAt: now + timeoutMs + BEFORE_DEADLINE_MS };
}
