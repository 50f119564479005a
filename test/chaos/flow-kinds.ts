// Throttle, debounce and singleton under kill -9: starts of such keys go on while nodes are killed, and then what keys and histories say of them is
// held to what each promises. A permit's time is the key's own, read from its actor: runs stay until they were looked at. How late one may be counts
// without the time that nodes were down.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '../../sdk/client/index.ts';
import { EventType } from '../../src/wire/enums.ts';
import type { DescribeFlowKeyResponse, SingletonPolicy } from '../../src/wire/flow-control.ts';
import { until } from '../support/processes.ts';
import { mostAtOnce, type Span } from './flow-control.ts';
import type { Outages } from './outages.ts';

const PATIENCE_MS = 120_000;
/** The long run is alone on its machine; a slice among other tests may stand still for a while, and only has to go on. */
const IS_ALONE = process.env.TENUTO_FLOW_STARTS !== undefined;
const STILL_MS = 20_000;
const lateness = (ms: number): number => (IS_ALONE ? ms : STILL_MS);
/** Of a key, as many as its description shows. */
const MOST = 100;

export interface Load {
  readonly client: Client;
  readonly taskQueue: string;
  readonly outages: Outages;
}

/** A kind of key under load. */
interface Kind {
  /** Starts until the signal, and then what is still to come. */
  load(enough: AbortSignal): Promise<void>;
  /** @throws what does not hold */
  check(): Promise<void>;
}

const keyOf = ({ client }: Load, key: string): Promise<DescribeFlowKeyResponse> =>
  client.connection.request('describeFlowKey', { namespace: 'default', key, scope: 'namespace' });

/** When it was started, when its first workflow task came, and when and how it ended: by the server. */
async function lifeOf({ client }: Load, workflowId: string) {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const [started] = events;
  const begun = events.find(({ eventType }) => eventType === EventType.WORKFLOW_TASK_SCHEDULED);
  return { workflowId, startedAt: started?.eventTime ?? 0, begunAt: begun?.eventTime, last: events.at(-1) };
}

/** All kinds, from now on. `check` ends them, and throws what does not hold. */
export function flowKinds(load: Load, starts: number): { check(): Promise<void> } {
  const enough = new AbortController();
  const kinds = [
    throttled(load, { keys: Math.ceil(starts / 400), starts: Math.ceil(starts / 10) }),
    debounced(load, { keys: 3 }),
    singletons(load),
  ];
  const loads = Promise.all(kinds.map((kind) => kind.load(enough.signal)));
  // It is waited for below.
  loads.catch(() => {});
  return {
    async check() {
      enough.abort();
      await loads;
      await Promise.all(kinds.map((kind) => kind.check()));
    },
  };
}

