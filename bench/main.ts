// `npm run bench`: real processes on this machine, LevelDB with fsync on, every result checked. Reports; never judges but for wrong results.

import { writeFileSync } from 'node:fs';
import { compareWith } from './lib/compare.ts';
import { describeError } from './lib/errors.ts';
import { type Flags, parseFlags, UsageError } from './lib/flags.ts';
import { measureFloors } from './lib/floors.ts';
import { describeMachine } from './lib/machine.ts';
import { mustBeWritable } from './lib/outputs.ts';
import { makeProgress } from './lib/progress.ts';
import { readReport } from './lib/report.ts';
import { type Failure, runAll } from './lib/run.ts';
import { renderReport } from './lib/table.ts';
import { renderList, USAGE } from './lib/usage.ts';
import { preparePeers } from './peers/index.ts';
import { renderPage } from './report/page.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { TenutoSystem } from './tenuto/system.ts';

const USAGE_EXIT = 2;
/** Exit codes of a process that a signal ended. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

async function main(): Promise<number> {
  const flags = parseFlags(process.argv.slice(2), { scenarios: SCENARIOS });
  switch (flags.show) {
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case 'list':
      process.stdout.write(renderList(SCENARIOS));
      return 0;
    case 'run':
      return await run(flags);
  }
}

async function run(flags: Flags): Promise<number> {
  mustBeWritable('--json', flags.jsonFile);
  mustBeWritable('--html', flags.htmlFile);
  const before = flags.baselineFile === undefined ? undefined : readReport(flags.baselineFile);
  const progress = makeProgress(process.stderr);
  const peers = await preparePeers(flags.peers, (text) => progress.say(text));
  progress.say('floors: fsync, loopback, msgpack');
  const floors = await measureFloors();
  const systems = [new TenutoSystem(), ...peers.systems];
  const { report, failures } = await runAll({ flags, systems, floors, machine: describeMachine(), progress });
  progress.clear();
  process.stdout.write(renderReport(report, before === undefined ? undefined : compareWith(before, report)));
  if (flags.jsonFile !== undefined) writeFileSync(flags.jsonFile, `${JSON.stringify(report, undefined, 1)}\n`);
  if (flags.htmlFile !== undefined) writeFileSync(flags.htmlFile, renderPage(report, before));
  for (const failure of failures) process.stderr.write(describe(failure));
  for (const { why } of peers.missing) process.stderr.write(`\n${why}\n`);
  return failures.length === 0 && peers.missing.length === 0 ? 0 : 1;
}

function describe({ scenario, system, error }: Failure): string {
  return `\n${scenario} on ${system} failed: ${describeError(error)}\n`;
}

// Children end when this process does, folders go at its exit.
for (const [signal, code] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(code));
try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = USAGE_EXIT;
}
