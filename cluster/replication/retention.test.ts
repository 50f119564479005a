import { describe, expect, it } from 'vitest';
import { type Lsn, lsn, term } from '../../src/ports/ids.ts';
import { EMPTY_BASE, LogView } from './core/log.ts';
import { FOLLOWER_KEPT_BYTES, KEPT_BYTES, KEPT_MS, Retention } from './retention.ts';

/** A log of entries of this size each, whose bytes are in the store. */
function logOf(entries: number, size: number): LogView {
  const log = new LogView(EMPTY_BASE);
  for (let at = 1; at <= entries; at += 1) {
    log.appendStored({ lsn: lsn(at), term: term(1), chain: at, size, configuration: undefined });
  }
  return log;
}

describe('the log behind what is applied', () => {
  it.each<[string, number, number | undefined, number]>([
    ['goes at a leader as far as the slowest member has it', 90, 40, 40],
    ['goes no further than what is applied', 30, 100, 30],
    ['stays at a follower, which may come to lead', 90, undefined, 0],
  ])('%s', (_, applied, slowest, to) => {
    const known: Lsn | undefined = slowest === undefined ? undefined : lsn(slowest);
    expect(new Retention().trimTo(logOf(100, 10), lsn(applied), known, 0)).toBe(to);
  });

  it('is at most so many bytes, also for a member that is away', () => {
    expect(new Retention().trimTo(logOf(100, KEPT_BYTES / 64), lsn(100), lsn(3), 0)).toBe(36);
    expect(new Retention().trimTo(logOf(100, FOLLOWER_KEPT_BYTES / 64), lsn(100), undefined, 0)).toBe(36);
  });

  it('is at most ten minutes old', () => {
    const retention = new Retention();
    const log = logOf(100, 10);
    expect(retention.trimTo(log, lsn(20), lsn(3), 0)).toBe(3);
    expect(retention.trimTo(log, lsn(60), lsn(3), KEPT_MS / 2)).toBe(3);
    expect(retention.trimTo(log, lsn(90), lsn(3), KEPT_MS)).toBe(20);
    expect(retention.trimTo(log, lsn(100), lsn(3), 1.5 * KEPT_MS)).toBe(60);
  });
});
