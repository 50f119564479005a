// Bundles workflow code with esbuild into one script with two parts: `workflows`, a factory that evaluates a fresh instance of the
// user's modules, and `sdk`, the library that all executions of a realm share. What cannot be replayed (Node's modules, the rest of
// the SDK) is refused while bundling, naming the file that imports it.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BuildOptions,
  type BuildResult,
  build,
  context,
  type OnResolveArgs,
  type OnResolveResult,
  type Plugin,
} from 'esbuild';
import { ValueError } from '../../common/errors.ts';
import * as commonLibrary from '../../common/index.ts';
import type { Logger } from '../../common/logger.ts';
import { isRecord } from '../../common/type-helpers.ts';
import * as workflowLibrary from '../../workflow/index.ts';
import { canDoWithout } from './doing-without.ts';
import type { WorkflowConverters } from './realm/host.ts';

/** Paths or `file:` URLs. */
export type WorkflowsPath = string | URL | readonly (string | URL)[];

export interface WorkflowBundleOptions {
  /** File or directory (its index) that exports the workflow functions; or several, whose exports are taken together. */
  workflowsPath: WorkflowsPath;
  /** Modules that only code outside the workflow's path uses: imported as empty objects. Names or their prefixes before a `/`. */
  ignoreModules?: string[] | undefined;
  /** Module with a named export `payloadConverter`. */
  payloadConverterPath?: string | undefined;
  /** Module with a named export `failureConverter`. */
  failureConverterPath?: string | undefined;
  /** Modules that export `interceptors`, called once per execution: paths, `file:` URLs, or names as the workflows would import them. */
  workflowInterceptorModules?: readonly (string | URL)[] | undefined;
  /** Taken and of no effect: nothing is said while it bundles; what is wrong is thrown. */
  logger?: Logger | undefined;
  /** Taken and of no effect: modules are loaded for each execution, from code that is compiled once. */
  preloadModules?: string[] | undefined;
  /** Refused: esbuild bundles. `ignoreModules` and the files' own imports say what a configuration of webpack would. */
  webpackConfigHook?: undefined | ((config: never) => unknown);
  /** Change these options, from first to last. */
  plugins?: readonly BundlerPlugin[] | undefined;
}

export interface BundlerPlugin {
  readonly name: string;
  /** Called when workflows are bundled, by `bundleWorkflowCode` or for a worker that has it among its plugins. */
  configureBundler?(options: WorkflowBundleOptions): WorkflowBundleOptions;
}

export interface WorkflowBundle {
  code: string;
  /** JSON of the map of the workflow part. */
  sourceMap: string;
}

/** Thrown when workflow code cannot be bundled; the message lists each problem with its file and line. */
export class WorkflowBundleError extends Error {
  override readonly name = 'WorkflowBundleError';
}

/** Intrinsics handed to both parts as parameters: reading a global of a vm context costs 50 times as much. */
const PARAMETERS = [
  ...[
    'Object',
    'Function',
    'Array',
    'Number',
    'Boolean',
    'String',
    'Symbol',
    'BigInt',
    'Math',
    'JSON',
    'Reflect',
    'Proxy',
  ],
  ...[
    'Date',
    'RegExp',
    'Promise',
    'Map',
    'Set',
    'WeakMap',
    'WeakSet',
    'Intl',
    'parseInt',
    'parseFloat',
    'isNaN',
    'isFinite',
  ],
  ...['Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError', 'AggregateError', 'URIError', 'EvalError'],
  ...['ArrayBuffer', 'DataView', 'Uint8Array', 'Int8Array', 'Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array'],
  ...['Float32Array', 'Float64Array', 'Uint8ClampedArray', 'BigInt64Array', 'BigUint64Array'],
  ...['encodeURIComponent', 'decodeURIComponent', 'encodeURI', 'decodeURI'],
];

const here = dirname(fileURLToPath(import.meta.url));
/** '.ts' when the SDK runs from its sources, '.js' when it was built. */
const EXTENSION = extname(fileURLToPath(import.meta.url));
const sdkFile = (path: string): string => resolve(here, '../..', `${path}${EXTENSION}`);

