// Durations, retry policies, priorities, enums, names: tables of what users may write.

import { describe, expect, it } from 'vitest';
import { RetryState as WireRetryState, WorkflowExecutionStatus as WireStatus } from '../../src/wire/enums.ts';
import {
  compilePriority,
  compileRetryPolicy,
  type Duration,
  decodeRetryState,
  decodeWorkflowExecutionStatus,
  decompileRetryPolicy,
  durationOption,
  encodeRetryState,
  encodeWorkflowIdReusePolicy,
  extractWorkflowType,
  msOptionalToNumber,
  msToNumber,
  type RetryPolicy,
  throwIfReservedName,
  WorkflowExecutionStatus,
} from './index.ts';

describe('durations', () => {
  it.each([
    [250, 250],
    [1_000 / 3, 334],
    [-0.5, -1],
    ['250', 250],
    ['5s', 5_000],
    ['5 s', 5_000],
    ['1.5 hours', 5_400_000],
    ['.5m', 30_000],
    ['1 Day', 86_400_000],
    ['2 WEEKS', 1_209_600_000],
    ['1y', 31_557_600_000],
    ['100ms', 100],
    ['-1s', -1_000],
  ] as [Duration, number][])('%j is %d ms', (duration, ms) => {
    expect(msToNumber(duration)).toBe(ms);
  });

  it.each(['', 's', '5 parsecs', '5s5', '1,5s', 'NaN'])('%j is refused with what was wrong', (text) => {
    expect(() => msToNumber(text)).toThrow(TypeError);
    expect(() => msToNumber(text)).toThrow(`Invalid duration string: '${text}'`);
  });

  it('numbers must be finite, options not negative, absence stays absence', () => {
    expect(() => msToNumber(Number.NaN)).toThrow(/Invalid duration: NaN/);
    expect(() => msToNumber(Number.POSITIVE_INFINITY)).toThrow(/Invalid duration/);
    expect(() => durationOption('startDelay', '-1s')).toThrow('startDelay must not be negative, got -1s');
    expect(msOptionalToNumber(undefined)).toBeUndefined();
    expect(msOptionalToNumber(null)).toBeUndefined();
  });
});

describe('retry policies', () => {
  it('get the default first interval and lose an infinite maximum', () => {
    expect(compileRetryPolicy({ maximumAttempts: Number.POSITIVE_INFINITY })).toEqual({ initialInterval: 1_000 });
  });

  it('survive the way to the wire and back', () => {
    const policy = {
      initialInterval: 2_000,
      maximumInterval: 60_000,
      backoffCoefficient: 1.5,
      maximumAttempts: 7,
      nonRetryableErrorTypes: ['CardDeclined'],
    };
    expect(
      decompileRetryPolicy(compileRetryPolicy({ ...policy, initialInterval: '2s', maximumInterval: '1m' })),
    ).toEqual(policy);
    expect(decompileRetryPolicy(undefined)).toBeUndefined();
  });

  it.each([
    [{ backoffCoefficient: 0 }, 'RetryPolicy.backoffCoefficient must be greater than 0'],
    [{ maximumAttempts: 0 }, 'RetryPolicy.maximumAttempts must be a positive integer'],
    [{ maximumAttempts: 1.5 }, 'RetryPolicy.maximumAttempts must be an integer'],
    [{ maximumInterval: 0 }, 'RetryPolicy.maximumInterval cannot be 0'],
    [{ initialInterval: 0 }, 'RetryPolicy.initialInterval cannot be 0'],
    [{ maximumInterval: '1ms' }, 'RetryPolicy.maximumInterval cannot be less than its initialInterval'],
  ] as [RetryPolicy, string][])('%j is refused', (policy, message) => {
    expect(() => compileRetryPolicy(policy)).toThrow(message);
  });
});

describe('priorities', () => {
  it('leave out nothing, and refuse keys that are no positive integers', () => {
    expect(compilePriority({ fairnessKey: 'a' })).toEqual({ priorityKey: 0, fairnessKey: 'a', fairnessWeight: 0 });
    expect(() => compilePriority({ priorityKey: 1.5 })).toThrow(TypeError);
    expect(() => compilePriority({ priorityKey: -1 })).toThrow(RangeError);
  });
});

describe('enums', () => {
  it('take the name, the name with prefix, and the number', () => {
    const reached = WireRetryState.MAXIMUM_ATTEMPTS_REACHED;
    expect(encodeRetryState('MAXIMUM_ATTEMPTS_REACHED')).toBe(reached);
    expect(encodeRetryState(reached)).toBe(reached);
    expect(encodeRetryState(undefined)).toBeUndefined();
    // What a migrated code base may still say.
    expect(encodeWorkflowIdReusePolicy('WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE' as 'REJECT_DUPLICATE')).toBe(3);
    expect(() => encodeRetryState('NEVER' as 'TIMEOUT')).toThrow(/Invalid enum value: 'NEVER'/);
  });

  it('read unspecified and unknown numbers as undefined', () => {
    expect(decodeRetryState(WireRetryState.TIMEOUT)).toBe('TIMEOUT');
    expect(decodeRetryState(0)).toBeUndefined();
    expect(decodeRetryState(99 as 1)).toBeUndefined();
  });

  it('name every status of the wire', () => {
    for (const [name, number] of Object.entries(WireStatus)) {
      if (number !== 0) expect(decodeWorkflowExecutionStatus(number)).toBe(name);
    }
    expect(Object.keys(WorkflowExecutionStatus)).toHaveLength(Object.keys(WireStatus).length - 1);
  });
});

describe('names', () => {
  it('of workflows come from the text or the function', () => {
    async function orderWorkflow(): Promise<void> {}
    expect(extractWorkflowType('x')).toBe('x');
    expect(extractWorkflowType(orderWorkflow)).toBe('orderWorkflow');
    expect(() => extractWorkflowType((() => async () => {})())).toThrow('the workflow function is anonymous');
    expect(() => extractWorkflowType(7 as unknown as string)).toThrow(
      "expected either a string or a function, got 'number'",
    );
  });

  it('that are reserved are refused', () => {
    expect(() => throwIfReservedName('signal', '__temporal_x')).toThrow(/reserved prefix/);
    expect(() => throwIfReservedName('query', '__stack_trace')).toThrow(/reserved name/);
    throwIfReservedName('query', 'status');
  });
});
