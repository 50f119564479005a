// One call of this door, however it came in (gRPC, JSON over HTTP, or by name through the native door): authenticated, admitted, decoded, run, and answered once. What is a refusal and
// what a fault is decided here for both.

import type { Scheduler } from '../../ports/clock.ts';
import { type Status, StatusCode } from '../../wire/status.ts';
import type { Administration } from '../door.ts';
import type { Access } from '../namespaces.ts';
import { deadlineExceeded, permissionDenied, unauthenticated, unavailable } from '../statuses.ts';
import { Refused } from '../validate/check.ts';
import { type CallTiming, OpenRpc, OpenRpcs } from './call.ts';
import { accessOf, RpcCaller } from './caller.ts';
import { clientRefusal } from './client-version.ts';
import type { GrpcDoorContext } from './door.ts';
import { REFERENCE_VERSION } from './methods/info.ts';
import { Malformed } from './proto/reader.ts';
import type { Message, Rpc, RpcServices } from './rpc.ts';
import { type RpcError, rpcError } from './status.ts';

/** An answer with what there is leaves this long before the client's deadline, ms. */
const BEFORE_DEADLINE_MS = 500;

export interface Incoming {
  /** Of the method, without its service. */
  readonly name: string;
  readonly rpc: Rpc;
  /** ms the client waits; undefined: as long as the method says. */
  readonly timeoutMs: number | undefined;
  /** Lower case names. */
  header(name: string): string | undefined;
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
    const { metrics, namespaces, admission } = this.#context;
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
    const ended = (code: StatusCode): void => {
      if (incoming.caller === undefined) admission.ended();
      this.#open.remove(call);
      metrics.callEnded(name, code, clock.monotonic() - startedAt);
    };
    const call = new OpenRpc(timing(incoming, clock.monotonic()), (key) => incoming.header(key), {
      answered: (body) => {
        try {
          outgoing.answered(body);
        } catch (error) {
          this.#context.onFault(error, name);
          ended(StatusCode.INTERNAL);
          outgoing.failed(rpcError(faulty(name)));
          return;
        }
        ended(StatusCode.OK);
      },
      refused: (why) => {
        ended(why.code);
        outgoing.failed(rpcError(why));
      },
      failed: (error) => {
        // A status code by construction.
        ended(error.code as StatusCode);
        outgoing.failed(error);
      },
      gone: () => ended(StatusCode.CANCELLED),
      waits: (waiting) => outgoing.waits?.(waiting),
    });
    this.#open.add(call);
    try {
      rpc.run(this.#services, new RpcCaller(access, pollers), incoming.decode(), call);
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

  #refusal({ rpc, header, caller }: Incoming): Status | undefined {
    const reason = this.#context.notReady();
    const mistaken = clientRefusal(header, REFERENCE_VERSION);
    if (mistaken !== undefined) return mistaken;
    if (reason !== undefined) return unavailable(`The node does not serve: ${reason}.`, 'no');
    return caller === undefined ? this.#context.admission.admit(rpc.callClass) : undefined;
  }
}

const faulty = (name: string): Status => ({
  code: StatusCode.INTERNAL,
  message: `${name} failed inside the server.`,
});

const strangerTo = ({ header }: Incoming): Status =>
  header('authorization') !== undefined
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
