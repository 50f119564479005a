// The realm's globals, replaced or taken away so that workflow code cannot see the machine: clock, chance, timers, console, garbage
// collection, shared memory. They ask the running execution; outside one they throw.

import { makeLogger } from '../../../common/logger.ts';
import { LOGGER_SINK } from '../../../workflow/activation.ts';
import { CancellationScope } from '../../../workflow/cancellation-scope.ts';
import { assertInWorkflowContext, currentActivator } from '../../../workflow/context.ts';
import { DeterminismViolationError } from '../../../workflow/errors.ts';
import { currentRandom } from '../../../workflow/random-streams.ts';
import { startTimer } from '../../../workflow/timer.ts';
import type { RealmHost } from './host.ts';

type Globals = Record<string, unknown>;

/** Frames kept in a stack: enough to get from the SDK's through a few helpers to the workflow's own. */
const STACK_TRACE_LIMIT = 20;

/** Not there at all: no deterministic meaning. */
const REMOVED = ['SharedArrayBuffer', 'Atomics', 'WebAssembly'];

/** What the last match left behind on the shared `RegExp`. */
const REGEXP_STATICS = ['input', 'lastMatch', 'lastParen', 'leftContext', 'rightContext', '$_', '$&', '$+', '$`', "$'"];

const now = (): number => assertInWorkflowContext('Date').now;

/** `Date`, whose present is the workflow task's start. */
function deterministicDate(): unknown {
  const OriginalDate = Date;
  function WorkflowDate(this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return new OriginalDate(now()).toString();
    return Reflect.construct(OriginalDate, args.length === 0 ? [now()] : args, new.target);
  }
  WorkflowDate.now = now;
  WorkflowDate.parse = OriginalDate.parse;
  WorkflowDate.UTC = OriginalDate.UTC;
  Object.defineProperty(WorkflowDate, 'name', { value: 'Date' });
  Object.defineProperty(WorkflowDate, 'length', { value: 7 });
  Object.defineProperty(WorkflowDate, 'prototype', { value: OriginalDate.prototype, writable: false });
  Object.defineProperty(OriginalDate.prototype, 'constructor', { value: WorkflowDate });
  return WorkflowDate;
}

/** A class that cannot be instantiated: when garbage is collected differs from run to run. */
function nonDeterministic(name: string): unknown {
  const refuse = function refuse(): never {
    throw new DeterminismViolationError(
      `${name} cannot be used in workflows because garbage collection is not deterministic`,
    );
  };
  Object.defineProperty(refuse, 'name', { value: name });
  return refuse;
}

/** `setTimeout` as a durable timer in the current scope. */
function setTimeoutInWorkflow(callback: (...args: unknown[]) => unknown, ms?: number, ...args: unknown[]): number {
  const activator = assertInWorkflowContext('setTimeout()');
  const seq = activator.takeSeq('timer');
  startTimer(activator, CancellationScope.current(), Math.max(1, Number(ms) || 1), undefined, seq).then(
    () => {
      callback(...args);
    },
    () => undefined,
  );
  return seq;
}

function clearTimeoutInWorkflow(handle: unknown): void {
  const activator = assertInWorkflowContext('clearTimeout()');
  if (typeof handle !== 'number' || !activator.timers.delete(handle)) return;
  activator.push({ kind: 'cancelTimer', seq: handle, site: new Error() });
}

function textCodecs(host: RealmHost): Globals {
  class TextEncoder {
    get encoding(): string {
      return 'utf-8';
    }
    encode(text = ''): Uint8Array {
      const input = String(text);
      const buffer = new Uint8Array(input.length * 3);
      return buffer.slice(0, host.encodeUtf8(input, buffer));
    }
  }
  class TextDecoder {
    readonly fatal: boolean;
    readonly ignoreBOM: boolean;
    constructor(label = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
      if (!/^utf-?8$/i.test(label)) throw new RangeError(`The workflow realm decodes utf-8 only, not '${label}'`);
      this.fatal = options.fatal ?? false;
      this.ignoreBOM = options.ignoreBOM ?? false;
    }
    get encoding(): string {
      return 'utf-8';
    }
    decode(bytes: Uint8Array = new Uint8Array()): string {
      return host.decodeUtf8(bytes, this.fatal, this.ignoreBOM);
    }
  }
  return { TextEncoder, TextDecoder };
}

/** `console` writes to the workflow's log. */
function workflowConsole(): unknown {
  const write = makeLogger((level, message) => {
    const activator = currentActivator();
    activator?.sinkCalls.push({
      iface: LOGGER_SINK,
      fn: level.toLowerCase(),
      args: [message, { sdkComponent: 'workflow' }],
      replaying: activator.info.unsafe.isReplaying,
    });
  });
  const join = (parts: unknown[]): string =>
    parts.map((part) => (typeof part === 'string' ? part : inspect(part))).join(' ');
  return {
    log: (...parts: unknown[]) => write.info(join(parts)),
    info: (...parts: unknown[]) => write.info(join(parts)),
    debug: (...parts: unknown[]) => write.debug(join(parts)),
    trace: (...parts: unknown[]) => write.trace(join(parts)),
    warn: (...parts: unknown[]) => write.warn(join(parts)),
    error: (...parts: unknown[]) => write.error(join(parts)),
  };
}

function inspect(value: unknown): string {
  if (value instanceof Error) return value.stack ?? `${value.name}: ${value.message}`;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/** Installs the deterministic globals. Run once, before anything else of the realm. */
export function installGlobals(host: RealmHost): void {
  Math.random = () => currentRandom('Math.random()')();
  const replaced: Globals = {
    Date: deterministicDate(),
    WeakRef: nonDeterministic('WeakRef'),
    FinalizationRegistry: nonDeterministic('FinalizationRegistry'),
    setTimeout: setTimeoutInWorkflow,
    clearTimeout: clearTimeoutInWorkflow,
    queueMicrotask: (callback: () => void) => {
      Promise.resolve().then(callback);
    },
    console: workflowConsole(),
    ...textCodecs(host),
  };
  for (const [name, value] of Object.entries(replaced)) {
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
  }
  for (const name of REMOVED) Reflect.deleteProperty(globalThis, name);
  for (const name of REGEXP_STATICS) Reflect.deleteProperty(RegExp, name);
  for (let group = 1; group <= 9; group++) Reflect.deleteProperty(RegExp, `$${group}`);
  Error.stackTraceLimit = STACK_TRACE_LIMIT;
}
