// Finding executions as users of the SDK do: attributes and memo at the start and from workflow code, what is carried over, lists and counts; and the
// example of the guide.

import { beforeAll, describe, expect, it } from 'vitest';
import { run as runExample } from '../../examples/search/main.ts';
import type { Client } from '../../sdk/client/index.ts';
import { defineSearchAttributeKey, TypedSearchAttributes } from '../../sdk/common/index.ts';
import { TestWorkflowEnvironment } from '../../sdk/testing/index.ts';
import { undoneAtFileEnd } from '../support/at-file-end.ts';
import { until } from '../support/processes.ts';
import { startWorker, TASK_QUEUE } from './world.ts';

const CITY = defineSearchAttributeKey('City', 'KEYWORD');
const TAGS = defineSearchAttributeKey('Tags', 'KEYWORD_LIST');
const AMOUNT = defineSearchAttributeKey('Amount', 'INT');
const DUE = defineSearchAttributeKey('Due', 'DATETIME');

const atFileEnd = undoneAtFileEnd();
let environment: TestWorkflowEnvironment;
let client: Client;

beforeAll(async () => {
  environment = await TestWorkflowEnvironment.createLocal({ server: { searchAttributes: [CITY, TAGS, AMOUNT, DUE] } });
  atFileEnd(() => environment.teardown());
  ({ client } = environment);
  await startWorker(environment.nativeConnection, atFileEnd);
}, 60_000);

async function found(query: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query, pageSize: 2 })) ids.push(workflowId);
  return ids;
}

const at = { taskQueue: TASK_QUEUE, args: [] as [] };
const due = new Date('2031-05-01T12:00:00.250Z');

describe('search attributes of the SDK', () => {
  it('given at the start, typed or not, are described, listed and found at once', async () => {
    await client.workflow.start('approval', {
      ...{ ...at, workflowId: 'typed' },
      typedSearchAttributes: [
        { key: CITY, value: 'Rome' },
        { key: TAGS, value: ['a', 'b'] },
        { key: AMOUNT, value: 7 },
        { key: DUE, value: due },
      ],
    });
    await client.workflow.start('approval', {
      ...{ ...at, workflowId: 'untyped' },
      searchAttributes: { City: ['Rome'], Tags: ['b'], Amount: [8], Due: [due] },
    });
    expect(await found("City = 'Rome'")).toEqual(['untyped', 'typed']);
    expect(await found("City = 'Rome' ORDER BY Amount ASC")).toEqual(['typed', 'untyped']);
    expect(await found("Tags = 'a' AND Due = '2031-05-01T12:00:00.25Z'")).toEqual(['typed']);
    const described = await client.workflow.getHandle('untyped').describe();
    expect(described.typedSearchAttributes.get(AMOUNT)).toBe(8);
    expect(described.typedSearchAttributes.get(DUE)).toEqual(due);
    expect(described.searchAttributes).toMatchObject({ City: ['Rome'], Tags: ['b'] });
  });

  it('are upserted and removed by workflow code, with the memo, and seen in lists', async () => {
    const handle = await client.workflow.start('itinerary', {
      ...{ ...at, workflowId: 'traveller' },
      memo: { kept: 1, gone: 2 },
      typedSearchAttributes: new TypedSearchAttributes([
        { key: CITY, value: 'Oslo' },
        { key: AMOUNT, value: 1 },
      ]),
    });
    await handle.signal('visit', 'Bergen');
    await until(async () => ((await found("City = 'Bergen'")).length > 0 ? true : undefined));
    expect(await found("City = 'Oslo'")).toEqual([]);
    for await (const info of client.workflow.list({ query: "WorkflowId = 'traveller'" })) {
      expect(info.memo).toEqual({ kept: 1, last: 'Bergen' });
      expect(info.typedSearchAttributes.get(TAGS)).toEqual(['Bergen']);
      expect(info.typedSearchAttributes.get(AMOUNT)).toBeUndefined();
    }
    expect(await handle.query('seen')).toEqual({
      City: ['Bergen'],
      Tags: ['Bergen'],
      memo: { kept: 1, last: 'Bergen' },
    });
    await handle.signal('goOn');
    // The next run begins with what this one was started with, as in Temporal's SDK; a child with what it is given.
    await until(async () => ((await found("WorkflowId = 'traveller'")).length === 2 ? true : undefined));
    expect(await found("City = 'Oslo' AND Amount = 1 AND ExecutionStatus = 'Running'")).toEqual(['traveller']);
    expect(await found("City = 'Bergen' AND ExecutionStatus = 'ContinuedAsNew'")).toEqual(['traveller']);
    expect(await found("ParentWorkflowId = 'traveller' AND City = 'Rome'")).toEqual(['traveller/luggage']);
  });

  it('are counted by any keyword', async () => {
    for (const [i, city] of ['Bonn', 'Bonn', 'Kiel'].entries()) {
      await client.workflow.start('approval', { ...at, workflowId: `count-${i}`, searchAttributes: { City: [city] } });
    }
    const { count, groups } = await client.workflow.count("WorkflowId STARTS_WITH 'count-' GROUP BY City");
    expect(count).toBe(3);
    expect(groups).toEqual(
      expect.arrayContaining([
        { count: 2, groupValues: [['Bonn']] },
        { count: 1, groupValues: [['Kiel']] },
      ]),
    );
  });

  it('that nobody registered, or of another type, are refused by name', async () => {
    const start = (searchAttributes: Record<string, string[]>) =>
      client.workflow.start('approval', { ...at, workflowId: 'refused', searchAttributes });
    await expect(start({ Nobody: ['x'] })).rejects.toThrow('no mapping defined for search attribute Nobody');
    await expect(start({ Amount: ['many'] })).rejects.toThrow('invalid value for search attribute Amount of type Int');
    await expect(found("Nobody = 'x'")).rejects.toThrow("column name 'Nobody' is not a valid search attribute");
    // From workflow code: its task fails until it is mended.
    const handle = await client.workflow.start('upsertNobody', { ...at, workflowId: 'clumsy' });
    const failure = await until(async () => (await handle.describe()).raw.pendingWorkflowTask?.lastFailure);
    expect(JSON.stringify(failure)).toContain('no mapping defined for search attribute Nobody');
    // Registered while it is tried again.
    await environment.connection.operatorService.addSearchAttributes({
      namespace: environment.namespace,
      searchAttributes: { Nobody: 2 },
    });
    expect(await handle.result()).toBe('done');
    expect(await found("Nobody = 'x'")).toEqual(['clumsy']);
  });
});

it('the example finds its parcels', async () => {
  expect(await runExample()).toEqual({
    inRome: ['books', 'piano'],
    fragile: ['piano', 'vase'],
    porters: expect.arrayContaining(['vase', 'piano']),
    heavy: ['piano'],
    byCity: [{ count: 2, groupValues: [['Oslo']] }],
    nowhere: ['books'],
    byStatus: [
      { count: 2, groupValues: [['Running']] },
      { count: 1, groupValues: [['Completed']] },
    ],
  });
}, 60_000);
