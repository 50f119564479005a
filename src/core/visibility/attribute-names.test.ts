// What search attributes of a namespace are called, and where their values are kept, however they are registered, renamed and removed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexedValueType } from '../../wire/enums.ts';
import { StatusCode } from '../../wire/status.ts';
import { AttributeNames } from './attribute-names.ts';
import { fieldOf, typeOf } from './attribute-types.ts';

const { INT, KEYWORD } = IndexedValueType;
const NONE = { types: {}, fields: {}, nameless: {} };

const named = (): AttributeNames => {
  const names = new AttributeNames('ns', NONE);
  names.add('City', KEYWORD);
  return names;
};

describe('a search attribute', () => {
  it('that is renamed is kept where it was', () => {
    const names = named();
    names.add('Amount', INT);
    expect(names.rename('City', 'Town')).toBeUndefined();
    expect(names.registered()).toEqual({ Amount: INT, Town: [KEYWORD, 'City'] });
    expect(names.rename('City', 'Village')).toBeUndefined();
    expect(names.registered()).toEqual({ Amount: INT, Village: [KEYWORD, 'City'] });
    expect(names.rename('City', 'City')).toBeUndefined();
    expect(names.registered()).toEqual({ Amount: INT, City: KEYWORD });
  });

  it('registered by a name that became free is another one', () => {
    const names = named();
    names.rename('City', 'Town');
    expect(names.add('City', INT)).toBeUndefined();
    expect(names.registered()).toEqual({ Town: [KEYWORD, 'City'], City: [INT, 'City~2'] });
    expect(names.rename('City', 'City')).toMatchObject({ code: StatusCode.ALREADY_EXISTS });
    names.remove('Town');
    names.remove('City');
    names.add('City', INT);
    expect(names.registered()).toEqual({ City: INT });
  });

  it('may be without a name for a while, as it is on servers that rename in two steps', () => {
    const names = named();
    expect(names.rename('City', '')).toBeUndefined();
    expect(names.registered()).toEqual({});
    expect(names.size).toBe(1);
    expect(names.rename('City', '')).toBeUndefined();
    expect(names.rename('City', 'Town')).toBeUndefined();
    expect(names.registered()).toEqual({ Town: [KEYWORD, 'City'] });
    names.rename('City', '');
    // Registered by its first name it is itself again, of whatever type.
    expect(names.add('City', INT)).toBeUndefined();
    expect(names.registered()).toEqual({ City: INT });
    expect(names.size).toBe(1);
  });

  it.each([
    ['Nope', 'Town', StatusCode.INVALID_ARGUMENT],
    ['City', 'Amount', StatusCode.ALREADY_EXISTS],
  ])('kept as %s is not called %s', (field, name, code) => {
    const names = named();
    names.add('Amount', INT);
    const before = names.registered();
    expect(names.rename(field, name)).toMatchObject({ code });
    expect(names.registered()).toEqual(before);
  });

  it('is kept where no other is, and stays there under all its names, whatever is done', () => {
    const name = fc.constantFrom('a', 'b', 'a~2', 'c');
    const step = fc.oneof(
      fc.record({ add: name, type: fc.constantFrom(KEYWORD, INT) }),
      fc.record({ remove: name }),
      fc.record({ rename: name, to: fc.oneof(name, fc.constant('')) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let names = new AttributeNames('ns', NONE);
        for (const one of steps) {
          const before = new Map(Object.entries(names.registered()));
          const fieldsBefore = new Map([...before].map(([of]) => [fieldOf(before, of), of]));
          if ('add' in one) names.add(one.add, one.type);
          else if ('remove' in one) names.remove(one.remove);
          else names.rename(one.rename, one.to);
          // As its row has it.
          names = new AttributeNames('ns', names.kept());
          const after = new Map(Object.entries(names.registered()));
          const fields = [...after.keys()].map((of) => fieldOf(after, of));
          const { nameless } = names.kept();
          expect(new Set([...fields, ...Object.keys(nameless)]).size).toBe(names.size);
          for (const [of, found] of after) {
            const was = fieldsBefore.get(fieldOf(after, of));
            const earlier = was === undefined ? undefined : before.get(was);
            if (earlier !== undefined) expect(typeOf(found)).toBe(typeOf(earlier));
          }
        }
      }),
    );
  });
});