/** Modules of this package that workflow code shares with all executions, by file. */
const SHARED = new Map([
  [sdkFile('workflow/index'), 'workflow'],
  [sdkFile('common/index'), 'common'],
]);
const SHARED_NAMES = new Map([
  ['tenuto/workflow', 'workflow'],
  ['tenuto/common', 'common'],
]);
/** Other parts that workflow code may import: of this copy of the package, whichever the workflows would find. */
const OWN_FILES = new Map(
  ['common/encoding', 'common/protobufs', 'opentelemetry/workflow'].map((name) => [`tenuto/${name}`, sdkFile(name)]),
);
/** Parts of this package that must not get into workflow code. */
const FORBIDDEN_PACKAGES = ['activity', 'client', 'envconfig', 'nexus', 'worker', 'testing', 'server'].map(
  (name) => `tenuto/${name}`,
);
const FORBIDDEN_DIRECTORIES = ['activity', 'client', 'envconfig', 'nexus', 'worker', 'testing'].map((name) =>
  resolve(here, '../..', name),
);
const BUILTINS = new Set(builtinModules);

const common: BuildOptions = {
  bundle: true,
  write: false,
  format: 'cjs',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['workflow', 'module', 'import', 'require'],
  target: 'es2022',
  keepNames: true,
  logLevel: 'silent',
  legalComments: 'none',
};

function isIgnored(specifier: string, ignored: readonly string[]): boolean {
  const name = specifier.replace(/^node:/, '');
  return ignored.some((entry) => {
    const wanted = entry.replace(/^node:/, '');
    return name === wanted || name.startsWith(`${wanted}/`);
  });
}

function whyForbidden(specifier: string): string | undefined {
  const bare = specifier.replace(/^node:/, '');
  if (specifier.startsWith('node:') || BUILTINS.has(bare) || BUILTINS.has(bare.split('/')[0] ?? '')) {
    return `Node's module '${specifier}' is not deterministic`;
  }
  if (FORBIDDEN_PACKAGES.some((name) => specifier === name || specifier.startsWith(`${name}/`))) {
    return `'${specifier}' is not for workflow code`;
  }
  return undefined;
}

/** The shared library as esbuild sees it: in the form the importer asks for, because converting copies all exports each time. */
function resolveShared(args: OnResolveArgs, name: string) {
  return { path: name, namespace: args.kind === 'require-call' ? 'tenuto-shared-commonjs' : 'tenuto-shared' };
}

function sharedAsModule(name: string): string {
  const names = Object.keys(name === 'workflow' ? workflowLibrary : commonLibrary).join(', ');
  return `export const { ${names} } = __tenuto_require(${JSON.stringify(name)});`;
}

/**
 * What the plugin is asked about. Asking costs more than all else of a build, and a module of the user's own beside another one, whose path has no
 * name in it that a part of this package has, cannot be anything that matters here.
 */
function watchedImports(ignored: readonly string[]): RegExp {
  if (ignored.some((name) => name.startsWith('.'))) return /.*/;
  return /^[^.]|workflow|common|activity|client|envconfig|nexus|worker|testing|server/;
}

/**
 * Resolves the SDK to the shared library, refuses what workflows may not import, empties what is ignored.
 *
 * @param known Where imports lead: kept from one build to the next, because finding that out is most of a build.
 */
