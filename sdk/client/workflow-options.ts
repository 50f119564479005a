// Options of a start, and what interceptors see of them.

import type { Link } from '../../src/wire/common.ts';
import type { OnConflictOptions } from '../../src/wire/execution.ts';
import type { FlowControl } from '../common/flow-control.ts';
import type { SignalDefinition, UntypedWorkflow, Workflow } from '../common/interfaces.ts';
import { type Duration, durationOption } from '../common/time.ts';
import type { VersioningOverride } from '../common/worker-deployments.ts';
import type { CommonWorkflowOptions, WithWorkflowArgs } from '../common/workflow-options.ts';

export interface WorkflowOptions extends CommonWorkflowOptions {
  /** The execution's identity, e.g. an order number: at most one open execution has it. At most 1,000 bytes. */
  workflowId: string;
  /** The queue of the workers that run this workflow. */
  taskQueue: string;
  /** Whether `result()` follows continue-as-new, retries and cron to the end of the chain. Default: true. */
  followRuns?: boolean | undefined;
  /** Wait before the first workflow task. A signal with start does not cut it short. */
  startDelay?: Duration | undefined;
  /**
   * Hands the first workflow task to a worker of this process with the start, if one listens on the task queue over the same connection and has
   * room: saves a round trip. Whether it did is the handle's `eagerlyStarted`.
   */
  requestEagerStart?: boolean | undefined;
  /** Instead of what the workflow says of itself: pinned to a version of its workers, or upgraded with the others. */
  versioningOverride?: VersioningOverride | undefined;
  /** Makes a repeated start return the first one's answer. Default: a new id per call, kept over the connection's own repeats. */
  requestId?: string | undefined;
  /**
   * Called by the server once the last run of the chain has closed: an HTTP POST with the result or the failure, repeated until it is answered (at
   * least once; a repeat has the same `tenuto-callback-id`). Only addresses that the server's `callbacks.allowedAddresses` names are taken; at most 32.
   */
  completionCallbacks?: readonly CompletionCallback[] | undefined;
  /** What a running workflow takes over that the start meets with `workflowIdConflictPolicy: 'USE_EXISTING'`. Default: nothing. */
  onConflictOptions?: OnConflictOptions | undefined;
  /** What the start is about, e.g. an event of another workflow: kept on its event. At most 10. */
  links?: Link[] | undefined;
  /** The workflow begins once it has a permit of this key, and keeps it until its chain of runs has closed. */
  flowControl?: FlowControl | undefined;
}

/** An address that is told how a workflow ended. */
export interface CompletionCallback {
  /** `https://…`; `http://…` where the server's configuration allows it for this address. At most 1,000 characters. */
  url: string;
  /** Sent along. At most 8 KiB. */
  headers?: Readonly<Record<string, string>> | undefined;
}

export type { OnConflictOptions };

export type WorkflowStartOptions<T extends Workflow = UntypedWorkflow> = WithWorkflowArgs<T, WorkflowOptions>;

/** Requires `signalArgs` exactly when the signal has arguments. */
export type WorkflowSignalWithStartOptions<SignalArgs extends unknown[] = []> = WorkflowOptions & {
  /** The signal, as `defineSignal` returned it, or its name. */
  signal: SignalDefinition<SignalArgs> | string;
} & (SignalArgs extends [unknown, ...unknown[]] ? { signalArgs: SignalArgs } : { signalArgs?: SignalArgs | undefined });

/** Options with durations in milliseconds and arguments always there: what interceptors see and may change. */
export type CompiledWorkflowOptions = Omit<
  WorkflowOptions,
  'workflowExecutionTimeout' | 'workflowRunTimeout' | 'workflowTaskTimeout' | 'startDelay'
> & {
  workflowExecutionTimeout?: number | undefined;
  workflowRunTimeout?: number | undefined;
  workflowTaskTimeout?: number | undefined;
  startDelay?: number | undefined;
  args: readonly unknown[];
};

/** @throws TypeError for a missing id or task queue, ValueError or TypeError for a duration that cannot be meant. */
export function compileWorkflowOptions(
  options: WorkflowOptions & { args?: readonly unknown[] | undefined },
): CompiledWorkflowOptions {
  for (const name of ['workflowId', 'taskQueue'] as const) {
    if (typeof options[name] !== 'string' || options[name] === '') {
      throw new TypeError(`Option ${name} is required to start a workflow, got ${JSON.stringify(options[name])}`);
    }
  }
  const { workflowExecutionTimeout, workflowRunTimeout, workflowTaskTimeout, startDelay } = options;
  return {
    ...options,
    args: options.args ?? [],
    workflowExecutionTimeout: durationOption('workflowExecutionTimeout', workflowExecutionTimeout),
    workflowRunTimeout: durationOption('workflowRunTimeout', workflowRunTimeout),
    workflowTaskTimeout: durationOption('workflowTaskTimeout', workflowTaskTimeout),
    startDelay: durationOption('startDelay', startDelay),
  };
}
