// What the simulators' commands share: numbers given, seeds run one after the other until one fails, and what is said of them.

export interface Report {
  readonly seed: number;
  readonly failure: Error | undefined;
}

/** @throws Error with the usage for what is no whole number */
export function wholeNumber(text: string | undefined, name: string, usage: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new Error(`--${name} must be a whole number, not ${text}\n\n${usage}`);
  return value;
}

/** Which seeds `--seed` and `--seeds` mean. */
export function seedRange(
  given: { seed?: string | undefined; seeds?: string | undefined },
  usual: number,
  usage: string,
): { from: number; seeds: number } {
  return {
    from: wholeNumber(given.seed, 'seed', usage) ?? 1,
    seeds: wholeNumber(given.seeds, 'seeds', usage) ?? (given.seed === undefined ? usual : 1),
  };
}

export interface Run<R extends Report> {
  readonly reports: readonly R[];
  readonly failed: R | undefined;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export async function runSeeds<R extends Report>(
  { from, seeds }: { from: number; seeds: number },
  one: (seed: number) => R | Promise<R>,
): Promise<Run<R>> {
  const reports: R[] = [];
  let failed: R | undefined;
  const startedAt = performance.now();
  const cpuAt = process.cpuUsage();
  for (let seed = from; seed < from + seeds && failed === undefined; seed += 1) {
    const report = await one(seed);
    reports.push(report);
    if (report.failure !== undefined) failed = report;
  }
  const { user, system } = process.cpuUsage(cpuAt);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { reports, failed, seconds, cpuSeconds: (user + system) / 1e6 };
}

export const sumOf = <R>(reports: readonly R[], of: (report: R) => number): number =>
  reports.reduce((total, report) => total + of(report), 0);

export function speed({ reports, seconds, cpuSeconds }: Run<Report>): string {
  const perSecond = (reports.length / seconds).toFixed(1);
  return `${reports.length} seeds in ${seconds.toFixed(1)} s: ${perSecond} seeds/s, ${(reports.length / cpuSeconds).toFixed(1)} per second of CPU`;
}

/** How many seeds have each name, most first. */
export function tally<R>(reports: readonly R[], of: (report: R) => Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const report of reports) for (const name of of(report)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, n]) => `  ${String(n).padStart(6)}  ${((100 * n) / reports.length).toFixed(1).padStart(5)} %  ${name}`)
    .join('\n');
}

/** Exit code, and with a planted bug a word on whether it was found: then that is the success. */
export function outcome({ failed }: Run<Report>, bug: string | undefined): { code: number; said: string | undefined } {
  if (bug === undefined) return { code: failed === undefined ? 0 : 1, said: undefined };
  const found = failed === undefined ? 'NOT found' : `found by seed ${failed.seed}`;
  return { code: failed === undefined ? 1 : 0, said: `\nthe planted bug ${bug} was ${found}` };
}
