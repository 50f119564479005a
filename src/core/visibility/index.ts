// Temporal's list filter: text → query → does this execution match. Pure; used by src/shard for list and count.

export { matches } from './evaluator.ts';
export { type Field, statusText } from './fields.ts';
export { QueryError } from './lexer.ts';
export { DEFAULT_ORDER, type Order, orderValue } from './order.ts';
export { parseQuery } from './parser.ts';
export { type Plan, plan } from './plan.ts';
export type { Query } from './query.ts';
