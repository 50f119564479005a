// The load: the order pipeline of examples/order-fulfillment with its two services and a worker, and its audit at the end.

import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type Connection } from 'tenuto/client';
import { audit } from '../../../examples/order-fulfillment/audit/audit.ts';
import { readBooks } from '../../../examples/order-fulfillment/audit/books.ts';
import { type Catalogue, type Order, workflowIdOf } from '../../../examples/order-fulfillment/model.ts';
import { CATALOGUE_FILE, ORDERS_FILE } from '../../../examples/order-fulfillment/paths.ts';
import { Child } from '../../../examples/order-fulfillment/supervisor/child.ts';
import type { Desk, Outcome } from '../../../examples/order-fulfillment/supervisor/desk.ts';
import { type Build, type ClientLibrary, demoOf, OWN } from './build.ts';
import { chainOf, gapsOf } from './ledger.ts';
import { freePort, LOCALHOST } from './network.ts';
import { EXIT_WITH_PARENT } from './node-process.ts';

/** Shorter than the demo's: a run ends no earlier than the order whose parcel is never picked up. */
const POLICY = { approvalThresholdCents: 100_000, approvalTimeoutMs: 5_000, orderTimeoutMs: 15_000 };
const READS_AT_ONCE = 8;

export interface OrdersOptions {
  readonly count: number;
  /** Under way at once. */
  readonly concurrency: number;
  readonly seed: number;
  readonly directory: string;
}

export interface OrdersReport {
  readonly ended: number;
  /** Calls that the shop's client had to repeat. */
  readonly repeatedCalls: number;
  readonly problems: string[];
}

export class Orders {
  readonly #options: OrdersOptions;
  readonly #orders: readonly Order[];
  readonly #files: { payment: string; warehouse: string };
  readonly #children: Child[] = [];
  readonly #urls: string[] = [];
  readonly #stop = new AbortController();
  #worker: Child | undefined;
  #desk: Desk | undefined;
  #ending: Promise<Map<string, Outcome>> | undefined;

  constructor(options: OrdersOptions) {
    const { directory, count } = options;
    this.#options = options;
    // Every order under way listens to it.
    setMaxListeners(0, this.#stop.signal);
    this.#files = { payment: join(directory, 'payment.jsonl'), warehouse: join(directory, 'warehouse.jsonl') };
    const { orders } = JSON.parse(readFileSync(ORDERS_FILE, 'utf8')) as { orders: Order[] };
    this.#orders = orders.slice(0, count);
  }

  /** Both services; resolves when they serve. */
  async startServices(): Promise<void> {
    const start = async (name: 'payment' | 'warehouse'): Promise<void> => {
      const port = await freePort(LOCALHOST);
      const args = [join(demoOf(OWN), 'services/main.js'), name, '--file', this.#files[name], '--port', String(port)];
      this.#urls.push(`--${name}`, `http://${LOCALHOST}:${port}`);
      await this.#child(name, [...args, '--seed', String(this.#options.seed), '--catalogue', CATALOGUE_FILE]);
    };
    await Promise.all([start('payment'), start('warehouse')]);
  }

  /** A worker that serves all nodes; resolves when it is ready. */
  async startWorker(
    addresses: readonly string[],
    { build = OWN, name = 'worker', more = [] }: { build?: Build; name?: string; more?: readonly string[] } = {},
  ): Promise<void> {
    const args = ['--address', addresses.join(','), ...this.#urls, ...more];
    this.#worker = await this.#child(name, [join(demoOf(build), 'worker.js'), ...args]);
  }

  /** Of the worker that runs now; undefined: none does. */
  get workerPid(): number | undefined {
    return this.#worker?.pid;
  }

  /** Orders begin to come in, to a shop that is of the same build as its connection. */
  open(connection: Connection, library: Pick<ClientLibrary, 'Client' | 'Desk'>): void {
    const { concurrency, seed } = this.#options;
    const { signal } = this.#stop;
    const client = new library.Client({ connection });
    this.#desk = new library.Desk({ client, orders: this.#orders, policy: POLICY, concurrency, seed, signal });
    this.#ending = this.#desk.run();
    // Awaited by `close`, which may be long after.
    this.#ending.catch(() => {});
  }

  /** Resolves when all orders have ended, with what the audit found. Rejects after `boundMs`. */
  async close(connection: Connection, boundMs: number): Promise<OrdersReport> {
    const late = setTimeout(() => {
      const open = [...(this.#desk?.standings ?? [])].filter(([, { phase }]) => phase !== 'ended').map(([id]) => id);
      const message = `${open.length} orders have not ended ${boundMs} ms after the last fault: ${open.slice(0, 8).join(', ')}`;
      this.#stop.abort(new Error(message));
    }, boundMs);
    try {
      const outcomes = (await this.#ending) ?? new Map<string, Outcome>();
      const catalogue = JSON.parse(readFileSync(CATALOGUE_FILE, 'utf8')) as Catalogue;
      const report = audit({ orders: this.#orders, catalogue, outcomes, books: readBooks(this.#files) });
      const problems = report.discrepancies.map(({ orderId, what }) => `audit: ${orderId ?? 'in all'}: ${what}`);
      problems.push(...(await this.#readHistories(connection)));
      return { ended: outcomes.size, repeatedCalls: this.#desk?.repeatedCalls ?? 0, problems };
    } finally {
      clearTimeout(late);
    }
  }

  async end(): Promise<void> {
    this.#stop.abort(new Error('the run is over'));
    await Promise.all(this.#children.map((child) => child.end()));
  }

  async #readHistories(connection: Connection): Promise<string[]> {
    const client = new Client({ connection });
    const problems: string[] = [];
    const todo = this.#orders.values();
    const lane = async (): Promise<void> => {
      for (const { orderId } of todo) {
        const workflowId = workflowIdOf(orderId);
        try {
          problems.push(...gapsOf(workflowId, (await client.workflow.getHandle(workflowId).fetchHistory()).events));
        } catch (error) {
          problems.push(`${workflowId}: its history cannot be read: ${chainOf(error)}`);
        }
      }
    };
    await Promise.all(Array.from({ length: READS_AT_ONCE }, lane));
    return problems;
  }

  async #child(name: string, args: string[]): Promise<Child> {
    const { directory } = this.#options;
    const child = new Child({ name, args, cwd: directory, logFile: join(directory, `${name}.log`) }, EXIT_WITH_PARENT, {
      message: () => {},
      died: () => {},
      revived: () => {},
      lost: (_child, why) => this.#stop.abort(why),
    });
    this.#children.push(child);
    await child.start();
    return child;
  }
}
