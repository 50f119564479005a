// The executions and queries of the search tests, and what a list of them means, said naively. Used by tests only.

import fc from 'fast-check';
import { Subject, schemaOf } from '../core/visibility/index.ts';
import { MAX_INDEXED_WORDS } from '../core/visibility/indexed.ts';
import type { Message } from '../core/workflow/message.ts';
import { decode, encode } from '../wire/codec.ts';
import { IndexedValueType } from '../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../wire/execution-info.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../wire/visibility.ts';
import { command, NAMESPACE, QUEUE, stamped, type World } from './testing.ts';

export const SHARDS = 4;
export const ATTRIBUTES = {
  City: IndexedValueType.KEYWORD,
  Tags: IndexedValueType.KEYWORD_LIST,
  Note: IndexedValueType.TEXT,
  Amount: IndexedValueType.INT,
  Ratio: IndexedValueType.DOUBLE,
  Vip: IndexedValueType.BOOL,
  Due: IndexedValueType.DATETIME,
};
export const SCHEMA = schemaOf(new Map(Object.entries(ATTRIBUTES)));

/** A shard's meta as it was: time, sent, received. */
export const withoutCounters = (meta: Uint8Array): Uint8Array => encode((decode(meta) as unknown[]).slice(0, 3));

export async function pages(
  w: World,
  query: string,
  pageSize: number,
  between?: () => Promise<void>,
): Promise<WorkflowExecutionInfo[]> {
  const all: WorkflowExecutionInfo[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const token = nextPageToken;
    const { value, error } = await w.call<ListWorkflowExecutionsResponse>((done) =>
      w.engine.list({ namespace: NAMESPACE, query, attributes: ATTRIBUTES, pageSize, nextPageToken: token }, done),
    );
    if (value === undefined) throw new Error(error?.message);
    if (value.executions.length > pageSize) throw new Error(`a page of ${value.executions.length}`);
    all.push(...value.executions);
    nextPageToken = value.nextPageToken;
    await between?.();
  } while (nextPageToken !== undefined);
  return all;
}

export const count = async (w: World, query: string) =>
  w.call<CountWorkflowExecutionsResponse>((done) =>
    w.engine.count({ namespace: NAMESPACE, query, attributes: ATTRIBUTES }, done),
  );

// ---------------------------------------------------------------- executions

/** Longer than what an index holds, and alike there. */
export const LONG = 'x'.repeat(300);

/** More words than have rows. */
const MANY_WORDS = Array.from({ length: MAX_INDEXED_WORDS + 1 }, (_, i) => `word${i}`).join(' ');

export const values = fc.record(
  {
    City: fc.constantFrom('Rome', 'Röme', 'rome', '', 'R\u0000me', '😀', '\uffff', `${LONG}a`, `${LONG}b`),
    Tags: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
    Note: fc.constantFrom('the quick fox', 'Fox, lazy', MANY_WORDS),
    Amount: fc.constantFrom(-7, 0, 1, 2, 1e15),
    Ratio: fc.constantFrom(-1e300, -0.5, 0, 2.25),
    Vip: fc.boolean(),
    Due: fc.constantFrom('2024-01-01T00:00:00Z', '2025-06-01T12:00:00.5+02:00'),
  },
  { requiredKeys: [] },
);
export type Values = Record<string, unknown>;

export const TYPE_NAMES: Record<string, string> = {
  ...{ City: 'Keyword', Tags: 'KeywordList', Note: 'Text', Amount: 'Int' },
  ...{ Ratio: 'Double', Vip: 'Bool', Due: 'Datetime' },
};

export const attributes = (of: Values) => ({
  indexedFields: Object.fromEntries(
    Object.entries(of).map(([name, value]) => [name, stamped(TYPE_NAMES[name] ?? '', value)]),
  ),
});

export interface Spec {
  id: number;
  type: number;
  values: Values;
  upserts: Values[];
  /** `elsewhere`: in a task queue that nobody asks. */
  fate: 'open' | 'completes' | 'continues' | 'begets' | 'elsewhere';
  pause: number;
  /** Its worker's. */
  buildId?: string | undefined;
}

