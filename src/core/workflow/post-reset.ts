// What a reset does to the run that it has begun, in the same turn: signals it, or changes its options. Called by reset.ts, once everything from the old runs has come to it and before its first task is scheduled.

import { EventType } from '../../wire/enums.ts';
import { optionsAfter, writeOptions } from './execution-options.ts';
import type { PostResetOperation } from './message.ts';
import type { RunDraft } from './run-draft.ts';

/** @param identity of who asked for the reset. */
export function operateAfterReset(run: RunDraft, operations: readonly PostResetOperation[], identity: string): void {
  for (const operation of operations) {
    if (operation.type === 'signal') {
      const { signalName, input, header, links } = operation;
      run.record(EventType.WORKFLOW_EXECUTION_SIGNALED, { signalName, input, identity, header }, run.now, links);
    } else {
      const { isNew, options } = optionsAfter(run, operation);
      if (isNew) writeOptions(run, options, identity);
    }
  }
}
