import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

describe('a token bucket', () => {
  it('lets one through at once, then one per interval', () => {
    const bucket = new TokenBucket(5, 0);
    expect(bucket.waitMs(0)).toBe(0);
    bucket.take(0);
    expect(bucket.waitMs(0)).toBe(200);
    expect(bucket.waitMs(150)).toBe(50);
    expect(bucket.waitMs(200)).toBe(0);
  });

  it('takes back what was not used', () => {
    const bucket = new TokenBucket(1, 0);
    bucket.take(0);
    bucket.giveBack();
    expect(bucket.waitMs(0)).toBe(0);
  });

  it('is not confused by a clock that stands still or falls', () => {
    const bucket = new TokenBucket(10, 1_000);
    bucket.take(1_000);
    expect(bucket.waitMs(900)).toBe(100);
    expect(bucket.waitMs(1_100)).toBe(0);
  });

  it('never lets more through than rate × time plus the burst, whatever the moments it is asked at', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 5_000, noNaN: true }),
        fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }),
        (rate, steps) => {
          const bucket = new TokenBucket(rate, 0);
          let now = 0;
          let taken = 0;
          for (const step of steps) {
            now += step;
            while (bucket.waitMs(now) === 0) {
              bucket.take(now);
              taken += 1;
            }
          }
          expect(taken).toBeLessThanOrEqual((now * rate) / 1_000 + Math.max(1, rate / 10) + 1e-6);
        },
      ),
    );
  });

  it('says a wait after which a token is there', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 5_000, noNaN: true }), fc.integer({ min: 0, max: 10_000 }), (rate, at) => {
        const bucket = new TokenBucket(rate, 0);
        while (bucket.waitMs(at) === 0) bucket.take(at);
        const wait = bucket.waitMs(at);
        expect(bucket.waitMs(at + wait)).toBe(0);
      }),
    );
  });
});
