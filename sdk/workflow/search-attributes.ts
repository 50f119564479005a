// Search attributes as workflow code changes them. `workflowInfo()` shows a change at once, typed and untyped, though the server, which
// knows the types, has not seen it yet: what comes without a type keeps the one its name has, or gets the likeliest.

import {
  decodeSearchAttributes,
  encodeUnifiedSearchAttributes,
  isValidValueForType,
  type SearchAttributePair,
  type SearchAttributes,
  type SearchAttributeType,
  type SearchAttributeUpdatePair,
  TypedSearchAttributes,
} from '../common/search-attributes.ts';
import type { Activator } from './activator.ts';
import { assertInWorkflowContext } from './context.ts';
import type { WorkflowInfo } from './interfaces.ts';

/**
 * Sets search attributes of this execution; `workflowInfo()` shows them at once.
 *
 * @param searchAttributes Typed pairs (`value: null`, or none, removes one), or arrays by name (an empty one, or none, removes it;
 * deprecated).
 * @throws ValueError for a value that does not fit its type, or that is no array where it has none.
 */
export function upsertSearchAttributes(searchAttributes: SearchAttributes | SearchAttributeUpdatePair[]): void {
  const activator = assertInWorkflowContext('upsertSearchAttributes()');
  if (searchAttributes === undefined || searchAttributes === null) {
    throw new TypeError('searchAttributes must be a non-null SearchAttributes');
  }
  if (Array.isArray(searchAttributes)) upsertTyped(activator, searchAttributes);
  else upsertUntyped(activator, searchAttributes);
}

function upsertTyped(activator: Activator, given: readonly SearchAttributeUpdatePair[]): void {
  // Code without types may leave the value out, and means its removal.
  const pairs = given.map((pair) => ({ ...pair, value: pair.value ?? null }) as SearchAttributeUpdatePair);
  const indexedFields = encodeUnifiedSearchAttributes(undefined, pairs);
  activator.push({ kind: 'upsertSearchAttributes', indexedFields, site: new Error() });
  const { info } = activator;
  const kept = { ...info.searchAttributes };
  for (const { key, value } of pairs) if (value === null) delete kept[key.name];
  show(activator, { ...kept, ...decodeSearchAttributes(indexedFields) }, info.typedSearchAttributes.updateCopy(pairs));
}

function upsertUntyped(activator: Activator, given: SearchAttributes): void {
  const changes = Object.entries(given).map(([name, values]) => [name, values ?? []] as const);
  const indexedFields = encodeUnifiedSearchAttributes(Object.fromEntries(changes), undefined);
  activator.push({ kind: 'upsertSearchAttributes', indexedFields, site: new Error() });
  const { info } = activator;
  const untyped: SearchAttributes = { ...info.searchAttributes };
  const typed = new Map(info.typedSearchAttributes.getAll().map((pair) => [pair.key.name, pair]));
  for (const [name, values] of changes) {
    const pair = pairOf(name, values, typed.get(name)?.key.type);
    typed.delete(name);
    if (pair !== undefined) typed.set(name, pair);
    if (values.length === 0) delete untyped[name];
    else untyped[name] = values;
  }
  show(activator, untyped, new TypedSearchAttributes([...typed.values()]));
}

function show(activator: Activator, searchAttributes: SearchAttributes, typed: TypedSearchAttributes): void {
  const shown: Partial<WorkflowInfo> = { searchAttributes, typedSearchAttributes: typed };
  activator.info = { ...activator.info, ...shown };
}

/** Undefined: nothing is set, or what is set has no type. */
function pairOf(
  name: string,
  values: readonly unknown[],
  known: SearchAttributeType | undefined,
): SearchAttributePair | undefined {
  if (values.length === 0) return undefined;
  const inferred = TypedSearchAttributes.getKeyFromUntyped(name, values as SearchAttributes[string])?.type;
  for (const type of [known, inferred]) {
    if (type === undefined) continue;
    const value = typedValue(type, values);
    // Checked against the type on the same line.
    if (isValidValueForType(type, value)) return { key: { name, type }, value } as SearchAttributePair;
  }
  return undefined;
}

function typedValue(type: SearchAttributeType, values: readonly unknown[]): unknown {
  if (type === 'KEYWORD_LIST' || values.length !== 1) return values;
  const [value] = values;
  return type === 'DATETIME' && typeof value === 'string' ? new Date(value) : value;
}