/** No more than `limit` begin within any period, and each as soon as that allows, to a period. */
function throttled(load: Load, { keys, starts }: { keys: number; starts: number }): Kind {
  const throttle = { limit: 10, periodMs: 2_000 };
  const each = Math.min(MOST, starts);
  const all = Array.from({ length: keys }, (_, n) => ({
    key: `api-${n}`,
    ids: Array.from({ length: each }, (_unused, i) => `api-${n}-${i}`),
  }));
  const { client, taskQueue, outages } = load;
  return {
    async load() {
      const start = (key: string, workflowId: string) =>
        client.workflow.start('untilTold', {
          ...{ workflowId, taskQueue, args: [0] },
          flowControl: { key, throttle: { limit: throttle.limit, period: throttle.periodMs } },
        });
      await Promise.all(all.flatMap(({ key, ids }) => ids.map((id) => start(key, id))));
    },

    async check() {
      for (const { key, ids } of all) {
        const { holders, counts } = await until(async () => {
          const now = await keyOf(load, key);
          return now.held === each ? now : undefined;
        }, PATIENCE_MS);
        expect(counts.granted).toBe(each);
        expect(new Set(holders.map(({ workflowId }) => workflowId))).toEqual(new Set(ids));
        const lives = new Map(
          (await Promise.all(ids.map((id) => lifeOf(load, id)))).map((life) => [life.workflowId, life]),
        );
        holders.forEach(({ workflowId, since }, n) => {
          const before = holders[n - throttle.limit]?.since ?? Number.NEGATIVE_INFINITY;
          expect(since - before, `${throttle.limit + 1} starts of ${key}`).toBeGreaterThanOrEqual(throttle.periodMs);
          const life = lives.get(workflowId);
          const dueAt = Math.max(before + throttle.periodMs, life?.startedAt ?? 0);
          expect(outages.servedMs(dueAt, since), `${workflowId} is late`).toBeLessThanOrEqual(
            lateness(throttle.periodMs),
          );
        });
        await until(async () => {
          const begun = await Promise.all(ids.map((id) => lifeOf(load, id)));
          return begun.every(({ begunAt }) => begunAt !== undefined) ? true : undefined;
        }, PATIENCE_MS);
        for (const { workflowId, since } of holders) {
          const { begunAt } = await lifeOf(load, workflowId);
          expect(begunAt, `${workflowId} begins with its permit`).toBeGreaterThanOrEqual(since);
        }
        await Promise.all(ids.map((id) => client.workflow.getHandle(id).signal('end')));
        await Promise.all(ids.map((id) => client.workflow.getHandle(id).result()));
      }
    },
  };
}

/** Of starts that follow each other within the quiet period the last one runs, when it is over. */
function debounced(load: Load, { keys }: { keys: number }): Kind {
  const quietMs = 2_000;
  const { client, taskQueue, outages } = load;
  const all = Array.from({ length: keys }, (_, n) => ({ key: `edits-${n}`, ids: [] as string[] }));

  async function edit({ key, ids }: { key: string; ids: string[] }): Promise<void> {
    const workflowId = `${key}-${ids.length}`;
    const args: [number] = [ids.length];
    const flowControl = { key, debounce: { quiet: quietMs } };
    await client.workflow.start('untilTold', { workflowId, taskQueue, args, flowControl });
    ids.push(workflowId);
  }

  async function check({ key, ids }: { key: string; ids: readonly string[] }): Promise<void> {
    const { holders, counts } = await until(async () => {
      const now = await keyOf(load, key);
      return now.debounced === undefined && now.waiting === 0 && now.held + now.counts.superseded === ids.length
        ? now
        : undefined;
    }, PATIENCE_MS);
    expect(counts.granted).toBe(holders.length);
    const permits = new Map(holders.map(({ workflowId, since }) => [workflowId, since]));
    expect([...permits.keys()], 'in the order of their starts').toEqual(ids.filter((id) => permits.has(id)));
    expect(permits.has(ids.at(-1) ?? ''), `the last one of ${key} runs`).toBe(true);
    const lives = await Promise.all(ids.map((id) => lifeOf(load, id)));
    for (const [n, { workflowId, startedAt, last }] of lives.entries()) {
      const next = lives[n + 1]?.startedAt ?? Number.POSITIVE_INFINITY;
      const since = permits.get(workflowId);
      if (since === undefined) {
        expect(last, workflowId).toMatchObject({ eventType: EventType.WORKFLOW_EXECUTION_TERMINATED });
        expect(outages.servedMs(startedAt + quietMs, next), `${workflowId} was the last`).toBeLessThanOrEqual(
          lateness(quietMs),
        );
        continue;
      }
      expect(since - startedAt, `${workflowId} begins too soon`).toBeGreaterThanOrEqual(quietMs);
      expect(outages.servedMs(startedAt + quietMs, since), `${workflowId} is late`).toBeLessThanOrEqual(
        lateness(quietMs),
      );
      // Whatever comes within half of it comes in time, but for outages.
      if (IS_ALONE && !outages.touch(startedAt, since))
        expect(next - startedAt, `${workflowId} begins, and is not the last`).toBeGreaterThanOrEqual(quietMs / 2);
    }
    const times = [...permits.values()];
    for (let n = 1; n < times.length; n += 1)
      expect((times[n] ?? 0) - (times[n - 1] ?? 0), `two of ${key} at once`).toBeGreaterThanOrEqual(quietMs);
    for (const id of permits.keys()) {
      await client.workflow.getHandle(id).signal('end');
      expect(await client.workflow.getHandle(id).result()).toBe(ids.indexOf(id));
    }
  }

  return {
    async load(enough) {
      await Promise.all(
        all.map(async (one, n) => {
          while (one.ids.length < MOST && !enough.aborted) {
            // A burst, of so many.
            for (let i = 0; i < 3 + n; i += 1) {
              await edit(one);
              await sleep((quietMs * (i % 3)) / 8);
            }
            await sleep(quietMs * 1.5);
          }
          await edit(one);
        }),
      );
    },
    check: async () => {
      await Promise.all(all.map(check));
    },
  };
}

