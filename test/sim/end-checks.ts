// What must hold when everything is over: each workflow's result is the expected one, effects happened as often as they may, what a fresh
// store reads off the disk is what was durable, and no bound was passed (I9).

import { key, lsn } from '../../src/ports/ids.ts';
import { decodeBatch } from '../../src/shard/batches.ts';
import { decodeEntry } from '../../src/shard/entry.ts';
import type { ShardLimits } from '../../src/shard/limits.ts';
import type { EngineStats } from '../../src/shard/stats.ts';
import type { MemoryDisk } from '../../src/store/memory/backend.ts';
import { openMemoryStore } from '../../src/store/memory/store.ts';
import { decode } from '../../src/wire/codec.ts';
import type { Payloads } from '../../src/wire/common.ts';
import { EventType, WorkflowExecutionStatus } from '../../src/wire/enums.ts';
import type { HistoryEvent } from '../../src/wire/event.ts';
import type { Journal } from './client.ts';
import type { SimDisk } from './disk.ts';
import { same, sameBytes } from './flush-watch.ts';
import { Violation } from './kernel.ts';
import { FAMILY } from './kin.ts';
import { type DeletionWatch, runOfEvents } from './operations/deletion-watch.ts';
import type { WorkflowPlan } from './plan.ts';
import type { Effect, Service } from './service.ts';
import type { Truth } from './truth.ts';

const firstValue = (payloads: Payloads | undefined): unknown => {
  const data = payloads?.payloads?.[0]?.data;
  return data === undefined ? undefined : JSON.parse(Buffer.from(data).toString());
};

export function checkEnds(journals: readonly Journal[], truth: Truth, service: Service): void {
  for (const journal of journals) checkEnd(journal, truth, service);
  checkEffects(truth, service);
  truth.relations.checkEnds();
  truth.flows.checkEnds();
  truth.nexus.checkEnds();
}

function expectedStatus({ type, args }: WorkflowPlan): WorkflowExecutionStatus {
  switch (type) {
    case 'cancellable':
      return WorkflowExecutionStatus.CANCELED;
    case 'patient':
      return WorkflowExecutionStatus.TERMINATED;
    case 'leaver':
      if (args[2] === 'wait') return WorkflowExecutionStatus.TERMINATED;
      return args[2] === 'fail' ? WorkflowExecutionStatus.FAILED : WorkflowExecutionStatus.COMPLETED;
    default:
      return WorkflowExecutionStatus.COMPLETED;
  }
}

function checkEnd({ plan, result }: Journal, truth: Truth, service: Service): void {
  const { workflowId, type, args } = plan;
  if (result === undefined) return;
  const wrong = (what: string): Violation => new Violation('end', `workflow ${workflowId} ${what}`);
  const run = truth.run(result.runId);
  if (run === undefined || run.closed === undefined) throw wrong(`ended in run ${result.runId}, which is not durable`);
  const [event] = decode(result.closeEvent) as HistoryEvent[];
  if (!same(event, run.closed)) throw wrong('was told another end than the durable one');
  const expected = expectedStatus(plan);
  if (result.status !== expected)
    throw wrong(`ended with status ${result.status}, not ${expected}: ${JSON.stringify(event).slice(0, 600)}`);
  const value =
    event?.eventType === EventType.WORKFLOW_EXECUTION_COMPLETED ? firstValue(event.attributes.result) : undefined;
  const keys = (effects: unknown): string[] => (effects as Effect[]).map((effect) => effect.key);
  const must = (condition: boolean): void => {
    if (!condition) throw wrong(`came to ${JSON.stringify(value)}`);
  };
  switch (type) {
    case 'pipeline':
      must(
        same(keys(value), [
          ...Array.from({ length: Number(args[0]) }, (_, i) => `step-${i}`),
          'left',
          'right',
          'middle',
        ]),
      );
      break;
    case 'collector':
      must(
        same(
          (value as string[]).map((id) => Number(id.replace(/^(s|letter-)/, ''))).sort((a, b) => a - b),
          Array.from({ length: Number(args[0]) }, (_, i) => i),
        ),
      );
      break;
    case 'timers':
      must(same(value, ['slept', 'first', 'second', 'cancelled']));
      break;
    case 'cancellable':
      if (![...service.done.values()].some((effect) => effect.workflowId === workflowId && effect.key === 'clean-up')) {
        throw wrong('was cancelled and has not cleaned up');
      }
      break;
    case 'careful': {
      must(value === 'charge' || value === 'failed');
      const begun = service.begun.get(`${workflowId} ${run.runId} charge`) ?? 0;
      if (begun > 1)
        throw new Violation('I6', `workflow ${workflowId}: an activity of one attempt at most ran ${begun} times`);
      if (value === 'charge' && begun !== 1) throw wrong('has the result of an activity that never ran');
      break;
    }
    case 'heartbeats':
      must((value as Effect).key === 'long');
      break;
    case 'locals':
      must(same(value, ['one', 'two', 'three', 'four']));
      break;
    case 'stubborn':
      must(value === 3);
      break;
    case 'family':
      must(same(value, FAMILY));
      break;
    case 'ledger':
      must(
        same(
          [...(value as string[])].sort(),
          Array.from({ length: Number(args[0]) }, (_, i) => `note-${i}`),
        ),
      );
      break;
    case 'shopper':
      must(same(value, [...Array.from({ length: Number(args[0]) }, (_, i) => `paid thing-${i} for 1`), 'given up']));
      break;
    case 'courier':
      must(value === (args[1] as string[]).length);
      break;
    case 'patient':
    case 'leaver':
      break;
  }
}

