// `tenuto cluster …` as operators meet it: real processes against a node whose cluster the test makes up.

import { onTestFinished as atTestEnd, describe, expect, it } from 'vitest';
import type { AdministrationSetting } from '../../src/frontend/namespaces.ts';
import { AdministeredCluster, member, shard } from '../support/administered-cluster.ts';
import { serveDoor } from '../support/door-server.ts';
import { type AtEnd, type Finished, MAIN, runNode, tenuto, until } from '../support/processes.ts';

const onTestFinished: AtEnd = (step) => atTestEnd(async () => void (await step()));
const everyone: AdministrationSetting = { tokens: [], withoutTokens: 'everyone' };

interface Asked {
  cluster: AdministeredCluster;
  address: string;
  cli(...args: string[]): Promise<Finished>;
  json(...args: string[]): Promise<unknown>;
}

async function setUp(administration = everyone): Promise<Asked> {
  const cluster = new AdministeredCluster();
  cluster.allShards = [
    shard(0, 'node-1', 'node-2', 'node-3'),
    shard(1, 'node-2', 'node-3', 'node-1'),
    { ...shard(2, 'node-2', 'node-1'), learners: ['node-3'], desired: ['node-3', 'node-2', 'node-1'] },
    { ...shard(3, undefined, 'node-3'), term: 0, committedLsn: 0 },
  ];
  const address = await serveDoor(cluster, administration, onTestFinished);
  const cli = (...args: string[]) => tenuto(['cluster', ...args], { env: { TENUTO_ADDRESS: address } });
  const json = async (...args: string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await cli(...args, '-o', 'json');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    return JSON.parse(stdout);
  };
  return { cluster, address, cli, json };
}

