// `npm run compat -- --languages`: for each language a program of its own on the official SDK, against a server that is killed under it and beside a
// worker and a client of the native door. Arguments: the languages; none means all.

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Request } from './contract.ts';
import { NativeDoor } from './native-door.ts';
import { type Outcome, runProgram } from './program.ts';
import { ServerProcess } from './server.ts';
import {
  DOTNET,
  LANGUAGES,
  type Language,
  PrepareError,
  prepare,
  type Run,
  whyNoDotnet,
  whySkipped,
} from './toolchains.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const TENUTO = here('../../dist/cli/tenuto.js');
const CACHE = here('../../node_modules/.cache/tenuto/languages');
/** What a package client or compiler may say. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

const run: Run = ({ program, args, cwd, env }) => {
  const options = { cwd, env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: MAX_OUTPUT_BYTES } as const;
  const { status, error, stdout, stderr } = spawnSync(program, args, options);
  const found = !(error !== undefined && 'code' in error && error.code === 'ENOENT');
  return { found, ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` };
};

async function runLanguage(language: Language, server: ServerProcess): Promise<Outcome> {
  const say = (line: string): void => console.log(`${language.padEnd(6)}  ${line}`);
  const since = Date.now();
  const command = prepare(language, here(`./${language}`), CACHE, run);
  say(`ready after ${((Date.now() - since) / 1000).toFixed(1)} s`);
  const queue = `${language}-${randomBytes(4).toString('hex')}`;
  const nativeQueue = `native-${queue}`;
  const native = await NativeDoor.open(server.address, nativeQueue);
  const does = async (request: Request): Promise<void> => {
    switch (request) {
      case 'kill':
        say('        the server is killed, and started again');
        return await server.killAndRestart();
      case 'serve':
        return await native.useWorkerOf(queue);
      default:
        request satisfies never;
    }
  };
  try {
    const args = ['--address', server.grpcAddress, '--queue', queue, '--native-queue', nativeQueue];
    const { passed, failed } = await runProgram(command, args, { does, say });
    try {
      const found = await native.findHistoriesOf(queue);
      say(`ok      histories of ${found} executions, through the native door`);
      return { passed: passed + 1, failed };
    } catch (error) {
      say(`FAILED  histories: ${error instanceof Error ? error.message : String(error)}`);
      return { passed, failed: failed + 1 };
    }
  } finally {
    await native.close();
  }
}

async function main(): Promise<number> {
  const asked = process.argv.slice(2);
  const known: readonly string[] = [...LANGUAGES, DOTNET];
  const unknown = asked.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    console.error(`There is no program in '${unknown}'. There are: ${LANGUAGES.join(', ')}.`);
    return 1;
  }
  const languages = LANGUAGES.filter((language) => asked.length === 0 || asked.includes(language));
  const outcomes: Outcome[] = [];
  let skipped = 0;
  if (asked.length === 0 || asked.includes(DOTNET)) {
    console.log(whyNoDotnet(run));
    skipped += 1;
  }
  const directory = mkdtempSync(join(tmpdir(), 'tenuto-languages-'));
  const server = new ServerProcess(TENUTO, directory);
  try {
    for (const language of languages) {
      const why = whySkipped(language, run);
      if (why !== undefined) {
        console.log(why);
        skipped += 1;
        continue;
      }
      if (outcomes.length === 0) await server.start();
      try {
        outcomes.push(await runLanguage(language, server));
      } catch (error) {
        if (!(error instanceof PrepareError)) throw error;
        console.log(error.message);
        outcomes.push({ passed: 0, failed: 1 });
      }
    }
  } finally {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  }
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const failed = sum((outcome) => outcome.failed);
  const left = skipped > 0 ? `, ${skipped} skipped` : '';
  console.log(`\n${sum((outcome) => outcome.passed)} passed, ${failed} failed${left}`);
  return failed > 0 ? 1 : 0;
}

// Told to end, it ends what it started: that is done as it exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.exit(await main());
