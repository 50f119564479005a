// The list filter: what is accepted and what it matches, after the grammar cases recorded from a real server; what is refused says why.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkflowExecutionInfo } from '../../wire/api.ts';
import { WorkflowExecutionStatus as S } from '../../wire/enums.ts';
import { matches, parseQuery, plan, QueryError } from './index.ts';

const at = (iso: string): number => Date.parse(iso);
const base: WorkflowExecutionInfo = {
  workflowId: 'w01',
  runId: 'r01',
  workflowType: 'Alpha',
  taskQueue: 'queue-w01',
  status: S.RUNNING,
  startTime: at('2026-03-01T12:00:00Z'),
  executionTime: at('2026-03-01T12:00:00Z'),
  historyLength: 3,
  historySizeBytes: 400,
  firstRunId: 'r01',
};
const EXECUTIONS: WorkflowExecutionInfo[] = [
  base,
  {
    ...base,
    workflowId: 'w02',
    runId: 'r02',
    startTime: base.startTime + 1_000,
    executionTime: base.startTime + HOURS(2),
  },
  {
    ...base,
    workflowId: "it's",
    runId: 'r03',
    workflowType: 'Ünïcode 世界',
    status: S.COMPLETED,
    closeTime: base.startTime + 90_000,
    executionDuration: 90_000,
    historyLength: 5,
  },
  {
    ...base,
    workflowId: 'w1%',
    runId: 'r04',
    workflowType: 'Beta',
    status: S.TIMED_OUT,
    closeTime: base.startTime + HOURS(3),
    parentWorkflowId: 'w01',
    parentRunId: 'r01',
    rootWorkflowId: 'w01',
    rootRunId: 'r01',
  },
];

function HOURS(n: number): number {
  return n * 3_600_000;
}

const found = (text: string): string[] => {
  const query = parseQuery(text);
  return EXECUTIONS.filter((info) => matches(query, info)).map(({ workflowId }) => workflowId);
};
const ALL = ['w01', 'w02', "it's", 'w1%'];

const short = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text);

