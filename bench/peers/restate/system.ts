// Restate as a system of the bench: its server and a service deployment of the SDK, both in one network namespace with loopback only, telemetry off.
// Clients reach the server's ingress over a Unix socket of its data directory.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from '../../lib/at-end.ts';
import { askInside } from '../../lib/inside.ts';
import type { RunningSystem, System, SystemProcess, Target, WorkflowKind } from '../../lib/model.ts';
import { Child } from '../child.ts';
import { InstalledPeer } from '../install.ts';
import { findIsolation, type Isolation, inOwn, inThatOf, mustBeAlone } from '../isolation.ts';
import { PeerError } from '../pins.ts';
import { ask } from './admin.ts';

/** The default, and what suits few cores best: the better one is reported. */
const VARIANTS: readonly { readonly variant: string; readonly flags: readonly string[] }[] = [
  { variant: 'default', flags: [] },
  { variant: '1 partition', flags: ['--default-num-partitions=1'] },
];
const KINDS: readonly WorkflowKind[] = ['none', 'sequence', 'parallel', 'local', 'children', 'timer'];
const NODE = 'n1';
/** In the namespace nobody else listens. */
const SERVICE_PORT = 9080;
const READY_MS = 60_000;
const SERVER_ENV = { RESTATE_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: '1' };
/** Otherwise the SDK writes lines for each invocation. */
const SERVICE_ENV = { RESTATE_LOGGING: 'ERROR', DO_NOT_TRACK: '1' };

interface Setup {
  readonly peer: InstalledPeer;
  readonly server: string;
  readonly isolation: Isolation;
}

/** @throws PeerError */
export async function restateSystems(say: (text: string) => void): Promise<readonly System[]> {
  const isolation = findIsolation('restate');
  const peer = await InstalledPeer.of('restate', say);
  const build = `@restatedev/restate-server-${process.platform}-${process.arch}`;
  const server = join(peer.folder, 'node_modules', build, 'bin', 'restate-server');
  if (!existsSync(server))
    throw new PeerError(
      `restate has no server for this machine: the package ${build} is not there, or without its binary`,
    );
  const version = `${peer.versionOf('@restatedev/restate-server')}, SDK ${peer.versionOf('@restatedev/restate-sdk')}`;
  return VARIANTS.map(({ variant, flags }) => ({
    name: 'restate',
    version,
    variant,
    kinds: KINDS,
    start: () => RunningRestate.start({ peer, server, isolation }, flags),
  }));
}

class RunningRestate implements RunningSystem {
  readonly #dataDir = mkdtempSync(join(tmpdir(), 'tenuto-peer-'));
  readonly #forget = atEnd(() => this.#removeData());
  readonly #setup: Setup;
  #server: Child | undefined;
  #service: Child | undefined;

  private constructor(setup: Setup) {
    this.#setup = setup;
  }

  static async start(setup: Setup, flags: readonly string[]): Promise<RunningSystem> {
    const running = new RunningRestate(setup);
    try {
      await running.#startServer(flags);
      await running.#startService();
      return running;
    } catch (error) {
      await running.stop();
      throw error;
    }
  }

  get target(): Target {
    return {
      module: this.#setup.peer.scriptUrl('client.mjs'),
      settings: { socketPath: this.#socket('ingress') },
    };
  }

  processes(): readonly SystemProcess[] {
    const service = this.#service;
    const processes: SystemProcess[] = [];
    if (this.#server !== undefined) processes.push({ role: 'node', name: 'restate-server', pid: this.#server.pid });
    if (service !== undefined)
      processes.push({ role: 'worker', name: 'service', pid: service.pid, inside: () => askInside(service.process) });
    return processes;
  }

  async stop(): Promise<void> {
    await this.#service?.stop();
    await this.#server?.stop();
    this.#removeData();
    this.#forget();
  }

  async #startServer(flags: readonly string[]): Promise<void> {
    const { server, isolation } = this.#setup;
    const args = [
      ...['--base-dir', this.#dataDir, '--node-name', NODE],
      ...['--bind-ip', '127.0.0.1', '--listen-mode', 'all'],
      ...['--no-logo', '--log-filter', 'warn', '--log-disable-ansi-codes', 'true'],
      ...flags,
    ];
    const child = Child.spawn('restate-server', inOwn(isolation, { command: server, args }), {
      env: SERVER_ENV,
      ipc: 'no',
    });
    this.#server = child;
    await child.until(async () => (await ask(this.#socket('admin'), '/health')).status === 200, READY_MS);
    mustBeAlone(child.pid);
  }

  async #startService(): Promise<void> {
    const { peer, isolation } = this.#setup;
    if (this.#server === undefined) throw new Error('the service comes after the server');
    const inside = new URL('../../lib/inside.js', import.meta.url).href;
    const args = [peer.script('service.mjs'), String(SERVICE_PORT), inside];
    const command = inThatOf(this.#server.pid, isolation, { command: process.execPath, args });
    const child = Child.spawn("Restate's service", command, { env: SERVICE_ENV, ipc: 'yes' });
    this.#service = child;
    await child.message(READY_MS);
    mustBeAlone(child.pid);
    const uri = `http://127.0.0.1:${SERVICE_PORT}`;
    await this.#until('/deployments', () => ask(this.#socket('admin'), '/deployments', JSON.stringify({ uri })));
    // Its partitions may still be on their way.
    const first = JSON.stringify({ value: 'first', count: 1 });
    await this.#until('the first workflow', () => ask(this.#socket('ingress'), '/workflows/sequence', first));
  }

  async #until(what: string, call: () => Promise<{ status: number; body: string }>): Promise<void> {
    await this.#server?.until(async () => {
      const { status, body } = await call();
      if (status < 200 || status > 299) throw new Error(`${what}: ${status} ${body}`);
      return true;
    }, READY_MS);
  }

  #socket(door: 'admin' | 'ingress'): string {
    return join(this.#dataDir, NODE, `${door}.sock`);
  }

  #removeData(): void {
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}
