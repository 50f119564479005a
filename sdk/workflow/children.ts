// Other workflows: starting children, signalling and cancelling external ones.

import { nameOfDefinition } from '../common/definition-name.ts';
import { encodeParentClosePolicy, encodeWorkflowIdReusePolicy } from '../common/enums.ts';
import { compileFlowControl } from '../common/flow-control.ts';
import type { SignalDefinition, UntypedWorkflow, Workflow, WorkflowResultType } from '../common/interfaces.ts';
import { mapToPayloads, toPayloadsMessage } from '../common/payload-converter.ts';
import { compilePriority } from '../common/priority.ts';
import { compileRetryPolicy } from '../common/retry-policy.ts';
import { encodeUnifiedSearchAttributes } from '../common/search-attributes.ts';
import { durationOption } from '../common/time.ts';
import { userMetadataToPayload } from '../common/user-metadata.ts';
import type { BaseWorkflowHandle, WorkflowSignalOptions } from '../common/workflow-handle.ts';
import { extractWorkflowType, type WithWorkflowArgs } from '../common/workflow-options.ts';
import type { Intent } from './activation.ts';
import type { Activator } from './activator.ts';
import { headerOf } from './activities.ts';
import { cancelWithScope } from './cancel-with-scope.ts';
import { CancellationScope } from './cancellation-scope.ts';
import { composeInterceptors } from './compose.ts';
import { assertInWorkflowContext } from './context.ts';
import type { SignalWorkflowInput, StartChildWorkflowExecutionInput } from './interceptors.ts';
import { ChildWorkflowCancellationType, type ChildWorkflowOptions } from './interfaces.ts';
import { uuid4 } from './workflow.ts';

/** A child that has started: its result may be awaited, and it may be signalled. It is cancelled by its scope. */
export interface ChildWorkflowHandle<T extends Workflow> extends BaseWorkflowHandle<T> {
  readonly workflowId: string;
  /** First run of the child's chain of continuations and retries. */
  readonly firstExecutionRunId: string;
}

export interface ExternalWorkflowHandle {
  readonly workflowId: string;
  readonly runId: string | undefined;
  /**
   * Resolves once the other workflow has the signal.
   *
   * @throws ApplicationFailure of type `ExternalWorkflowExecutionNotFound` when there is no such workflow, or it has closed.
   */
  signal<Args extends unknown[] = [], Name extends string = string>(
    def: SignalDefinition<Args, Name> | string,
    ...args: Args
  ): Promise<void>;
  /** The same, by the signal's name. */
  signalWithOptions<Args extends unknown[] = []>(
    signalName: string,
    options: WorkflowSignalOptions<Args>,
  ): Promise<void>;
  /**
   * Requests cancellation; resolves once the other workflow has the request, at once when it has closed.
   *
   * @throws ApplicationFailure of type `ExternalWorkflowExecutionNotFound` when there is no such workflow.
   */
  cancel(reason?: string): Promise<void>;
}

interface StartedChild {
  workflowId: string;
  started: Promise<string>;
  result: Promise<unknown>;
}

function startedChild(
  workflowType: string,
  options: ChildWorkflowOptions & { args?: readonly unknown[] | undefined },
): StartedChild | Promise<StartedChild> {
  const activator = assertInWorkflowContext('Child workflows');
  const { outbound } = activator;
  const workflowId = options.workflowId ?? uuid4();
  const input: StartChildWorkflowExecutionInput = {
    workflowType,
    options: { ...options, workflowId, args: [...(options.args ?? [])] },
    headers: {},
    seq: activator.takeSeq('child'),
  };
  const site = new Error();
  if (outbound.length === 0) return { workflowId, ...scheduleChild(activator, input, site) };
  const start = composeInterceptors(outbound, 'startChildWorkflowExecution', async (call) => {
    const { started, result } = scheduleChild(activator, call, site);
    return [started, result];
  });
  return start(input).then(([started, result]) => {
    // As below: each may be asked for late, or never.
    started.catch(ignored);
    result.catch(ignored);
    return { workflowId, started, result };
  });
}

/** Nobody has to listen. Made once: a promise that waits keeps it, and with it what is around the place where it is made. */
const ignored = (): void => undefined;

