import { describe, expect, it } from 'vitest';
import { lsn, shardId, term } from '../../src/ports/ids.ts';
import type { AppendAnswer, AppendOutcome, ReplicatedLog } from '../../src/ports/replicated-log.ts';
import type { AppendResult } from '../../src/ports/store.ts';
import { committerLog } from './committer-log.ts';

const S = shardId(1);
const entry = { shard: S, term: term(3), lsn: lsn(5), entry: Uint8Array.of(0x90) };

/** A log that answers as told, and settles when the test says so. */
function logOf(answer: AppendAnswer) {
  let settle: ((outcome: AppendOutcome) => void) | undefined;
  const log: Pick<ReplicatedLog, 'append'> = {
    append: (_shard, _term, _entry, done) => {
      settle = done;
      return answer;
    },
  };
  const results: (AppendResult | Error)[] = [];
  const commitLog = committerLog(log as ReplicatedLog); // only `append` is called
  const append = (): 'taken' | 'later' => commitLog.append([entry], (result) => results.push(result));
  return { append, results, settle: (outcome: AppendOutcome) => settle?.(outcome) };
}

describe('the replicated log as a committer knows it', () => {
  it('settles an entry once it is committed, in the same turn', () => {
    const { append, results, settle } = logOf({ lsn: lsn(5) });
    expect(append()).toBe('taken');
    expect(results).toEqual([]);
    settle('committed');
    expect(results).toEqual([{ fenced: [] }]);
  });

  it('fences a shard of which nobody knows what became of its entry, and one that is not led here', () => {
    const unknown = logOf({ lsn: lsn(5) });
    unknown.append();
    unknown.settle('unknown');
    expect(unknown.results).toEqual([{ fenced: [{ shard: S, newerTerm: 4, applied: 'maybe' }] }]);
    const elsewhere = logOf({ refused: 'notLeader' });
    expect(elsewhere.append()).toBe('taken');
    expect(elsewhere.results).toEqual([{ fenced: [{ shard: S, newerTerm: 4 }] }]);
  });

  it.each(['handingOver', 'full'] as const)('asks to be tried again while it is %s', (refused) => {
    const { append, results } = logOf({ refused });
    expect(append()).toBe('later');
    expect(results).toEqual([]);
  });

  it('does not put an entry elsewhere than its writer believes', () => {
    const { append, results, settle } = logOf({ lsn: lsn(6) });
    append();
    settle('committed');
    expect(results).toEqual([new Error('shard 1: the entry meant for lsn 5 is at 6')]);
  });
});
