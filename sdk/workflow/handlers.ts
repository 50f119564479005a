// The signal and query handlers of one execution: registration, buffering of signals that came too early, dispatch. Updates: update-handlers.ts.

import type { Header, Payloads } from '../../src/wire/common.ts';
import { IllegalStateError } from '../common/errors.ts';
import { HandlerUnfinishedPolicy } from '../common/interfaces.ts';
import { fromPayloads, type PayloadConverter } from '../common/payload-converter.ts';
import {
  ENHANCED_STACK_TRACE_QUERY_NAME,
  STACK_TRACE_QUERY_NAME,
  TEMPORAL_RESERVED_PREFIX,
  throwIfReservedName,
} from '../common/reserved.ts';
import { SeldomMap } from '../common/seldom-map.ts';
import { composeInterceptors } from './compose.ts';
import { DeterminismViolationError } from './errors.ts';
import { inGroupOfEvent } from './event-groups.ts';
import type { WorkflowInboundCallsInterceptor } from './interceptors.ts';
import type { DefaultQueryHandler, DefaultSignalHandler } from './interfaces.ts';
import { type EnhancedStackTrace, locationsOf } from './stack-trace.ts';

/** Handlers are stored without their types: what comes from outside is checked by nobody. */
export type AnyHandler = (...args: unknown[]) => unknown;

interface Handler {
  handler: AnyHandler;
  description: string | undefined;
}
interface SignalHandler extends Handler {
  unfinishedPolicy: HandlerUnfinishedPolicy;
}

export interface ReceivedSignal {
  /** Of the event that says it came. */
  eventId: number;
  name: string;
  input: Payloads | undefined;
  header: Header | undefined;
}

/** What the handlers need of their execution. */
export interface HandlerHost {
  payloadConverter: PayloadConverter;
  inbound(): readonly WorkflowInboundCallsInterceptor[];
  onSignalFailure(error: unknown): void;
}

/** Name of the query that describes a workflow's handlers. */
export const WORKFLOW_METADATA_QUERY_NAME = `${TEMPORAL_RESERVED_PREFIX}workflow_metadata`;

export class MessageHandlers {
  readonly signals = new SeldomMap<string, SignalHandler>();
  readonly queries = new SeldomMap<string, Handler>();
  /** Signals received before their handler was set, in order. */
  readonly buffered: ReceivedSignal[] = [];
  /** Signal handlers that have not returned yet, by the number of their call. */
  readonly running = new SeldomMap<number, { name: string; unfinishedPolicy: HandlerUnfinishedPolicy }>();
  defaultSignalHandler: DefaultSignalHandler | undefined;
  defaultQueryHandler: DefaultQueryHandler | undefined;
  #calls = 0;
  readonly #host: HandlerHost;

  constructor(
    host: HandlerHost,
    builtInQueries: { stacks: () => string[]; workflowMetadata: () => unknown },
    sdkVersion: string,
  ) {
    this.#host = host;
    const builtIn = (name: string, handler: () => unknown, description: string) =>
      this.queries.set(name, { handler, description });
    builtIn(STACK_TRACE_QUERY_NAME, () => builtInQueries.stacks().join('\n\n'), 'Returns a sensible stack trace.');
    builtIn(
      ENHANCED_STACK_TRACE_QUERY_NAME,
      (): EnhancedStackTrace => ({
        sdk: { name: 'typescript', version: sdkVersion },
        sources: {},
        stacks: builtInQueries.stacks().map((stack) => ({ locations: locationsOf(stack) })),
      }),
      'Returns a stack trace annotated with source information.',
    );
    builtIn(
      WORKFLOW_METADATA_QUERY_NAME,
      builtInQueries.workflowMetadata,
      'Returns metadata associated with this workflow.',
    );
  }