describe('tenuto cluster', () => {
  it('explains itself, with examples', async () => {
    const { stdout } = await tenuto(['cluster', '--help']);
    for (const verb of ['members', 'shards', 'health', 'drain', 'rebalance', 'replace']) {
      expect(stdout).toContain(`  ${verb}`);
      expect((await tenuto(['cluster', verb, '--help'])).stdout).toContain(`\nExamples:\n  $ `);
    }
    expect(stdout).toContain('cluster.adminTokens');
  });

  it('members lists the nodes, for people and for programs', async () => {
    const { cluster, cli, json } = await setUp();
    cluster.members = [
      member('node-1', { zone: 'a', inStateMs: 3 * 3_600_000 }),
      member('node-2', { zone: 'b', draining: 'leadership', leads: 0, shouldLead: 0 }),
      member('node-3', { state: 'dead', inStateMs: 90_000 }),
    ];
    cluster.statusOver = { planning: 'node-3 is dead for 90 s' };
    const { code, stdout } = await cli('members');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^cluster +orders\nasked +node-1\nshards +4, 3 voters each\nplan +7 \(node-3 is dead for 90 s\)\n/,
    );
    expect(stdout).toMatch(/\n *node-1 \* +alive +3h +a +2 of 2 +4 +12 % +0\.1\.0 +node-1:7280/);
    expect(stdout).toMatch(/node-2 +alive, gives up leading +1m +b +0 of 0/);
    expect(stdout).toMatch(/node-3 +dead +1m/);
    expect(await json('members')).toEqual(JSON.parse(JSON.stringify(cluster.status())));
  });

  it('shards lists all, those of a node, and those that are not in their place', async () => {
    const { cluster, cli, json } = await setUp();
    expect(await json('shards')).toEqual(JSON.parse(JSON.stringify(cluster.allShards)));
    expect(await json('shards', '--node', 'node-3')).toHaveLength(4);
    expect(await json('shards', '--misplaced')).toMatchObject([{ shard: 2 }, { shard: 3 }]);
    const { stdout } = await cli('shards', '--misplaced');
    expect(stdout).toMatch(/2 +node-2 +3 +node-2 node-1 +node-3 +node-3 node-2 node-1 +102/);
    expect(stdout).toMatch(/3 +nobody/);
    expect(stdout).toMatch(/\n2 of 4 shards\n$/);
  });

  it('speaks of no replicas where all is in a database', async () => {
    const { cluster, cli } = await setUp();
    cluster.statusOver = { store: 'database', replicas: 1 };
    cluster.allShards = [shard(0, 'node-1'), { ...shard(1, 'node-2'), desired: ['node-1'] }];
    const { stdout } = await cli('members');
    expect(stdout).toMatch(/\nshards +2, in a database that all nodes share\n/);
    expect(stdout).not.toContain('should hold');
    expect((await cli('shards')).stdout).toMatch(
      /^ *shard +leader +term +should be *\n *0 +node-1 +3 *\n *1 +node-2 +3 +node-1 *\n2 of 2 shards\n$/,
    );
    cluster.allShards = [shard(0, 'node-1')];
    expect((await cli('replace', 'node-3')).stdout).toBe('node-3 is being replaced\n');
    expect((await cli('drain', 'node-2', '--everything')).stdout).toBe('node-2 leads nothing; it may be removed\n');
  });

  it('health says what to do, and exits with 1 while anything is wrong', async () => {
    const { cluster, cli } = await setUp();
    expect(await cli('health')).toEqual({ code: 0, stdout: 'healthy\n', stderr: '' });
    cluster.problems = [
      { severity: 'error', subject: 'node-3', what: 'is dead for 90 s', hint: 'Start it, or replace it.' },
      { severity: 'warning', subject: 'shards', what: '1 has no leader', hint: 'Wait for an election.' },
    ];
    expect(await cli('health')).toEqual({
      code: 1,
      stdout:
        'error node-3: is dead for 90 s\n  Start it, or replace it.\nwarning shards: 1 has no leader\n  Wait for an election.\n',
      stderr: 'tenuto: the cluster has 2 problems\n',
    });
    const { code, stdout } = await cli('health', '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ healthy: false, problems: cluster.problems });
  });

  it('rebalance and replace are passed on', async () => {
    const { cluster, cli, json } = await setUp();
    expect((await cli('rebalance')).stdout).toBe('every leader is where the plan wants it, or cannot go there yet\n');
    cluster.transfers = 1;
    expect((await cli('rebalance')).stdout).toBe('asked 1 leader to hand over\n');
    expect(await json('rebalance')).toEqual({ transfers: 1 });
    expect((await cli('replace', 'node-3')).stdout).toContain('node-3 is being replaced\n');
    expect(cluster.asked).toEqual(['rebalance', 'rebalance', 'rebalance', 'replace node-3']);
    cluster.statusOver = { coordinator: 'away' };
    expect((await cli('replace', 'node-3')).stdout).toMatch(
      /^node-3 is being replaced\nnode node-1 does not reach Redis \(away\): .* waits until that is back\n/,
    );
    expect(await cli('replace', 'node-9')).toEqual({
      code: 3,
      stdout: '',
      stderr: 'tenuto: The cluster has no node node-9.\n',
    });
  });

  it('watches until it is ended', async () => {
    const { cluster, address } = await setUp();
    const running = runNode(MAIN, ['cluster', 'health', '--watch', '20ms', '-o', 'jsonl', '--address', address]);
    await until(() => running.stdout().includes('{"healthy":true,"problems":[]}\n') || undefined);
    cluster.problems = [{ severity: 'error', subject: 'node-3', what: 'is dead', hint: 'Start it.' }];
    await until(() => running.stdout().includes('"healthy":false') || undefined);
    running.kill('SIGINT');
    expect(await running.ended).toEqual({ code: null, signal: 'SIGINT' });
  });
});

