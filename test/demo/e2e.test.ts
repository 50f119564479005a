// The demo as a newcomer runs it: real processes, real sockets, real files, from dist/.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../examples/order-fulfillment/supervisor/ports.ts';
import { runNode, startServer } from '../support/processes.ts';
import { DIST, temporaryDir } from './support.ts';

interface Demo {
  output: () => string;
  pid: number;
  ended: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
  /** Resolves when the output matches. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
}

function runDemo(...args: string[]): Demo {
  const child = spawn(process.execPath, [join(DIST, 'main.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let output = '';
  const waiting = new Set<() => void>();
  const take = (data: Buffer) => {
    output += data.toString('utf8');
    for (const check of [...waiting]) check();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    output: () => output,
    pid: child.pid ?? 0,
    ended,
    signal: (name) => void child.kill(name),
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = pattern.exec(output);
          if (!found) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
        ended.then((code) => reject(new Error(`the demo ended with ${code} before it said ${pattern}:\n${output}`)));
      }),
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function childPids(output: string): number[] {
  return [...output.matchAll(/pid (\d+), ready/g)].map((match) => Number(match[1]));
}

/** A free port whose next one is free as well. */
async function freePair(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port < 65_535 && (await freePort(port + 1)) === port + 1) return port;
  }
}

async function until(holds: () => boolean, patienceMs: number): Promise<void> {
  const giveUpAt = Date.now() + patienceMs;
  while (!holds()) {
    if (Date.now() > giveUpAt) throw new Error('it did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('the demo', () => {
  test('runs 25 orders, balances the books, ends with 0 and cleans up', { timeout: 120_000 }, async () => {
    const demo = runDemo('--orders', '25', '--seed', '11');
    expect(await demo.ended, demo.output()).toBe(0);
    const output = demo.output();
    expect(output).toContain('The books balance: 25 orders');
    for (const ending of ['shipped', 'invalid', 'declined', 'shipping timed out']) expect(output).toContain(ending);
    const dataDir = /data in (\S+)/.exec(output)?.[1] ?? '';
    expect(dataDir).toContain('.tenuto');
    expect(existsSync(dataDir)).toBe(false);
    expect(childPids(output)).toHaveLength(4);
    expect(childPids(output).filter(isAlive)).toEqual([]);
  });

  test('balances the books with kills throughout', { timeout: 240_000 }, async () => {
    const demo = runDemo('--orders', '25', '--seed', '12', '--chaos');
    expect(await demo.ended, demo.output()).toBe(0);
    const output = demo.output();
    expect(output).toContain('The books balance: 25 orders');
    expect(output).toMatch(/kill -9 \d+ {2}\((node|worker)\)/);
    expect(output).toMatch(/(node|worker) serves again after \d+ ms/);
    expect(output).toMatch(/So do \d+ other operations\./);
    for (const operations of ['schedules', 'batch jobs', 'resets', 'updates', 'children', 'paused activities'])
      expect(output).toMatch(new RegExp(`${operations}.*✓`));
  });

  test('survives kill -9 of every process by hand, and stays up with --keep until Ctrl-C', {
    timeout: 240_000,
  }, async () => {
    const dataDir = temporaryDir();
    const demo = runDemo('--orders', '25', '--seed', '13', '--keep', '--data-dir', dataDir);
    await demo.says(/worker .*ready/);
    await demo.says(/[1-9]\d*\/25 ended/);
    const victims = childPids(demo.output());
    expect(victims).toHaveLength(4);
    for (const pid of victims) process.kill(pid, 'SIGKILL');
    for (const name of ['payment', 'warehouse', 'node', 'worker']) await demo.says(new RegExp(`${name} is back, pid`));
    await demo.says(/Ctrl-C ends the demo/);
    expect(demo.output()).toContain('The books balance: 25 orders');
    demo.signal('SIGINT');
    expect(await demo.ended, demo.output()).toBe(0);

    // The same directory again: the orders are known, and nothing is done twice.
    const records = readFileSync(join(dataDir, 'payment.jsonl'), 'utf8');
    const again = runDemo('--orders', '10', '--seed', '14', '--data-dir', dataDir);
    expect(await again.ended, again.output()).toBe(0);
    expect(again.output()).toContain('The books balance: 25 orders');
    expect(readFileSync(join(dataDir, 'payment.jsonl'), 'utf8')).toBe(records);
  });

  test('Ctrl-C in the middle ends every process', { timeout: 60_000 }, async () => {
    const demo = runDemo('--seed', '15', '--data-dir', temporaryDir());
    await demo.says(/[1-9]\d*\/300 ended/);
    demo.signal('SIGINT');
    expect(await demo.ended, demo.output()).toBe(130);
    expect(childPids(demo.output()).filter(isAlive)).toEqual([]);
  });

  test('its processes end by themselves when the supervisor is killed', { timeout: 60_000 }, async () => {
    const demo = runDemo('--seed', '16', '--data-dir', temporaryDir());
    await demo.says(/worker .*ready/);
    const pids = childPids(demo.output());
    expect(pids).toHaveLength(4);
    demo.signal('SIGKILL');
    await until(() => !pids.some(isAlive), 10_000);
  });

  test('uses a server and a worker that run elsewhere, again and again', { timeout: 180_000 }, async () => {
    const server = await startServer(['start-dev', '--port', '0']);
    const port = await freePair();
    const env = {
      TENUTO_ADDRESS: server.address,
      PAYMENT_URL: `http://127.0.0.1:${port}`,
      WAREHOUSE_URL: `http://127.0.0.1:${port + 1}`,
    };
    runNode(join(DIST, 'worker.js'), [], { env });
    const ids = new Set<string | undefined>();
    for (let run = 0; run < 2; run += 1) {
      const demo = runDemo(
        ...['--orders', '10', '--seed', '17', '--data-dir', temporaryDir()],
        ...['--address', server.address, '--no-worker', '--services', `127.0.0.1:${port}`],
      );
      expect(await demo.ended, demo.output()).toBe(0);
      expect(demo.output()).toContain(`using the server at ${server.address}`);
      expect(demo.output()).toContain('The books balance: 10 orders');
      expect(childPids(demo.output())).toHaveLength(2);
      ids.add(/ids of this run begin with (order-\w+-)/.exec(demo.output())?.[1]);
    }
    expect(ids.size).toBe(2);
  });

  test('a wrong option is refused before anything starts', async () => {
    const demo = runDemo('--orders', 'many');
    expect(await demo.ended).toBe(2);
    expect(demo.output()).toContain('--orders many: a whole number from 1 to 300 is needed');
  });
});
