// What each language needs on this machine, how its program is made ready, and how it is run. Nothing here is installed beyond the project's own
// cache (node_modules/.cache) and the language's own: packages come by its ordinary client.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export const LANGUAGES = ['python', 'go', 'java'] as const;
export type Language = (typeof LANGUAGES)[number];

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs a command to its end. `output` is standard output and error together; `found` says whether there is such a program. */
export type Run = (command: Command) => { readonly found: boolean; readonly ok: boolean; readonly output: string };

export interface Tool {
  readonly program: string;
  readonly args: readonly string[];
  /** Finds the version in what it prints. */
  readonly version: RegExp;
  /** The oldest that will do: major, minor. */
  readonly oldest: readonly [number, number];
  /** What to install, as a person would say it. */
  readonly install: string;
}

export interface Toolchain {
  readonly tools: readonly Tool[];
  /** Files that decide what is installed and built, beside the program. */
  readonly inputs: readonly string[];
  /** Makes the program ready; `cache` is a folder for this state of `inputs` alone. */
  prepare(source: string, cache: string): Command;
  /** The program itself; its arguments follow. */
  program(source: string, cache: string): Command;
}

const GO_ENV = { CGO_ENABLED: '0', GOFLAGS: '-p=1 -mod=readonly -buildvcs=false' };

export const TOOLCHAINS: Readonly<Record<Language, Toolchain>> = {
  python: {
    tools: [
      {
        ...{ program: 'python3', args: ['--version'], version: /Python (\d+)\.(\d+)/, oldest: [3, 10] },
        install: 'Python 3.10 or newer',
      },
      {
        ...{ program: 'python3', args: ['-m', 'pip', '--version'], version: /pip (\d+)\.(\d+)/, oldest: [20, 0] },
        install: "Python's pip",
      },
    ],
    inputs: ['requirements.txt'],
    prepare: (source, cache) => {
      const target = ['--target', join(cache, 'packages'), '--requirement', join(source, 'requirements.txt')];
      const quiet = ['--quiet', '--disable-pip-version-check', '--root-user-action', 'ignore'];
      return { program: 'python3', args: ['-m', 'pip', 'install', ...quiet, ...target], cwd: source, env: {} };
    },
    program: (source, cache) => ({
      ...{ program: 'python3', args: [join(source, 'main.py')], cwd: source },
      env: { PYTHONPATH: join(cache, 'packages'), PYTHONDONTWRITEBYTECODE: '1' },
    }),
  },
  go: {
    tools: [
      {
        ...{ program: 'go', args: ['version'], version: /go(\d+)\.(\d+)/, oldest: [1, 26] },
        install: 'Go 1.26 or newer',
      },
    ],
    inputs: ['go.mod', 'go.sum'],
    // Always built: Go's own cache knows what has changed.
    prepare: (source, cache) => ({
      ...{ program: 'go', args: ['build', '-o', join(cache, 'program'), '.'], cwd: source, env: GO_ENV },
    }),
    program: (source, cache) => ({ program: join(cache, 'program'), args: [], cwd: source, env: {} }),
  },
  java: {
    tools: [
      {
        ...{ program: 'javac', args: ['-version'], version: /javac (\d+)\.(\d+)/, oldest: [17, 0] },
        install: 'a JDK, 17 or newer',
      },
      {
        ...{ program: 'mvn', args: ['--batch-mode', '--version'], version: /Maven (\d+)\.(\d+)/, oldest: [3, 6] },
        install: 'Maven 3.6 or newer',
      },
    ],
    inputs: ['pom.xml'],
    prepare: (source, cache) => {
      const goals = ['compile', 'dependency:copy-dependencies', `-Dbuild.into=${cache}`];
      return {
        program: 'mvn',
        args: ['--batch-mode', '--quiet', '-Dstyle.color=never', ...goals],
        cwd: source,
        env: {},
      };
    },
    program: (source, cache) => {
      const path = [join(cache, 'classes'), join(cache, 'dependency', '*')].join(delimiter);
      return { program: 'java', args: ['-cp', path, 'languages.Main'], cwd: source, env: {} };
    },
  },
};

/** The language of Temporal's SDKs that has no program here, as it is asked for. */
export const DOTNET = 'dotnet';

/** A program in .NET would have to be written where it can be run. What is said instead, so that nobody takes silence for a success. */
export function whyNoDotnet(run: Run): string {
  const { found, ok, output } = run({ program: 'dotnet', args: ['--version'], cwd: process.cwd(), env: {} });
  if (!found || !ok)
    return `${DOTNET}: skipped: no .NET SDK. It needs the .NET SDK 8.0 or newer (its command 'dotnet' on the PATH), and a program in test/languages/${DOTNET}.`;
  return `${DOTNET}: skipped: the .NET SDK ${output.trim()} is here, and no program in test/languages/${DOTNET} is yet.`;
}

/** Why a language cannot be run here, said to a person; nothing when it can. */
export function whySkipped(language: Language, run: Run): string | undefined {
  for (const { program, args, version, oldest, install } of TOOLCHAINS[language].tools) {
    const { found, ok, output } = run({ program, args, cwd: process.cwd(), env: {} });
    const called = [program, ...args].join(' ');
    const need = `${language}: skipped. It needs ${install}`;
    if (!found) return `${need}; there is no ${program} here.`;
    if (!ok) return `${need}; '${called}' failed: ${output.trim()}`;
    const [, major, minor] = version.exec(output) ?? [];
    if (major === undefined) return `${need}; '${called}' does not say its version: ${output.trim()}`;
    const [majorAtLeast, minorAtLeast] = oldest;
    const old = Number(major) < majorAtLeast || (Number(major) === majorAtLeast && Number(minor) < minorAtLeast);
    if (old) return `${need}; this is ${major}.${minor}.`;
  }
  return undefined;
}

export class PrepareError extends Error {
  override readonly name = 'PrepareError';
}

/**
 * Installs packages and builds. Python's packages are kept until `requirements.txt` changes; the other languages' tools see for themselves what is
 * to be done.
 * @throws {PrepareError} with what the tool said
 */
export function prepare(language: Language, source: string, cacheRoot: string, run: Run): Command {
  const { inputs, prepare: preparing, program } = TOOLCHAINS[language];
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(readFileSync(join(source, input)));
  const cache = join(cacheRoot, `${language}-${hash.digest('hex').slice(0, 12)}`);
  // Written after a good installation: one that was cut short counts as none.
  const stamp = join(cache, 'ready');
  if (language !== 'python' || !existsSync(stamp)) {
    if (!existsSync(stamp)) rmSync(cache, { recursive: true, force: true });
    mkdirSync(cache, { recursive: true });
    const { ok, output } = run(preparing(source, cache));
    if (!ok) throw new PrepareError(`${language}: its program could not be made ready:\n${output.trim()}`);
    writeFileSync(stamp, '');
  }
  return program(source, cache);
}
