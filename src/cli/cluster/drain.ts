// `tenuto cluster drain`: asks for it, and waits until the shards' leaders confirm it. The drain itself is the cluster's: it goes on when
// this command has given up.

import { setTimeout as sleep } from 'node:timers/promises';
import { msToNumber } from '../../../sdk/common/index.ts';
import type { ClusterMember, ClusterStatus, Draining, ShardStatus } from '../../wire/cluster.ts';
import type { Session } from '../connect.ts';
import { CommandError, UsageError } from '../exit-codes.ts';
import { allShards, placeOf } from './shards.ts';
import { whyNoPlan } from './waiting-plan.ts';
import { tolerating } from './watch.ts';

export interface DrainFlags {
  everything?: true;
  undo?: true;
  wait: boolean;
  timeout?: string;
}

const DEFAULT_TIMEOUT = '10m';
const LOOK_EVERY_MS = 500;
/** What is in the way must be there for so many looks: gossip and plan take a moment to hear of the drain. */
const STUCK_LOOKS = 4;
/** Who stops gives its leaderships to whom it reaches, whatever the plan says. */
const WITHOUT_A_PLAN = '. A node that gets SIGTERM hands over what it leads without one';

export async function drain(session: Session, node: string, flags: DrainFlags): Promise<void> {
  if (flags.undo && flags.everything)
    throw new UsageError('--undo takes back either kind of drain: leave --everything out');
  const { connection, output } = session;
  const how: Draining = flags.undo ? 'no' : flags.everything ? 'everything' : 'leadership';
  const timeout = flags.timeout ?? DEFAULT_TIMEOUT;
  const timeoutMs = msToNumber(timeout);
  const startedAt = performance.now();
  await connection.request('drainNode', { node, how });
  if (how === 'no' || !flags.wait) {
    if (output.format !== 'table') output.record({ node, draining: how });
    else output.line(how === 'no' ? `${node} takes shards again` : `${node} is being drained`);
    return;
  }
  const line = progressLine();
  let left: Left | undefined;
  let stuckLooks = 0;
  let planlessLooks = 0;
  for (;;) {
    let obstacle: string | undefined;
    let noPlan: string | undefined;
    const seen = await tolerating(async () => {
      const [status, shards] = await look(session);
      left = leftOf(node, shards, status);
      obstacle = how === 'everything' ? obstacleOf(node, status, left) : undefined;
      noPlan = whyNoPlan(status);
    });
    if (seen && left !== undefined) {
      line.show(describe(node, left));
      if (isDone(left, how)) break;
      planlessLooks = noPlan === undefined ? 0 : planlessLooks + 1;
      if (planlessLooks === STUCK_LOOKS) line.note(`${noPlan}${how === 'leadership' ? WITHOUT_A_PLAN : ''}`);
      stuckLooks = obstacle === undefined ? 0 : stuckLooks + 1;
      if (stuckLooks >= STUCK_LOOKS) {
        line.end();
        throw new CommandError(`${describe(node, left)}, and they still need it: ${obstacle}`, {
          hint: left.hasReplicas
            ? 'Do not remove it. Start another node, or lower cluster.replicas on all of them: the drain then goes on by itself, and this command waits for its end. --undo takes it back.'
            : 'Start another node: the drain then goes on by itself. --undo takes it back.',
        });
      }
    }
    if (performance.now() - startedAt >= timeoutMs) {
      line.end();
      throw new CommandError(
        `${left === undefined ? `nobody could say what ${node} has` : describe(node, left)} after ${timeout}`,
        {
          hint: `The drain goes on. \`tenuto cluster shards --node ${node}\` shows what is left, \`tenuto cluster health\` why; --undo takes it back.`,
        },
      );
    }
    await sleep(LOOK_EVERY_MS);
  }
  line.end();
  const waitedMs = Math.round(performance.now() - startedAt);
  const { hasReplicas: _, ...counts } = left;
  if (output.format !== 'table') output.record({ node, draining: how, ...counts, waitedMs });
  else output.line(`${describe(node, left)}; ${verdict(left, how)}`);
}

/** What a node still has. */
interface Left {
  /** Shards it leads that another could. */
  leads: number;
  /** Shards it leads because no other voter of them is up. */
  leadsAlone: number;
  /** Shards it leads or has a replica of. */
  holds: number;
  /** False where all is in a database: what it does not lead is not there. */
  hasReplicas: boolean;
  /** Shards nobody is known to lead: what it has of them is not known either. */
  unknown: number;
}

