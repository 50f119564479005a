// What updates come to without their worker's doing.

import type { UpdateOutcome } from '../../wire/common.ts';
import type { Failure } from '../../wire/failure.ts';

const serverFailure = (type: string, message: string): Failure => ({
  message,
  source: 'Server',
  applicationFailureInfo: { type, nonRetryable: true },
});

/** The outcome of an update whose workflow ended before it did. */
export const CUT_OFF: UpdateOutcome = {
  failure: serverFailure(
    'AcceptedUpdateCompletedWorkflow',
    'Workflow Update failed because the Workflow completed before the Update completed.',
  ),
};

/** Of one that its worker said nothing of. */
export const UNPROCESSED: UpdateOutcome = {
  failure: serverFailure(
    'UnprocessedUpdate',
    "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow Update is not supported by the worker.",
  ),
};
