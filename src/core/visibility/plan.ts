// What a list filter lets an index do: for each part that must hold, the ranges of index rows that hold all its matches, and a range of start times.
// Which of the candidates is the smallest, the shard finds out (src/shard/search.ts). A plan only ever narrows what is looked at, never what matches.

import { activityAddress } from '../../wire/activity-address.ts';
import { IndexedValueType, WorkflowExecutionStatus } from '../../wire/enums.ts';
import type { Value } from './attribute-values.ts';
import { type Field, STATUSES } from './fields.ts';
import { isSparse, MORE_WORDS, type OwnIndexed } from './indexed.ts';
import type { CompareOp, Condition, Query } from './query.ts';

export type IndexRange =
  | { readonly index: 'workflowId'; readonly value: string }
  | { readonly index: 'workflowType'; readonly value: string }
  | { readonly index: 'status'; readonly value: number }
  | { readonly index: 'attribute'; readonly name: string; readonly type: IndexedValueType; readonly value: Value }
  /** In the same index, but an execution may lack its row: of values that nearly all have, and of times when there were none (indexed.ts). */
  | { readonly index: 'sparse'; readonly name: string; readonly type: IndexedValueType; readonly value: string }
  | { readonly index: 'runId'; readonly value: string }
  /** Values from `low` to `high`, or texts that begin with `prefix`: in order of the values, not of time. */
  | {
      readonly index: 'attributeSpan';
      readonly name: string;
      readonly type: IndexedValueType;
      readonly low: Value | undefined;
      readonly high: Value | undefined;
      readonly prefix: string | undefined;
    };

/** All of these together hold every match of one part of the filter. */
export interface Candidate {
  readonly ranges: readonly IndexRange[];
  /** And nothing but its matches. */
  readonly exact: boolean;
}

export interface Plan {
  /** Each is enough. The likely smaller first. */
  readonly candidates: readonly Candidate[];
  /** Epoch ms, inclusive, whole milliseconds. */
  readonly from: number;
  readonly to: number;
  /** The only candidate, or none, and the times say all the query says: nothing is left to evaluate. */
  readonly exact: boolean;
}

const END_OF_TIME = 2 ** 48 - 2;
/** Ranges one candidate may be made of. */
const MAX_RANGES = 64;
/** The likely smaller first. */
const RANK = {
  runId: 0,
  workflowId: 0,
  attribute: 1,
  workflowType: 2,
  sparse: 3,
  status: 4,
  attributeSpan: 5,
} as const;

interface Window {
  from: number;
  to: number;
}

export function plan({ condition }: Query): Plan {
  const window: Window = { from: 0, to: END_OF_TIME };
  const candidates: Candidate[] = [];
  let exact = true;
  for (const term of condition === undefined ? [] : condition.kind === 'and' ? condition.terms : [condition]) {
    if (narrows(window, term)) continue;
    const found = candidateOf(term);
    if (found !== undefined) candidates.push(found);
    if (found?.exact !== true || candidates.length > 1) exact = false;
  }
  candidates.sort((a, b) => rankOf(a) - rankOf(b));
  return { candidates, ...window, exact };
}

const rankOf = ({ ranges }: Candidate): number => Math.max(...ranges.map(({ index }) => RANK[index]));

/** True when the times now say exactly what the term says. */
function narrows(window: Window, term: Condition): boolean {
  if (term.kind === 'between' && term.field.name === 'StartTime') {
    return within(window, Math.ceil(Number(term.low)), Math.floor(Number(term.high)));
  }
  if (term.kind !== 'compare' || term.field.name !== 'StartTime' || typeof term.value !== 'number') return false;
  const at = term.value;
  switch (term.op) {
    case '=':
      return within(window, Math.ceil(at), Math.floor(at));
    case '>':
      return within(window, Math.floor(at) + 1, END_OF_TIME);
    case '>=':
      return within(window, Math.ceil(at), END_OF_TIME);
    case '<':
      return within(window, 0, Math.ceil(at) - 1);
    case '<=':
      return within(window, 0, Math.floor(at));
    case '!=':
      return false;
  }
}

function within(window: Window, from: number, to: number): true {
  window.from = Math.max(window.from, from);
  window.to = Math.min(window.to, to);
  return true;
}