  signal(signal: ReceivedSignal): void {
    const registered = this.signals.get(signal.name);
    const fallback = this.defaultSignalHandler;
    refuseReserved('signal', signal.name, registered !== undefined, fallback);
    if (registered === undefined && fallback === undefined) {
      this.buffered.push(signal);
      return;
    }
    const call = ++this.#calls;
    this.running.set(call, {
      name: signal.name,
      unfinishedPolicy: registered?.unfinishedPolicy ?? HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    });
    const run = async (): Promise<void> => {
      const args = fromPayloads(this.#host.payloadConverter, signal.input);
      const inbound = this.#host.inbound();
      if (inbound.length === 0) await this.#callSignal(registered, signal.name, args);
      else {
        const handle = composeInterceptors(inbound, 'handleSignal', async (input) => {
          await this.#callSignal(registered, input.signalName, input.args);
        });
        await handle({ signalName: signal.name, args, headers: signal.header?.fields ?? {} });
      }
    };
    inGroupOfEvent(signal.eventId, run)
      .catch((error: unknown) => this.#host.onSignalFailure(error))
      .finally(() => this.running.delete(call));
  }

  #callSignal(registered: SignalHandler | undefined, name: string, args: unknown[]): unknown {
    return registered === undefined ? this.defaultSignalHandler?.(name, ...args) : registered.handler(...args);
  }

  /** Hands over buffered signals that a handler exists for, in the order they came. */
  dispatchBuffered(): void {
    for (;;) {
      const index =
        this.defaultSignalHandler === undefined ? this.buffered.findIndex(({ name }) => this.signals.has(name)) : 0;
      const [signal] = index < 0 ? [] : this.buffered.splice(index, 1);
      if (signal === undefined) return;
      this.signal(signal);
    }
  }

  /**
   * A promise only where interceptors are.
   *
   * @throws ReferenceError when nobody handles the query, and whatever the handler throws.
   */
  query(queryId: string, name: string, input: Payloads | undefined, header: Header | undefined): unknown {
    refuseReserved('query', name, this.queries.has(name), this.defaultQueryHandler);
    const args = fromPayloads(this.#host.payloadConverter, input);
    // The SDK's own queries are nobody else's business.
    const inbound = isReserved(name) ? [] : this.#host.inbound().filter(({ handleQuery }) => handleQuery !== undefined);
    if (inbound.length === 0) return this.#callQuery(name, args);
    const handle = composeInterceptors(inbound, 'handleQuery', async (call) =>
      this.#callQuery(call.queryName, call.args),
    );
    return handle({ queryId, queryName: name, args, headers: header?.fields ?? {} });
  }

  #callQuery(name: string, args: unknown[]): unknown {
    const registered = this.queries.get(name);
    const fallback = this.defaultQueryHandler;
    if (registered === undefined && fallback === undefined) {
      const known = [...this.queries.keys()].join(' ');
      throw new ReferenceError(`Workflow did not register a handler for ${name}. Registered queries: [${known}]`);
    }
    const result = registered === undefined ? fallback?.(name, ...args) : registered.handler(...args);
    if (result instanceof Promise) {
      result.catch(() => undefined);
      throw new DeterminismViolationError('Query handlers should not return a Promise');
    }
    return result;
  }

  setSignalHandler(name: string, handler: SignalHandler | undefined): void {
    if (handler === undefined) this.signals.delete(name);
    else this.signals.set(name, handler);
    this.dispatchBuffered();
  }

  setQueryHandler(name: string, handler: Handler | undefined): void {
    if (handler === undefined) this.queries.delete(name);
    else this.queries.set(name, handler);
  }
}

/** What the metadata query answers with. */
export function describeHandlers(
  workflowType: string,
  { queries, signals }: MessageHandlers,
  updates: SeldomMap<string, Handler>,
  currentDetails: string,
): unknown {
  const list = (handlers: SeldomMap<string, Handler>) =>
    [...handlers].map(([name, { description }]) => ({ name, description }));
  return {
    definition: {
      type: workflowType,
      queryDefinitions: list(queries),
      signalDefinitions: list(signals),
      updateDefinitions: list(updates),
    },
    currentDetails,
  };
}

const isReserved = (name: string): boolean =>
  name.startsWith(TEMPORAL_RESERVED_PREFIX) ||
  name === STACK_TRACE_QUERY_NAME ||
  name === ENHANCED_STACK_TRACE_QUERY_NAME;

/** A default handler gets no reserved names. @throws TypeError naming it. */
export function refuseReserved(
  kind: 'query' | 'signal' | 'update',
  name: string,
  registered: boolean,
  fallback: unknown,
): void {
  if (!registered && fallback !== undefined && name.startsWith(TEMPORAL_RESERVED_PREFIX))
    throwIfReservedName(kind, name);
}

/** A handler's function, or nothing to remove it. @throws TypeError for anything else. */
export function checkHandler(kind: string, name: string, handler: unknown): void {
  if (handler !== undefined && typeof handler !== 'function') {
    throw new TypeError(`Expected ${kind} handler of '${name}' to be a function or undefined, got ${typeof handler}`);
  }
}

export function neverDefined(type: unknown): never {
  throw new IllegalStateError(`Invalid definition type: ${String(type)}`);
}
