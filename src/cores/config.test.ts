import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { completeConfig } from '../config/config.ts';
import { coreConfigs } from './config.ts';
import { checkLayout } from './layout.ts';

const CLUSTER = { id: 'orders', name: 'machine-1', redis: { url: 'redis://127.0.0.1' } };

describe('the configuration of a core', () => {
  it('alone on its machine: a node of a cluster of its own, each shard on one disk', () => {
    const of = coreConfigs(completeConfig({ dataDirectory: '/data', cores: 2, listen: { port: 1 } }));
    expect(of(2)).toMatchObject({
      cores: 1,
      dataDirectory: join('/data', 'core-2'),
      cluster: { id: 'cores', name: 'core-2', replicas: 1, firstMembers: 2, redis: undefined },
    });
    // A key that only they know, the same for all.
    expect(of(1).cluster?.keys).toHaveLength(1);
    expect(of(1).cluster?.keys).toEqual(of(2).cluster?.keys);
  });

  it('in a cluster: a node of it, with ports after those of the first, in the zone of its machine', () => {
    const cluster = { ...CLUSTER, gossip: { port: 7946 }, link: { port: 0 } };
    const of = coreConfigs(completeConfig({ dataDirectory: '/data', cores: 4, cluster }));
    expect(of(3).cluster).toMatchObject({ id: 'orders', name: 'machine-1.3', zone: 'machine-1', replicas: 3 });
    expect(of(3).cluster?.gossip.port).toBe(7948);
    expect(of(3).cluster?.link.port).toBe(0);
    const zoned = coreConfigs(completeConfig({ dataDirectory: '/data', cores: 4, cluster: { ...cluster, zone: 'b' } }));
    expect(zoned(3).cluster?.zone).toBe('b');
  });

  it.each([
    [{ cores: 2 }, 'cores: 2 cores need a dataDirectory, where each keeps its shards'],
    [
      { cores: 2, postgres: { url: 'postgres://a:b@127.0.0.1/c' } },
      'cores: 2 cores on a database are nodes of a cluster: set cluster.id and what goes with it',
    ],
  ])('is refused for %j', (options, message) => {
    expect(() => coreConfigs(completeConfig(options))).toThrow(message);
  });

  it.each([0, 65, 1.5])('is refused for %d cores', (cores) => {
    expect(() => completeConfig({ cores })).toThrow(`cores: ${cores} must be an integer from 1 to 64`);
  });

  it('counts the cores of the machine when asked to', () => {
    expect(completeConfig({ cores: 'auto' }).cores).toBeGreaterThanOrEqual(1);
  });
});

describe('a data directory', () => {
  const directory = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'tenuto-test-'));
    onTestFinished(() => rmSync(made, { recursive: true, force: true }));
    return made;
  };

  it('may be served by as many cores as before, or more', () => {
    const data = directory();
    checkLayout(join(data, 'new'), 2);
    checkLayout(data, 2);
    for (const core of [1, 2]) mkdirSync(join(data, `core-${core}`));
    checkLayout(data, 2);
    checkLayout(data, 3);
  });

  it('is refused to fewer, whose shards the others hold, and when it is that of a node', () => {
    const data = directory();
    for (const core of [1, 2]) mkdirSync(join(data, `core-${core}`));
    expect(() => checkLayout(data, 1)).toThrow('is that of 2 cores, and 1 cannot serve it');
    const node = directory();
    writeFileSync(join(node, 'tenuto.json'), '{}');
    expect(() => checkLayout(node, 2)).toThrow('was made without --cores');
  });
});