describe('tenuto cluster drain', () => {
  it('waits until the node leads nothing', async () => {
    const { cluster, cli } = await setUp();
    cluster.allShards.pop();
    let looks = 0;
    cluster.onShards = () => {
      looks += 1;
      if (looks < 3) return;
      cluster.allShards = cluster.allShards.map((one) =>
        one.leader === 'node-2' ? { ...one, leader: 'node-1' } : one,
      );
    };
    expect(await cli('drain', 'node-2')).toEqual({
      code: 0,
      stdout: 'node-2 leads nothing and holds 3 shards; it may be restarted\n',
      stderr: '',
    });
    expect(looks).toBe(3);
    expect(cluster.asked).toEqual(['drain node-2 leadership']);
  });

  it('waits, with --everything, until the node holds nothing', async () => {
    const { cluster, json } = await setUp();
    cluster.onShards = () => {
      cluster.allShards = [shard(0, 'node-1', 'node-3')];
    };
    expect(await json('drain', 'node-2', '--everything')).toEqual({
      node: 'node-2',
      draining: 'everything',
      leads: 0,
      leadsAlone: 0,
      holds: 0,
      unknown: 0,
      waitedMs: expect.any(Number),
    });
    expect(cluster.asked).toEqual(['drain node-2 everything']);
  });

  it('says what is left when its time is over, and that the drain goes on', async () => {
    const { cli } = await setUp();
    expect(await cli('drain', 'node-2', '--timeout', '100ms')).toEqual({
      code: 1,
      stdout: '',
      stderr: `tenuto: node-2 leads 2 shards and holds 3 shards; nobody leads 1 shard after 100ms
  The drain goes on. \`tenuto cluster shards --node node-2\` shows what is left, \`tenuto cluster health\` why; --undo takes it back.
`,
    });
  });

  it('says that it waits for Redis, once, and what hands over without it', async () => {
    const { cluster, cli } = await setUp();
    cluster.statusOver = { coordinator: 'away' };
    const { code, stderr } = await cli('drain', 'node-2', '--timeout', '3s');
    expect(code).toBe(1);
    expect(stderr.split('\n')[0]).toMatch(
      /^tenuto: node node-1 does not reach Redis \(away\): .* waits until that is back\. A node that gets SIGTERM hands over/,
    );
    expect(stderr.split('\n')[1]).toMatch(/^tenuto: node-2 leads 2 shards .* after 3s$/);
  });

  it('gives up waiting, with --everything, where too few nodes would be left to hold the shards', async () => {
    const { cluster, cli } = await setUp();
    cluster.members = cluster.members.map((one) =>
      one.name === 'node-2' ? { ...one, draining: 'everything', mustStay: true } : one,
    );
    cluster.allShards = [shard(0, 'node-1', 'node-2', 'node-3'), shard(1, 'node-3', 'node-2', 'node-1')];
    const { code, stdout, stderr } = await cli('drain', 'node-2', '--everything');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^tenuto: node-2 leads nothing and holds 2 shards, and they still need it: 2 other nodes hold shards, and cluster.replicas asks for 3\n {2}Do not remove it\. Start another node/,
    );
  });

  it('does not wait for a leadership that nobody else could take', async () => {
    const { cluster, cli } = await setUp();
    cluster.allShards = [shard(0, 'node-1')];
    expect((await cli('drain', 'node-1')).stdout).toBe(
      'node-1 leads 1 shard (1 with no other voter that is up) and holds 1 shard; these wait while it is restarted\n',
    );
  });

  it('does not wait with --no-wait, nor to be taken back', async () => {
    const { cluster, cli, json } = await setUp();
    expect((await cli('drain', 'node-2', '--no-wait')).stdout).toBe('node-2 is being drained\n');
    expect((await cli('drain', 'node-2', '--undo')).stdout).toBe('node-2 takes shards again\n');
    expect(await json('drain', 'node-2', '--undo')).toEqual({ node: 'node-2', draining: 'no' });
    expect(cluster.asked).toEqual(['drain node-2 leadership', 'drain node-2 no', 'drain node-2 no']);
    expect((await cli('drain', 'node-2', '--undo', '--everything')).code).toBe(2);
    expect((await cli('drain', 'node-9')).code).toBe(3);
    expect((await cli('drain')).code).toBe(2);
  });
});

describe('tenuto cluster is refused', () => {
  it('by a node that stands alone', async () => {
    const address = await serveDoor(undefined, everyone, onTestFinished);
    const { code, stderr } = await tenuto(['cluster', 'members', '--address', address]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tenuto: This node stands alone: .*\n$/);
  });

  it('without the token of an operator, where there are operators', async () => {
    const { cluster, cli } = await setUp({ tokens: ['token-of-alice'], withoutTokens: 'nobody' });
    const refused = await cli('drain', 'node-2', '--token', 'token-of-mallory');
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain('connect with one of the tokens in cluster.adminTokens');
    expect(cluster.asked).toEqual([]);
    expect((await cli('members', '--token', 'token-of-alice')).code).toBe(0);
  });

  it('where nobody was named one, saying what to set', async () => {
    const { cli } = await setUp({ tokens: [], withoutTokens: 'nobody' });
    const refused = await cli('health');
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain('Set cluster.adminTokens (or TENUTO_ADMIN_TOKENS)');
  });
});
