import { describe, expect, it } from 'vitest';
import { checkFilter } from './filter.ts';

describe('a filter through the gRPC door', () => {
  it.each([
    '',
    "WorkflowType = 'a' AND (CustomInt > 3 OR `Order` IS NULL)",
    'GROUP BY ExecutionStatus',
    // Whether there is such a field, and what it can be compared with, the engine says.
    'Nope = 1',
    'CloseTime = true',
  ])('is taken: %s', (query) => expect(checkFilter(query)).toBe(query));

  it.each([
    // As recorded of the reference server.
    ['Nonsense ===', 'invalid query: malformed SQL query: syntax error at position 39'],
    ['Nonsense', 'invalid query: malformed SQL query: syntax error at position 36'],
    ["Nope 'red'", "invalid query: malformed SQL query: syntax error at position 38 near 'red'"],
    ['GROUP BY', 'invalid query: malformed SQL query: syntax error at position 36'],
    ['GROUP BY 7', "invalid query: malformed SQL query: syntax error at position 32 near '7'"],
    ["A = 'never closed", 'invalid query: malformed SQL query: syntax error at position 45'],
    ['A = 1 ; B = 2', 'invalid query: malformed SQL query: syntax error at position 35'],
  ])('is no query: %s', (query, message) => expect(() => checkFilter(query)).toThrow(message));

  it.each([
    ['ORDER BY StartTime DESC', "'ORDER BY' clause"],
    ["WorkflowType = 'a' ORDER BY CloseTime", "'ORDER BY' clause"],
    ['GROUP BY WorkflowType', "'GROUP BY' clause is only supported for ExecutionStatus"],
    ['GROUP BY ExecutionStatus ORDER BY StartTime', "'ORDER BY' clause"],
    [`${'('.repeat(10_000)}A = 1${')'.repeat(10_000)}`, 'nests deeper'],
    ['x'.repeat(70_000), 'longer than 65536'],
  ])('asks for what the reference server does not have: %s', (query, message) =>
    expect(() => checkFilter(query)).toThrow(message),
  );
});
