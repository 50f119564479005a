// The deterministic realm: one vm context with its own microtask queue, its intrinsics frozen, and the bundle compiled once.
// Each execution instantiates the user's modules by calling a function. Owns the only Node APIs of the runtime.
//
// The context's queue (`afterEvaluate`) makes an activation synchronous: code is called directly, its microtasks wait until `drain`
// evaluates an empty script. No promise of the host may be awaited inside, and none of the realm's outside.

import { randomFillSync } from 'node:crypto';
import { promiseHooks } from 'node:v8';
import { createContext, Script } from 'node:vm';
import type { ActivatesPatch } from '../../workflow/patches.ts';
import { BUNDLE_LINE_OFFSET } from './bundle-format.ts';
import type {
  ExecutionInit,
  ModuleExports,
  ModuleLoader,
  RealmExecution,
  RealmHost,
  RealmLibrary,
  WorkflowConverters,
  WorkflowModules,
} from './realm/host.ts';
import { SourceMap, StackMapper } from './source-map.ts';

/** Name of the bundle in stacks. */
const BUNDLE_FILE = 'workflow-bundle.js';

/** The activity that takes what has no function of its own. */
const DEFAULT_ACTIVITY = 'default';

interface BundleParts {
  parameters: string[];
  workflows(
    ...intrinsics: unknown[]
  ): (
    module: { exports: ModuleExports },
    exports: ModuleExports,
    require: (name: string) => never,
    shared: (name: string) => ModuleExports,
    publish: (
      workflows: ModuleExports,
      converters: WorkflowConverters,
      interceptorModules?: readonly ModuleExports[],
    ) => void,
  ) => void;
  sdk(...intrinsics: unknown[]): (module: { exports: ModuleExports }, exports: ModuleExports) => void;
}

/** Async context of the code (cancellation scope, event groups), carried by promise hooks: of the thread, installed when the first one is entered. */
const contexts = {
  key: Symbol('context'),
  current: undefined as unknown,
  installed: false,
};

function installContextHooks(): void {
  if (contexts.installed) return;
  contexts.installed = true;
  const { key } = contexts;
  // Promises have no such property of their own: the symbol is private to this module.
  const contextOf = (promise: Promise<unknown>): unknown => Reflect.get(promise, key);
  promiseHooks.createHook({
    init(promise) {
      if (contexts.current !== undefined) {
        Object.defineProperty(promise, key, { value: contexts.current, enumerable: false });
      }
    },
    before(promise) {
      contexts.current = contextOf(promise);
    },
    after() {
      contexts.current = undefined;
    },
  });
}

/** Texts of so many bytes, or UTF-16 units, take a while. */
const LARGE_TEXT = 1024 * 1024;

function createHost(
  stackMapper: StackMapper,
  globalDefined: () => void,
  converted: () => void,
  runsActivity: (type: string) => boolean,
  activatesPatch: ActivatesPatch,
): RealmHost {
  const encoder = new TextEncoder();
  const decoders = new Map<string, InstanceType<typeof TextDecoder>>();
  const decoder = (fatal: boolean, ignoreBOM: boolean): InstanceType<typeof TextDecoder> => {
    const key = `${fatal} ${ignoreBOM}`;
    const known = decoders.get(key) ?? new TextDecoder('utf-8', { fatal, ignoreBOM });
    decoders.set(key, known);
    return known;
  };
  return {
    runInContext(context, fn) {
      installContextHooks();
      const outer = contexts.current;
      contexts.current = context;
      try {
        return fn();
      } finally {
        contexts.current = outer;
      }
    },
    currentContext: () => contexts.current,
    encodeUtf8(text, into) {
      const { written } = encoder.encodeInto(text, into);
      if (text.length >= LARGE_TEXT) converted();
      return written;
    },
    decodeUtf8(bytes, fatal, ignoreBom) {
      const text = decoder(fatal, ignoreBom).decode(bytes);
      if (bytes.length >= LARGE_TEXT) converted();
      return text;
    },
    globalDefined,
    runsActivity,
    activatesPatch,
    clock: () => Date.now(),
    fillRandom: (into) => {
      randomFillSync(into);
    },
    mapStack: (stack) => stackMapper.map(stack),
  };
}

/** What an execution has added to the global object: restored while it runs, taken away while others do. */
type OwnGlobals = Map<PropertyKey, PropertyDescriptor>;

export class Realm {
  /** Name of the bundle in stacks. */
  readonly bundleFile = BUNDLE_FILE;
  readonly stackMapper: StackMapper;
  /** A large value was converted: what runs is not stuck. */
  onConverted: () => void = () => {};
  readonly #sandbox: object = Object.create(null);
  readonly #context;
  readonly #drainScript = new Script('0', { filename: 'drain.js' });
  readonly #globalObject: object;
  readonly #baseline: ReadonlySet<PropertyKey>;
  readonly #baselineSymbols: ReadonlySet<symbol>;
  /** Names that are enumerable, of the sandbox: of which the context has those that code gave to the global object. */
  readonly #enumerableNames: number;
  /** Names that are not enumerable may be there besides. */
  #defined = false;
  readonly #library: RealmLibrary;
  readonly #load: ModuleLoader;
  readonly #ownGlobals = new WeakMap<RealmExecution, OwnGlobals>();
  #running: RealmExecution | undefined;

