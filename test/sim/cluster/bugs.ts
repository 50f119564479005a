// Bugs planted from outside, around or into the real parts for one seed at a time: the simulator has to find each. Never a switch in production code.

import { DirectoryAges } from '../../../cluster/node/directory-ages.ts';
import { ReplicatedKeeper } from '../../../cluster/node/replicated-keeper.ts';
import { directoryId } from '../../../cluster/replication/core/ids.ts';
import { Leadership } from '../../../cluster/replication/core/leadership.ts';
import { majorityLsn } from '../../../cluster/replication/core/quorum.ts';
import type { JobProgress } from '../../../src/core/batch/job.ts';
import { FlowDraft } from '../../../src/core/flow/draft.ts';
import { RunDraft } from '../../../src/core/workflow/run-draft.ts';
import { type Lsn, lsn } from '../../../src/ports/ids.ts';
import type { LogAppend } from '../../../src/ports/store.ts';
import { ShardEngine } from '../../../src/shard/engine.ts';
import { decodeEntry, encodeEntry } from '../../../src/shard/entry.ts';
import { JobRegistry } from '../../../src/shard/jobs/registry.ts';
import { UpdateCallers } from '../../../src/shard/update-callers.ts';
import { Installer } from '../../../src/store/installer.ts';
import { decode, encode } from '../../../src/wire/codec.ts';
import type { Status } from '../../../src/wire/status.ts';
import { withoutReceived, withRowsOf } from '../bugs.ts';
import { emptyVotes, majorityIs, readsAlone, replaced, truncatesCommitted } from '../plants.ts';
import type { ClusterPlan, FaultName } from './plan.ts';
import type { ClusterBug } from './simulate.ts';

/** Whoever comes with less than was heard of its directory is let in all the same. */
function anyAge(): () => void {
  const { whyOutdated } = DirectoryAges.prototype;
  return replaced(DirectoryAges.prototype, 'whyOutdated', function trusting(this: DirectoryAges, remote) {
    whyOutdated.call(this, remote);
    return undefined;
  });
}

