// The list filter as the reference server takes it: without the orders and groups that the native door knows besides, and with its words for what is
// no query at all, which clients of it show and test for. What fields and values mean is said by the engine, in one way for both doors.

import { parseClauses, QueryError, QuerySyntaxError } from '../../../core/visibility/index.ts';
import { checkQuery } from '../../methods/visibility.ts';
import { invalid } from '../../validate/check.ts';

/** It parses a statement which it makes of the query: its positions are of that one. */
const BEFORE_CONDITION = 'select * from table1 where '.length;
const BEFORE_CLAUSE = 'select * from table1 '.length;
const BEGINS_WITH_CLAUSE = /^\s*(?:group|order)\s+by\s/i;
const GROUPED_BY = 'ExecutionStatus';

/** The query itself. Throws Refused. */
export function checkFilter(query: string): string {
  try {
    const { groupBy, isOrdered } = parseClauses(checkQuery(query));
    if (isOrdered) throw invalid("invalid query: operation is not supported: 'ORDER BY' clause");
    if (groupBy !== undefined && groupBy !== GROUPED_BY) {
      throw invalid(`invalid query: operation is not supported: 'GROUP BY' clause is only supported for ${GROUPED_BY}`);
    }
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    throw invalid(`invalid query: ${error instanceof QuerySyntaxError ? syntaxMessage(query, error) : error.message}`);
  }
  return query;
}

/** It stands one character past what it does not understand, counting from 1. */
function syntaxMessage(query: string, { end, near }: QuerySyntaxError): string {
  const before = BEGINS_WITH_CLAUSE.test(query) ? BEFORE_CLAUSE : BEFORE_CONDITION;
  const at = `malformed SQL query: syntax error at position ${before + end + 1}`;
  return near === undefined ? at : `${at} near '${near.slice(0, 100)}'`;
}
