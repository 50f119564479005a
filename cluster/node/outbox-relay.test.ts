import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SENT_TYPES } from '../../src/core/workflow/sent-message.ts';
import type { LedShards, ShardMessage, ShardMessageOutcome } from '../../src/ports/led-shards.ts';
import { encode } from '../../src/wire/codec.ts';
import { encodeBody, encodeValue } from '../routing/answers.ts';
import type { Owner, OwnershipView } from '../routing/ownership.ts';
import { HOSTILE, TestNet } from './node.test-support.ts';
import { OutboxRelay } from './outbox-relay.ts';

const SHARDS = 4;
const shardOf = (_: string, workflowId: string): number => Number(workflowId.charAt(1)) % SHARDS;
const at = (node: string, term = 1): Owner => ({ node, address: { host: node, port: 1 }, term });

class Node {
  readonly name: string;
  readonly relay: OutboxRelay;
  readonly owners = new Map<number, Owner>();
  /** What was applied here, once each. */
  readonly received: string[] = [];
  readonly connected: string[] = [];
  answer: ((item: ShardMessage, done: (said: ShardMessageOutcome) => void) => void) | undefined;

  constructor(net: TestNet, name: string) {
    this.name = name;
    const view: OwnershipView = {
      shardCount: SHARDS,
      ownerOf: (shard) => this.owners.get(shard) ?? 'unknown',
      subscribe: () => () => undefined,
    };
    const engine: Pick<LedShards, 'receive'> = {
      receive: (item, done) => {
        if (this.answer !== undefined) this.answer(item, done);
        else {
          const id = `${item.workflowId}#${item.seq}`;
          if (!this.received.includes(id)) this.received.push(id);
          done('applied');
        }
      },
    };
    this.relay = new OutboxRelay({
      ...{ self: name, view, rpc: net.node(name), scheduler: net.time, shardOf, pause: { isPaused: false } },
      engine: () => engine,
      connect: ({ node }) => this.connected.push(node),
    });
  }

  send(workflowId: string, seq: number): { said: ShardMessageOutcome | undefined } {
    const answer: { said: ShardMessageOutcome | undefined } = { said: undefined };
    this.relay.relay(item(workflowId, seq), (said) => {
      if (answer.said !== undefined) throw new Error('answered twice');
      answer.said = said;
    });
    return answer;
  }
}

const item = (workflowId: string, seq: number, over: object = {}): ShardMessage => ({
  ...{ source: 0, seq, namespace: 'n', workflowId },
  message: { type: 'parentClosed', childRunId: 'r', policy: 1 } as unknown as ShardMessage['message'], // only its type travels by name
  ...over,
});

function world(...names: string[]): { net: TestNet; nodes: Node[] } {
  const net = new TestNet();
  return { net, nodes: names.map((name) => new Node(net, name)) };
}

