// The search attributes a namespace has registered: kept like everything else, changed one after the other.
import { describe, expect, it } from 'vitest';
import type { AttributesChange, RegisteredAttributes } from '../ports/engine.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import type { Payload } from '../wire/common.ts';
import { IndexedValueType } from '../wire/enums.ts';
import { StatusCode } from '../wire/status.ts';
import type { CountWorkflowExecutionsResponse, ListWorkflowExecutionsResponse } from '../wire/visibility.ts';
import { MAX_REGISTERED } from './search-attributes.ts';
import { NAMESPACE, stamped, World } from './testing.ts';

const { BOOL, INT, KEYWORD } = IndexedValueType;

const get = async (w: World, namespace = NAMESPACE) =>
  (await w.call<RegisteredAttributes>((done) => w.engine.searchAttributes(namespace, done))).value;

const change = (w: World, { add = {}, remove = [], rename }: Partial<AttributesChange>, namespace = NAMESPACE) =>
  w.call<RegisteredAttributes>((done) => w.engine.changeSearchAttributes(namespace, { add, remove, rename }, done));

/** Ids of what the filter finds, as a door asks. */
async function found(w: World, query: string): Promise<string[]> {
  const request = { namespace: NAMESPACE, query, attributes: await get(w), pageSize: 100, nextPageToken: undefined };
  const { value, error } = await w.call<ListWorkflowExecutionsResponse>((done) => w.engine.list(request, done));
  if (value === undefined) throw new Error(error?.message);
  return value.executions.map(({ workflowId }) => workflowId).sort();
}

/** As a door stamps what comes by a name that it is not kept under. */
const keptIn = (field: string, type: string, value: unknown): Payload => {
  const payload = stamped(type, value);
  return { ...payload, metadata: { ...payload.metadata, field: Buffer.from(field) } };
};

const world = async (disk = new MemoryDisk()): Promise<World> =>
  new World(() => openMemoryStore({ disk, shardCount: 4 })).open();

describe('registered search attributes', () => {
  it('outlive restarts and passivation, and belong to one namespace', async () => {
    const w = await world();
    expect(await get(w)).toEqual({});
    expect((await change(w, { add: { City: KEYWORD, constructor: INT } })).value).toEqual({
      City: KEYWORD,
      constructor: INT,
    });
    await w.restart();
    expect(await get(w)).toEqual({ City: KEYWORD, constructor: INT });
    expect((await change(w, { remove: ['City', 'nobody'] })).value).toEqual({ constructor: INT });
    w.engine.passivateAll();
    await w.engine.flush();
    expect(await get(w)).toEqual({ constructor: INT });
    expect(await get(w, 'other')).toEqual({});
    // No workflow came of it.
    await w.start('a');
    expect(await get(w)).toEqual({ constructor: INT });
  });

  it('are all there after changes at the same time', async () => {
    const w = await world();
    const names = Array.from({ length: 20 }, (_, i) => `A${i}`);
    const answers = names.map((name) =>
      w.begin<RegisteredAttributes>((done) =>
        w.engine.changeSearchAttributes(NAMESPACE, { add: { [name]: INT }, remove: [] }, done),
      ),
    );
    await w.time.settle();
    await w.time.settle();
    expect(answers.every(({ done, error }) => done && error === undefined)).toBe(true);
    expect(Object.keys((await get(w)) ?? {})).toEqual(names);
  });

  it('that are renamed find what was set before and since, by each condition, and the free name is another’s', async () => {
    const w = await world();
    await change(w, { add: { City: KEYWORD } });
    const start = (id: string, indexedFields: Record<string, Payload>) =>
      w.start(id, { searchAttributes: { indexedFields } });
    await start('before', { City: stamped('Keyword', 'Rome') });
    expect((await change(w, { rename: { City: 'Town' } })).value).toEqual({ Town: [KEYWORD, 'City'] });
    await w.restart();
    await start('since', { Town: keptIn('City', 'Keyword', 'Rome') });
    await start('elsewhere', { Town: keptIn('City', 'Keyword', 'Oslo') });
    expect(await found(w, "Town = 'Rome'")).toEqual(['before', 'since']);
    expect(await found(w, "Town STARTS_WITH 'O' OR Town IS NULL")).toEqual(['elsewhere']);
    expect(await found(w, "Town IS NOT NULL AND Town != 'Oslo'")).toEqual(['before', 'since']);
    await expect(found(w, "City = 'Rome'")).rejects.toThrow('City');
    const counted = { namespace: NAMESPACE, query: 'GROUP BY Town', attributes: await get(w) };
    const { value } = await w.call<CountWorkflowExecutionsResponse>((done) => w.engine.count(counted, done));
    expect(value?.groups?.map(({ count }) => count).sort()).toEqual([1, 2]);
    await change(w, { add: { City: KEYWORD } });
    await start('both', { Town: keptIn('City', 'Keyword', 'Bari'), City: keptIn('City~2', 'Keyword', 'Rome') });
    expect(await found(w, "City = 'Rome'")).toEqual(['both']);
    expect(await found(w, "Town = 'Bari'")).toEqual(['both']);
    expect(await found(w, "Town = 'Rome'")).toEqual(['before', 'since']);
    // Deleted with all their index rows.
    for (const id of ['before', 'since', 'elsewhere', 'both'])
      await w.send(id, { type: 'deleteExecution', target: {}, identity: '' });
    expect(await found(w, "Town IN ('Rome', 'Bari', 'Oslo') OR City = 'Rome'")).toEqual([]);
  });

  it('are all forgotten with their namespace, those without a name, too', async () => {
    const w = await world();
    await change(w, { add: { City: KEYWORD, Amount: INT }, rename: { Amount: '' } });
    expect((await change(w, { remove: 'everything' })).value).toEqual({});
    expect((await change(w, { remove: 'everything' })).value).toEqual({});
    expect((await change(w, { rename: { Amount: 'Sum' } })).error?.code).toBe(StatusCode.INVALID_ARGUMENT);
  });

  it('keep their type, and are bounded in number', async () => {
    const w = await world();
    await change(w, { add: { City: KEYWORD } });
    const { error } = await change(w, { add: { New: BOOL, City: INT } });
    expect(error?.code).toBe(StatusCode.ALREADY_EXISTS);
    expect(error?.message).toContain('City of namespace default is a Keyword: remove it');
    expect(await get(w)).toEqual({ City: KEYWORD });
    expect((await change(w, { add: { City: INT }, remove: ['City'] })).value).toEqual({ City: INT });
    const many = Object.fromEntries(Array.from({ length: MAX_REGISTERED }, (_, i) => [`A${i}`, INT]));
    expect((await change(w, { add: many })).error?.code).toBe(StatusCode.RESOURCE_EXHAUSTED);
    expect(await get(w)).toEqual({ City: INT });
  });
});
