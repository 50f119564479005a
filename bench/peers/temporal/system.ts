// Any server that speaks Temporal's protocol as a system of the bench, through Temporal's own SDK. The server is somebody else's: it is neither
// started nor emptied, and watched only if it is a process of this machine; the worker is ours.

import { randomBytes } from 'node:crypto';
import { askInside } from '../../lib/inside.ts';
import { listenerAt } from '../../lib/listener.ts';
import type { RunningSystem, System, SystemProcess, WorkflowKind } from '../../lib/model.ts';
import { Child } from '../child.ts';
import { InstalledPeer } from '../install.ts';
import { PeerError } from '../pins.ts';

const KINDS: readonly WorkflowKind[] = ['none', 'sequence', 'parallel', 'local', 'children', 'continued', 'timer'];
const PROBE_MS = 30_000;
/** The worker bundles its workflows first. */
const WORKER_MS = 120_000;

/** @throws PeerError */
export async function temporalSystems(address: string, say: (text: string) => void): Promise<readonly System[]> {
  const peer = await InstalledPeer.of('temporal', say);
  say(`asking ${address} for its version`);
  const server = await serverVersion(peer, address);
  const version = `${server}, SDK ${peer.versionOf('@temporalio/worker')}`;
  return [{ name: 'temporal', version, variant: address, kinds: KINDS, start: () => start(peer, address) }];
}

async function serverVersion(peer: InstalledPeer, address: string): Promise<string> {
  const command = { command: process.execPath, args: [peer.script('client.mjs'), address] };
  const child = Child.spawn('the probe of the Temporal server', command, { ipc: 'yes' });
  try {
    const answer = await child.message(PROBE_MS);
    if (typeof answer !== 'object' || answer === null) throw new Error('its probe answered nothing');
    if ('serverVersion' in answer) return String(answer.serverVersion);
    throw new Error('why' in answer ? String(answer.why) : 'its probe gave no reason');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PeerError(`no Temporal server answers at ${address}: ${why}. Start it, or mend --address`, {
      cause: error,
    });
  } finally {
    await child.stop();
  }
}

async function start(peer: InstalledPeer, address: string): Promise<RunningSystem> {
  const run = `bench-${randomBytes(4).toString('hex')}`;
  const inside = new URL('../../lib/inside.js', import.meta.url).href;
  const command = { command: process.execPath, args: [peer.script('worker.mjs'), address, run, inside] };
  const worker = Child.spawn("Temporal's worker", command, { ipc: 'yes' });
  try {
    await worker.message(WORKER_MS);
  } catch (error) {
    await worker.stop();
    throw error;
  }
  const server = serverAt(address);
  return {
    target: { module: peer.scriptUrl('client.mjs'), settings: { address, taskQueue: run, run } },
    processes: () => [
      ...server,
      { role: 'worker', name: 'worker', pid: worker.pid, inside: () => askInside(worker.process) },
    ],
    stop: () => worker.stop(),
  };
}

/** With its descendants: several nodes behind one port, say. What only itself knows is not asked. */
function serverAt(address: string): readonly SystemProcess[] {
  const pid = listenerAt(address);
  return pid === undefined ? [] : [{ role: 'node', name: 'server', pid, inside: () => Promise.resolve({}) }];
}
