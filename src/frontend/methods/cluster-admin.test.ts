// What operators ask of a cluster: who may, and what crosses the wire.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdministeredCluster, member, shard } from '../../../test/support/administered-cluster.ts';
import { TestDoor } from '../../../test/support/door.ts';
import { encode } from '../../wire/codec.ts';
import { FrameKind, MAX_MESSAGE_BYTES } from '../../wire/frame.ts';
import { StatusCode } from '../../wire/status.ts';
import { SHARDS_PER_PAGE } from './cluster-admin.ts';

const METHODS: readonly [string, object][] = [
  ['clusterStatus', {}],
  ['clusterShards', {}],
  ['clusterHealth', {}],
  ['drainNode', { node: 'node-2', how: 'leadership' }],
  ['rebalanceCluster', {}],
  ['replaceNode', { node: 'node-3' }],
];
const everyone = { tokens: [], withoutTokens: 'everyone' } as const;
const nobody = { tokens: [], withoutTokens: 'nobody' } as const;
const operators = { tokens: ['token-of-alice', 'token-of-bob'], withoutTokens: 'everyone' } as const;

const bodyOf = (door: TestDoor, method: string, body: object): unknown => {
  const answer = door.connect().ask(method, body);
  expect(answer?.[0]).toBe(FrameKind.RESPONSE);
  return answer?.[2];
};

describe.each(METHODS)('%s', (method, body) => {
  it('is refused by a node that stands alone, whoever asks', () => {
    const refusal = new TestDoor({ administration: everyone }).connect().refusal(method, body);
    expect(refusal).toMatchObject({
      code: StatusCode.FAILED_PRECONDITION,
      message: expect.stringContaining('This node stands alone'),
    });
  });

  it('is open where the node listens on its own machine only', () => {
    const cluster = new AdministeredCluster();
    expect(new TestDoor({ cluster, administration: everyone }).connect().refusal(method, body)).toBeUndefined();
  });

  it('is refused where nobody was named an operator, saying what to set', () => {
    const cluster = new AdministeredCluster();
    const refusal = new TestDoor({ cluster, administration: nobody })
      .connect({ token: 'any-token' })
      .refusal(method, body);
    expect(refusal).toMatchObject({ code: StatusCode.PERMISSION_DENIED, detail: { kind: 'PermissionDenied' } });
    expect(refusal?.message).toContain('cluster.adminTokens (or TENUTO_ADMIN_TOKENS)');
    expect(cluster.asked).toEqual([]);
  });

  it.each([
    ['a token of an operator', { token: 'token-of-bob' }, undefined],
    ['no token', {}, StatusCode.PERMISSION_DENIED],
    ['another token', { token: 'token-of-bo' }, StatusCode.PERMISSION_DENIED],
  ])('with %s, where there are operators, gives %s', (_what, hello, code) => {
    const cluster = new AdministeredCluster();
    const refusal = new TestDoor({ cluster, administration: operators }).connect(hello).refusal(method, body);
    expect(refusal?.code).toBe(code);
    if (code === undefined) return;
    expect(refusal?.message).toContain('cluster.adminTokens');
    expect(JSON.stringify(refusal)).not.toContain('token-of');
    expect(cluster.asked).toEqual([]);
  });
});

describe('a token of an operator', () => {
  const guarded = [{ name: 'a', retention: 3_600_000, tokens: ['token-of-a'] }];
  const connect = (token: string | undefined) =>
    new TestDoor({ cluster: new AdministeredCluster(), administration: operators, namespaces: guarded }).connect(
      token === undefined ? {} : { token },
    );

  it('opens no namespace, and is known where every namespace asks for a token', () => {
    const client = connect('token-of-alice');
    expect(client.refusal('clusterStatus', {})).toBeUndefined();
    expect(client.refusal('countWorkflowExecutions', { namespace: 'a' })?.code).toBe(StatusCode.PERMISSION_DENIED);
  });

  it('is another one than that of a namespace', () => {
    const client = connect('token-of-a');
    expect(client.refusal('describeNamespace', { namespace: 'a' })).toBeUndefined();
    expect(client.refusal('clusterStatus', {})?.code).toBe(StatusCode.PERMISSION_DENIED);
  });

  it('that is wrong is no token at all', () => {
    expect(connect('token-of-mallory').closed?.code).toBe(1008);
  });
});

