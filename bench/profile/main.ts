// `npm run profile`: one scenario of the bench whose node and worker record themselves; their profiles as a page, as a table, and raw.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeError } from '../lib/errors.ts';
import { parseFlags, UsageError } from '../lib/flags.ts';
import { measureFloors } from '../lib/floors.ts';
import { describeMachine } from '../lib/machine.ts';
import { makeProgress } from '../lib/progress.ts';
import { runAll } from '../lib/run.ts';
import { renderReport } from '../lib/table.ts';
import { SCENARIOS } from '../scenarios/index.ts';
import { TenutoSystem } from '../tenuto/system.ts';
import { byFunction, readCpuProfile } from './call-tree.ts';
import { mustBeOfAProfile, takeOut } from './flags.ts';
import { readHeapProfile } from './heap.ts';
import { nameOfThread, type ProfiledThread, renderProfile } from './page.ts';
import { PROFILED_ROLES, recordInto, recordingFolder } from './recording.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
const USAGE_EXIT = 2;
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;
/** Of each thread, on the terminal. */
const MOST_FUNCTIONS = 10;

export const USAGE = `usage: npm run profile -- SCENARIO [options]

Runs a scenario of the bench (npm run bench -- --list) and records the CPU and the heap of its node and its worker.

options
  --out DIR          where to: profile.html, and .cpuprofile and .heapprofile of each thread (default: profiles/SCENARIO)
  --quick, --rate, --concurrency, --clients, --duration, --step, --set
                     as for the bench
  --help
`;

/** What runs is `tenuto dev`, which starts node and worker itself. */
const UNRECORDED: ReadonlySet<string> = new Set(['reload']);

async function main(): Promise<number> {
  const { out, rest } = takeOut(process.argv.slice(2));
  const flags = parseFlags(rest, { scenarios: SCENARIOS });
  if (flags.show === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  mustBeOfAProfile(flags);
  const [scenario, another] = flags.scenarios;
  if (flags.show === 'list' || scenario === undefined || another !== undefined) {
    throw new UsageError('name one scenario to profile; npm run bench -- --list shows them');
  }
  if (UNRECORDED.has(scenario.name))
    throw new UsageError(`scenario ${scenario.name} starts processes that cannot be recorded`);
  const folder = resolve(out ?? join('profiles', scenario.name));
  for (const role of PROFILED_ROLES) mkdirSync(recordingFolder(folder, role), { recursive: true });
  const before = new Set(PROFILED_ROLES.flatMap((role) => readdirSync(recordingFolder(folder, role))));
  recordInto(folder);
  const progress = makeProgress(process.stderr);
  const floors = await measureFloors();
  const parts = { flags, systems: [new TenutoSystem()], floors, machine: describeMachine(), progress };
  const { report, failures } = await runAll(parts);
  progress.clear();
  process.stdout.write(renderReport(report, undefined));
  const threads = readThreads(folder, before);
  if (threads.length === 0) throw new UsageError(`scenario ${scenario.name} starts processes that cannot be recorded`);
  const page = join(folder, 'profile.html');
  writeFileSync(page, renderProfile(scenario.name, report.date, threads));
  for (const thread of threads) process.stdout.write(summary(thread));
  process.stdout.write(`\n${page}\n`);
  for (const { error } of failures) process.stderr.write(`\n${scenario.name} failed: ${describeError(error)}\n`);
  return failures.length === 0 ? 0 : 1;
}

/** V8 names them CPU.date.time.pid.thread.number.cpuprofile, and Heap likewise. Busiest first. */
function readThreads(folder: string, before: ReadonlySet<string>): ProfiledThread[] {
  const threads: ProfiledThread[] = [];
  for (const role of PROFILED_ROLES) {
    const files = readdirSync(recordingFolder(folder, role)).filter((file) => !before.has(file));
    for (const file of files) {
      const [, pid = '', thread = ''] = /^CPU\.\d+\.\d+\.(\d+)\.(\d+)\.\d+\.cpuprofile$/.exec(file) ?? [];
      if (pid === '') continue;
      const heap = files.find((other) => new RegExp(`^Heap\\.\\d+\\.\\d+\\.${pid}\\.${thread}\\.`).test(other));
      const text = (name: string): string => readFileSync(join(recordingFolder(folder, role), name), 'utf8');
      threads.push({
        ...{ role, pid: Number(pid), thread: Number(thread) },
        cpu: readCpuProfile(text(file), ROOT),
        heap: heap === undefined ? [] : readHeapProfile(text(heap), ROOT),
      });
    }
  }
  return threads.sort((a, b) => b.cpu.root.totalMs - a.cpu.root.totalMs);
}

function summary(thread: ProfiledThread): string {
  const { root } = thread.cpu;
  const lines = byFunction(root)
    .slice(0, MOST_FUNCTIONS)
    .map(({ name, where, selfMs }) => {
      const share = ((100 * selfMs) / root.totalMs).toFixed(1).padStart(5);
      return `  ${share} %  ${name}${where === '' ? '' : ` (${where})`}`;
    });
  return `\n${nameOfThread(thread)}: busy for ${Math.round(root.totalMs)} ms\n${lines.join('\n')}\n`;
}

for (const [signal, code] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(code));
try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = USAGE_EXIT;
}
