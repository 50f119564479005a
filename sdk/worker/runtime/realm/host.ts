// What the outside gives the realm when it is prepared, and what the realm's library part gives back. The only border between them.

import type { Header, Payload, Payloads } from '../../../../src/wire/common.ts';
import type { WorkflowExecutionStartedEventAttributes } from '../../../../src/wire/event-attributes.ts';
import type { Failure } from '../../../../src/wire/failure.ts';
import type { Activation, Intent, SinkInvocation } from '../../../workflow/activation.ts';
import type { SdkFlag } from '../../../workflow/flags.ts';
import type { ActivatesPatch } from '../../../workflow/patches.ts';

/** Native helpers of the host, in the host's own realm: nothing they return may reach workflow code unconverted. */
export interface RealmHost {
  /** Runs `fn` with `context` current, there and in everything asynchronous that starts in it. */
  runInContext<R>(context: unknown, fn: () => R): R;
  currentContext(): unknown;
  /** Writes the UTF-8 bytes of `text` to `into` and returns how many. `into` has room for 3 bytes a unit. */
  encodeUtf8(text: string, into: Uint8Array): number;
  decodeUtf8(bytes: Uint8Array, fatal: boolean, ignoreBom: boolean): string;
  /** The machine's clock, epoch ms. */
  clock(): number;
  /** Writes random bytes of the machine's. */
  fillRandom(into: Uint8Array): void;
  /** The running execution may have added a property to the global object that is not enumerable. */
  globalDefined(): void;
  /** Whether the worker has a function for an activity of this type. */
  runsActivity(type: string): boolean;
  /** Whether the worker wants a patch that the history does not know. */
  readonly activatesPatch: ActivatesPatch;
  /** Source-mapped stack without the SDK's own frames. */
  mapStack(stack: string): string;
}

export interface ExecutionInit {
  namespace: string;
  taskQueue: string;
  workflowId: string;
  runId: string;
  started: WorkflowExecutionStartedEventAttributes;
  /** Epoch ms of the started event. */
  startTime: number;
  sdkVersion: string;
  /** Names of classes of errors that end the workflow rather than fail its task. */
  failureErrorTypes: readonly string[];
}

export type QueryAnswer = { ok: true; payload: Payload } | { ok: false; failure: Failure; message: string };

/** One execution, as the engine sees it. Every method runs code in the realm; microtasks are drained by the engine afterwards. */
export interface RealmExecution {
  /** Evaluates the workflow's modules. Call before the first activation. @throws what they throw. */
  load(): void;
  /** Applies jobs; the first call starts the workflow's function. @throws what a job's conversion throws. */
  activate(activation: Activation): void;
  hasConditions(): boolean;
  tryUnblockConditions(): number;
  /** The activation ends: updates that no handler came for are refused, handlers cut off by the workflow's end warned about. */
  conclude(): void;
  /** Begins to answer a query; drain, then call what it returned. */
  query(queryId: string, name: string, input: Payloads | undefined, header: Header | undefined): () => QueryAnswer;
  takeIntents(): Intent[];
  /** Whether an interceptor wants to know that it leaves memory. */
  readonly disposes: boolean;
  /** @throws what an interceptor throws. */
  dispose(): void;
  takeSinkCalls(): SinkInvocation[];
  takeUsedFlags(): SdkFlag[];
  /** The failure of the workflow task, if the code caused one. */
  taskFailure(): Failure | undefined;
  toFailure(error: unknown): Failure;
  readonly completed: boolean;
  /** What the workflow's function says of itself. */
  readonly versioningBehavior: string | undefined;
  /** Makes this the running execution. */
  enter(): void;
}

export interface RealmLibrary {
  createExecution(init: ExecutionInit, load: ModuleLoader): RealmExecution;
  /** No execution is running. */
  leave(): void;
}

/** What a module exports, or the library modules it asks for. */
export type ModuleExports = Record<string, unknown>;

/** Converters that the bundle brings along. */
export interface WorkflowConverters {
  payloadConverter?: unknown;
  failureConverter?: unknown;
}

/** A fresh instance of the user's modules. */
export interface WorkflowModules {
  workflows: ModuleExports;
  converters: WorkflowConverters;
  /** Modules that export `interceptors`, in the worker's order. */
  interceptorModules: readonly ModuleExports[];
}

/** The bundle's workflow part: evaluates the user's modules. */
export type ModuleLoader = (require: (name: string) => ModuleExports) => WorkflowModules;
