// Deployments over real shards: who may change what when, and that tasks follow routes through restarts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeploymentChange } from '../core/deployment/change.ts';
import { RoutingTable } from '../core/deployment/routes.ts';
import { versionedQueue, versionKey } from '../core/deployment/versioned-queue.ts';
import type { DeploymentAnswer } from '../ports/deployments.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { VersioningBehavior } from '../wire/enums.ts';
import { StatusCode } from '../wire/status.ts';
import type { ListWorkflowExecutionsResponse } from '../wire/visibility.ts';
import { command, NAMESPACE, QUEUE, World } from './testing.ts';

const how = { identity: 'me', missingQueues: 'refuse', unknownVersion: 'refuse' } as const;
const current = (buildId: string): DeploymentChange => ({ type: 'setCurrent', buildId, ...how });
const poll = (buildId: string): DeploymentChange => ({
  ...{ type: 'poll', buildId, identity: 'w', queue: { name: QUEUE, type: 1 } },
});
const queueOf = (buildId: string): string => versionedQueue(QUEUE, versionKey({ deploymentName: 'shop', buildId }));

/** A node that hears of its own changes at once. */
class Shop {
  readonly table = new RoutingTable();
  readonly world: World;

  constructor(disk: MemoryDisk, bounds: object = {}) {
    this.world = new World(() => openMemoryStore({ disk, shardCount: 4 }), { routes: this.table, bounds });
  }

  async change(change: DeploymentChange): Promise<DeploymentAnswer | StatusCode> {
    const { value, error } = await this.world.call<DeploymentAnswer>((done) =>
      this.world.engine.deployments({ type: 'change', namespace: NAMESPACE, name: 'shop', change }, done),
    );
    await this.hear();
    return value ?? error?.code ?? StatusCode.UNKNOWN;
  }

  async hear(): Promise<void> {
    const { value } = await this.world.call<DeploymentAnswer>((done) =>
      this.world.engine.deployments({ type: 'list' }, done),
    );
    const changed = this.table.learn(value?.records ?? []);
    this.world.engine.reroute(changed);
    await this.world.time.settle();
  }

  /** A worker of a version that takes one task, if one waits. */
  async take(buildId: string) {
    const worker = this.world.worker({ queue: queueOf(buildId), workflow: 1, session: `${buildId}-${this.#taken}` });
    this.#taken += 1;
    await this.world.time.settle();
    worker.credit.workflow = 0;
    return worker.received[0];
  }

  #taken = 0;
}

describe('a deployment', () => {
  it('is there after a restart, and says what has not changed with a number', async () => {
    const shop = new Shop(new MemoryDisk());
    await shop.world.open();
    await shop.change(poll('v1'));
    await shop.change(current('v1'));
    await shop.world.restart();
    const list = (since?: number) =>
      shop.world.call<DeploymentAnswer>((done) => shop.world.engine.deployments({ type: 'list', since }, done));
    const { value } = await list();
    expect(value?.records).toMatchObject([{ name: 'shop', routing: { currentBuildId: 'v1', revision: 1 } }]);
    expect((await list(value?.revision)).value?.records).toBeUndefined();
  });

  it('is changed by one of two who change it with the same token', async () => {
    const shop = new Shop(new MemoryDisk());
    await shop.world.open();
    await shop.change(poll('v1'));
    const made = await shop.change(poll('v2'));
    const token = typeof made === 'number' ? 0 : made.records?.[0]?.token;
    const [one, other] = await Promise.all(
      ['v1', 'v2'].map((buildId) => shop.change({ ...current(buildId), token } as DeploymentChange)),
    );
    expect(typeof one).toBe('object');
    expect(other).toBe(StatusCode.FAILED_PRECONDITION);
  });
});

