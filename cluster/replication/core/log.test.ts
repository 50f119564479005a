import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainOf } from '../../../src/ports/chain.ts';
import { lsn, term } from '../../../src/ports/ids.ts';
import type { LogEntry } from '../../../src/ports/store.ts';
import { configurationOf, NO_CONFIGURATION } from './configuration.ts';
import { configurationEntry } from './entry.ts';
import { directoryId } from './ids.ts';
import { EMPTY_BASE, LogView } from './log.ts';

function entryAfter(log: LogView, inTerm: number, bytes: Uint8Array): LogEntry {
  const { last } = log;
  const at = lsn(last.lsn + 1);
  return { lsn: at, term: term(inTerm), chain: chainOf(last.chain, term(inTerm), at, bytes), entry: bytes };
}

type Step = { do: 'append'; size: number } | { do: 'truncate' | 'trim' | 'evict'; share: number };
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('append' as const), size: fc.nat(20) }),
    fc.record({
      do: fc.constantFrom('truncate' as const, 'trim' as const, 'evict' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  ),
  { maxLength: 60 },
);

describe('a log', () => {
  it('is what a list of entries would be, whatever is appended, truncated, trimmed and forgotten', () => {
    fc.assert(
      fc.property(steps, (list: Step[]) => {
        const log = new LogView(EMPTY_BASE);
        let entries: LogEntry[] = [];
        let base = 0;
        for (const step of list) {
          const at = step.do === 'append' ? 0 : base + Math.round(step.share * entries.length);
          if (step.do === 'append') {
            const entry = entryAfter(log, 1 + Math.floor(log.lastLsn / 3), new Uint8Array(step.size));
            log.append(entry);
            entries.push(entry);
          } else if (step.do === 'truncate') {
            log.truncateAfter(lsn(at));
            entries = entries.slice(0, at - base);
          } else if (step.do === 'trim') {
            log.trimTo(lsn(at));
            entries = entries.slice(at - base);
            base = at;
          } else log.evict(10, lsn(at));
        }
        expect(log.lastLsn).toBe(base + entries.length);
        expect(log.bytes).toBe(entries.reduce((sum, { entry }) => sum + entry.length, 0));
        for (const entry of entries) {
          expect(log.positionAt(entry.lsn)).toEqual({ lsn: entry.lsn, term: entry.term, chain: entry.chain });
        }
        expect(log.positionAt(lsn(log.lastLsn + 1))).toBeUndefined();
        const found = log.entries(lsn(base + 1), log.lastLsn, Number.POSITIVE_INFINITY);
        if (found !== 'stored') expect(found).toEqual(entries);
      }),
    );
  });

  it('names the configuration of its newest entry, and of the one before when that is truncated', () => {
    const [one, two] = [configurationOf([directoryId('a')]), configurationOf([directoryId('a'), directoryId('b')])];
    const log = new LogView(EMPTY_BASE);
    expect(log.configuration.configuration).toEqual(NO_CONFIGURATION);
    log.append(entryAfter(log, 1, configurationEntry(one)));
    log.append(entryAfter(log, 1, configurationEntry(two)));
    expect(log.configuration).toMatchObject({ lsn: 2, configuration: two });
    log.truncateAfter(lsn(1));
    expect(log.configuration).toMatchObject({ lsn: 1, configuration: one });
    log.trimTo(lsn(1));
    expect(log.configuration.configuration).toEqual(one);
  });

  it('gives entries up to a size, one at least, and says when they must be read', () => {
    const log = new LogView(EMPTY_BASE);
    for (let i = 0; i < 4; i += 1) log.append(entryAfter(log, 1, new Uint8Array(10)));
    const lsns = (from: number, maxBytes: number) => {
      const found = log.entries(lsn(from), log.lastLsn, maxBytes);
      return found === 'stored' ? found : found.map((entry) => entry.lsn);
    };
    expect(lsns(1, 25)).toEqual([1, 2]);
    expect(lsns(3, 1)).toEqual([3]);
    log.evict(20, log.lastLsn);
    expect(lsns(1, 25)).toBe('stored');
    expect(lsns(3, 25)).toEqual([3, 4]);
    log.truncateAfter(lsn(1));
    expect(lsns(2, 25)).toEqual([]);
  });

  it('finds where two logs may agree at best, a probe per term', () => {
    const log = new LogView(EMPTY_BASE);
    for (const inTerm of [1, 3, 3, 3, 5, 5]) log.append(entryAfter(log, inTerm, Uint8Array.of(inTerm)));
    expect(log.lastOfTermAtMost(lsn(6), term(2)).lsn).toBe(1);
    expect(log.lastOfTermAtMost(lsn(6), term(4)).lsn).toBe(4);
    expect(log.lastOfTermAtMost(lsn(3), term(9)).lsn).toBe(3);
    expect(log.lastOfTermAtMost(lsn(6), term(0)).lsn).toBe(0);
  });
});