function scheduleChild(
  activator: Activator,
  { workflowType, options, headers, seq }: StartChildWorkflowExecutionInput,
  site: Error,
): Omit<StartedChild, 'workflowId'> {
  const { payloadConverter, info } = activator;
  const { workflowId } = options;
  const indexedFields = encodeUnifiedSearchAttributes(options.searchAttributes, options.typedSearchAttributes);
  const taskQueue = options.taskQueue ?? info.taskQueue;
  const scheduled: Intent = {
    kind: 'startChild',
    seq,
    site,
    cancellationType: options.cancellationType ?? ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    userMetadata: userMetadataToPayload(payloadConverter, options.staticSummary, options.staticDetails),
    attributes: {
      namespace: info.namespace,
      workflowId,
      workflowType: { name: workflowType },
      taskQueue: { name: taskQueue },
      inheritBuildId: taskQueue === info.taskQueue ? true : undefined,
      header: headerOf(headers),
      input: toPayloadsMessage(payloadConverter, options.args),
      workflowExecutionTimeout: durationOption('workflowExecutionTimeout', options.workflowExecutionTimeout),
      workflowRunTimeout: durationOption('workflowRunTimeout', options.workflowRunTimeout),
      workflowTaskTimeout: durationOption('workflowTaskTimeout', options.workflowTaskTimeout),
      parentClosePolicy: encodeParentClosePolicy(options.parentClosePolicy),
      workflowIdReusePolicy: encodeWorkflowIdReusePolicy(options.workflowIdReusePolicy),
      retryPolicy: options.retry === undefined ? undefined : compileRetryPolicy(options.retry),
      cronSchedule: options.cronSchedule,
      memo: options.memo === undefined ? undefined : { fields: mapToPayloads(payloadConverter, options.memo) },
      searchAttributes: Object.keys(indexedFields).length === 0 ? undefined : { indexedFields },
      priority: options.priority === undefined ? undefined : compilePriority(options.priority),
      flowControl: compileFlowControl(options.flowControl),
    },
  };
  const scope = CancellationScope.current();
  const result = new Promise<unknown>((resolve, reject) => {
    if (!scope.consideredCancelled) activator.children.set(seq, { resolve, reject, site });
  });
  // The result may never be asked for.
  result.catch(ignored);
  const started = new Promise<string>((resolve, reject) => {
    if (scope.consideredCancelled) {
      scope.cancelRequested.catch(reject);
      return;
    }
    if (scope.cancellable) cancelWithScope(scope, activator, 'cancelChild', seq, options.eventGroups);
    activator.push(scheduled, options.eventGroups);
    activator.childStarts.set(seq, { resolve, reject, site, workflowId, workflowType });
  });
  started.catch(ignored);
  return { started, result };
}

/**
 * Starts a child workflow and resolves, with its handle, once it has started.
 *
 * The child is part of the scope it is started in: cancelling that scope requests the child's cancellation, as `cancellationType` says.
 * What becomes of it when the workflow closes is `parentClosePolicy`'s matter.
 *
 * @param workflowFunc The workflow function, or its exported name.
 * @throws WorkflowExecutionAlreadyStartedError when a workflow with the id runs, or `workflowIdReusePolicy` forbids to use it again.
 * @throws ChildWorkflowFailure caused by a CancelledFailure, when it was cancelled before it started.
 */
export async function startChild(
  workflowType: string,
  options?: WithWorkflowArgs<UntypedWorkflow, ChildWorkflowOptions>,
): Promise<ChildWorkflowHandle<UntypedWorkflow>>;
export async function startChild<T extends Workflow>(
  workflowFunc: T | string,
  options: WithWorkflowArgs<T, ChildWorkflowOptions>,
): Promise<ChildWorkflowHandle<T>>;
/** Starts a child workflow without arguments. */
export async function startChild<T extends () => Promise<unknown>>(
  workflowFunc: T | string,
): Promise<ChildWorkflowHandle<T>>;
export async function startChild<T extends Workflow>(
  workflowFunc: T | string,
  options?: WithWorkflowArgs<T, ChildWorkflowOptions>,
): Promise<ChildWorkflowHandle<T>> {
  const child = startedChild(extractWorkflowType(workflowFunc), options ?? {});
  const { workflowId, started, result } = child instanceof Promise ? await child : child;
  const firstExecutionRunId = await started;
  return {
    workflowId,
    firstExecutionRunId,
    // The child's declared result type is the caller's claim.
    result: () => result as Promise<WorkflowResultType<T>>,
    signal: (def, ...args) =>
      signalOther(assertInWorkflowContext('Signals'), { workflowId, childWorkflowOnly: true }, def, args),
    signalWithOptions: (name, { args }) =>
      signalOther(assertInWorkflowContext('Signals'), { workflowId, childWorkflowOnly: true }, name, args ?? []),
  };
}

/**
 * Runs a child workflow and gives its result, following continue-as-new and retries. Part of the scope it is called in, as
 * {@link startChild} is.
 *
 * @throws WorkflowExecutionAlreadyStartedError as {@link startChild} does.
 * @throws ChildWorkflowFailure when the child failed, was cancelled or terminated, or timed out; its `cause` says which.
 */
