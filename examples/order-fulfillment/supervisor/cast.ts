// The processes of the demo: what each is started with, in the order in which they depend on one another.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

/** @param dataDir where everything is kept: the node's data, the services' files, everyone's logs */
export async function castOf(dataDir: string, seed: number, events: ChildEvents): Promise<Cast> {
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
  const nodeArgs = [CLI, 'server', 'start-dev', '--port', String(nodePort), '--data-dir', join(dataDir, 'node')];
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
