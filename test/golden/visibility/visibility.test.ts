// The answers a real Temporal server (1.31.2) gave about visibility, asked of the native door: recorded.json has its query language, the tables
// below the calls around it. Where we answer otherwise on purpose, why (docs/decisions/0025).
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode } from '../../../src/wire/codec.ts';
import type { Command } from '../../../src/wire/command.ts';
import { CommandType, EventType, IndexedValueType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import { ATTRIBUTES, attributes, payload, VisibilityWorld } from './world.ts';

interface Recorded {
  /** Absent: too long to write out, see LONG. */
  query?: string;
  code: string;
  answer?: string[] | { count: number; groups?: { value: string; count: number }[] };
}

const recorded: Record<string, Recorded> = JSON.parse(
  readFileSync(new URL('./recorded.json', import.meta.url), 'utf8'),
);

const LONG: Record<string, string> = {
  'logic/nested-ten-thousand-deep': `${'('.repeat(10_000)}OInt = 1${')'.repeat(10_000)}`,
  'logic/two-hundred-ors': Array.from({ length: 200 }, (_, i) => `OInt = ${i}`).join(' OR '),
  'logic/ten-kilobytes': `WorkflowId IN (${Array.from({ length: 1000 }, (_, i) => `'id-${i}'`).join(', ')}, 'w03')`,
};

/** Refused there and answered here; or answered as its SQL store compares texts, where prefixes match in either case and nothing else does. */
const ON_PURPOSE: Record<string, Recorded['answer']> = {
  'keyword/starts-with': ['w01', 'w02', 'w08'],
  'keyword/not-starts-with': [
    ...['w03', 'w04', 'w05', 'w09', 'w10', 'w11', 'w12', 'w13', 'w15', 'w15', 'w16', 'w17', 'w20'],
  ],
  'clause/order-by': ['w01', 'w02', 'w03', 'w04', 'w05'],
  'clause/order-by-custom': [
    ...['w01', 'w02', 'w03', 'w04', 'w05', 'w06', 'w07', 'w08', 'w09', 'w10', 'w11', 'w12', 'w13', 'w14'],
    ...['w15', 'w15', 'w16', 'w17', 'w18', 'w18-child', 'w19', 'w20'],
  ],
  'count/group-by-type': {
    count: 22,
    groups: [
      ...[['Alpha', 5] as const, ['Beta', 5] as const, ['Child', 1] as const, ['Delayed', 1] as const],
      ...[['Gamma', 6] as const, ["It's", 1] as const, ['Memo', 1] as const, ['Parent', 1] as const],
      ['Ünïcode 世界', 1] as const,
    ].map(([value, count]) => ({ value, count })),
  },
  'count/group-by-custom': {
    count: 22,
    groups: [
      ...[['', 1] as const, ['Red', 1] as const, ['back\\slash', 1] as const, ['blue', 1] as const],
      ...[['chain', 2] as const, ['double"quote', 1] as const, ['green', 2] as const, ["it's", 1] as const],
      ...[['null', 6] as const, ['per%cent', 1] as const, ['red', 2] as const, ['redder', 1] as const],
      ...[['under_score', 1] as const, ['世界', 1] as const],
    ].map(([value, count]) => ({ value, count })),
  },
};

const [NAMESPACE, PLAIN, EMPTY] = ['vis', 'plain', 'empty'] as const;
let world: VisibilityWorld;

beforeAll(async () => {
  world = await VisibilityWorld.open([NAMESPACE, PLAIN, EMPTY]);
  await world.populate(NAMESPACE);
  await world.call('addSearchAttributes', { namespace: PLAIN, searchAttributes: ATTRIBUTES });
}, 60_000);
afterAll(() => world.close());

const listed = async (query: string, more: { pageSize?: number; nextPageToken?: Uint8Array } = {}) =>
  world.call('listWorkflowExecutions', { namespace: NAMESPACE, query, ...more });

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

describe('the query language', () => {
  const fill = (query: string): string =>
    query.replace(/<now \+ (\d+) min>/g, (_, minutes) => new Date(Date.now() + Number(minutes) * 60_000).toISOString());

  it.each(Object.keys(recorded))('%s', async (name) => {
    const { query = LONG[name] ?? '', code, answer } = recorded[name] ?? { code: '' };
    const text = fill(query);
    const counts = name.startsWith('count/');
    const expected = ON_PURPOSE[name] ?? (code === 'OK' ? answer : code);
    if (typeof expected === 'string') {
      const method = counts ? 'countWorkflowExecutions' : 'listWorkflowExecutions';
      expect(await world.code(method, { namespace: NAMESPACE, query: text })).toBe(expected);
    } else if (counts) {
      const { count, groups } = await world.call('countWorkflowExecutions', { namespace: NAMESPACE, query: text });
      const named = groups
        ?.map(({ groupValues, count: n }) => ({ value: String(groupValues[0]), count: n }))
        .sort((a, b) => byText(a.value, b.value));
      expect({ count, ...(named && { groups: named }) }).toEqual(expected);
    } else {
      const { executions } = await listed(text);
      expect(executions.map(({ workflowId }) => workflowId).sort(byText)).toEqual(expected);
    }
  });

  it('orders as asked, where the reference server refuses to', async () => {
    const names = async (query: string) => (await listed(query)).executions.map(({ workflowId }) => workflowId);
    expect(await names("WorkflowType = 'Alpha' ORDER BY StartTime DESC")).toEqual(['w05', 'w04', 'w03', 'w02', 'w01']);
    expect(await names("WorkflowType = 'Alpha' ORDER BY OInt ASC")).toEqual(['w05', 'w01', 'w02', 'w03', 'w04']);
    expect((await names('OInt IS NOT NULL ORDER BY OInt DESC')).slice(0, 2)).toEqual(['w07', 'w04']);
  });
});

describe('lists and counts', () => {
  it('show whole rows', async () => {
    const [w04] = (await listed("WorkflowId = 'w04'")).executions;
    expect(w04).toMatchObject({
      workflowId: 'w04',
      workflowType: 'Alpha',
      status: 2,
      historyLength: 5,
      taskQueue: 'queue-w04',
    });
    expect(w04?.searchAttributes?.indexedFields).toEqual({
      BuildIds: payload(['unversioned'], 'KeywordList'),
      ODouble: payload(2.5, 'Double'),
      OInt: payload(10, 'Int'),
      OKeyword: payload('green', 'Keyword'),
      OList: payload(['a', 'b'], 'KeywordList'),
    });
    const [w19] = (await listed("WorkflowId = 'w19'")).executions;
    expect(w19?.memo?.fields).toEqual({ note: payload('remember') });
    const [child] = (await listed("WorkflowId = 'w18-child'")).executions;
    expect(child).toMatchObject({ parentWorkflowId: 'w18', rootWorkflowId: 'w18', status: 1 });
    const every = (await listed("WorkflowId IN ('w01', 'w07')")).executions;
    const types = every.flatMap(({ searchAttributes }) =>
      Object.entries(searchAttributes?.indexedFields ?? {}).map(
        ([name, { metadata }]) => `${name} ${Buffer.from(metadata?.type ?? []).toString()}`,
      ),
    );
    expect([...new Set(types)].sort(byText)).toEqual([
      'BuildIds KeywordList',
      ...['OBool Bool', 'ODatetime Datetime', 'OInt Int', 'OKeyword Keyword', 'OText Text'],
    ]);
  });

  it('come in pages', async () => {
    const five = await listed('', { pageSize: 5 });
    expect(five.executions).toHaveLength(5);
    expect(five.nextPageToken).toBeDefined();
    const { nextPageToken = new Uint8Array() } = await listed('', { pageSize: 20 });
    const second = await listed('', { pageSize: 20, nextPageToken });
    expect(second.nextPageToken).toBeUndefined();
    expect(second.executions).toHaveLength(2);
    expect((await listed('', { pageSize: 1_001 })).executions).toHaveLength(22);
    // The reference server takes a negative size for none; we say that it is one.
    expect(await world.code('listWorkflowExecutions', { namespace: NAMESPACE, pageSize: -1 })).toBe('INVALID_ARGUMENT');
    const newest = await listed("WorkflowType = 'Alpha' AND ExecutionStatus = 'Running'");
    expect(newest.executions.map(({ workflowId }) => workflowId)).toEqual(['w03', 'w02', 'w01']);
  });

  it('of an empty, an unknown or no namespace', async () => {
    expect((await world.call('listWorkflowExecutions', { namespace: EMPTY })).executions).toEqual([]);
    expect(await world.call('countWorkflowExecutions', { namespace: EMPTY })).toEqual({ count: 0 });
    for (const method of ['listWorkflowExecutions', 'countWorkflowExecutions'] as const) {
      expect(await world.code(method, { namespace: '' })).toBe('INVALID_ARGUMENT');
      expect(await world.code(method, { namespace: 'no-such-namespace' })).toBe('NOT_FOUND');
    }
  });
});

describe('search attributes of a start', () => {
  it.each([
    ['unregistered', { Nope: 'x' }, 'INVALID_ARGUMENT'],
    ['of the wrong type', { OInt: 'not a number' }, 'INVALID_ARGUMENT'],
    ['datetime malformed', { ODatetime: 'yesterday' }, 'INVALID_ARGUMENT'],
    ['keyword gets a number', { OKeyword: 5 }, 'INVALID_ARGUMENT'],
    ['bool gets a text', { OBool: 'true' }, 'INVALID_ARGUMENT'],
    ['two values for a keyword', { OKeyword: ['a', 'b'] }, 'INVALID_ARGUMENT'],
    ['a value of more than 2,048 bytes', { OKeyword: 'x'.repeat(2_100) }, 'INVALID_ARGUMENT'],
    ["the server's own", { WorkflowType: 'x' }, 'INVALID_ARGUMENT'],
    ['int as a double', { OInt: 1.5 }, 'INVALID_ARGUMENT'],
    ['metadata names another type', { OKeyword: payload('x', 'Int') }, 'OK'],
    ['a list of one for a keyword', { OKeyword: ['only'] }, 'OK'],
  ])('%s', async (name, values, expected) => {
    const request = world.startRequest(PLAIN, `start ${name}`, { searchAttributes: attributes(values) });
    expect(await world.code('startWorkflowExecution', request)).toBe(expected);
    if (expected !== 'OK') return;
    const { workflowExecutionInfo: info } = await world.call('describeWorkflowExecution', {
      namespace: PLAIN,
      workflowId: `start ${name}`,
    });
    expect(Buffer.from(info.searchAttributes?.indexedFields?.OKeyword?.metadata?.type ?? []).toString()).toBe(
      'Keyword',
    );
  });
});

describe('search attributes and memo in commands', () => {
  const upsert = (searchAttributes: object | undefined): Command => ({
    commandType: CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    attributes: { searchAttributes },
  });
  const FAILED = ['WORKFLOW_TASK_FAILED', 'WORKFLOW_TASK_SCHEDULED'];
  const ENDED = ['WORKFLOW_TASK_FAILED', 'WORKFLOW_EXECUTION_TERMINATED'];
  const huge = { metadata: { encoding: Buffer.from('binary/plain') }, data: Buffer.alloc(2 * 1024 * 1024 + 1) };
  const NAMES = new Map<number, string>(Object.entries(EventType).map(([name, type]) => [type, name]));

  it.each<[string, Command, string, string[]]>([
    [
      'valid',
      upsert(attributes({ OKeyword: 'k' })),
      'OK',
      ['WORKFLOW_TASK_COMPLETED', 'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES'],
    ],
    ['empty', upsert({}), 'INVALID_ARGUMENT', FAILED],
    ['none', upsert(undefined), 'INVALID_ARGUMENT', FAILED],
    ['unregistered', upsert(attributes({ Nope: 1 })), 'INVALID_ARGUMENT', FAILED],
    ['wrong type', upsert(attributes({ OInt: 'x' })), 'INVALID_ARGUMENT', FAILED],
    ['too long', upsert(attributes({ OKeyword: 'x'.repeat(2_100) })), 'INVALID_ARGUMENT', ENDED],
    [
      'continue as new, unregistered',
      {
        commandType: CommandType.CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
        attributes: { workflowType: { name: 'Type' }, searchAttributes: attributes({ Nope: 1 }) },
      },
      ...(['INVALID_ARGUMENT', FAILED] as const),
    ],
    [
      'child, unregistered',
      {
        commandType: CommandType.START_CHILD_WORKFLOW_EXECUTION,
        attributes: {
          ...{ workflowId: 'c', workflowType: { name: 'Child' }, taskQueue: { name: 'c' } },
          searchAttributes: attributes({ Nope: 1 }),
        },
      },
      ...(['INVALID_ARGUMENT', FAILED] as const),
    ],
    [
      'memo missing',
      { commandType: CommandType.MODIFY_WORKFLOW_PROPERTIES, attributes: {} },
      ...(['INVALID_ARGUMENT', FAILED] as const),
    ],
    [
      'memo too large',
      { commandType: CommandType.MODIFY_WORKFLOW_PROPERTIES, attributes: { upsertedMemo: { fields: { a: huge } } } },
      ...(['INVALID_ARGUMENT', ENDED] as const),
    ],
  ])('%s', async (name, command, code, events) => {
    const workflowId = `command ${name}`;
    await world.start(PLAIN, workflowId);
    const task = await world.task(PLAIN, workflowId);
    expect(await world.code('respondWorkflowTaskCompleted', world.answer(task, [command]))).toBe(code);
    const page = await world.call('getWorkflowExecutionHistory', { namespace: PLAIN, workflowId, fromEventId: 1 });
    const history = page.events.flatMap((batch) => decode(batch) as HistoryEvent[]);
    const types = history.map(({ eventType }) => NAMES.get(eventType));
    // A task that failed is scheduled again as a transient attempt, which history has once it ends.
    const expected = events.filter((type) => type !== 'WORKFLOW_TASK_SCHEDULED');
    expect(types.slice(3)).toEqual(expected);
  });
});

describe('registering search attributes', () => {
  const custom = async (namespace: string) =>
    (await world.call('listSearchAttributes', { namespace })).customAttributes;
  const { INT, KEYWORD, KEYWORD_LIST } = IndexedValueType;
  const X = 'x'.repeat(1_001);

  it.each<[string, Record<string, number>, string]>([
    ['each type', { K: 2, T: 1, I: 3, D: 4, B: 5, M: 6, L: 7 }, 'OK'],
    ['none', {}, 'INVALID_ARGUMENT'],
    ["the server's own", { WorkflowType: KEYWORD }, 'INVALID_ARGUMENT'],
    ['predefined', { BuildIds: KEYWORD_LIST }, 'INVALID_ARGUMENT'],
    ['with the reserved prefix', { TemporalMine: KEYWORD }, 'INVALID_ARGUMENT'],
    ['without a type', { X: 0 }, 'INVALID_ARGUMENT'],
    ['of an unknown type', { X: 42 }, 'INVALID_ARGUMENT'],
    ['without a name', { '': KEYWORD }, 'OK'],
    ['with a space', { 'two words': KEYWORD }, 'OK'],
    ['with a backtick', { 'a`b': KEYWORD }, 'OK'],
    ['of 1,001 characters', { [X]: KEYWORD }, 'OK'],
    ['the same again', { K: KEYWORD }, 'OK'],
    ['one new and one old', { K: KEYWORD, Other: INT }, 'OK'],
    // The reference server says OK and leaves the type as it was.
    ['a name that has another type', { K: INT }, 'ALREADY_EXISTS'],
    // Its SQL store has room for three of a type; ours for a thousand in all.
    ['more than a store of theirs has room for', { Int0: INT, Int1: INT, Int2: INT, Int3: INT }, 'OK'],
  ])('%s', async (_name, searchAttributes, code) => {
    const before = await custom(EMPTY);
    // Numbers that are no types, too.
    const request = { namespace: EMPTY, searchAttributes: searchAttributes as Record<string, IndexedValueType> };
    expect(await world.code('addSearchAttributes', request)).toBe(code);
    const { '': _, ...named } = searchAttributes;
    expect(await custom(EMPTY)).toEqual(code === 'OK' ? { ...before, ...named } : before);
  });

  it('and removing them', async () => {
    const remove = (namespace: string, ...searchAttributes: string[]) =>
      world.code('removeSearchAttributes', { namespace, searchAttributes });
    await world.call('addSearchAttributes', { namespace: EMPTY, searchAttributes: { Mine: KEYWORD } });
    expect(await remove(EMPTY, 'Mine')).toBe('OK');
    expect(await custom(EMPTY)).not.toHaveProperty('Mine');
    expect(await remove(EMPTY, 'Nope')).toBe('OK');
    expect(await remove(EMPTY, 'WorkflowType')).toBe('INVALID_ARGUMENT');
    expect(await remove(EMPTY)).toBe('INVALID_ARGUMENT');
    expect(await remove('no-such-namespace', 'Mine')).toBe('NOT_FOUND');
    const mine = { searchAttributes: { Mine: KEYWORD } };
    expect(await world.code('addSearchAttributes', { namespace: 'no-such-namespace', ...mine })).toBe('NOT_FOUND');
    expect(await world.code('addSearchAttributes', { namespace: '', ...mine })).toBe('INVALID_ARGUMENT');
    expect(await world.code('listSearchAttributes', { namespace: 'no-such-namespace' })).toBe('NOT_FOUND');
  });

  it('every namespace has the attributes that Temporal has', async () => {
    const { systemAttributes } = await world.call('listSearchAttributes', { namespace: NAMESPACE });
    expect(Object.keys(systemAttributes)).toHaveLength(33);
    expect(systemAttributes).toMatchObject({
      ExecutionDuration: INT,
      BuildIds: KEYWORD_LIST,
      TemporalScheduledById: KEYWORD,
    });
  });
});
