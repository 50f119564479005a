// One run of the demo: start everything, put the orders through, audit, and end everything again, whatever happened.

import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import pc from 'picocolors';
import { Client, Connection } from 'tenuto/client';
import { type AuditReport, audit } from '../audit/audit.ts';
import { readBooks } from '../audit/books.ts';
import { summaryOf } from '../audit/summary.ts';
import { type Catalogue, type FulfilmentPolicy, type Order, workflowIdOf } from '../model.ts';
import { Operations } from '../operations/operations.ts';
import { CATALOGUE_FILE, ORDERS_FILE, ROOT } from '../paths.ts';
import { abortable } from './abortable.ts';
import { type Cast, castOf, DEFAULT_NODE_PORT } from './cast.ts';
import { runChaos } from './chaos.ts';
import type { Child } from './child.ts';
import { Desk, type Outcome } from './desk.ts';
import { type DemoOptions, HELP, parseOptions } from './options.ts';
import { Tally } from './tally.ts';
import { View } from './view.ts';

const POLICY: FulfilmentPolicy = {
  approvalThresholdCents: 100_000,
  approvalTimeoutMs: 8_000,
  orderTimeoutMs: 20_000,
};
/** The newest order that ended may be this long ago before the run is given up as stuck. */
const STUCK_AFTER_MS = 120_000;

const ExitCode = { OK: 0, FAILED: 1, USAGE: 2, INTERRUPTED: 130 } as const;

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export async function runDemo(argv: readonly string[]): Promise<number> {
  const available: Order[] = JSON.parse(readFileSync(ORDERS_FILE, 'utf8')).orders;
  const parsed = parseOptions(argv, available.length);
  switch (parsed.kind) {
    case 'help':
      process.stdout.write(HELP);
      return ExitCode.OK;
    case 'usage':
      process.stderr.write(`${parsed.message}\n(see npm start -- --help)\n`);
      return ExitCode.USAGE;
    case 'run':
      return new Run(parsed.options, available).toTheEnd();
  }
}

class Run {
  readonly #options: DemoOptions;
  readonly #orders: readonly Order[];
  readonly #dataDir: string;
  /** Part of the workflows' ids. */
  readonly #id: string;
  readonly #view = new View();
  readonly #tally = new Tally();
  /** Ends the run early: Ctrl-C, or a process that cannot be kept alive. */
  /** Every order under way listens to it. */
  readonly #stop = stopSignal();
  readonly #startedAt = performance.now();
  #children: Child[] = [];
  #balanced = false;
  #interrupts = 0;

