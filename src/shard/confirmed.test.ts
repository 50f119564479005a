// Answers that rest on no entry of their own: where others may lead, they count once the log has said that nobody does (DESIGN §7, fresh reads).
import { describe, expect, it } from 'vitest';
import { lsn, shardId, term } from '../ports/ids.ts';
import { openMemoryStore } from '../store/index.ts';
import { World } from './testing.ts';

const S = shardId(0);

async function led() {
  const store = openMemoryStore({ shardCount: 1 });
  const settle: (() => void)[] = [];
  const confirm: ((fresh: boolean) => void)[] = [];
  const w = new World(() => store, {
    commitLog: {
      appends: 'apart',
      append: (entries, settled) => {
        settle.push(() => void store.append(entries).then(settled));
        return 'taken';
      },
      flush: (flushes) => store.flush(flushes),
      confirm: () => new Promise((resolve) => confirm.push(resolve)),
    },
  });
  await w.open();
  w.engine.lead(S, term(1), lsn(0));
  const all = async (): Promise<void> => {
    for (const one of settle.splice(0)) one();
    await w.time.settle();
  };
  return { w, confirm, all };
}

describe('a request that changes nothing', () => {
  it.each([
    ['is answered when nobody else leads', true],
    ['is refused when another may, as applied perhaps: here it repeats what was', false],
  ])('%s', async (_, fresh) => {
    const { w, confirm, all } = await led();
    const message = w.startMessage();
    const first = w.post('a', message);
    await w.time.settle();
    await all();
    expect(first.error).toBeUndefined();
    const again = w.post('a', message);
    await w.time.settle();
    expect(again.done).toBe(false);
    for (const say of confirm.splice(0)) say(fresh);
    await w.time.settle();
    expect(again.error?.detail).toEqual(fresh ? undefined : { kind: 'Unavailable', applied: 'maybe' });
    expect(again.done).toBe(true);
  });

  it.each([true, false])('and came while an entry was under way is confirmed after that (fresh: %s)', async (fresh) => {
    const { w, confirm, all } = await led();
    const message = w.startMessage();
    const first = w.post('a', message);
    await w.time.settle();
    // The majority's answers to the first may be old: another may lead since, and have gone on.
    const again = w.post('a', message);
    await w.time.settle();
    await all();
    expect(first).toMatchObject({ done: true, error: undefined });
    expect(again.done).toBe(false);
    for (const say of confirm.splice(0)) say(fresh);
    await w.time.settle();
    expect(again.error?.detail).toEqual(fresh ? undefined : { kind: 'Unavailable', applied: 'maybe' });
    expect(again.done).toBe(true);
  });
});
