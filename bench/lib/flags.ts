// The command line: what it says, checked, with messages that name the flag and what would be right.

import { parseArgs } from 'node:util';
import { msToNumber } from '../../sdk/common/time.ts';
import { choosePeers, type PeerRequest } from '../peers/choice.ts';
import type { LoadFlags, Parameter, Scenario } from './model.ts';

export interface Flags {
  readonly show: 'help' | 'list' | 'run';
  /** By name, as asked for, or those of the mode. */
  readonly scenarios: readonly Scenario[];
  readonly mode: 'quick' | 'usual';
  readonly load: LoadFlags;
  /** Parameters of scenarios, by name. */
  readonly set: ReadonlyMap<string, number>;
  readonly peers: readonly PeerRequest[];
  readonly jsonFile: string | undefined;
  readonly htmlFile: string | undefined;
  readonly baselineFile: string | undefined;
}

/** What a user typed cannot be meant. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const OPTIONS = {
  quick: { type: 'boolean' },
  rate: { type: 'string' },
  concurrency: { type: 'string' },
  clients: { type: 'string' },
  duration: { type: 'string' },
  step: { type: 'boolean' },
  set: { type: 'string', multiple: true },
  peer: { type: 'string', multiple: true },
  address: { type: 'string' },
  json: { type: 'string' },
  html: { type: 'string' },
  baseline: { type: 'string' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

const MOST_CLIENTS = 64;
const SHORTEST_MS = 200;

export interface Known {
  readonly scenarios: readonly Scenario[];
}

/** @throws UsageError */
export function parseFlags(args: readonly string[], known: Known): Flags {
  const { values, positionals } = parsed(args);
  const show = values.help ? 'help' : values.list ? 'list' : 'run';
  const mode = values.quick ? 'quick' : 'usual';
  const ratePerSecond = positive('rate', values.rate);
  const concurrency = whole('concurrency', values.concurrency);
  const clients = whole('clients', values.clients, MOST_CLIENTS);
  if (ratePerSecond !== undefined && concurrency !== undefined)
    throw new UsageError('--rate and --concurrency exclude each other: a load has a rate, or so many at a time');
  const step = values.step ? 'until the knee' : 'no';
  const load: LoadFlags = { ratePerSecond, concurrency, clients, durationMs: duration(values.duration), step };
  const scenarios = chosen(positionals, mode, known.scenarios);
  if (positionals.length > 0) fits(load, scenarios);
  const set = settings(values.set ?? [], scenarios);
  const choice = choosePeers(values.peer ?? [], values.address);
  if (choice.is === 'wrong') throw new UsageError(choice.why);
  return {
    show,
    scenarios,
    mode,
    load,
    set,
    peers: choice.peers,
    jsonFile: values.json,
    htmlFile: values.html,
    baselineFile: values.baseline,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  } catch (error) {
    const [, unknown] = /Unknown option '([^']+)'/.exec(error instanceof Error ? error.message : '') ?? [];
    if (unknown !== undefined) throw new UsageError(`there is no option ${unknown}; --help lists them`);
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function chosen(names: readonly string[], mode: Flags['mode'], all: readonly Scenario[]): readonly Scenario[] {
  if (names.length === 0) return all.filter(({ runs }) => runs === 'quick' || (mode === 'usual' && runs === 'usual'));
  return names.map((name) => {
    const scenario = all.find((each) => each.name === name);
    if (scenario === undefined) throw new UsageError(`there is no scenario ${name}; --list shows them`);
    return scenario;
  });
}

/** Who names a scenario is told when it does not take the load that is asked for. */
function fits(
  { ratePerSecond, concurrency, clients, durationMs, step }: LoadFlags,
  scenarios: readonly Scenario[],
): void {
  for (const { name, shapes } of scenarios) {
    if (ratePerSecond !== undefined && !shapes.includes('open'))
      throw new UsageError(`scenario ${name} takes no --rate`);
    if (concurrency !== undefined && !shapes.includes('closed'))
      throw new UsageError(`scenario ${name} takes no --concurrency`);
    if (step !== 'no' && shapes.length === 0) throw new UsageError(`scenario ${name} takes no --step`);
  }
  // Of several it is enough that one takes them.
  if (scenarios.some(({ shapes, ownLoads }) => shapes.length > 0 || ownLoads === 'by time')) return;
  const names = scenarios.map(({ name }) => name).join(', ');
  if (durationMs !== undefined) throw new UsageError(`--duration means nothing to ${names}: what it does is counted`);
  if (clients !== undefined) throw new UsageError(`--clients means nothing to ${names}: it has no load`);
}

function settings(all: readonly string[], scenarios: readonly Scenario[]): ReadonlyMap<string, number> {
  return new Map(
    all.map((setting) => {
      const [, name = '', value = ''] = /^([^=]+)=(.+)$/.exec(setting) ?? [];
      if (name === '') throw new UsageError(`--set must be like concurrency=64, got '${setting}'`);
      const meant = scenarios.flatMap(({ parameters }) => parameters[name] ?? []);
      if (meant.length === 0) {
        const all = [...new Set(scenarios.flatMap(({ parameters }) => Object.keys(parameters)))];
        throw new UsageError(`no scenario of this run has a parameter ${name}; there are: ${orNone(all)}`);
      }
      for (const parameter of meant) settable(name, value, parameter);
      return [name, Number(value)];
    }),
  );
}

function settable(name: string, value: string, { is = 'a count', atMost = Number.POSITIVE_INFINITY }: Parameter): void {
  const flag = `--set ${name}`;
  const most = atMost === Number.POSITIVE_INFINITY ? undefined : atMost.toLocaleString('en-US');
  if (is === 'an amount') {
    const must = `a number greater than 0${most === undefined ? '' : `, ${most} at most`}`;
    numberOf(flag, value, (n) => n > 0 && n <= atMost && Number.isFinite(n), must);
    return;
  }
  const least = is === 'a count' ? 1 : 0;
  const must = most === undefined ? `a whole number of at least ${least}` : `a whole number from ${least} to ${most}`;
  numberOf(flag, value, (n) => Number.isInteger(n) && n >= least && n <= atMost, must);
}

function positive(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  return numberOf(`--${name}`, value, (n) => Number.isFinite(n) && n > 0, 'a number greater than 0');
}

function whole(name: string, value: string | undefined, most = Number.MAX_SAFE_INTEGER): number | undefined {
  if (value === undefined) return undefined;
  const what = most === Number.MAX_SAFE_INTEGER ? 'a whole number of at least 1' : `a whole number from 1 to ${most}`;
  return numberOf(`--${name}`, value, (n) => Number.isInteger(n) && n >= 1 && n <= most, what);
}

function numberOf(what: string, value: string, right: (n: number) => boolean, must: string): number {
  const n = value.trim() === '' ? Number.NaN : Number(value);
  if (!right(n)) throw new UsageError(`${what} must be ${must}, got '${value}'`);
  return n;
}

function duration(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const wrong = `--duration must be like 30s, 10m or 2h, at least ${SHORTEST_MS}ms, got '${value}'`;
  let ms: number;
  try {
    ms = msToNumber(value);
  } catch {
    throw new UsageError(wrong);
  }
  if (!/[a-z]/.test(value) || ms < SHORTEST_MS) throw new UsageError(wrong);
  return ms;
}

function orNone(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}