describe('a filter that is accepted', () => {
  const cases: [string, string[]][] = [
    ['', ALL],
    ['   ', ALL],
    ["WorkflowType = 'Alpha'", ['w01', 'w02']],
    ["WorkflowType != 'Alpha'", ["it's", 'w1%']],
    ["WorkflowType <> 'Alpha'", ["it's", 'w1%']],
    ['WorkflowType = "Alpha"', ['w01', 'w02']],
    ["`WorkflowType` = 'Alpha'", ['w01', 'w02']],
    ["WorkflowType = 'ALPHA'", []],
    ["WorkflowType = 'Ünïcode 世界'", ["it's"]],
    ["WorkflowType IN ('Beta', 'Alpha')", ['w01', 'w02', 'w1%']],
    ["WorkflowType NOT IN ('Beta', 'Alpha')", ["it's"]],
    ["WorkflowType BETWEEN 'A' AND 'B'", ['w01', 'w02']],
    ["WorkflowType NOT BETWEEN 'A' AND 'B'", ["it's", 'w1%']],
    ["WorkflowId STARTS_WITH 'w'", ['w01', 'w02', 'w1%']],
    ["WorkflowId STARTS_WITH 'w1%'", ['w1%']],
    ["WorkflowId STARTS_WITH ''", ALL],
    ["WorkflowId NOT STARTS_WITH 'w'", ["it's"]],
    ["WorkflowId = 'it''s'", ["it's"]],
    ["WorkflowId = 'it\\'s'", ["it's"]],
    ["WorkflowId > 'w01'", ['w02', 'w1%']],
    ["RunId = 'r02'", ['w02']],
    ["TaskQueue = 'queue-w01'", ALL],
    ["ExecutionStatus = 'Running'", ['w01', 'w02']],
    ['ExecutionStatus = 2', ["it's"]],
    ["ExecutionStatus = 'WORKFLOW_EXECUTION_STATUS_COMPLETED'", ["it's"]],
    ["ExecutionStatus IN ('Failed', 'TimedOut')", ['w1%']],
    ["ExecutionStatus != 'Running'", ["it's", 'w1%']],
    ["StartTime > '2026-03-01T12:00:00Z'", ['w02']],
    ["StartTime >= '2026-03-01T13:00:00+01:00'", ALL],
    ["StartTime = '2026-03-01T12:00:01.000Z'", ['w02']],
    ["StartTime BETWEEN '2026-03-01T12:00:00.5Z' AND '2026-03-01T12:00:02Z'", ['w02']],
    [`StartTime < ${base.startTime}500000`, ['w01', "it's", 'w1%']],
    ['CloseTime IS NULL', ['w01', 'w02']],
    ['CloseTime IS NOT NULL', ["it's", 'w1%']],
    ["CloseTime < '2026-03-01T13:00:00Z'", ["it's"]],
    ["ExecutionTime > '2026-03-01T13:00:00Z'", ['w02']],
    ['ExecutionDuration < 3600000000000', ["it's"]],
    ["ExecutionDuration > '01:00:00'", ['w1%']],
    ["ExecutionDuration = '1m30s'", ["it's"]],
    ['HistoryLength = 5', ["it's"]],
    ["HistoryLength = '5'", ["it's"]],
    ['HistoryLength IS NULL', ['w01', 'w02']],
    ["ParentWorkflowId = 'w01'", ['w1%']],
    ['ParentWorkflowId IS NOT NULL', ['w1%']],
    ["RootWorkflowId = 'w01'", ['w01', 'w1%']],
    // Unknown stays unknown: what has no history length yet is in neither.
    ['NOT HistoryLength = 5', ['w1%']],
    ['HistoryLength != 5', ['w1%']],
    ["WorkflowType = 'Alpha' AND WorkflowId = 'w02'", ['w02']],
    ["WorkflowId = 'w02' OR WorkflowId = 'w01' AND WorkflowType = 'Beta'", ['w02']],
    ["(WorkflowId = 'w02' OR WorkflowId = 'w01') AND WorkflowType = 'Alpha'", ['w01', 'w02']],
    ["NOT (WorkflowType = 'Alpha' OR WorkflowType = 'Beta')", ["it's"]],
    ["WorkflowType = 'Alpha' and WorkflowId in ('w01') or WorkflowId is null", ['w01']],
    [`${'('.repeat(100)}WorkflowId = 'w01'${')'.repeat(100)}`, ['w01']],
    [Array.from({ length: 200 }, (_, i) => `WorkflowId = 'w0${i}'`).join(' OR '), ['w01', 'w02']],
    [`WorkflowId IN (${Array.from({ length: 1000 }, (_, i) => `'id-${i}'`).join(', ')}, 'w02')`, ['w02']],
    ["WorkflowId = 'w01' -- comment", ['w01']],
    ["WorkflowId = /* comment */ 'w01'", ['w01']],
    ["WorkflowType = 'Alpha' ORDER BY StartTime DESC", ['w01', 'w02']],
    ['ORDER BY StartTime DESC', ALL],
  ];
  for (const [text, expected] of cases) it(short(text), () => expect(found(text)).toEqual(expected));
});

