// Which version's workers a run's tasks are offered to, through deploys.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CommandType,
  ContinueAsNewInitiator,
  ContinueAsNewVersioningBehavior,
  EventType,
  VersioningBehavior,
} from '../../wire/enums.ts';
import type { Routes } from '../deployment/routes.ts';
import { familyOf, type VersionKey, versionKey, versionOfKey } from '../deployment/versioned-queue.ts';
import { describe as describeRun } from './describe.ts';
import { waitingOffers } from './state.ts';
import { command, QUEUE, STICKY_QUEUE, World } from './testing.ts';

const { PINNED, AUTO_UPGRADE } = VersioningBehavior;

/** A deployment as its world sees it: what is current, what ramps, which queues the versions serve. */
class Shop implements Routes {
  current: VersionKey | undefined;
  ramp: VersionKey | undefined;
  served = new Set([QUEUE]);
  target = (_namespace: string, queue: string): VersionKey | undefined =>
    this.served.has(queue) ? this.current : undefined;
  ramping = (): VersionKey | undefined => this.ramp;
  serves = (_namespace: string, queue: string): boolean => this.served.has(queue);
}

const v = (buildId: string): VersionKey => versionKey({ deploymentName: 'shop', buildId });

class Deployed extends World {
  readonly shop = new Shop();

  constructor(current: string | undefined = 'v1') {
    super();
    this.shop.current = current === undefined ? undefined : v(current);
    this.routes = this.shop;
  }

  deploy(buildId: string | undefined): void {
    this.shop.current = buildId === undefined ? undefined : v(buildId);
    this.accept({ type: 'reroute' });
  }

  /** Build ids of the queues that tasks wait in. */
  waits(kind: 'workflow' | 'activity' = 'workflow'): (string | undefined)[] {
    return waitingOffers(this.state)
      .filter((offer) => offer.kind === kind)
      .map(({ taskQueue }) => familyOf(taskQueue).version)
      .map((key) => key && versionOfKey(key).buildId);
  }

  /** A worker of the version that the task is for answers it. */
  workAs(behavior: VersioningBehavior, ...commands: Parameters<World['complete']>[1][]): void {
    const [buildId] = this.waits();
    const { ref } = this.takeWorkflowTask();
    const version = buildId === undefined ? {} : { deploymentVersion: { deploymentName: 'shop', buildId } };
    this.accept(this.completeMessage(ref, commands, { ...version, versioningBehavior: behavior, sticky: true }));
  }
}

const begun = (behavior: VersioningBehavior, current?: string): Deployed => {
  const world = new Deployed(current);
  world.start();
  world.workAs(behavior);
  return world;
};

const schedule = (taskQueue = QUEUE) => command.activity('a', { taskQueue: { name: taskQueue } });

describe('the builds a run is found by', () => {
  const builds = (world: Deployed) => describeRun(world.state)?.workflowExecutionInfo.searchAttributes?.indexedFields;

  it('is one that it can be reset to, also where its worker says it with a version', () => {
    const described = describeRun(begun(VersioningBehavior.AUTO_UPGRADE, 'v1').state);
    expect(described?.autoResetPoints).toMatchObject([{ buildId: 'v1', firstWorkflowTaskCompletedId: 4 }]);
    expect(described?.mostRecentWorkerVersionStamp).toBeUndefined();
  });

  it('are those it is pinned to; one that upgrades has none', () => {
    const pinned = builds(begun(VersioningBehavior.PINNED, 'v1'));
    expect(Buffer.from(pinned?.BuildIds?.data ?? '').toString()).toBe('["pinned:shop:v1"]');
    const upgrading = builds(begun(VersioningBehavior.AUTO_UPGRADE, 'v1'));
    expect(upgrading).not.toHaveProperty('BuildIds');
    expect(Buffer.from(upgrading?.TemporalWorkerDeploymentVersion?.data ?? '').toString()).toBe('"shop:v1"');
  });
});

