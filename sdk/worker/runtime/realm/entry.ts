// Entry of the realm's library part: bundled on its own, evaluated once per realm, frozen, and shared by all executions.

import type { Header, Payload, Payloads } from '../../../../src/wire/common.ts';
import * as common from '../../../common/index.ts';
import { setHostCodec } from '../../../common/utf8.ts';
import type { Activation } from '../../../workflow/activation.ts';
import { Activator } from '../../../workflow/activator.ts';
import { type AsyncContext, setContextCarrier } from '../../../workflow/async-context.ts';
import { composeInterceptors } from '../../../workflow/compose.ts';
import { setCurrentActivator } from '../../../workflow/context.ts';
import * as workflow from '../../../workflow/index.ts';
import type { UnsafeWorkflowInfo, WorkflowInfo } from '../../../workflow/interfaces.ts';
import { randomUuid } from '../../../workflow/random.ts';
import { freezeRealm } from './freeze.ts';
import { installGlobals } from './globals.ts';
import type {
  ExecutionInit,
  ModuleExports,
  ModuleLoader,
  QueryAnswer,
  RealmExecution,
  RealmHost,
  RealmLibrary,
} from './host.ts';

/** A copy made of this realm's objects; payload bytes are copied, so that they pin no message of the worker's. */
function adopt<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (common.isUint8Array(value)) return new Uint8Array(value) as T;
  if (Array.isArray(value)) return value.map(adopt) as T;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) copy[key] = adopt((value as Record<string, unknown>)[key]);
  return copy as T;
}

/** Plain objects: the bundle's own namespace objects answer through getters. */
const LIBRARY: Record<string, ModuleExports> = {
  workflow: { __esModule: true, ...workflow },
  common: { __esModule: true, ...common },
};

/** Length from which texts are converted by the host: a second would not do for 50 MB of them in the realm. */
const HOST_CODEC_FROM = 4096;

function requireLibrary(name: string): ModuleExports {
  const exports = LIBRARY[name];
  if (exports === undefined) throw new Error(`The workflow bundle asks for '${name}', which this SDK does not have`);
  return exports;
}

function isConverter<T>(value: unknown, method: keyof T & string): value is T {
  return common.isRecord(value) && typeof value[method] === 'function';
}

const optionalTime = (ms: number | undefined): Date | undefined => (ms ? new Date(ms) : undefined);

function workflowInfoOf(init: ExecutionInit, host: RealmHost, payloadConverter: common.PayloadConverter): WorkflowInfo {
  const { started, namespace, workflowId, runId } = init;
  const { parentWorkflowExecution: parent, rootWorkflowExecution: root } = started;
  const fields = started.memo?.fields;
  const indexedFields = started.searchAttributes?.indexedFields;
  const lastResult = started.lastCompletionResult?.payloads;
  return {
    workflowId,
    runId,
    workflowType: started.workflowType.name,
    searchAttributes: common.decodeSearchAttributes(indexedFields),
    typedSearchAttributes: common.decodeTypedSearchAttributes(indexedFields),
    memo: common.mapFromPayloads(payloadConverter, fields ?? {}),
    parent:
      parent === undefined
        ? undefined
        : {
            workflowId: parent.workflowId ?? '',
            runId: parent.runId ?? '',
            namespace: started.parentWorkflowNamespace ?? namespace,
          },
    root:
      root?.workflowId === undefined || root.workflowId === workflowId
        ? undefined
        : { workflowId: root.workflowId, runId: root.runId ?? '' },
    lastResult: lastResult === undefined ? undefined : common.fromPayloadsAtIndex(payloadConverter, 0, lastResult),
    historyLength: 0,
    historySize: 0,
    continueAsNewSuggested: false,
    suggestedContinueAsNewReasons: undefined,
    targetWorkerDeploymentVersionChanged: false,
    currentBuildId: undefined,
    currentDeploymentVersion: undefined,
    taskQueue: init.taskQueue,
    namespace,
    firstExecutionRunId: started.firstExecutionRunId ?? runId,
    originalExecutionRunId: started.originalExecutionRunId ?? runId,
    continuedFromExecutionRunId: started.continuedExecutionRunId || undefined,
    startTime: new Date(init.startTime),
    runStartTime: new Date(init.startTime),
    executionTimeoutMs: started.workflowExecutionTimeout || undefined,
    executionExpirationTime: optionalTime(started.workflowExecutionExpirationTime),
    // The server always tells a continued run its run timeout: 0 for none.
    runTimeoutMs: started.workflowRunTimeout || (started.continuedExecutionRunId ? 0 : undefined),
    taskTimeoutMs: started.workflowTaskTimeout ?? 0,
    retryPolicy: common.decompileRetryPolicy(started.retryPolicy),
    attempt: started.attempt ?? 1,
    cronSchedule: started.cronSchedule || undefined,
    cronScheduleToScheduleInterval: started.firstWorkflowTaskBackoff || undefined,
    priority: common.decodePriority(started.priority),
    unsafe: unsafeInfo(host),
  };
}