export const BUGS = {
  /** As soon as one disk has it. */
  'commit-before-majority': {
    replace: ({ machines }) =>
      majorityIs((matchOf) => lsn(Math.max(...machines.map((machine) => matchOf(directoryId(machine.directoryId)))))),
  },
  'read-without-confirming': {
    replace: readsAlone,
  },
  'vote-twice-after-restart': { world: { forgetsVotes: true } },
  'truncate-committed': {
    replace: truncatesCommitted,
  },
  /** Which outbox messages were applied is forgotten with the leadership. */
  'outbox-applied-twice': {
    world: {
      commitLog: (inner) => ({
        ...inner,
        append: (entries, settled) =>
          inner.append(
            entries.map((append) => ({
              ...append,
              entry: encodeEntry({ ...decodeEntry(append.entry), receipts: [] }),
            })),
            settled,
          ),
        flush: (flushes) => inner.flush(flushes.map(withoutReceived)),
      }),
    },
  },
  /** What only starts tasks is called committed as soon as it is on its way: they are pushed before a majority has it. */
  'pushed-before-majority': {
    world: {
      commitLog: (inner) => ({
        ...inner,
        append: (entries, settled) => {
          if (!entries.every(startsTasks)) return inner.append(entries, settled);
          const taken = inner.append(entries, () => undefined);
          if (taken === 'taken') queueMicrotask(() => settled({ fenced: [] }));
          return taken;
        },
      }),
    },
  },
  /** A flush takes along the rows of an entry that waits for its majority. */
  'flush-uncommitted': {
    world: {
      commitLog: (inner) => {
        const underWay = new Map<number, LogAppend>();
        return {
          ...inner,
          append: (entries, settled) => {
            const taken = inner.append(entries, (result) => {
              for (const { shard } of entries) underWay.delete(shard);
              settled(result);
            });
            if (taken === 'taken') for (const append of entries) underWay.set(append.shard, append);
            return taken;
          },
          flush: (flushes) => inner.flush(flushes.map((flush) => withRowsOf([...underWay.values()], flush))),
        };
      },
    },
  },
  /** Rows leave the overlay when their flush begins: the flush claims to be done at once. */
  'overlay-dropped-early': {
    world: {
      commitLog: (inner) => ({
        ...inner,
        flush: (flushes) => {
          inner.flush(flushes).catch(() => undefined);
          return Promise.resolve({ fenced: [] });
        },
      }),
    },
  },
  /** Those that the ring would have hold everything, instead of the log's own voters. */
  'quorum-over-the-ring': {
    replace: ({ machines, plan }) =>
      majorityIs((matchOf) => {
        const ring = machines.filter(({ wanted }) => wanted).slice(0, plan.replicas);
        return majorityLsn(
          ring.map((machine) => directoryId(machine.directoryId)),
          matchOf,
        );
      }),
  },
  /** Whoever is a member is taken to be there: the voters may be cut down to those that are not. */
  'voters-believed-there': {
    replace: () => replaced(Leadership.prototype, 'keepsUp', () => true),
  },
  'older-directory-votes': { replace: anyAge },
  'empty-directory-votes': {
    world: { keepsIdWhenEmptied: true },
    replace: () => {
      const undo = [emptyVotes(), anyAge()];
      return () => {
        for (const one of undo) one();
      };
    },
  },
  /** The follower is taken to hold what others hold. */
  'snapshot-without-tail': {
    replace: ({ machines }) => {
      const { majorityReached } = Leadership.prototype;
      const mostOf = new WeakMap<Leadership, Lsn>();
      const undo = [
        replaced(Leadership.prototype, 'majorityReached', function noted(this: Leadership, matchOf) {
          mostOf.set(this, lsn(Math.max(...machines.map((machine) => matchOf(directoryId(machine.directoryId))))));
          return majorityReached.call(this, matchOf);
        }),
        replaced(Leadership.prototype, 'installed', function installed(this: Leadership, progress, meta) {
          progress.matched(mostOf.get(this) ?? meta.lsn);
        }),
      ];
      return () => {
        for (const one of undo) one();
      };
    },
  },
  /** Whoever waits for an update hears that nothing of it was applied when its shard leaves, whatever was accepted. */
  'update-said-not-applied': {
    replace: () => {
      const { ask } = UpdateCallers.prototype;
      return replaced(UpdateCallers.prototype, 'ask', function certain(this: UpdateCallers, to, message, done) {
        return ask.call(this, to, message, (error, value) => {
          const applied =
            error?.detail?.kind === 'Unavailable' ? { kind: 'Unavailable', applied: 'no' } : error?.detail;
          done(error && ({ ...error, detail: applied } as Status), value);
        });
      });
    },
  },
  /** Of each part of a snapshot the last row is not taken. */
  'snapshot-row-lost': {
    replace: () => {
      const { stage } = Installer.prototype;
      return replaced(Installer.prototype, 'stage', function lossy(this: Installer, log, index, bytes) {
        const rows = decode(bytes) as Uint8Array[];
        return stage.call(this, log, index, encode(rows.slice(0, -2)));
      });
    },
  },
  /** A key does not remember when it let a start through. */
  'throttle-forgets': { replace: () => replaced(FlowDraft.prototype, 'logStart', () => undefined) },
  /** A step of a batch job is noted wherever the job has got to since it began. */
  'batch-step-noted-anyhow': {
    replace: () => {
      const { change } = JobRegistry.prototype;
      return replaced(
        JobRegistry.prototype,
        'change',
        function anyhow(this: JobRegistry, namespace, jobId, step, next) {
          return change.call(this, namespace, jobId, (before, now) => notedAnyhow(step, before, now), next);
        },
      );
    },
  },
  /** What an attempt said of itself is gone with it. */
  'heartbeats-forgotten': {
    replace: () => {
      const { putActivity } = RunDraft.prototype;
      return replaced(RunDraft.prototype, 'putActivity', function forgetful(this: RunDraft, row) {
        putActivity.call(this, row.inBackoff ? { ...row, heartbeatDetails: undefined } : row);
      });
    },
  },
  /** A backup takes the rows that happen to be flushed for all that is committed. */
  'backup-of-what-is-flushed': {
    replace: () => {
      const { led } = ReplicatedKeeper.prototype;
      const undo = [
        replaced(ShardEngine.prototype, 'flush', () => Promise.resolve()),
        replaced(ReplicatedKeeper.prototype, 'led', function flushed(this: ReplicatedKeeper) {
          return led.call(this).map((one) => ({ ...one, commit: lsn(0) }));
        }),
      ];
      return () => {
        for (const one of undo) one();
      };
    },
  },
  /** The database writes for whoever knows where the log ends, whatever the term. */
  'commit-not-fenced': {
    world: { believes: (found, belief) => found.lastLsn === belief.lastLsn && found.lastChain === belief.lastChain },
  },
} as const satisfies Record<string, ClusterBug>;

