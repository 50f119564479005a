// Lists and counts of several nodes against those of one node that holds everything: the same executions in the same order, each once, whatever
// the sizes of pages and the spread of shards.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shardOf } from '../../src/shard/keys.ts';
import { pageTokenOf } from '../../src/shard/search.ts';
import { command, NAMESPACE, World } from '../../src/shard/testing.ts';
import { MemoryDisk, openMemoryStore } from '../../src/store/index.ts';
import type { WorkflowExecutionInfo } from '../../src/wire/execution-info.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../../src/wire/visibility.ts';
import { halfOf, mergeCounts, mergePages } from './merge.ts';
import { decodeShards, encodeShards } from './search.ts';

const SHARDS = 16;
const placeIn =
  (query: string) =>
  (info: WorkflowExecutionInfo): Uint8Array =>
    pageTokenOf({ namespace: NAMESPACE, query })(info, shardOf(NAMESPACE, info.workflowId, SHARDS));
const placeOf = placeIn('');

async function populated(count: number): Promise<World> {
  const disk = new MemoryDisk();
  const w = await new World(() => openMemoryStore({ shardCount: SHARDS, directoryId: 'd', disk })).open();
  const worker = w.worker({ workflow: 1_000 });
  for (let i = 0; i < count; i += 1) {
    await w.send(`id-${i}`, w.startMessage({ workflowType: `type-${i % 3}` }));
    const task = worker.take('workflow');
    if (i % 4 === 0) await w.send(`id-${i}`, w.completion(task, [command.complete()]));
    if (i % 5 === 0) await w.time.advance(1);
  }
  return w;
}

const list = async (
  w: World,
  query: string,
  pageSize: number,
  nextPageToken: Uint8Array | undefined,
  shards: ReadonlySet<number> | undefined,
): Promise<ListWorkflowExecutionsResponse> => {
  const { value, error } = await w.call<ListWorkflowExecutionsResponse>((done) =>
    w.engine.list({ namespace: NAMESPACE, query, pageSize, nextPageToken, shards }, done),
  );
  if (value === undefined) throw new Error(error?.message);
  return value;
};

const count = async (
  w: World,
  query: string,
  shards?: ReadonlySet<number>,
): Promise<CountWorkflowExecutionsResponse> => {
  const { value, error } = await w.call<CountWorkflowExecutionsResponse>((done) =>
    w.engine.count({ namespace: NAMESPACE, query, shards }, done),
  );
  if (value === undefined) throw new Error(error?.message);
  return value;
};

const idsOf = (infos: readonly WorkflowExecutionInfo[]): string[] => infos.map(({ runId }) => runId);

/** Each shard at one of `nodes`. */
function spread(nodes: number, of: (shard: number) => number): Set<number>[] {
  const sets = Array.from({ length: nodes }, () => new Set<number>());
  for (let shard = 0; shard < SHARDS; shard += 1) sets[of(shard) % nodes]?.add(shard);
  return sets;
}

describe('pages of several nodes', () => {
  it('are those of one, and counts too', async () => {
    const w = await populated(60);
    const queries = [
      ...['', "WorkflowType = 'type-1'", "ExecutionStatus = 'Running'", "WorkflowType != 'type-1'"],
      ...["WorkflowId = 'id-7'", 'ORDER BY StartTime ASC', 'CloseTime IS NOT NULL ORDER BY StartTime'],
      ...['ORDER BY CloseTime', 'ORDER BY CloseTime DESC', 'ORDER BY WorkflowType DESC, HistoryLength, RunId'],
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...queries),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(3), { minLength: SHARDS, maxLength: SHARDS }),
        async (query, pageSize, nodes, owners) => {
          const all = (await list(w, query, 1_000, undefined, undefined)).executions;
          const found: string[] = [];
          let token: Uint8Array | undefined;
          let round = 0;
          do {
            // Shards change hands between two pages.
            round += 1;
            const sets = spread(nodes, (shard) => (owners[shard] ?? 0) + round);
            const pages: ListWorkflowExecutionsResponse[] = [];
            for (const shards of sets) pages.push(await list(w, query, pageSize, token, shards));
            const page = mergePages(pages, pageSize, placeIn(query));
            expect(page.executions.length).toBeLessThanOrEqual(pageSize);
            found.push(...idsOf(page.executions));
            token = page.nextPageToken;
          } while (token !== undefined && round < 200);
          expect(found).toEqual(idsOf(all));
          if (query.includes('ORDER BY')) return;
          const counts: CountWorkflowExecutionsResponse[] = [];
          for (const shards of spread(nodes, (shard) => owners[shard] ?? 0)) counts.push(await count(w, query, shards));
          expect(mergeCounts(counts, 10)).toEqual(await count(w, query));
        },
      ),
      { numRuns: 25 },
    );
    for (const query of ['GROUP BY ExecutionStatus', 'GROUP BY WorkflowType']) {
      const counts: CountWorkflowExecutionsResponse[] = [];
      for (const shards of spread(3, (shard) => shard)) counts.push(await count(w, query, shards));
      const sorted = ({ count: n, groups }: CountWorkflowExecutionsResponse): unknown => [
        n,
        groups?.map((group) => JSON.stringify(group)).sort(),
      ];
      const merged = mergeCounts(counts, 10);
      if (merged === undefined) throw new Error('too many groups');
      expect(sorted(merged)).toEqual(sorted(await count(w, query)));
      expect(mergeCounts(counts, 1)).toBeUndefined();
    }
    await w.engine.close();
  });

  it('hold a node that stopped early against those that went on: nothing beyond its token is shown yet', () => {
    const info = (workflowId: string, startTime: number): WorkflowExecutionInfo =>
      // Merging reads these fields alone.
      ({ workflowId, runId: workflowId, startTime }) as WorkflowExecutionInfo;
    const [w1, w2, w3, w4] = [info('w1', 40), info('w2', 30), info('w3', 20), info('w4', 10)] as const;
    const page = mergePages(
      [
        // Scanned as much as it may, found nothing, and is at w2's place.
        { executions: [], nextPageToken: placeOf(w2) },
        { executions: [w1, w3, w4] },
      ],
      10,
      placeOf,
    );
    expect(idsOf(page.executions)).toEqual(['w1']);
    expect(page.nextPageToken).toEqual(placeOf(w2));
    // The same execution from both sides of a move.
    expect(idsOf(mergePages([{ executions: [w1, w2] }, { executions: [w2, w3] }], 10, placeOf).executions)).toEqual([
      'w1',
      'w2',
      'w3',
    ]);
    expect(halfOf({ executions: [w1, w2, w3] }, placeOf)).toEqual({ executions: [w1, w2], nextPageToken: placeOf(w2) });
  });
});

describe('shards of a request', () => {
  it('come through as they were, and another number of shards is noticed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.array(fc.nat(69)), (shardCount, shards) => {
        const set = new Set(shards.filter((shard) => shard < shardCount));
        expect(decodeShards(encodeShards(set, shardCount), shardCount)).toEqual(set);
        expect(decodeShards(encodeShards(set, shardCount + 8), shardCount)).toBeUndefined();
      }),
    );
    expect(decodeShards(Uint8Array.of(0xff), 7)).toBeUndefined();
  });
});
