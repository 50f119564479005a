import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type NodeState, parseState, STATE_FILE, stateFile } from './state.ts';

const root = mkdtempSync(join(tmpdir(), 'tenuto-state-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let directories = 0;
const directory = (): string => {
  directories += 1;
  return join(root, `${directories}`, 'deep');
};

const STATE: NodeState = {
  record: { clusterId: 'c', incarnation: 'i', shardCount: 16, createdAtMs: 5 },
  ...{ plan: 'p', firstPlan: 'f', born: true, draining: 'leadership' },
};

describe('what a node knows from before its start', () => {
  it('is what was written last, and nothing before', async () => {
    const file = stateFile(directory());
    expect(await file.read()).toBeUndefined();
    await file.write(STATE);
    expect(await file.read()).toEqual(STATE);
  });

  it('is the newest of many written at once, and leaves nothing beside it', async () => {
    const at = directory();
    const file = stateFile(at);
    await Promise.all(Array.from({ length: 20 }, (_, n) => file.write({ ...STATE, plan: `${n}` })));
    expect((await stateFile(at).read())?.plan).toBe('19');
    expect(readdirSync(at)).toEqual([STATE_FILE]);
  });

  it('keeps the ages of directories, and leaves out what is none', async () => {
    const at = directory();
    const known = { directoryId: 'd', bootId: 'b', age: 7 };
    await stateFile(at).write({ ...STATE, age: 3, ages: [known] });
    expect(await stateFile(at).read()).toEqual({ ...STATE, age: 3, ages: [known] });
    const hostile = { format: 1, ...STATE, age: -1, ages: [known, null, 'x', { ...known, age: 'x' }, { age: 1 }] };
    expect(parseState(JSON.stringify(hostile))).toEqual({ ...STATE, ages: [known] });
  });

  it('says that the directory was given up, which is none to start from', async () => {
    const at = directory();
    await stateFile(at).write({ ...STATE, damaged: 'shard 3 of data directory d is damaged: entry 7' });
    await expect(stateFile(at).read()).rejects.toMatchObject({
      message: 'the data directory was given up in an earlier run: shard 3 of data directory d is damaged: entry 7',
      hint: expect.stringContaining('an empty data directory'),
    });
  });

  it('is the old one when a crash left half of a new one beside it', async () => {
    const at = directory();
    const file = stateFile(at);
    await file.write(STATE);
    writeFileSync(join(at, `${STATE_FILE}.new`), '{"format":');
    expect(await stateFile(at).read()).toEqual(STATE);
    await file.write({ ...STATE, born: false });
    expect(readdirSync(at)).toEqual([STATE_FILE]);
  });

  it.each([
    ['of the same version', 1, { min: 1, max: 1 }, STATE],
    ['of the version before', 1, { min: 1, max: 2 }, STATE],
    ['of the version after, which is read already', 2, { min: 1, max: 2 }, STATE],
    ['two versions older', 1, { min: 2, max: 3 }, undefined],
    ['two versions newer', 3, { min: 1, max: 1 }, undefined],
  ])('is read or not: %s', (_, format, reads, state) => {
    expect(parseState(JSON.stringify({ format, ...STATE }), { reads, writes: 1 })).toEqual(state);
  });

  const good = { format: 1, ...STATE };
  it.each([
    ['empty', ''],
    ['no JSON', '{'],
    ['another value', '7'],
    ['null', 'null'],
    ['of a newer version', JSON.stringify({ ...good, format: 2 })],
    ['without a plan', JSON.stringify({ ...good, plan: undefined })],
    ['without a first plan', JSON.stringify({ ...good, firstPlan: 0 })],
    ['without birth', JSON.stringify({ ...good, born: 'yes' })],
    ['draining otherwise', JSON.stringify({ ...good, draining: 'some' })],
    ['without a record', JSON.stringify({ ...good, record: null })],
    ['with a record of half a shard', JSON.stringify({ ...good, record: { ...STATE.record, shardCount: 0.5 } })],
  ])('is refused with the name of the file when that is %s', async (_, text) => {
    const at = directory();
    await stateFile(at).write(STATE);
    truncateSync(join(at, STATE_FILE));
    writeFileSync(join(at, STATE_FILE), text);
    await expect(stateFile(at).read()).rejects.toThrow(STATE_FILE);
  });

  it.each([
    [
      'of another version is for that version: nobody is told to empty the directory',
      { ...good, format: 7 },
      /has format 7, and this is Tenuto .* reads 1$/,
      /version that wrote it/,
    ],
    ['that is damaged is to be learnt from others', { ...good, born: 'yes' }, /is damaged$/, /empty data directory/],
  ])('and a file %s', async (_, value, message, hint) => {
    const at = directory();
    await stateFile(at).write(STATE);
    writeFileSync(join(at, STATE_FILE), JSON.stringify(value));
    await expect(stateFile(at).read()).rejects.toMatchObject({
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });

  it('is written after one that failed', async () => {
    const at = directory();
    const blocked = join(root, 'a-file');
    writeFileSync(blocked, '');
    await expect(stateFile(blocked).write(STATE)).rejects.toThrow();
    const file = stateFile(at);
    await file.write(STATE);
    expect(await file.read()).toEqual(STATE);
  });
});
