// When a node takes itself for cut off.

import { describe, expect, it } from 'vitest';
import { Contact } from './contact.ts';

function contactOf(planned: readonly string[]) {
  const quiet = new Map<string, number>();
  const clock = { at: 0, monotonic: () => clock.at };
  const contact = new Contact({ clock, self: 'a', planned: () => planned, quietMs: (id) => quiet.get(id) });
  const hears = (...ids: string[]): void => {
    quiet.clear();
    for (const id of ids) quiet.set(id, 1_000);
    contact.look();
  };
  return { contact, clock, quiet, hears };
}

describe('a node', () => {
  it.each([
    ['with all others', ['a', 'b', 'c'], ['b', 'c'], undefined],
    ['with one of two others', ['a', 'b', 'c'], ['b'], undefined],
    ['with none of two others', ['a', 'b', 'c'], [], 'this node hears 0 of the 2 others'],
    ['with one of four others', ['a', 'b', 'c', 'd', 'e'], ['b'], 'this node hears 1 of the 4 others'],
    ['with two of four others', ['a', 'b', 'c', 'd', 'e'], ['b', 'd'], undefined],
    ['that is one of two', ['a', 'b'], [], undefined],
    ['that stands alone', ['a'], [], undefined],
    ['that is none of the planned', ['b', 'c', 'd'], ['b'], 'this node hears 1 of the 3 others'],
    ['before the first plan', [], [], undefined],
  ])('%s', (_name, planned, now, why) => {
    const { contact, hears } = contactOf(planned);
    hears(...planned);
    hears(...now);
    expect(contact.cutOff()).toBe(why);
  });

  it('whose links are silent is cut off before they are given up', () => {
    const { contact, clock, quiet, hears } = contactOf(['a', 'b', 'c']);
    hears('b', 'c');
    for (const id of ['b', 'c']) quiet.set(id, 2_000);
    clock.at += 100;
    expect(contact.cutOff()).toBe('this node hears 0 of the 2 others');
    quiet.set('c', 100);
    clock.at += 100;
    expect(contact.cutOff()).toBeUndefined();
  });

  it('that has just started waits for the others', () => {
    const { contact } = contactOf(['a', 'b', 'c']);
    expect(contact.cutOff()).toBeUndefined();
  });
});