describe('a filter that is refused', () => {
  const cases: [string, string][] = [
    ['WorkflowId IN ()', 'expected where there is ")"'],
    ['WorkflowId = NULL', 'a quoted text or a number is expected'],
    ["WorkflowId LIKE 'w%'", 'an operator is expected'],
    ['WorkflowId', 'an operator is expected where the query ends'],
    ["StartTime > '2026-03-01'", 'RFC 3339'],
    ["StartTime > '2026-03-01 00:00:00'", 'RFC 3339'],
    ["StartTime > 'yesterday'", 'RFC 3339'],
    ["StartTime > '2026-02-30T00:00:00Z'", 'RFC 3339'],
    ['StartTime > TRUE', 'RFC 3339'],
    ["ExecutionStatus = '2'", 'Running, Completed'],
    ["ExecutionStatus = 'running'", 'Running, Completed'],
    ["ExecutionStatus = 'Sleeping'", "'Sleeping'"],
    ["ExecutionStatus > 'Running'", '= and != only'],
    ["ExecutionDuration > 'long'", 'nanoseconds'],
    ["HistoryLength = 'many'", 'a whole number'],
    ["workflowtype = 'Alpha'", '"workflowtype" is not a search attribute'],
    ["Nope = 'x'", '"Nope" is not a search attribute'],
    [`${'('.repeat(10_000)}WorkflowId = 'a'${')'.repeat(10_000)}`, 'nests deeper'],
    [`${'NOT '.repeat(10_000)}WorkflowId = 'a'`, 'nests deeper'],
    ["'red' = WorkflowId", 'name of a search attribute'],
    ['WorkflowId = WorkflowType', 'a quoted text or a number'],
    ["Workflow-Id = 'x'", 'unexpected "-"'],
    ['WorkflowId = red', 'a quoted text or a number'],
    ["WorkflowId = 'red", 'is not closed'],
    ["'WorkflowId' = 'red'", 'name of a search attribute'],
    ["executions.WorkflowId = 'red'", 'unexpected "."'],
    ["WHERE WorkflowId = 'a'", '"WHERE" is not a search attribute'],
    ["WorkflowId = 'a' LIMIT 1", 'the end of the query is expected'],
    ["WorkflowId 'red'", 'an operator is expected'],
    ["WorkflowId = 'a' AND", 'name of a search attribute is expected where the query ends'],
    ["(WorkflowId = 'a'", 'a closing parenthesis'],
    ["WorkflowId == 'a'", 'a quoted text or a number'],
    ["LOWER(WorkflowId) = 'red'", '"LOWER" is not a search attribute'],
    ["WorkflowId = 'a'; DROP TABLE executions", 'unexpected ";"'],
    ["WorkflowId = 'red' OR 1 = 1", 'name of a search attribute'],
    ["WorkflowId REGEXP 'r.*'", 'an operator is expected'],
    ['42', 'name of a search attribute'],
    ['ORDER BY HistoryLength', 'only StartTime, CloseTime, ExecutionTime order a list'],
    ['ORDER BY StartTime, CloseTime', 'one attribute'],
    ['ORDER BY CloseTime SIDEWAYS', 'the end of the query is expected'],
    ['GROUP BY ExecutionStatus, WorkflowType', 'one attribute'],
    [`WorkflowId = '${'x'.repeat(70_000)}'`, 'at most 65536'],
  ];
  for (const [text, message] of cases) {
    it(short(text), () => {
      expect(() => parseQuery(text)).toThrow(QueryError);
      expect(() => parseQuery(text)).toThrow(message);
    });
  }

  it('whatever the text, it is a query or a QueryError', () => {
    const piece = fc.constantFrom(
      ...[
        'WorkflowId',
        'StartTime',
        '=',
        '<',
        "'a'",
        '1',
        '(',
        ')',
        'AND',
        'NOT',
        'IN',
        'IS',
        'NULL',
        ',',
        '`',
        "'",
        '\\',
        '-',
        '/*',
        '1e',
        'BETWEEN',
      ],
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join(' ')),
        ),
        (text) => {
          try {
            parseQuery(text);
          } catch (error) {
            expect(error).toBeInstanceOf(QueryError);
          }
        },
      ),
    );
  });
});

describe('the plan of a filter', () => {
  it('prefers the narrowest index, and knows when nothing is left to evaluate', () => {
    const of = (text: string) => plan(parseQuery(text));
    expect(of("ExecutionStatus = 'Running' AND WorkflowType = 'A'")).toMatchObject({
      equals: { field: 'WorkflowType', value: 'A' },
      exact: false,
    });
    expect(of("WorkflowType = 'A' AND StartTime > 5000000")).toMatchObject({ from: 6, exact: true });
    expect(of("WorkflowType = 'A' OR WorkflowId = 'b'")).toMatchObject({ equals: undefined, exact: false });
    expect(of('')).toMatchObject({ equals: undefined, exact: true });
  });
});
