import { runInNewContext } from 'node:vm';
import { HandlerError } from 'nexus-rpc';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/wire/failure.ts';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  cutoffStackTrace,
  DefaultFailureConverter,
  defaultPayloadConverter,
  ensureApplicationFailure,
  ensureTemporalFailure,
  isCancellation,
  NexusOperationFailure,
  rootCause,
  ServerFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
} from './index.ts';

const converter = new DefaultFailureConverter();
const toFailure = (err: unknown) => converter.errorToFailure(err, defaultPayloadConverter);
// Of what these tests convert; handlers' errors have a test of their own.
const toError = (failure: Failure) => converter.failureToError(failure, defaultPayloadConverter) as TemporalFailure;
/** A new error from the wire failure, as another process would make it. */
const roundTrip = (err: unknown) => toError(structuredClone(toFailure(err)));

describe('failures survive the wire', () => {
  it.each([
    ApplicationFailure.create({
      message: 'declined',
      type: 'CardDeclined',
      nonRetryable: true,
      details: [{ code: 51 }, 'x'],
      nextRetryDelay: 5_000,
      category: 'BENIGN',
    }),
    new CancelledFailure('CANCELLED', ['because']),
    new TerminatedFailure('enough'),
    new TimeoutFailure('late', { row: 7 }, 'HEARTBEAT'),
    new ServerFailure('oops', true),
    new ActivityFailure('Activity task failed', 'charge', '5', 'MAXIMUM_ATTEMPTS_REACHED', 'worker-1'),
    new ChildWorkflowFailure('default', { workflowId: 'c', runId: 'r' }, 'child', 'RETRY_POLICY_NOT_SET'),
    new NexusOperationFailure('nexus', 5, 'e', 's', 'o', 't'),
    new TemporalFailure('plain'),
  ])('$name', (original) => {
    const copy = roundTrip(original);
    expect(copy.constructor).toBe(original.constructor);
    const { failure: _failure, ...fields } = copy;
    expect(fields).toEqual({ ...original });
    expect(copy.message).toBe(original.message);
    expect(copy.stack).toBe(cutoffStackTrace(original.stack));
    expect(copy.failure?.source).toBe('TypeScriptSDK');
  });

  it('with their whole cause chain', () => {
    const cause = new ApplicationFailure('root', 'Root', true);
    const middle = new ActivityFailure('Activity task failed', 'a', '1', 'NON_RETRYABLE_FAILURE', '', cause);
    const copy = roundTrip(new ChildWorkflowFailure('n', { workflowId: 'w' }, 'c', 'TIMEOUT', middle));
    expect(copy.cause).toBeInstanceOf(ActivityFailure);
    expect(copy.cause?.cause).toBeInstanceOf(ApplicationFailure);
    expect(rootCause(copy)).toBe('root');
  });

  it('passed on, they are passed on unchanged', () => {
    const failure: Failure = { message: 'from Go', source: 'GoSDK', applicationFailureInfo: { type: 'T' } };
    expect(toFailure(toError(failure))).toEqual(failure);
  });

  it('of a reset read as an application failure of that type', () => {
    expect(toError({ message: 'r', resetWorkflowFailureInfo: {} })).toMatchObject({ type: 'ResetWorkflow' });
  });

  it.each<Failure>([{ activityFailureInfo: {} }, { childWorkflowExecutionFailureInfo: {} }])(
    'without what they must have are refused',
    (failure) => {
      expect(() => toError(failure)).toThrow(TypeError);
    },
  );
});

describe('what is thrown becomes a failure', () => {
  it('an Error keeps message, stack and cause', () => {
    const error = new Error('boom', { cause: new TypeError('inner') });
    expect(toFailure(error)).toMatchObject({
      message: 'boom',
      source: 'TypeScriptSDK',
      stackTrace: expect.stringContaining('Error: boom'),
      cause: { message: 'inner' },
    });
  });

  it.each([
    ['text', 'text'],
    [{ a: 1 }, '{"a":1}'],
    [undefined, 'undefined'],
    [7, '7'],
  ])('%o, with the advice to throw errors', (thrown, message) => {
    expect(toFailure(thrown).message).toBe(
      `${message} [A non-Error value was thrown from your code. We recommend throwing Error objects so that we can provide a stack trace]`,
    );
  });

  it('an object without JSON still has a message', () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    expect(toFailure(cyclic).message).toContain('[object Object]');
  });
});

