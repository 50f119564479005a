// Rows of the tables that `tenuto cluster` prints for people.

import type { ClusterMember, ClusterStatus, ShardStatus } from '../../wire/cluster.ts';
import type { Output } from '../output.ts';
import { isMisplaced } from './shards.ts';

type Row = Readonly<Record<string, unknown>>;
type Colors = Output['colors'];

export const membersSummary = (status: ClusterStatus): Row => ({
  cluster: status.clusterId,
  asked: status.self,
  shards: `${status.shardCount}, ${
    status.store === 'database'
      ? 'in a database that all nodes share'
      : `${status.replicas} voter${status.replicas === 1 ? '' : 's'} each`
  }`,
  plan: status.planning === '' ? status.planVersion : `${status.planVersion} (${status.planning})`,
  ...(status.store === 'database' && { database: status.outage === undefined ? 'answers' : `away: ${status.outage}` }),
  [status.coordinatedBy ?? 'redis']: status.coordinator,
  session: status.session,
});

export function memberRow(
  member: ClusterMember,
  { self, store }: Pick<ClusterStatus, 'self' | 'store'>,
  colors: Colors,
): Row {
  return {
    name: member.name === self ? `${member.name} *` : member.name,
    state: stateOf(member, colors),
    for: ago(member.inStateMs),
    zone: member.zone,
    // Of a node that holds no shards: neither number means anything.
    leads: member.planned || member.leads > 0 ? `${member.leads} of ${member.shouldLead}` : '',
    ...(store === 'directories' && { 'should hold': member.planned ? member.shouldHold : '' }),
    load: `${Math.round(member.load)} %`,
    version: member.version,
    clients: member.addresses.client,
  };
}

function stateOf({ state, draining }: ClusterMember, colors: Colors): string {
  const shown = state === 'alive' ? colors.green(state) : state === 'left' ? state : colors.red(state);
  switch (draining) {
    case 'no':
      return shown;
    case 'leadership':
      return `${shown}, ${colors.yellow('gives up leading')}`;
    case 'everything':
      return `${shown}, ${colors.yellow('gives up everything')}`;
  }
}

export function shardRow(shard: ShardStatus, store: ClusterStatus['store'], colors: Colors): Row {
  const led = { shard: shard.shard, leader: shard.leader ?? colors.red('nobody'), term: shard.term };
  // The leader first; only where it says something new.
  const wanted = { 'should be': isMisplaced(shard) ? colors.yellow(shard.desired.join(' ')) : '' };
  // In a database nodes have no replicas, and how far its log goes only the database knows.
  if (store === 'database') return { ...led, ...wanted };
  const replicas = { voters: shard.voters.join(' '), learners: shard.learners.join(' ') };
  return { ...led, ...replicas, ...wanted, committed: shard.committedLsn };
}

const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
];

/** `45s`, `3m`, `2h`, `9d`. */
export function ago(ms: number): string {
  for (const [name, length] of UNITS) if (ms >= length) return `${Math.floor(ms / length)}${name}`;
  return `${Math.max(0, Math.floor(ms / 1_000))}s`;
}
