// Real processes for the tests that need them: nodes, workers and CLI calls, from dist/. What a test started is killed and what it wrote is
// removed when that test ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { onTestFinished as atTestEnd } from 'vitest';

export const MAIN = fileURLToPath(new URL('../../dist/cli/tenuto.js', import.meta.url));
/** The same, file by file: a module that is preloaded and patches another meets the one that the node uses. */
const COMPILED = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
/** A port that was just given back may be someone else's for a moment; a restart tries again this long, ms. */
const PORT_PATIENCE_MS = 30_000;

/** Called with what undoes a thing: at the end of the running test, or with `afterAll` of the file. */
export type AtEnd = (undo: () => unknown) => unknown;

const onTestFinished: AtEnd = (undo) =>
  atTestEnd(async () => {
    await undo();
  });

export interface RunOptions {
  env?: Readonly<Record<string, string>>;
  /** Modules loaded before the program, with `node --import`: paths, or `data:` URLs. */
  preload?: readonly string[];
  /** Of Node itself. */
  flags?: readonly string[];
  uid?: number;
  /** `ulimit -f`: writes beyond this size of a file fail. Blocks of 512 or 1,024 bytes, as the shell counts. */
  fileBlocks?: number;
  atEnd?: AtEnd;
}

export interface Running {
  readonly pid: number;
  /** What it printed so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves when it is gone and its output was read. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Resolves when its standard output matches; rejects when it ends before that. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
}

export function temporaryDir(atEnd: AtEnd = onTestFinished): string {
  const directory = mkdtempSync(join(tmpdir(), 'tenuto-test-'));
  atEnd(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Nothing of the surroundings decides a test: no settings, profiles or colours of whoever runs it. */
function environment(given: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { XDG_CONFIG_HOME: join(tmpdir(), 'tenuto-no-config') };
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^(TENUTO_|VITEST|NODE_OPTIONS$|FORCE_COLOR$|NO_COLOR$|XDG_CONFIG_HOME$)/.test(name)) env[name] = value;
  }
  return { ...env, ...given };
}

/** Runs a script of ours with Node. */
export function runNode(script: string, args: readonly string[], options: RunOptions = {}): Running {
  const urls = (options.preload ?? []).map((module) =>
    module.startsWith('data:') ? module : pathToFileURL(module).href,
  );
  const command = [
    process.execPath,
    ...(options.flags ?? []),
    ...urls.flatMap((url) => ['--import', url]),
    script,
    ...args,
  ];
  if (options.fileBlocks !== undefined) {
    command.unshift('sh', '-c', `ulimit -f ${options.fileBlocks}; exec "$0" "$@"`);
  }
  const [program = '', ...rest] = command;
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(options.env),
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  return watch(child, `${script} ${args.join(' ')}`, options.atEnd ?? onTestFinished);
}

function watch(child: ChildProcess, what: string, atEnd: AtEnd): Running {
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const check of [...waiting]) check();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended: Running['ended'] = new Promise((resolve) => {
    child.once('error', (error) => {
      stderr += error.message;
      resolve({ code: null, signal: null });
    });
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  atEnd(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = pattern.exec(stdout);
          if (found === null) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
        void ended.then((end) =>
          reject(
            new Error(`${what}: ended with ${end.code ?? end.signal} before it said ${pattern}:\n${stdout}${stderr}`),
          ),
        );
      }),
    kill: (signal) => void child.kill(signal),
  };
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** One call of the `tenuto` command, to its end. */
export async function tenuto(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const running = runNode(MAIN, args, options);
  const { code } = await running.ended;
  return { code, stdout: running.stdout(), stderr: running.stderr() };
}

export interface ServerProcess extends Running {
  /** `host:port` */
  readonly address: string;
}

/** A node of a cluster that waits for the others listens, and is not ready. */
const READY = /Tenuto (?:is ready|listens) on (\S+),/;

/** `tenuto server …`; resolves when it serves. Give `--port 0` for a first start. */
export async function startServer(args: readonly string[], options: RunOptions = {}): Promise<ServerProcess> {
  const running = runNode(options.preload === undefined ? MAIN : COMPILED, ['server', ...args], options);
  const [, address = ''] = await running.says(READY);
  return Object.assign(running, { address });
}

/** Starts a node again on the port that its clients know. */
export async function restartServer(args: readonly string[], options: RunOptions = {}): Promise<ServerProcess> {
  const giveUpAt = Date.now() + PORT_PATIENCE_MS;
  for (;;) {
    try {
      return await startServer(args, options);
    } catch (error) {
      if (Date.now() > giveUpAt || !/is taken by another process/.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

export async function until<T>(look: () => Promise<T | undefined> | T | undefined, patienceMs = 60_000): Promise<T> {
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > giveUpAt) throw new Error(`it did not come about within ${patienceMs} ms: ${look.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
