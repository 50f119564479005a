// Hooks around what comes into a workflow and what it asks for, named as in @temporalio/workflow. A module of interceptors exports
// `interceptors`, a WorkflowInterceptorsFactory, and is named in the worker's `interceptors.workflowModules`; it is bundled with the
// workflows and called once per execution, before their code. What interceptors do is replayed like the workflow itself.

import type { Headers, Next } from '../common/interceptors.ts';
import type { MetricTags } from '../common/metrics.ts';
import type { Duration } from '../common/time.ts';
import type { Activation, Intent } from './activation.ts';
import type { ActivityOptions, Grouped, LocalActivityOptions } from './activity-options.ts';
import type { ChildWorkflowOptions, ContinueAsNewOptions, SleepOptions, WorkflowExecution } from './interfaces.ts';
import type { NexusOperationCancellationType } from './nexus.ts';

export type { Headers, Next } from '../common/interceptors.ts';

/** Called once per execution, in its context: `workflowInfo()` and the rest may be used. */
export type WorkflowInterceptorsFactory = () => WorkflowInterceptors;

/** Each list runs first to last, those of earlier modules before those of later ones. */
export interface WorkflowInterceptors {
  inbound?: WorkflowInboundCallsInterceptor[];
  outbound?: WorkflowOutboundCallsInterceptor[];
  internals?: WorkflowInternalsInterceptor[];
}

export interface WorkflowExecuteInput {
  readonly args: unknown[];
  /** As the starter's interceptors set them. */
  readonly headers: Headers;
}

export interface UpdateInput {
  readonly updateId: string;
  readonly name: string;
  readonly args: unknown[];
  readonly headers: Headers;
}

export interface SignalInput {
  readonly signalName: string;
  readonly args: unknown[];
  readonly headers: Headers;
}

export interface QueryInput {
  /** Of this asking; `legacy_query` where it came with a task of its own. */
  readonly queryId: string;
  readonly queryName: string;
  readonly args: unknown[];
  readonly headers: Headers;
}

/** Around what comes in. Implement any of these. */
export interface WorkflowInboundCallsInterceptor {
  /** The workflow function. */
  execute?(input: WorkflowExecuteInput, next: Next<WorkflowInboundCallsInterceptor, 'execute'>): Promise<unknown>;
  handleUpdate?(input: UpdateInput, next: Next<WorkflowInboundCallsInterceptor, 'handleUpdate'>): Promise<unknown>;
  /** Not called on replay. Synchronous: an error it throws rejects the update. */
  validateUpdate?(input: UpdateInput, next: Next<WorkflowInboundCallsInterceptor, 'validateUpdate'>): void;
  handleSignal?(input: SignalInput, next: Next<WorkflowInboundCallsInterceptor, 'handleSignal'>): Promise<void>;
  /** May await, as long as nothing it awaits needs the world: the answer is taken once no microtask is left. */
  handleQuery?(input: QueryInput, next: Next<WorkflowInboundCallsInterceptor, 'handleQuery'>): Promise<unknown>;
}

export type TimerOptions = SleepOptions;

export interface TimerInput {
  readonly durationMs: number;
  readonly seq: number;
  readonly options?: TimerOptions | undefined;
}

export interface ActivityInput {
  readonly activityType: string;
  readonly args: unknown[];
  readonly options: ActivityOptions;
  readonly headers: Headers;
  readonly seq: number;
}

export interface LocalActivityInput {
  readonly activityType: string;
  readonly args: unknown[];
  readonly options: LocalActivityOptions;
  readonly headers: Headers;
  readonly seq: number;
  /** Epoch ms; set after a back-off by timer. */
  readonly originalScheduleTime?: number | undefined;
  /** 1-based. */
  readonly attempt: number;
}

export interface StartChildWorkflowExecutionInput {
  readonly workflowType: string;
  readonly options: ChildWorkflowOptions & { readonly workflowId: string; readonly args: unknown[] };
  readonly headers: Headers;
  readonly seq: number;
}

/** Durations as everywhere; without any of them an operation may take for ever. */
export interface StartNexusOperationOptions extends Grouped {
  readonly cancellationType?: NexusOperationCancellationType | undefined;
  /** From its schedule to its end. */
  readonly scheduleToCloseTimeout?: Duration | undefined;
  /** Until its handler has started it. */
  readonly scheduleToStartTimeout?: Duration | undefined;
  /** From then to its end. */
  readonly startToCloseTimeout?: Duration | undefined;
  /** One line shown beside the operation. */
  readonly summary?: string | undefined;
}

