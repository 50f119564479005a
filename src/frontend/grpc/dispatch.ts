// One call of this door, however it came in (gRPC, JSON over HTTP, or by name through the native door): authenticated, admitted, decoded, run, and answered once. What is a refusal and
// what a fault is decided here for both.

import type { Scheduler } from '../../ports/clock.ts';
import { type Status, StatusCode } from '../../wire/status.ts';
import type { Administration } from '../door.ts';
import type { Access } from '../namespaces.ts';
import { deadlineExceeded, permissionDenied, unauthenticated, unavailable } from '../statuses.ts';
import { Refused } from '../validate/check.ts';
import { type CallEnd, type CallSource, type CallTiming, OpenRpc, OpenRpcs } from './call.ts';
import { accessOf, RpcCaller } from './caller.ts';
import { clientRefusals } from './client-version.ts';
import type { GrpcDoorContext } from './door.ts';
import { REFERENCE_VERSION, SUPPORTED_CLIENTS } from './methods/info.ts';
import { Malformed } from './proto/reader.ts';
import type { Message, Rpc, RpcServices } from './rpc.ts';
import { type RpcError, rpcError } from './status.ts';

const clientRefusal = clientRefusals({ server: REFERENCE_VERSION, clients: SUPPORTED_CLIENTS });

/** An answer with what there is leaves this long before the client's deadline, ms. */
const BEFORE_DEADLINE_MS = 500;

export interface Incoming extends CallSource {
  /** Of the method, without its service. */
  readonly name: string;
  readonly rpc: Rpc;
  /** ms the client waits; undefined: as long as the method says. */
  readonly timeoutMs: number | undefined;
  /** Of the request, as it came. */
  readonly requestBytes: number;
  /** What it takes beside them once it is decoded. */
  readonly decodedBytes: number;
  /** The request. Throws Malformed. */
  decode(): Message;
  /** Of the native door, which has authenticated and admitted it. */
  readonly caller?: { readonly mayUse: Access['mayUse']; readonly administration: Administration } | undefined;
}

export interface Outgoing {
  /** Encodes and sends; what it throws is a fault of ours, and the call fails by it. */
  answered(body: object): void;
  failed(error: RpcError): void;
  /** It waits for something to happen from now on. */
  waits?(call: OpenRpc): void;
}

export class Dispatcher {
  readonly #context: GrpcDoorContext;
  readonly #services: RpcServices;
  readonly #open: OpenRpcs;

  constructor(context: GrpcDoorContext, services: RpcServices, scheduler: Scheduler) {
    this.#context = context;
    this.#services = services;
    this.#open = new OpenRpcs(services.clock, scheduler, (call) =>
      call.expire(deadlineExceeded(call.name, Math.round(call.timeoutMs))),
    );
  }

  /** Calls that are not answered yet. */
  get open(): number {
    return this.#open.size;
  }

  /** Every call that can be answered with what there is, is: the node goes. */
  answerWaiting(): void {
    this.#open.answerWaiting();
  }

  /** Undefined when it was refused at once. */
  dispatch(incoming: Incoming, outgoing: Outgoing): OpenRpc | undefined {
    const { name, rpc } = incoming;
    const { metrics, namespaces } = this.#context;
    const { clock, pollers } = this.#services;
    const startedAt = clock.monotonic();
    const access = incoming.caller ?? accessOf(namespaces, incoming.header('authorization'));
    const refusal = access === undefined ? strangerTo(incoming) : this.#refusal(incoming);
    if (access === undefined || refusal !== undefined) {
      const why = refusal ?? unauthenticated('A token is asked for.');
      metrics.callEnded(name, why.code, clock.monotonic() - startedAt);
      outgoing.failed(rpcError(why));
      return undefined;
    }
    const end = new Ending(this, incoming, outgoing, startedAt);
    const call = new OpenRpc(timing(incoming, startedAt), incoming, end);
    this.#open.add(call);
    try {
      const request = incoming.decode();
      const tooMuch = this.#context.admission.grow(rpc.callClass, incoming.decodedBytes);
      if (tooMuch !== undefined) call.refuse(tooMuch);
      else rpc.run(this.#services, new RpcCaller(access, pollers), request, call);
    } catch (error) {
      if (error instanceof Refused) call.refuse(error.status);
      else if (error instanceof Malformed) {
        call.refuse({ code: StatusCode.INTERNAL, message: `The request is malformed: ${error.message}.` });
      } else {
        call.refuse(faulty(name));
        this.#context.onFault(error, name);
      }
    }
    return call;
  }

  /** Of a call, with its answer's code. */
  ended(call: OpenRpc, incoming: Incoming, startedAt: number, code: StatusCode): void {
    const { metrics, admission } = this.#context;
    const { name, caller, requestBytes, decodedBytes } = incoming;
    admission.shrink(decodedBytes);
    if (caller === undefined) admission.ended(requestBytes);
    this.#open.remove(call);
    metrics.callEnded(name, code, this.#services.clock.monotonic() - startedAt);
  }

  /** Of a call: a bug of ours. */
  faulted(error: unknown, name: string): void {
    this.#context.onFault(error, name);
  }

  #refusal(incoming: Incoming): Status | undefined {
    const { rpc, caller, requestBytes } = incoming;
    const reason = this.#context.notReady();
    const mistaken = clientRefusal((name) => incoming.header(name));
    if (mistaken !== undefined) return mistaken;
    if (reason !== undefined) return unavailable(`The node does not serve: ${reason}.`, 'no');
    return caller === undefined ? this.#context.admission.admit(rpc.callClass, requestBytes) : undefined;
  }
}

