// The Redis adapter against real servers: alone, with a password and TLS, behind a Sentinel, and as a Redis Cluster.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CALL_TIMEOUT_MS } from '../../cluster/ownership/limits.ts';
import { RedisCoordinator } from '../../cluster/ownership/redis/coordinator.ts';
import type { Coordinator, RedisSettings } from '../../src/ports/coordinator.ts';
import { shardId, term } from '../../src/ports/ids.ts';
import { type Log, type LogFields, silentLog } from '../../src/ports/log.ts';
import { systemClock, systemRandom, systemScheduler } from '../../src/runtime/index.ts';
import { selfSigned } from '../support/certificate.ts';
import {
  eventually,
  freePort,
  RedisServer,
  startRedis,
  startRedisCluster,
  startSentinelGroup,
} from '../support/redis.ts';
import { type CoordinatorMedium, coordinatorConformance } from './coordinator.ts';

const TIMEOUT_MS = 400;
const SHARD = shardId(3);

const plain = { username: undefined, password: undefined, tls: undefined } as const;
const single = (port: number): RedisSettings => ({
  ...plain,
  servers: { mode: 'single', address: { host: '127.0.0.1', port }, db: 0 },
});

let clusters = 0;
function coordinatorOf(
  redis: RedisSettings,
  settings: { clusterId?: string; log?: Log; callTimeoutMs?: number } = {},
): Coordinator {
  return new RedisCoordinator({
    clusterId: settings.clusterId ?? `test-${(clusters += 1)}`,
    redis,
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
    log: settings.log ?? silentLog,
    callTimeoutMs: settings.callTimeoutMs ?? TIMEOUT_MS,
  });
}

/** Everything said, one line each. */
function listening(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const at =
    (level: string) =>
    (fields: LogFields, message: string): void =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

/** A way to a server on which open connections can fall silent, as through a firewall that has forgotten them. */
async function startWay(to: number): Promise<{ port: number; silenceOpen(): void; close(): Promise<void> }> {
  const open = new Set<Socket>();
  const way = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => {}).on('close', () => open.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => way.listen(port, '127.0.0.1', resolve));
  return {
    port,
    silenceOpen: () => {
      for (const socket of open) socket.unpipe().pause();
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => way.close(resolve));
    },
  };
}

const reached = (coordinator: Coordinator): Promise<true> =>
  eventually('the coordinator', async () => ((await coordinator.readCluster()).type === 'ok' ? true : undefined));

