import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Limiter, refusedBy, refusedPeer } from './notices.ts';
import { explain, explainToRefused, REASONS } from './refusal.ts';

describe('the limiter', () => {
  it('lets a subject speak once in ten seconds', () => {
    const limiter = new Limiter();
    expect([0, 1, 9_999, 10_000, 10_001].map((now) => limiter.allow('a', now))).toEqual([
      true,
      false,
      false,
      true,
      false,
    ]);
    expect(limiter.allow('b', 1)).toBe(true);
  });

  it('lets no more speak than its bound, however many subjects are made up', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5_000), { maxLength: 2_000 }), (subjects) => {
        const limiter = new Limiter();
        const spoken = subjects.filter((subject) => limiter.allow(String(subject), 5)).length;
        expect(spoken).toBeLessThanOrEqual(128);
      }),
    );
  });
});

describe('a refusal', () => {
  it.each(REASONS)('because of %s says who, why and what to do', (reason) => {
    const { message } = refusedPeer(reason, '10.0.0.1:7946', 'a');
    expect(message).toContain('"a" at 10.0.0.1:7946');
    expect(message).toContain(explain(reason));
    const told = refusedBy(reason, 'node "b"', 'warn').message;
    expect(told).toContain(explainToRefused(reason));
    // Whose settings are meant must be plain to who reads it.
    expect(told).not.toContain('this side');
  });
});