describe('encodeCommonAttributes', () => {
  it('hides message and stack, and brings them back', () => {
    const hiding = new DefaultFailureConverter({ encodeCommonAttributes: true });
    const failure = hiding.errorToFailure(
      ApplicationFailure.create({ message: 'secret', type: 'T' }),
      defaultPayloadConverter,
    );
    expect(failure).toMatchObject({
      message: 'Encoded failure',
      stackTrace: '',
      applicationFailureInfo: { type: 'T' },
    });
    expect(toError(failure)).toMatchObject({ message: 'secret', stack: expect.stringContaining('secret') });
    expect(hiding.errorToFailure(toError(failure), defaultPayloadConverter).message).toBe('Encoded failure');
  });
});

describe('stacks', () => {
  it('lose the framework below the user, and nothing above', () => {
    const stack = [
      'Error: boom',
      '    at helper (/app/node_modules/tenuto/dist/sdk/workflow/sleep.js:1:2)',
      '    at charge (/app/src/activities.ts:10:5)',
      '    at async Activity.run (/app/node_modules/tenuto/dist/sdk/worker/activity.js:33:7)',
      '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
    ].join('\n');
    expect(cutoffStackTrace(stack).split('\n')).toHaveLength(3);
    expect(cutoffStackTrace(undefined)).toBe('');
    expect(cutoffStackTrace('Error: only a message\nof two lines')).toBe('Error: only a message\nof two lines');
  });
});

describe('ensure and ask', () => {
  it('any error becomes an application failure with its class as type', () => {
    class CardDeclined extends Error {}
    const failure = ensureApplicationFailure(new CardDeclined('no'));
    expect(failure).toMatchObject({ type: 'CardDeclined', message: 'no', nonRetryable: false });
    expect(ensureApplicationFailure(failure)).toBe(failure);
    expect(ensureApplicationFailure('text')).toMatchObject({ message: 'text', type: undefined });
    const timeout = new TimeoutFailure('t', undefined, 'HEARTBEAT');
    expect(ensureTemporalFailure(timeout)).toBe(timeout);
  });

  it('fromError overrides what it is given', () => {
    const failure = ApplicationFailure.fromError(new Error('x'), { nonRetryable: true, type: 'Y' });
    expect(failure).toMatchObject({ message: 'x', type: 'Y', nonRetryable: true });
  });

  it('a cancellation is one through activities and children, not through others', () => {
    const cancelled = new CancelledFailure('c');
    const activity = new ActivityFailure('a', 't', '1', undefined, undefined, cancelled);
    expect(isCancellation(new ChildWorkflowFailure('n', {}, 't', undefined, activity))).toBe(true);
    expect(isCancellation(new ApplicationFailure('x', 'X', false, [], cancelled))).toBe(false);
    expect(isCancellation(undefined)).toBe(false);
  });

  it('classes are recognised over realms, and subclasses are not mistaken for them', () => {
    const marker = Symbol.for('__tenuto_isCancelledFailure');
    const foreign = runInNewContext('(marker) => ({ [marker]: true, message: "x" })')(marker);
    expect(foreign).toBeInstanceOf(CancelledFailure);
    class Mine extends ApplicationFailure {}
    expect(new ApplicationFailure('x')).not.toBeInstanceOf(Mine);
    expect(new Mine('x')).toBeInstanceOf(ApplicationFailure);
    expect(Mine.retryable('x')).toBeInstanceOf(Mine);
    expect(new TerminatedFailure('x')).not.toBeInstanceOf(ApplicationFailure);
  });
});

describe('errors of Nexus handlers', () => {
  it.each([
    ['INTERNAL', undefined],
    ['BAD_REQUEST', true],
    ['UNAVAILABLE', false],
  ] as const)('%s, retryable: %s', (type, retryableOverride) => {
    const original = new HandlerError(type, 'broken', { retryableOverride, cause: new ApplicationFailure('root') });
    const copy: Error = roundTrip(original);
    expect(copy).toBeInstanceOf(HandlerError);
    expect(copy).toMatchObject({ type, message: 'broken', retryable: original.retryable });
    expect(copy.cause).toBeInstanceOf(ApplicationFailure);
  });
});