describe('a new workflow', () => {
  it('goes to the current version, or to workers without one', () => {
    const world = new Deployed('v1');
    world.start();
    expect(world.waits()).toEqual(['v1']);
    // A task that waits may go elsewhere still.
    expect(describeRun(world.state)?.versioningInfo).toBeUndefined();
    world.takeWorkflowTask();
    expect(describeRun(world.state)?.versioningInfo?.versionTransition?.version).toBe('shop.v1');
    const bare = new Deployed('');
    bare.shop.current = undefined;
    bare.start();
    expect(bare.waits()).toEqual([undefined]);
    expect(describeRun(bare.state)?.versioningInfo).toBeUndefined();
  });

  it('moves while it waits when another version becomes current', () => {
    const world = new Deployed('v1');
    world.start();
    world.deploy('v2');
    expect(world.waits()).toEqual(['v2']);
    world.reload();
    expect(world.waits()).toEqual(['v2']);
    world.deploy(undefined);
    expect(world.waits()).toEqual([undefined]);
  });
});

describe('a pinned run', () => {
  it('stays on its version, its activities with it', () => {
    const world = begun(PINNED);
    world.signal('next');
    world.deploy('v2');
    expect(world.waits()).toEqual(['v1']);
    world.workAs(PINNED, schedule(), command.activity('b', { taskQueue: { name: 'elsewhere' } }));
    expect(world.waits('activity')).toEqual(['v1', undefined]);
    world.deploy('v3');
    expect(world.waits('activity')).toEqual(['v1', undefined]);
    expect(world.lastOf(EventType.WORKFLOW_TASK_COMPLETED).attributes).toMatchObject({
      versioningBehavior: PINNED,
      deploymentVersion: { deploymentName: 'shop', buildId: 'v1' },
      workerDeploymentName: 'shop',
      workerDeploymentVersion: 'shop.v1',
    });
  });

  it('has an activity on another queue of its version with it, too, once that queue is known', () => {
    const world = begun(PINNED);
    world.signal('next');
    world.workAs(PINNED, schedule('mail'));
    world.deploy('v2');
    expect(world.waits('activity')).toEqual([undefined]);
    world.shop.served.add('mail');
    world.accept({ type: 'reroute' });
    expect(world.waits('activity')).toEqual(['v1']);
  });

  it('hands its version to children and to what continues it, not to the next of a cron', () => {
    const world = begun(PINNED);
    world.signal('next');
    world.deploy('v2');
    world.workAs(PINNED, command.child('child-1'));
    const sent = world.effects.find((effect) => effect.type === 'send');
    expect(sent).toMatchObject({ message: { inheritedPinnedVersion: { buildId: 'v1' } } });
    world.signal('again');
    world.workAs(PINNED, { commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION, attributes: {} } as never);
    expect(world.history()[0]?.attributes).toMatchObject({ inheritedPinnedVersion: { buildId: 'v1' } });
    world.pass(1_000);
    expect(world.waits()).toEqual(['v1']);
    const cron = new Deployed('v1');
    cron.now = 1_700_000_000_000;
    cron.start({ cronSchedule: '* * * * *' });
    cron.pass(60_000);
    cron.workAs(PINNED, command.complete());
    cron.deploy('v2');
    cron.pass(60_000);
    expect(cron.history()[0]?.attributes).toMatchObject({ initiator: ContinueAsNewInitiator.CRON_SCHEDULE });
    expect(cron.waits()).toEqual(['v2']);
  });

  it('may let what continues it begin where new workflows do, or on the version that ramps', () => {
    for (const [initial, expected] of [
      [ContinueAsNewVersioningBehavior.AUTO_UPGRADE, 'v2'],
      [ContinueAsNewVersioningBehavior.USE_RAMPING_VERSION, 'v3'],
    ] as const) {
      const world = begun(PINNED);
      world.shop.ramp = v('v3');
      world.signal('next');
      world.deploy('v2');
      const attributes = { initialVersioningBehavior: initial };
      world.workAs(PINNED, { commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION, attributes } as never);
      world.pass(1_000);
      expect(world.waits()).toEqual([expected]);
    }
  });
});

