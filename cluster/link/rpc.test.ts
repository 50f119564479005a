// Requests between nodes, over links on an in-memory network.

import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { encode } from '../../src/wire/codec.ts';
import { type Status, StatusCode } from '../../src/wire/status.ts';
import { identity, KEY, keyed, ManualTime, TestRandom } from './link.test-support.ts';
import { Links } from './links.ts';
import { MemoryNetwork } from './memory-network.ts';
import { NO_TIMEOUT, Rpc, type RpcLimits, type ServedCall } from './rpc.ts';
import { decodeFrame, encodeFrame, readStatus } from './rpc-frames.ts';

interface Node {
  links: Links;
  rpc: Rpc;
  served: { call: ServedCall; body: string }[];
  faults: unknown[];
}

let time: ManualTime;
let network: MemoryNetwork;
let made: Links[] = [];

afterEach(() => {
  for (const links of made) links.kill();
  made = [];
});

function node(name: string, limits: Partial<RpcLimits> = {}, queuedBytes = 1_000_000): Node {
  const random = new TestRandom(name.charCodeAt(0));
  const links = new Links({
    identity: identity(name),
    security: keyed(KEY),
    network: network.at(name),
    clock: time,
    scheduler: time,
    random,
    randomBytes: (length) => random.bytes(length),
    limits: { queuedBytes },
    onEvent: () => undefined,
  });
  made.push(links);
  void links.listen({ host: name, port: 1 });
  const faults: unknown[] = [];
  const rpc = new Rpc({ links, clock: time, scheduler: time, limits, onFault: (error) => faults.push(error) });
  const served: Node['served'] = [];
  rpc.serve('ask', (call, body) => served.push({ call, body: Buffer.from(body).toString() }));
  return { links, rpc, served, faults };
}

function pair(limits: Partial<RpcLimits> = {}, queuedBytes = 1_000_000): [Node, Node] {
  time = new ManualTime();
  network = new MemoryNetwork(time, 1);
  const [a, b] = [node('a', limits, queuedBytes), node('b', limits, queuedBytes)];
  a.links.connect('b', { host: 'b', port: 1 });
  time.advance(20);
  return [a, b];
}

type Outcome = { status: Status } | { body: string };

function ask(
  from: Node,
  to: string,
  body: string,
  timeoutMs = 1_000,
  method = 'ask',
): { outcomes: Outcome[]; abandon(): void } {
  const outcomes: Outcome[] = [];
  const call = from.rpc.call(to, method, Buffer.from(body), timeoutMs, (status, answer) =>
    outcomes.push(status === undefined ? { body: Buffer.from(answer ?? []).toString() } : { status }),
  );
  return { outcomes, abandon: () => call.abandon() };
}

const refused = (code: number, applied?: 'no' | 'maybe', says = /./): object => ({
  status: expect.objectContaining({
    code,
    message: expect.stringMatching(says),
    ...(applied && { detail: { kind: 'Unavailable', applied } }),
  }),
});

