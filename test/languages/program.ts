// One run of a language's program: what it says is shown as it comes, what it asks for is done, and its checks are counted.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ANSWERS, type Line, lineOf, missingChecks, type Request } from './contract.ts';
import type { Command } from './toolchains.ts';

export interface ProgramHost {
  /** Does what the program asks for. What it throws counts as a failure of the program, which is answered all the same. */
  does(request: Request): Promise<void>;
  /** One line for a person. */
  say(line: string): void;
}

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

/** A program that has not ended by then hangs, ms. */
const PATIENCE_MS = 15 * 60_000;
/** Lines that are neither checks nor requests: what a library prints in a loop is not shown for ever. */
const MAX_NOISE_LINES = 200;

/** Runs it to its end; never rejects because of what the program does. */
export async function runProgram(command: Command, args: readonly string[], host: ProgramHost): Promise<Outcome> {
  const child = spawn(command.program, [...command.args, ...args], {
    cwd: command.cwd,
    env: { ...process.env, ...command.env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const kill = (): void => void child.kill('SIGKILL');
  const late = setTimeout(kill, PATIENCE_MS);
  process.once('exit', kill);
  // It may be gone before it is answered.
  child.stdin.on('error', () => {});
  const lines: Line[] = [];
  const failures: string[] = [];
  let noise = 0;
  try {
    for await (const text of createInterface({ input: child.stdout })) {
      const line = lineOf(text);
      lines.push(line);
      switch (line.kind) {
        case 'passed':
          host.say(`ok      ${line.check} (${line.tookMs} ms)`);
          break;
        case 'failed':
          host.say(`FAILED  ${line.check}: ${line.why}`);
          break;
        case 'asks':
          await host.does(line.request).catch((error: unknown) => {
            failures.push(`${line.request}: ${error instanceof Error ? error.message : String(error)}`);
          });
          child.stdin.write(`${ANSWERS[line.request]}\n`);
          break;
        case 'noise':
          if ((noise += 1) <= MAX_NOISE_LINES) host.say(`        ${line.text}`);
          break;
        default:
          line satisfies never;
      }
    }
    const [code, signal] = await ended;
    const saidFailed = lines.filter(({ kind }) => kind === 'failed').length;
    if (signal !== null) failures.push(`its program was ended by ${signal}`);
    else if (code !== 0 && saidFailed === 0) failures.push(`its program ended with code ${code}`);
    for (const check of missingChecks(lines)) failures.push(`${check}: its program made no such check`);
    for (const failure of failures) host.say(`FAILED  ${failure}`);
    const passed = lines.filter(({ kind }) => kind === 'passed').length;
    return { passed, failed: saidFailed + failures.length };
  } finally {
    clearTimeout(late);
    process.off('exit', kill);
    kill();
  }
}
