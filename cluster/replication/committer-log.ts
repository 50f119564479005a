// The replicated log in the place of `store.append`, for a committer that assigns lsns itself and has one append under way: it resolves when every
// entry is committed, or its shard is lost. A shard that waits for its majority holds the others back for one election timeout at most, after
// which its leader steps down; a committer that takes each shard's outcome by itself (ports/replicated-log.ts) waits for nobody.

import { type ShardId, type Term, term } from '../../src/ports/ids.ts';
import type { ReplicatedLog } from '../../src/ports/replicated-log.ts';
import type { AppendResult, LogAppend, Store } from '../../src/ports/store.ts';

/**
 * A fenced shard of the result is not led here any more: what was refused was not written, what was under way may still be committed by the next
 * leader, so its callers are told "maybe".
 *
 * @throws Error when an lsn is not the log's next: the caller missed `controlAppended`.
 */
export function committerLog(log: ReplicatedLog): Pick<Store, 'append'> {
  return {
    append: (entries: readonly LogAppend[]) =>
      new Promise<AppendResult>((resolve, reject) => {
        const lost = new Map<ShardId, Term>();
        // One more than the entries, so that it is not over before all are asked for.
        let waiting = 1;
        const settle = (): void => {
          waiting -= 1;
          if (waiting > 0) return;
          resolve({ fenced: [...lost].map(([shard, inTerm]) => ({ shard, newerTerm: term(inTerm + 1) })) });
        };
        for (const { shard, term: inTerm, lsn, entry } of entries) {
          if (lost.has(shard)) continue;
          const answer = log.append(shard, inTerm, entry, (outcome) => {
            if (outcome === 'unknown') lost.set(shard, inTerm);
            settle();
          });
          if ('refused' in answer) {
            lost.set(shard, inTerm);
            continue;
          }
          waiting += 1;
          if (answer.lsn === lsn) continue;
          reject(new Error(`shard ${shard}: the entry meant for lsn ${lsn} is at ${answer.lsn}`));
          return;
        }
        settle();
      }),
  };
}
