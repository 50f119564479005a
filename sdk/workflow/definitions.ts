// Signals, queries and updates: their definitions (names with types) and their handlers.

import {
  HandlerUnfinishedPolicy,
  type QueryDefinition,
  type SignalDefinition,
  type UpdateDefinition,
} from '../common/interfaces.ts';
import { throwIfReservedName } from '../common/reserved.ts';
import { CancellationScope } from './cancellation-scope.ts';
import { assertInWorkflowContext } from './context.ts';
import { type AnyHandler, checkHandler, neverDefined } from './handlers.ts';
import type {
  DefaultQueryHandler,
  DefaultSignalHandler,
  DefaultUpdateHandler,
  QueryHandlerOptions,
  SignalHandlerOptions,
  UpdateHandlerOptions,
  UpdateInfo,
} from './interfaces.ts';

/** Names a signal and types its arguments: `defineSignal<[string]>('approve')`. Usable by clients too. */
export function defineSignal<Args extends unknown[] = [], Name extends string = string>(
  name: Name,
): SignalDefinition<Args, Name> {
  // The other members of a definition exist in types only.
  return { type: 'signal', name } as SignalDefinition<Args, Name>;
}

/** Names a query and types its result and arguments: `defineQuery<number>('progress')`. Usable by clients too. */
export function defineQuery<Ret, Args extends unknown[] = [], Name extends string = string>(
  name: Name,
): QueryDefinition<Ret, Args, Name> {
  return { type: 'query', name } as QueryDefinition<Ret, Args, Name>;
}

/** Names an update and types its result and arguments. */
export function defineUpdate<Ret, Args extends unknown[] = [], Name extends string = string>(
  name: Name,
): UpdateDefinition<Ret, Args, Name> {
  return { type: 'update', name } as UpdateDefinition<Ret, Args, Name>;
}

/**
 * Sets what happens on a signal, query or update; `undefined` removes it.
 *
 * Signals that came before their handler was set are handled at once, in the order they came. A signal handler may be async; an error
 * that leaves it is treated like one that leaves the workflow's function. A query handler must be synchronous and change nothing.
 *
 * An update's `validator` throws to reject it before anything of it is recorded; it must be synchronous and change nothing. What the handler
 * returns is the client's result; a TemporalFailure it throws is the client's WorkflowUpdateFailedError, any other error fails the workflow
 * task. An update that no handler is set for by the end of the workflow task it came with is rejected.
 */
export function setHandler<Ret, Args extends unknown[]>(
  def: QueryDefinition<Ret, Args>,
  handler: ((...args: Args) => Ret) | undefined,
  options?: QueryHandlerOptions,
): void;
export function setHandler<Args extends unknown[]>(
  def: SignalDefinition<Args>,
  handler: ((...args: Args) => void | Promise<void>) | undefined,
  options?: SignalHandlerOptions,
): void;
export function setHandler<Ret, Args extends unknown[]>(
  def: UpdateDefinition<Ret, Args>,
  handler: ((...args: Args) => Ret | Promise<Ret>) | undefined,
  options?: UpdateHandlerOptions<Args>,
): void;
export function setHandler(
  def: { type: string; name: string },
  handler: unknown,
  options: {
    description?: string | undefined;
    unfinishedPolicy?: HandlerUnfinishedPolicy | undefined;
    validator?: unknown;
  } = {},
): void {
  const { handlers, updates } = assertInWorkflowContext('setHandler()');
  const { description, validator } = options;
  const unfinishedPolicy = options.unfinishedPolicy ?? HandlerUnfinishedPolicy.WARN_AND_ABANDON;
  // What users' JavaScript gives may be anything, such as an import that was not there.
  const given: unknown = def;
  if (typeof given !== 'object' || given === null) {
    const defined = 'what defineSignal(), defineQuery() or defineUpdate() returned';
    const got = given === null ? 'null' : typeof given;
    throw new TypeError(`setHandler() is given ${defined}, not ${got}: is it imported from where it is defined?`);
  }
  throwIfReservedName(def.type === 'query' ? 'query' : def.type === 'update' ? 'update' : 'signal', def.name);
  checkHandler(def.type, def.name, handler);
  // Checked to be a function or undefined; its parameters are what senders send.
  const fn = handler as AnyHandler | undefined;
  switch (def.type) {
    case 'signal':
      handlers.setSignalHandler(def.name, fn && { handler: fn, description, unfinishedPolicy });
      return;
    case 'query':
      handlers.setQueryHandler(def.name, fn && { handler: fn, description });
      return;
    case 'update':
      checkHandler('update validator', def.name, validator);
      updates.set(
        def.name,
        fn && { handler: fn, description, unfinishedPolicy, validator: validator as AnyHandler | undefined },
      );
      return;
    default:
      neverDefined(def.type);
  }
}

/** Handles every signal that no handler is set for, also those that came before; `undefined` removes it. */
export function setDefaultSignalHandler(handler: DefaultSignalHandler | undefined): void {
  const { handlers } = assertInWorkflowContext('setDefaultSignalHandler()');
  checkHandler('default signal', '*', handler);
  handlers.defaultSignalHandler = handler;
  handlers.dispatchBuffered();
}

/** Answers every query that no handler is set for; `undefined` removes it. */
export function setDefaultQueryHandler(handler: DefaultQueryHandler | undefined): void {
  const { handlers } = assertInWorkflowContext('setDefaultQueryHandler()');
  checkHandler('default query', '*', handler);
  handlers.defaultQueryHandler = handler;
}

/** Handles every update that no handler is set for; `undefined` removes it. It accepts all of them: there is no validator. */
export function setDefaultUpdateHandler(handler: DefaultUpdateHandler | undefined): void {
  const { updates } = assertInWorkflowContext('setDefaultUpdateHandler()');
  checkHandler('default update', '*', handler);
  updates.setDefault(handler);
}

/** Whether no signal or update handler is still running: `await condition(allHandlersFinished)` before returning. */
export function allHandlersFinished(): boolean {
  return assertInWorkflowContext('allHandlersFinished()').allHandlersFinished;
}

/** The update whose handler is running here, also after its awaits; undefined anywhere else. */
export function currentUpdateInfo(): UpdateInfo | undefined {
  assertInWorkflowContext('currentUpdateInfo()');
  return CancellationScope.current().update;
}
