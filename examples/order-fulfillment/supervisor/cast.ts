// The processes of the demo: what each is started with, in the order in which they depend on one another.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CATALOGUE_FILE, CLI, ROOT } from '../paths.ts';
import { Child, type ChildEvents } from './child.ts';
import { freePort, untilServing } from './ports.ts';

export const DEFAULT_NODE_PORT = 7280;

export interface Cast {
  payment: Child;
  warehouse: Child;
  node: Child;
  worker: Child;
  /** `host:port` of the node. */
  address: string;
  files: { payment: string; warehouse: string };
}

export interface Setting {
  /** Where everything is kept: the node's data, the services' files, everyone's logs. */
  dataDir: string;
  /** The node's data in PostgreSQL instead. */
  store: string | undefined;
  seed: number;
}

export async function castOf({ dataDir, store, seed }: Setting, events: ChildEvents): Promise<Cast> {
  const preload = new URL('./exit-with-parent.js', import.meta.url).href;
  const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const logFile = (name: string) => join(dataDir, `${name}.log`);
  const files = { payment: join(dataDir, 'payment.jsonl'), warehouse: join(dataDir, 'warehouse.jsonl') };
  const [nodePort, paymentPort, warehousePort] = [
    await freePort(DEFAULT_NODE_PORT),
    await freePort(),
    await freePort(),
  ];
  const address = `127.0.0.1:${nodePort}`;
  const child = (name: string, args: string[], ready?: (signal: AbortSignal) => Promise<void>) => {
    const spec = { name, args, cwd: ROOT, logFile: logFile(name), ...(ready ? { ready } : {}) };
    return new Child(spec, preload, events);
  };

  const serviceArgs = (name: 'payment' | 'warehouse', port: number) => [
    script('../services/main.js'),
    name,
    ...['--file', files[name]],
    ...['--port', String(port)],
    ...['--seed', String(seed)],
    ...['--catalogue', CATALOGUE_FILE],
  ];
  const nodeArgs = [
    CLI,
    'server',
    ...(store === undefined
      ? ['start-dev', '--port', String(nodePort), '--data-dir', join(dataDir, 'node')]
      : ['start', '--config', await onDatabase(join(dataDir, 'node.json'), nodePort, store)]),
  ];
  const workerArgs = [
    script('../worker.js'),
    ...['--address', address],
    ...['--payment', `http://127.0.0.1:${paymentPort}`],
    ...['--warehouse', `http://127.0.0.1:${warehousePort}`],
  ];
  return {
    payment: child('payment', serviceArgs('payment', paymentPort)),
    warehouse: child('warehouse', serviceArgs('warehouse', warehousePort)),
    node: child('node', nodeArgs, (signal) => untilServing(`http://${address}/readyz`, signal)),
    worker: child('worker', workerArgs),
    address,
    files,
  };
}

/** Makes the tables and a configuration for the node; JSON is YAML too. Only its owner may read it: there is a password in it. */
async function onDatabase(file: string, port: number, url: string): Promise<string> {
  const config = { listen: { port }, store: { postgres: { url } }, log: { level: 'warn' } };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  const migrate = [CLI, 'data', 'migrate', '--output', 'none'];
  await promisify(execFile)(process.execPath, migrate, { env: { ...process.env, TENUTO_POSTGRES_URL: url } });
  return file;
}
