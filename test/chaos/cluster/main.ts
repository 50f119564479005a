// `npm run chaos`: every scenario, or those named; prints a table, and after a run of all keeps it as docs/reliability.md.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { COMMITS_BACK } from './build.ts';
import { chainOf } from './ledger.ts';
import { faultsOf, type Outcome, pageOf, tableOf } from './report.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { upgradeFrom } from './upgrade.ts';
import { World } from './world.ts';

const PAGE = fileURLToPath(new URL('../../../docs/reliability.md', import.meta.url));
const USAGE = `usage: npm run chaos -- [options] [scenario …]

scenarios (default: all, and the table is kept in docs/reliability.md)
${[...SCENARIOS, upgradeFrom(undefined)].map(({ name, title }) => `  ${name.padEnd(16)}${title}`).join('\n')}

options
  --orders N   orders in each (default 60)
  --seed N     of the services' faults and the approver's decisions (default 7)
  --from REF   of git: what upgrade comes from (default: the newest tag, or ${COMMITS_BACK} commits back if formats were the same)
  --keep       logs and data of sound runs are kept, too
  --help`;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    orders: { type: 'string', default: '60' },
    from: { type: 'string' },
    seed: { type: 'string', default: '7' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const scenarios = [...SCENARIOS, upgradeFrom(flags.from)];
const begun = performance.now();
const say = (text: string): void => {
  process.stdout.write(`${((performance.now() - begun) / 1000).toFixed(1).padStart(7)}s  ${text}\n`);
};

async function runOne(scenario: Scenario): Promise<Outcome> {
  say(`${scenario.name}: ${scenario.title}`);
  const why = await scenario.unable?.();
  if (why !== undefined) {
    say(`  not run: ${why}`);
    return { scenario, result: { type: 'not run', why } };
  }
  let world: World | undefined;
  try {
    const atEnd = flags.keep ? ('keep' as const) : ('remove' as const);
    const prepared = await scenario.prepare?.((text) => say(`  ${text}`));
    world = await World.open({
      ...{ orders: Number(flags.orders), seed: Number(flags.seed), atEnd },
      ...scenario.options,
      ...prepared,
      say: (text) => say(`  ${text}`),
    });
    await scenario.run(world);
    const outcome: Outcome = { scenario, result: { type: 'ran', report: await world.finish() } };
    for (const wrong of faultsOf(outcome)) say(`  WRONG: ${wrong}`);
    if (faultsOf(outcome).length > 0 || flags.keep) say(`  logs and data: ${world.directory}`);
    return outcome;
  } catch (error) {
    say(`  FAILED: ${chainOf(error)}${world === undefined ? '' : `; logs and data: ${world.directory}`}`);
    return { scenario, result: { type: 'failed', why: chainOf(error) } };
  } finally {
    await world?.close();
    await scenario.tidy?.();
  }
}

async function main(): Promise<number> {
  if (flags.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const unknown = positionals.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    process.stderr.write(`there is no scenario ${unknown}\n${USAGE}\n`);
    return 2;
  }
  const chosen = scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const outcomes: Outcome[] = [];
  for (const scenario of chosen) outcomes.push(await runOne(scenario));
  process.stdout.write(`\n${tableOf(outcomes)}\n\n`);
  const wrong = outcomes.filter((outcome) => faultsOf(outcome).length > 0);
  if (positionals.length === 0) {
    writeFileSync(PAGE, pageOf(outcomes, Date.now()));
    say(`kept in ${join('docs', 'reliability.md')}`);
  }
  say(wrong.length === 0 ? 'all held' : `${wrong.length} of ${outcomes.length} scenarios went wrong`);
  return wrong.length === 0 ? 0 : 1;
}

process.exit(await main());
