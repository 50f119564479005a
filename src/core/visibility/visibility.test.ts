// The list filter: what is accepted and what it matches, after the grammar cases recorded from a real server; what is refused says why.
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Payload, SearchAttributes } from '../../wire/common.ts';
import { IndexedValueType, WorkflowExecutionStatus as S } from '../../wire/enums.ts';
import type { WorkflowExecutionInfo } from '../../wire/execution-info.ts';
import { attributeValue, checkAttributes, matches, parseQuery, plan, QueryError, schemaOf } from './index.ts';

const TYPES = new Map<string, IndexedValueType>([
  ['City', IndexedValueType.KEYWORD],
  ['Tags', IndexedValueType.KEYWORD_LIST],
  ['Note', IndexedValueType.TEXT],
  ['Amount', IndexedValueType.INT],
  ['Ratio', IndexedValueType.DOUBLE],
  ['Vip', IndexedValueType.BOOL],
  ['Due', IndexedValueType.DATETIME],
  ['two words', IndexedValueType.KEYWORD],
]);
const SCHEMA = schemaOf(TYPES);

const payload = (value: unknown): Payload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});

/** Stamped, as they come from the door. */
function attributes(values: Record<string, unknown>): SearchAttributes {
  const fields = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, payload(value)]));
  const checked = checkAttributes('default', fields, TYPES);
  if ('problem' in checked) throw new Error(checked.problem);
  return { indexedFields: checked.fields };
}

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
  searchAttributes: attributes({ City: 'Rome', Amount: 5, Tags: ['a', 'b'], Note: 'The quick, brown fox' }),
};
const EXECUTIONS: WorkflowExecutionInfo[] = [
  base,
  {
    ...base,
    workflowId: 'w02',
    runId: 'r02',
    startTime: base.startTime + 1_000,
    executionTime: base.startTime + HOURS(2),
    searchAttributes: attributes({ City: 'rome', Amount: -3, Ratio: 0.5, Vip: true, 'two words': 'x' }),
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
    searchAttributes: attributes({
      City: '',
      Tags: ['b'],
      Vip: false,
      Due: '2024-06-15T12:30:45.5Z',
      Note: 'slow FOX',
    }),
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
    searchAttributes: undefined,
  },
];

function HOURS(n: number): number {
  return n * 3_600_000;
}

