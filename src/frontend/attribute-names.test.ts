// What attributes are called in answers once they were renamed.
import { describe, expect, it } from 'vitest';
import { type AttributeTypes, checkAttributes, type Registered } from '../core/visibility/index.ts';
import type { Payload } from '../wire/common.ts';
import { IndexedValueType } from '../wire/enums.ts';
import { aliasesOf, namingOf } from './attribute-names.ts';

const { KEYWORD, INT } = IndexedValueType;
const plain = (value: string): Payload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});
const RENAMED: AttributeTypes = new Map<string, Registered>([
  ['Town', [KEYWORD, 'City']],
  ['City', [KEYWORD, 'City~2']],
  ['Amount', INT],
]);

/** As the door hands them to the engine. */
function stamped(types: AttributeTypes, fields: Record<string, Payload>): Record<string, Payload> {
  const checked = checkAttributes('ns', fields, types);
  if ('problem' in checked) throw new Error(checked.problem);
  return checked.fields;
}

const names = (types: AttributeTypes, indexedFields: Record<string, Payload>) =>
  Object.fromEntries(
    Object.entries(namingOf(types)({ indexedFields })?.indexedFields ?? {}).map(([name, { data, metadata }]) => {
      expect(metadata).not.toHaveProperty('field');
      return [name, JSON.parse(Buffer.from(data ?? []).toString()) as unknown];
    }),
  );

describe('search attributes in answers', () => {
  const before = stamped(new Map([['City', KEYWORD]]), { City: plain('Rome') });

  it('have the names they have now, whenever they were set', () => {
    expect(names(RENAMED, before)).toEqual({ Town: 'Rome' });
    const since = stamped(RENAMED, { Town: plain('Rome'), City: plain('Oslo') });
    expect(names(RENAMED, since)).toEqual({ Town: 'Rome', City: 'Oslo' });
  });

  it('keep the name they came with when nobody says another, unless that is another’s', () => {
    expect(names(RENAMED, { Gone: plain('x') })).toEqual({ Gone: 'x' });
    const removed: AttributeTypes = new Map<string, Registered>([['City', [KEYWORD, 'City~2']]]);
    expect(names(removed, { ...stamped(RENAMED, { City: plain('Oslo') }) })).toEqual({ City: 'Oslo' });
    expect(names(removed, before)).toEqual({ City: 'Rome' });
  });

  it('are left as they are where nothing was renamed', () => {
    const attributes = { indexedFields: before };
    expect(namingOf(new Map([['City', KEYWORD]]))(attributes)).toBe(attributes);
  });

  it('say where they are kept only as the door says, never as their sender does', () => {
    const forged = { ...plain('x'), metadata: { ...plain('x').metadata, field: Buffer.from('Amount') } };
    expect(stamped(new Map([['City', KEYWORD]]), { City: forged }).City?.metadata).not.toHaveProperty('field');
    expect(stamped(RENAMED, { City: forged }).City?.metadata?.field).toEqual(new TextEncoder().encode('City~2'));
  });

  it('are described as a Temporal server does: by where they are kept', () => {
    expect(aliasesOf(RENAMED)).toEqual({ City: 'Town', 'City~2': 'City', Amount: 'Amount' });
  });
});
