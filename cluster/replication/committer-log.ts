// The replicated log as the engine's committer and flusher use it (ports/commit-log.ts): one entry per shard under way, settled when a majority
// has it and everything before it is applied, or when this node leads no more.

import type { CommitLog } from '../../src/ports/commit-log.ts';
import { type ShardId, term } from '../../src/ports/ids.ts';
import type { ReplicatedLog } from '../../src/ports/replicated-log.ts';
import type { AppendResult, Fenced, LogAppend } from '../../src/ports/store.ts';

const COMMITTED: AppendResult = { fenced: [] };
const fenced = ({ shard, term: inTerm }: LogAppend): Fenced => ({ shard, newerTerm: term(inTerm + 1) });

/**
 * A fenced shard of a result is not led here any more: what was refused was not written, what was under way may still be committed by the next
 * leader, so its callers are told "maybe". An lsn that is not the log's next ends all writing: the caller missed `controlAppended`.
 */
export const committerLog = (log: ReplicatedLog): CommitLog => ({
  appends: 'apart',
  append: (entries, settled) => {
    const [only] = entries;
    if (only === undefined || entries.length > 1) throw new Error(`${entries.length} entries in one append of a shard`);
    const { shard, term: inTerm, lsn, entry } = only;
    let astray = false;
    const answer = log.append(shard, inTerm, entry, (outcome) => {
      if (!astray) settled(outcome === 'committed' ? COMMITTED : { fenced: [{ ...fenced(only), applied: 'maybe' }] });
    });
    if ('lsn' in answer) {
      astray = answer.lsn !== lsn;
      if (astray) settled(new Error(`shard ${shard}: the entry meant for lsn ${lsn} is at ${answer.lsn}`));
      return 'taken';
    }
    if (answer.refused !== 'notLeader') return 'later';
    settled({ fenced: [fenced(only)] });
    return 'taken';
  },
  flush: async (flushes) => {
    await log.flush(flushes);
    return COMMITTED;
  },
  confirm: (shard: ShardId) => log.confirm(shard),
});
