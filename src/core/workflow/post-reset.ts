// What a reset does to the run that it has begun, in the same turn: signals it, or changes what holds of it instead of what its workflow says of
// versions. Called by reset.ts, once everything from the old runs has come to it and before its first task is scheduled.

import { encode } from '../../wire/codec.ts';
import type { VersioningOverride } from '../../wire/common.ts';
import { EventType } from '../../wire/enums.ts';
import type { PostResetOperation } from './message.ts';
import type { RunFacts } from './rows.ts';
import type { RunDraft } from './run-draft.ts';

/** @param identity of who asked for the reset. */
export function operateAfterReset(run: RunDraft, operations: readonly PostResetOperation[], identity: string): void {
  for (const operation of operations) {
    if (operation.type === 'signal') {
      const { signalName, input, header, links } = operation;
      run.record(EventType.WORKFLOW_EXECUTION_SIGNALED, { signalName, input, identity, header }, run.now, links);
    } else {
      const { isNew, override } = overrideOf(run.facts, operation.versioningOverride);
      if (isNew) writeOverride(run, override, identity);
    }
  }
}

/** What holds of a run once that is asked of it. */
export function overrideOf(
  { versioning }: RunFacts,
  asked: VersioningOverride | 'unset' | undefined,
): { isNew: boolean; override: VersioningOverride | undefined } {
  const before = versioning?.override;
  const override = asked === undefined ? before : asked === 'unset' ? undefined : asked;
  return { isNew: !same(before, override), override };
}

export function writeOverride(run: RunDraft, override: VersioningOverride | undefined, identity: string): void {
  const what = override === undefined ? { unsetVersioningOverride: true } : { versioningOverride: override };
  run.record(EventType.WORKFLOW_EXECUTION_OPTIONS_UPDATED, { ...what, identity });
}

function same(a: object | undefined, b: object | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const [one, other] = [encode(a), encode(b)];
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
