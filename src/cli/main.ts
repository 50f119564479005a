#!/usr/bin/env node
// The `tenuto` command.

import { CommanderError } from 'commander';
import { ExitCode } from './exit-codes.ts';
import { buildProgram } from './program.ts';

/** Asked by the scripts that `tenuto completion` prints: not for people. */
const COMPLETE = '__complete';

/** These go on when nobody reads what they print. */
const SERVING: ReadonlySet<string | undefined> = new Set(['server', 'dev']);

/** `help` of the library knows one level: `tenuto help workflow start` is what `tenuto workflow start --help` is. */
const spelledOut = (args: string[]): string[] =>
  args[0] === 'help' && args.length > 2 ? [...args.slice(1), '--help'] : args;

async function main(): Promise<void> {
  // `… | head` reads what it wants and goes away: that is no failure, and nobody is left to tell.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!SERVING.has(process.argv[2])) process.exit(ExitCode.OK);
  });
  try {
    const args = spelledOut(process.argv.slice(2));
    const program = await buildProgram(args);
    if (process.argv[2] === COMPLETE) {
      const { completions } = await import('./completion.ts');
      for (const word of completions(program, process.argv.slice(3))) process.stdout.write(`${word}\n`);
      return;
    }
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE;
      return;
    }
    const { exitCodeOf, reportError } = await import('./errors.ts');
    reportError(error);
    process.exitCode = exitCodeOf(error);
  }
}

await main();
