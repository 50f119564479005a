// What may be done to a worker deployment, and what becomes of its versions.
import { describe, expect, it } from 'vitest';
import { type DeploymentRecord, TaskQueueType, VersionDrainageStatus } from '../../wire/deployment.ts';
import { StatusCode } from '../../wire/status.ts';
import type { DeploymentChange } from './change.ts';
import { changed } from './record.ts';
import { DeploymentRefusal, MAX_VERSIONS, versionOf } from './versions.ts';

class Deployment {
  record: DeploymentRecord | undefined;
  now = 1_000;

  do(change: DeploymentChange): DeploymentRecord | undefined {
    this.now += 1_000;
    this.record = changed(this.record, change, { namespace: 'default', name: 'shop', now: this.now, count: 0 });
    return this.record;
  }

  refusal(change: DeploymentChange): number | undefined {
    try {
      this.do(change);
    } catch (error) {
      if (error instanceof DeploymentRefusal) return error.status.code;
      throw error;
    }
    return undefined;
  }

  poll(buildId: string, ...queues: string[]): void {
    for (const name of queues)
      this.do({ type: 'poll', buildId, queue: { name, type: TaskQueueType.WORKFLOW }, identity: 'w' });
  }

  version(buildId: string) {
    const version = this.record && versionOf(this.record, buildId);
    if (version === undefined) throw new Error(`there is no version ${buildId}`);
    return version;
  }
}

const how = { identity: 'me', missingQueues: 'refuse', unknownVersion: 'refuse' } as const;
const current = (buildId: string, over: object = {}) => ({ type: 'setCurrent', buildId, ...how, ...over }) as const;
const ramping = (buildId: string | undefined, percentage: number, over: object = {}) =>
  ({ type: 'setRamping', buildId, percentage, ...how, ...over }) as const;
const polled = (): Deployment => {
  const shop = new Deployment();
  shop.poll('v1', 'orders');
  shop.poll('v2', 'orders');
  return shop;
};

describe('versions', () => {
  it('come to be by polling, once for each queue', () => {
    const shop = polled();
    const before = shop.record;
    shop.poll('v2', 'orders');
    expect(shop.record).toBe(before);
    expect(shop.record?.versions.map(({ buildId, queues }) => [buildId, queues.length])).toEqual([
      ['v1', 1],
      ['v2', 1],
    ]);
    expect(shop.record?.routing).toEqual({ revision: 0, currentBuildId: '' });
  });

  it('are a hundred at most: of those that are drained the oldest makes room', () => {
    const shop = new Deployment();
    for (let n = 0; n < MAX_VERSIONS; n += 1) shop.poll(`v${n}`, 'orders');
    const poll = { type: 'poll', buildId: 'more', queue: { name: 'orders', type: 1 }, identity: 'w' } as const;
    expect(shop.refusal(poll)).toBe(StatusCode.RESOURCE_EXHAUSTED);
    shop.do(current('v0'));
    shop.do(current('v1'));
    expect(shop.refusal(poll)).toBe(StatusCode.RESOURCE_EXHAUSTED);
    shop.do({ type: 'drainage', buildId: 'v0', pinned: 0 });
    shop.do(poll);
    expect(shop.record?.versions.map(({ buildId }) => buildId)).not.toContain('v0');
  });
});

