// Process of one service: `main.js payment|warehouse --file F --ip I --port P --seed S --faults SCALE [--catalogue F]`. Tells the
// supervisor over its IPC channel when it listens and what it does; without one it prints its address.

import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import type { Catalogue } from '../model.ts';
import { report } from '../supervisor/messages.ts';
import { Faults } from './faults.ts';
import { Ledger } from './ledger.ts';
import { paymentDomain } from './payment.ts';
import { serve } from './server.ts';
import { warehouseDomain } from './warehouse.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    file: { type: 'string' },
    ip: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    faults: { type: 'string', default: '1' },
    catalogue: { type: 'string' },
  },
});

async function openLedger(which: string | undefined, file: string, seed: number) {
  switch (which) {
    case 'payment':
      return Ledger.open(paymentDomain, file);
    case 'warehouse': {
      if (values.catalogue === undefined) throw new Error('the warehouse needs --catalogue FILE');
      const catalogue: Catalogue = JSON.parse(readFileSync(values.catalogue, 'utf8'));
      return Ledger.open(warehouseDomain(catalogue, seed), file);
    }
    default:
      throw new Error(`unknown service '${which ?? ''}': payment or warehouse`);
  }
}

if (values.file === undefined) throw new Error('--file FILE is needed: where the service keeps its state');
const seed = Number(values.seed);
// Each kind of ledger serves the same way; only the shape of its effects differs.
const ledger = (await openLedger(positionals[0], values.file, seed)) as Ledger<unknown, unknown>;
const server = serve({
  ledger,
  faults: new Faults(seed, Number(values.faults)),
  events: {
    fault: (fault) => report({ kind: 'fault', fault }),
    replayed: () => report({ kind: 'replayed' }),
    broken: (error) => {
      process.stderr.write(`${positionals[0]}: cannot write ${values.file}: ${String(error)}\n`);
      process.exit(1);
    },
  },
});

server.listen(Number(values.port), values.ip, () => {
  // A TCP server's address is never a string.
  const { port } = server.address() as AddressInfo;
  if (process.send) report({ kind: 'ready', port });
  else process.stdout.write(`${positionals[0]} listens on http://${values.ip}:${port}\n`);
});

process.once('SIGTERM', () => {
  server.close(() => {
    ledger.close().then(() => process.exit(0));
  });
  server.closeAllConnections();
});
