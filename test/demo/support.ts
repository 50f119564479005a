// Helpers of the demo's tests: a service in this process or as a process of its own, and requests to it.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Catalogue, Order } from '../../examples/order-fulfillment/model.ts';
import { type Fault, Faults } from '../../examples/order-fulfillment/services/faults.ts';
import { type Domain, Ledger } from '../../examples/order-fulfillment/services/ledger.ts';
import { serve } from '../../examples/order-fulfillment/services/server.ts';

export const DIST = fileURLToPath(new URL('../../dist/examples/order-fulfillment', import.meta.url));

export const CATALOGUE: Catalogue = {
  products: [
    { sku: 'TEA', name: 'Tea', unitPriceCents: 1000, stock: 10, perBox: 2 },
    { sku: 'CUP', name: 'Cup', unitPriceCents: 350, stock: 3, perBox: 1 },
  ],
  carriers: [
    { id: 'post', name: 'Post', priceCents: 500, suspended: false },
    { id: 'ferry', name: 'Ferry', priceCents: 900, suspended: true },
  ],
};

export function orderOf(orderId: string, more: Partial<Order> = {}): Order {
  return {
    orderId,
    placedAt: '2025-03-03T10:00:00.000Z',
    customer: { name: 'Ana', email: 'ana@example.com', street: 'Rua 1', city: 'Porto', country: 'PT' },
    lines: [{ sku: 'TEA', name: 'Tea', quantity: 2, unitPriceCents: 1000 }],
    carrier: 'post',
    shippingCents: 500,
    totalCents: 2500,
    card: { token: 'tok_visa', brand: 'Visa', last4: '4242' },
    ...more,
  };
}

/** A directory for the running test, or with `afterAll` for all tests of a file. */
export function temporaryDir(atEnd: (cleanUp: () => void) => void = onTestFinished): string {
  const dir = mkdtempSync(join(tmpdir(), 'tenuto-demo-'));
  atEnd(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Meets each request with the given faults in turn, then with none. */
export class PlannedFaults extends Faults {
  readonly #plan: Fault[];

  constructor(...plan: Fault[]) {
    super(0, 0);
    this.#plan = plan;
  }

  override next(): Fault {
    return this.#plan.shift() ?? { kind: 'none' };
  }
}

export interface Reply {
  status: number;
  body: Record<string, unknown>;
}

export interface ServiceUnderTest {
  url: string;
  post(path: string, key: string, body: unknown): Promise<Reply>;
  get(path: string): Promise<Reply>;
  faults: string[];
  replayed: () => number;
}

export async function serviceOf<S, E>(
  domain: Domain<S, E>,
  options: { file?: string; faults?: Faults } = {},
): Promise<ServiceUnderTest> {
  const ledger = await Ledger.open(domain, options.file ?? join(temporaryDir(), 'ledger.jsonl'));
  const faults: string[] = [];
  let replayed = 0;
  const server = serve({
    ledger,
    faults: options.faults ?? new Faults(1, 0),
    events: {
      fault: (kind) => faults.push(kind),
      replayed: () => {
        replayed += 1;
      },
      broken: (error) => {
        throw error;
      },
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await ledger.close();
  });
  // A TCP server's address is never a string.
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return { url, ...requestsTo(url), faults, replayed: () => replayed };
}

export function requestsTo(url: string): Pick<ServiceUnderTest, 'post' | 'get'> {
  const reply = async (response: Response): Promise<Reply> => {
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return {
    post: async (path, key, body) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': key };
      return reply(await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) }));
    },
    get: async (path) => reply(await fetch(url + path)),
  };
}

/** A service as the demo runs it, from dist/. */
export async function spawnService(
  args: string[],
): Promise<{ process: ChildProcess; url: string; gone: Promise<void> }> {
  const child = spawn(process.execPath, [join(DIST, 'services', 'main.js'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (data) => {
      const found = /http:\/\/[\d.:]+/.exec(String(data));
      if (found) resolve(found[0]);
    });
    child.once('exit', (code) => reject(new Error(`the service exited with ${code} before it listened`)));
  });
  return { process: child, url, gone };
}
