// Lists and counts over a search attribute while executions start and move: the load is workflows that upsert it again and again, and beside it one client
// asks, one question after the other. Latencies of the load are the measurement's own; those of the questions are figures beside it.

import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from 'tenuto/client';
import { IndexedValueType } from '../../src/wire/enums.ts';
import { measure } from '../lib/measure.ts';
import { type Driver, type Scenario, type ScenarioContext, STAGE_ATTRIBUTE } from '../lib/model.ts';
import { pathOf } from '../lib/multiples.ts';
import { differentIds } from '../lib/plan.ts';
import type { LoadShape, Measurement } from '../lib/report.ts';
import { parameter, shapeOf, withDriver, withTenuto } from '../lib/scenario.ts';
import type { RunningTenuto } from '../tenuto/system.ts';

const PAGE = 100;
/** Between two questions: the load is what is measured, not how fast one can ask. */
const PAUSE_MS = 20;
const MS = 'ms';

export const searching: Scenario = {
  name: 'searching',
  shows: 'workflows that upsert a search attribute, and lists and counts over it meanwhile',
  runs: 'quick',
  parameters: {
    upserts: { what: 'of each workflow', usual: 5, quick: 5 },
    concurrency: { what: 'workflows at a time', usual: 64, quick: 32 },
  },
  shapes: ['closed', 'open'],
  needs: 'tenuto',
  run: async (context) =>
    await withTenuto(context, async (running, clients) => {
      await register(running);
      const upserts = parameter(context, 'upserts');
      const last = `${STAGE_ATTRIBUTE} = 'stage-${upserts}'`;
      const shape = shapeOf(context.load, parameter(context, 'concurrency'));
      let executed = 0;
      return await withDriver(running.target, async (driver) => {
        const asking = new Asking(driver, `stage-${Math.ceil(upserts / 2)}`, mostOpen(context, shape));
        let measurement: Measurement;
        try {
          measurement = await measure(context, running, clients, {
            scenario: 'searching',
            plan: (prefix) => ({ of: 'execute', kind: 'searched', prefix, count: upserts, payloadBytes: 0 }),
            shape,
            path: pathOf(upserts),
            onAll: (all) => {
              executed += all;
            },
          });
        } finally {
          await asking.end();
        }
        const there = await driver.call({ call: 'count', filter: last });
        if (there !== executed)
          throw new Error(`${executed} workflows came to their last stage, ${String(there)} are counted there`);
        return [{ ...measurement, figures: asking.figures() }];
      });
    }),
};

/** A load that grows, or is offered at a rate, has as many as come. */
const mostOpen = ({ load }: ScenarioContext, shape: LoadShape): number =>
  load.step === 'no' && shape.kind === 'closed' ? shape.concurrency : Number.POSITIVE_INFINITY;

async function register({ node }: RunningTenuto): Promise<void> {
  const connection = await Connection.connect({ address: node.address });
  try {
    const searchAttributes = { [STAGE_ATTRIBUTE]: IndexedValueType.KEYWORD };
    await connection.request('addSearchAttributes', { namespace: 'default', searchAttributes });
  } finally {
    await connection.close();
  }
}

/** One question after the other, from its making until its end. */
class Asking {
  readonly #stop = new AbortController();
  readonly #lists: number[] = [];
  readonly #counts: number[] = [];
  readonly #running: Promise<void>;

  readonly #most: number;

  /** @param most that are open at once */
  constructor(driver: Required<Driver>, stage: string, most: number) {
    this.#most = most;
    this.#running = this.#ask(driver, `${STAGE_ATTRIBUTE} = '${stage}' AND ExecutionStatus = 'Running'`);
    // Awaited by `end`.
    this.#running.catch(() => {});
  }

  /** @throws Error of a question that failed */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  figures(): Measurement['figures'] {
    const of = (what: string, times: number[]): Measurement['figures'] => {
      const sorted = times.toSorted((a, b) => a - b);
      const at = (share: number): number =>
        sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
      const figures = [
        { name: `${what} meanwhile`, value: times.length, unit: '' },
        { name: `${what}, p50`, value: at(0.5), unit: MS },
        { name: `${what}, p99`, value: at(0.99), unit: MS },
      ];
      return figures.filter(({ value }) => Number.isFinite(value));
    };
    return [...of('lists', this.#lists), ...of('counts', this.#counts)];
  }

  async #ask(driver: Required<Driver>, filter: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const list = await timed(this.#lists, () => driver.call({ call: 'list', filter, atMost: PAGE }));
      const found = differentIds(list, '');
      if (!Array.isArray(list) || found !== list.length || found > PAGE)
        throw new Error(`wrong list of ${filter}: ${JSON.stringify(list)}`);
      const count = await timed(this.#counts, () => driver.call({ call: 'count', filter }));
      if (!(typeof count === 'number' && count >= 0 && count <= this.#most))
        throw new Error(`wrong count of ${filter}: ${String(count)}, at most ${this.#most} run at once`);
      await sleep(PAUSE_MS);
    }
  }
}

async function timed(times: number[], call: () => Promise<unknown>): Promise<unknown> {
  const begunAtMs = performance.now();
  const answer = await call();
  times.push(performance.now() - begunAtMs);
  return answer;
}
