// The order pipeline of the demo on PostgreSQL, with the node and the worker killed throughout. A file of its own: it takes its time while the
// others run.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { sharedPostgres } from '../support/postgres.ts';
import { temporaryDir } from '../support/processes.ts';

const DEMO = fileURLToPath(new URL('../../dist/examples/order-fulfillment/main.js', import.meta.url));

test('a node on PostgreSQL serves the order pipeline with the node and the worker killed throughout', {
  timeout: 180_000,
}, async () => {
  const database = await (await sharedPostgres()).database();
  onTestFinished(() => database.drop());
  const dataDir = temporaryDir();
  const args = ['--orders', '12', '--seed', '7', '--chaos', '--store', database.url, '--data-dir', dataDir];
  const demo = spawn(process.execPath, [DEMO, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void demo.kill('SIGKILL'));
  let output = '';
  for (const stream of [demo.stdout, demo.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data.toString();
    });
  }
  const code = await new Promise((resolve) => demo.once('close', resolve));
  expect(code, output).toBe(0);
  expect(output).toContain('The books balance: 12 orders');
  expect(output + readFileSync(join(dataDir, 'node.log'), 'utf8')).not.toContain(database.password);
  const [rows] = await database.sql('SELECT count(*)::int AS n FROM tenuto_row');
  expect(rows?.n).toBeGreaterThan(100);
});
