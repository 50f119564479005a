import { describe, expect, it } from 'vitest';
import {
  decodeSearchAttributes,
  decodeTypedSearchAttributes,
  decodeUtf8,
  defineSearchAttributeKey,
  encodeSearchAttributeIndexedValueType,
  encodeUnifiedSearchAttributes,
  encodeUtf8,
  type SearchAttributePair,
  type SearchAttributes,
  type SearchAttributeType,
  TypedSearchAttributes,
} from './index.ts';

const pairs: SearchAttributePair[] = [
  { key: defineSearchAttributeKey('Text', 'TEXT'), value: 'a b' },
  { key: defineSearchAttributeKey('Keyword', 'KEYWORD'), value: 'k' },
  { key: defineSearchAttributeKey('Int', 'INT'), value: 7 },
  { key: defineSearchAttributeKey('Double', 'DOUBLE'), value: 1.5 },
  { key: defineSearchAttributeKey('Bool', 'BOOL'), value: false },
  { key: defineSearchAttributeKey('Datetime', 'DATETIME'), value: new Date(1_000) },
  { key: defineSearchAttributeKey('List', 'KEYWORD_LIST'), value: ['x', 'y'] },
];

describe('typed search attributes', () => {
  it('survive the wire, which carries their type', () => {
    const fields = encodeUnifiedSearchAttributes(undefined, pairs);
    expect(decodeUtf8(fields.List?.metadata?.type ?? new Uint8Array())).toBe('KeywordList');
    expect(decodeTypedSearchAttributes(fields).getAll()).toEqual(pairs);
  });

  it('are read by key, and only by one of their type', () => {
    const attributes = new TypedSearchAttributes(pairs);
    expect(attributes.get(defineSearchAttributeKey('Int', 'INT'))).toBe(7);
    expect(attributes.get(defineSearchAttributeKey('Int', 'KEYWORD'))).toBeUndefined();
    attributes.get(defineSearchAttributeKey('List', 'KEYWORD_LIST'))?.push('z');
    expect(attributes.get(defineSearchAttributeKey('List', 'KEYWORD_LIST'))).toEqual(['x', 'y']);
  });

  it('are updated into a copy; null removes what has that type', () => {
    const attributes = new TypedSearchAttributes(pairs);
    const updated = attributes.updateCopy([
      { key: defineSearchAttributeKey('Int', 'INT'), value: null },
      { key: defineSearchAttributeKey('Bool', 'TEXT'), value: null },
      { key: defineSearchAttributeKey('Keyword', 'KEYWORD'), value: 'new' },
    ]);
    expect(updated.getAll()).toHaveLength(6);
    expect(updated.get(defineSearchAttributeKey('Keyword', 'KEYWORD'))).toBe('new');
    expect(attributes.getAll()).toEqual(pairs);
    expect(JSON.parse(JSON.stringify(updated))).toHaveLength(6);
  });

  it('are refused twice under one name, and when the value does not fit', () => {
    const pair = pairs[0];
    if (pair) expect(() => new TypedSearchAttributes([pair, pair])).toThrow('Duplicate search attribute key: Text');
    const wrong = { key: { name: 'Int', type: 'INT' }, value: 1.5 } as SearchAttributePair;
    expect(() => encodeUnifiedSearchAttributes(undefined, [wrong])).toThrow(
      /Invalid search attribute value 1.5 for 'Int'/,
    );
  });

  it('removed ones go out without a type', () => {
    const fields = encodeUnifiedSearchAttributes(undefined, [{ key: { name: 'Int', type: 'INT' }, value: null }]);
    expect(fields.Int?.metadata?.type).toBeUndefined();
  });

  it('unknown types and values of another type are left out', () => {
    const json = (value: unknown, type: string) => ({
      metadata: { encoding: encodeUtf8('json/plain'), type: encodeUtf8(type) },
      data: encodeUtf8(JSON.stringify(value)),
    });
    const decoded = decodeTypedSearchAttributes({
      Old: json(['one'], 'Keyword'),
      Many: json(['one', 'two'], 'Keyword'),
      Weird: json('x', 'Colour'),
      Wrong: json('x', 'Int'),
      Enum: json('x', 'INDEXED_VALUE_TYPE_TEXT'),
    });
    expect(decoded.getAll().map(({ key }) => key.name)).toEqual(['Old', 'Enum']);
  });

  it.each([
    [['2024-01-01T00:00:00Z'], 'DATETIME'],
    [['word'], 'TEXT'],
    [[1], 'INT'],
    [[1.5], 'DOUBLE'],
    [[true], 'BOOL'],
    [[new Date(0)], 'DATETIME'],
    [['a', 'b'], 'KEYWORD_LIST'],
    [[1, 2], undefined],
    [undefined, undefined],
  ] as [SearchAttributes[string], SearchAttributeType | undefined][])('%j looks like %s', (value, type) => {
    expect(TypedSearchAttributes.getKeyFromUntyped('x', value)?.type).toBe(type);
  });

  it('have the numbers of the wire', () => {
    expect(encodeSearchAttributeIndexedValueType('KEYWORD_LIST')).toBe(7);
  });
});

describe('untyped search attributes', () => {
  it('are arrays; dates come back as dates where the server says so', () => {
    const fields = encodeUnifiedSearchAttributes({ A: ['x'], B: [1, 2], Gone: undefined }, undefined);
    expect(decodeSearchAttributes(fields)).toEqual({ A: ['x'], B: [1, 2] });
    expect(decodeSearchAttributes(encodeUnifiedSearchAttributes(undefined, pairs))).toMatchObject({
      Datetime: [new Date(1_000)],
      List: ['x', 'y'],
    });
    expect(decodeSearchAttributes(undefined)).toEqual({});
  });

  it('give way to typed ones of the same name', () => {
    const pair: SearchAttributePair = { key: { name: 'A', type: 'INT' }, value: 7 };
    expect(decodeSearchAttributes(encodeUnifiedSearchAttributes({ A: ['x'] }, [pair]))).toEqual({ A: [7] });
  });

  it.each([
    [{ A: 'x' }, 'must be an array'],
    [{ A: [{}] }, 'must be: string | number | boolean | Date'],
    [{ A: ['x', 1] }, 'of the same type'],
  ])('%j is refused', (attributes, message) => {
    expect(() => encodeUnifiedSearchAttributes(attributes as unknown as SearchAttributes, undefined)).toThrow(message);
  });
});
