// What `workflowInfo()` shows of search attributes once the code has changed them, by name or with types.

import { beforeAll, expect, test } from 'vitest';
import { CommandType } from '../../../src/wire/enums.ts';
import { defaultPayloadConverter } from '../../common/payload-converter.ts';
import type { Realm } from './realm.ts';
import { realmOf, TestRun } from './test-run.test-support.ts';

const WORKFLOWS = `
import * as wf from 'tenuto/workflow';
const key = wf.defineSearchAttributeKey;
export async function changes(changes) {
  wf.upsertSearchAttributes([
    { key: key('Key', 'KEYWORD'), value: 'k' },
    { key: key('Double', 'DOUBLE'), value: 1.5 },
    { key: key('List', 'KEYWORD_LIST'), value: ['a', 'b'] },
  ]);
  wf.upsertSearchAttributes(changes);
  const { searchAttributes, typedSearchAttributes } = wf.workflowInfo();
  return [searchAttributes, typedSearchAttributes.getAll().map(({ key, value }) => [key.name, key.type, value])];
}
export async function removes() {
  wf.upsertSearchAttributes({ Key: ['k'], Int: [1] });
  wf.upsertSearchAttributes({ Key: undefined });
  wf.upsertSearchAttributes([{ key: key('Int', 'INT'), value: undefined }]);
  return [wf.workflowInfo().searchAttributes, wf.workflowInfo().typedSearchAttributes.getAll()];
}
`;

let realm: Realm;
beforeAll(async () => {
  realm = await realmOf(WORKFLOWS);
});

const date = '2026-01-02T03:04:05.000Z';
const kept = [
  ['Key', 'KEYWORD', 'k'],
  ['Double', 'DOUBLE', 1.5],
  ['List', 'KEYWORD_LIST', ['a', 'b']],
];

test.each<[string, Record<string, unknown>, unknown[]]>([
  ['an integer has its type', { New: [3] }, [...kept, ['New', 'INT', 3]]],
  ['a fraction', { New: [3.5] }, [...kept, ['New', 'DOUBLE', 3.5]]],
  ['a truth value', { New: [true] }, [...kept, ['New', 'BOOL', true]]],
  ['a text', { New: ['some words'] }, [...kept, ['New', 'TEXT', 'some words']]],
  ['a date, from its text', { New: [date] }, [...kept, ['New', 'DATETIME', date]]],
  ['several texts', { New: ['x', 'y'] }, [...kept, ['New', 'KEYWORD_LIST', ['x', 'y']]]],
  ['several numbers have none', { New: [1, 2] }, kept],
  ['a known type stays: a text', { Key: ['12'] }, [kept[1], kept[2], ['Key', 'KEYWORD', '12']]],
  ['a known type stays: a number', { Double: [3] }, [kept[0], kept[2], ['Double', 'DOUBLE', 3]]],
  ['a known type stays: one of a list', { List: ['c'] }, [kept[0], kept[1], ['List', 'KEYWORD_LIST', ['c']]]],
  ['unless the value does not fit it', { Double: ['x'] }, [kept[0], kept[2], ['Double', 'TEXT', 'x']]],
  ['an empty array removes', { Key: [], Double: [] }, [kept[2]]],
])('without types: %s', (_, changes, expected) => {
  const run = new TestRun(realm, 'changes', [changes]);
  run.task();
  const [untyped, typed] = run.result as [Record<string, unknown>, unknown[]];
  expect(typed).toEqual(expected);
  for (const [name, values] of Object.entries(changes)) {
    expect(untyped[name]).toEqual(Array.isArray(values) && values.length === 0 ? undefined : values);
  }
});

test('what is undefined is removed, here and for the server', () => {
  const run = new TestRun(realm, 'removes');
  const sent = run
    .task()
    .flatMap((command) =>
      command.commandType === CommandType.UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
        ? [command.attributes.searchAttributes?.indexedFields ?? {}]
        : [],
    )
    .map((fields) =>
      Object.entries(fields).map(([name, payload]) => [name, defaultPayloadConverter.fromPayload(payload)]),
    );
  expect(sent).toEqual([
    [
      ['Key', ['k']],
      ['Int', [1]],
    ],
    [['Key', []]],
    [['Int', null]],
  ]);
  expect(run.result).toEqual([{}, []]);
});

test('a value without a type that is no array fails the workflow task', () => {
  expect(new TestRun(realm, 'changes', [{ Key: 'k' }]).failingTask().message).toMatch(/must be an array, got 'Key'/);
});
