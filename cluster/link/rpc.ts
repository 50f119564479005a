// Requests from node to node: each is answered exactly once, at the latest when its time is over or its link ends; what may have happened until then
// is said in the refusal (`Unavailable`, applied no or maybe). No order between requests, no streams. Used by cluster/routing; callbacks
// throughout, one sweep for all deadlines.

import type { Cancelable, Clock, Scheduler } from '../../src/ports/clock.ts';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import type { ChannelUser, Peer } from './peer.ts';
import { decodeFrame, encodeFrame, type RpcFrame } from './rpc-frames.ts';

export interface RpcLimits {
  /** Requests to one node that wait for their answers. */
  openCalls: number;
  /** Requests of one node that are being served. */
  servedCalls: number;
  /** Bytes of answers to one node that found its queue full. */
  unsentBytes: number;
  /** How often deadlines are looked at, ms: a request may wait so much longer than it asked. */
  sweepMs: number;
}

export const DEFAULT_RPC_LIMITS: RpcLimits = {
  openCalls: 20_000,
  servedCalls: 20_000,
  unsentBytes: 64 * 1024 * 1024,
  sweepMs: 100,
};

/** For requests that wait for something to happen: only the link's end or `abandon` ends them. */
export const NO_TIMEOUT = 0;

export interface RpcCall {
  /** The answer is not wanted any more: `done` is not called. */
  abandon(): void;
}

/** Who says it: the other node, or this one in its stead, as nothing came from there. */
export type RpcSpeaker = 'peer' | 'us';

/** Exactly once. The body may be part of a larger buffer. */
export type RpcDone = (error: Status | undefined, body: Uint8Array | undefined, speaker: RpcSpeaker) => void;

/** A request of another node. One of `answer` and `refuse` is to be called, once, unless it was abandoned. */
export interface ServedCall {
  readonly from: string;
  /** How long the caller waits, ms; `NO_TIMEOUT`: until it says otherwise. */
  readonly timeoutMs: number;
  answer(body: Uint8Array): void;
  refuse(status: Status): void;
  /** Called once, if the caller gives up or its link ends. */
  onAbandoned: (() => void) | undefined;
}

export type RpcHandler = (call: ServedCall, body: Uint8Array) => void;

export interface RpcOptions {
  links: {
    use(channel: 'rpc', user: ChannelUser): void;
    peer(name: string): Peer | undefined;
    limits: { messageBytes: number };
  };
  clock: Clock;
  scheduler: Scheduler;
  limits?: Partial<RpcLimits> | undefined;
  /** A handler threw, or a peer sent what is no frame: a bug here or there. */
  onFault(error: unknown, peer: string): void;
}

interface OpenCall {
  method: string;
  dueAt: number;
  done: RpcDone;
}

/** What lives with one connection to one node. */
class Exchange {
  readonly open = new Map<number, OpenCall>();
  readonly served = new Map<number, ServedCall>();
  /** Answers and ends of waits that found the queue full, in order. */
  readonly unsent: Uint8Array[] = [];
  unsentBytes = 0;
  nextId = 1;
}

const unavailable = (message: string, applied: 'no' | 'maybe'): Status => ({
  code: StatusCode.UNAVAILABLE,
  message,
  detail: { kind: 'Unavailable', applied },
});

const exhausted = (message: string): Status => ({
  code: StatusCode.RESOURCE_EXHAUSTED,
  message,
  detail: { kind: 'ResourceExhausted', cause: 'NODE_LINK' },
});

/** Too late to say that nothing was done. */
const tooLarge = (method: string, bytes: number): Status => ({
  code: StatusCode.INTERNAL,
  message: `The answer to ${method} has ${bytes} bytes, more than a node-to-node link carries; what was asked for may be done.`,
});

const NOT_OPEN: RpcCall = { abandon: () => undefined };

/** Room for a frame's fields around its body. */
const FRAME_BYTES = 1_024;

export class Rpc implements ChannelUser {
  readonly #options: RpcOptions;
  readonly #limits: RpcLimits;
  readonly #handlers = new Map<string, RpcHandler>();
  readonly #exchanges = new Map<string, Exchange>();
  #sweeper: Cancelable | undefined;
  /** A node can be asked from now on: who waits for it need not wait longer. */
  onReachable: ((node: string) => void) | undefined;

