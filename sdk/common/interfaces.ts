// Shapes of users' functions and definitions, shared by client, worker and workflow.
// `never[]` parameters accept every function where only its name and types matter; `Untyped…` are the defaults for names given as text.

import type { Payload as WirePayload } from '../../src/wire/common.ts';

/** One value as the wire carries it: `metadata.encoding` says how to read `data`. */
export type Payload = WirePayload;

/** Any workflow function. */
export type Workflow = (...args: never[]) => Promise<unknown>;
/** What a workflow is taken for when only its name is known. */
export type UntypedWorkflow = (...args: unknown[]) => Promise<unknown>;
/** What awaiting workflow `W` gives. */
export type WorkflowResultType<W extends Workflow> = Awaited<ReturnType<W>>;
export type WorkflowReturnType = Promise<unknown>;

export type WorkflowSignalType = (...args: never[]) => Promise<void> | void;
export type WorkflowQueryType = (...args: never[]) => unknown;
export type WorkflowUpdateType = (...args: never[]) => unknown;
export type WorkflowUpdateValidatorType = (...args: never[]) => void;

declare const argsBrand: unique symbol;
declare const retBrand: unique symbol;

/** A signal as `defineSignal` returns it: its name, with the types of its arguments. */
export interface SignalDefinition<Args extends unknown[] = [], Name extends string = string> {
  type: 'signal';
  name: Name;
  /** Exists in types only: keeps signals with different arguments apart. */
  [argsBrand]: Args;
}

/** A query as `defineQuery` returns it: its name, with the types of its result and arguments. */
export interface QueryDefinition<Ret, Args extends unknown[] = [], Name extends string = string> {
  type: 'query';
  name: Name;
  /** Exists in types only. */
  [argsBrand]: Args;
  /** Exists in types only. */
  [retBrand]: Ret;
}

/** An update as `defineUpdate` returns it: its name, with the types of its result and arguments. */
export interface UpdateDefinition<Ret, Args extends unknown[] = [], Name extends string = string> {
  type: 'update';
  name: Name;
  /** Exists in types only. */
  [argsBrand]: Args;
  /** Exists in types only. */
  [retBrand]: Ret;
}

/** Any function that can be registered as an activity. */
export type ActivityFunction<P extends unknown[] = never[], R = unknown> = (...args: P) => Promise<R>;
/** Activities by name. */
export type UntypedActivities = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** A history with the id of its workflow, as replay takes it. `history` is `HistoryEvent[]` or Temporal's JSON. */
export interface HistoryAndWorkflowId {
  workflowId: string;
  history: unknown;
}

/** What becomes of signal and update handlers that still run when their workflow ends. */
export const HandlerUnfinishedPolicy = {
  /** Abandon them, with a warning unless the workflow failed. */
  WARN_AND_ABANDON: 'WARN_AND_ABANDON',
  /** Abandon them silently. */
  ABANDON: 'ABANDON',
} as const;
export type HandlerUnfinishedPolicy = (typeof HandlerUnfinishedPolicy)[keyof typeof HandlerUnfinishedPolicy];
