// Errors ⇄ failures of the wire, the whole cause chain, with the texts of Temporal's TypeScript SDK: recorded histories show them.

import { HandlerError, HandlerErrorType } from 'nexus-rpc';
import { NexusHandlerErrorRetryBehavior } from '../../src/wire/enums.ts';
import type { Failure } from '../../src/wire/failure.ts';
import {
  decodeApplicationFailureCategory,
  decodeRetryState,
  decodeTimeoutType,
  encodeApplicationFailureCategory,
  encodeRetryState,
  encodeTimeoutType,
} from './enums.ts';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  FAILURE_SOURCE,
  NexusOperationFailure,
  ServerFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
} from './failure.ts';
import {
  arrayFromPayloads,
  fromPayloadsAtIndex,
  type PayloadConverter,
  toPayloadsMessage,
} from './payload-converter.ts';
import { msOptionalToNumber } from './time.ts';
import { isError, isRecord } from './type-helpers.ts';

/** Turns errors into failures and back. */
export interface FailureConverter {
  errorToFailure(err: unknown, payloadConverter: PayloadConverter): Failure;
  /** The result's `failure` is the argument, so that passing an error on passes it on unchanged. */
  failureToError(failure: Failure, payloadConverter: PayloadConverter): Error;
}

export interface DefaultFailureConverterOptions {
  /** Put message and stack into `encodedAttributes`, where a payload codec can encrypt them. Default: false. */
  encodeCommonAttributes?: boolean | undefined;
}

const NON_ERROR_THROWN =
  ' [A non-Error value was thrown from your code. We recommend throwing Error objects so that we can provide a stack trace]';