  /**
   * @param activityTypes Of the activities that can run locally; undefined: all.
   * @param activatesPatch Undefined: every patch is.
   */
  constructor(
    bundle: { code: string; sourceMap: string },
    activityTypes?: readonly string[],
    activatesPatch: ActivatesPatch = () => true,
  ) {
    const known = activityTypes === undefined ? undefined : new Set(activityTypes);
    this.stackMapper = new StackMapper(BUNDLE_FILE, new SourceMap(bundle.sourceMap, BUNDLE_LINE_OFFSET));
    this.#context = createContext(this.#sandbox, {
      microtaskMode: 'afterEvaluate',
      codeGeneration: { strings: true, wasm: false },
      name: 'tenuto workflows',
    });
    this.#globalObject = this.#evaluate('globalThis') as object;
    // The script is made by our own bundler: this is its shape.
    const parts = new Script(bundle.code, { filename: BUNDLE_FILE }).runInContext(this.#context) as BundleParts;
    this.#library = this.#loadLibrary(
      parts,
      createHost(
        this.stackMapper,
        () => {
          this.#defined = true;
        },
        () => this.onConverted(),
        (type) => known === undefined || known.has(type) || known.has(DEFAULT_ACTIVITY),
        activatesPatch,
      ),
    );
    this.#load = this.#moduleLoader(parts);
    this.drain();
    this.#baseline = new Set(Reflect.ownKeys(this.#globalObject));
    this.#baselineSymbols = new Set(Object.getOwnPropertySymbols(this.#globalObject));
    this.#enumerableNames = Object.keys(this.#sandbox).length;
  }

  createExecution(init: ExecutionInit): RealmExecution {
    return this.#library.createExecution(init, this.#load);
  }

  /** Runs `fn` as `execution`: its globals in place, its context current. */
  run<T>(execution: RealmExecution, fn: () => T): T {
    this.#switchTo(execution);
    execution.enter();
    try {
      return fn();
    } finally {
      this.#library.leave();
    }
  }

  /** Runs the realm's microtasks until none is left. The execution they belong to must be running. */
  drain(): void {
    this.#drainScript.runInContext(this.#context);
  }

  #evaluate(code: string): unknown {
    return new Script(code, { filename: 'realm.js' }).runInContext(this.#context);
  }

  #intrinsics(parts: BundleParts): unknown[] {
    return parts.parameters.map((name) => Reflect.get(this.#globalObject, name));
  }

  #loadLibrary(parts: BundleParts, host: RealmHost): RealmLibrary {
    const module: { exports: ModuleExports } = { exports: {} };
    parts.sdk(...this.#intrinsics(parts))(module, module.exports);
    const { prepareRealm } = module.exports as { prepareRealm(host: RealmHost): RealmLibrary };
    return prepareRealm(host);
  }

  #moduleLoader(parts: BundleParts): ModuleLoader {
    // Prepared intrinsics: Date and others are the realm's own now.
    const instantiate = parts.workflows(...this.#intrinsics(parts));
    const newModule = this.#evaluate('() => ({ exports: {} })') as () => { exports: ModuleExports };
    const requireNothing = this.#evaluate(
      "(name) => { throw new Error('Cannot require ' + name + ' in a workflow: it was not bundled') }",
    ) as (name: string) => never;
    return (shared) => {
      const module = newModule();
      let modules: WorkflowModules | undefined;
      instantiate(module, module.exports, requireNothing, shared, (workflows, converters, interceptorModules = []) => {
        modules = { workflows, converters, interceptorModules };
      });
      if (modules === undefined) throw new TypeError('The workflow bundle exports nothing: make it with this SDK');
      return modules;
    };
  }

  #switchTo(next: RealmExecution): void {
    const last = this.#running;
    if (last === next) return;
    if (last !== undefined && this.#isDirty()) this.#ownGlobals.set(last, this.#takeGlobals());
    this.#running = next;
    const own = this.#ownGlobals.get(next);
    if (own === undefined) return;
    this.#defined = true;
    for (const [key, descriptor] of own) Reflect.defineProperty(this.#globalObject, key, descriptor);
  }

  /** Looked at whenever another execution runs. All names would be a list of some sixty each time; whoever defines hidden ones is noticed doing it. */
  #isDirty(): boolean {
    return (
      this.#defined ||
      Object.keys(this.#sandbox).length !== this.#enumerableNames ||
      Object.getOwnPropertySymbols(this.#globalObject).length !== this.#baselineSymbols.size
    );
  }

  #takeGlobals(): OwnGlobals {
    this.#defined = false;
    const own: OwnGlobals = new Map();
    for (const key of Reflect.ownKeys(this.#globalObject)) {
      const descriptor = this.#baseline.has(key)
        ? undefined
        : Reflect.getOwnPropertyDescriptor(this.#globalObject, key);
      if (descriptor === undefined) continue;
      own.set(key, descriptor);
      Reflect.deleteProperty(this.#globalObject, key);
    }
    return own;
  }
}
