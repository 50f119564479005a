// Nexus endpoints on a node: changed for a version, once, and there after a crash.
import { describe, expect, it } from 'vitest';
import { MAX_ENDPOINTS } from '../../core/nexus/endpoints.ts';
import type { EndpointAnswer, EndpointAsk } from '../../ports/nexus-endpoints.ts';
import { MemoryDisk, openMemoryStore } from '../../store/index.ts';
import { StatusCode } from '../../wire/status.ts';
import { World } from '../testing.ts';

const spec = (name: string) => ({ name, target: { worker: { namespace: 'default', taskQueue: 'nexus' } } });

async function world() {
  const disk = new MemoryDisk();
  const w = await new World(() => openMemoryStore({ disk, shardCount: 4 })).open();
  const ask = (asked: EndpointAsk) => w.call<EndpointAnswer>((done) => w.engine.nexusEndpoints(asked, done));
  return { w, ask };
}

describe('the endpoints of a node', () => {
  it('are listed by revision, and survive a crash', async () => {
    const { w, ask } = await world();
    expect((await ask({ type: 'list' })).value).toEqual({ revision: 0, endpoints: [] });
    const made = (await ask({ type: 'create', id: 'a', spec: spec('pay') })).value;
    expect(made?.endpoints).toMatchObject([{ id: 'a', version: 1, spec: spec('pay') }]);
    // The same id again is the same request.
    expect((await ask({ type: 'create', id: 'a', spec: spec('pay') })).value?.revision).toBe(1);
    await w.restart();
    expect((await ask({ type: 'list' })).value?.endpoints).toEqual(made?.endpoints);
    expect((await ask({ type: 'list', since: 1 })).value).toEqual({ revision: 1 });
  });

  it('are changed and deleted for the version they have, and no other', async () => {
    const { ask } = await world();
    await ask({ type: 'create', id: 'a', spec: spec('pay') });
    await ask({ type: 'create', id: 'b', spec: spec('ship') });
    expect((await ask({ type: 'create', id: 'c', spec: spec('pay') })).error?.code).toBe(StatusCode.ALREADY_EXISTS);
    expect((await ask({ type: 'update', id: 'b', version: 1, spec: spec('pay') })).error?.code).toBe(
      StatusCode.ALREADY_EXISTS,
    );
    expect((await ask({ type: 'update', id: 'a', version: 1, spec: spec('paid') })).value?.endpoints).toMatchObject([
      { version: 2, spec: { name: 'paid' } },
    ]);
    for (const type of ['update', 'delete'] as const) {
      const late = await ask({ type, id: 'a', version: 1, spec: spec('late') });
      expect(late.error?.code).toBe(StatusCode.FAILED_PRECONDITION);
      expect((await ask({ type, id: 'z', version: 1, spec: spec('z') })).error?.code).toBe(StatusCode.NOT_FOUND);
    }
    await ask({ type: 'delete', id: 'a', version: 2 });
    const { value } = await ask({ type: 'list' });
    expect(value).toMatchObject({ revision: 4, endpoints: [{ id: 'b' }] });
  });

  it('are so many at most', async () => {
    const { ask } = await world();
    for (let n = 0; n < MAX_ENDPOINTS; n += 1) await ask({ type: 'create', id: `e${n}`, spec: spec(`e${n}`) });
    expect((await ask({ type: 'create', id: 'more', spec: spec('more') })).error?.code).toBe(
      StatusCode.RESOURCE_EXHAUSTED,
    );
  });
});