/** Says to the step that the job is where it was when the step began, and adds what has come since. */
function notedAnyhow(step: Parameters<JobRegistry['change']>[2], before: JobProgress, now: number): JobProgress {
  for (let since = 0; since <= before.complete; since += 1) {
    const then = { ...before, complete: before.complete - since };
    const after = step(then, now);
    if (after !== then)
      return {
        ...after,
        total: Math.max(after.total, after.complete + since + after.failure),
        complete: after.complete + since,
      };
  }
  return before;
}

export type BugName = keyof typeof BUGS;

/** How the tests find a bug without a search of thousands of seeds each time. */
export interface FoundBy {
  /** What the checker that is there for it says. A bug has many faces: seeds that fail otherwise are passed over. */
  readonly says: RegExp;
  /** The first seed that finds it, or one not far before: nothing breaks when a change shifts it, the search is longer then. */
  readonly from: number;
  /** Plans that lead to it more often than others. */
  readonly in?: (plan: ClusterPlan) => boolean;
}

const having =
  (fault: FaultName) =>
  ({ kinds }: ClusterPlan): boolean =>
    kinds.includes(fault);

export const FOUND_BY: { readonly [B in BugName]: FoundBy } = {
  'commit-before-majority': { says: /^I1: .* calls entry \d+ .* committed, which is durable/, from: 2 },
  'read-without-confirming': { says: /^linearizable reads/, from: 68, in: having('deaf hand-over') },
  'vote-twice-after-restart': { says: /^promises: .* and had promised it to/, from: 183, in: having('rivals') },
  'truncate-committed': { says: /^truncation: .* which is committed/, from: 8 },
  'outbox-applied-twice': {
    ...{ says: /^I5: .*|^backup: .* is no consistent cut/, from: 3 },
    in: having('lost confirmation'),
  },
  'flush-uncommitted': { says: /^flush: .* on disk (is|are) not th/, from: 3 },
  'overlay-dropped-early': { says: /^I4: workflow .* what its rows said when it was activated/, from: 26 },
  'quorum-over-the-ring': {
    ...{ says: /^I1: .* calls entry \d+ .* committed, which is durable/, from: 8 },
    in: ({ replicas, firstMembers }) => replicas === 3 && firstMembers > 3,
  },
  'voters-believed-there': { says: /^members: .* of whom only .* lately/, from: 504 },
  'older-directory-votes': { says: /^amnesia: .* an older copy/, from: 3, in: having('volume set back') },
  'empty-directory-votes': { says: /^amnesia: .* holds nothing/, from: 50, in: having('emptied directory') },
  'snapshot-without-tail': { says: /^I1: .* drops shard \d+, of which it is a voter/, from: 5 },
  'snapshot-row-lost': { says: /^I1: .* after shard \d+ was installed/, from: 2 },
  'update-said-not-applied': { says: /^I5: update of .* was refused as not applied, and was applied/, from: 211 },
  'pushed-before-majority': { says: /^I1: a pushed \w+ task, event \d+ .* committed is/, from: 1 },
  'throttle-forgets': { says: /^flow: \d+ permits of key .* are given within/, from: 7 },
  'batch-step-noted-anyhow': {
    ...{ says: /^end: batch job op-\d-job counts .* which got no/, from: 144 },
    // Whose leader is cut off within a step (job-leader.ts).
    in: ({ durability, replicas, operations }) =>
      durability === 'replicated' &&
      replicas >= 3 &&
      operations.some(({ moves }) => moves.some((move) => move.do === 'batch')),
  },
  'heartbeats-forgotten': { says: /^heartbeat: attempt \d+ of .* begins at 0/, from: 2 },
  'backup-of-what-is-flushed': { says: /^backup: .* and \d+ was committed when it was asked for/, from: 3 },
  'commit-not-fenced': {
    ...{ says: /^I3: .* is written in term \d+ in the database/, from: 11 },
    in: (plan) => plan.durability === 'shared' && having('isolated leader')(plan),
  },
};

/** No event, and a row of a run: what a task's start alone writes. */
function startsTasks({ entry }: LogAppend): boolean {
  const keys = [...decodeEntry(entry).rows.keys()];
  return keys.some((key) => key.startsWith('a')) && !keys.some((key) => key.startsWith('e'));
}

export const isBug = (name: string): name is BugName => Object.hasOwn(BUGS, name);