describe('one server', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.remove());

  async function newMedium(): Promise<CoordinatorMedium> {
    const clusterId = `conformance-${(clusters += 1)}`;
    return {
      connect: () => coordinatorOf(single(server.port), { clusterId }),
      cutOff: async () => {
        await server.kill();
        // The closed sockets have yet to be noticed.
        await sleep(50);
      },
      hang: async () => server.pause(),
      heal: async () => {
        server.resume();
        if (!server.running) await server.start();
      },
      wipe: async () => void (await server.command('FLUSHALL')),
      pass: (ms) => sleep(ms),
      pastDeadlineMs: TIMEOUT_MS + 100,
      remove: async () => {
        if (!server.running) await server.start();
      },
    };
  }

  coordinatorConformance('Redis', newMedium);

  describe('the adapter', () => {
    const open: Coordinator[] = [];
    afterEach(async () => {
      await Promise.all(open.splice(0).map((one) => one.close()));
    });
    const coordinator = (redis: RedisSettings, settings = {}): Coordinator => {
      const one = coordinatorOf(redis, settings);
      open.push(one);
      return one;
    };

    it('says once that Redis is away and once that it is back, however often it is tried', async () => {
      const { log, lines } = listening();
      const one = coordinator(single(server.port), { log });
      await reached(one);
      await server.kill();
      for (let n = 0; n < 50; n += 1) {
        await one.nextTerm(SHARD, 0);
        await sleep(10);
      }
      await server.start();
      await reached(one);
      expect(lines.map((line) => line.replaceAll(/\d+/g, '#'))).toEqual([
        'info Redis at #.#.#.#:# is reached {}',
        expect.stringContaining(
          'warn Redis at #.#.#.#:# is away. What is led goes on, and of a node that dies is led by others; no ring plan changes',
        ),
        'info Redis at #.#.#.#:# is back {"seconds":#}',
      ]);
    });

    it('says once that it cannot be reached at the start, and why', async () => {
      const { log, lines } = listening();
      const port = await freePort();
      const one = coordinator(single(port), { log });
      await sleep(600);
      expect(await one.nextTerm(SHARD, 0)).toEqual({
        type: 'unavailable',
        applied: 'no',
        why: `Redis at 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`,
      });
      expect(lines).toEqual([
        expect.stringContaining(`warn Redis at 127.0.0.1:${port} cannot be reached: check cluster.redis. Who knows`),
      ]);
    });

    it('says that what answers there is no Redis', async () => {
      const web = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      });
      await new Promise<void>((resolve) => void web.listen(0, '127.0.0.1', resolve));
      const { port } = web.address() as AddressInfo;
      const { log, lines } = listening();
      const one = coordinator(single(port), { log });
      const reason = 'what answers there does not speak the protocol of Redis';
      await eventually('the warning', async () => lines[0]);
      expect(lines).toEqual([expect.stringContaining(`"reason":"${reason}"`)]);
      // Also between two of its connections.
      for (let i = 0; i < 20; i += 1) {
        expect(await one.nextTerm(SHARD, 0)).toMatchObject({ why: `Redis at 127.0.0.1:${port}: ${reason}` });
        await sleep(5);
      }
      await new Promise((resolve) => void web.close(resolve));
    });

    it('reports what it cannot read, and goes on', async () => {
      const { log, lines } = listening();
      const clusterId = 'garbage';
      const one = coordinator(single(server.port), { log, clusterId });
      await reached(one);
      const key = (name: string): string => `tenuto:{${clusterId}}:${name}`;
      await server.command('SET', key('cluster'), 'no record');
      await server.command('SET', key('plan'), 'no plan');
      await server.command('HSET', key('leaders'), '1', 'x', 'no shard', '1 a', '2', '7 directory b');
      await server.command('HSET', key('peers'), 'a', '1 {"name":3}', 'b', 'x');
      await server.command('HSET', key('terms'), SHARD, 'high');
      await server.command('SET', key('session:node:a'), 'somebody');
      const unreadable = { type: 'unavailable', why: expect.stringContaining('cannot be read') };
      const record = { clusterId, incarnation: 'i', shardCount: 16, createdAtMs: 5 };
      expect(await one.readCluster()).toMatchObject(unreadable);
      expect(await one.createCluster(record)).toMatchObject(unreadable);
      expect(await one.readPlan()).toMatchObject(unreadable);
      expect(await one.holdSession({ node: 'a', directoryId: 'a', sessionId: 's' }, 1_000)).toMatchObject(unreadable);
      // What is worth nothing is no obstacle.
      expect(await one.restoreCluster(record)).toMatchObject({ type: 'ok', value: record });
      expect(await one.publishPlan({ version: 1, body: 'new' })).toMatchObject({ type: 'ok' });
      expect(await one.readLeaders()).toMatchObject({ value: [{ shard: 2, term: 7, directoryId: 'directory b' }] });
      expect(await one.peers()).toMatchObject({ value: [] });
      expect(await one.nextTerm(SHARD, term(4))).toMatchObject({ value: 5 });
      expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(3);
    });

    it('turns a refusal into an answer: another kind of value under its key', async () => {
      const { log, lines } = listening();
      const one = coordinator(single(server.port), { log, clusterId: 'kinds' });
      await reached(one);
      await server.command('SET', 'tenuto:{kinds}:terms', 'text');
      for (let n = 0; n < 3; n += 1) {
        expect(await one.nextTerm(SHARD, 0)).toMatchObject({ type: 'unavailable', applied: 'no', why: /WRONGTYPE/ });
      }
      expect(one.state).toBe('ready');
      expect(lines.filter((line) => line.includes('WRONGTYPE'))).toHaveLength(1);
    });

    it('gives up a connection that has fallen silent, and finds Redis again on a new one', async () => {
      const way = await startWay(server.port);
      const one = coordinator(single(way.port));
      await reached(one);
      way.silenceOpen();
      expect(await one.nextTerm(SHARD, 0)).toMatchObject({ type: 'unavailable', applied: 'maybe' });
      await reached(one);
      expect(await one.nextTerm(SHARD, 0)).toMatchObject({ type: 'ok' });
      await way.close();
    });

    it('keeps clusters of one Redis apart', async () => {
      const [a, b] = [coordinator(single(server.port)), coordinator(single(server.port))];
      await Promise.all([reached(a), reached(b)]);
      await a.nextTerm(SHARD, term(9));
      expect(await b.nextTerm(SHARD, 0)).toMatchObject({ value: 1 });
    });

    it('loads its scripts again into a server that has none of them', async () => {
      const one = coordinator(single(server.port));
      await reached(one);
      await one.nextTerm(SHARD, 0);
      await server.command('SCRIPT', 'FLUSH');
      expect(await one.nextTerm(SHARD, 0)).toMatchObject({ value: 2 });
    });

    it('claims terms for a thousand shards at once within the deadline of a call', async () => {
      const one = coordinator(single(server.port), { callTimeoutMs: CALL_TIMEOUT_MS });
      await reached(one);
      const claims = await Promise.all(Array.from({ length: 1_000 }, (_, n) => one.nextTerm(shardId(n), 0)));
      expect(claims.every((claim) => claim.type === 'ok')).toBe(true);
    });

    it('refuses a cluster id that cannot be part of a key', () => {
      expect(() => coordinatorOf(single(1), { clusterId: 'a}b' })).toThrow('cluster id "a}b" must be 1 to 64 letters');
    });
  });
});

