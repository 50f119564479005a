// Search attributes that were renamed, at the native door: what is asked by their new name reaches the engine, what is answered has it.
import { beforeEach, describe, expect, it } from 'vitest';
import { type TestClient, TestDoor } from '../../../test/support/door.ts';
import { IndexedValueType } from '../../wire/enums.ts';
import { StatusCode } from '../../wire/status.ts';

const { KEYWORD } = IndexedValueType;
const RENAMED = { Town: [KEYWORD, 'City'], Amount: IndexedValueType.INT };
const payload = (value: unknown) => ({
  metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from('Keyword') },
  data: Buffer.from(JSON.stringify(value)),
});
const info = { workflowId: 'w', runId: 'r', searchAttributes: { indexedFields: { City: payload('Rome') } } };

let door: TestDoor;
let client: TestClient;
beforeEach(() => {
  door = new TestDoor();
  door.engine.answers.searchAttributes = RENAMED;
  client = door.connect();
});

const answer = (method: string, body: object): unknown => client.ask(method, { namespace: 'default', ...body })?.[2];
const asked = (method: string) => door.engine.asked.filter((one) => one.method === method).map(({ what }) => what);

describe('a renamed search attribute', () => {
  it('is listed by its name, and asked for where it is kept', () => {
    door.engine.answers.list = { executions: [info] };
    const list = answer('listWorkflowExecutions', { query: "Town = 'Rome'" });
    expect(list).toMatchObject({ executions: [{ searchAttributes: { indexedFields: { Town: payload('Rome') } } }] });
    expect(asked('list')).toMatchObject([{ attributes: RENAMED }]);
  });

  it('is described by its name, and set by it', () => {
    door.engine.answers.describe = { workflowExecutionInfo: info, pendingActivities: [] };
    const described = answer('describeWorkflowExecution', { workflowId: 'w' });
    expect(described).toMatchObject({
      workflowExecutionInfo: { searchAttributes: { indexedFields: { Town: payload('Rome') } } },
    });
    const start = { workflowId: 'w', workflowType: 't', taskQueue: 'q', requestId: 'r', identity: '' };
    client.request('startWorkflowExecution', {
      ...{ namespace: 'default', ...start },
      searchAttributes: { indexedFields: { Town: payload('Oslo') } },
    });
    const [message] = asked('submit') as { searchAttributes: { indexedFields: { Town: { metadata: object } } } }[];
    expect(message?.searchAttributes.indexedFields.Town.metadata).toMatchObject({
      field: new TextEncoder().encode('City'),
    });
    expect(
      client.refusal('startWorkflowExecution', {
        ...{ namespace: 'default', ...start },
        searchAttributes: { indexedFields: { City: payload('Oslo') } },
      })?.message,
    ).toContain('no mapping defined for search attribute City');
  });

  it('of a schedule and its runs has a name that can be sent back', () => {
    const { searchAttributes } = info;
    const schedule = { action: { startWorkflow: { workflowId: 's', searchAttributes } } };
    door.engine.answers.describeSchedule = { type: 'scheduleDescribed', response: { schedule, searchAttributes } };
    const named = { indexedFields: { Town: payload('Rome') } };
    expect(answer('describeSchedule', { scheduleId: 's' })).toMatchObject({
      searchAttributes: named,
      schedule: { action: { startWorkflow: { searchAttributes: named } } },
    });
  });
});

describe('a namespace', () => {
  it('is described with what its attributes are called, by where they are kept', () => {
    const described = answer('describeNamespace', {});
    expect(described).toMatchObject({ customSearchAttributeAliases: { City: 'Town', Amount: 'Amount' } });
  });

  it('without any says nothing of them', () => {
    door.engine.answers.searchAttributes = {};
    expect(answer('describeNamespace', {})).not.toHaveProperty('customSearchAttributeAliases');
  });

  it('renames them without being registered for it', () => {
    door.engine.answers.changeSearchAttributes = { Village: [KEYWORD, 'City'] };
    const config = { customSearchAttributeAliases: { City: 'Village' } };
    const updated = answer('updateNamespace', { config });
    expect(updated).toMatchObject({ name: 'default', customSearchAttributeAliases: { City: 'Village' } });
    expect(asked('changeSearchAttributes')).toMatchObject([
      { change: { add: {}, remove: [], rename: { City: 'Village' } } },
    ]);
    expect(asked('namespaces')).toEqual([]);
  });

  it('is changed otherwise only once they are renamed', () => {
    const config = { customSearchAttributeAliases: { City: 'Village' }, workflowExecutionRetentionTtl: 7_200_000 };
    expect(client.refusal('updateNamespace', { namespace: 'default', config })?.code).toBe(
      StatusCode.PERMISSION_DENIED,
    );
    door = new TestDoor({ administration: { tokens: [], withoutTokens: 'everyone' } });
    door.engine.answers.searchAttributes = RENAMED;
    client = door.connect();
    client.request('updateNamespace', { namespace: 'default', config });
    expect(asked('namespaces')).toEqual([]);
    door.engine.last.done({ code: StatusCode.ALREADY_EXISTS, message: 'there already' });
    door.time.settle();
    expect(client.take().at(-1)?.[2]).toMatchObject({ message: 'there already' });
    expect(asked('namespaces')).toEqual([]);
    client.request('updateNamespace', { namespace: 'default', config });
    door.engine.last.done(undefined, { Village: [KEYWORD, 'City'] });
    expect(asked('namespaces')).toMatchObject([{ type: 'update', change: { retention: 7_200_000 } }]);
  });

  it.each([
    ['WorkflowId', 'Search attribute WorkflowId is reserved by system.'],
    ['TemporalThing', 'begins with Temporal'],
    ['x'.repeat(2_000), 'more than 1024 bytes'],
  ])('calls none of them %s', (name, why) => {
    const config = { customSearchAttributeAliases: { City: name } };
    expect(client.refusal('updateNamespace', { namespace: 'default', config })?.message).toContain(why);
  });
});
