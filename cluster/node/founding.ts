// Which cluster a new directory joins: the one whose record the coordinator has. Where it has none, this may be the first node of all, or the coordinator
// was emptied a moment ago and is about to be told again by the nodes that run; a record made then would be another cluster's, and this directory would be
// in it for good. So whoever may be there is looked for first. Called by src/node-cluster.ts.

import type { Clock } from '../../src/ports/clock.ts';
import type { ClusterRecord, Coordinator, HostPort } from '../../src/ports/coordinator.ts';
import type { Log } from '../../src/ports/log.ts';
import { formatAddress, parseAddress } from '../gossip/core/address.ts';

export interface FoundingOptions {
  coordinator: Pick<Coordinator, 'readCluster' | 'createCluster' | 'peers'>;
  /** To be made if there is none. */
  record: ClusterRecord;
  /** This node's name. */
  self: string;
  seeds: readonly HostPort[];
  /** Whether somebody takes connections there, within a second or so. */
  answers(address: HostPort): Promise<boolean>;
  clock: Pick<Clock, 'monotonic'>;
  pause(ms: number): Promise<void>;
  log: Log;
  /** Throws when the start was given up. */
  mustGoOn(why: string): void;
}

/** So long nothing is known and nobody answers before a cluster is founded, ms: nodes that run tell an emptied coordinator within less. */
export const QUIET_MS = 3_000;
const LOOK_MS = 500;
/** How often a node that waits says so, ms. */
const SAY_MS = 10_000;
/** Addresses that are tried. */
const MOST = 32;

export async function findOrFound(options: FoundingOptions): Promise<ClusterRecord> {
  const { coordinator, record, clock, pause, log, mustGoOn } = options;
  let quietSinceMs: number | undefined;
  // Connecting takes a moment: not worth a word.
  let saidAtMs = clock.monotonic() - SAY_MS + 2_000;
  const say = (why: string, message: string): void => {
    if (clock.monotonic() - saidAtMs <= SAY_MS) return;
    saidAtMs = clock.monotonic();
    log.warn({ cluster: record.clusterId, why }, message);
  };
  for (;;) {
    const found = await coordinator.readCluster();
    let why = `Redis knows no cluster ${record.clusterId}`;
    if (found.type === 'unavailable') {
      quietSinceMs = undefined;
      ({ why } = found);
      say(why, 'waiting for Redis: a new node learns there which cluster it joins');
    } else if (found.value !== undefined) return found.value;
    else {
      const there = await whoAnswers(options);
      if (there !== undefined) {
        quietSinceMs = undefined;
        why = `a node answers at ${there}`;
        say(
          why,
          `Redis knows no cluster ${record.clusterId}, but somebody answers at ${there}: waiting until that node has told Redis. ` +
            'If it is of another cluster, correct cluster.id, or take its address out of cluster.seeds',
        );
      } else {
        quietSinceMs ??= clock.monotonic();
        if (clock.monotonic() - quietSinceMs >= QUIET_MS) {
          const outcome = await coordinator.createCluster(record);
          if (outcome.type === 'ok') return outcome.value;
          ({ why } = outcome);
        }
      }
    }
    mustGoOn(why);
    await pause(LOOK_MS);
  }
}

async function whoAnswers({ coordinator, seeds, self, answers }: FoundingOptions): Promise<string | undefined> {
  const listed = await coordinator.peers();
  const peers = listed.type === 'ok' ? listed.value.filter(({ name }) => name !== self) : [];
  const known = [...seeds, ...peers.flatMap(({ gossip }) => parseAddress(gossip) ?? [])].slice(0, MOST);
  const open = await Promise.all(known.map((address) => answers(address)));
  const at = known[open.indexOf(true)];
  return at && formatAddress(at.host, at.port);
}