function unsafeInfo(host: RealmHost): UnsafeWorkflowInfo {
  const random = (): number => {
    const bytes = new Uint8Array(4);
    host.fillRandom(bytes);
    return new DataView(bytes.buffer).getUint32(0) / 0x1_0000_0000;
  };
  const fillRandom = (bytes: Uint8Array): Uint8Array => {
    host.fillRandom(bytes);
    return bytes;
  };
  return {
    now: () => host.clock(),
    isReplaying: false,
    isReplayingHistoryEvents: false,
    random: { random, uuid4: () => randomUuid(random), fillRandom },
  };
}

/** @throws TypeError for a module whose `interceptors` is no function, and whatever the function throws. */
function addInterceptors(activator: Activator, modules: readonly ModuleExports[]): void {
  for (const { interceptors: factory } of modules) {
    if (factory === undefined) continue;
    if (typeof factory !== 'function') {
      throw new TypeError(`An interceptor module must export a function as interceptors, got ${typeof factory}`);
    }
    const { inbound = [], outbound = [], internals = [] } = (factory as workflow.WorkflowInterceptorsFactory)();
    activator.inbound = [...activator.inbound, ...inbound];
    activator.outbound = [...activator.outbound, ...outbound];
    activator.internals = [...activator.internals, ...internals];
  }
}

/** Converts with what the bundle brings along, once that is loaded: its modules may ask for workflowInfo() before. */
class OwnConverters implements common.PayloadConverter, common.FailureConverter {
  payload: common.PayloadConverter = common.defaultPayloadConverter;
  failure: common.FailureConverter = common.defaultFailureConverter;

  toPayload<T>(value: T): Payload {
    return this.payload.toPayload(value);
  }

  fromPayload<T>(payload: Payload): T {
    return this.payload.fromPayload(payload);
  }

  errorToFailure(error: unknown): common.ProtoFailure {
    return this.failure.errorToFailure(error, this.payload);
  }

  failureToError(failure: common.ProtoFailure): Error {
    return this.failure.failureToError(failure, this.payload);
  }
}

/** A class, not an object of functions: there are as many as executions are warm (docs/decisions/0089). */
class Execution implements RealmExecution {
  readonly #init: ExecutionInit;
  readonly #load: ModuleLoader;
  readonly #host: RealmHost;
  readonly #converters = new OwnConverters();
  readonly #activator: Activator;
  #exports: ModuleExports | undefined;
  #begun = false;