const keepsTheFirst = (policy: SingletonPolicy): boolean => policy === 'reject' || policy === 'useExisting';

/** Never two of a key, whatever a second start asks for. */
function singletons(load: Load): Kind {
  const policies: SingletonPolicy[] = ['reject', 'useExisting', 'terminateExisting', 'cancelExisting'];
  const all = policies.map((policy) => ({ policy, made: new Set<string>(), refused: [] as string[] }));
  const { client, taskQueue } = load;
  const RUNS_MS = 250;
  /** Between two starts of a key: some come while one runs, some after it; how many of which, only the machine knows. */
  const PAUSES_MS = [20, 120, 400];
  /** Whatever the machine does, the second comes while the first runs: it stays until that has been answered, or is ended by it. */
  const staying = (policy: SingletonPolicy): string => `${policy}-0`;

  async function spanOf(workflowId: string): Promise<Span | undefined> {
    const { begunAt, last } = await lifeOf(load, workflowId);
    return begunAt === undefined ? undefined : { workflowId, from: begunAt, to: last?.eventTime ?? begunAt };
  }

  return {
    async load(enough) {
      await Promise.all(
        all.map(async ({ policy, made, refused }) => {
          // A worker that finds its node late may keep one for as long as nodes are killed.
          for (let n = 0; !enough.aborted || made.size < 3; n += 1) {
            const workflowId = `${policy}-${n}`;
            const flowControl = { key: policy, singleton: policy };
            try {
              const args: [number] = [RUNS_MS];
              const type = workflowId === staying(policy) ? 'untilTold' : 'limited';
              const handle = await client.workflow.start(type, { workflowId, taskQueue, args, flowControl });
              made.add(handle.workflowId);
            } catch (error) {
              if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
              refused.push(workflowId);
            }
            if (n === 1 && keepsTheFirst(policy)) await client.workflow.getHandle(staying(policy)).signal('end');
            await sleep(PAUSES_MS[n % PAUSES_MS.length]);
          }
        }),
      );
    },

    async check() {
      for (const { policy, made, refused } of all) {
        const free = await until(async () => {
          const now = await keyOf(load, policy);
          return now.held + now.waiting === 0 ? now : undefined;
        }, PATIENCE_MS);
        const ids = [...made];
        const ends = await Promise.allSettled(ids.map((id) => client.workflow.getHandle(id).result()));
        const spans = (await Promise.all(ids.map(spanOf))).filter((span) => span !== undefined);
        expect(mostAtOnce(spans), policy).toBe(1);
        expect(spans.length, policy).toBeGreaterThan(1);
        // Those that were ended by the next one, or never began; and no other failed.
        expect(
          ends.every(({ status }) => status === 'fulfilled'),
          policy,
        ).toBe(keepsTheFirst(policy));
        expect(ends.at(-1)?.status, `the last one of ${policy}`).toBe('fulfilled');
        expect(refused.length > 0, policy).toBe(policy === 'reject');
        expect(free.counts.granted).toBeGreaterThanOrEqual(spans.length);
        for (const id of refused)
          await expect(client.workflow.getHandle(id).describe()).rejects.toThrow(WorkflowNotFoundError);
      }
    },
  };
}