/** The best candidate of a part; undefined: no index helps. */
function candidateOf(term: Condition): Candidate | undefined {
  switch (term.kind) {
    case 'and': {
      const found = term.terms.flatMap((part) => candidateOf(part) ?? []);
      const [best] = found.sort((a, b) => rankOf(a) - rankOf(b));
      return best && { ranges: best.ranges, exact: false };
    }
    case 'or':
      return union(term.terms.map(candidateOf));
    case 'compare':
      return compared(term.field, term.op, term.value);
    case 'in':
      return union([...term.values].map((value) => compared(term.field, '=', value)));
    case 'between':
      return span(term.field, { low: term.low, high: term.high });
    case 'startsWith':
      return span(term.field, { prefix: term.prefix });
    case 'isNull':
      // What is open has not closed.
      return term.field.name === 'CloseTime' ? { ranges: OPEN, exact: false } : undefined;
    case 'words':
      return oneOfWords(term.field, term.words);
    case 'not':
      return undefined;
  }
}

function oneOfWords({ name, attribute: type }: Field, words: ReadonlySet<string>): Candidate | undefined {
  if (type === undefined || words.size === 0 || words.size >= MAX_RANGES) return undefined;
  return { ranges: [...words, MORE_WORDS].map((value) => ({ index: 'sparse', name, type, value })), exact: false };
}

const OPEN: readonly IndexRange[] = [WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.PAUSED].map((value) => ({
  index: 'status',
  value,
}));

/** Of parts of which one must hold: all of them, or no index helps. */
function union(parts: readonly (Candidate | undefined)[]): Candidate | undefined {
  const ranges: IndexRange[] = [];
  let exact = true;
  for (const part of parts) {
    if (part === undefined) return undefined;
    ranges.push(...part.ranges);
    exact &&= part.exact;
  }
  return ranges.length === 0 || ranges.length > MAX_RANGES ? undefined : { ranges, exact };
}

function compared(field: Field, op: CompareOp, value: Value): Candidate | undefined {
  const one = (range: IndexRange): Candidate => ({ ranges: [range], exact: true });
  const sparse = (...ranges: IndexRange[]): Candidate => ({ ranges, exact: false });
  if (field.type === 'status' && op === '!=') {
    const others = STATUSES.filter((status) => status !== value);
    return { ranges: others.map((other) => ({ index: 'status', value: other })), exact: true };
  }
  if (op !== '=') {
    if (op === '<' || op === '<=') return span(field, { high: value });
    return op === '!=' ? undefined : span(field, { low: value });
  }
  const { name, attribute: type } = field;
  if (type !== undefined) {
    if (isSparse(name, type)) return sparse({ index: 'sparse', name, type, value: String(value) });
    return one({ index: 'attribute', name, type, value });
  }
  const text = String(value);
  const own = (name: OwnIndexed): IndexRange => ({
    index: 'sparse',
    name,
    type: IndexedValueType.KEYWORD,
    value: text,
  });
  switch (name) {
    case 'RunId':
      return sparse({ index: 'runId', value: text });
    case 'TaskQueue':
    case 'ParentWorkflowId':
    case 'ParentRunId':
      return sparse(own(name));
    // The root itself, its children, and what is further down.
    case 'RootWorkflowId':
      return sparse({ index: 'workflowId', value: text }, own('ParentWorkflowId'), own(name));
    case 'RootRunId':
      return sparse({ index: 'runId', value: text }, own('ParentRunId'), own(name));
    case 'WorkflowId':
      return one({ index: 'workflowId', value: String(value) });
    case 'ActivityId':
      return one({ index: 'workflowId', value: activityAddress(String(value)) });
    case 'ActivityType':
    case 'WorkflowType':
      return one({ index: 'workflowType', value: String(value) });
    case 'ExecutionStatus':
      return one({ index: 'status', value: Number(value) });
    default:
      return undefined;
  }
}

function span(
  field: Field,
  { low, high, prefix }: { low?: Value; high?: Value; prefix?: string },
): Candidate | undefined {
  const { name, attribute: type } = field;
  if (type === undefined || isSparse(name, type)) return undefined;
  return { ranges: [{ index: 'attributeSpan', name, type, low, high, prefix }], exact: false };
}