/** How one call ends. An object instead of functions: there is one for each call. */
class Ending implements CallEnd {
  readonly #dispatcher: Dispatcher;
  readonly #incoming: Incoming;
  readonly #outgoing: Outgoing;
  readonly #startedAt: number;

  constructor(dispatcher: Dispatcher, incoming: Incoming, outgoing: Outgoing, startedAt: number) {
    this.#dispatcher = dispatcher;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#startedAt = startedAt;
  }

  answered(call: OpenRpc, body: object): void {
    try {
      this.#outgoing.answered(body);
    } catch (error) {
      const { name } = this.#incoming;
      this.#dispatcher.faulted(error, name);
      this.refused(call, faulty(name));
      return;
    }
    this.#ended(call, StatusCode.OK);
  }

  refused(call: OpenRpc, why: Status): void {
    this.#ended(call, why.code);
    this.#outgoing.failed(rpcError(why));
  }

  failed(call: OpenRpc, error: RpcError): void {
    // A status code by construction.
    this.#ended(call, error.code as StatusCode);
    this.#outgoing.failed(error);
  }

  gone(call: OpenRpc): void {
    this.#ended(call, StatusCode.CANCELLED);
  }

  waits(call: OpenRpc): void {
    this.#outgoing.waits?.(call);
  }

  #ended(call: OpenRpc, code: StatusCode): void {
    this.#dispatcher.ended(call, this.#incoming, this.#startedAt, code);
  }
}

const faulty = (name: string): Status => ({
  code: StatusCode.INTERNAL,
  message: `${name} failed inside the server.`,
});

const strangerTo = (incoming: Incoming): Status =>
  incoming.header('authorization') !== undefined
    ? permissionDenied('the token opens no namespace of this node')
    : unauthenticated('A token is asked for.');

function timing({ name, rpc, timeoutMs: given }: Incoming, now: number): CallTiming {
  const timeoutMs = given ?? rpc.defaultTimeoutMs;
  const endsAt = now + timeoutMs;
  // At the deadline itself its client gives up, with DEADLINE_EXCEEDED: an answer with what there is comes before it.
  const before = given !== undefined && rpc.answersEarly ? Math.max(given / 2, given - BEFORE_DEADLINE_MS) : timeoutMs;
  const dueAt = now + Math.min(before, rpc.softTimeoutMs ?? Number.POSITIVE_INFINITY);
  // Without a deadline of its client, its time is over only after that answer.
  return {
    name,
    timeoutMs,
    dueAt,
    endsAt: given === undefined && dueAt === endsAt ? endsAt + BEFORE_DEADLINE_MS : endsAt,
  };
}
