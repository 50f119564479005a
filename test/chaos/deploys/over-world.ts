// The deploy over a cluster of the chaos tests, whose nodes are restarted in turn meanwhile.

import { Client } from 'tenuto/client';
import { connectToAll } from '../cluster/clients.ts';
import type { NodeProcess } from '../cluster/node-process.ts';
import type { World } from '../cluster/world.ts';
import { type DeployReport, deploy } from './deploys.ts';
import { Fleet } from './fleet.ts';

export interface OverWorld {
  readonly visits: number;
  readonly running: number;
  readonly heartbeatMs?: number | undefined;
  /** One node, and until it serves again. */
  restart(node: NodeProcess): Promise<void>;
}

/** Three nodes. @throws Error with what does not hold */
export async function deployOver(
  world: World,
  { visits, running, heartbeatMs, restart }: OverWorld,
): Promise<DeployReport> {
  const { cluster, directory } = world;
  const connection = connectToAll(cluster.addresses());
  const fleet = await Fleet.of({ addresses: cluster.addresses(), directory, heartbeatMs });
  try {
    return await deploy({
      ...{ client: new Client({ connection }), fleet, visits, running },
      meanwhile: [() => restart(cluster.node(0)), () => restart(cluster.node(1)), () => restart(cluster.node(2))],
      say: (text) => world.say(`  ${text}`),
    });
  } finally {
    await fleet.end();
    await connection.close();
  }
}