export interface StartNexusOperationInput {
  readonly endpoint: string;
  readonly service: string;
  readonly operation: string;
  readonly input: unknown;
  readonly options: StartNexusOperationOptions;
  /** Sent to the handler as they are. */
  readonly headers: Record<string, string>;
  readonly seq: number;
}

export interface StartNexusOperationOutput {
  readonly token?: string | undefined;
  readonly result: Promise<unknown>;
}

export interface SignalWorkflowInput {
  readonly seq: number;
  readonly signalName: string;
  readonly args: unknown[];
  readonly headers: Headers;
  readonly target:
    | { readonly type: 'external'; readonly workflowExecution: WorkflowExecution }
    | { readonly type: 'child'; readonly childWorkflowId: string };
}

export type ContinueAsNewInputOptions = ContinueAsNewOptions & Required<Pick<ContinueAsNewOptions, 'workflowType'>>;

export interface ContinueAsNewInput {
  readonly args: unknown[];
  readonly headers: Headers;
  readonly options: ContinueAsNewInputOptions;
}

export type GetLogAttributesInput = Record<string, unknown>;

/** Around what the workflow asks for. Implement any of these. */
export interface WorkflowOutboundCallsInterceptor {
  /** Every timer: `sleep`, time-outs of conditions and scopes, `setTimeout`. */
  startTimer?(input: TimerInput, next: Next<WorkflowOutboundCallsInterceptor, 'startTimer'>): Promise<void>;
  scheduleActivity?(
    input: ActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleActivity'>,
  ): Promise<unknown>;
  /** Called again for an attempt that comes after a back-off by timer. */
  scheduleLocalActivity?(
    input: LocalActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleLocalActivity'>,
  ): Promise<unknown>;
  /** Gives two promises: of the first run's id, and of the result. */
  startChildWorkflowExecution?(
    input: StartChildWorkflowExecutionInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'startChildWorkflowExecution'>,
  ): Promise<[Promise<string>, Promise<unknown>]>;
  startNexusOperation?(
    input: StartNexusOperationInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'startNexusOperation'>,
  ): Promise<StartNexusOperationOutput>;
  /** Of children and of external workflows. */
  signalWorkflow?(
    input: SignalWorkflowInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'signalWorkflow'>,
  ): Promise<void>;
  continueAsNew?(
    input: ContinueAsNewInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'continueAsNew'>,
  ): Promise<never>;
  /** Adds to the metadata of the workflow's log messages. */
  getLogAttributes?(
    input: GetLogAttributesInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'getLogAttributes'>,
  ): Record<string, unknown>;
  /** Adds to the tags of the workflow's metrics: called for each value. */
  getMetricTags?(input: MetricTags, next: Next<WorkflowOutboundCallsInterceptor, 'getMetricTags'>): MetricTags;
}

/** What the engine tells an execution at once; plain data of this SDK's engine. */
export type WorkflowActivation = Readonly<Activation>;
/** What the code asks for; plain data of this SDK's engine, in which `site` has the stack of the call. */
export type WorkflowCommand = Intent;

export interface ActivateInput {
  readonly activation: WorkflowActivation;
  /** Always 0: all jobs of an activation are one batch. */
  readonly batchIndex: number;
}

export interface ConcludeActivationInput {
  /** In the order they were asked for. */
  readonly commands: WorkflowCommand[];
}

export type ConcludeActivationOutput = ConcludeActivationInput;

/** Nothing. */
export type DisposeInput = Record<string, never>;

/**
 * Around the rounds of an execution's engine. Implement any of these, all synchronous; what they do is replayed, so it must be the same each time.
 *
 * @experimental As with Temporal. The shapes of activations and commands are this SDK's own.
 */
export interface WorkflowInternalsInterceptor {
  /** Jobs are applied. An error it throws fails the workflow task. */
  activate?(input: ActivateInput, next: Next<WorkflowInternalsInterceptor, 'activate'>): void;
  /** The code has come to rest: what it asked for may be read, added to and taken away. */
  concludeActivation?(
    input: ConcludeActivationInput,
    next: Next<WorkflowInternalsInterceptor, 'concludeActivation'>,
  ): ConcludeActivationOutput;
  /** The execution leaves its worker's memory: because it has ended, or to make room. What an error says is logged. */
  dispose?(input: DisposeInput, next: Next<WorkflowInternalsInterceptor, 'dispose'>): void;
}
