import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNamed, runIdTime, timedRunId, untimedRunId } from './run-id.ts';

const uuids = fc.uuid({ version: 4 });

describe('a run id', () => {
  it('tells when its run began, to the millisecond', () => {
    fc.assert(
      fc.property(uuids, fc.double({ min: 0, max: 2 ** 48 - 1, noNaN: true }), (uuid, at) => {
        expect(runIdTime(timedRunId(untimedRunId(uuid), at))).toBe(Math.floor(at));
      }),
    );
  });

  it('is a UUID of version 7 as RFC 9562 gives it as an example', () => {
    const id = timedRunId(untimedRunId('a3c1a8f2-8f1b-4cc3-98c4-dc0c0c07398f'), Date.UTC(2022, 1, 22, 19, 22, 22));
    expect(id).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  });

  it('is known to be the one its door named, whenever it began', () => {
    fc.assert(
      fc.property(uuids, uuids, fc.nat(), (uuid, other, at) => {
        const named = untimedRunId(uuid);
        expect(isNamed(timedRunId(named, at), named)).toBe(true);
        expect(isNamed(timedRunId(untimedRunId(other), at), named)).toBe(uuid.slice(15) === other.slice(15));
        expect(isNamed(uuid, uuid)).toBe(true);
      }),
    );
  });

  it.each([
    '',
    'run-1',
    '1b4e28ba-2fa1-41d2-883f-0016d3cca427',
    '017F22E2-79B0-7CC3-98C4-DC0C0C07398F',
    '017f22e2-79b0-7cc3',
  ])('of other origin stays as it is, and tells nothing: %j', (id) => {
    expect(runIdTime(id)).toBeUndefined();
    expect(timedRunId(id, 5)).toBe(id);
  });
});
