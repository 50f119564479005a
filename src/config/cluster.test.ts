import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RedisSettings } from '../ports/coordinator.ts';
import type { ClusterConfig } from './cluster.ts';
import { ConfigError, completeConfig } from './config.ts';
import { loadConfig } from './load.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const OLD_KEY = Buffer.alloc(32, 8).toString('base64');

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tenuto-config-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function load(text: string, environment: Record<string, string> = {}): ClusterConfig | undefined {
  const path = join(directory, 'tenuto.yaml');
  writeFileSync(path, text);
  return loadConfig(path, environment).cluster;
}

/** A cluster that is complete but for what is given. */
const cluster = (more: string): string => `cluster: { id: orders, name: node-1, redis: { url: "redis://r" }, ${more} }`;
const redis = (more: string): string => `cluster: { id: orders, name: node-1, redis: { ${more} } }`;

const problem = (text: string, environment: Record<string, string> = {}): string => {
  try {
    load(text, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(join(directory, 'tenuto.yaml'), 'FILE');
    throw error;
  }
  throw new Error('the file was accepted');
};

describe('a node', () => {
  it('stands alone unless the file has a cluster', () => {
    expect(load('')).toBeUndefined();
    expect(completeConfig().cluster).toBeUndefined();
  });

  it.each([
    [{ TENUTO_NODE_NAME: 'a' }, 'TENUTO_NODE_NAME', 'it'],
    [{ TENUTO_REDIS_URL: 'redis://:s3cret@r', TENUTO_ZONE: 'a' }, 'TENUTO_ZONE, TENUTO_REDIS_URL', 'them'],
  ])('does not stand alone by mistake: %o without a cluster', (environment, given, them) => {
    expect(problem('', environment)).toBe(
      `${given}: of a cluster, but no cluster is named. Set TENUTO_CLUSTER_ID (--cluster-id, cluster.id), or leave ${them} out for a node that stands alone`,
    );
    expect(load('', { TENUTO_CLUSTER_ID: '', TENUTO_ZONE: '' })).toBeUndefined();
  });

  it('is told of a setting as it was written', () => {
    const flagOf = (variable: string): string => (variable === 'TENUTO_REDIS_URL' ? '--redis' : variable);
    const given = { TENUTO_REDIS_URL: 'redis://r', TENUTO_ZONE: 'a' };
    expect(() => loadConfig(undefined, given, flagOf)).toThrow(/^TENUTO_ZONE, --redis: of a cluster/);
  });

  it('of a cluster needs its id, a name and Redis; the rest has defaults', () => {
    expect(load(cluster(''))).toEqual({
      id: 'orders',
      name: 'node-1',
      zone: '',
      weight: 1,
      roles: ['frontend', 'shards', 'matching'],
      seeds: [],
      redis: {
        servers: { mode: 'single', address: { host: 'r', port: 6379 }, db: 0 },
        username: undefined,
        password: undefined,
        tls: undefined,
      },
      replicas: 3,
      firstMembers: 1,
      gossip: { ip: '127.0.0.1', port: 7946, advertise: undefined },
      link: { ip: '127.0.0.1', port: 7281, advertise: undefined },
      keys: [],
      adminTokens: [],
    });
  });

  it('says everything in one place', () => {
    const text = `
cluster:
  id: orders
  name: node-1
  zone: eu-1a
  weight: 2
  roles: [matching, shards]
  seeds: [node-2.internal, "10.0.0.3:7000", "[::1]:7001"]
  redis: { url: "redis://r" }
  replicas: 5
  firstMembers: 3
  gossip: { ip: 0.0.0.0, port: 7950, advertise: node-1.internal }
  link: { ip: 10.0.0.1, port: 7951, advertise: "node-1.internal:8000" }
  keys: ["${KEY}", "${OLD_KEY}"]
  adminTokens: [an-operators-token]
`;
    expect(load(text)).toMatchObject({
      zone: 'eu-1a',
      weight: 2,
      roles: ['shards', 'matching'],
      seeds: [
        { host: 'node-2.internal', port: 7946 },
        { host: '10.0.0.3', port: 7000 },
        { host: '::1', port: 7001 },
      ],
      replicas: 5,
      firstMembers: 3,
      gossip: { ip: '0.0.0.0', port: 7950, advertise: { host: 'node-1.internal', port: 7950 } },
      link: { ip: '10.0.0.1', port: 7951, advertise: { host: 'node-1.internal', port: 8000 } },
      keys: [Buffer.alloc(32, 7), Buffer.alloc(32, 8)],
      adminTokens: ['an-operators-token'],
    });
  });

  it('gives way to the environment, so that one file serves all nodes', () => {
    const environment = {
      TENUTO_CLUSTER_ID: 'billing',
      TENUTO_NODE_NAME: 'node-9',
      TENUTO_ZONE: 'b',
      TENUTO_SEEDS: 'a, b:7000,',
      TENUTO_CLUSTER_KEYS: KEY,
      TENUTO_REDIS_URL: 'rediss://elsewhere:7/2',
      TENUTO_REDIS_PASSWORD: 'p',
      TENUTO_GOSSIP_IP: '10.0.0.9',
      TENUTO_GOSSIP_ADVERTISE: 'g:1',
      TENUTO_LINK_IP: '10.0.0.9',
      TENUTO_GOSSIP_PORT: '7001',
      TENUTO_LINK_ADVERTISE: 'l:2',
      TENUTO_LINK_PORT: '7002',
      TENUTO_WEIGHT: '0.5',
      TENUTO_ROLES: 'shards,matching',
      TENUTO_REPLICAS: '5',
      TENUTO_FIRST_MEMBERS: '3',
      TENUTO_ADMIN_TOKENS: 'token-of-alice, token-of-bob',
      TENUTO_REDIS_TLS_CA: '/ca.pem',
    };
    const expected = {
      id: 'billing',
      name: 'node-9',
      zone: 'b',
      seeds: [
        { host: 'a', port: 7946 },
        { host: 'b', port: 7000 },
      ],
      keys: [Buffer.alloc(32, 7)],
      redis: { servers: { mode: 'single', address: { host: 'elsewhere', port: 7 }, db: 2 }, password: 'p' },
      gossip: { ip: '10.0.0.9', port: 7001, advertise: { host: 'g', port: 1 } },
      link: { ip: '10.0.0.9', port: 7002, advertise: { host: 'l', port: 2 } },
      weight: 0.5,
      roles: ['shards', 'matching'],
      replicas: 5,
      firstMembers: 3,
      adminTokens: ['token-of-alice', 'token-of-bob'],
    };
    expect(load(cluster('zone: a'), environment)).toMatchObject(expected);
    // Needs no cluster in the file at all.
    expect(load('', environment)).toMatchObject(expected);
    // Nor a file.
    expect(loadConfig(undefined, environment).cluster).toMatchObject(expected);
    expect(loadConfig(undefined, environment).cluster?.redis?.tls).toMatchObject({ caFile: '/ca.pem' });
    // Nor leaves a trace in the next one.
    expect(load(cluster('zone: a'))).toMatchObject({ id: 'orders', zone: 'a' });
  });
});

describe('Redis', () => {
  const settings = (text: string): RedisSettings | undefined => load(text)?.redis;
  const none = { username: undefined, password: undefined, tls: undefined };

  it.each<[string, Partial<RedisSettings>]>([
    ['redis://r', { servers: { mode: 'single', address: { host: 'r', port: 6379 }, db: 0 } }],
    ['redis://r:7000/3', { servers: { mode: 'single', address: { host: 'r', port: 7000 }, db: 3 } }],
    ['redis://[::1]:7000', { servers: { mode: 'single', address: { host: '::1', port: 7000 }, db: 0 } }],
    ['redis://:p%40ss@r', { password: 'p@ss' }],
    ['redis://me:secret@r', { username: 'me', password: 'secret' }],
    ['rediss://r', { tls: { caFile: undefined, certFile: undefined, keyFile: undefined } }],
  ])('is found at %s', (url, expected) => {
    expect(settings(redis(`url: "${url}"`))).toMatchObject(expected);
  });

  it('trusts the authority in a file beside the configuration', () => {
    const found = settings(redis('url: "rediss://r", tls: { caFile: ca.pem, certFile: /c.pem, keyFile: k.pem }'));
    expect(found?.tls).toEqual({
      caFile: join(directory, 'ca.pem'),
      certFile: '/c.pem',
      keyFile: join(directory, 'k.pem'),
    });
  });

  it('is known to Sentinels by a name', () => {
    const text = redis(
      'sentinels: [a, "b:7000"], name: main, db: 1, username: u, password: p, sentinelUsername: su, sentinelPassword: sp',
    );
    expect(settings(text)).toEqual({
      servers: {
        mode: 'sentinel',
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 7000 },
        ],
        name: 'main',
        db: 1,
        sentinelUsername: 'su',
        sentinelPassword: 'sp',
      },
      username: 'u',
      password: 'p',
      tls: undefined,
    });
  });

  it('is named by variables alone, whatever its kind', () => {
    const given = (environment: Record<string, string>): RedisSettings | undefined =>
      load(cluster(''), environment)?.redis;
    expect(
      given({
        TENUTO_REDIS_SENTINELS: 'a,b:7000',
        TENUTO_REDIS_NAME: 'main',
        TENUTO_REDIS_DB: '3',
        TENUTO_REDIS_USERNAME: 'u',
        TENUTO_REDIS_PASSWORD: 'p',
        TENUTO_REDIS_SENTINEL_USERNAME: 'su',
        TENUTO_REDIS_SENTINEL_PASSWORD: 'sp',
      }),
    ).toMatchObject({
      servers: { mode: 'sentinel', name: 'main', db: 3, sentinelUsername: 'su', sentinelPassword: 'sp' },
      username: 'u',
      password: 'p',
    });
    expect(given({ TENUTO_REDIS_NODES: 'a,b:7000', TENUTO_REDIS_TLS_CERT: '/c', TENUTO_REDIS_TLS_KEY: '/k' })).toEqual({
      ...none,
      servers: {
        mode: 'cluster',
        nodes: [
          { host: 'a', port: 6379 },
          { host: 'b', port: 7000 },
        ],
      },
      tls: { caFile: undefined, certFile: '/c', keyFile: '/k' },
    });
  });

  it('is a cluster of some nodes', () => {
    expect(settings(redis('nodes: [a, "b:7000"], tls: {}'))).toEqual({
      ...none,
      servers: {
        mode: 'cluster',
        nodes: [
          { host: 'a', port: 6379 },
          { host: 'b', port: 7000 },
        ],
      },
      tls: { caFile: undefined, certFile: undefined, keyFile: undefined },
    });
  });
});

