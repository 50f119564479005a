// The search attributes a namespace has registered: kept like everything else, changed one after the other.
import { describe, expect, it } from 'vitest';
import type { AttributesChange, RegisteredAttributes } from '../ports/engine.ts';
import { MemoryDisk, openMemoryStore } from '../store/index.ts';
import { IndexedValueType } from '../wire/enums.ts';
import { StatusCode } from '../wire/status.ts';
import { MAX_REGISTERED } from './search-attributes.ts';
import { NAMESPACE, World } from './testing.ts';

const { BOOL, INT, KEYWORD } = IndexedValueType;

const get = async (w: World, namespace = NAMESPACE) =>
  (await w.call<RegisteredAttributes>((done) => w.engine.searchAttributes(namespace, done))).value;

const change = (w: World, { add = {}, remove = [] }: Partial<AttributesChange>, namespace = NAMESPACE) =>
  w.call<RegisteredAttributes>((done) => w.engine.changeSearchAttributes(namespace, { add, remove }, done));

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
