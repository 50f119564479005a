// What waits in a queue by priority, for who asks: counted without reading where one priority is all there is, else read up to a bound. Used by backlog.ts.

import type { Key } from '../ports/ids.ts';
import type { PriorityBacklog } from '../ports/matching.ts';
import { backlogShard, backlogTime, priorityRange } from './keys.ts';
import type { Reader, Row } from './reader.ts';
import { decodeWaitingTask } from './waiting-task.ts';

const PRIORITIES = [1, 2, 3, 4, 5];
/** Rows of one priority that are counted one by one; where there are more, it is the rest of what is known of all. */
const COUNTED = 10_000;
const CHUNK = 512;

export interface Waiting {
  prefix: string;
  /** No row lies below. */
  low: Key;
  /** Of all priorities. */
  count: number;
  isLed(shard: number): boolean;
}

interface Level extends PriorityBacklog {
  next: Key | undefined;
  to: Key;
}

export async function waitingByPriority(reader: Reader, waiting: Waiting): Promise<PriorityBacklog[]> {
  const { prefix, low, count } = waiting;
  const levels: Level[] = [];
  for (const priority of PRIORITIES) {
    const { from, to } = priorityRange(prefix, priority);
    if (low >= to) continue;
    const level: Level = { priority, count: 0, oldest: undefined, next: from, to };
    if (low > from) level.next = low;
    while (level.count === 0 && level.next !== undefined) await read(reader, waiting, level);
    if (level.count > 0) levels.push(level);
  }
  const [only] = levels;
  if (levels.length === 1 && only !== undefined) return [{ priority: only.priority, count, oldest: only.oldest }];
  for (const level of levels) {
    while (level.next !== undefined && level.count < COUNTED) await read(reader, waiting, level);
  }
  const long = levels.filter(({ next }) => next !== undefined);
  const rest = Math.max(0, count - levels.reduce((sum, level) => sum + level.count, 0));
  return levels.map(({ priority, count: counted, oldest, next }) => ({
    ...{ priority, oldest },
    count: next === undefined ? counted : counted + Math.floor(rest / long.length),
  }));
}

async function read(reader: Reader, { prefix, isLed }: Waiting, level: Level): Promise<void> {
  if (level.next === undefined) return;
  const { rows, next } = await reader.chunk(level.next, level.to, CHUNK);
  for (const row of rows) {
    if (!isLed(backlogShard(row[0], prefix))) continue;
    level.count += 1;
    level.oldest ??= timeOf(row, prefix);
  }
  level.next = next;
}

const timeOf = ([k, bytes]: Row, prefix: string): number | undefined =>
  backlogTime(k, prefix) ?? decodeWaitingTask(k, bytes).fair?.time;
