// `npm run compat -- --tools`: the tools that people have, as they are, against a real server. Arguments: the tools; none means all. With `--at ADDRESS`
// the `temporal` CLI alone, against a server that is running there: the one it brings along is what its table is held to.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { DefaultLogger as OwnLogger, Runtime as OwnRuntime } from 'tenuto/worker';
import type { Outcome } from '../languages/program.ts';
import { ServerProcess } from '../languages/server.ts';
import { PrepareError, type Run } from '../languages/toolchains.ts';
import { grpcurlSteps } from './grpcurl-steps.ts';
import { checkHttp } from './http.ts';
import { browser, prepareTool, TOOLS, type ToolName, whySkipped } from './programs.ts';
import { invoker, leaves, runSteps } from './run-steps.ts';
import { activitySteps, administrationSteps, NOT_TRIED, workflowSteps } from './temporal-steps.ts';
import { checkWebUi } from './web-ui.ts';
import { officialWorkers, ownWorker, type Workers } from './workers.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const TENUTO = here('../../dist/cli/tenuto.js');
const CACHE = here('../../node_modules/.cache/tenuto/tools');
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
const OFFICIAL = 'official';
const OWN = 'own';
const VERSIONED = 'versioned';

Runtime.install({ logger: new DefaultLogger('ERROR') });
OwnRuntime.install({ logger: new OwnLogger('ERROR') });

const run: Run = ({ program, args, cwd, env }) => {
  const options = { cwd, env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: MAX_OUTPUT_BYTES } as const;
  const { status, error, stdout, stderr } = spawnSync(program, args, options);
  const found = !(error !== undefined && 'code' in error && error.code === 'ENOENT');
  return { found, ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` };
};

const sum = (outcomes: readonly Outcome[]): Outcome => ({
  passed: outcomes.reduce((total, { passed }) => total + passed, 0),
  failed: outcomes.reduce((total, { failed }) => total + failed, 0),
});

interface Doors {
  readonly grpcAddress: string;
  /** HTTP, and the native door. Absent: a server that is not ours. */
  readonly address?: string | undefined;
}

async function checkTemporal({ grpcAddress, address }: Doors, home: string): Promise<Outcome> {
  const say = (line: string): void => console.log(`temporal  ${line}`);
  const program = prepareTool('temporal', CACHE, run);
  // Its own files are none of ours, and a terminal's colours are in nobody's way.
  const invoke = invoker(program, ['--address', grpcAddress], { HOME: home, NO_COLOR: '1' });
  const native = address === undefined ? [] : workflowSteps(OWN);
  const steps = [
    ...workflowSteps(OFFICIAL),
    ...native,
    ...activitySteps(OFFICIAL),
    ...administrationSteps(OFFICIAL, VERSIONED),
  ];
  const outcome = await runSteps(steps, invoke, say);
  const tried = (command: string): boolean => steps.some(({ args }) => args.join(' ').startsWith(command));
  const untried = (await leaves(invoke)).filter((command) => !NOT_TRIED.includes(command) && !tried(command));
  for (const command of untried) say(`FAILED  ${command}: nothing here tries it`);
  say(`${outcome.passed} command lines are as they have to be`);
  return { passed: outcome.passed, failed: outcome.failed + untried.length };
}

async function check(tool: ToolName, doors: Doors, home: string): Promise<Outcome> {
  const say = (line: string): void => console.log(`${tool.padEnd(8)}  ${line}`);
  const { grpcAddress, address = '' } = doors;
  switch (tool) {
    case 'temporal':
      return await checkTemporal(doors, home);
    case 'grpcurl': {
      const program = prepareTool('grpcurl', CACHE, run);
      return await runSteps(grpcurlSteps(grpcAddress, OFFICIAL), invoker(program, ['-plaintext'], {}), say);
    }
    case 'http':
      return await checkHttp(`http://${address}`, OFFICIAL, say);
    case 'web-ui': {
      const chromium = browser(run);
      if (chromium === undefined) throw new Error('there was a browser a moment ago');
      const program = prepareTool('web-ui', CACHE, run);
      return await checkWebUi({ program, chromium, grpcAddress, taskQueue: OFFICIAL, folder: home }, say);
    }
  }
}

/** Opens the workers, checks, and closes them, whatever happens. */
async function checkAll(tools: readonly ToolName[], doors: Doors, home: string): Promise<Outcome> {
  const workers: Workers[] = [await officialWorkers(doors.grpcAddress, OFFICIAL, VERSIONED)];
  const outcomes: Outcome[] = [];
  try {
    if (doors.address !== undefined) workers.push(await ownWorker(doors.address, OWN));
    for (const tool of tools) {
      try {
        outcomes.push(await check(tool, doors, home));
      } catch (error) {
        if (!(error instanceof PrepareError)) throw error;
        console.log(error.message);
        outcomes.push({ passed: 0, failed: 1 });
      }
    }
  } finally {
    for (const one of workers) await one.close();
  }
  return sum(outcomes);
}

async function main(): Promise<number> {
  const asked = process.argv.slice(2);
  const at = asked[0] === '--at' ? asked[1] : undefined;
  const named = at === undefined ? asked : ['temporal'];
  const unknown = named.find((name) => !TOOLS.some((tool) => tool === name));
  if (unknown !== undefined) {
    console.error(`There is no tool '${unknown}'. There are: ${TOOLS.join(', ')}.`);
    return 1;
  }
  const wanted = TOOLS.filter((tool) => named.length === 0 || named.includes(tool));
  const reasons = wanted.map((tool) => whySkipped(tool, run));
  for (const why of reasons) if (why !== undefined) console.log(why);
  const tools = wanted.filter((_, i) => reasons[i] === undefined);
  const skipped = wanted.length - tools.length;
  const folder = mkdtempSync(join(tmpdir(), 'tenuto-tools-'));
  const server = new ServerProcess(TENUTO, join(folder, 'data'));
  let outcome: Outcome = { passed: 0, failed: 0 };
  try {
    if (at === undefined && tools.length > 0) await server.start();
    const doors = at === undefined ? server : { grpcAddress: at };
    if (tools.length > 0) outcome = await checkAll(tools, doors, folder);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`\n${outcome.passed} passed, ${outcome.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return outcome.failed > 0 ? 1 : 0;
}

// Told to end, it ends what it started: that is done as it exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.exit(await main());