describe('a server with a password', () => {
  const PASSWORD = 'a-very-secret-password';
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ args: ['--requirepass', PASSWORD], client: { password: PASSWORD } });
  });
  afterAll(() => server.remove());

  it('is reached with it', async () => {
    const one = coordinatorOf({ ...single(server.port), password: PASSWORD });
    await reached(one);
    expect(await one.nextTerm(SHARD, 0)).toMatchObject({ value: 1 });
    await one.close();
  });

  it.each([
    { what: 'a wrong one', password: 'another-secret-password', reason: /WRONGPASS/ },
    { what: 'none', password: undefined, reason: /NOAUTH/ },
  ])('refuses $what: said once, without the password', async ({ password, reason }) => {
    const { log, lines } = listening();
    const one = coordinatorOf({ ...single(server.port), password }, { log });
    await sleep(700);
    const outcome = await one.nextTerm(SHARD, 0);
    expect(outcome).toMatchObject({ type: 'unavailable', applied: 'no', why: reason });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(reason);
    expect(JSON.stringify([lines, outcome])).not.toContain('secret');
    await one.close();
  });
});

describe('a server with TLS', () => {
  let directory = '';
  let server: RedisServer;
  const ca = (): string => join(directory, 'certificate.pem');
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'tenuto-redis-tls-'));
    const { certificate, privateKey } = selfSigned();
    writeFileSync(ca(), certificate);
    writeFileSync(join(directory, 'key.pem'), privateKey);
    const port = await freePort();
    const tls = ['--tls-cert-file', ca(), '--tls-key-file', join(directory, 'key.pem'), '--tls-ca-cert-file', ca()];
    server = new RedisServer(port, {
      args: ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...tls],
      client: { tls: { ca: certificate } },
    });
    await server.start();
  });
  afterAll(async () => {
    await server.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  it('is reached by who trusts its authority', async () => {
    const tls = { caFile: ca(), certFile: undefined, keyFile: undefined };
    const one = coordinatorOf({ ...single(server.port), tls });
    await reached(one);
    expect(await one.nextTerm(SHARD, 0)).toMatchObject({ value: 1 });
    await one.close();
  });

  it('is not spoken to by who does not', async () => {
    const tls = { caFile: undefined, certFile: undefined, keyFile: undefined };
    const one = coordinatorOf({ ...single(server.port), tls });
    await sleep(500);
    expect(await one.nextTerm(SHARD, 0)).toMatchObject({
      type: 'unavailable',
      applied: 'no',
      why: /self.signed certificate/,
    });
    await one.close();
  });
});

