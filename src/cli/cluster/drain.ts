// `tenuto cluster drain`: asks for it, and waits until the shards' leaders confirm it. The drain itself is the cluster's: it goes on when
// this command has given up.

import { setTimeout as sleep } from 'node:timers/promises';
import { msToNumber } from '../../../sdk/common/index.ts';
import type { ClusterStatus, Draining, ShardStatus } from '../../wire/cluster.ts';
import type { Session } from '../connect.ts';
import { CommandError, UsageError } from '../exit-codes.ts';
import { isDone, type Left, leftOf, obstacleOf } from './left.ts';
import { allShards } from './shards.ts';
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

async function look({ connection }: Session): Promise<[ClusterStatus, readonly ShardStatus[]]> {
  return [await connection.request('clusterStatus', {}), await allShards(connection)];
}

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
