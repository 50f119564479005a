// What the parts of a node are tested with: requests between named nodes, over a network that a test cuts and slows, and virtual time.

import type { LogFields } from '../../src/ports/log.ts';
import { VirtualTime } from '../../src/shard/testing.ts';
import { encode } from '../../src/wire/codec.ts';
import type { Rpc, RpcCall, RpcDone, RpcHandler, ServedCall } from '../link/rpc.ts';
import type { RingMember } from '../ring/member.ts';
import type { RingPlan } from '../ring/plan.ts';
import { encodePlan } from '../ring/plan-codec.ts';
import { unavailable } from '../routing/statuses.ts';

/** One way, ms. */
const WAY_MS = 1;

export class TestRpc implements Pick<Rpc, 'serve' | 'call' | 'reaches'> {
  readonly name: string;
  readonly handlers = new Map<string, RpcHandler>();
  readonly calls: { to: string; method: string }[] = [];
  readonly #net: TestNet;

  constructor(net: TestNet, name: string) {
    this.#net = net;
    this.name = name;
  }

  serve(method: string, handler: RpcHandler): void {
    this.handlers.set(method, handler);
  }

  reaches(node: string): boolean {
    return this.#net.isUp(this.name, node);
  }

  call(node: string, method: string, body: Uint8Array, timeoutMs: number, done: RpcDone): RpcCall {
    this.calls.push({ to: node, method });
    return this.#net.send(this.name, node, method, body, timeoutMs, done);
  }
}

export class TestNet {
  readonly time: VirtualTime;
  readonly nodes = new Map<string, TestRpc>();
  /** Names of nodes that nobody reaches. */
  readonly away = new Set<string>();
  readonly faults: unknown[] = [];
  /** Requests that are refused before they leave, by method: how many more. */
  readonly refusing = new Map<string, number>();

  constructor(time = new VirtualTime()) {
    this.time = time;
  }

  node(name: string): TestRpc {
    const rpc = new TestRpc(this, name);
    this.nodes.set(name, rpc);
    return rpc;
  }

  isUp(from: string, to: string): boolean {
    // No node has a link to itself.
    return from !== to && this.nodes.has(to) && !this.away.has(to) && !this.away.has(from);
  }

  peersOf(name: string): string[] {
    return [...this.nodes.keys()].filter((other) => other !== name && this.isUp(name, other));
  }

  send(from: string, to: string, method: string, body: Uint8Array, timeoutMs: number, settled: RpcDone): RpcCall {
    let open = true;
    const done: RpcDone = (error, bytes, speaker) => {
      if (!open) return;
      open = false;
      settled(error, bytes, speaker);
    };
    const refused = this.refusing.get(method) ?? 0;
    if (!this.isUp(from, to) || refused > 0) {
      this.refusing.set(method, refused - 1);
      done(unavailable(`Node ${to} is not connected.`, 'no'), undefined, 'us');
      return { abandon: () => undefined };
    }
    const late = this.time.after(timeoutMs, () => done(unavailable('late', 'maybe'), undefined, 'us'));
    const back = (error: Parameters<RpcDone>[0], bytes: Uint8Array | undefined): void => {
      late.cancel();
      this.time.after(WAY_MS, () => {
        if (this.isUp(to, from)) done(error, bytes, 'peer');
        else done(unavailable('gone', 'maybe'), undefined, 'us');
      });
    };
    const call: ServedCall = {
      from,
      timeoutMs,
      answer: (bytes) => back(undefined, bytes),
      refuse: (status) => back(status, undefined),
      onAbandoned: undefined,
    };
    this.time.after(WAY_MS, () => {
      try {
        this.nodes.get(to)?.handlers.get(method)?.(call, body);
      } catch (error) {
        // As rpc.ts does.
        this.faults.push(error);
        call.refuse(unavailable('a fault', 'no'));
      }
    });
    return { abandon: () => (open = false) };
  }

  /** What a node answers to a request from `from`, `silent` when it never does. */
  async ask(from: string, to: string, method: string, body: Uint8Array): Promise<Uint8Array | string> {
    if (!this.nodes.has(from)) this.node(from);
    let answer: Uint8Array | string = 'silent';
    this.send(from, to, method, body, 60_000, (error, bytes) => {
      answer = bytes ?? error?.message ?? 'nothing';
    });
    await this.time.advance(100);
    return answer;
  }
}

/** Bodies no honest node sends. */
export const HOSTILE: readonly (readonly [string, Uint8Array])[] = [
  ['no bytes', new Uint8Array(0)],
  ['text', Buffer.from('garbage')],
  ['a length that lies', Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])],
  ['an empty list', encode([])],
  ['a list of nothing', encode([null])],
  ['numbers for text', encode([{ plan: 7, how: 7, directoryId: 7, shards: 7, terms: 7 }])],
  ['lists of text', encode([{ plan: [], how: [], directoryId: [], shards: ['a'], terms: ['b'] }])],
  ['deep lists', Buffer.concat([Buffer.alloc(10_000, 0x91), Buffer.from([0xc0])])],
];

export class TestLog {
  readonly lines: string[] = [];
  readonly debug = this.#at('debug');
  readonly info = this.#at('info');
  readonly warn = this.#at('warn');
  readonly error = this.#at('error');

  #at(level: string) {
    return (_fields: LogFields, message: string): void => void this.lines.push(`${level}: ${message}`);
  }
}

/** The directory of node `a` is `d-a`. */
export const directoryOf = (name: string): string => `d-${name}`;

export const member = (name: string, over: Partial<RingMember> = {}): RingMember => ({
  ...{ name, directoryId: directoryOf(name), zone: '', weight: 1, drain: 'no', seed: 0 },
  ...over,
});

export const planOf = (names: readonly string[], over: Partial<RingPlan> = {}): string =>
  encodePlan({
    ...{ version: 1, validFromMs: 1_000, proposer: directoryOf(names[0] ?? '') },
    members: names.map((name) => member(name)),
    ...over,
  });