  constructor(options: RpcOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_RPC_LIMITS, ...options.limits };
    options.links.use('rpc', this);
  }

  /** Who answers a method; before the first connection. */
  serve(method: string, handler: RpcHandler): void {
    if (this.#handlers.has(method)) throw new Error(`the method ${method} has a handler already`);
    this.#handlers.set(method, handler);
  }

  /** Whether a request could be sent to this node now. */
  reaches(node: string): boolean {
    return this.#exchanges.has(node);
  }

  /** Requests that wait for an answer of any node. */
  get openCalls(): number {
    let count = 0;
    for (const { open } of this.#exchanges.values()) count += open.size;
    return count;
  }

  /** Requests of other nodes that wait for ours. */
  get servedCalls(): number {
    let count = 0;
    for (const { served } of this.#exchanges.values()) count += served.size;
    return count;
  }

  /**
   * Asks another node. `done` may be called before this returns.
   *
   * @param timeoutMs how long to wait; `NO_TIMEOUT` for as long as the link lives.
   */
  call(node: string, method: string, body: Uint8Array, timeoutMs: number, done: RpcDone): RpcCall {
    const peer = this.#options.links.peer(node);
    const exchange = this.#exchanges.get(node);
    if (peer === undefined || exchange === undefined) {
      done(unavailable(`Node ${node} is not connected; ${method} was not sent.`, 'no'), undefined, 'us');
      return NOT_OPEN;
    }
    if (exchange.open.size >= this.#limits.openCalls) {
      done(
        exhausted(
          `${exchange.open.size} requests to node ${node} wait for answers; ${method} was not sent: try again later.`,
        ),
        undefined,
        'us',
      );
      return NOT_OPEN;
    }
    const id = exchange.nextId;
    exchange.nextId += 1;
    const frame = encodeFrame({ kind: 'request', id, method, timeoutMs, body });
    if (frame.length > this.#options.links.limits.messageBytes) {
      done(exhausted(`${method} has ${frame.length} bytes, more than a node-to-node link carries.`), undefined, 'us');
      return NOT_OPEN;
    }
    if (!peer.send('rpc', frame)) {
      done(
        exhausted(`The link to node ${node} has as much queued as it may; ${method} was not sent: try again later.`),
        undefined,
        'us',
      );
      return NOT_OPEN;
    }
    const dueAt = timeoutMs === NO_TIMEOUT ? Number.POSITIVE_INFINITY : this.#options.clock.monotonic() + timeoutMs;
    exchange.open.set(id, { method, dueAt, done });
    if (dueAt !== Number.POSITIVE_INFINITY) this.#sweepLater();
    return {
      abandon: () => {
        if (exchange.open.delete(id)) this.#tellAbandoned(node, exchange, id);
      },
    };
  }

  // ---------------------------------------------------------------- ChannelUser

  up(peer: Peer): void {
    this.#exchanges.set(peer.name, new Exchange());
    this.onReachable?.(peer.name);
  }

  down(peer: Peer, why: string): void {
    const exchange = this.#exchanges.get(peer.name);
    if (exchange === undefined) return;
    this.#exchanges.delete(peer.name);
    const served = [...exchange.served.values()];
    exchange.served.clear();
    for (const call of served) call.onAbandoned?.();
    const open = [...exchange.open.values()];
    exchange.open.clear();
    for (const { method, done } of open) {
      done(
        unavailable(`The link to node ${peer.name} ended (${why}) before ${method} was answered.`, 'maybe'),
        undefined,
        'us',
      );
    }
  }

  drained(peer: Peer): void {
    const exchange = this.#exchanges.get(peer.name);
    if (exchange === undefined) return;
    for (let next = exchange.unsent[0]; next !== undefined; next = exchange.unsent[0]) {
      if (!peer.send('rpc', next)) return;
      exchange.unsent.shift();
      exchange.unsentBytes -= next.length;
    }
  }

  message(peer: Peer, bytes: Uint8Array): void {
    const exchange = this.#exchanges.get(peer.name);
    if (exchange === undefined) return;
    const frame = decodeFrame(bytes);
    if (frame === undefined) {
      this.#options.onFault(new Error(`node ${peer.name} sent ${bytes.length} bytes that are no rpc frame`), peer.name);
      return;
    }
    switch (frame.kind) {
      case 'request':
        this.#serve(peer, exchange, frame);
        break;
      case 'answer':
        this.#settle(exchange, frame.id, undefined, frame.body);
        break;
      case 'refusal':
        this.#settle(exchange, frame.id, frame.status, undefined);
        break;
      case 'abandon': {
        const call = exchange.served.get(frame.id);
        exchange.served.delete(frame.id);
        call?.onAbandoned?.();
        break;
      }
    }
  }

  // ---------------------------------------------------------------- inside

  /** An answer to what is over or was never asked is dropped. */
  #settle(exchange: Exchange, id: number, error: Status | undefined, body: Uint8Array | undefined): void {
    const call = exchange.open.get(id);
    if (call === undefined) return;
    exchange.open.delete(id);
    call.done(error, body, 'peer');
  }

  #serve(peer: Peer, exchange: Exchange, request: Extract<RpcFrame, { kind: 'request' }>): void {
    const { id, method, timeoutMs, body } = request;
    // An id twice: whoever answered first would answer both.
    if (exchange.served.has(id)) return;
    const end = (frame: RpcFrame): void => {
      if (exchange.served.delete(id)) this.#answer(peer, exchange, method, frame);
    };
    const call: ServedCall = {
      from: peer.name,
      timeoutMs,
      answer: (answer) => end({ kind: 'answer', id, body: answer }),
      refuse: (status) => end({ kind: 'refusal', id, status }),
      onAbandoned: undefined,
    };
    const full = exchange.served.size >= this.#limits.servedCalls;
    exchange.served.set(id, call);
    if (full) {
      call.refuse(
        exhausted(
          `${this.#limits.servedCalls} requests of node ${peer.name} are being served; ${method} was not: try again later.`,
        ),
      );
      return;
    }
    const handler = this.#handlers.get(method);
    if (handler === undefined) {
      call.refuse({
        code: StatusCode.UNIMPLEMENTED,
        message: `This node's version does not know the request ${method}: upgrade it.`,
      });
      return;
    }
    try {
      handler(call, body);
    } catch (error) {
      this.#options.onFault(error, peer.name);
      call.refuse({
        code: StatusCode.INTERNAL,
        message: `The node failed to serve ${method}: please report this, with its log.`,
      });
    }
  }

  #answer(peer: Peer, exchange: Exchange, method: string, frame: RpcFrame): void {
    if (this.#exchanges.get(peer.name) !== exchange) return;
    let bytes = encodeFrame(frame);
    if (bytes.length > this.#options.links.limits.messageBytes - FRAME_BYTES) {
      bytes = encodeFrame({
        kind: 'refusal',
        id: frame.id,
        status: tooLarge(method, bytes.length),
      });
    }
    if (exchange.unsent.length === 0 && peer.send('rpc', bytes)) return;
    if (exchange.unsentBytes + bytes.length > this.#limits.unsentBytes) {
      const status = unavailable(`The answer to ${method} found no room on the link.`, 'maybe');
      bytes = encodeFrame({ kind: 'refusal', id: frame.id, status });
    }
    exchange.unsent.push(bytes);
    exchange.unsentBytes += bytes.length;
  }

  #tellAbandoned(node: string, exchange: Exchange, id: number): void {
    if (this.#exchanges.get(node) !== exchange) return;
    const peer = this.#options.links.peer(node);
    const frame = encodeFrame({ kind: 'abandon', id });
    if (exchange.unsent.length > 0 || peer?.send('rpc', frame) !== true) {
      exchange.unsent.push(frame);
      exchange.unsentBytes += frame.length;
    }
  }

  #sweepLater(): void {
    this.#sweeper ??= this.#options.scheduler.after(this.#limits.sweepMs, () => this.#sweep());
  }

  #sweep(): void {
    this.#sweeper = undefined;
    const now = this.#options.clock.monotonic();
    const late: { node: string; exchange: Exchange; id: number; call: OpenCall }[] = [];
    let timed = false;
    for (const [node, exchange] of this.#exchanges) {
      for (const [id, call] of exchange.open) {
        if (call.dueAt <= now) late.push({ node, exchange, id, call });
        else if (call.dueAt !== Number.POSITIVE_INFINITY) timed = true;
      }
    }
    if (timed) this.#sweepLater();
    for (const { node, exchange, id, call } of late) {
      if (!exchange.open.delete(id)) continue;
      this.#tellAbandoned(node, exchange, id);
      call.done(unavailable(`Node ${node} did not answer ${call.method} in time.`, 'maybe'), undefined, 'us');
    }
  }
}
