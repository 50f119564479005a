// Which index is read: the one with the fewest rows, whatever the filter's order and whatever the names; and how much is looked at for it.
import { beforeAll, describe, expect, it } from 'vitest';
import { parseQuery, plan, schemaOf } from '../core/visibility/index.ts';
import type { Key } from '../ports/ids.ts';
import type { Store } from '../ports/store.ts';
import { IndexedValueType, WorkflowExecutionStatus as S } from '../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../wire/execution-info.ts';
import { Overlay } from './overlay.ts';
import { Reader } from './reader.ts';
import { Sources } from './sources.ts';
import { NAMESPACE, stamped } from './testing.ts';
import { decodeInfo, infoKey, visibilityRows } from './visibility.ts';

const EXECUTIONS = 20_000;
const SCHEMA = schemaOf(
  new Map<string, IndexedValueType>([
    ['City', IndexedValueType.KEYWORD],
    ['Amount', IndexedValueType.INT],
  ]),
);

/** Counts the rows it hands out. */
class CountingReader extends Reader {
  rows = 0;

  override async chunk(from: Key, to: Key, limit: number) {
    const chunk = await super.chunk(from, to, limit);
    this.rows += chunk.rows.length;
    return chunk;
  }
}

let sorted: [Key, Uint8Array][];
let reader: CountingReader;
let sources: Sources;

beforeAll(() => {
  const rows = new Map<Key, Uint8Array>();
  for (let i = 0; i < EXECUTIONS; i += 1) {
    const info: WorkflowExecutionInfo = {
      ...{ workflowId: `w-${i}`, runId: `run-${i}`, workflowType: i % 2 === 0 ? 'even' : 'odd', taskQueue: 'q' },
      // Five failed; nearly all completed; one of the cities is rare, and every amount.
      status: i % 4_000 === 7 ? S.FAILED : S.COMPLETED,
      ...{
        startTime: 1_000 + i,
        executionTime: 1_000 + i,
        historyLength: 1,
        historySizeBytes: 1,
        firstRunId: `run-${i}`,
      },
      searchAttributes: {
        indexedFields: {
          City: stamped('Keyword', i % 5_000 === 3 ? 'Rare' : 'Common'),
          Amount: stamped('Int', i),
        },
      },
    };
    visibilityRows({ namespace: NAMESPACE, shard: 0 }, { info, before: undefined, previous: undefined }, (k, value) => {
      if (value !== undefined) rows.set(k, value);
    });
  }
  sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  const store = {
    // What the reader asks of a store here, over rows in order.
    range: async ({ from, to, limit }: { from: Key; to: Key; limit: number }) => {
      let low = 0;
      let high = sorted.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((sorted[middle]?.[0] ?? '') < from) low = middle + 1;
        else high = middle;
      }
      const found: [Key, Uint8Array][] = [];
      for (let i = low; i < sorted.length && found.length < limit; i += 1) {
        const row = sorted[i];
        if (row === undefined || row[0] >= to) break;
        found.push(row);
      }
      return found;
    },
    read: async (k: Key) => rows.get(k),
  } as unknown as Store;
  reader = new CountingReader(new Overlay(), store);
  sources = new Sources({ reader, shardOf: () => 0, gaps: { of: () => [] } });
});

/** All that has to be looked at for a filter, and the index rows that were read to know it. */
async function candidates(query: string): Promise<{ looked: number; rows: number }> {
  reader.rows = 0;
  const question = {
    namespace: NAMESPACE,
    space: NAMESPACE,
    plan: plan(parseQuery(query, SCHEMA)),
    isMeant: () => true,
    whole: 'all' as const,
  };
  const stream = await sources.of({ ...question, way: 'forwards', after: '' });
  let looked = 0;
  for (let placed = await stream.take(500); placed.length > 0; placed = await stream.take(500)) looked += placed.length;
  return { looked, rows: reader.rows };
}

describe('what is looked at', () => {
  it.each([
    ["City = 'Rare'", 4],
    ["City = 'Common' AND ExecutionStatus = 'Failed'", 5],
    ["ExecutionStatus = 'Failed' AND City = 'Common' AND WorkflowType = 'odd'", 5],
    ["ExecutionStatus = 'Completed' AND City = 'Rare'", 4],
    ["WorkflowType = 'odd' AND (City = 'Rare' OR ExecutionStatus = 'Failed')", 9],
    ['Amount = 17', 1],
    ["Amount IN (17, 18, 17) AND City = 'Common'", 2],
    ['Amount >= 19990', 10],
    ["Amount BETWEEN 100 AND 109 AND WorkflowType = 'odd'", 10],
    ["City STARTS_WITH 'Rar'", 4],
    ["City = 'Rare' AND StartTime <= 4000000000", 1],
    ["ExecutionStatus != 'Completed'", 5],
    ["WorkflowType = 'nobody'", 0],
  ])('for %s is what is rare in it', async (query, expected) => {
    const { looked, rows } = await candidates(query);
    expect(looked).toBe(expected);
    // Probes of the others are bounded: never a walk over what is common.
    expect(rows).toBeLessThan(400);
  });

  it.each([
    ["City = 'Common' AND WorkflowType = 'odd'", EXECUTIONS - 4],
    ['Amount > 10', EXECUTIONS],
    ["TaskQueue = 'q'", EXECUTIONS],
    ["NOT City = 'Rare'", EXECUTIONS],
  ])('for %s, where nothing is rare, comes in order of time all the same', async (query, expected) => {
    expect((await candidates(query)).looked).toBe(expected);
  });

  it('has its info where the place says', () => {
    const row = sorted.find(
      ([k]) => k === infoKey({ namespace: NAMESPACE, workflowId: 'w-17', shard: 0 }, 1_017, 'run-17'),
    );
    expect(row && decodeInfo(row[1]).workflowId).toBe('w-17');
  });
});
