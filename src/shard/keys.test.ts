// Keys that are read back: what they say must survive any id a user may choose.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  base,
  readStartedKey,
  readTimerKey,
  retentionKey,
  startedKey,
  startedPrefix,
  timerAt,
  timerKey,
} from './keys.ts';

/** Names with the bytes that keys escape, and beyond ASCII. */
const name = fc.string({
  unit: fc.constantFrom('a', '/', '\x00', '\x01', 'ÿ', '\u{1f600}'),
  minLength: 1,
  maxLength: 8,
});

describe('a key', () => {
  it('of a started task names it, whatever the ids', () => {
    fc.assert(
      fc.property(
        name,
        name,
        name,
        name,
        fc.nat(),
        fc.constantFrom('workflow' as const, 'activity' as const),
        (...told) => {
          const [session, namespace, workflowId, runId, scheduledEventId, kind] = told;
          const k = startedKey(session, kind, base(7, namespace, workflowId), runId, scheduledEventId);
          expect(readStartedKey(k, startedPrefix(session))).toEqual({
            kind,
            namespace,
            workflowId,
            runId,
            scheduledEventId,
          });
        },
      ),
    );
  });

  it('of a timer names its workflow, and the run whose retention it ends', () => {
    fc.assert(
      fc.property(name, name, name, fc.nat(), (namespace, workflowId, runId, at) => {
        const actor = base(7, namespace, workflowId);
        expect(timerAt(timerKey(at, actor))).toBe(at);
        expect(readTimerKey(timerKey(at, actor))).toEqual({ namespace, workflowId, retainedRunId: undefined });
        expect(readTimerKey(retentionKey(at, actor, runId))).toEqual({ namespace, workflowId, retainedRunId: runId });
      }),
    );
  });
});
