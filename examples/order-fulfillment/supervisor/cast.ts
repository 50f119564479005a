// The processes of the demo: what each is started with, in the order in which they depend on one another.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CATALOGUE_FILE, CLI, ROOT } from '../paths.ts';
import { Child, type ChildEvents } from './child.ts';
import type { DemoOptions } from './options.ts';
import { freePort, untilServing } from './ports.ts';

export const DEFAULT_NODE_PORT = 7280;

export interface Cast {
  payment: Child;
  warehouse: Child;
  /** Absent when an existing server is used. */
  node: Child | undefined;
  /** Absent when it runs elsewhere. */
  worker: Child | undefined;
  /** `host:port` of the node, or of the server that was given. */
  address: string;
  files: { payment: string; warehouse: string };
}

/** @param dataDir where everything is kept: the node's data, the services' files, everyone's logs */
export async function castOf(dataDir: string, options: DemoOptions, events: ChildEvents): Promise<Cast> {
  const { seed, services, store } = options;
  const preload = new URL('./exit-with-parent.js', import.meta.url).href;
  const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const logFile = (name: string) => join(dataDir, `${name}.log`);
  const files = { payment: join(dataDir, 'payment.jsonl'), warehouse: join(dataDir, 'warehouse.jsonl') };
  const nodePort = options.address === undefined ? await freePort(DEFAULT_NODE_PORT) : undefined;
  const [paymentPort, warehousePort] =
    services.port === 0 ? [await freePort(), await freePort()] : [services.port, services.port + 1];
  const address = options.address ?? `127.0.0.1:${nodePort}`;
  const child = (name: string, args: string[], ready?: (signal: AbortSignal) => Promise<void>) => {
    const spec = { name, args, cwd: ROOT, logFile: logFile(name), ...(ready ? { ready } : {}) };
    return new Child(spec, preload, events);
  };

  const serviceArgs = (name: 'payment' | 'warehouse', port: number) => [
    script('../services/main.js'),
    name,
    ...['--file', files[name]],
    ...['--ip', services.ip],
    ...['--port', String(port)],
    ...['--seed', String(seed)],
    ...['--catalogue', CATALOGUE_FILE],
  ];
  const nodeArgs = [
    CLI,
    'server',
    ...(store === undefined
      ? ['start-dev', '--port', String(nodePort), '--data-dir', join(dataDir, 'node')]
      : ['start', '--config', await onDatabase(join(dataDir, 'node.json'), nodePort ?? 0, store)]),
  ];
  const servicesHost = services.ip === '0.0.0.0' ? '127.0.0.1' : services.ip;
  const workerArgs = [
    script('../worker.js'),
    ...['--address', address],
    ...['--payment', `http://${servicesHost}:${paymentPort}`],
    ...['--warehouse', `http://${servicesHost}:${warehousePort}`],
    ...(options.mode === 'chaos' ? ['--operations'] : []),
  ];
  return {
    payment: child('payment', serviceArgs('payment', paymentPort)),
    warehouse: child('warehouse', serviceArgs('warehouse', warehousePort)),
    node:
      nodePort === undefined
        ? undefined
        : child('node', nodeArgs, (signal) => untilServing(`http://${address}/readyz`, signal)),
    worker: options.worker === 'own' ? child('worker', workerArgs) : undefined,
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
