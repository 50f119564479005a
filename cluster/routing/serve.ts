// The other end of a forwarded call: it is answered by this node's own engine or redirected, never forwarded again, so that a request makes one
// hop at most. A shard that is about to arrive here is waited for, briefly. Built by router.ts.

import type { CountRequest, Waiting } from '../../src/ports/engine.ts';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import type { Rpc, ServedCall } from '../link/rpc.ts';
import { decodeBody, encodeRedirect, encodeValue } from './answers.ts';
import { halfOf, type PlaceOf } from './merge.ts';
import { READERS } from './operation-readers.ts';
import { type KeyedMethod, linkMethod, type Operation } from './operations.ts';
import { isRemote } from './ownership.ts';
import type { RouteContext } from './routed-call.ts';
import { countBody, decodeShards, listBody } from './search.ts';
import { retryable } from './statuses.ts';

export interface ServeOptions {
  rpc: Rpc;
  context: RouteContext;
  shardOf(namespace: string, workflowId: string): number;
  placeOf(request: CountRequest): PlaceOf;
}

const KEYED: readonly KeyedMethod[] = [
  'submit',
  'query',
  'update',
  'updateWithStart',
  'answerQuery',
  'describe',
  'history',
  'taskHistory',
  'awaitResult',
  'searchAttributes',
  'changeSearchAttributes',
  'jobs',
  'namespaces',
  'nexusEndpoints',
  'deployments',
  'workers',
];

export function serveForwarded(options: ServeOptions): void {
  for (const method of KEYED) {
    options.rpc.serve(linkMethod(method), (call, body) => {
      const operation = read(call, body, READERS[method]);
      if (operation !== undefined) new ServedForward(options, operation, call).try();
    });
  }
  options.rpc.serve(linkMethod('list'), (call, body) => serveList(options, call, body));
  options.rpc.serve(linkMethod('count'), (call, body) => serveCount(options, call, body));
}

/** Undefined when the request was refused: the other node is of another version, or broken. */
function read<T>(call: ServedCall, body: Uint8Array, check: (value: unknown) => T): T | undefined {
  try {
    return check(decodeBody(body));
  } catch (error) {
    const what =
      error instanceof Error
        ? 'path' in error
          ? `${String(error.path)} ${error.message}`
          : error.message
        : String(error);
    call.refuse({
      code: StatusCode.INTERNAL,
      message: `Node ${call.from} forwarded a request of another shape than expected, nothing was applied: ${what.slice(0, 500)}.`,
    });
    return undefined;
  }
}

class ServedForward {
  readonly #options: ServeOptions;
  readonly #operation: Operation<unknown>;
  readonly #call: ServedCall;
  readonly #shard: number;
  readonly #since: number;
  #pauseMs: number;
  #waiting: Waiting | undefined;
  #over = false;

  constructor(options: ServeOptions, operation: Operation<unknown>, call: ServedCall) {
    this.#options = options;
    this.#operation = operation;
    this.#call = call;
    const { namespace, workflowId } = operation.to;
    this.#shard = options.shardOf(namespace, workflowId);
    this.#since = options.context.clock.monotonic();
    this.#pauseMs = options.context.limits.pauseMs;
  }

  try(): void {
    const owner = this.#options.context.view.ownerOf(this.#shard);
    if (owner === 'local') this.#ask();
    else if (isRemote(owner)) this.#call.answer(encodeRedirect(owner, 'notAsked'));
    else this.#hold();
  }

  #ask(): void {
    const { context } = this.#options;
    if (this.#operation.waits === 'forEvents') context.watch(this.#shard, this);
    this.#call.onAbandoned = () => this.#stop();
    const waiting = this.#operation.local(context.local, (error, value) => {
      if (this.#over) return;
      this.#end();
      this.#answer(error, value);
    });
    if (!this.#over) this.#waiting = waiting;
  }

  #answer(error: Status | undefined, value: unknown): void {
    if (error === undefined) {
      this.#call.answer(encodeValue(value));
      return;
    }
    const owner = this.#options.context.view.ownerOf(this.#shard);
    // Refused because it has left: say where to.
    if (retryable(error) === 'no' && isRemote(owner)) this.#call.answer(encodeRedirect(owner, 'notAsked'));
    else this.#call.refuse(error);
  }

  /** The shard of a wait for events has left this node: its next event will be elsewhere. */
  ownerChanged(): void {
    const owner = this.#options.context.view.ownerOf(this.#shard);
    if (owner === 'local' || this.#over) return;
    this.#stop();
    this.#call.answer(encodeRedirect(owner, 'asked'));
  }

  #hold(): void {
    const { parking, clock, limits } = this.#options.context;
    const held = clock.monotonic() - this.#since;
    const parked = held < limits.holdMs ? parking.park(this.#shard, this.#pauseMs, () => this.try()) : undefined;
    this.#pauseMs = Math.min(limits.pauseMaxMs, 2 * this.#pauseMs);
    if (parked === undefined) this.#call.answer(encodeRedirect('unknown', 'notAsked'));
    else this.#call.onAbandoned = () => parked.cancel();
  }

  #stop(): void {
    if (this.#over) return;
    this.#end();
    this.#waiting?.abandon();
  }

  #end(): void {
    this.#over = true;
    this.#options.context.unwatch(this.#shard, this);
  }
}

// ---------------------------------------------------------------- list and count

/** The shards asked for, when this node serves them all; else the call has been answered. */
function servedShards(
  { context: { view } }: ServeOptions,
  call: ServedCall,
  bits: Uint8Array,
): Set<number> | undefined {
  const shards = decodeShards(bits, view.shardCount);
  if (shards === undefined) {
    call.refuse({
      code: StatusCode.INTERNAL,
      message: `Node ${call.from} has another number of shards than the ${view.shardCount} here: one of the two does not belong to this cluster.`,
    });
    return undefined;
  }
  if (servesAll(view, shards)) return shards;
  call.answer(encodeRedirect('unknown', 'notAsked'));
  return undefined;
}

const servesAll = (view: RouteContext['view'], shards: ReadonlySet<number>): boolean => {
  for (const shard of shards) if (view.ownerOf(shard) !== 'local') return false;
  return true;
};

function serveList(options: ServeOptions, call: ServedCall, body: Uint8Array): void {
  const asked = read(call, body, listBody);
  const shards = asked && servedShards(options, call, asked.shards);
  if (asked === undefined || shards === undefined) return;
  const { local, view, limits } = options.context;
  local.list({ ...asked.request, shards }, (error, found) => {
    if (error !== undefined || found === undefined) {
      if (error !== undefined) call.refuse(error);
      return;
    }
    // A shard that left meanwhile may have lacked rows already.
    if (!servesAll(view, shards)) {
      call.answer(encodeRedirect('unknown', 'notAsked'));
      return;
    }
    let cut = found;
    let answer = encodeValue(cut);
    while (answer.length > limits.pageBytes && cut.executions.length > 1) {
      cut = halfOf(cut, options.placeOf(asked.request));
      answer = encodeValue(cut);
    }
    call.answer(answer);
  });
}

function serveCount(options: ServeOptions, call: ServedCall, body: Uint8Array): void {
  const asked = read(call, body, countBody);
  const shards = asked && servedShards(options, call, asked.shards);
  if (asked === undefined || shards === undefined) return;
  const { local, view } = options.context;
  local.count({ ...asked.request, shards }, (error, found) => {
    if (error !== undefined) call.refuse(error);
    else call.answer(servesAll(view, shards) ? encodeValue(found) : encodeRedirect('unknown', 'notAsked'));
  });
}
