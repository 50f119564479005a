import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AWAY_MS, Outage, SILENT_MS } from './outage.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

function watched() {
  const said: string[] = [];
  const outage = new Outage({
    began: (reason) => said.push(`away: ${reason}`),
    ended: (awayMs) => said.push(`back after ${awayMs}`),
  });
  return { outage, said };
}

describe('a database that does not answer', () => {
  it('is said to be away once, however many ask, and to be back once', () => {
    const { outage, said } = watched();
    const [write, read] = [outage.ask(), outage.ask()];
    for (let ms = 0; ms <= 3 * AWAY_MS; ms += 100) {
      write.failed('refused');
      read.failed('refused');
      vi.advanceTimersByTime(100);
    }
    expect(said).toEqual(['away: refused']);
    expect(outage.reason).toBe('refused');
    write.over('answered');
    read.over('answered');
    expect(said).toEqual(['away: refused', `back after ${3 * AWAY_MS + 100}`]);
    expect(outage.reason).toBeUndefined();
  });

  it('for less than a moment is not worth a word', () => {
    const { outage, said } = watched();
    const asking = outage.ask();
    asking.failed('cut');
    vi.advanceTimersByTime(AWAY_MS - 1);
    asking.failed('cut');
    asking.over('answered');
    expect(said).toEqual([]);
  });

  it('and says nothing at all is away too, unless it answers others meanwhile', () => {
    const { outage, said } = watched();
    const slow = outage.ask();
    vi.advanceTimersByTime(SILENT_MS - 1);
    outage.ask().over('answered');
    vi.advanceTimersByTime(SILENT_MS);
    expect(said).toEqual([]);
    slow.over('answered');
    const hanging = outage.ask();
    vi.advanceTimersByTime(SILENT_MS);
    expect(said).toEqual(['away: no answer for 5 s']);
    hanging.over('in vain');
    expect(outage.reason).toBeDefined();
  });
});