describe('the current version', () => {
  it('drains once another one is current, and is drained when nothing is pinned to it', () => {
    const shop = polled();
    shop.do(current('v1'));
    expect(shop.version('v1')).toMatchObject({ currentSinceTime: shop.now, firstActivationTime: shop.now });
    shop.do(current('v2'));
    const at = shop.now;
    expect(shop.version('v1').currentSinceTime).toBeUndefined();
    // It became current a change earlier.
    expect(shop.version('v1')).toMatchObject({ lastDeactivationTime: at, lastCurrentTime: at - 1_000 });
    shop.do({ type: 'drainage', buildId: 'v1', pinned: 3 });
    expect(shop.version('v1').drainage).toMatchObject({ status: VersionDrainageStatus.DRAINING, lastChangedTime: at });
    shop.do({ type: 'drainage', buildId: 'v1', pinned: 0 });
    expect(shop.version('v1').drainage).toEqual({
      status: VersionDrainageStatus.DRAINED,
      lastChangedTime: shop.now,
      lastCheckedTime: shop.now,
    });
    shop.do(current('v1'));
    expect(shop.version('v1').drainage).toBeUndefined();
    expect(shop.version('v1').lastDeactivationTime).toBeUndefined();
    expect(shop.record?.routing.revision).toBe(3);
  });

  it('needs workers on every queue of the one before, unless told otherwise', () => {
    const shop = polled();
    shop.poll('v1', 'mail');
    shop.do(current('v1'));
    expect(shop.refusal(current('v2'))).toBe(StatusCode.FAILED_PRECONDITION);
    expect(shop.refusal(ramping('v2', 10))).toBe(StatusCode.FAILED_PRECONDITION);
    shop.do(current('v2', { missingQueues: 'ignore' }));
    expect(shop.record?.routing.currentBuildId).toBe('v2');
  });

  it('is one that is known, unless it is to be made', () => {
    const shop = polled();
    expect(shop.refusal(current('v9'))).toBe(StatusCode.NOT_FOUND);
    shop.do(current('v9', { unknownVersion: 'create' }));
    expect(shop.version('v9').queues).toEqual([]);
  });

  it('ramps no more', () => {
    const shop = polled();
    shop.do(current('v1'));
    shop.do(ramping('v2', 10));
    expect(shop.record?.routing.ramping).toMatchObject({ buildId: 'v2', percentage: 10 });
    shop.do(current('v2'));
    expect(shop.record?.routing.ramping).toBeUndefined();
    expect(shop.version('v2').rampingSinceTime).toBeUndefined();
    expect(shop.refusal(ramping('v2', 10))).toBe(StatusCode.FAILED_PRECONDITION);
  });
});

describe('a ramp', () => {
  it('changes the routing of its version with every share, and leaves the time at which it ended', () => {
    const shop = polled();
    shop.do(ramping('v2', 10));
    const began = shop.now;
    expect(shop.record?.routing.rampEndedTime).toBeUndefined();
    shop.do(ramping('v2', 20));
    expect(shop.version('v2')).toMatchObject({ rampingSinceTime: began, routingChangedTime: shop.now });
    shop.do(ramping(undefined, 0));
    expect(shop.record?.routing).toMatchObject({ rampEndedTime: shop.now });
    shop.do(ramping('v2', 30));
    expect(shop.record?.routing.rampEndedTime).toBeUndefined();
    shop.do(current('v2'));
    expect(shop.record?.routing).toMatchObject({ rampEndedTime: shop.now, currentChangedTime: shop.now });
  });
});

describe('guards', () => {
  it('a conflict token is good until the next change', () => {
    const shop = polled();
    const token = shop.record?.token;
    shop.do(current('v1', { token }));
    expect(shop.refusal(current('v2', { token }))).toBe(StatusCode.FAILED_PRECONDITION);
  });

  it('only the manager changes routing, when there is one', () => {
    const shop = polled();
    shop.do({ type: 'setManager', manager: 'ci', identity: 'me' });
    expect(shop.refusal(current('v1'))).toBe(StatusCode.FAILED_PRECONDITION);
    shop.do(current('v1', { identity: 'ci' }));
  });

  it('what is current, ramping or draining is not deleted, nor a deployment with versions', () => {
    const shop = polled();
    shop.poll('v3', 'orders');
    shop.do(current('v1'));
    shop.do(ramping('v2', 50));
    const deletion = (buildId: string, drainage: 'respect' | 'skip' = 'respect') =>
      ({ type: 'deleteVersion', buildId, identity: 'me', drainage }) as const;
    expect(shop.refusal(deletion('v1'))).toBe(StatusCode.FAILED_PRECONDITION);
    expect(shop.refusal(deletion('v2'))).toBe(StatusCode.FAILED_PRECONDITION);
    shop.do(deletion('v3'));
    // Once more, and one that never was: nothing changes.
    const { record } = shop;
    expect(shop.do(deletion('v3'))).toBe(record);
    expect(shop.do({ ...deletion('v9'), identity: 'anyone' })).toBe(record);
    shop.do(ramping(undefined, 0));
    expect(shop.refusal(deletion('v2'))).toBe(StatusCode.FAILED_PRECONDITION);
    shop.do(deletion('v2', 'skip'));
    expect(shop.refusal({ type: 'delete', identity: 'me' })).toBe(StatusCode.FAILED_PRECONDITION);
    shop.do(current(''));
    shop.do(deletion('v1', 'skip'));
    expect(shop.do({ type: 'delete', identity: 'me' })).toBeUndefined();
  });
});
