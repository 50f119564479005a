// Whether an execution matches a list filter, in SQL's three-valued logic: a comparison with NULL is unknown, and so is its negation. Except for
// KeywordList and Text, as on the reference server: there NULL just has none of the values. Linear in the size of the query.

import type { WorkflowExecutionInfo } from '../../wire/execution-info.ts';
import type { AttributeValue, Value } from './attribute-values.ts';
import type { Field } from './fields.ts';
import type { CompareOp, Condition, Query } from './query.ts';
import { Subject } from './subject.ts';

export const matches = (query: Query, info: WorkflowExecutionInfo): boolean => matchesSubject(query, new Subject(info));

export const matchesSubject = ({ condition }: Query, subject: Subject): boolean =>
  condition === undefined || evaluate(condition, subject) === true;

/** `undefined`: unknown. */
function evaluate(condition: Condition, subject: Subject): boolean | undefined {
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const decides = condition.kind === 'or';
      let unknown = false;
      for (const term of condition.terms) {
        const result = evaluate(term, subject);
        if (result === decides) return decides;
        if (result === undefined) unknown = true;
      }
      return unknown ? undefined : !decides;
    }
    case 'not': {
      const result = evaluate(condition.term, subject);
      return result === undefined ? undefined : !result;
    }
    case 'isNull':
      return condition.field.read(subject) === undefined;
    default: {
      const { field } = condition;
      const value = field.read(subject);
      if (value === undefined) return isSet(field) ? false : undefined;
      return holds(condition, value, subject);
    }
  }
}

/** Of values that are sets of words or keywords. */
const isSet = ({ type }: Field): boolean => type === 'keywordList' || type === 'text';

type Comparison = Extract<Condition, { kind: 'compare' | 'in' | 'between' | 'startsWith' | 'words' }>;

function holds(condition: Comparison, value: AttributeValue, subject: Subject): boolean {
  switch (condition.kind) {
    case 'compare':
      return typeof value === 'object'
        ? subject.itemsOf(value).has(String(condition.value))
        : compare(value, condition);
    case 'in':
      return typeof value === 'object' ? meet(subject.itemsOf(value), condition.values) : condition.values.has(value);
    case 'between':
      return (
        typeof value !== 'object' &&
        compareValues(value, condition.low) >= 0 &&
        compareValues(value, condition.high) <= 0
      );
    case 'startsWith':
      return typeof value === 'string' && value.startsWith(condition.prefix);
    case 'words':
      return typeof value === 'string' && meet(subject.itemsOf(value), condition.words);
  }
}

/** Whether they have one in common; in as many steps as the smaller has items. */
function meet(a: ReadonlySet<Value>, b: ReadonlySet<Value>): boolean {
  const [few, many] = a.size < b.size ? [a, b] : [b, a];
  for (const item of few) if (many.has(item)) return true;
  return false;
}

function compare(value: Value, { op, value: other }: { op: CompareOp; value: Value }): boolean {
  if (op === '=') return value === other;
  if (op === '!=') return value !== other;
  const order = compareValues(value, other);
  switch (op) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** Texts by code point, as the indexes have them: UTF-16 puts what is beyond U+FFFF before U+E000. */
export function compareValues(a: Value, b: Value): number {
  if (a === b) return 0;
  if (typeof a !== 'string' || typeof b !== 'string') return a < b ? -1 : 1;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const highX = x >= 0xd800 && x <= 0xdfff;
    const highY = y >= 0xd800 && y <= 0xdfff;
    if (highX !== highY) return highX ? 1 : -1;
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}