describe('waiting tasks', () => {
  it('follow a route that is heard of while the entry that offers them is on its way to the disk', async () => {
    const disk = new MemoryDisk();
    const shop = new Shop(disk);
    const { world, table } = shop;
    await world.open();
    for (const build of ['v1', 'v2']) await shop.change(poll(build));
    await shop.change(current('v1'));
    // Durable, and not heard of yet.
    const { value } = await world.call<DeploymentAnswer>((done) =>
      world.engine.deployments({ type: 'change', namespace: NAMESPACE, name: 'shop', change: current('v2') }, done),
    );
    const held: (() => void)[] = [];
    disk.faults = { complete: (done) => void held.push(done) };
    const starting = world.start('w');
    await world.time.settle();
    world.engine.reroute(table.learn(value?.records ?? []));
    await world.time.settle();
    disk.faults = {};
    for (const done of held) done();
    await starting;
    await world.time.settle();
    const waits = (build: string): number =>
      world.engine.backlog({ namespace: NAMESPACE, name: queueOf(build), kind: 'workflow' }).count;
    expect([waits('v1'), waits('v2')]).toEqual([0, 1]);
  });
  const step = fc.oneof(
    fc.record({ do: fc.constant('deploy' as const), build: fc.constantFrom('v1', 'v2', 'v3') }),
    fc.record({ do: fc.constant('signal' as const), workflow: fc.nat(7) }),
    fc.record({ do: fc.constant('take' as const), build: fc.constantFrom('v1', 'v2', 'v3') }),
    fc.constant({ do: 'flush' as const }),
    fc.constant({ do: 'restart' as const }),
  );

  it('are in the queue of the version they are for: pinned ones stay, others follow, none is lost or there twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const shop = new Shop(new MemoryDisk(), { backlogWindow: 3, flushIntervalMs: 1, cachedActors: 3 });
        const w = shop.world;
        await w.open();
        for (const build of ['v1', 'v2', 'v3']) await shop.change(poll(build));
        await shop.change(current('v1'));
        let now = 'v1';
        let timers = 0;
        // The first four become pinned to whichever version takes their first task.
        const pins = new Map<string, string>();
        const waiting = new Set<string>();
        const last = new Map<string, string>();
        for (let n = 0; n < 8; n += 1) {
          await w.start(`w${n}`);
          waiting.add(`w${n}`);
        }
        const isFor = (id: string): string => pins.get(id) ?? now;
        for (const next of steps) {
          if (next.do === 'deploy') {
            await shop.change(current(next.build));
            now = next.build;
          } else if (next.do === 'signal') {
            await w.send(`w${next.workflow}`, w.signalMessage('more'));
            waiting.add(`w${next.workflow}`);
          } else if (next.do === 'flush') await w.engine.flush();
          else if (next.do === 'restart') {
            await w.restart();
            await shop.hear();
          } else {
            const task = await shop.take(next.build);
            const due = [...waiting].filter((id) => isFor(id) === next.build);
            expect(task === undefined).toBe(due.length === 0);
            if (task === undefined) continue;
            expect(due).toContain(task.workflowId);
            waiting.delete(task.workflowId);
            const isPinned = Number(task.workflowId.slice(1)) < 4;
            const behavior = isPinned ? VersioningBehavior.PINNED : VersioningBehavior.AUTO_UPGRADE;
            // Of its own name: the same workflow may be given twice, and a timer that runs already would fail the task, which then waits again.
            timers += 1;
            const { error } = await w.send(task.workflowId, {
              ...w.completion(task, [command.timer(`t${timers}`, 3_600_000)]),
              ...{ deploymentVersion: { deploymentName: 'shop', buildId: next.build }, versioningBehavior: behavior },
            } as Parameters<World['send']>[1]);
            expect(error).toBeUndefined();
            last.set(task.workflowId, next.build);
            if (isPinned) pins.set(task.workflowId, next.build);
          }
          for (const build of ['v1', 'v2', 'v3']) {
            const { count } = w.engine.backlog({ namespace: NAMESPACE, name: queueOf(build), kind: 'workflow' });
            expect(count).toBe([...waiting].filter((id) => isFor(id) === build).length);
          }
        }
        // What was of another version once is not found there any more.
        for (const build of ['v1', 'v2', 'v3']) {
          const query = `TemporalWorkerDeploymentVersion = 'shop:${build}'`;
          const { value } = await w.call<ListWorkflowExecutionsResponse>((done) =>
            w.engine.list({ namespace: NAMESPACE, query, pageSize: 100, nextPageToken: undefined }, done),
          );
          const found = value?.executions.map(({ workflowId }) => workflowId).sort();
          expect(found).toEqual(
            [...last]
              .filter(([, version]) => version === build)
              .map(([id]) => id)
              .sort(),
          );
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