/** Frames below users' code: the SDK's, the realm's and Node's own. */
const FRAMEWORK_FRAME =
  /[\\/]sdk[\\/](?:worker|workflow|activity|common)[\\/][^)]*\.[cm]?[jt]s(?::\d+)*\)?$|\(?node:|\(native\)$|^\s+at (?:async )?(?:new Promise|Promise\.\w+) \(<anonymous>\)$|^\s+at (?:Script\.)?runInContext |^\s+at null\.|^\s+at (?:async )?Promise\.all \(index \d+\)$/;

/** A stack without the framework's frames at its end. */
export function cutoffStackTrace(stack?: string): string {
  const lines = (stack ?? '').split(/\r?\n/);
  let end = lines.length;
  while (end > 0 && /^\s+at /.test(lines[end - 1] ?? '') && FRAMEWORK_FRAME.test(lines[end - 1] ?? '')) end--;
  return lines.slice(0, end).join('\n');
}

/** The converter of every Temporal SDK. */
export class DefaultFailureConverter implements FailureConverter {
  readonly options: { readonly encodeCommonAttributes: boolean };

  constructor(options?: DefaultFailureConverterOptions) {
    this.options = { encodeCommonAttributes: options?.encodeCommonAttributes ?? false };
  }

  failureToError(failure: Failure, payloadConverter: PayloadConverter): Error {
    const plain = failure.encodedAttributes ? withEncodedAttributes(failure, payloadConverter) : failure;
    if (plain.nexusHandlerFailureInfo !== undefined) return this.#toHandlerError(plain, payloadConverter);
    const error = this.#toError(plain, payloadConverter);
    error.stack = plain.stackTrace ?? '';
    error.failure = plain;
    return error;
  }

  errorToFailure(err: unknown, payloadConverter: PayloadConverter): Failure {
    const failure = this.#toFailure(err, payloadConverter);
    // What is still encoded stays so; what was decoded on its way in is encoded again on its way out.
    if (!this.options.encodeCommonAttributes || failure.encodedAttributes !== undefined) return failure;
    return {
      ...failure,
      message: 'Encoded failure',
      stackTrace: '',
      encodedAttributes: payloadConverter.toPayload({ message: failure.message, stack_trace: failure.stackTrace }),
    };
  }

  /** A class of `nexus-rpc`, not of ours: what handlers throw. */
  #toHandlerError(failure: Failure, converter: PayloadConverter): HandlerError {
    const { type = '', retryBehavior } = failure.nexusHandlerFailureInfo ?? {};
    const known = Object.values(HandlerErrorType).find((one) => one === type) ?? HandlerErrorType.UNKNOWN;
    const { RETRYABLE, NON_RETRYABLE } = NexusHandlerErrorRetryBehavior;
    return new HandlerError(known, failure.message, {
      cause: failure.cause && this.failureToError(failure.cause, converter),
      retryableOverride: retryBehavior === RETRYABLE ? true : retryBehavior === NON_RETRYABLE ? false : undefined,
      stackTrace: failure.stackTrace ?? '',
      rawErrorType: type,
    });
  }

  #toError(failure: Failure, converter: PayloadConverter): TemporalFailure {
    const { message } = failure;
    const cause = failure.cause ? this.failureToError(failure.cause, converter) : undefined;
    if (failure.applicationFailureInfo) {
      const { type, nonRetryable, details, category, nextRetryDelay } = failure.applicationFailureInfo;
      return new ApplicationFailure(
        message,
        type,
        Boolean(nonRetryable),
        arrayFromPayloads(converter, details?.payloads),
        cause,
        nextRetryDelay,
        decodeApplicationFailureCategory(category),
      );
    }
    if (failure.serverFailureInfo) {
      return new ServerFailure(message, Boolean(failure.serverFailureInfo.nonRetryable), cause);
    }
    if (failure.timeoutFailureInfo) {
      const { lastHeartbeatDetails, timeoutType } = failure.timeoutFailureInfo;
      return new TimeoutFailure(
        message,
        fromPayloadsAtIndex(converter, 0, lastHeartbeatDetails?.payloads),
        decodeTimeoutType(timeoutType),
      );
    }
    if (failure.terminatedFailureInfo) return new TerminatedFailure(message, cause);
    if (failure.canceledFailureInfo) {
      const details = arrayFromPayloads(converter, failure.canceledFailureInfo.details?.payloads);
      return new CancelledFailure(message, details, cause);
    }
    if (failure.resetWorkflowFailureInfo) {
      const details = arrayFromPayloads(converter, failure.resetWorkflowFailureInfo.lastHeartbeatDetails?.payloads);
      return new ApplicationFailure(message, 'ResetWorkflow', false, details, cause);
    }
    if (failure.childWorkflowExecutionFailureInfo) {
      const { namespace, workflowType, workflowExecution, retryState } = failure.childWorkflowExecutionFailureInfo;
      if (!workflowType?.name || !workflowExecution) {
        throw new TypeError('Missing attributes on childWorkflowExecutionFailureInfo');
      }
      const state = decodeRetryState(retryState);
      return new ChildWorkflowFailure(namespace || undefined, workflowExecution, workflowType.name, state, cause);
    }
    if (failure.activityFailureInfo) {
      const { activityType, activityId, retryState, identity } = failure.activityFailureInfo;
      if (!activityType?.name) throw new TypeError('Missing activityType?.name on activityFailureInfo');
      return new ActivityFailure(message, activityType.name, activityId, decodeRetryState(retryState), identity, cause);
    }
    if (failure.nexusOperationExecutionFailureInfo) {
      const { scheduledEventId, endpoint, service, operation, operationToken } =
        failure.nexusOperationExecutionFailureInfo;
      return new NexusOperationFailure(
        message,
        scheduledEventId,
        endpoint ?? '',
        service ?? '',
        operation ?? '',
        operationToken,
        cause,
      );
    }
    return new TemporalFailure(message, cause);
  }

  #toFailure(err: unknown, converter: PayloadConverter): Failure {
    if (err instanceof TemporalFailure) return err.failure ?? this.#temporalToFailure(err, converter);
    if (err instanceof HandlerError) return this.#handlerFailure(err, converter);
    if (isError(err)) {
      return {
        source: FAILURE_SOURCE,
        message: String(err.message ?? ''),
        stackTrace: cutoffStackTrace(err.stack),
        cause: this.#causeToFailure(err.cause, converter),
      };
    }
    return { source: FAILURE_SOURCE, message: textOf(err) + NON_ERROR_THROWN };
  }

  #handlerFailure(err: HandlerError, converter: PayloadConverter): Failure {
    const { RETRYABLE, NON_RETRYABLE } = NexusHandlerErrorRetryBehavior;
    const { retryableOverride } = err;
    return {
      source: FAILURE_SOURCE,
      message: err.message,
      stackTrace: cutoffStackTrace(err.stack),
      cause: this.#causeToFailure(err.cause, converter),
      nexusHandlerFailureInfo: {
        type: err.rawErrorType || err.type,
        retryBehavior: retryableOverride === undefined ? undefined : retryableOverride ? RETRYABLE : NON_RETRYABLE,
      },
    };
  }

  #temporalToFailure(err: TemporalFailure, converter: PayloadConverter): Failure {
    const base: Failure = {
      message: err.message,
      stackTrace: cutoffStackTrace(err.stack),
      cause: this.#causeToFailure(err.cause, converter),
      source: FAILURE_SOURCE,
    };
    if (err instanceof ActivityFailure) {
      const { activityId, identity } = err;
      const retryState = encodeRetryState(err.retryState);
      return {
        ...base,
        activityFailureInfo: { activityId, identity, retryState, activityType: { name: err.activityType } },
      };
    }
    if (err instanceof ChildWorkflowFailure) {
      return {
        ...base,
        childWorkflowExecutionFailureInfo: {
          namespace: err.namespace,
          workflowExecution: err.execution,
          workflowType: { name: err.workflowType },
          retryState: encodeRetryState(err.retryState),
        },
      };
    }
    if (err instanceof ApplicationFailure) {
      return {
        ...base,
        applicationFailureInfo: {
          type: err.type ?? undefined,
          nonRetryable: err.nonRetryable ?? undefined,
          details: toPayloadsMessage(converter, err.details ?? []),
          nextRetryDelay: msOptionalToNumber(err.nextRetryDelay),
          category: encodeApplicationFailureCategory(err.category),
        },
      };
    }
    if (err instanceof CancelledFailure) {
      return { ...base, canceledFailureInfo: { details: toPayloadsMessage(converter, err.details ?? []) } };
    }
    if (err instanceof TimeoutFailure) {
      const details = err.lastHeartbeatDetails;
      return {
        ...base,
        timeoutFailureInfo: {
          timeoutType: encodeTimeoutType(err.timeoutType),
          lastHeartbeatDetails: details ? toPayloadsMessage(converter, [details]) : undefined,
        },
      };
    }
    if (err instanceof ServerFailure) return { ...base, serverFailureInfo: { nonRetryable: err.nonRetryable } };
    if (err instanceof TerminatedFailure) return { ...base, terminatedFailureInfo: {} };
    if (err instanceof NexusOperationFailure) {
      const { scheduledEventId, endpoint, service, operation, operationToken } = err;
      return {
        ...base,
        nexusOperationExecutionFailureInfo: { scheduledEventId, endpoint, service, operation, operationToken },
      };
    }
    return base;
  }

  #causeToFailure(cause: unknown, converter: PayloadConverter): Failure | undefined {
    return cause ? this.errorToFailure(cause, converter) : undefined;
  }
}

/** Message and stack out of `encodedAttributes`, as far as they are there and are text. */
function withEncodedAttributes(failure: Failure, converter: PayloadConverter): Failure {
  if (failure.encodedAttributes === undefined) return failure;
  const attributes = converter.fromPayload<unknown>(failure.encodedAttributes);
  if (!isRecord(attributes)) return failure;
  const { message, stack_trace: stackTrace } = attributes;
  const { encodedAttributes: _applied, ...rest } = failure;
  return {
    ...rest,
    message: typeof message === 'string' ? message : failure.message,
    stackTrace: typeof stackTrace === 'string' ? stackTrace : failure.stackTrace,
  };
}

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return String(value);
  }
}

/** The converter used where none is configured: messages and stacks as plain text. */
export const defaultFailureConverter: FailureConverter = new DefaultFailureConverter();