  constructor(options: DemoOptions, available: readonly Order[]) {
    this.#options = options;
    this.#dataDir = resolve(options.dataDir ?? join(ROOT, '.tenuto', `demo-${stamp()}-${process.pid}`));
    mkdirSync(this.#dataDir, { recursive: true });
    const earlier = earlierRun(this.#dataDir);
    this.#orders = available.slice(0, Math.max(options.orders, earlier?.orders ?? 0));
    this.#id = earlier?.id ?? newRunId(options);
    writeFileSync(runFile(this.#dataDir), `${JSON.stringify({ orders: this.#orders.length, id: this.#id })}\n`);
  }

  async toTheEnd(): Promise<number> {
    const onSignal = () => this.#interrupt();
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) process.on(signal, onSignal);
    try {
      const report = await this.#run();
      this.#balanced = report.discrepancies.length === 0;
      return this.#balanced ? ExitCode.OK : ExitCode.FAILED;
    } catch (error) {
      this.#view.finish();
      const reason = this.#stop.signal.aborted ? this.#stop.signal.reason : error;
      if (reason instanceof Interrupted) {
        this.#view.say(pc.yellow('\nInterrupted: the orders under way stay as they are in the data directory.'));
        return ExitCode.INTERRUPTED;
      }
      this.#view.say(pc.red(`\nThe demo failed: ${reason instanceof Error ? reason.message : String(reason)}`));
      return ExitCode.FAILED;
    } finally {
      await this.#endAll();
      for (const signal of signals) process.off(signal, onSignal);
    }
  }

  async #run(): Promise<AuditReport> {
    const options = this.#options;
    const chaos = options.mode === 'chaos' ? ', with kill -9 throughout' : '';
    this.#view.say(pc.bold(`Order fulfilment on Tenuto: ${this.#orders.length} orders, seed ${options.seed}${chaos}`));
    this.#view.say(pc.dim(`data in ${this.#shownDataDir}\n`));
    const cast = await this.#startAll();
    const connection = await Connection.connect({ address: cast.address });
    try {
      const report = await this.#putThrough(cast, connection);
      if (options.atEnd === 'stay up') await this.#stayUp(cast);
      return report;
    } finally {
      // A node that is gone cannot be said good-bye to; nothing depends on it any more.
      await connection.close().catch(() => {});
    }
  }

  async #startAll(): Promise<Cast> {
    const cast = await castOf(this.#dataDir, this.#options, {
      message: (_child, message) => this.#tally.add(message),
      died: (child, how) => {
        this.#tally.died(child.name);
        this.#view.event(pc.red(`✗ ${child.name} ${how}; starting it again`));
      },
      revived: (child) => {
        if (this.#options.mode === 'calm') this.#view.event(pc.green(`✓ ${child.name} is back, pid ${child.pid}`));
      },
      lost: (_child, why) => this.#stop.abort(why),
    });
    const port = Number(cast.address.split(':')[1]);
    if (cast.node !== undefined && port !== DEFAULT_NODE_PORT) {
      this.#view.say(pc.yellow(`Port ${DEFAULT_NODE_PORT} is taken; the node of this demo listens on ${port}.`));
    }
    if (cast.node === undefined) this.#view.say(`  using the server at ${cast.address}`);
    if (this.#id !== '') this.#view.say(`  the ids of this run begin with ${workflowIdOf('', this.#id)}`);
    if (cast.worker === undefined) this.#view.say('  the worker runs elsewhere');
    const steps: [Child | undefined, string][] = [
      [cast.payment, 'payment service'],
      [cast.warehouse, 'warehouse service'],
      [cast.node, `node on ${cast.address}`],
      [cast.worker, 'worker'],
    ];
    for (const [child, what] of steps) {
      if (child === undefined) continue;
      this.#stop.signal.throwIfAborted();
      this.#children.push(child);
      const since = performance.now();
      await child.start();
      const ms = Math.round(performance.now() - since);
      this.#view.say(`  ${pc.green('✓')} ${what.padEnd(24)} ${pc.dim(`pid ${child.pid}, ready in ${ms} ms`)}`);
    }
    return cast;
  }

  /** All orders to their ends, then the audit. */
  async #putThrough(cast: Cast, connection: Connection): Promise<AuditReport> {
    const client = new Client({ connection });
    const { seed, concurrency, mode } = this.#options;
    const desk = new Desk({
      client,
      orders: this.#orders,
      policy: POLICY,
      concurrency,
      seed,
      run: this.#id,
      signal: this.#stop.signal,
    });
    const since = performance.now();
    const operations =
      mode === 'chaos' ? new Operations(connection, `op-${randomBytes(3).toString('hex')}-`) : undefined;
    this.#view.begin(() => ({
      standings: desk.standings,
      retries: this.#tally.retries,
      faults: this.#tally.faultCount,
      replayed: this.#tally.replayed,
      kills: this.#tally.killCount,
      operations: operations?.report.performed,
    }));
    const allEnded = new AbortController();
    const chaos = mode === 'chaos' ? this.#chaos(cast, allEnded.signal) : Promise.resolve();
    const guard = this.#guardAgainstStandstill(desk);
    let outcomes: Map<string, Outcome>;
    try {
      outcomes = await desk.run();
    } catch (error) {
      operations?.abandon();
      throw error;
    } finally {
      clearInterval(guard);
      allEnded.abort();
      await chaos;
      this.#view.finish();
    }
    const seconds = (performance.now() - since) / 1000;

    const catalogue: Catalogue = JSON.parse(readFileSync(CATALOGUE_FILE, 'utf8'));
    const books = readBooks(cast.files);
    const report = audit({ orders: this.#orders, catalogue, outcomes, books });
    if (operations !== undefined) report.discrepancies.push(...(await this.#audited(operations)));
    const { approvals } = desk;
    const operated = operations?.report;
    const repeatedCalls = desk.repeatedCalls + (operated?.repeatedCalls ?? 0);
    const summary = {
      ...{ report, outcomes, tally: this.#tally, approvals, repeatedCalls, seconds, records: books.records },
      operations: operated?.lanes,
    };
    this.#view.say(`\n${summaryOf(summary)}`);
    return report;
  }

  /** What is under way ends, and all of it is looked at. */
  async #audited(operations: Operations): Promise<{ what: string }[]> {
    const { signal } = this.#stop;
    signal.addEventListener('abort', () => operations.abandon(), { once: true });
    this.#view.event('all orders have ended; the last operations end, and are audited');
    await abortable(operations.stop(), signal);
    return (await abortable(operations.check(), signal)).map((what) => ({ what }));
  }

  #chaos(cast: Cast, allEnded: AbortSignal): Promise<void> {
    const events = {
      killed: (victim: string, pid: number | undefined) => {
        this.#tally.killed(victim);
        this.#view.event(pc.magenta(`kill -9 ${pid}  (${victim})`));
      },
      restarted: ({ victim, downMs }: { victim: string; downMs: number }) => {
        this.#view.event(`${pc.green('✓')} ${victim} serves again after ${downMs} ms`);
      },
    };
    const signal = AbortSignal.any([allEnded, this.#stop.signal]);
    const victims = [cast.node, cast.worker].filter((child) => child !== undefined);
    return runChaos(victims, this.#options.seed, events, signal);
  }

  #guardAgainstStandstill(desk: Desk): NodeJS.Timeout {
    let ended = 0;
    let since = performance.now();
    return setInterval(() => {
      const open = [...desk.standings].filter(([, standing]) => standing.phase !== 'ended');
      const now = desk.standings.size - open.length;
      if (now !== ended) {
        ended = now;
        since = performance.now();
      } else if (performance.now() - since > STUCK_AFTER_MS) {
        const names = open.slice(0, 5).map(([orderId]) => orderId);
        const sentence = `no order has ended for ${STUCK_AFTER_MS / 1000} s, ${open.length} are open, among them ${names.join(', ')}`;
        this.#stop.abort(new Error(`${sentence}; the logs are in ${this.#shownDataDir}`));
      }
    }, 1_000);
  }

  async #stayUp(cast: Cast): Promise<void> {
    const at = cast.address === `127.0.0.1:${DEFAULT_NODE_PORT}` ? '' : ` --address ${cast.address}`;
    const example = workflowIdOf(this.#orders[0]?.orderId ?? '', this.#id);
    const pids = this.#children.map((child) => `${child.name} ${child.pid}`).join(', ');
    this.#view.say(`
Everything stays up (${pids}). Look around in another terminal:

  npx tenuto workflow list${at}
  npx tenuto workflow describe${at} --workflow-id ${example}
  npx tenuto workflow show${at} --workflow-id ${example}
  npx tenuto workflow query${at} --workflow-id ${example} --type status
  tail -n 3 ${relative(process.cwd(), cast.files.payment)}
  kill -9 ${(cast.node ?? cast.payment).pid}     # the supervisor starts it again

Ctrl-C ends the demo.`);
    await new Promise<void>((resolve) => this.#stop.signal.addEventListener('abort', () => resolve(), { once: true }));
    if (!(this.#stop.signal.reason instanceof Interrupted)) throw this.#stop.signal.reason;
  }

  #interrupt(): void {
    this.#interrupts += 1;
    this.#stop.abort(new Interrupted());
    if (this.#interrupts === 1) return;
    // Somebody insists: no more waiting for anybody.
    for (const child of this.#children) child.killNow();
    process.exit(ExitCode.INTERRUPTED);
  }

  /** In the reverse order of the start, so that nobody loses what it depends on while it says good-bye. */
  async #endAll(): Promise<void> {
    for (const child of this.#children.reverse()) await child.end();
    const ownDir = this.#options.dataDir === undefined && this.#options.atEnd === 'stop';
    if (this.#balanced && ownDir) rmSync(this.#dataDir, { recursive: true, force: true });
    else this.#view.say(pc.dim(`Data and logs are in ${this.#shownDataDir}.`));
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    this.#view.say(pc.dim(`All processes have ended; ${seconds} s in all.`));
  }

  get #shownDataDir(): string {
    const short = relative(process.cwd(), this.#dataDir);
    return short.startsWith('..') ? this.#dataDir : short;
  }
}

function runFile(dataDir: string): string {
  return join(dataDir, 'run.json');
}

/** A data directory that has been used holds orders of its own: all of them must be accounted for again, under the ids they have. */
function earlierRun(dataDir: string): { orders: number; id: string } | undefined {
  if (!existsSync(runFile(dataDir))) return undefined;
  const { orders, id } = JSON.parse(readFileSync(runFile(dataDir), 'utf8'));
  return { orders: Number(orders), id: String(id ?? '') };
}

/** A server of others keeps the orders of earlier runs, which are none of this one's. A node of our own begins with nothing. */
const newRunId = ({ address, store }: DemoOptions): string =>
  address === undefined && store === undefined ? '' : randomBytes(3).toString('hex');

function stamp(): string {
  return new Date().toISOString().replace(/\D/g, '').slice(0, 14);
}

function stopSignal(): AbortController {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  return stop;
}