export const specs: fc.Arbitrary<Spec[]> = fc.array(
  fc.record({
    id: fc.nat(5),
    type: fc.nat(2),
    values,
    // Null removes.
    upserts: fc.array(
      fc.oneof(
        values,
        fc.subarray(Object.keys(TYPE_NAMES)).map((names) => Object.fromEntries(names.map((n) => [n, null]))),
      ),
      { maxLength: 2 },
    ),
    fate: fc.constantFrom('open', 'completes', 'completes', 'continues', 'begets', 'elsewhere'),
    pause: fc.constantFrom(0, 0, 1, 400),
    buildId: fc.constantFrom(undefined, undefined, 'b1', 'b2'),
  }),
  { minLength: 1, maxLength: 25 },
);

export async function populate(w: World, wanted: readonly Spec[]): Promise<void> {
  const worker = w.worker({ workflow: 1_000 });
  for (const { id, type, values: at, upserts, fate, pause, buildId } of wanted) {
    const taskQueue = fate === 'elsewhere' ? 'elsewhere' : QUEUE;
    const message = w.startMessage({ workflowType: `type-${type}`, taskQueue, searchAttributes: attributes(at) });
    const { error } = await w.send(`id-${id}`, message);
    const [task] = worker.received.splice(0).filter(({ workflowId }) => workflowId === `id-${id}`);
    if (error === undefined && task !== undefined) {
      const commands = upserts
        .filter((changes) => Object.keys(changes).length > 0)
        .map((changes) => command.upsert(attributes(changes)));
      if (fate === 'begets') commands.push(command.child(`id-${(id + 1) % 6}`));
      if (fate === 'completes') commands.push(command.complete());
      if (fate === 'continues') commands.push(command.continueAsNew());
      const completion = w.completion(task, commands);
      const workerVersion = buildId === undefined ? undefined : { buildId };
      if (commands.length > 0) await w.send(`id-${id}`, { ...completion, workerVersion } as Message); // a completion it is
    }
    if (pause === 1) await w.engine.flush();
    await w.time.advance(pause);
  }
}

// ---------------------------------------------------------------- queries

export const clause = fc.oneof(
  fc.nat(6).map((n) => `WorkflowId = 'id-${n}'`),
  fc.nat(3).map((n) => `WorkflowType = 'type-${n}'`),
  fc.constantFrom(
    ...["ExecutionStatus = 'Running'", "ExecutionStatus != 'Running'", 'ExecutionStatus = 2', 'CloseTime IS NULL'],
    ...["WorkflowId IN ('id-1', 'id-2')", "WorkflowId STARTS_WITH 'id-1'", "WorkflowType NOT IN ('type-0')"],
    ...["City = 'Rome'", "City != 'Rome'", "City = '😀'", "City > 'R'", "City <= 'rome'", "City BETWEEN 'R' AND 'rz'"],
    ...["City STARTS_WITH 'R'", "City STARTS_WITH ''", "City IN ('Rome', '')", 'City IS NULL', "City = '\uffff'"],
    ...[`City = '${LONG}a'`, `City STARTS_WITH '${LONG}'`, `City > '${LONG}a'`, `City <= '${LONG}a'`],
    ...["Tags = 'a'", "Tags != 'a'", "Tags IN ('b', 'c')", "Tags NOT IN ('b')", "Tags = 'a' AND Tags = 'b'"],
    ...["Note = 'fox'", "Note != 'quick'", 'Note IS NOT NULL', `Note = 'word${MAX_INDEXED_WORDS} lazy'`],
    ...["TaskQueue = 'elsewhere'", "TaskQueue != 'elsewhere'", "TaskQueue IN ('orders', 'x')", "RunId = '$runId'"],
    ...["ParentWorkflowId = '$id'", "ParentRunId = '$runId'", "RootWorkflowId = '$id'", "RootRunId = '$runId'"],
    ...["BuildIds = 'unversioned:b1'", "BuildIds IN ('unversioned', 'x')", "BuildIds != 'unversioned:b2'"],
    ...['Amount > 0', 'Amount < 1', 'Amount = 0', 'Amount IN (1, -7)', 'Amount BETWEEN -10 AND 1', 'Amount != 2'],
    ...['Ratio >= -0.5', 'Ratio < 0', 'Vip = true', 'NOT Vip = true', "Due > '2025-01-01T00:00:00Z'"],
  ),
  fc
    .tuple(fc.constantFrom('<', '<=', '=', '>', '>='), fc.nat(1_500))
    .map(([op, ms]) => `StartTime ${op} ${1_700_000_000_000 + ms}000000`),
);
export const condition = fc
  .tuple(fc.array(clause, { maxLength: 3 }), fc.constantFrom(' AND ', ' OR ', ') AND NOT ('))
  .map(([clauses, glue]) => (clauses.length === 0 ? '' : `(${clauses.join(glue)})`));