const found = (text: string): string[] => {
  const query = parseQuery(text, SCHEMA);
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
    ['ORDER BY CloseTime ASC, WorkflowId DESC, City', ALL],
    // Attributes: NULL is unknown, but a list and a text just have none of the values.
    ["City = 'Rome'", ['w01']],
    ["City != 'Rome'", ['w02', "it's"]],
    ["NOT City = 'Rome'", ['w02', "it's"]],
    ["City < 'S'", ['w01', "it's"]],
    ["City IN ('rome', '')", ['w02', "it's"]],
    ["City NOT IN ('rome', '')", ['w01']],
    ["City STARTS_WITH 'R'", ['w01']],
    ["City NOT STARTS_WITH 'R'", ['w02', "it's"]],
    ["City = ''", ["it's"]],
    ['City IS NULL', ['w1%']],
    ["`two words` = 'x'", ['w02']],
    ["Tags = 'a'", ['w01']],
    ["Tags != 'a'", ['w02', "it's", 'w1%']],
    ["Tags IN ('a', 'z')", ['w01']],
    ["Tags NOT IN ('a', 'z')", ['w02', "it's", 'w1%']],
    ["NOT Tags = 'a'", ['w02', "it's", 'w1%']],
    ["Tags = 'a' AND Tags = 'b'", ['w01']],
    ['Tags IS NOT NULL', ['w01', "it's"]],
    ["Note = 'fox'", ['w01', "it's"]],
    ["Note = 'quick lazy'", ['w01']],
    ["Note = 'qui'", []],
    ["Note != 'quick'", ['w02', "it's", 'w1%']],
    ['Amount > -5', ['w01', 'w02']],
    ["Amount = '-3'", ['w02']],
    ['Amount BETWEEN 0 AND 5', ['w01']],
    ['Ratio < 1e0', ['w02']],
    ['Vip = true', ['w02']],
    ['Vip != TRUE', ["it's"]],
    ["Due > '2024-06-15T12:30:45Z' AND Due < '2024-06-15T12:30:46Z'", ["it's"]],
    ["Due = '2024-06-15T14:30:45.5+02:00'", ["it's"]],
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
    ["ExecutionStatus > 'Running'", "operator '>' not supported for ExecutionStatus of type status"],
    ["ExecutionDuration > 'long'", 'nanoseconds'],
    ["HistoryLength = 'many'", 'a whole number'],
    ["workflowtype = 'Alpha'", "column name 'workflowtype' is not a valid search attribute"],
    ["Nope = 'x'", "invalid expression: column name 'Nope' is not a valid search attribute"],
    [`${'('.repeat(10_000)}WorkflowId = 'a'${')'.repeat(10_000)}`, 'nests deeper'],
    [`${'NOT '.repeat(10_000)}WorkflowId = 'a'`, 'nests deeper'],
    ["'red' = WorkflowId", 'name of a search attribute'],
    ['WorkflowId = WorkflowType', 'a quoted text or a number'],
    ["Workflow-Id = 'x'", 'unexpected "-"'],
    ['WorkflowId = red', 'a quoted text or a number'],
    ["WorkflowId = 'red", 'is not closed'],
    ["'WorkflowId' = 'red'", 'name of a search attribute'],
    ["executions.WorkflowId = 'red'", 'unexpected "."'],
    ["WHERE WorkflowId = 'a'", 'an operator is expected where there is "WorkflowId"'],
    ["WorkflowId = 'a' LIMIT 1", 'the end of the query is expected'],
    ["WorkflowId 'red'", 'an operator is expected'],
    ["WorkflowId = 'a' AND", 'name of a search attribute is expected where the query ends'],
    ["(WorkflowId = 'a'", 'a closing parenthesis'],
    ["WorkflowId == 'a'", 'a quoted text or a number'],
    ["LOWER(WorkflowId) = 'red'", 'an operator is expected where there is "(" at position 6'],
    ["WorkflowId = 'a'; DROP TABLE executions", 'unexpected ";"'],
    ["WorkflowId = 'red' OR 1 = 1", 'name of a search attribute'],
    ["WorkflowId REGEXP 'r.*'", 'an operator is expected'],
    ['42', 'name of a search attribute'],
    ['ORDER BY Note', 'a text has no order'],
    ['ORDER BY Tags', 'a keywordList has no order'],
    ['ORDER BY Nope', "column name 'Nope'"],
    ['ORDER BY CloseTime SIDEWAYS', 'the end of the query is expected'],
    ['ORDER BY StartTime, CloseTime, RunId, City, Amount', 'at most 4 attributes'],
    ['GROUP BY Note', "operator 'GROUP BY' not supported for Note of type text"],
    ['GROUP BY CloseTime', "operator 'GROUP BY' not supported"],
    ['City = 5', 'City is compared with 5, but wants a quoted text'],
    ["Amount = 'many'", "Amount is compared with 'many', but wants a whole number"],
    ["Vip = 'true'", 'wants true or false'],
    ['Vip', 'an operator is expected'],
    ['Vip > false', "operator '>' not supported for Vip"],
    ["Tags > 'a'", "operator '>' not supported for Tags"],
    ["Tags STARTS_WITH 'a'", "operator 'STARTS_WITH' not supported for Tags"],
    ["Tags BETWEEN 'a' AND 'b'", "operator 'BETWEEN' not supported for Tags"],
    ["Note IN ('a')", "operator 'IN' not supported for Note"],
    ["Note > 'a'", "operator '>' not supported for Note"],
    ["Note STARTS_WITH 'a'", "operator 'STARTS_WITH' not supported for Note"],
    ["Due > 'yesterday'", 'RFC 3339'],
    ['GROUP BY ExecutionStatus, WorkflowType', 'one attribute'],
    [`WorkflowId = '${'x'.repeat(70_000)}'`, 'at most 65536'],
  ];
  for (const [text, message] of cases) {
    it(short(text), () => {
      expect(() => parseQuery(text, SCHEMA)).toThrow(QueryError);
      expect(() => parseQuery(text, SCHEMA)).toThrow(message);
    });
  }

  it('says what cannot be read at all before it says anything of fields and values', () => {
    for (const [text, end, near] of [
      ['Nope = 1 AND', 12, undefined],
      ["Nope STARTS_WITH 5 OR City ~ 'x'", 28, undefined],
      ["City = 5 'red'", 14, 'red'],
    ] as const) {
      expect.soft(() => parseQuery(text, SCHEMA), text).toThrow(expect.objectContaining({ end, near }));
    }
  });

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
            parseQuery(text, SCHEMA);
          } catch (error) {
            expect(error).toBeInstanceOf(QueryError);
          }
        },
      ),
    );
  });
});

