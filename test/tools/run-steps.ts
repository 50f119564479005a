// Runs a table of command lines, one after the other, and counts.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Outcome } from '../languages/program.ts';
import { PATIENCE_MS, type Step, wrong } from './steps.ts';

/** A command that has not ended by then hangs, ms. */
const HANGS_MS = 60_000;
const AGAIN_MS = 500;

export interface Ran {
  readonly code: number;
  readonly output: string;
}

export type Invoke = (args: readonly string[]) => Promise<Ran>;

/** `before` comes before a step's own words. A killed command has code -1. */
export const invoker =
  (program: string, before: readonly string[], env: Readonly<Record<string, string>>): Invoke =>
  async (args) => {
    const child = spawn(program, [...before, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const late = setTimeout(() => child.kill('SIGKILL'), HANGS_MS);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(late);
    return { code: code ?? -1, output };
  };

export async function runSteps(steps: readonly Step[], invoke: Invoke, say: (line: string) => void): Promise<Outcome> {
  let passed = 0;
  let failed = 0;
  for (const step of steps) {
    const until = performance.now() + (step.soon ? PATIENCE_MS : 0);
    let ran = await invoke(step.args);
    let why = wrong(step, ran.code, ran.output);
    while (why !== undefined && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      ran = await invoke(step.args);
      why = wrong(step, ran.code, ran.output);
    }
    if (why === undefined) passed += 1;
    else {
      failed += 1;
      say(`FAILED  ${step.args.join(' ')}: ${why}\n${ran.output.trim().slice(0, 2_000)}`);
    }
  }
  return { passed, failed };
}

/** Every command of a tool that says what it has under "Available Commands". */
export async function leaves(invoke: Invoke, path: readonly string[] = []): Promise<string[]> {
  const { output } = await invoke([...path, '--help']);
  const [, listed = ''] = /Available Commands:\n((?: .*\n)+)/.exec(output) ?? [];
  const names = [...listed.matchAll(/^ +([a-z][\w-]*)/gm)].flatMap(([, name = '']) => name);
  const own = names.filter((name) => name !== 'help' && name !== 'completion');
  if (own.length === 0) return [path.join(' ')];
  const inner = await Promise.all(own.map((name) => leaves(invoke, [...path, name])));
  // Some that have commands below them do something themselves, too.
  const acts = path.length > 0 && /^Usage:\n(?: .*\n)*? .*\[flags\]/m.test(output);
  return [...(acts ? [path.join(' ')] : []), ...inner.flat()];
}