export async function executeChild(
  workflowType: string,
  options?: WithWorkflowArgs<UntypedWorkflow, ChildWorkflowOptions>,
): Promise<unknown>;
export async function executeChild<T extends Workflow>(
  workflowFunc: T | string,
  options: WithWorkflowArgs<T, ChildWorkflowOptions>,
): Promise<WorkflowResultType<T>>;
/** Runs a child workflow without arguments. */
export async function executeChild<T extends () => Promise<unknown>>(
  workflowFunc: T | string,
): Promise<WorkflowResultType<T>>;
export async function executeChild<T extends Workflow>(
  workflowFunc: T | string,
  options?: WithWorkflowArgs<T, ChildWorkflowOptions>,
): Promise<WorkflowResultType<T>> {
  const child = startedChild(extractWorkflowType(workflowFunc), options ?? {});
  const { started, result } = child instanceof Promise ? await child : child;
  await started;
  return (await result) as WorkflowResultType<T>;
}

/** A handle of any workflow of the namespace; without `runId`, of its current run. */
export function getExternalWorkflowHandle(workflowId: string, runId?: string): ExternalWorkflowHandle {
  const activator = assertInWorkflowContext('getExternalWorkflowHandle()');
  return {
    workflowId,
    runId,
    signal: (def, ...args) => signalOther(activator, { workflowId, runId, childWorkflowOnly: false }, def, args),
    signalWithOptions: (name, { args }) =>
      signalOther(activator, { workflowId, runId, childWorkflowOnly: false }, name, args ?? []),
    cancel: (reason) => cancelOther(activator, workflowId, runId, reason),
  };
}

interface Target {
  workflowId: string;
  runId?: string | undefined;
  childWorkflowOnly: boolean;
}

function signalOther(
  activator: Activator,
  { workflowId, runId, childWorkflowOnly }: Target,
  def: SignalDefinition<never[]> | string | { name: string },
  args: unknown[],
): Promise<void> {
  const { outbound } = activator;
  const input: SignalWorkflowInput = {
    seq: activator.takeSeq('signalExternal'),
    signalName: nameOfDefinition('signal', def),
    args,
    headers: {},
    target: childWorkflowOnly
      ? { type: 'child', childWorkflowId: workflowId }
      : { type: 'external', workflowExecution: { workflowId, runId } },
  };
  const site = new Error();
  const send = (call: SignalWorkflowInput): Promise<void> => sendSignal(activator, call, site);
  return outbound.length === 0 ? send(input) : composeInterceptors(outbound, 'signalWorkflow', send)(input);
}

function sendSignal(
  activator: Activator,
  { seq, signalName, args, headers, target }: SignalWorkflowInput,
  site: Error,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const scope = CancellationScope.current();
    if (scope.consideredCancelled) {
      scope.cancelRequested.catch(reject);
      return;
    }
    if (scope.cancellable) cancelWithScope(scope, activator, 'cancelSignalExternal', seq);
    activator.push({
      kind: 'signalExternal',
      seq,
      site,
      attributes: {
        namespace: activator.info.namespace,
        execution: target.type === 'child' ? { workflowId: target.childWorkflowId } : target.workflowExecution,
        signalName,
        input: toPayloadsMessage(activator.payloadConverter, args),
        header: headerOf(headers),
        childWorkflowOnly: target.type === 'child',
      },
    });
    activator.externalSignals.set(seq, { resolve, reject, site });
  });
}

/** Histories of SDKs before 0.22 lack the marker: there a scope did not reach this. The name is theirs, so that histories move over. */
const SCOPE_CANCELS_REQUEST = '__temporal_internal_connect_external_handle_cancel_to_scope';

function cancelOther(
  activator: Activator,
  workflowId: string,
  runId: string | undefined,
  reason: string | undefined,
): Promise<void> {
  const site = new Error();
  return new Promise<void>((resolve, reject) => {
    const scope = CancellationScope.current();
    if (scope.cancellable) {
      scope.cancelRequested.catch((cancelled: Error) => {
        if (activator.patches.decide(SCOPE_CANCELS_REQUEST, false)) reject(cancelled);
      });
    }
    if (scope.consideredCancelled && activator.patches.decide(SCOPE_CANCELS_REQUEST, false)) return;
    const seq = activator.takeSeq('cancelExternal');
    activator.push({
      kind: 'cancelExternal',
      seq,
      site,
      attributes: { namespace: activator.info.namespace, workflowId, runId, reason, childWorkflowOnly: false },
    });
    activator.externalCancels.set(seq, { resolve, reject, site });
  });
}
