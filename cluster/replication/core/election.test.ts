import { describe, expect, it } from 'vitest';
import { lsn, term } from '../../../src/ports/ids.ts';
import { isUpToDate, mayPromise, type Promises, wouldPromise } from './election.ts';
import { directoryId } from './ids.ts';

const end = (at: number, inTerm: number) => ({ lsn: lsn(at), term: term(inTerm) });
const own = (changes: Partial<Promises> = {}): Promises => ({
  term: term(4),
  votedFor: undefined,
  end: end(10, 3),
  knowsMembers: true,
  ...changes,
});
const [x, y] = [directoryId('x'), directoryId('y')];

describe('a promise', () => {
  it.each([
    ['to a log as complete', own(), end(10, 3), 5, true],
    ['to a longer log of an older term', own(), end(99, 2), 5, false],
    ['to a shorter log of a newer term', own(), end(1, 4), 5, true],
    ['to a shorter log of the same term', own(), end(9, 3), 5, false],
    ['in an older term', own(), end(10, 3), 3, false],
    ['in its own term, to nobody yet', own(), end(10, 3), 4, true],
    ['in its own term, to the same again', own({ votedFor: x }), end(10, 3), 4, true],
    ['in its own term, to another', own({ votedFor: y }), end(10, 3), 4, false],
    ['of an empty directory', own({ knowsMembers: false, end: end(0, 0) }), end(10, 3), 9, false],
  ])('%s', (_, promises, candidateEnd, inTerm, granted) => {
    expect(mayPromise(promises, { term: term(inTerm), end: candidateEnd }, x)).toBe(granted);
  });

  it('is foretold for newer terms only, and whoever it went to', () => {
    expect(wouldPromise(own({ votedFor: y }), { term: term(5), end: end(10, 3) })).toBe(true);
    expect(wouldPromise(own(), { term: term(4), end: end(10, 3) })).toBe(false);
    expect(wouldPromise(own({ knowsMembers: false }), { term: term(5), end: end(10, 3) })).toBe(false);
  });

  it('compares terms first', () => {
    expect(isUpToDate(end(1, 2), end(9, 1))).toBe(true);
    expect(isUpToDate(end(9, 1), end(1, 2))).toBe(false);
  });
});
