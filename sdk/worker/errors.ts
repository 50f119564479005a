// Errors the worker's public methods throw.

/** Workflows or activities were still running `shutdownForceTime` after shutdown was asked for. Exit the process: they were not cleaned up. */
export class GracefulShutdownPeriodExpiredError extends Error {
  override readonly name = 'GracefulShutdownPeriodExpiredError';
}

/** The promise given to `runUntil` was still open `promiseCompletionTimeout` after the worker had stopped. */
export class PromiseCompletionTimeoutError extends Error {
  override readonly name = 'PromiseCompletionTimeoutError';
}

export interface CombinedWorkerRunErrorCause {
  /** What `Worker.run` failed with. */
  workerError: unknown;
  /** What the promise given to `runUntil` failed with. */
  innerError: unknown;
}

/** In `runUntil` both the worker and the promise failed. */
export class CombinedWorkerRunError extends Error {
  override readonly name = 'CombinedWorkerRunError';
  override readonly cause: CombinedWorkerRunErrorCause;

  constructor(message: string, options: { cause: CombinedWorkerRunErrorCause }) {
    super(message);
    this.cause = options.cause;
  }
}

/** The worker cannot go on: its workflow threads do not start, or its registration was refused. */
export class UnexpectedError extends Error {
  override readonly name = 'UnexpectedError';
}

/** A history could not be replayed for another reason than a change of the workflow's code. */
export class ReplayError extends Error {
  override readonly name = 'ReplayError';
}