describe('a cluster that cannot be meant', () => {
  it.each([
    ['cluster: {}', 'FILE: cluster.id: is needed; all nodes of the cluster have the same'],
    ['cluster: { id: a }', 'FILE: cluster.name: is needed; each node has its own'],
    ['cluster: { id: a, name: b }', 'FILE: cluster.redis: is needed: url, sentinels or nodes'],
    [
      'cluster: { id: "a}b" }',
      `FILE: cluster.id: "a}b" must be up to 64 letters, digits, '_', '.' and '-', beginning with a letter or digit`,
    ],
    [cluster('zone: "-"'), /^FILE: cluster\.zone: "-" must be up to 64 letters/],
    [cluster('weight: 0'), 'FILE: cluster.weight: 0 must be from 0.01 to 100'],
    [cluster('roles: []'), 'FILE: cluster.roles: at least one is needed'],
    [cluster('roles: [shards, boss]'), 'FILE: cluster.roles: "boss" is no role: frontend, shards, matching'],
    [cluster('replicas: 8'), 'FILE: cluster.replicas: 8 must be an integer from 1 to 7'],
    [cluster('replicas: 0'), 'FILE: cluster.replicas: 0 must be an integer from 1 to 7'],
    [cluster('firstMembers: 0'), 'FILE: cluster.firstMembers: 0 must be an integer from 1 to 1000'],
    [cluster('seeds: ["a:b"]'), 'FILE: cluster.seeds[0]: is no address: write host, host:port or [ipv6]:port'],
    [cluster('seeds: [a, "a:70000"]'), 'FILE: cluster.seeds[1]: is no address: write host, host:port or [ipv6]:port'],
    [cluster('gossip: { port: 70000 }'), 'FILE: cluster.gossip.port: 70000 must be an integer from 0 to 65535'],
    [
      cluster(`keys: ["${KEY}"], gossip: { ip: 0.0.0.0 }`),
      'FILE: cluster.gossip.advertise: is needed when cluster.gossip.ip is 0.0.0.0: others cannot connect to that',
    ],
    [
      cluster('link: { ip: 10.0.0.1 }'),
      'FILE: cluster.keys: at least one is needed when cluster.link.ip is 10.0.0.1: whoever reaches it could join. Make one with: openssl rand -base64 32',
    ],
    [
      cluster('keys: ["c2hvcnQ="]'),
      'FILE: cluster.keys[0]: must be base64 of 32 bytes. Make one with: openssl rand -base64 32',
    ],
    [cluster(`keys: ["${KEY}", "${KEY}"]`), 'FILE: cluster.keys[1]: is there twice'],
    [
      `listen: { ip: 0.0.0.0 }\n${cluster('')}`,
      'FILE: listen.advertise: is needed when listen.ip is 0.0.0.0: others cannot connect to that',
    ],
    [cluster('adminTokens: [short]'), 'FILE: cluster.adminTokens: a token must have at least 8 characters'],
    [
      cluster('sedes: []'),
      'FILE: cluster: Unrecognized key: "sedes"; there are id, name, zone, weight, roles, seeds, redis, replicas, firstMembers, gossip, link, keys, adminTokens',
    ],
    [cluster('seeds: a'), /^FILE: cluster\.seeds: /],
    [redis(''), 'FILE: cluster.redis: exactly one of url, sentinels and nodes is needed'],
    [redis('url: "redis://r", nodes: [a]'), 'FILE: cluster.redis: exactly one of url, sentinels and nodes is needed'],
    [redis('sentinels: [a]'), 'FILE: cluster.redis.name: the name of the master group is needed with sentinels'],
    [redis('sentinels: [], name: a'), 'FILE: cluster.redis.sentinels: at least one is needed'],
    [redis('nodes: [a], name: b'), 'FILE: cluster.redis.name: is only for sentinels'],
    [redis('nodes: [a], db: 1'), 'FILE: cluster.redis.db: is only for sentinels'],
    [redis('url: "redis://r", sentinelPassword: p'), 'FILE: cluster.redis.sentinelPassword: is only for sentinels'],
    [redis('url: "redis://r", tls: {}'), 'FILE: cluster.redis.tls: the url says redis://: write rediss:// for TLS'],
    [redis('nodes: [a], tls: { certFile: c }'), 'FILE: cluster.redis.tls: certFile and keyFile go together'],
    [redis('url: "redis://r/0?x=1"'), 'FILE: cluster.redis.url: takes nothing behind ? or #'],
    [redis('url: "redis://r/zero"'), /^FILE: cluster\.redis\.url: the path must be a database number/],
  ])('%s is refused, naming file and path', (text, message) => {
    if (typeof message === 'string') expect(problem(text)).toBe(message);
    else expect(problem(text)).toMatch(message);
  });

  it.each([
    [redis('url: "http://me:hidden@r"'), 'must be redis://host:port or, for TLS, rediss://host:port'],
    [redis('url: "redis://me:hidden%@r"'), 'user or password is not well encoded: a % must be written %25'],
    [redis('url: "redis://me:hidden@r/hidden"'), 'the path must be a database number, as in redis://host:port/0'],
    [redis('url: "redis://:hidden@r", password: hidden'), 'the url has one too; write it in one place'],
    [redis('nodes: ["me:hidden@r"]'), 'is no address: write host, host:port or [ipv6]:port'],
    [cluster('keys: ["hidden"]'), 'must be base64 of 32 bytes'],
  ])('%s is refused without a word of its secret', (text, message) => {
    expect(problem(text)).toContain(message);
    expect(problem(text)).not.toContain('hidden');
  });
});
