import { describe, expect, it } from 'vitest';
import { lsn } from '../../../src/ports/ids.ts';
import { DEFAULT_BOUNDS } from './options.ts';
import { Progress } from './progress.ts';

const bounds = { ...DEFAULT_BOUNDS, inFlightMessages: 2, inFlightBytes: 100 };
const following = (next = 5): Progress => new Progress(lsn(next), 0, bounds);

describe('the progress of a follower', () => {
  it('begins with one probe at a time', () => {
    const progress = following();
    expect(progress.canSend).toBe(true);
    progress.sent(lsn(6), 10);
    expect([progress.canSend, progress.next]).toEqual([false, 5]);
    expect(progress.matched(lsn(6))).toBe(true);
    expect([progress.state, progress.match, progress.next, progress.canSend]).toEqual(['replicate', 6, 7, true]);
  });

  it('sends ahead until the window is full of messages, or of bytes', () => {
    const progress = following();
    progress.matched(lsn(4));
    progress.sent(lsn(5), 1);
    progress.sent(lsn(6), 1);
    expect(progress.canSend).toBe(false);
    progress.matched(lsn(5));
    expect(progress.canSend).toBe(true);
    progress.sent(lsn(7), 200);
    progress.matched(lsn(6));
    expect([progress.inFlight, progress.canSend]).toEqual([1, false]);
  });

  it('goes back to where the logs may agree, and no further than what matched', () => {
    const progress = following(10);
    expect(progress.rejected(lsn(9), lsn(6))).toBe(true);
    expect(progress.next).toBe(7);
    progress.matched(lsn(6));
    progress.sent(lsn(8), 1);
    expect(progress.rejected(lsn(6), lsn(2)), 'an old refusal').toBe(false);
    expect(progress.rejected(lsn(8), lsn(2))).toBe(true);
    expect([progress.state, progress.next]).toEqual(['probe', 7]);
  });

  it('sends nothing while it waits for a snapshot', () => {
    const progress = following();
    progress.awaitSnapshot();
    expect([progress.canSend, progress.rejected(lsn(4), lsn(0))]).toEqual([false, false]);
  });

  it('has stalled when nothing moved between two answered heartbeats though something should have', () => {
    const progress = following();
    progress.matched(lsn(4));
    expect(progress.stalled(lsn(9))).toBe(false);
    expect(progress.stalled(lsn(9))).toBe(true);
    progress.matched(lsn(9));
    expect([progress.stalled(lsn(9)), progress.stalled(lsn(9))]).toEqual([false, false]);
  });
});
