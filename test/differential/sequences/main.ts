// `npm run compat -- --against ADDRESS --sequences N --seed S`: random sequences of right calls, with a worker that does what they say, to this server and to one
// of Temporal's; where the two differ, the shortest sequence found that shows it. Arguments: address of the other server, how many, the first seed.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from '../../languages/server.ts';
import { SeededRandom } from '../../sim/random.ts';
import { Pair } from '../pair.ts';
import { methods, type Plain } from '../side.ts';
import { ATTRIBUTE } from './commands.ts';
import { sequenceOf } from './generate.ts';
import { play, shortened } from './play.ts';
import { type Step, stepText } from './step.ts';
import { type Finding, namespace } from './world.ts';

/** Sequences at a time. */
const AT_ONCE = 4;
const MAX_SHOWN = 1_500;
const TENUTO = fileURLToPath(new URL('../../../dist/cli/tenuto.js', import.meta.url));

const [address = '', count = '100', first = '1'] = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), 'tenuto-sequences-'));
const server = new ServerProcess(TENUTO, directory);
await server.start();
const pair = new Pair(address, server.grpcAddress, methods());

const KEYWORD = 2;
const PATIENCE_MS = 15_000;
await pair.ask('AddSearchAttributes', { namespace, searchAttributes: { [ATTRIBUTE]: KEYWORD } }, PATIENCE_MS);

/** Seeds of sequences that differ, by how. */
const found = new Map<string, number[]>();
const totals = { sequences: 0, steps: 0, compared: 0, differ: 0 };
const seeds = Array.from({ length: Number(count) }, (_, i) => Number(first) + i);
await Promise.all(Array.from({ length: AT_ONCE }, work));
for (const [key, at] of found) console.log(`${at.length} ${key}: seeds ${at.slice(0, 12).join(' ')}`);
console.log(
  `${totals.sequences} sequences of ${totals.steps} steps, ${totals.compared} answers compared, ${totals.differ} sequences differ in ${found.size} ways`,
);
pair.close();
await server.close();
rmSync(directory, { recursive: true, force: true });

async function work(): Promise<void> {
  for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
    await played(seed).catch((error: unknown) => console.log(`BROKEN  seed ${seed}: ${String(error).slice(0, 400)}`));
  }
}

async function played(seed: number): Promise<void> {
  const steps = sequenceOf(new SeededRandom(seed));
  const one = await play(pair, steps);
  totals.sequences += 1;
  totals.steps += steps.length;
  totals.compared += one.compared;
  process.stderr.write(`seed ${seed}: ${steps.length} steps, ${one.compared} answers, ${one.findings.length} differ\n`);
  if (one.findings.length > 0) totals.differ += 1;
  for (const finding of one.findings) {
    const known = found.get(finding.key);
    found.set(finding.key, [...(known ?? []), seed]);
    if (known === undefined) show(seed, ...(await shortened(pair, steps, finding)));
  }
}

function show(seed: number, steps: readonly Step[], { method, path, a, b }: Finding): void {
  const lines = [`seed ${seed}: ${method} ${path}`, ...steps.map((step) => `    ${stepText(step)}`)];
  console.log(`${[...lines, `  reference ${text(a)}`, `  ours      ${text(b)}`].join('\n')}\n`);
}

function text(value: unknown): string {
  const whole = value === undefined ? '(absent)' : typeof value === 'string' ? value : JSON.stringify(value as Plain);
  return whole.length > MAX_SHOWN ? `${whole.slice(0, MAX_SHOWN)}…` : whole;
}
