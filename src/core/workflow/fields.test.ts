// Upserts of search attributes: of what is kept under one name a run has one value, by whatever names it was written.
import { describe, expect, it } from 'vitest';
import { keptAs, keptUnder } from '../../wire/attribute-field.ts';
import type { Payload } from '../../wire/common.ts';
import { jsonPayload, mergeAttributes } from './fields.ts';

const value = (of: unknown, field?: string): Payload => {
  const payload = jsonPayload(of);
  return field === undefined ? payload : { ...payload, metadata: { ...payload.metadata, field: Buffer.from(field) } };
};
const gone = (field?: string): Payload => value(null, field);

/** By the name each is kept under: what it is called, and its value. */
const kept = (fields: Record<string, Payload>) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, payload]) => [
      keptAs(name, payload),
      [name, JSON.parse(Buffer.from(payload.data ?? []).toString()) as unknown],
    ]),
  );

describe('an upsert', () => {
  it.each([
    ['of the same name', { City: value(1) }, { City: value(2) }, { City: ['City', 2] }],
    ['by a new name', { City: value(1) }, { Town: value(2, 'City') }, { City: ['Town', 2] }],
    ['by a newer one', { Town: value(1, 'City') }, { Village: value(2, 'City') }, { City: ['Village', 2] }],
    ['by the old one, from who has not heard', { Town: value(1, 'City') }, { City: value(2) }, { City: ['City', 2] }],
    ['that removes by a new name', { City: value(1) }, { Town: gone('City') }, {}],
    ['that removes by an old one', { Town: value(1, 'City') }, { City: gone() }, {}],
    [
      'of another attribute that has got the old name',
      { City: value(1) },
      { City: value(2, 'City~2') },
      { City: ['City~', 1], 'City~2': ['City', 2] },
    ],
    [
      'that removes such a one',
      { City: value(1), Other: value(3) },
      { City: gone('City~2') },
      { City: ['City~', 1], Other: ['Other', 3] },
    ],
  ])('%s', (_, base, changes, expected) => {
    const before = JSON.stringify(base);
    expect(kept(mergeAttributes(base, changes))).toEqual(expected);
    expect(JSON.stringify(base)).toBe(before);
  });

  it('finds what is kept under a name, and no other', () => {
    const fields = { City: value(2, 'City~2'), Town: value(1, 'City'), constructor: value(3) };
    expect(keptUnder(fields, 'City')?.[0]).toBe('Town');
    expect(keptUnder(fields, 'City~2')?.[0]).toBe('City');
    expect(keptUnder(fields, 'constructor')?.[0]).toBe('constructor');
    expect(keptUnder(fields, 'toString')).toBeUndefined();
    expect(keptUnder(fields, 'Town')).toBeUndefined();
  });
});
