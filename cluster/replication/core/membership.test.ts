import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changed, configurationOf } from './configuration.ts';
import { directoryId } from './ids.ts';
import { nextStep } from './membership.ts';

const ids = (...names: string[]) => names.map(directoryId);
const [a, b] = ids('a', 'b') as [ReturnType<typeof directoryId>, ReturnType<typeof directoryId>];

describe('the way to the desired replica set', () => {
  it.each([
    ['is over when it is there', ids('a', 'b'), [], ids('b', 'a'), undefined],
    ['begins with a learner', ids('a', 'b'), [], ids('a', 'c'), { change: { type: 'addLearner', id: 'c' } }],
    ['makes it a voter', ids('a', 'b'), ids('c'), ids('a', 'c'), { change: { type: 'promote', id: 'c' } }],
    ['removes who is left over', ids('a', 'b', 'c'), [], ids('a', 'c'), { change: { type: 'remove', id: 'b' } }],
    [
      'drops a learner nobody wants any more',
      ids('a', 'b'),
      ids('x'),
      ids('a', 'c'),
      { change: { type: 'remove', id: 'x' } },
    ],
    [
      'has the leader hand over before it is removed',
      ids('a', 'b', 'c'),
      [],
      ids('b', 'c'),
      { type: 'transfer', to: 'b' },
    ],
  ])('%s', (_, voters, learners, desired, step) => {
    const found = nextStep(configurationOf(voters, learners), desired, a);
    if (step === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(step);
  });

  it.each([
    [
      'the one that is gone goes first',
      ids('a', 'b', 'c'),
      ids('a', 'd'),
      ['c'],
      { change: { type: 'remove', id: 'c' } },
    ],
    [
      'the one that is gone goes first, also of several that nobody wants',
      ids('a', 'b', 'c', 'd'),
      ids('a', 'b'),
      ['d'],
      { change: { type: 'remove', id: 'd' } },
    ],
    [
      'who is there stays until somebody came',
      ids('a', 'b', 'c'),
      ids('c', 'd'),
      ['c'],
      { change: { type: 'addLearner', id: 'd' } },
    ],
    ['nobody goes while the rest could not decide it', ids('a', 'b', 'c'), ids('a', 'c'), ['c'], undefined],
    [
      'nobody goes while too few of the wanted are there',
      ids('a', 'b', 'c', 'd', 'e'),
      ids('a', 'b', 'c'),
      ['b', 'c'],
      undefined,
    ],
    [
      'nobody comes either while the leader knows of nobody who is there',
      ids('a', 'b', 'c', 'd'),
      ids('a', 'd', 'e'),
      ['b', 'c', 'd'],
      undefined,
    ],
  ])('%s: the voters that are left are there by majority', (_, voters, desired, away, step) => {
    const found = nextStep(configurationOf(voters), desired, a, (id) => !away.includes(id));
    if (step === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(step);
  });

  it('ends there from everywhere, and never has fewer voters than it had or should have', () => {
    const set = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(set, set, (from, to) => {
        let now = configurationOf(ids(...from));
        const desired = ids(...to);
        const floor = Math.min(from.length, to.length);
        let self = now.voters[0] ?? b;
        for (let i = 0; i < 40; i += 1) {
          const step = nextStep(now, desired, self);
          if (step === undefined) break;
          if (step.type === 'transfer') self = step.to;
          else {
            const next = changed(now, step.change);
            if (typeof next === 'string') throw new Error(next);
            expect(next.voters).toContain(self);
            now = next;
          }
          expect(now.voters.length).toBeGreaterThanOrEqual(floor);
        }
        expect(now).toEqual(configurationOf(desired));
      }),
    );
  });
});