export const FIELDS = [
  'StartTime',
  'CloseTime',
  'ExecutionTime',
  'WorkflowType',
  'City',
  'Amount',
  'Ratio',
  'Vip',
  'ExecutionStatus',
];
export const order = fc.array(
  fc.record({ field: fc.constantFrom(...FIELDS), way: fc.constantFrom('ASC' as const, 'DESC' as const) }),
  { maxLength: 3 },
);
export type Order = { field: string; way: 'ASC' | 'DESC' }[];

export const orderText = (terms: Order): string =>
  terms.length === 0 ? '' : ` ORDER BY ${terms.map(({ field, way }) => `${field} ${way}`).join(', ')}`;

/** What an order means, said naively: by value, NULL last, descending the other way round; then newest first. */
export function inOrder(infos: readonly WorkflowExecutionInfo[], terms: Order): WorkflowExecutionInfo[] {
  const value = (info: WorkflowExecutionInfo, field: string): unknown => SCHEMA(field)?.read(new Subject(info));
  const compare = (a: unknown, b: unknown): number => {
    if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
    if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
    return a === b ? 0 : Number(a) < Number(b) ? -1 : 1;
  };
  const newest = (a: WorkflowExecutionInfo, b: WorkflowExecutionInfo): number =>
    b.startTime - a.startTime || (a.runId < b.runId ? -1 : 1);
  const [only] = terms;
  if (terms.length === 1 && only?.field === 'StartTime') {
    const sorted = [...infos].sort(newest);
    return only.way === 'DESC' ? sorted : sorted.reverse();
  }
  return [...infos].sort((a, b) => {
    for (const { field, way } of terms) {
      const result = compare(value(a, field), value(b, field));
      if (result !== 0) return way === 'ASC' ? result : -result;
    }
    return newest(a, b);
  });
}

export const rowsOf = (infos: readonly WorkflowExecutionInfo[]): string[] =>
  infos.map(({ workflowId, runId }) => `${workflowId} ${runId}`);

/** The same, with the ids that it names by a `$` those of one of these. */
export function about(text: string, infos: readonly WorkflowExecutionInfo[]): string {
  const { workflowId = '', runId = '' } = infos[text.length % Math.max(1, infos.length)] ?? {};
  return text.replaceAll('$id', workflowId).replaceAll('$runId', runId);
}

type GroupValue = string | number | boolean | null;

/** As a count answers, of everything. */
export async function groupsBy(w: World, field: string): Promise<Map<GroupValue, number>> {
  const { value, error } = await count(w, `GROUP BY ${field}`);
  if (value?.groups === undefined) throw new Error(error?.message);
  const groups = value.groups.map(({ groupValues: [name = null], count: n }) => [name, n] as const);
  if (groups.reduce((sum, [, n]) => sum + n, 0) !== value.count) throw new Error('groups are not all there is');
  return new Map(groups as [GroupValue, number][]);
}

export function naiveGroups(infos: readonly WorkflowExecutionInfo[], field: string): Map<GroupValue, number> {
  const groups = new Map<GroupValue, number>();
  for (const info of infos) {
    const value = (SCHEMA(field)?.read(new Subject(info)) ?? null) as GroupValue; // of no list
    groups.set(value, (groups.get(value) ?? 0) + 1);
  }
  return groups;
}