describe('a message to an actor', () => {
  it.each([
    ['is applied here, where its shard is led', 'local', 'a'],
    ['goes one hop to the leader', at('b'), 'b'],
  ] as const)('%s', async (_, owner, where) => {
    const { net, nodes } = world('a', 'b');
    const [a, b] = nodes;
    a?.owners.set(1, owner);
    b?.owners.set(1, 'local');
    const answer = a?.send('w1', 1);
    await net.time.advance(10);
    expect(answer?.said).toBe('applied');
    expect(nodes.find(({ name }) => name === where)?.received).toEqual(['w1#1']);
  });

  it('follows one redirect, and no second', async () => {
    const { net, nodes } = world('a', 'b', 'c', 'd');
    const [a, b, c, d] = nodes;
    a?.owners.set(1, at('b', 1));
    b?.owners.set(1, at('c', 2));
    c?.owners.set(1, 'local');
    const first = a?.send('w1', 1);
    await net.time.advance(10);
    expect([first?.said, c?.received]).toEqual(['applied', ['w1#1']]);
    c?.owners.set(1, at('d', 3));
    const second = a?.send('w1', 2);
    await net.time.advance(10);
    expect([second?.said, d?.received]).toEqual(['later', []]);
  });

  it('is later when it is sent back to where it comes from: that node knows by itself when it leads', async () => {
    const { net, nodes } = world('a', 'b');
    const [a, b] = nodes;
    a?.owners.set(1, at('b', 1));
    b?.owners.set(1, at('a', 2));
    const early = a?.send('w1', 1);
    await net.time.advance(10);
    expect([early?.said, a?.connected]).toEqual(['later', []]);
    a?.owners.set(1, 'local');
    const again = a?.send('w1', 1);
    await net.time.advance(10);
    expect([again?.said, a?.received]).toEqual(['applied', ['w1#1']]);
  });

  it('waits while its shard moves, not for ever, and no longer than the node lives', async () => {
    const { net, nodes } = world('a');
    const [a] = nodes;
    a?.owners.set(1, 'moving');
    const arrives = a?.send('w1', 1);
    await net.time.advance(1_000);
    a?.owners.set(1, 'local');
    await net.time.advance(30);
    expect(arrives?.said).toBe('applied');
    a?.owners.set(1, 'moving');
    const never = a?.send('w1', 2);
    await net.time.advance(3_000);
    expect(never?.said).toBe('later');
    const late = a?.send('w1', 3);
    a?.relay.stop();
    await net.time.advance(30);
    expect(late?.said).toBe('later');
  });

  it('is said to be later when the leader is gone, or does not answer', async () => {
    const { net, nodes } = world('a', 'b');
    const [a, b] = nodes;
    a?.owners.set(1, at('b'));
    b?.owners.set(1, 'local');
    net.away.add('b');
    expect(a?.send('w1', 1).said).toBe('later');
    expect(a?.connected).toEqual(['b']);
    net.away.clear();
    if (b !== undefined) b.answer = () => undefined;
    const silent = a?.send('w1', 1);
    await net.time.advance(10_000);
    expect(silent?.said).toBe('later');
  });

  it('is later when the one before it is, and reaches nobody: others than its own actor’s go on', async () => {
    const { net, nodes } = world('a', 'b');
    const [a, b] = nodes;
    for (const shard of [1, 2]) a?.owners.set(shard, at('b'));
    for (const shard of [1, 2]) b?.owners.set(shard, 'local');
    const seen: string[] = [];
    if (b !== undefined)
      b.answer = (one, done) => {
        seen.push(`${one.workflowId}#${one.seq}`);
        done(one.workflowId === 'w1' ? 'later' : 'applied');
      };
    const answers = [a?.send('w1', 1), a?.send('w1', 2), a?.send('w2', 3), a?.send('w1', 4)];
    expect(a?.relay.waiting).toBe(2);
    await net.time.advance(50);
    expect(answers.map((answer) => answer?.said)).toEqual(['later', 'later', 'applied', 'later']);
    expect(seen).toEqual(['w1#1', 'w2#3']);
    expect(a?.relay.waiting).toBe(0);
  });

  it.each([
    ['an outcome of another version', encodeValue('perhaps')],
    ['garbage', Buffer.from('garbage')],
    ['nothing', new Uint8Array(0)],
  ])('is later when the answer is %s', async (_, bytes) => {
    const { net, nodes } = world('a');
    const [a] = nodes;
    a?.owners.set(1, at('z'));
    net.node('z').serve('outbox.receive', (call) => call.answer(bytes));
    const answer = a?.send('w1', 1);
    await net.time.advance(10);
    expect(answer?.said).toBe('later');
  });

  it('keeps its place among those to the same actor, whatever moves, is lost and comes back', async () => {
    const step = fc.record({ do: fc.constantFrom('send', 'move', 'lose', 'heal', 'wait'), n: fc.nat(2) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const { net, nodes } = world('a', 'b');
        const [a, b] = nodes;
        const order: string[] = [];
        for (const node of nodes) {
          node.answer = (one, done) => {
            const id = `${one.workflowId}#${one.seq}`;
            if (!order.includes(id)) order.push(id);
            done('applied');
          };
        }
        const seqs = [0, 0, 0];
        const pending: { id: string; seq: number; answer: ReturnType<Node['send']> }[] = [];
        const send = (n: number, seq: number): void => {
          const answer = a?.send(`w${n}`, seq);
          if (answer !== undefined) pending.push({ id: `w${n}`, seq, answer });
        };
        const place = (owner: Owner): void => {
          for (let shard = 0; shard < SHARDS; shard += 1) {
            a?.owners.set(shard, owner);
            b?.owners.set(shard, owner === 'local' ? at('a') : 'local');
          }
        };
        place('local');
        // As the outbox does: what was refused comes again, in order, before what is newer.
        const again = (): void => {
          const refused = pending.filter(({ answer }) => answer.said === 'later').sort((x, y) => x.seq - y.seq);
          for (const one of refused) pending.splice(pending.indexOf(one), 1);
          for (const { id, seq } of refused) send(Number(id.slice(1)), seq);
        };
        for (const { do: what, n } of steps) {
          if (what === 'send' && !pending.some(({ id, answer }) => id === `w${n}` && answer.said === 'later')) {
            seqs[n] = (seqs[n] ?? 0) + 1;
            send(n, seqs[n] ?? 0);
          } else if (what === 'move') place(n === 0 ? 'local' : n === 1 ? at('b') : 'moving');
          else if (what === 'lose') net.away.add('b');
          else if (what === 'heal') net.away.clear();
          else {
            await net.time.advance(n * 3);
            again();
          }
        }
        net.away.clear();
        place(at('b'));
        for (let i = 0; i < 4; i += 1) {
          await net.time.advance(6_000);
          again();
        }
        for (const n of [0, 1, 2]) {
          const seen = order.filter((id) => id.startsWith(`w${n}#`));
          expect(seen).toEqual(Array.from({ length: seqs[n] ?? 0 }, (_, i) => `w${n}#${i + 1}`));
        }
        expect(a?.relay.waiting).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a message from another node', () => {
  it.each(SENT_TYPES)('of each type that actors send one another is taken: %s', async (type) => {
    const { net, nodes } = world('a');
    nodes[0]?.owners.set(1, 'local');
    // A refusal would be a text.
    expect(await net.ask('x', 'a', 'outbox.receive', encodeBody(item('w1', 1, { message: { type } })))).toBeInstanceOf(
      Uint8Array,
    );
    expect(nodes[0]?.received).toEqual(['w1#1']);
  });

  it.each<readonly [string, Uint8Array]>([
    ...HOSTILE,
    ['a source that is no shard', encodeBody(item('w1', 1, { source: SHARDS }))],
    ['a source below all', encodeBody(item('w1', 1, { source: -1 }))],
    ['a number below all', encodeBody(item('w1', 0))],
    ['a number that is none', encodeBody(item('w1', 1.5))],
    ['no target', encodeBody(item('w1', 1, { workflowId: 7 }))],
    ['what no shard says', encodeBody(item('w1', 1, { message: { type: 'completeWorkflowTask' } }))],
    ['a type that every object has', encodeBody(item('w1', 1, { message: { type: 'constructor' } }))],
    ['no message', encode([{ ...item('w1', 1), message: null }])],
  ])('is refused, and reaches no actor: %s', async (_, bytes) => {
    const { net, nodes } = world('a');
    nodes[0]?.owners.set(1, 'local');
    nodes[0]?.owners.set(Number.NaN, 'local');
    expect(await net.ask('x', 'a', 'outbox.receive', bytes)).toMatch(/another shape/);
    expect(nodes[0]?.received).toEqual([]);
    expect(net.faults).toEqual([]);
  });
});
