// What scenarios share: a fresh system with its clients, the shape of the load, and measurements of their own making.

import { availableParallelism } from 'node:os';
import { RunningTenuto, TenutoSystem } from '../tenuto/system.ts';
import { Clients } from './clients.ts';
import type { ClientModule, Driver, LoadFlags, RunningSystem, ScenarioContext, Target } from './model.ts';
import type { LoadShape, Measurement } from './report.ts';

/** Beyond these one client process does not load a node. */
const CORES_FOR_TWO_CLIENTS = 4;

export function clientCount({ clients }: LoadFlags): number {
  return clients ?? (availableParallelism() < CORES_FOR_TWO_CLIENTS ? 1 : 2);
}

/** As the command line says, else so many at a time. */
export function shapeOf({ ratePerSecond, concurrency }: LoadFlags, atATime: number): LoadShape {
  if (ratePerSecond !== undefined) return { kind: 'open', perSecond: ratePerSecond };
  return { kind: 'closed', concurrency: concurrency ?? atATime };
}

/** Of a scenario's parameters. @throws Error for one that the scenario did not declare */
export function parameter({ parameters }: ScenarioContext, name: string): number {
  const value = parameters[name];
  if (value === undefined) throw new Error(`the scenario has no parameter ${name}`);
  return value;
}

/** Starts the context's system with clients, and ends both whatever happens. */
export async function withSystem<T>(
  context: ScenarioContext,
  work: (running: RunningSystem, clients: Clients) => Promise<T>,
): Promise<T> {
  return await withRunning(await context.system.start(), context, work);
}

/** The same with Tenuto, for what reaches behind it. */
export async function withTenuto<T>(
  context: ScenarioContext,
  work: (running: RunningTenuto, clients: Clients) => Promise<T>,
  options: Parameters<TenutoSystem['start']>[0] = {},
): Promise<T> {
  if (!(context.system instanceof TenutoSystem)) throw new Error(`${context.system.name} cannot be looked into`);
  return await withRunning(await RunningTenuto.start(options), context, work);
}

async function withRunning<R extends RunningSystem, T>(
  running: R,
  { load }: ScenarioContext,
  work: (running: R, clients: Clients) => Promise<T>,
): Promise<T> {
  try {
    return await withClients(running.target, clientCount(load), (clients) => work(running, clients));
  } finally {
    await running.stop();
  }
}

export async function withClients<T>(
  target: Target,
  count: number,
  work: (clients: Clients) => Promise<T>,
): Promise<T> {
  const clients = await Clients.connect(target, count);
  try {
    return await work(clients);
  } finally {
    await clients.close();
  }
}

/** A client in this process, to prepare and to check. */
export async function withDriver<T>(
  { module, settings }: Target,
  work: (driver: Required<Driver>) => Promise<T>,
): Promise<T> {
  // Every module of a target is a `ClientModule`.
  const { connect } = (await import(module)) as ClientModule;
  const driver = await connect(settings);
  if (!canCall(driver)) throw new Error('this system can only execute');
  try {
    return await work(driver);
  } finally {
    await driver.close();
  }
}

function canCall(driver: Driver): driver is Required<Driver> {
  return driver.call !== undefined;
}

/** Does `work` for 0 to `count` - 1, so many at a time. */
export async function inLanes(count: number, atATime: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const i = next;
      next += 1;
      await work(i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, count) }, lane));
}

/** What a scenario with a load of its own making knows; the rest is empty. */
export function ownMeasurement(
  { system, parameters }: ScenarioContext,
  own: Pick<Measurement, 'scenario' | 'operation' | 'seconds' | 'figures'> & {
    readonly done: number;
  } & Partial<Measurement>,
): Measurement {
  const { done, figures, ...rest } = own;
  return {
    case: '',
    system: { name: system.name, version: system.version, variant: system.variant },
    round: 1,
    parameters: { ...parameters },
    clients: 1,
    counts: { warmUp: 0, done, all: done, refused: 0 },
    perSecond: own.seconds === 0 ? 0 : done / own.seconds,
    roles: [],
    series: [],
    multiples: [],
    steady: 'not judged',
    steps: [],
    notes: [],
    ...rest,
    // What is unknown here has no figure.
    figures: figures.filter(({ value }) => Number.isFinite(value)),
  };
}