describe('the answers', () => {
  it('are the status as the node has it', () => {
    const cluster = new AdministeredCluster();
    cluster.statusOver = { incarnation: undefined, planning: 'node-3 joined 2 s ago' };
    const status = bodyOf(new TestDoor({ cluster, administration: everyone }), 'clusterStatus', {});
    const { incarnation: _, ...said } = cluster.status();
    expect(status).toEqual(said);
  });

  it('are the shards by number, in pages that fit into a message', () => {
    const cluster = new AdministeredCluster();
    const count = 2 * SHARDS_PER_PAGE + 1;
    for (let i = count - 1; i >= 0; i -= 1) cluster.allShards.push(shard(i, 'node-1', 'node-2', 'node-3'));
    const client = new TestDoor({ cluster, administration: everyone }).connect();
    const seen: number[] = [];
    let fromShard: number | undefined;
    do {
      // The response of clusterShards.
      const page = client.ask('clusterShards', { fromShard })?.[2] as {
        shards: { shard: number }[];
        nextShard?: number;
      };
      seen.push(...page.shards.map((one) => one.shard));
      fromShard = page.nextShard;
    } while (fromShard !== undefined);
    expect(seen).toEqual(Array.from({ length: count }, (_, i) => i));

    // The largest there can be: 7 voters, 7 more to come, all names of 64 characters.
    const longest = Array.from({ length: 7 }, (_, i) => `${i}`.padEnd(64, 'x'));
    const largest = { ...shard(65_535, longest[0], ...longest.slice(1)), learners: longest, desired: longest };
    expect(encode(largest).length * SHARDS_PER_PAGE).toBeLessThan(MAX_MESSAGE_BYTES);
  });

  it('are the problems, and how many leaders were asked to go', () => {
    const cluster = new AdministeredCluster();
    cluster.problems = [{ severity: 'error', subject: 'node-3', what: 'is dead', hint: 'Start it.' }];
    cluster.transfers = 5;
    const door = new TestDoor({ cluster, administration: everyone });
    expect(bodyOf(door, 'clusterHealth', {})).toEqual({ problems: cluster.problems });
    expect(bodyOf(door, 'rebalanceCluster', {})).toEqual({ transfers: 5 });
    expect(bodyOf(door, 'drainNode', { node: 'node-2', how: 'no' })).toEqual({});
    expect(bodyOf(door, 'replaceNode', { node: 'node-3' })).toEqual({});
    expect(cluster.asked).toEqual(['rebalance', 'drain node-2 no', 'replace node-3']);
  });

  it('hand on what the cluster refuses', () => {
    const cluster = new AdministeredCluster();
    cluster.members = [member('node-1')];
    const client = new TestDoor({ cluster, administration: everyone }).connect();
    const refusal = client.refusal('drainNode', { node: 'node-9', how: 'everything' });
    expect(refusal).toEqual({ code: StatusCode.NOT_FOUND, message: 'The cluster has no node node-9.' });
  });
});

describe('a request that makes no sense', () => {
  it.each<[string, object, string]>([
    ['drainNode', {}, 'Node is not set on request.'],
    ['drainNode', { node: 'node-2' }, 'How must be one of no, leadership, everything.'],
    [
      'drainNode',
      { node: 'x'.repeat(65), how: 'no' },
      "Node length exceeds limit: a node's name has up to 64 characters.",
    ],
    ['drainNode', { node: 7, how: 'no' }, 'Invalid request: node must be a string, not a number.'],
    ['replaceNode', {}, 'Node is not set on request.'],
    ['clusterShards', { fromShard: -1 }, 'FromShard cannot be negative.'],
    ['clusterShards', { fromShard: 0.5 }, 'Invalid request: fromShard must be an integer, not a number.'],
  ])('%s %j says why', (method, body, message) => {
    const cluster = new AdministeredCluster();
    const refusal = new TestDoor({ cluster, administration: everyone }).connect().refusal(method, body);
    expect(refusal).toEqual({ code: StatusCode.INVALID_ARGUMENT, message });
    expect(cluster.asked).toEqual([]);
  });

  it('never is a fault of the server', () => {
    const door = new TestDoor({ cluster: new AdministeredCluster(), administration: everyone });
    const client = door.connect();
    const name = fc.constantFrom(...METHODS.map(([method]) => method));
    fc.assert(
      fc.property(
        name,
        fc.oneof(fc.anything({ maxDepth: 1 }), fc.record({ node: fc.string(), how: fc.string() })),
        (method, body) => {
          let encodable = true;
          try {
            encode(body);
          } catch {
            encodable = false;
          }
          if (encodable) client.ask(method, body);
        },
      ),
    );
    expect(door.faults).toEqual([]);
  });
});
