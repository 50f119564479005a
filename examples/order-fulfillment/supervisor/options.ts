// The demo's command line.

import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** How many orders of the data file to run, from its beginning. */
  orders: number;
  /** Seeds the services' faults, the approver's decisions and the kills. */
  seed: number;
  mode: 'calm' | 'chaos';
  atEnd: 'stop' | 'stay up';
  /** Where the node's and the services' data go; without one a directory of the run's own, removed when all went well. */
  dataDir: string | undefined;
  /** `postgres://…`: the node keeps its data there; its tables are made if need be. */
  store: string | undefined;
  /** Orders in flight at once. */
  concurrency: number;
  /** Of a server or cluster that is there already; without one the demo starts a node. */
  address: string | undefined;
  worker: 'own' | 'elsewhere';
  services: ServicesAddress;
}

/** Where the payment service listens; the warehouse on the next port. Port 0: both on free ones. */
export interface ServicesAddress {
  ip: string;
  port: number;
}

export type Parsed = { kind: 'run'; options: DemoOptions } | { kind: 'help' } | { kind: 'usage'; message: string };

const MAX_CONCURRENCY = 1_000;
const MAX_SEED = 2 ** 31 - 1;

export const HELP = `Order fulfilment on Tenuto: a node, a worker, a payment and a warehouse service, and a few hundred orders.

  npm start -- [options]

  --orders N        run the first N orders of the data file (default: all)
  --concurrency N   orders in flight at once (default: 48)
  --chaos           SIGKILL the node and the worker at random moments throughout, and restart them; beside the orders every
                    other operation is under way and audited: updates, schedules, batch jobs, resets, children, …
  --seed S          seeds faults, approvals and kills (default: random; it is printed)
  --keep            stay up after the audit, to look around with the CLI; Ctrl-C ends it
  --data-dir DIR    keep all data in DIR; a second run there finds the orders of the first
  --store URL       the node keeps its data in PostgreSQL (postgres://user:password@host:port/database)
  --address ADDR    use the server or cluster at HOST:PORT instead of a node of the demo's own
  --no-worker       start no worker: one runs elsewhere, and reaches the services by PAYMENT_URL and WAREHOUSE_URL
  --services ADDR   IP:PORT where the payment service listens, the warehouse on PORT + 1 (default: free ports)
  --help            this text

Exit code: 0 when every order ended and the books balance, 1 when not, 2 for a wrong command line, 130 after Ctrl-C.
`;

/** @param available number of orders in the data file */
export function parseOptions(argv: readonly string[], available: number): Parsed {
  let values: ReturnType<typeof parse>['values'];
  try {
    values = parse(argv).values;
  } catch (error) {
    return { kind: 'usage', message: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return { kind: 'help' };
  const orders = wholeNumber('orders', values.orders, { least: 1, most: available, otherwise: available });
  const concurrency = wholeNumber('concurrency', values.concurrency, {
    least: 1,
    most: MAX_CONCURRENCY,
    otherwise: 48,
  });
  const random = 1 + Math.floor(Math.random() * 999_999);
  const seed = wholeNumber('seed', values.seed, { least: 0, most: MAX_SEED, otherwise: random });
  for (const value of [orders, concurrency, seed])
    if (typeof value === 'string') return { kind: 'usage', message: value };
  const services = servicesAddress(values.services);
  if (typeof services === 'string') return { kind: 'usage', message: services };
  const { address } = values;
  const worker = values['no-worker'] ? 'elsewhere' : 'own';
  if (values.store !== undefined && address !== undefined) {
    return { kind: 'usage', message: "--store is for the demo's own node: leave out --address" };
  }
  if (values.chaos && (address !== undefined || worker === 'elsewhere')) {
    return {
      kind: 'usage',
      message: "--chaos kills the demo's own node and worker: leave out --address and --no-worker",
    };
  }
  return {
    kind: 'run',
    options: {
      orders: Number(orders),
      seed: Number(seed),
      mode: values.chaos ? 'chaos' : 'calm',
      atEnd: values.keep ? 'stay up' : 'stop',
      dataDir: values['data-dir'],
      store: values.store,
      concurrency: Number(concurrency),
      address,
      worker,
      services,
    },
  };
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    strict: true,
    options: {
      orders: { type: 'string' },
      concurrency: { type: 'string' },
      seed: { type: 'string' },
      chaos: { type: 'boolean' },
      keep: { type: 'boolean' },
      'data-dir': { type: 'string' },
      store: { type: 'string' },
      address: { type: 'string' },
      'no-worker': { type: 'boolean' },
      services: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

/** The address, or a sentence saying what is wrong with it. */
function servicesAddress(text: string | undefined): ServicesAddress | string {
  if (text === undefined) return { ip: '127.0.0.1', port: 0 };
  const match = /^([0-9A-Za-z.-]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  // The warehouse takes the next one.
  if (match?.[1] !== undefined && port >= 1 && port <= 65_534) return { ip: match[1], port };
  return `--services ${text}: IP:PORT is needed, with a port from 1 to 65534`;
}

/** The number, or a sentence saying what is wrong with it. */
function wholeNumber(
  name: string,
  text: string | undefined,
  bounds: { least: number; most: number; otherwise: number },
): number | string {
  if (text === undefined) return bounds.otherwise;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= bounds.least && value <= bounds.most) return value;
  return `--${name} ${text}: a whole number from ${bounds.least} to ${bounds.most} is needed`;
}
