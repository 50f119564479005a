// Temporal's list filter: text → query → does this execution match; and the search attributes it is about. Pure; used by src/shard for list and
// count, by src/frontend for what is set.

export { AttributeNames, type KeptNames, type NameProblem } from './attribute-names.ts';
export {
  type AttributeTypes,
  fieldOf,
  PREDEFINED_ATTRIBUTES,
  RESERVED_NAME_PREFIX,
  type Registered,
  SYSTEM_ATTRIBUTES,
  settableType,
  typeName,
  typeNamed,
  typeOf,
} from './attribute-types.ts';
export { type AttributeValue, attributeValue, checkAttributes, stampedType, type Value } from './attribute-values.ts';
export { matches, matchesSubject } from './evaluator.ts';
export { BARE_SCHEMA, type Field, type Schema, STATUSES, schemaOf, searchedSchema, statusText } from './fields.ts';
export { type IndexedValue, indexedAttributes, isSparse, ownValues } from './indexed.ts';
export { QueryError, QuerySyntaxError } from './lexer.ts';
export { isOldestFirst, type Order, type OrderTerm, orderName } from './order.ts';
export { parseClauses, parseQuery } from './parser.ts';
export { type Candidate, type IndexRange, type Plan, plan } from './plan.ts';
export type { Condition, Query } from './query.ts';
export { Subject } from './subject.ts';
