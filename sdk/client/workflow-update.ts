// Updates as a client sees them: options, the handle of one update, and how its outcome becomes a result or an error.

import type { UpdateOutcome } from '../../src/wire/common.ts';
import { UpdateWorkflowExecutionLifecycleStage as Stage } from '../../src/wire/enums.ts';
import type { UpdateWorkflowExecutionResponse } from '../../src/wire/update.ts';
import { decodeMessage } from '../common/codec.ts';
import type { LoadedDataConverter } from '../common/data-converter.ts';
import { fromPayloadsAtIndex } from '../common/payload-converter.ts';
import { RpcError, StatusCode } from '../connection/rpc-error.ts';
import {
  type ErrorExecution,
  rethrowWorkflowError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from './errors.ts';
import { encodeWorkflowUpdateStage, WorkflowUpdateStage } from './update-stage.ts';

export interface WorkflowUpdateOptions {
  /** Names the update within its run: sent again, it is the same update. At most 1,000 bytes. Default: a random UUID. */
  readonly updateId?: string | undefined;
}

/** Requires `args` exactly when the update has arguments. */
export type WithUpdateArgs<Args extends unknown[]> = Args extends [unknown, ...unknown[]]
  ? { readonly args: Args | Readonly<Args> }
  : { readonly args?: Args | Readonly<Args> | undefined };

export interface GetWorkflowUpdateHandleOptions {
  /** The run that has the update; default: that of the workflow's handle. */
  workflowRunId?: string | undefined;
}

/** One update of one workflow. */
export interface WorkflowUpdateHandle<Ret> {
  readonly updateId: string;
  readonly workflowId: string;
  /** The run that has the update; absent where nobody has said it yet. */
  readonly workflowRunId?: string | undefined;

  /**
   * Resolves with what the update's handler returned. Waits as long as it takes; limit it with `client.withDeadline`.
   *
   * @throws WorkflowUpdateFailedError when it was rejected or failed, or its workflow closed before it completed.
   * @throws WorkflowUpdateRPCTimeoutOrCancelledError when the deadline passes or the call is given up.
   */
  result(): Promise<Ret>;
}

/** What was sent of an update, or polled. */
export interface UpdateAnswer {
  updateId: string;
  workflowRunId: string;
  /** Absent while it is not completed. */
  outcome: UpdateOutcome | undefined;
}

export const updateAnswer = ({ updateId, runId, stage, outcome }: UpdateWorkflowExecutionResponse): UpdateAnswer => ({
  updateId,
  workflowRunId: runId,
  outcome: stage === Stage.COMPLETED ? (outcome ?? {}) : undefined,
});

/** @throws WorkflowUpdateFailedError for a failure. */
export async function readOutcome(
  outcome: UpdateOutcome,
  { payloadConverter, failureConverter, payloadCodecs }: LoadedDataConverter,
  execution: ErrorExecution,
): Promise<unknown> {
  const decoded = await decodeMessage(payloadCodecs, outcome);
  if (decoded.failure !== undefined) {
    const cause = failureConverter.failureToError(decoded.failure, payloadConverter);
    throw new WorkflowUpdateFailedError('Workflow Update failed', cause, execution);
  }
  return fromPayloadsAtIndex(payloadConverter, 0, decoded.success?.payloads);
}

/** Throws what a failed request about an update means to its caller. */
export function rethrowUpdateError(err: unknown, what: string, execution: ErrorExecution): never {
  if (err instanceof RpcError && (err.code === StatusCode.DEADLINE_EXCEEDED || err.code === StatusCode.CANCELLED)) {
    const message = `${what}: ${err.details}`;
    throw new WorkflowUpdateRPCTimeoutOrCancelledError(message, { cause: err, execution });
  }
  rethrowWorkflowError(err, what, execution);
}

/** Asks for an outcome that is not there yet. */
export type Poll = (updateId: string, workflowRunId: string | undefined) => Promise<UpdateAnswer>;

export class WorkflowUpdateHandleImpl<Ret> implements WorkflowUpdateHandle<Ret> {
  readonly updateId: string;
  readonly workflowId: string;
  readonly workflowRunId: string | undefined;
  readonly #converter: LoadedDataConverter;
  readonly #poll: Poll;
  #outcome: UpdateOutcome | undefined;

  constructor(
    known: {
      updateId: string;
      workflowId: string;
      workflowRunId: string | undefined;
      outcome?: UpdateOutcome | undefined;
    },
    converter: LoadedDataConverter,
    poll: Poll,
  ) {
    this.updateId = known.updateId;
    this.workflowId = known.workflowId;
    this.workflowRunId = known.workflowRunId;
    this.#outcome = known.outcome;
    this.#converter = converter;
    this.#poll = poll;
  }

  async result(): Promise<Ret> {
    const { updateId, workflowId, workflowRunId } = this;
    while (this.#outcome === undefined) this.#outcome = (await this.#poll(updateId, workflowRunId)).outcome;
    // The definition, or the caller, names the type of the handler's answer.
    return (await readOutcome(this.#outcome, this.#converter, { workflowId, runId: workflowRunId })) as Ret;
  }
}

/** @throws TypeError for a stage that cannot be waited for yet, ValueError for what is none. */
export function acceptedOnly(stage: WorkflowUpdateStage | undefined): WorkflowUpdateStage {
  // A name that is none has an error of its own.
  if (stage !== undefined) encodeWorkflowUpdateStage(stage);
  if (stage !== WorkflowUpdateStage.ACCEPTED) {
    throw new TypeError(`startUpdate waits for stage ACCEPTED, got ${String(stage)}: use executeUpdate for the result`);
  }
  return stage;
}

/** Options once their type no longer depends on the update's. */
export type AnyUpdateOptions = WorkflowUpdateOptions & {
  readonly args?: readonly unknown[] | undefined;
  readonly waitForStage?: WorkflowUpdateStage | undefined;
};