describe('the plan of a filter', () => {
  const of = (text: string) => plan(parseQuery(text, SCHEMA));
  const ranges = (text: string) => of(text).candidates.map((candidate) => candidate.ranges.map(({ index }) => index));

  it('names what holds all matches, the likely smaller first, and knows when nothing is left to evaluate', () => {
    expect(ranges("ExecutionStatus = 'Running' AND WorkflowType = 'A' AND City = 'Rome' AND WorkflowId = 'w'")).toEqual(
      [...[['workflowId'], ['attribute'], ['workflowType'], ['status']]],
    );
    expect(of("ExecutionStatus = 'Running' AND WorkflowType = 'A'").exact).toBe(false);
    expect(of("WorkflowType = 'A' AND StartTime > 5000000")).toMatchObject({ from: 6, exact: true });
    expect(of("City = 'Rome'").exact).toBe(true);
    expect(of('')).toMatchObject({ candidates: [], exact: true });
  });

  it.each([
    ["WorkflowType = 'A' OR WorkflowId = 'b'", [['workflowType', 'workflowId']]],
    ["WorkflowType IN ('A', 'B')", [['workflowType', 'workflowType']]],
    ["WorkflowType = 'A' OR TaskQueue = 'b'", [['workflowType', 'sparse']]],
    ["WorkflowType = 'A' OR TaskQueue != 'b'", []],
    ["RunId = 'r' AND TaskQueue = 'b'", [['runId'], ['sparse']]],
    ["ParentWorkflowId = 'p'", [['sparse']]],
    ["RootWorkflowId = 'p'", [['workflowId', 'sparse', 'sparse']]],
    ["RootRunId IN ('r', 's')", [['runId', 'sparse', 'sparse', 'runId', 'sparse', 'sparse']]],
    ["(City = 'a' AND TaskQueue = 'q') OR Amount = 3", [['attribute', 'attribute']]],
    ["Tags IN ('a', 'b')", [['attribute', 'attribute']]],
    ['Amount > 3', [['attributeSpan']]],
    ["City STARTS_WITH 'R' AND Vip = true", [['attribute'], ['attributeSpan']]],
    ["NOT City = 'Rome'", []],
    ["City != 'Rome'", []],
    ["Tags != 'a'", []],
    // And what has more words than have rows.
    ["Note = 'fox'", [['sparse', 'sparse']]],
    ["Note = 'quick fox'", [['sparse', 'sparse', 'sparse']]],
    ["Note != 'fox'", []],
    ["BuildIds = 'x'", [['sparse']]],
    ['CloseTime IS NULL', [['status', 'status']]],
    [Array.from({ length: 100 }, (_, i) => `Amount = ${i}`).join(' OR '), []],
  ])('%s', (text, expected) => expect(ranges(text)).toEqual(expected));
});