/** Each result in a history was made by one execution of that very activity, and is there once (I6). */
function checkEffects(truth: Truth, service: Service): void {
  const seen = new Map<number, string>();
  for (const run of truth.runs.values()) {
    for (const event of run.events) {
      if (event.eventType !== EventType.ACTIVITY_TASK_COMPLETED || event.eventId <= run.inherited) continue;
      const { key: effectKey, execution } = firstValue(event.attributes.result) as Effect;
      const where = `run ${run.runId} of ${run.workflowId}, event ${event.eventId}`;
      const done = service.done.get(execution);
      if (done?.key !== effectKey || done.workflowId !== run.workflowId) {
        throw new Violation('I6', `${where} has result ${effectKey}#${execution}, which never was`);
      }
      const other = seen.get(execution);
      if (other !== undefined) throw new Violation('I6', `${where} has the result that ${other} has`);
      seen.set(execution, where);
    }
  }
}

/** Of workflows asked about that are not there, or whose start is not durable. */
const SPARE_ACTORS = 16;

export function checkBounds(stats: EngineStats, bounds: Partial<ShardLimits>, truth: Truth): void {
  const within = (what: keyof EngineStats, limit: number | undefined, slack: number): void => {
    const value = stats[what];
    if (limit !== undefined && value > limit + slack)
      throw new Violation('I9', `${what} is ${value}, its bound ${limit}`);
  };
  within('longPolls', bounds.waiters, 0);
  // Actors with unfinished business may exceed it: never by more than there are workflows.
  within('actors', bounds.cachedActors, truth.workflows.size + SPARE_ACTORS);
  within('outbox', bounds.outboxKept, 0);
  within('pendingTurns', 1_000, 0);
  within('overlayRows', 20_000, 0);
  if (stats.actorBytes < 0 || stats.overlayBytes < 0)
    throw new Violation('I9', `the account of memory is wrong: ${JSON.stringify(stats)}`);
}

/** All rows a store recovers from this medium: flushed ones and those of its log. Rejects when anything is damaged. */
export async function readEverything(disk: MemoryDisk, shardCount: number): Promise<Map<string, Uint8Array>> {
  const store = openMemoryStore({ disk, shardCount });
  const positions = await store.open();
  const rows = new Map<string, Uint8Array>();
  for (const [rowKey, value] of await store.range({ from: key(''), to: key('\xff\xff\xff'), limit: 100_000 }))
    rows.set(rowKey, value);
  for (const [shard, { appliedLsn }] of positions) {
    for await (const { entry } of store.readLog(shard, lsn(appliedLsn + 1))) {
      for (const [rowKey, value] of decodeEntry(entry).rows) {
        if (value === undefined) rows.delete(rowKey);
        else rows.set(rowKey, value);
      }
    }
  }
  await store.close();
  return rows;
}

/** What a fresh store finds is exactly what was durable. */
export async function checkRecovery(disk: SimDisk, shardCount: number, truth: Truth): Promise<void> {
  const found = await readEverything(disk.copy(), shardCount);
  compareRows(found, truth, 'after a crash');
}

/** What is durable, and of which runs only some rows are left. */
export interface ComparedTo {
  readonly rows: ReadonlyMap<string, Uint8Array>;
  readonly watches: { readonly deletions: Pick<DeletionWatch, 'isGone' | 'checkDisk'> };
}

/** By run, in order, however they are joined. */
export function eventsByRun(
  rows: ReadonlyMap<string, Uint8Array>,
  isGone: (runId: string) => boolean,
): Map<string, HistoryEvent[]> {
  const byRun = new Map<string, HistoryEvent[]>();
  for (const [rowKey, value] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!rowKey.startsWith('e') || isGone(runOfEvents(key(rowKey)))) continue;
    const run = rowKey.slice(0, -4);
    const events = byRun.get(run);
    if (events === undefined) byRun.set(run, decodeBatch(value));
    else events.push(...decodeBatch(value));
  }
  return byRun;
}

/** The same events of each run, however they are joined, and the same other rows but for those that flushes add. */
export function compareRows(
  found: ReadonlyMap<string, Uint8Array>,
  { rows: wanted, watches: { deletions } }: ComparedTo,
  when: string,
): void {
  const events = (rows: ReadonlyMap<string, Uint8Array>) => eventsByRun(rows, (runId) => deletions.isGone(runId));
  if (!same([...events(found)], [...events(wanted)])) {
    throw new Violation('I1', `the events on disk ${when} are not those that were durable`);
  }
  deletions.checkDisk(found.keys(), when);
  const other = (rowKey: string): boolean => !/^[emn]/.test(rowKey);
  for (const [rowKey, value] of wanted) {
    if (other(rowKey) && !sameBytes(found.get(rowKey), value)) {
      throw new Violation(
        'I1',
        `row ${JSON.stringify(rowKey)} is ${found.has(rowKey) ? 'another one' : 'gone'} ${when}`,
      );
    }
  }
  for (const rowKey of found.keys()) {
    if (other(rowKey) && !wanted.has(rowKey)) {
      throw new Violation('I4', `row ${JSON.stringify(rowKey)} is back ${when}`);
    }
  }
}