function workflowPlugin(ignored: readonly string[], known?: Map<string, OnResolveResult>): Plugin {
  const refuse = (args: OnResolveArgs, why: string) => ({
    errors: [
      {
        text:
          `${relative(process.cwd(), args.importer)} imports '${args.path}', but ${why} and cannot be used in workflows. ` +
          'Move that code to an activity, import only its types (import type), or, if it never runs in a workflow, add the ' +
          "module to the worker's bundlerOptions.ignoreModules",
      },
    ],
  });
  return {
    name: 'tenuto-workflow',
    setup(builder) {
      builder.onResolve({ filter: watchedImports(ignored) }, async (args) => {
        if (args.kind === 'entry-point' || isRecord(args.pluginData)) return undefined;
        const shared = SHARED_NAMES.get(args.path);
        if (shared !== undefined) return resolveShared(args, shared);
        const own = OWN_FILES.get(args.path);
        if (own !== undefined) return { path: own };
        if (isIgnored(args.path, ignored) || canDoWithout(args.importer, args.path))
          return { path: args.path, namespace: 'tenuto-ignored' };
        const why = whyForbidden(args.path);
        if (why !== undefined) return refuse(args, why);
        const key = `${args.kind} ${args.resolveDir} ${args.path}`;
        const before = known?.get(key);
        if (before !== undefined) return before;
        const found = await builder.resolve(args.path, {
          kind: args.kind,
          importer: args.importer,
          resolveDir: args.resolveDir,
          pluginData: { resolving: true },
        });
        if (found.errors.length > 0) return { errors: found.errors };
        const sharedFile = SHARED.get(found.path);
        if (sharedFile !== undefined) return resolveShared(args, sharedFile);
        if (FORBIDDEN_DIRECTORIES.some((directory) => found.path.startsWith(`${directory}/`))) {
          return refuse(args, `'${args.path}' is not for workflow code`);
        }
        known?.set(key, found);
        return found;
      });
      builder.onLoad({ filter: /.*/, namespace: 'tenuto-shared' }, ({ path }) => ({ contents: sharedAsModule(path) }));
      builder.onLoad({ filter: /.*/, namespace: 'tenuto-shared-commonjs' }, ({ path }) => ({
        contents: `module.exports = __tenuto_require(${JSON.stringify(path)});`,
      }));
      builder.onLoad({ filter: /.*/, namespace: 'tenuto-ignored' }, () => ({ contents: 'module.exports = {};' }));
    },
  };
}

/**
 * A path, relative or absolute, a `file:` URL, or its text. `workflows.js` also finds `workflows.ts` beside it: what a program run from its
 * sources imports under that name.
 *
 * @throws WorkflowBundleError when neither a file nor a directory with an index is there.
 */
function entryFile(given: string | URL): string {
  const path = given instanceof URL || given.startsWith('file:') ? fileURLToPath(given) : given;
  const absolute = isAbsolute(path) ? path : resolve(path);
  const extensions = ['.ts', '.js', '.mts', '.mjs', '.cts', '.cjs', '.tsx', '.jsx'];
  const directory = existsSync(absolute) && statSync(absolute).isDirectory();
  const candidates = directory
    ? extensions.map((extension) => join(absolute, `index${extension}`))
    : [
        absolute,
        ...extensions.map((extension) => `${absolute}${extension}`),
        absolute.replace(/\.([cm]?)js$/, '.$1ts'),
      ];
  const found = candidates.find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
  if (found === undefined) {
    throw new WorkflowBundleError(`workflowsPath '${path}' is neither a file nor a directory with an index file`);
  }
  return found;
}

/** Paths as files, everything else as the workflows would import it. */
function moduleFile(module: string | URL): string {
  if (module instanceof URL || module.startsWith('file:')) return fileURLToPath(module);
  return module.startsWith('.') ? resolve(module) : module;
}

/**
 * Two modules with workflows of one name would hide one of them. What CommonJS exports is known only when it runs: there the later wins.
 *
 * @throws WorkflowBundleError naming the workflow and both files.
 */
async function refuseClashes(entries: readonly string[], plugin: Plugin): Promise<void> {
  const { metafile } = await build({
    ...common,
    entryPoints: [...entries],
    outdir: '.',
    format: 'esm',
    metafile: true,
    write: false,
    plugins: [plugin],
  }).catch(rejected);
  const fileOf = new Map<string, string>();
  for (const { entryPoint = '', exports } of Object.values(metafile.outputs)) {
    if (metafile.inputs[entryPoint]?.format === 'cjs') continue;
    for (const name of exports) {
      const other = fileOf.get(name);
      if (other !== undefined) {
        throw new WorkflowBundleError(
          `Cannot bundle workflow code: '${name}' is exported by ${other} and by ${entryPoint}; rename one of them`,
        );
      }
      fileOf.set(name, entryPoint);
    }
  }
}

interface BuiltPart {
  code: string;
  map: string;
  /** Paths of the CommonJS modules in it. */
  commonJs: string[];
  /** Paths of all modules in it, absolute. */
  files: string[];
}

function buildPart(options: BuildOptions): Promise<BuiltPart> {
  const { absWorkingDir } = options;
  return build({ ...common, ...options, write: false, metafile: true }).then(
    (result) => builtPart(result, absWorkingDir),
    rejected,
  );
}

