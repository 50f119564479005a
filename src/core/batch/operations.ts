// What a batch job can do to an execution: one line of the table each. A message's request id is made of the job and the run, so that a job that
// comes to an execution again after a crash finds it done (DESIGN §4, unknown outcomes).

import type { BatchTarget } from '../../wire/batch.ts';
import type { Header, Payloads } from '../../wire/common.ts';
import { BatchOperationType } from '../../wire/enums.ts';
import type {
  DeleteExecutionMessage,
  RequestCancelMessage,
  SignalMessage,
  TerminateMessage,
} from '../workflow/message.ts';
import type { JobSpec } from './job.ts';

export type BatchOperation =
  | { type: 'terminate'; details?: Payloads | undefined }
  | { type: 'cancel' }
  | { type: 'delete' }
  | { type: 'signal'; signalName: string; input?: Payloads | undefined; header?: Header | undefined };

/** Messages that jobs send. */
export type BatchMessage = TerminateMessage | RequestCancelMessage | SignalMessage | DeleteExecutionMessage;

/** Who terminated, in the history: the job, as on the reference server. Who wanted it is told by the job. */
const JOB_IDENTITY = 'tenuto-batch';

const TYPES: { readonly [T in BatchOperation['type']]: BatchOperationType } = {
  terminate: BatchOperationType.TERMINATE,
  cancel: BatchOperationType.CANCEL,
  signal: BatchOperationType.SIGNAL,
  delete: BatchOperationType.DELETE,
};

export const operationType = ({ type }: BatchOperation): BatchOperationType => TYPES[type];

/** Of two jobs that had the same id one after the other, each has request ids of its own. */
const requestId = ({ jobId, startTime }: JobSpec, { workflowId, runId }: BatchTarget): string =>
  `batch:${startTime}:${jobId}:${runId || workflowId}`;

export function messageFor(spec: JobSpec, target: BatchTarget): BatchMessage {
  const { operation, identity, reason } = spec;
  const common = { target: { runId: target.runId }, identity, requestId: requestId(spec, target) };
  switch (operation.type) {
    case 'terminate':
      return { type: 'terminate', ...common, identity: JOB_IDENTITY, reason, details: operation.details };
    case 'cancel':
      // Its reason is the job's, not the cancellation's: as on the reference server.
      return { type: 'requestCancel', ...common };
    case 'delete':
      // A repeat finds the run gone; of a workflow that was named without one, that which has come since is another. A run that is named is meant,
      // whenever it began: by its own node's clock that may be after the job did.
      return {
        type: 'deleteExecution',
        target: common.target,
        identity,
        ...(target.runId ? {} : { beganBy: spec.startTime }),
      };
    case 'signal': {
      const { signalName, input, header } = operation;
      return { type: 'signal', ...common, signalName, input, header };
    }
    default:
      return operation satisfies never;
  }
}