describe('a run that upgrades', () => {
  it('goes to the current version with its next task, and leaves its warm worker for it', () => {
    const world = begun(AUTO_UPGRADE);
    world.signal('next');
    expect(waitingOffers(world.state)[0]?.sticky?.queue).toBe(STICKY_QUEUE);
    world.workAs(AUTO_UPGRADE);
    world.shop.current = v('v2');
    world.signal('after');
    expect(waitingOffers(world.state)[0]?.sticky).toBeUndefined();
    expect(world.waits()).toEqual(['v2']);
    world.workAs(AUTO_UPGRADE);
    expect(describeRun(world.state)?.versioningInfo).toEqual({
      ...{ behavior: AUTO_UPGRADE, version: 'shop.v2' },
      deploymentVersion: { deploymentName: 'shop', buildId: 'v2' },
    });
  });
});

describe('an override', () => {
  const pin = (buildId: string) => ({ pinned: { behavior: 1, version: { deploymentName: 'shop', buildId } } }) as const;
  const update = (world: World, versioningOverride: ReturnType<typeof pin> | { autoUpgrade: true } | 'unset') =>
    world.accept({ type: 'updateOptions', target: {}, versioningOverride, identity: 'me' });

  it('is an event, counts more than the workflow itself, and moves what waits', () => {
    const world = begun(AUTO_UPGRADE);
    world.signal('next');
    update(world, pin('v9'));
    expect(world.last()).toMatchObject({
      eventType: EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED,
      attributes: { versioningOverride: pin('v9'), identity: 'me' },
    });
    expect(world.waits()).toEqual(['v9']);
    const { length } = world.history();
    update(world, pin('v9'));
    expect(world.history()).toHaveLength(length);
    world.deploy('v2');
    expect(world.waits()).toEqual(['v9']);
    update(world, 'unset');
    expect(world.waits()).toEqual(['v2']);
    expect(world.last().attributes).toMatchObject({ unsetVersioningOverride: true });
  });

  it('upgrades a pinned run', () => {
    const world = begun(PINNED);
    world.signal('next');
    world.deploy('v2');
    update(world, { autoUpgrade: true });
    expect(world.waits()).toEqual(['v2']);
  });

  it('given at the start holds from the first task on, and for what continues', () => {
    const world = new Deployed('v1');
    world.start({ versioningOverride: pin('v7') });
    expect(world.waits()).toEqual(['v7']);
    world.workAs(AUTO_UPGRADE, {
      commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
      attributes: {},
    } as never);
    world.pass(1_000);
    expect(world.waits()).toEqual(['v7']);
  });
});

describe('whatever is deployed, and whenever', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('deploy' as const), build: fc.constantFrom('v1', 'v2', 'v3') }),
    fc.constant({ do: 'signal' as const }),
    fc.constant({ do: 'work' as const }),
    fc.constant({ do: 'reload' as const }),
  );

  it('a pinned run’s tasks go to its version alone, and no waiting task is lost', () => {
    fc.assert(
      fc.property(fc.constantFrom(PINNED, AUTO_UPGRADE), fc.array(step, { maxLength: 40 }), (behavior, steps) => {
        const world = begun(behavior);
        let signals = 0;
        for (const now of steps) {
          if (now.do === 'deploy') world.deploy(now.build);
          else if (now.do === 'signal') {
            world.signal(`s${signals}`);
            signals += 1;
          } else if (now.do === 'reload') world.reload();
          else if (world.waits().length > 0) world.workAs(behavior);
          const current = world.shop.current && versionOfKey(world.shop.current).buildId;
          const due = world.state.run?.row.task === undefined ? [] : [behavior === PINNED ? 'v1' : current];
          expect(world.waits()).toEqual(due);
        }
      }),
      { numRuns: 100 },
    );
  });
});