async function look({ connection }: Session): Promise<[ClusterStatus, readonly ShardStatus[]]> {
  return [await connection.request('clusterStatus', {}), await allShards(connection)];
}

/** Why the node cannot give up everything, as things are; undefined: it can, or somebody who may take its shards is about to. */
export function obstacleOf(
  node: string,
  { members, replicas, store }: ClusterStatus,
  { leads, leadsAlone }: Pick<Left, 'leads' | 'leadsAlone'>,
): string | undefined {
  if (store === 'database') return leads === 0 && leadsAlone > 0 ? 'no other node is there to lead them' : undefined;
  const others = members.filter((member) => member.name !== node && mayHold(member));
  const needed = members.find(({ name, mustStay }) => name === node && mustStay);
  // One that has just come is part of the plan some seconds later.
  if (needed === undefined || others.some(({ planned }) => !planned)) return undefined;
  const nodes = others.length === 1 ? '1 other node holds' : `${others.length} other nodes hold`;
  return `${nodes} shards, and cluster.replicas asks for ${replicas}`;
}

export function leftOf(
  node: string,
  shards: readonly ShardStatus[],
  { members, store }: Pick<ClusterStatus, 'members' | 'store'>,
): Left {
  const up = new Set(members.filter(({ state }) => state === 'alive' || state === 'suspect').map(({ name }) => name));
  const hasReplicas = store === 'directories';
  // Of a database any node can lead any shard.
  const heirs = members.filter((member) => member.name !== node && mayHold(member)).map(({ name }) => name);
  const left: Left = { leads: 0, leadsAlone: 0, holds: 0, unknown: 0, hasReplicas };
  for (const shard of shards) {
    if (shard.leader === undefined) left.unknown += 1;
    const place = placeOf(shard, node);
    if (place !== 'none') left.holds += 1;
    if (place !== 'leads') continue;
    const others = hasReplicas ? shard.voters.filter((voter) => voter !== node) : heirs;
    if (others.some((other) => up.has(other))) left.leads += 1;
    else left.leadsAlone += 1;
  }
  return left;
}

/** It is there, and takes shards. */
const mayHold = ({ state, draining, roles }: ClusterMember): boolean =>
  (state === 'alive' || state === 'suspect') &&
  draining !== 'everything' &&
  (roles.length === 0 || roles.includes('shards'));

const isDone = (left: Left, how: 'leadership' | 'everything'): boolean =>
  left.unknown === 0 && (how === 'leadership' ? left.leads === 0 : left.holds === 0);

function verdict({ leadsAlone }: Left, how: 'leadership' | 'everything'): string {
  if (how === 'everything') return 'it may be removed';
  return leadsAlone === 0 ? 'it may be restarted' : 'these wait while it is restarted';
}

const count = (shards: number): string => (shards === 1 ? '1 shard' : `${shards} shards`);

function describe(node: string, { leads, leadsAlone, holds, unknown, hasReplicas }: Left): string {
  const led = leads + leadsAlone;
  const lost = unknown === 0 ? '' : `; nobody leads ${count(unknown)}`;
  if (!hasReplicas) return `${node} leads ${led === 0 ? 'nothing' : count(led)}${lost}`;
  const alone = leadsAlone === 0 ? '' : ` (${leadsAlone} with no other voter that is up)`;
  const what =
    led === 0
      ? holds === 0
        ? 'holds nothing'
        : `leads nothing and holds ${count(holds)}`
      : `leads ${count(led)}${alone} and holds ${count(holds)}`;
  return `${node} ${what}${lost}`;
}

/** One line on stderr, redrawn on a terminal, absent elsewhere; a note stands by itself, everywhere. */
function progressLine(): { show(text: string): void; note(text: string): void; end(): void } {
  const terminal = process.stderr.isTTY === true;
  return {
    show: (text) => {
      // Erases to the end of the line: the one before may have been longer.
      if (terminal) process.stderr.write(`\r${text}\u001b[K`);
    },
    note: (text) => void process.stderr.write(`${terminal ? '\n' : ''}tenuto: ${text}\n`),
    end: () => {
      if (terminal) process.stderr.write('\n');
    },
  };
}
