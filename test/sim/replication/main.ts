// `npm run sim -- --replication [--seeds N] [--seed S] [--trace] [--bug NAME]`: the replication protocol alone, a thousand seeds a minute.
// With `--nodes`: the driver, the store and the frames too, for many shards.

import { parseArgs } from 'node:util';
import { BUGS, isBug } from './bugs.ts';
import { type NodesReport, simulateNodes } from './node-faults.ts';
import { type ReplicationReport, simulateReplication } from './simulate.ts';

const USAGE = `Usage: npm run sim -- --replication [options]

  --seeds N    how many seeds to run (default 1000)
  --seed S     the first seed (default 1); alone: only this one
  --trace      print what happens
  --nodes      the driver, store and frames too, several shards (no --bug, no --trace)
  --bug NAME   plant a bug: ${Object.keys(BUGS).join(', ')}; its being found is the success`;

/** Lines of trace shown of a seed that failed. */
const SHOWN_LINES = 60;

function count(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new Error(`--${name} must be a whole number, not ${text}\n\n${USAGE}`);
  return value;
}

function tally(reports: readonly ReplicationReport[], of: (report: ReplicationReport) => Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const report of reports) for (const name of of(report)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, n]) => `  ${String(n).padStart(6)}  ${((100 * n) / reports.length).toFixed(1).padStart(5)} %  ${name}`)
    .join('\n');
}

/** The seed again, with its trace: nothing is kept while seeds run. */
function explain({ seed, hosts, replicas }: ReplicationReport, bug: string | undefined): string {
  const trace: string[] = [];
  const again = simulateReplication(seed, {
    bug: bug !== undefined && isBug(bug) ? BUGS[bug] : undefined,
    sink: (line) => trace.push(line),
  });
  return [
    `\nseed ${seed} (${hosts} hosts, R = ${replicas}) failed: ${again.failure?.stack ?? 'not the second time'}`,
    `\nthe last events:\n${trace.slice(-SHOWN_LINES).join('\n')}`,
    `\nrun it again: npm run sim -- --replication --seed ${seed}${bug === undefined ? '' : ` --bug ${bug}`} --trace`,
  ].join('\n');
}

async function nodesMain(from: number, seeds: number): Promise<number> {
  const reports: NodesReport[] = [];
  const startedAt = performance.now();
  let failed: NodesReport | undefined;
  for (let seed = from; seed < from + seeds && failed === undefined; seed += 1) {
    const report = await simulateNodes(seed);
    reports.push(report);
    if (report.failure !== undefined) failed = report;
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  if (failed !== undefined) console.log(`\nseed ${failed.seed} failed: ${failed.failure?.stack}`);
  const sum = (of: (report: NodesReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  console.log(`\n${reports.length} seeds in ${seconds.toFixed(1)} s: ${(reports.length / seconds).toFixed(1)} seeds/s`);
  console.log(
    `${sum((r) => r.acknowledged)} writes acknowledged, ${sum((r) => r.reads)} fresh reads, ${sum((r) => r.frames)} frames, ` +
      `${sum((r) => r.installs)} snapshots installed, ${sum((r) => r.wiped)} directories wiped, ` +
      `${sum((r) => r.writeErrors)} writes failed, ${sum((r) => r.moves)} members moved`,
  );
  return failed === undefined ? 0 : 1;
}

export async function replicationMain(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      bug: { type: 'string' },
      nodes: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { bug } = values;
  if (bug !== undefined && !isBug(bug)) throw new Error(`there is no bug ${bug}\n\n${USAGE}`);
  const from = count(values.seed, 'seed') ?? 1;
  const seeds = count(values.seeds, 'seeds') ?? (values.seed === undefined ? 1_000 : 1);
  if (values.nodes) return nodesMain(from, seeds);
  const reports: ReplicationReport[] = [];
  let failed: ReplicationReport | undefined;
  const startedAt = performance.now();
  for (let seed = from; seed < from + seeds && failed === undefined; seed += 1) {
    const report = simulateReplication(seed, {
      bug: bug === undefined ? undefined : BUGS[bug],
      sink: values.trace ? (line) => process.stdout.write(`${line}\n`) : undefined,
    });
    reports.push(report);
    if (report.failure !== undefined) failed = report;
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  if (failed !== undefined) console.log(explain(failed, bug));
  const sum = (of: (report: ReplicationReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  console.log(`\n${reports.length} seeds in ${seconds.toFixed(1)} s: ${(reports.length / seconds).toFixed(1)} seeds/s`);
  console.log(
    `${sum((r) => r.events)} events, ${sum((r) => r.messages)} messages, ${sum((r) => r.committed)} entries committed, ` +
      `${sum((r) => r.writes)} writes acknowledged, ${sum((r) => r.reads)} reads; healed in ${Math.round(sum((r) => r.healedMs) / reports.length)} ms on average`,
  );
  console.log(`\nseeds that met each fault:\n${tally(reports, (report) => report.faults)}`);
  console.log(`\nseeds that reached each event:\n${tally(reports, (report) => report.reached.keys())}`);
  if (bug === undefined) return failed === undefined ? 0 : 1;
  console.log(
    failed === undefined
      ? `\nthe planted bug ${bug} was NOT found`
      : `\nthe planted bug ${bug} was found by seed ${failed.seed}`,
  );
  return failed === undefined ? 1 : 0;
}