/** @param directory that the paths of `result` are relative to. */
function builtPart(result: BuildResult, directory = '.'): BuiltPart {
  // What the plugin made up is no file.
  const inputs = Object.entries(result.metafile?.inputs ?? {}).filter(([path]) => !path.startsWith('tenuto-'));
  const commonJs = inputs.filter(([, { format }]) => format === 'cjs').map(([path]) => resolve(directory, path));
  const outputs = result.outputFiles ?? [];
  const text = (ending: string): string => outputs.find(({ path }) => path.endsWith(ending))?.text ?? '';
  return { code: text('.js'), map: text('.map'), commonJs, files: inputs.map(([path]) => resolve(directory, path)) };
}

function rejected(error: unknown): never {
  throw bundleError(error);
}

function bundleError(error: unknown): unknown {
  if (!isRecord(error) || !Array.isArray(error.errors)) return error;
  const problems = error.errors.filter(isRecord).map(({ text, location }) => {
    const place = isRecord(location) ? ` (${String(location.file)}:${String(location.line)})` : '';
    return `${String(text)}${place}`;
  });
  return new WorkflowBundleError(`Cannot bundle workflow code:\n  ${problems.join('\n  ')}`);
}

/** The library part does not depend on the user's code: built once per process. */
let libraryPart: Promise<BuiltPart> | undefined;

function buildLibrary(): Promise<BuiltPart> {
  libraryPart ??= buildPart({
    entryPoints: [join(here, `realm/entry${EXTENSION}`)],
    outfile: 'library.js',
    keepNames: false,
    absWorkingDir: here,
  }).then((built) => ({ ...built, code: withClassNames(built.code) }));
  return libraryPart;
}

/**
 * A class that mentions itself is renamed (`var A = class _A`), one that has the name of another module's, too (`var A2 = class`, `exports.A = A2`), and
 * code may show `error.constructor.name`. `keepNames` would mend it, and call its helper with each inner function of each execution; this costs
 * nothing but once. Lines stay.
 */
