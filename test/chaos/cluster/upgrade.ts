// The rolling upgrade: nodes of another revision of this repository, under its own shop, worker and client and this build's beside them, become
// this build one by one; then one goes back, and comes again. Versions of a cluster may differ by one; here it is run.

import { type Build, buildRevision, type OtherBuild, OWN, usualRevision, whyNoHistory } from './build.ts';
import type { NodeProcess } from './node-process.ts';
import { BETWEEN_MS, type Scenario } from './scenarios.ts';
import type { World } from './world.ts';

/** Enough that some come in after the last node has changed. */
const ORDERS = 150;
/** All nodes new, the shop, a worker and a client old. */
const MIXED_MS = 8_000;

/** @param ref a git revision; undefined: the newest tag, or some commits back where there is none */
export function upgradeFrom(ref: string | undefined): Scenario {
  let other: OtherBuild | undefined;
  return {
    name: 'upgrade',
    title: `rolling upgrade from ${ref ?? 'an earlier revision'}, node by node, and one node back`,
    clientsMustNotNotice: true,
    unable: () => whyNoHistory(ref),
    async prepare(say) {
      other = await buildRevision(ref ?? (await usualRevision()), say);
      return { other, orders: ORDERS };
    },
    async tidy() {
      await other?.remove();
      other = undefined;
    },
    async run(world) {
      if (other === undefined) throw new Error('the other build was not prepared');
      for (const node of world.cluster.nodes) await changes(world, node, OWN);
      await world.calm(MIXED_MS);
      const one = await world.cluster.leaderOfMost();
      await changes(world, one, other);
      await changes(world, one, OWN);
    },
  };
}

async function changes(world: World, node: NodeProcess, to: Build): Promise<void> {
  await world.fault(`SIGTERM ${node.name}`, () => node.end());
  await world.fault(`${node.name} starts as ${to.name}`, () => node.again(to));
  await world.calm(BETWEEN_MS);
}
