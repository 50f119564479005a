// What the operations of one load are, as data that goes to the client processes: the n-th call of a client, and what must come of it.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BusyError, type Call, type Driver, expectedOf, type WorkflowKind, type WorkInput } from './model.ts';

export type Plan =
  /** Workflows, from the start to the result. `prefix` makes their ids. */
  | {
      readonly of: 'execute';
      readonly kind: WorkflowKind;
      readonly prefix: string;
      readonly count: number;
      readonly payloadBytes: number;
    }
  /** Only started. */
  | { readonly of: 'start'; readonly kind: WorkflowKind; readonly prefix: string; readonly count: number }
  /** To `targets` workflows in turn: `targetId(prefix, i)`. */
  | { readonly of: 'signal'; readonly prefix: string; readonly targets: number }
  /** Of the same: each answers with a count that has it. */
  | { readonly of: 'update'; readonly prefix: string; readonly targets: number }
  /** Of the same; each must answer `expected`. */
  | { readonly of: 'query'; readonly prefix: string; readonly targets: number; readonly expected: number }
  /** Remote steps without a workflow, from the start to the outcome. `prefix` makes their ids. */
  | { readonly of: 'activity'; readonly prefix: string }
  /** Of `targets` workflows in turn: each is sent back to its first task. */
  | { readonly of: 'reset'; readonly prefix: string; readonly targets: number }
  | { readonly of: 'count'; readonly filter: string; readonly expected: number }
  /** The first page of so many. */
  /** `prefix`: of every id that may be in it. */
  | {
      readonly of: 'list';
      readonly filter: string;
      readonly atMost: number;
      readonly expected: number;
      readonly prefix: string;
    };

/** In a client process. */
export interface Operations {
  /** @throws Error that names the workflow when the result is wrong */
  run(n: number): Promise<void>;
  /** Refused because the system was full, and tried again; so far. */
  readonly refused: number;
  /** What every operation takes by its nature, and is no latency: the sleep of a timer. */
  readonly sleepsMs: number;
}

/** A refused call is tried again after so long, doubling, each time at least half of it, at random. */
const RETRY_FIRST_MS = 10;
const RETRY_MOST_MS = 1_000;
/** A system that is full for so long does not work. */
const RETRY_PATIENCE_MS = 240_000;

export function targetId(prefix: string, i: number): string {
  return `${prefix}-${i}`;
}

/** @param client a number of its own for each client process */
export function operationsOf(plan: Plan, driver: Driver, client: number): Operations {
  const once = onceOf(plan, driver, client);
  const sleepsMs = plan.of === 'execute' && plan.kind === 'timer' ? plan.count : 0;
  let refused = 0;
  return {
    sleepsMs,
    get refused(): number {
      return refused;
    },
    run: async (n) => {
      const giveUpAtMs = performance.now() + RETRY_PATIENCE_MS;
      for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(RETRY_MOST_MS, 2 * waitMs)) {
        try {
          return await once(n);
        } catch (error) {
          if (!(error instanceof BusyError) || performance.now() > giveUpAtMs) throw error;
          refused += 1;
          await sleep(waitMs * (0.5 + Math.random() / 2));
        }
      }
    },
  };
}

function onceOf(plan: Plan, driver: Driver, client: number): (n: number) => Promise<void> {
  const call = (what: Call): Promise<unknown> => {
    if (driver.call === undefined) throw new Error(`this system knows no ${what.call}`);
    return driver.call(what);
  };
  switch (plan.of) {
    case 'execute': {
      const { kind, prefix, count, payloadBytes } = plan;
      // LevelDB compresses; random text hardly shrinks.
      const filler = randomBytes(Math.ceil((payloadBytes * 3) / 4)).toString('base64');
      return async (n) => {
        const id = `${prefix}-${client}-${n}`;
        const input: WorkInput = { value: id + filler.slice(0, Math.max(0, payloadBytes - id.length)), count };
        same(id, await driver.execute({ kind, id, input }), expectedOf({ kind, input }));
      };
    }
    case 'start': {
      const { kind, prefix, count } = plan;
      return async (n) => {
        const id = `${prefix}-${client}-${n}`;
        await call({ call: 'start', work: { kind, id, input: { value: id, count } } });
      };
    }
    case 'signal':
      return async (n) => {
        await call({ call: 'signal', id: targetId(plan.prefix, (client + n) % plan.targets), name: 'add' });
      };
    case 'update':
      return async (n) => {
        const id = targetId(plan.prefix, (client + n) % plan.targets);
        const counted = await call({ call: 'update', id, name: 'addNow' });
        if (!(typeof counted === 'number' && counted >= 1)) {
          throw new Error(`wrong result: an update of ${id} returned ${brief(counted)}, expected how many there were`);
        }
      };
    case 'query':
      return async (n) => {
        const id = targetId(plan.prefix, (client + n) % plan.targets);
        same(id, await call({ call: 'query', id, name: 'seen' }), plan.expected);
      };
    case 'activity':
      return async (n) => {
        const id = `${plan.prefix}-${client}-${n}`;
        same(id, await call({ call: 'activity', id, input: { value: id, n } }), { value: id, n: n + 1 });
      };
    case 'reset':
      return async (n) => {
        await call({ call: 'reset', id: targetId(plan.prefix, (client + n) % plan.targets) });
      };
    case 'count':
      return async () => same(plan.filter, await call({ call: 'count', filter: plan.filter }), plan.expected);
    case 'list':
      return async () => {
        const { filter, atMost, expected, prefix } = plan;
        same(`the list of ${filter}`, differentIds(await call({ call: 'list', filter, atMost }), prefix), expected);
      };
  }
}

/** How many different ids a list has, if each begins so; else -1. */
export function differentIds(list: unknown, prefix: string): number {
  if (!Array.isArray(list) || !list.every((id) => typeof id === 'string' && id.startsWith(prefix))) return -1;
  return new Set(list).size;
}

/** Key order does not matter, nor does what a system adds. @throws Error naming what was wrong */
export function same(
  of: string,
  got: unknown,
  expected: number | { readonly value: string; readonly n: number },
): void {
  const right =
    typeof expected === 'number'
      ? got === expected
      : typeof got === 'object' &&
        got !== null &&
        'value' in got &&
        'n' in got &&
        got.value === expected.value &&
        got.n === expected.n;
  if (!right) throw new Error(`wrong result: ${of} returned ${brief(got)}, expected ${brief(expected)}`);
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}