function withClassNames(code: string): string {
  const exported = new Map([...code.matchAll(/^ *exports\.(\w+) = (\w+);$/gm)].map(([, name, local]) => [local, name]));
  return code.replace(/^ *var (\w+) = class\b( _\1\b)?[^{]*\{$/gm, (line: string, local: string, self?: string) => {
    const name = exported.get(local) ?? local;
    if (self === undefined && name === local) return line;
    return `${line} static { Object.defineProperty(this, "name", { value: "${name}", configurable: true }); }`;
  });
}

/**
 * `keepNames` calls a helper for every function, also where bundling changed nothing: those calls cost each execution more than
 * all else, so they go. Lines stay, for the source map.
 */
function withoutNeedlessNames(code: string): string {
  return code.replace(/^ *__name\((\w+), "\1"\);$/gm, '');
}

/**
 * Modules are strict by definition, and so is most CommonJS. A single file that does not say so makes the whole bundle sloppy: it may
 * rely on it, while strict code rarely relies on being strict.
 */
function directive(commonJs: readonly string[]): string {
  const strict = /^\s*(?:\/\*[\s\S]*?\*\/\s*|\/\/.*\s*|#!.*\s*)*['"]use strict['"]/;
  return commonJs.every((path) => strict.test(readFileSync(path, 'utf8'))) ? "'use strict';" : '';
}

/** A function of the intrinsics; what the body declares cannot clash with them. */
function part(name: string, parameters: string, built: BuiltPart): string {
  const head = `${name}: function (${PARAMETERS.join(', ')}) { return function (${parameters}) { ${directive(built.commonJs)}`;
  return `${head}\n${built.code}\n}; }`;
}

/** What esbuild makes the workflow part of. Throws WorkflowBundleError for what can be told before. */
async function workflowPart(
  options: WorkflowBundleOptions,
  known?: Map<string, OnResolveResult>,
): Promise<BuildOptions> {
  if (options.webpackConfigHook !== undefined) {
    throw new ValueError(
      'webpackConfigHook cannot be called: workflows are bundled by esbuild; leave it out, ignoreModules leaves modules out',
    );
  }
  const { workflowsPath } = options;
  const entries = (Array.isArray(workflowsPath) ? workflowsPath : [workflowsPath]).map(entryFile);
  const [entry] = entries;
  if (entry === undefined) throw new WorkflowBundleError('workflowsPath names no module');
  const converterNames: string[] = [];
  const converter = (path: string | undefined, name: keyof WorkflowConverters): string => {
    if (path === undefined) return '';
    converterNames.push(name);
    return `import { ${name} } from ${JSON.stringify(resolve(path))};\n`;
  };
  // Calling `__tenuto_export` spares the conversion of all exports to CommonJS, which would cost more than the rest.
  const interceptorModules = options.workflowInterceptorModules ?? [];
  const plugin = workflowPlugin(options.ignoreModules ?? [], known);
  if (entries.length > 1) await refuseClashes(entries, plugin);
  const all = entries.map((_, i) => `workflows${i}`);
  const exported = all.length === 1 ? all[0] : `Object.assign({}, ${all.join(', ')})`;
  const contents =
    entries.map((path, i) => `import * as workflows${i} from ${JSON.stringify(path)};\n`).join('') +
    interceptorModules
      .map((module, i) => `import * as interceptors${i} from ${JSON.stringify(moduleFile(module))};\n`)
      .join('') +
    converter(options.payloadConverterPath, 'payloadConverter') +
    converter(options.failureConverterPath, 'failureConverter') +
    `__tenuto_export(${exported}, { ${converterNames.join(', ')} }, ` +
    `[${interceptorModules.map((_, i) => `interceptors${i}`).join(', ')}]);\n`;
  return {
    stdin: { contents, resolveDir: dirname(entry), sourcefile: 'tenuto-entry.js', loader: 'js' },
    outfile: 'workflows.js',
    sourcemap: 'external',
    sourcesContent: false,
    plugins: [plugin],
  };
}

function assembled(workflows: BuiltPart, library: BuiltPart): WorkflowBundle {
  // The workflow part begins on the second line: BUNDLE_LINE_OFFSET.
  const named = { ...workflows, code: withoutNeedlessNames(workflows.code) };
  const code = `({ ${part('workflows', 'module, exports, require, __tenuto_require, __tenuto_export', named)},
${part('sdk', 'module, exports', library)}, parameters: ${JSON.stringify(PARAMETERS)} })`;
  return { code, sourceMap: workflows.map };
}

/**
 * Bundles the workflows at `workflowsPath` and everything they import.
 *
 * @throws WorkflowBundleError for a missing file, a syntax error, or an import that workflow code may not have.
 */
export async function bundleWorkflowCode(given: WorkflowBundleOptions): Promise<WorkflowBundle> {
  const options = (given.plugins ?? []).reduce((before, plugin) => plugin.configureBundler?.(before) ?? before, given);
  const [workflows, library] = await Promise.all([buildPart(await workflowPart(options)), buildLibrary()]);
  return assembled(workflows, library);
}

/** Bundles the same workflows again and again, as their files change: what did not change is not read again. */
export interface WorkflowBundler {
  /**
   * Of the files as they are now. `files`: those it is made of, absolute, without those of packages and of Tenuto.
   *
   * @throws WorkflowBundleError as `bundleWorkflowCode`; it may be called again.
   */
  bundle(): Promise<WorkflowBundle & { files: readonly string[] }>;
  close(): Promise<void>;
}

/** @throws WorkflowBundleError for a missing file */
export async function openWorkflowBundler(options: WorkflowBundleOptions): Promise<WorkflowBundler> {
  const known = new Map<string, OnResolveResult>();
  const opened = await context({ ...common, ...(await workflowPart(options, known)), write: false, metafile: true });
  const rebuilt = (): Promise<BuiltPart> => opened.rebuild().then((result) => builtPart(result), rejected);
  return {
    bundle: async () => {
      const built = rebuilt().catch(() => {
        // Perhaps only because a file is elsewhere now.
        known.clear();
        return rebuilt();
      });
      const [workflows, library] = await Promise.all([built, buildLibrary()]);
      return { ...assembled(workflows, library), files: workflows.files.filter(isSource) };
    },
    close: () => opened.dispose(),
  };
}

const isSource = (path: string): boolean => !path.split(sep).includes('node_modules');
