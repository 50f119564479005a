import { expect, it } from 'vitest';
import { checkPatch } from './schedules.ts';

it('refuses a patch of a schedule that is none, and notes longer than anybody reads', () => {
  expect(() => checkPatch({ scheduleId: 's' })).toThrow('Patch is not set on request.');
  // Bytes, not letters.
  const long = 'ä'.repeat(501);
  for (const patch of [{ pause: long }, { unpause: long }]) {
    expect(() => checkPatch({ patch })).toThrow('Schedule notes exceeds limit.');
  }
  for (const patch of [{}, { pause: long.slice(1) }, { unpause: 'go' }, { triggerImmediately: {} }]) {
    expect(() => checkPatch({ patch })).not.toThrow();
  }
});