describe('a request', () => {
  it('is answered, in whatever order answers come', () => {
    const [a, b] = pair();
    const asked = ['one', 'two', 'three'].map((body) => ask(a, 'b', body));
    time.advance(10);
    for (const { call, body } of b.served.reverse()) call.answer(Buffer.from(`${body}!`));
    time.advance(10);
    expect(asked.map(({ outcomes }) => outcomes)).toEqual([
      [{ body: 'one!' }],
      [{ body: 'two!' }],
      [{ body: 'three!' }],
    ]);
    expect([a.rpc.openCalls, b.rpc.servedCalls]).toEqual([0, 0]);
  });

  it('is refused with the status and detail of who refuses', () => {
    const [a, b] = pair();
    const { outcomes } = ask(a, 'b', 'x');
    time.advance(10);
    const status: Status = {
      code: StatusCode.ALREADY_EXISTS,
      message: 'it runs',
      detail: { kind: 'WorkflowExecutionAlreadyStarted', runId: 'r', startRequestId: 'q' },
    };
    b.served[0]?.call.refuse(status);
    time.advance(10);
    expect(outcomes).toEqual([{ status }]);
  });

  it('is answered once, whatever the handler does', () => {
    const [a, b] = pair();
    const { outcomes } = ask(a, 'b', 'x');
    time.advance(10);
    const call = b.served[0]?.call;
    call?.answer(Buffer.from('first'));
    call?.answer(Buffer.from('second'));
    call?.refuse({ code: StatusCode.INTERNAL, message: 'third' });
    time.advance(10);
    expect(outcomes).toEqual([{ body: 'first' }]);
  });

  it('to a node that is not connected was not applied', () => {
    const [a] = pair();
    expect(ask(a, 'nobody', 'x').outcomes).toEqual([
      refused(StatusCode.UNAVAILABLE, 'no', /Node nobody is not connected/),
    ]);
  });

  it('that is not answered in time may have been applied, and the other side hears that nobody waits', () => {
    const [a, b] = pair();
    const { outcomes } = ask(a, 'b', 'x', 500);
    time.advance(10);
    let abandoned = 0;
    const call = b.served[0]?.call;
    if (call !== undefined) call.onAbandoned = () => (abandoned += 1);
    time.advance(700);
    expect(outcomes).toEqual([refused(StatusCode.UNAVAILABLE, 'maybe', /Node b did not answer ask in time/)]);
    expect(abandoned).toBe(1);
    call?.answer(Buffer.from('late'));
    time.advance(100);
    expect(outcomes.length).toBe(1);
  });

  it('without a timeout waits as long as the link lives', () => {
    const [a, b] = pair();
    const { outcomes } = ask(a, 'b', 'x', NO_TIMEOUT);
    time.advance(600_000);
    expect(outcomes).toEqual([]);
    b.served[0]?.call.answer(Buffer.from('at last'));
    time.advance(10);
    expect(outcomes).toEqual([{ body: 'at last' }]);
  });

  it('may have been applied when the link ends under it; who serves it hears that too', () => {
    const [a, b] = pair();
    const { outcomes } = ask(a, 'b', 'x');
    time.advance(10);
    let abandoned = 0;
    for (const { call } of b.served) call.onAbandoned = () => (abandoned += 1);
    network.break('a', 'b');
    time.advance(5);
    expect(outcomes).toEqual([refused(StatusCode.UNAVAILABLE, 'maybe', /The link to node b ended/)]);
    expect(abandoned).toBe(1);
    // An answer to the old connection must not reach a request of the new one with the same number.
    time.advance(1_000);
    const next = ask(a, 'b', 'y');
    b.served[0]?.call.answer(Buffer.from('of the old'));
    time.advance(10);
    b.served[1]?.call.answer(Buffer.from('of the new'));
    time.advance(10);
    expect(next.outcomes).toEqual([{ body: 'of the new' }]);
  });

  it('that is given up is not answered', () => {
    const [a, b] = pair();
    const { outcomes, abandon } = ask(a, 'b', 'x');
    time.advance(10);
    abandon();
    time.advance(10);
    expect(b.rpc.servedCalls).toBe(0);
    b.served[0]?.call.answer(Buffer.from('x'));
    time.advance(10);
    expect(outcomes).toEqual([]);
  });

  it('for what the other node does not know, or fails at, is refused', () => {
    const [a, b] = pair();
    b.rpc.serve('break', () => {
      throw new Error('a bug');
    });
    const unknown = ask(a, 'b', 'x', 1_000, 'future');
    const broken = ask(a, 'b', 'x', 1_000, 'break');
    time.advance(10);
    expect(unknown.outcomes).toEqual([
      refused(StatusCode.UNIMPLEMENTED, undefined, /does not know the request future: upgrade it/),
    ]);
    expect(broken.outcomes).toEqual([refused(StatusCode.INTERNAL)]);
    expect(b.faults).toEqual([new Error('a bug')]);
  });

  it('beyond any bound is refused before it is sent', () => {
    const [a, b] = pair({ openCalls: 2, servedCalls: 1 });
    const asked = ['one', 'two', 'three'].map((body) => ask(a, 'b', body));
    expect(asked[2]?.outcomes).toEqual([
      refused(StatusCode.RESOURCE_EXHAUSTED, undefined, /2 requests to node b wait/),
    ]);
    time.advance(10);
    expect(b.served.map(({ body }) => body)).toEqual(['one']);
    expect(asked[1]?.outcomes).toEqual([
      refused(StatusCode.RESOURCE_EXHAUSTED, undefined, /1 requests of node a are being served/),
    ]);
  });

  it('finds its answer kept while the link is full, and told when it is too much', () => {
    const [a, b] = pair({ unsentBytes: 250_000 }, 100_000);
    const asked = Array.from({ length: 6 }, (_, i) => ask(a, 'b', `${i}`, 5_000));
    time.advance(10);
    for (const { call } of b.served) call.answer(new Uint8Array(90_000).fill(0x61));
    time.advance(100);
    const lengths = asked.map(({ outcomes: [outcome] }) =>
      outcome !== undefined && 'body' in outcome ? outcome.body.length : 0,
    );
    expect(lengths).toEqual([90_000, 90_000, 90_000, 0, 0, 0]);
    expect(asked[5]?.outcomes).toEqual([refused(StatusCode.UNAVAILABLE, 'maybe', /no room on the link/)]);
  });
});

