import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, completeConfig } from './config.ts';
import { loadConfig } from './load.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tenuto-config-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(directory, 'tenuto.yaml');
  writeFileSync(path, text);
  return path;
}

const problem = (text: string, environment: Record<string, string> = {}): string => {
  try {
    loadConfig(file(text), environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(join(directory, 'tenuto.yaml'), 'FILE');
    throw error;
  }
  throw new Error('the file was accepted');
};

describe('a configuration file', () => {
  it('may be empty: everything has a default', () => {
    expect(loadConfig(file(''), {})).toMatchObject({
      dataDirectory: undefined,
      shardCount: 256,
      listen: { ip: '127.0.0.1', port: 7280 },
      namespaces: [{ name: 'default', retention: 72 * 3_600_000, tokens: [] }],
      limits: { blobBytes: 2 * 1024 * 1024, idBytes: 1_000 },
      logLevel: 'info',
    });
  });

  it('says everything in one place; its paths are relative to it', () => {
    const text = `
dataDirectory: data
shardCount: 16
listen: { ip: 0.0.0.0, port: 7000 }
tls: { certFile: cert.pem, keyFile: /etc/key.pem }
allowedHosts: [tenuto.example]
namespaces:
  - name: default
  - { name: billing, retention: 7d, tokens: [long-enough-token] }
limits: { pendingActivities: 50 }
connections: { idleMs: 5000 }
engine: { cachedActors: 100 }
log: { level: debug }
shutdownGrace: 30s
`;
    expect(loadConfig(file(text), {})).toMatchObject({
      dataDirectory: join(directory, 'data'),
      shardCount: 16,
      listen: { ip: '0.0.0.0', port: 7000 },
      tls: { certFile: join(directory, 'cert.pem'), keyFile: '/etc/key.pem' },
      allowedHosts: ['tenuto.example'],
      namespaces: [{ name: 'default' }, { name: 'billing', retention: 7 * 86_400_000, tokens: ['long-enough-token'] }],
      limits: { pendingActivities: 50, pendingTimers: 2_000 },
      doorLimits: { idleMs: 5_000, helloTimeoutMs: 10_000 },
      shardLimits: { cachedActors: 100 },
      logLevel: 'debug',
      shutdownGraceMs: 30_000,
    });
  });

  it('gives way to the environment', () => {
    const environment = { TENUTO_PORT: '7999', TENUTO_DATA_DIR: '/elsewhere', TENUTO_LOG_LEVEL: 'error' };
    expect(loadConfig(file('listen: { ip: 0.0.0.0, port: 1 }\ndataDirectory: data'), environment)).toMatchObject({
      listen: { ip: '0.0.0.0', port: 7999 },
      dataDirectory: '/elsewhere',
      logLevel: 'error',
    });
  });

  it('gives LevelDB as much memory as is said', () => {
    expect(loadConfig(file(''), {}).leveldb).toEqual({ writeBufferBytes: 16 * 1024 * 1024 });
    const text = 'store: { leveldb: { writeBufferBytes: 33554432 } }';
    expect(loadConfig(file(text), {}).leveldb).toEqual({ writeBufferBytes: 32 * 1024 * 1024 });
  });

  it('keeps data in a database, named by a URL or its parts, with bounds', () => {
    const url = 'postgres://u:p@db:5433/tenuto';
    const all = 'poolSize: 9, connectTimeout: 2s, statementTimeout: 10s, outage: 5m';
    expect(loadConfig(file(`store: { postgres: { url: "${url}", ${all} } }`), {}).postgres).toEqual({
      url,
      poolSize: 9,
      connectTimeoutMs: 2_000,
      statementTimeoutMs: 10_000,
      outageMs: 300_000,
    });
    const parts = (text: string) => loadConfig(file(`store: { postgres: { ${text} } }`), {}).postgres?.url;
    expect(parts('host: db, database: orders')).toBe('postgres://db:5432/orders');
    expect(parts('host: db, port: 1, user: "a@b", password: "s/e:c", database: d')).toBe(
      'postgres://a%40b:s%2Fe%3Ac@db:1/d',
    );
    expect(parts('host: /run/postgresql, database: d')).toBe('postgres:///d?host=%2Frun%2Fpostgresql&port=5432');
    const environment = { TENUTO_POSTGRES_URL: url };
    const text = 'store: { postgres: { host: db, database: d, poolSize: 4 } }';
    expect(loadConfig(file(text), environment).postgres).toMatchObject({ url, poolSize: 4, outageMs: 60_000 });
    expect(loadConfig(file(''), environment).postgres).toMatchObject({ url });
  });

  it('never quotes the URL of a database', () => {
    const secret = 'mysql://u:s3cret@db/x';
    expect(problem(`store: { postgres: { url: "${secret}" } }`)).not.toContain('s3cret');
    expect(problem('', { TENUTO_POSTGRES_URL: secret })).not.toContain('s3cret');
  });

  it('is not needed where the environment says everything', () => {
    const environment = {
      TENUTO_SHARD_COUNT: '16',
      TENUTO_IP: '0.0.0.0',
      TENUTO_ADVERTISE: 'node-1.internal',
      TENUTO_ALLOWED_HOSTS: 'tenuto, tenuto.example',
      TENUTO_TLS_CERT: '/etc/cert.pem',
      TENUTO_TLS_KEY: '/etc/key.pem',
      TENUTO_SHUTDOWN_GRACE: '30s',
      TENUTO_NAMESPACE_TOKENS: 'default=a-long-token,default=another=token',
    };
    expect(loadConfig(undefined, environment)).toMatchObject({
      dataDirectory: undefined,
      shardCount: 16,
      listen: { ip: '0.0.0.0', port: 7280, advertise: { host: 'node-1.internal', port: 7280 } },
      allowedHosts: ['tenuto', 'tenuto.example'],
      tls: { certFile: '/etc/cert.pem', keyFile: '/etc/key.pem' },
      shutdownGraceMs: 30_000,
      namespaces: [{ name: 'default', tokens: ['a-long-token', 'another=token'] }],
    });
    expect(() => loadConfig(undefined, { TENUTO_SHARD_COUNT: '0' })).toThrow(
      new ConfigError('shardCount: 0 must be an integer from 1 to 65536'),
    );
  });

  it('keeps its tokens beside those that a variable gives to another namespace', () => {
    const namespaces = 'namespaces: [{ name: a, tokens: [in-the-file] }, { name: b }]';
    expect(loadConfig(file(namespaces), { TENUTO_NAMESPACE_TOKENS: 'b=from-outside' }).namespaces).toMatchObject([
      { name: 'a', tokens: ['in-the-file'] },
      { name: 'b', tokens: ['from-outside'] },
    ]);
    expect(problem(namespaces, { TENUTO_NAMESPACE_TOKENS: 'c=hidden-token' })).toBe(
      'TENUTO_NAMESPACE_TOKENS: there is no namespace "c" in the configuration',
    );
    expect(problem(namespaces, { TENUTO_NAMESPACE_TOKENS: 'hidden-token' })).toBe(
      'TENUTO_NAMESPACE_TOKENS: entry 1 is not of the form namespace=token',
    );
  });

  it.each([
    [
      'store: { postgres: { url: "db" } }',
      'FILE: store.postgres.url: must be postgres://user:password@host:port/database',
    ],
    ['store: { postgres: { host: db } }', 'FILE: store.postgres: needs url, or host and database'],
    [
      'store: { postgres: { url: "postgres://db/x", host: db } }',
      'FILE: store.postgres: url says it all: leave out host',
    ],
    [
      'dataDirectory: d\nstore: { postgres: { url: "postgres://db/x" } }',
      'FILE: store.postgres: there is a dataDirectory too: data is kept in one of them, leave the other out',
    ],
    [
      'store: { postgres: { url: "postgres://db/x", poolSize: 1 } }',
      'FILE: store.postgres.poolSize: 1 must be an integer from 2 to 100: one connection writes, the others read',
    ],
    [
      'store: { postgres: { url: "postgres://db/x", statementTimeout: 5ms } }',
      'FILE: store.postgres.statementTimeout: must be at least 100ms',
    ],
    [
      'store: { leveldb: { writeBufferBytes: 1000 } }',
      'FILE: store.leveldb.writeBufferBytes: 1000 must be an integer from 1048576 to 1073741824',
    ],
    [
      'store: { postgres: { url: "postgres://db/x" }, leveldb: {} }',
      'FILE: store.leveldb: there is store.postgres too: data is kept in one of them, leave the other out',
    ],
    ['store: { mysql: {} }', /^FILE: store/],
    ['listen: { prot: 1 }', 'FILE: listen: Unrecognized key: "prot"; there are ip, port, advertise'],
    ['listen: { port: 70000 }', /^FILE: listen\.port: /],
    [
      'namespaces: [{ name: a, retention: soon }]',
      'FILE: namespaces[0].retention: "soon" is no duration: write 500ms, 90s, 5m, 72h or 3d',
    ],
    ['namespaces: [{ name: a, retention: 1m }]', 'FILE: namespaces[0].retention: must be at least 1h'],
    ['namespaces: [{ name: a }, { name: a }]', 'FILE: namespaces[1].name: "a" is there twice'],
    [
      'namespaces: [{ name: a }, { nme: b }]',
      /namespaces\[1\]: Unrecognized key: "nme"; there are name, retention, tokens$/m,
    ],
    ['namespaces: [{ name: a/b }]', /^FILE: namespaces\[0\]\.name: "a\/b" must be/],
    ['namespaces: []', 'FILE: namespaces: at least one is needed'],
    [
      'namespaces: [{ name: a, tokens: [short] }]',
      'FILE: namespaces[0].tokens: a token must have at least 8 characters',
    ],
    ['limits: { pendingActivities: -1 }', /^FILE: limits\.pendingActivities: /],
    ['shardCount: 0', 'FILE: shardCount: 0 must be an integer from 1 to 65536'],
    ['a: [', /^FILE: /],
    ['just text', /^FILE: the file: /],
  ])('%j is refused, naming file and path', (text, message) => {
    if (typeof message === 'string') expect(problem(text)).toBe(message);
    else expect(problem(text)).toMatch(message);
  });

  it('that is not there is named', () => {
    expect(() => loadConfig(join(directory, 'missing.yaml'))).toThrow(/cannot read .*missing\.yaml/);
  });

  it('cannot be rescued by a wrong variable', () => {
    expect(problem('', { TENUTO_PORT: 'http' })).toBe('TENUTO_PORT: "http" is no number');
    expect(problem('', { TENUTO_SHUTDOWN_GRACE: 'soon' })).toBe(
      'TENUTO_SHUTDOWN_GRACE: "soon" is no duration: write 500ms, 90s, 5m, 72h or 3d',
    );
    expect(problem('', { TENUTO_TLS_CERT: '/c' })).toBe('TENUTO_TLS_CERT and TENUTO_TLS_KEY go together');
    expect(problem('', { TENUTO_LOG_LEVEL: 'loud' })).toMatch(/^TENUTO_LOG_LEVEL: loud is no level/);
  });
});

describe('options', () => {
  it('left undefined keep their defaults', () => {
    expect(completeConfig({ limits: { idBytes: undefined as unknown as number } }).limits.idBytes).toBe(1_000);
    expect(completeConfig().listen).toBeUndefined();
  });
});

describe('docs/operations/settings.md', () => {
  const names = (text: string): string[] => [...new Set(text.match(/\bTENUTO_[A-Z_]+\b/g))].sort();
  const source = ['load.ts', 'cluster-file.ts']
    .map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'))
    .join();
  const page = readFileSync(new URL('../../docs/operations/settings.md', import.meta.url), 'utf8');

  it('lists every variable, and none that does nothing', () => {
    const ofClients = [
      'TENUTO_ADDRESS',
      'TENUTO_NAMESPACE',
      'TENUTO_TOKEN',
      'TENUTO_TLS_CA',
      'TENUTO_PROFILE',
      'TENUTO_CONFIG_FILE',
      'TENUTO_CODEC_ENDPOINT',
      'TENUTO_CODEC_AUTH',
    ];
    expect(names(page)).toEqual([...names(source), ...ofClients].sort());
  });

  it('shows a file that is one, with the defaults it claims', () => {
    const shown = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    const config = loadConfig(file(shown), {});
    expect(config).toEqual({ ...loadConfig(file(''), {}), dataDirectory: join(directory, 'tenuto-data') });
    // The part of a cluster is commented out, and right as well.
    const cluster = shown.slice(shown.indexOf('# cluster:')).replaceAll(/^# /gm, '');
    const whole = loadConfig(file(cluster), {});
    expect(whole.cluster).toMatchObject({ id: 'orders', replicas: 3, firstMembers: 1, weight: 1 });
  });
});