describe('a search attribute that is set', () => {
  it.each([
    ['Nope', 'x', 'Namespace default has no mapping defined for search attribute Nope'],
    ['WorkflowType', 'x', "WorkflowType attribute can't be set in SearchAttributes"],
    ['Amount', ['not a number'], 'invalid value for search attribute Amount of type Int: [not a number]'],
    ['Amount', 1.5, 'invalid value for search attribute Amount of type Int: 1.5'],
    ['City', 5, 'invalid value for search attribute City of type Keyword: 5'],
    ['City', ['a', 'b'], 'invalid value for search attribute City of type Keyword: [a b]'],
    ['Tags', ['a', 1], 'invalid value for search attribute Tags of type KeywordList: [a 1]'],
    ['Vip', 'true', 'invalid value for search attribute Vip of type Bool: true'],
    ['Due', '2024-06-15', 'invalid value for search attribute Due of type Datetime: 2024-06-15'],
    ['Note', { a: 1 }, 'invalid value for search attribute Note of type Text: {"a":1}'],
  ])('%s = %j is refused', (name, value, problem) => {
    expect(checkAttributes('default', { [name]: payload(value) }, TYPES)).toEqual({ problem });
  });

  it.each<[string, unknown, unknown]>([
    ['City', 'Rome', 'Rome'],
    ['City', ['Rome'], 'Rome'],
    ['Tags', 'a', ['a']],
    ['Tags', ['a', 'b'], ['a', 'b']],
    ['Amount', [7], 7],
    ['Ratio', 7, 7],
    ['Due', '1970-01-01T00:00:01.000001Z', 1_000.001],
    ['TemporalChangeVersion', ['patch'], ['patch']],
    // Removals.
    ['City', null, undefined],
    ['City', [], undefined],
  ])('%s = %j is stamped with its type, and reads back', (name, value, expected) => {
    const checked = checkAttributes('default', { [name]: payload(value) }, TYPES);
    if ('problem' in checked) throw new Error(checked.problem);
    const field = SCHEMA(name);
    if (field?.attribute === undefined) throw new Error(`${name} is no attribute`);
    expect(attributeValue(checked.fields[name], field.attribute)).toEqual(expected);
    // Its name has come to mean another type since.
    expect(attributeValue(checked.fields[name], IndexedValueType.UNSPECIFIED)).toBeUndefined();
  });

  it('is not json/plain: refused', () => {
    const fields = { City: { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('"x"') } };
    expect(checkAttributes('default', fields, TYPES)).toMatchObject({
      problem: expect.stringContaining('not json/plain'),
    });
  });
});

describe('a filter of thousands of terms', () => {
  it('has the words of a text once, and the keywords of a list', () => {
    const words = Array.from({ length: 400 }, (_, i) => `w${i}`);
    const info = { ...base, searchAttributes: attributes({ Note: words.join(' '), Tags: words }) };
    const texts = parseQuery(Array.from({ length: 3_000 }, (_, i) => `Note = 'x${i}'`).join(' OR '), SCHEMA);
    const lists = parseQuery(Array.from({ length: 3_000 }, (_, i) => `Tags IN ('x${i}')`).join(' OR '), SCHEMA);
    const lowered = vi.spyOn(String.prototype, 'toLowerCase');
    const looked = vi.spyOn(Set.prototype, 'has');
    try {
      expect(matches(texts, info)).toBe(false);
      expect(lowered.mock.calls.length).toBeLessThan(10);
      expect(matches(lists, info)).toBe(false);
      expect(looked.mock.calls.length).toBeLessThan(10_000);
    } finally {
      lowered.mockRestore();
      looked.mockRestore();
    }
  });

  it('finds what has one in common, whichever has more', () => {
    const info = { ...base, searchAttributes: attributes({ Tags: ['a', 'b', 'c'] }) };
    const found = (query: string): boolean => matches(parseQuery(query, SCHEMA), info);
    expect(found("Tags IN ('c')")).toBe(true);
    expect(found("Tags IN ('x', 'y', 'z', 'q', 'b')")).toBe(true);
    expect(found("Tags IN ('x', 'y', 'z', 'q')")).toBe(false);
    expect(found("Tags IN ('x')")).toBe(false);
  });
});
