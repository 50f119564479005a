// Where tasks go by the deployments a node knows of.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DeploymentRecord, type DeploymentRouting, TaskQueueType } from '../../wire/deployment.ts';
import { RoutingTable, rampPoint } from './routes.ts';
import { familyOf, versionedQueue, versionKey, versionOfKey } from './versioned-queue.ts';

const queue = { name: 'orders', type: TaskQueueType.WORKFLOW };
const deployment = (name: string, routing: Partial<DeploymentRouting>, builds = ['v1', 'v2']): DeploymentRecord => ({
  ...{ namespace: 'default', name, createTime: 0, requestId: '', token: 1, lastModifierIdentity: '' },
  managerIdentity: '',
  routing: { revision: 0, currentBuildId: '', ...routing },
  versions: builds.map((buildId) => ({
    ...{ buildId, createTime: 0, requestId: '', lastModifierIdentity: '', queues: [queue] },
  })),
});
const key = (deploymentName: string, buildId: string) => versionKey({ deploymentName, buildId });
const target = (table: RoutingTable, workflowId = 'w') => table.target('default', 'orders', 'workflow', workflowId);
const ramp = (buildId: string, percentage: number) => ({
  ...{ buildId, percentage, changedTime: 1, percentageChangedTime: 1 },
});

describe('a task queue', () => {
  it('goes to workers without a version until one is current', () => {
    const table = new RoutingTable();
    table.learn([deployment('shop', {})]);
    expect(target(table)).toBeUndefined();
    const changed = table.learn([deployment('shop', { currentBuildId: 'v1', currentChangedTime: 1 })]);
    expect(changed).toEqual([{ namespace: 'default', taskQueue: 'orders', kind: 'workflow' }]);
    expect(target(table)).toBe(key('shop', 'v1'));
    expect(table.target('default', 'orders', 'activity', 'w')).toBeUndefined();
    expect(table.target('other', 'orders', 'workflow', 'w')).toBeUndefined();
  });

  it('of several deployments follows the one that was told last', () => {
    const table = new RoutingTable();
    const a = deployment('a', { currentBuildId: 'v1', currentChangedTime: 1 });
    const b = deployment('b', { currentBuildId: 'v2', currentChangedTime: 2 });
    table.learn([a, b]);
    expect(target(table)).toBe(key('b', 'v2'));
    table.learn([b, a]);
    expect(target(table)).toBe(key('b', 'v2'));
    table.learn([a, deployment('b', { currentChangedTime: 3 })]);
    expect(target(table)).toBeUndefined();
  });

  it('says which version is current and which ramps, once that was ever said', () => {
    const table = new RoutingTable();
    const info = (kind: 'workflow' | 'activity' = 'workflow') => table.versioningInfo('default', 'orders', kind);
    table.learn([deployment('shop', {})]);
    expect(info()).toBeUndefined();
    const current = { currentBuildId: 'v1', currentChangedTime: 5 };
    table.learn([deployment('shop', current)]);
    const currentDeploymentVersion = { deploymentName: 'shop', buildId: 'v1' };
    expect(info()).toEqual({ currentDeploymentVersion, updateTime: 5 });
    expect(info('activity')).toBeUndefined();
    table.learn([deployment('shop', { ...current, ramping: { ...ramp('v2', 20), percentageChangedTime: 9 } })]);
    const deploymentVersion = { deploymentName: 'shop', buildId: 'v2' };
    expect(info()).toEqual({
      ...{ currentDeploymentVersion, ramp: { deploymentVersion, percentage: 20 }, updateTime: 9 },
    });
    table.learn([deployment('shop', { currentChangedTime: 11 })]);
    expect(info()).toEqual({ updateTime: 11 });
  });

  it('says a change once', () => {
    const table = new RoutingTable();
    const records = [deployment('shop', { currentBuildId: 'v1', currentChangedTime: 1, ramping: ramp('v2', 10) })];
    expect(table.learn(records)).toHaveLength(1);
    expect(table.learn(records)).toHaveLength(0);
    expect(table.learn([])).toHaveLength(1);
  });
});

describe('a ramp', () => {
  it('takes its share of workflow ids within three points, and a greater share keeps what a smaller one took', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.string(), (percentage, prefix) => {
        const table = new RoutingTable();
        const routing = { currentBuildId: 'v1', currentChangedTime: 1, ramping: ramp('v2', percentage) };
        table.learn([deployment('shop', routing)]);
        const ids = Array.from({ length: 4_000 }, (_, n) => `${prefix}${n}`);
        const taken = ids.filter((id) => target(table, id) === key('shop', 'v2'));
        expect(Math.abs(taken.length / 40 - percentage)).toBeLessThanOrEqual(3);
        for (const id of taken) expect(rampPoint(id)).toBeLessThan(percentage);
      }),
      { numRuns: 20 },
    );
  });

  it('may be to workers without a version', () => {
    const table = new RoutingTable();
    const routing = { currentBuildId: 'v1', currentChangedTime: 1, ramping: ramp('', 100) };
    table.learn([deployment('shop', routing)]);
    expect(target(table)).toBeUndefined();
  });
});

describe("a version's queue", () => {
  it('has a name that no other has, and from which both can be read', () => {
    const text = fc.string({ minLength: 1 }).filter((s) => !s.includes('\0'));
    fc.assert(
      fc.property(text, text, text, (name, deploymentName, buildId) => {
        const { taskQueue, version } = familyOf(versionedQueue(name, versionKey({ deploymentName, buildId })));
        expect(taskQueue).toBe(name);
        expect(version && versionOfKey(version)).toEqual({ deploymentName, buildId });
        expect(familyOf(name)).toEqual({ taskQueue: name, version: undefined });
      }),
    );
  });
});
