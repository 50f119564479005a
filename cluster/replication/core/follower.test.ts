import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainOf } from '../../../src/ports/chain.ts';
import { lsn, term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import { judgeAppend } from './follower.ts';
import { EMPTY_BASE, LOG_START, LogView } from './log.ts';

/** A log of entries of these terms; `seed` tells those of one leader from those of another. */
function entriesOf(terms: readonly number[]): LogEntry[] {
  let chain = 0;
  return terms.map((inTerm, i) => {
    const entry = Uint8Array.of(inTerm, i);
    chain = chainOf(chain, term(inTerm), lsn(i + 1), entry);
    return { lsn: lsn(i + 1), term: term(inTerm), chain, entry };
  });
}
function logOf(entries: readonly LogEntry[]): LogView {
  const log = new LogView(EMPTY_BASE);
  for (const entry of entries) log.append(entry);
  return log;
}
const ascending = fc
  .array(fc.integer({ min: 1, max: 4 }), { maxLength: 12 })
  .map((terms) => terms.sort((a, b) => a - b));
/** Two logs with a common beginning that is committed, as two replicas may have them: a term has one leader, so none is in both after it. */
const pair = fc.tuple(ascending, ascending, ascending).map(([shared, own, leaders]) => {
  const last = shared.at(-1) ?? 1;
  const even = own.map((one) => last + 2 * one);
  const odd = leaders.map((one) => last + 2 * one - 1);
  return {
    shared: shared.length,
    own: entriesOf([...shared, ...even]),
    leaders: entriesOf([...shared, ...odd, last + 19]),
  };
});

describe('an append', () => {
  it('makes the log the leader’s, and never touches what is committed', () => {
    fc.assert(
      fc.property(pair, fc.nat(), fc.nat(), ({ shared, own, leaders }, from, count) => {
        const log = logOf(own);
        const previousLsn = from % leaders.length;
        const previous = previousLsn === 0 ? LOG_START : (leaders[previousLsn - 1] as LogEntry);
        const entries = leaders.slice(previousLsn, previousLsn + (count % 8));
        const verdict = judgeAppend(log, lsn(shared), { term: term(99), previous, entries });
        expect(verdict.kind).not.toBe('damaged');
        if (verdict.kind === 'refused') {
          expect(verdict.hint.lsn).toBeGreaterThanOrEqual(shared);
          expect(verdict.hint.lsn).toBeLessThanOrEqual(previousLsn);
          return;
        }
        if (verdict.kind !== 'agrees') return;
        if (verdict.truncateAfter !== undefined) {
          expect(verdict.truncateAfter).toBeGreaterThanOrEqual(shared);
          log.truncateAfter(verdict.truncateAfter);
        }
        for (const entry of verdict.entries) log.append(entry);
        for (const { lsn: at, chain } of leaders.slice(0, verdict.match)) expect(log.positionAt(at)?.chain).toBe(chain);
      }),
    );
  });

  it('that says less than the log holds takes nothing away: it may be late', () => {
    const entries = entriesOf([1, 1, 2, 2]);
    const verdict = judgeAppend(logOf(entries), lsn(0), {
      term: term(2),
      previous: LOG_START,
      entries: entries.slice(0, 2),
    });
    expect(verdict).toEqual({ kind: 'agrees', match: 2, truncateAfter: undefined, entries: [] });
  });

  it('with any bit changed is taken only up to there', () => {
    const entries = entriesOf([1, 1, 2, 2]);
    for (let at = 0; at < entries.length; at += 1) {
      const sent = entries.map((one, i) => (i === at ? { ...one, entry: Uint8Array.of(9, 9) } : one));
      const verdict = judgeAppend(new LogView(EMPTY_BASE), lsn(0), {
        term: term(2),
        previous: LOG_START,
        entries: sent,
      });
      expect(verdict).toMatchObject({ kind: 'agrees', match: at, damagedFrom: at + 1 });
    }
  });

  it('that leaves out an entry, or whose terms fall, or pass the leader’s, is damaged', () => {
    const entries = entriesOf([1, 2, 3]);
    const [first, , third] = entries as [LogEntry, LogEntry, LogEntry];
    const judge = (sent: LogEntry[], inTerm = 3) =>
      judgeAppend(new LogView(EMPTY_BASE), lsn(0), { term: term(inTerm), previous: LOG_START, entries: sent });
    expect(judge([first, third])).toMatchObject({ match: 1, damagedFrom: 2 });
    expect(judge(entries, 2)).toMatchObject({ match: 2, damagedFrom: 3 });
    expect(judge(entriesOf([2, 1]))).toMatchObject({ match: 1, damagedFrom: 2 });
  });

  it('of a leader that lacks what is committed here shows that one of the two is damaged', () => {
    const log = logOf(entriesOf([1, 1]));
    const other = { lsn: lsn(2), term: term(1), chain: 77 };
    expect(judgeAppend(log, lsn(2), { term: term(3), previous: other, entries: [] })).toMatchObject({
      kind: 'damaged',
      lsn: 2,
    });
    const older = { lsn: lsn(2), term: term(2), chain: 77 };
    expect(judgeAppend(log, lsn(2), { term: term(3), previous: older, entries: [] })).toMatchObject({
      kind: 'damaged',
      lsn: 2,
    });
  });
});
