// Any server that speaks Temporal's protocol as a system of the bench, through Temporal's own SDK. With an address the server is somebody else's: it is
// neither started nor emptied, and watched only if it is a process of this machine; the worker is ours. Without one it is a Tenuto node's gRPC door.

import { randomBytes } from 'node:crypto';
import { VERSION } from '../../../src/version.ts';
import { freePort, LOCALHOST } from '../../../test/chaos/cluster/network.ts';
import { askInside } from '../../lib/inside.ts';
import { listenerAt } from '../../lib/listener.ts';
import type { RunningSystem, System, SystemProcess, WorkflowKind } from '../../lib/model.ts';
import { BenchNode } from '../../tenuto/node.ts';
import { Child } from '../child.ts';
import { InstalledPeer } from '../install.ts';
import { PeerError } from '../pins.ts';

const KINDS: readonly WorkflowKind[] = [
  'none',
  'sequence',
  'parallel',
  'local',
  'children',
  'continued',
  'timer',
  'collector',
];
const PROBE_MS = 30_000;
/** The worker bundles its workflows first. */
const WORKER_MS = 120_000;

/** @throws PeerError */
export async function temporalSystems(
  address: string | undefined,
  say: (text: string) => void,
): Promise<readonly System[]> {
  const peer = await InstalledPeer.of('temporal', say);
  const sdk = `SDK ${peer.versionOf('@temporalio/worker')}`;
  if (address === undefined) {
    const door = { version: `Tenuto ${VERSION}, ${sdk}`, variant: 'gRPC door of Tenuto', kinds: KINDS };
    return [{ name: 'temporal', ...door, start: () => startDoor(peer) }];
  }
  say(`asking ${address} for its version`);
  const server = await serverVersion(peer, address);
  const version = `${server}, ${sdk}`;
  return [
    { name: 'temporal', version, variant: address, kinds: KINDS, start: () => start(peer, address, serverAt(address)) },
  ];
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

async function startDoor(peer: InstalledPeer): Promise<RunningSystem> {
  const grpcPort = await freePort(LOCALHOST);
  const node = await BenchNode.start(BenchNode.newDataDir(), await freePort(LOCALHOST), { grpcPort });
  const stopNode = async (): Promise<void> => {
    await node.stop();
    node.removeData();
  };
  try {
    const itself = { role: 'node', name: 'node', pid: node.pid, inside: () => node.inside() } as const;
    const running = await start(peer, `${LOCALHOST}:${grpcPort}`, [itself]);
    return { ...running, stop: () => running.stop().finally(stopNode) };
  } catch (error) {
    await stopNode();
    throw error;
  }
}

async function start(peer: InstalledPeer, address: string, server: readonly SystemProcess[]): Promise<RunningSystem> {
  const run = `bench-${randomBytes(4).toString('hex')}`;
  const [inside = '', thread = ''] = ['inside', 'inside-thread'].map(
    (name) => new URL(`../../lib/${name}.js`, import.meta.url).href,
  );
  const args = ['--import', thread, peer.script('worker.mjs'), address, run, inside];
  const command = { command: process.execPath, args };
  const worker = Child.spawn("Temporal's worker", command, { ipc: 'yes' });
  try {
    await worker.message(WORKER_MS);
  } catch (error) {
    await worker.stop();
    throw error;
  }
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
