// Errors that are not failures: they never enter a history, they tell a caller of the SDK what was wrong.

import { markErrorClass } from './type-helpers.ts';

/** Thrown by code that receives a value it did not expect or cannot handle. */
export class ValueError extends Error {
  override readonly cause?: unknown;

  constructor(message: string | undefined, cause?: unknown) {
    super(message);
    this.cause = cause;
  }

  static {
    markErrorClass(ValueError, 'ValueError');
  }
}

/** Thrown when a payload converter is misconfigured. */
export class PayloadConverterError extends ValueError {
  static {
    markErrorClass(PayloadConverterError, 'PayloadConverterError');
  }
}

/** The operation is not allowed in the object's present state, e.g. a request on a closed connection. */
export class IllegalStateError extends Error {
  static {
    markErrorClass(IllegalStateError, 'IllegalStateError');
  }
}

/**
 * No workflow with this id is known: the id is wrong, the workflow has closed (for calls that need an open one, such as
 * `terminate`), or it was deleted after its namespace's retention.
 */
export class WorkflowNotFoundError extends Error {
  readonly workflowId: string;
  readonly runId: string | undefined;

  constructor(message: string, workflowId: string, runId: string | undefined) {
    super(message);
    this.workflowId = workflowId;
    this.runId = runId;
  }

  static {
    markErrorClass(WorkflowNotFoundError, 'WorkflowNotFoundError');
  }
}

/** A payload is a reference to external storage that is not configured here. */
export class ExternalStorageNotConfiguredError extends Error {
  readonly driverName: string;

  constructor(driverName: string) {
    super(
      `A payload is kept in external storage '${driverName}', which is not configured here: give the clients and workers that read it ` +
        'the same dataConverter.externalStorage as those that wrote it',
    );
    this.driverName = driverName;
  }

  static {
    markErrorClass(ExternalStorageNotConfiguredError, 'ExternalStorageNotConfiguredError');
  }
}

/** The server does not know this namespace. */
export class NamespaceNotFoundError extends Error {
  readonly namespace: string;

  constructor(namespace: string) {
    super(`Namespace not found: '${namespace}'`);
    this.namespace = namespace;
  }

  static {
    markErrorClass(NamespaceNotFoundError, 'NamespaceNotFoundError');
  }
}

/**
 * Throw this from an activity to make the worker forget about it: it stays open until a client completes it by task token
 * or by its ids (`client.activity.complete`).
 */
export class CompleteAsyncError extends Error {
  static {
    markErrorClass(CompleteAsyncError, 'CompleteAsyncError');
  }
}