  constructor(init: ExecutionInit, load: ModuleLoader, host: RealmHost) {
    this.#init = init;
    this.#load = load;
    this.#host = host;
    this.#activator = new Activator({
      info: workflowInfoOf(init, host, this.#converters),
      sdkVersion: init.sdkVersion,
      randomSeed: init.started.originalExecutionRunId ?? init.runId,
      payloadConverter: this.#converters,
      failureConverter: this.#converters,
      mapStack: (stack) => host.mapStack(stack),
      failureErrorTypes: init.failureErrorTypes,
      runsActivity: (type) => host.runsActivity(type),
      activatesPatch: (info, patchId) => host.activatesPatch(info, patchId),
    });
  }

  get completed(): boolean {
    return this.#activator.completed;
  }

  get versioningBehavior(): RealmExecution['versioningBehavior'] {
    return this.#activator.versioningBehavior;
  }

  get disposes(): boolean {
    return this.#activator.internals.some(({ dispose }) => dispose !== undefined);
  }

  load(): void {
    const { workflows, converters, interceptorModules } = this.#load(requireLibrary);
    this.#exports = workflows;
    const { payloadConverter, failureConverter } = converters;
    const activator = this.#activator;
    if (isConverter<common.PayloadConverter>(payloadConverter, 'toPayload')) {
      this.#converters.payload = payloadConverter;
      const { memo, lastResult } = workflowInfoOf(this.#init, this.#host, payloadConverter);
      activator.info = { ...activator.info, memo, lastResult };
    }
    if (isConverter<common.FailureConverter>(failureConverter, 'errorToFailure')) {
      this.#converters.failure = failureConverter;
    }
    addInterceptors(activator, interceptorModules);
  }

  activate(activation: Activation): void {
    const activator = this.#activator;
    const own = adopt(activation);
    if (this.#begun) {
      activator.activate(own, undefined);
      return;
    }
    this.#begun = true;
    const { started } = this.#init;
    const workflow = this.#workflowFunction();
    if (started.continuedFailure !== undefined) {
      activator.info = { ...activator.info, lastFailure: activator.failureToError(started.continuedFailure) };
    }
    activator.activate(own, { workflow, input: started.input, header: started.header });
  }

  hasConditions(): boolean {
    return this.#activator.blockedConditions.size > 0;
  }

  tryUnblockConditions(): number {
    return this.#activator.tryUnblockConditions();
  }

  conclude(): void {
    this.#activator.conclude();
  }

  query(queryId: string, name: string, input: Payloads | undefined, header: Header | undefined): () => QueryAnswer {
    const activator = this.#activator;
    const take = activator.query(queryId, name, adopt(input), adopt(header));
    return () => {
      try {
        return { ok: true, payload: take() };
      } catch (error) {
        const failure = activator.errorToFailure(error);
        return { ok: false, failure, message: common.errorMessage(error) ?? String(error) };
      }
    };
  }

  takeIntents(): Activator['intents'] {
    const { intents } = this.#activator;
    this.#activator.intents = [];
    return intents;
  }

  takeSinkCalls(): Activator['sinkCalls'] {
    const { sinkCalls } = this.#activator;
    this.#activator.sinkCalls = [];
    return sinkCalls;
  }

  takeUsedFlags(): Activator['usedFlags'] {
    const { usedFlags } = this.#activator;
    this.#activator.usedFlags = [];
    return usedFlags;
  }

  taskFailure(): common.ProtoFailure | undefined {
    const { taskFailure } = this.#activator;
    return taskFailure === undefined ? undefined : this.#activator.errorToFailure(taskFailure.error);
  }

  toFailure(error: unknown): common.ProtoFailure {
    return this.#activator.errorToFailure(error);
  }

  enter(): void {
    setCurrentActivator(this.#activator);
  }

  dispose(): void {
    composeInterceptors(this.#activator.internals, 'dispose', () => undefined)({});
  }

  #workflowFunction(): common.Workflow {
    const { name } = this.#init.started.workflowType;
    const exports = this.#exports;
    const named = exports !== undefined && Object.hasOwn(exports, name);
    const fn = named ? exports[name] : exports?.default;
    if (typeof fn !== 'function') {
      throw new TypeError(
        named
          ? `Failed to initialize workflow of type '${name}': expected workflow parameter to be a function, got ${typeof fn}`
          : `Failed to initialize workflow of type '${name}': no such function is exported by the workflow bundle${exported(exports)}`,
      );
    }
    // Exported by the user under the type's name: what it takes and gives is the user's affair.
    return fn as common.Workflow;
  }
}

/** Of a bundle's functions so many are named to who asked for another one. */
const MAX_NAMES = 20;

/** What there is instead: mostly the name that was meant. */
function exported(exports: ModuleExports | undefined): string {
  const names = Object.keys(exports ?? {}).filter((name) => typeof exports?.[name] === 'function');
  if (names.length === 0) return '';
  const more = names.length > MAX_NAMES ? `, and ${names.length - MAX_NAMES} more` : '';
  return `, only ${names.slice(0, MAX_NAMES).join(', ')}${more}`;
}

/** Prepares the realm; called once by the engine. */
export function prepareRealm(host: RealmHost): RealmLibrary {
  const encode = (text: string): Uint8Array => {
    const room = new Uint8Array(text.length * 3);
    return room.slice(0, host.encodeUtf8(text, room));
  };
  setHostCodec({ encode, decode: (bytes) => host.decodeUtf8(bytes, false, true) }, HOST_CODEC_FROM);
  installGlobals(host);
  setContextCarrier({
    run: (context, fn) => host.runInContext(context, fn),
    // Only contexts are ever put there.
    current: () => host.currentContext() as AsyncContext | undefined,
  });
  const library: RealmLibrary = {
    createExecution: (init, load) => new Execution(adopt(init), load, host),
    leave: () => setCurrentActivator(undefined),
  };
  freezeRealm([LIBRARY, workflow, common, Activator, Execution, OwnConverters], () => host.globalDefined());
  return library;
}
