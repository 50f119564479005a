import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Key, shardId } from '../ports/ids.ts';
import { WorkflowExecutionStatus } from '../wire/enums.ts';
import {
  backlogCountKey,
  backlogKey,
  backlogLowWaterKey,
  base,
  eventsKey,
  eventsPrefix,
  outboxKey,
  retentionKey,
  rowKey,
  settingsKey,
  shardMetaKey,
  startedKey,
  TIMER_LOW_WATER,
  timerKey,
} from './keys.ts';
import { ownerOf, rowLayout } from './row-layout.ts';
import { stamped } from './testing.ts';
import { visibilityRows } from './visibility.ts';

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '\0', 'a\0\u0001', 'é', 'orders'));

describe('the rows of a shard', () => {
  it("are all found, whatever names are in their keys, and none is another shard's", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_535 }), text, text, text, text, (shard, ns, id, run, queue) => {
        const actor = base(shard, ns, id);
        const name = { namespace: ns, name: queue, kind: 'activity' as const };
        const task = { priority: 3, scheduledTime: 9, actorBase: actor, runId: run, scheduledEventId: 5 };
        const keys: Key[] = [
          rowKey(actor, 'chain', '', ''),
          rowKey(actor, 'activity', run, '7'),
          eventsKey(eventsPrefix(actor, run), 1),
          startedKey(queue, 'workflow', actor, run, 5),
          backlogKey(name, task),
          backlogCountKey(shard, name),
          timerKey(1_000, actor),
          retentionKey(1_000, actor, run),
          outboxKey(shard, 1, 2),
          shardMetaKey(shard),
          settingsKey(shard, ns),
        ];
        const info = {
          ...{ workflowId: id, runId: run, workflowType: queue, taskQueue: queue, startTime: 5, executionTime: 5 },
          ...{ status: WorkflowExecutionStatus.RUNNING, historyLength: 1, historySizeBytes: 1, firstRunId: run },
          ...{ rootWorkflowId: id, rootRunId: run },
        };
        const searchAttributes = { indexedFields: { [queue]: stamped('Keyword', id), B: stamped('Bool', true) } };
        const previous = { runId: id, startTime: 4 };
        const change = { info: { ...info, searchAttributes }, before: undefined, previous };
        visibilityRows({ namespace: ns, shard }, change, (k) => keys.push(k));
        const ranges = rowLayout.ranges(shardId(shard));
        for (const k of keys) {
          expect(ownerOf(k)).toBe(shard);
          expect(ranges.filter(({ from, to }) => from <= k && k < to)).toHaveLength(1);
        }
      }),
    );
  });

  it('are not those of the whole node', () => {
    const queue = { namespace: 'default', name: 'q', kind: 'workflow' as const };
    for (const k of [TIMER_LOW_WATER, backlogLowWaterKey(queue)]) expect(ownerOf(k)).toBeUndefined();
  });

  it('lie in ranges in key order, none inside another', () => {
    const ranges = rowLayout.ranges(shardId(65_535));
    ranges.slice(1).forEach(({ from }, i) => {
      expect(from >= (ranges[i]?.to ?? '')).toBe(true);
    });
  });
});