describe('a master known to a Sentinel', () => {
  it('is followed to the replica that takes over, which may have lost the last terms', async () => {
    const group = await startSentinelGroup();
    const { log, lines } = listening();
    const one = coordinatorOf(
      {
        ...plain,
        servers: {
          mode: 'sentinel',
          sentinels: [{ host: group.sentinel.host, port: group.sentinel.port }],
          name: group.name,
          db: 0,
          sentinelUsername: undefined,
          sentinelPassword: undefined,
        },
      },
      { log, clusterId: 'failing-over' },
    );
    try {
      await reached(one);
      expect(await one.nextTerm(SHARD, term(7))).toMatchObject({ value: 8 });
      await eventually('replication', async () => {
        const replicated = await group.second.command('HGET', 'tenuto:{failing-over}:terms', SHARD);
        return replicated === '8' ? true : undefined;
      });
      // The replica hears of nothing more; what the master acknowledges now is lost with it.
      group.second.pause();
      await group.first.command('CLIENT', 'KILL', 'TYPE', 'replica');
      expect(await one.nextTerm(SHARD, 0)).toMatchObject({ value: 9 });
      // Not even its sockets close.
      group.first.pause();
      group.second.resume();
      await eventually('the fail-over', async () => ((await group.master()) === group.second.port ? true : undefined));
      await reached(one);
      // Term 9 is handed out a second time: the replicas' votes settle that.
      expect(await one.nextTerm(SHARD, 0)).toMatchObject({ value: 9 });
      expect(await one.nextTerm(SHARD, term(9))).toMatchObject({ value: 10 });
      expect(lines.filter((line) => line.includes('is away'))).toHaveLength(1);
    } finally {
      await one.close();
      await group.remove();
    }
  });

  it('that no Sentinel answers for is waited for', async () => {
    const port = await freePort();
    const { log, lines } = listening();
    const servers = {
      mode: 'sentinel',
      sentinels: [{ host: '127.0.0.1', port }],
      name: 'nobody',
      db: 0,
      sentinelUsername: undefined,
      sentinelPassword: undefined,
    } as const;
    const one = coordinatorOf({ ...plain, servers }, { log });
    await sleep(500);
    expect(await one.nextTerm(SHARD, 0)).toMatchObject({ type: 'unavailable', applied: 'no' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`Redis "nobody" known to the Sentinels at 127.0.0.1:${port} cannot be reached`);
    await one.close();
  });
});

describe('a Redis Cluster', () => {
  let servers: RedisServer[] = [];
  beforeAll(async () => {
    servers = await startRedisCluster();
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.remove()));
  });

  it('keeps all of a cluster in one slot, whichever node is asked first', async () => {
    for (const { host, port } of servers) {
      const one = coordinatorOf({ ...plain, servers: { mode: 'cluster', nodes: [{ host, port }] } });
      await reached(one);
      expect(await one.nextTerm(SHARD, 0)).toMatchObject({ value: 1 });
      const session = { node: 'a', directoryId: 'a', sessionId: 's' };
      expect(await one.holdSession(session, 1_000)).toMatchObject({ value: { type: 'held' } });
      expect(await one.endSession(session)).toMatchObject({ type: 'ok' });
      expect(await one.publishPlan({ version: 1, body: 'plan' })).toMatchObject({ type: 'ok' });
      expect(await one.announce({ name: 'a', directoryId: 'a', gossip: 'g', link: 'l', client: 'c' })).toMatchObject({
        type: 'ok',
      });
      expect(await one.peers()).toMatchObject({ value: [{ name: 'a' }] });
      expect(await one.publishLeaders([{ shard: SHARD, term: term(1), directoryId: 'a' }])).toMatchObject({
        type: 'ok',
      });
      expect(await one.readLeaders()).toMatchObject({ value: [{ directoryId: 'a' }] });
      await one.close();
    }
  });

  it('whose nodes are all away is waited for, and found again', async () => {
    const { log, lines } = listening();
    const nodes = servers.map(({ host, port }) => ({ host, port }));
    const one = coordinatorOf({ ...plain, servers: { mode: 'cluster', nodes } }, { log });
    await reached(one);
    for (const server of servers) server.pause();
    expect(await one.nextTerm(SHARD, 0)).toMatchObject({ type: 'unavailable', applied: 'maybe' });
    expect(await one.nextTerm(SHARD, 0)).toMatchObject({ type: 'unavailable' });
    for (const server of servers) server.resume();
    await reached(one);
    expect(lines.filter((line) => line.includes('is away'))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('info'))).toHaveLength(2);
    await one.close();
  });
});