describe('frames', () => {
  const anything = fc.anything({
    withBigInt: false,
    withDate: false,
    withMap: false,
    withSet: false,
    withTypedArray: true,
  });

  it('of any bytes are read or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeFrame(bytes)),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 6 }), fc.nat(5), fc.nat(9), (list, kind, id) => {
        const frame = decodeFrame(encode([kind, id, ...list]));
        if (frame?.kind === 'refusal') expect(frame.status.code).toBeGreaterThan(0);
      }),
      { numRuns: 1_000 },
    );
    const deep = new Uint8Array(200_000).fill(0x91);
    expect(decodeFrame(deep)).toBeUndefined();
  });

  it('come through as they were', () => {
    const status: Status = { code: StatusCode.NOT_FOUND, message: 'gone', detail: { kind: 'NotFound' } };
    for (const frame of [
      { kind: 'request', id: 1, method: 'm', timeoutMs: 5, body: Uint8Array.of(1, 2) },
      { kind: 'answer', id: 2 ** 40, body: new Uint8Array(0) },
      { kind: 'refusal', id: 3, status },
      { kind: 'abandon', id: 4 },
    ] as const) {
      const read = decodeFrame(encodeFrame(frame));
      expect(read).toMatchObject({ ...frame, ...('body' in frame && { body: Buffer.from(frame.body) }) });
    }
  });

  it('keep a refusal readable whatever its shape', () => {
    expect(readStatus(undefined)).toEqual({ code: StatusCode.UNKNOWN, message: expect.any(String) });
    expect(readStatus({ code: 0, message: 'ok?' }).code).toBe(StatusCode.UNKNOWN);
    expect(readStatus({ code: 14, message: 'm', detail: { kind: 'Unavailable', applied: 'perhaps' } })).toEqual({
      code: 14,
      message: 'm',
      detail: { kind: 'Unavailable', applied: 'maybe' },
    });
    expect(readStatus({ code: 5, message: 'm', detail: { kind: 'FromTheFuture' } })).toEqual({ code: 5, message: 'm' });
  });

  it('of no shape at all are reported, and the link lives on', () => {
    const [a, b] = pair();
    a.links.peer('b')?.send('rpc', Buffer.from('nonsense'));
    time.advance(10);
    expect(b.faults).toEqual([new Error('node a sent 8 bytes that are no rpc frame')]);
    const { outcomes } = ask(a, 'b', 'x');
    time.advance(10);
    b.served[0]?.call.answer(Buffer.from('fine'));
    time.advance(10);
    expect(outcomes).toEqual([{ body: 'fine' }]);
  });
});
